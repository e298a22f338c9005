"""A network as an ONNX graph: static shapes, free of build traces, weights in half the space."""

from __future__ import annotations

import logging
import warnings
from typing import Protocol

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

OPSET = 18
_LARGE = 1024


class NamedNetwork(Protocol):
    """A module that says what its inputs and outputs are called, in their order."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of what `forward` takes."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what it gives."""


def onnx_graph(network: NamedNetwork, inputs: dict[str, Tensor]) -> onnx.ModelProto:
    """The ONNX graph of a network in eval mode for the shapes of `inputs`."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(inputs[name] for name in network.input_names),
            input_names=list(network.input_names),
            output_names=list(network.output_names),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    _strip(graph)
    return graph


def _strip(model: onnx.ModelProto) -> None:
    """Removes stack traces, names of source files and intermediate shapes."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]


def compress_weights(model: onnx.ModelProto) -> None:
    """Stores large fp32 constants as fp16 with a cast to fp32 behind each, in place.

    The graph computes in fp32 as before, and engines fold the casts when they load it; the file is
    half as large. Constants change by at most 1/2048 of themselves.
    """
    kept, casts = [], []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size >= _LARGE:
            half = f"{constant.name}_fp16"
            kept.append(numpy_helper.from_array(values.astype(np.float16), half))
            name = f"{constant.name}_fp32"
            casts.append(
                helper.make_node("Cast", [half], [constant.name], name, to=TensorProto.FLOAT)
            )
        else:
            kept.append(constant)
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)

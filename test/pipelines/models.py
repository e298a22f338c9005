"""Tiny models whose answers are known: a graph that gives constants, and its model.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from spatial_perception.runtime.spec import ClassSpec, ModelSpec, TensorSpec, Variant


def constant_model(
    folder: Path,
    input_shape: tuple[int, ...],
    outputs: dict[str, np.ndarray],
    classes: tuple[str, ...],
    **fields: Any,
) -> str:
    """Writes a model that answers `outputs` whatever it sees, and returns its folder."""
    folder.mkdir()
    name = fields.pop("input_name", "image")
    nodes, initializers = [helper.make_node("ReduceMean", [name], ["mean"], keepdims=0)], []
    initializers.append(numpy_helper.from_array(np.float32(0), "zero"))
    nodes.append(helper.make_node("Mul", ["mean", "zero"], ["nothing"]))
    for output, value in outputs.items():
        initializers.append(numpy_helper.from_array(value.astype(np.float32), f"{output}_value"))
        nodes.append(helper.make_node("Add", [f"{output}_value", "nothing"], [output]))
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, input_shape)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, v.shape) for o, v in outputs.items()],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    ModelSpec(
        name=folder.name,
        variants=(
            Variant(
                "model.onnx",
                {name: TensorSpec(input_shape)},
                {output: TensorSpec(value.shape) for output, value in outputs.items()},
            ),
        ),
        classes=tuple(ClassSpec(c) for c in classes),
        precision="fp32",
        **fields,
    ).save(folder)
    return str(folder)

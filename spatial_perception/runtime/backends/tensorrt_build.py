"""Building TensorRT engines from ONNX, with TensorRT 10, TensorRT 11 and TensorRT-RTX.

What differs between them, and what this file does about it:

- Networks are strongly typed: always in 11 and RTX, by a creation flag in 10 (it may be gone).
- `EXPLICIT_BATCH` is ignored since 10 and gone in 11: never passed.
- Precision builder flags and `platform_has_fast_fp16` are gone in 11: never asked; precision is in
  the graph.
- RTX builds without a GPU, for a list of compute capabilities; the others for the GPU at hand.

No GPU is touched here with TensorRT-RTX.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from spatial_perception.errors import EngineError

logger = logging.getLogger(__name__)

OLDEST_MAJOR = 10


def build_engine(
    trt: Any, graph: bytes, label: str, compute_capabilities: Sequence[str] = ()
) -> bytes:
    """Returns a serialized engine.

    Args:
        trt: the module `tensorrt` or `tensorrt_rtx`.
        graph: ONNX with static shapes.
        label: model and file, for messages.
        compute_capabilities: targets such as '8.9' (RTX only); none for the library's default.

    Raises:
        EngineError: If the graph cannot be parsed or compiled.
    """
    log = make_logger(trt)
    builder = trt.Builder(log)
    network = builder.create_network(creation_flags(trt))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(graph):
        reasons = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise EngineError(
            f"{label}: TensorRT cannot parse the graph: {' '.join(reasons[0].split())}"
            if reasons
            else f"{label}: TensorRT cannot parse the graph; export the model again"
        )
    config = builder.create_builder_config()
    if compute_capabilities:
        _target(trt, config, compute_capabilities)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        reason = f": {log.last_error}" if log.last_error else ""
        raise EngineError(f"{label}: TensorRT cannot compile the graph{reason}")
    return bytes(engine)


def creation_flags(trt: Any) -> int:
    """Returns the flags of a strongly typed network; 0 where nothing else exists."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def major_version(trt: Any) -> int:
    """Returns the major version of a TensorRT module."""
    return int(str(trt.__version__).split(".")[0])


def make_logger(trt: Any) -> Any:
    """Returns a TensorRT logger that writes to Python's logging and keeps the last error."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        last_error = ""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.last_error = " ".join(message.split())
                logger.error("TensorRT: %s", self.last_error)
            elif severity == trt.ILogger.WARNING:
                logger.warning("TensorRT: %s", " ".join(message.split()))

    return Logger()


def _target(trt: Any, config: Any, capabilities: Sequence[str]) -> None:
    members = []
    for text in capabilities:
        member = getattr(trt.ComputeCapability, f"SM{text.replace('.', '')}", None)
        if member is None:
            known = [name for name in dir(trt.ComputeCapability) if name.startswith("SM")]
            raise EngineError(
                f"compute capability {text} is not among those that TensorRT-RTX"
                f" {trt.__version__} compiles for: {', '.join(known)}"
            )
        members.append(member)
    config.num_compute_capabilities = len(members)
    for index, member in enumerate(members):
        config.set_compute_capability(member, index)

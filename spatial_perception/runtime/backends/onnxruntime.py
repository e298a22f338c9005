"""ONNX Runtime on the CPU: the reference that other backends are compared with."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import (
    Arrays,
    Backend,
    Job,
    Session,
    TensorSpecs,
    one_line,
)
from spatial_perception.runtime.backends.host import cpu_name
from spatial_perception.runtime.spec import Precision, TensorSpec

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


class OnnxRuntimeBackend(Backend):
    """CPU execution provider; fp32 by default, converted graphs for fp16 and int8."""

    name: ClassVar[str] = "onnxruntime"
    install_hint: ClassVar[str] = "pip install onnxruntime"
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "fp16", "int8")
    cached: ClassVar[bool] = False

    def unavailable(self) -> str:
        try:
            import onnxruntime  # noqa: F401
        except ImportError as error:
            return self.not_installed(error)
        return ""

    def version(self) -> str:
        import onnxruntime

        return str(onnxruntime.__version__)

    def device(self) -> str:
        return cpu_name()

    def half_precision(self) -> Precision:
        return "fp32"

    def load(self, engine: bytes, job: Job) -> Session:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if job.threads is not None:
            options.intra_op_num_threads = job.threads
        options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(
                job.graph, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise EngineError(
                f"{job.label}: ONNX Runtime cannot load the graph: {one_line(error)};"
                " export the model again"
            ) from error
        return _OnnxRuntimeSession(session)


class _OnnxRuntimeSession(Session):
    def __init__(self, session: Any) -> None:
        self._session = session
        self._inputs = {t.name: _tensor_spec(t) for t in session.get_inputs()}
        self._outputs = {t.name: _tensor_spec(t) for t in session.get_outputs()}

    @property
    def inputs(self) -> TensorSpecs:
        return self._inputs

    @property
    def outputs(self) -> TensorSpecs:
        return self._outputs

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        names = list(self._outputs)
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))

    def close(self) -> None:
        self._session = None


def _tensor_spec(tensor: Any) -> TensorSpec:
    shape = tuple(d if isinstance(d, int) else -1 for d in tensor.shape)
    return TensorSpec(shape, _DTYPES.get(tensor.type, tensor.type))

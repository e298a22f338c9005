"""TensorRT 10 and 11 on an NVIDIA GPU, and TensorRT-RTX, which also builds without one."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import Backend, Job, Session, one_line
from spatial_perception.runtime.backends.cuda import Cuda, cuda_runtime
from spatial_perception.runtime.backends.tensorrt_build import (
    OLDEST_MAJOR,
    build_engine,
    major_version,
)
from spatial_perception.runtime.backends.tensorrt_session import TensorRTSession
from spatial_perception.runtime.spec import Precision


class TensorRTBackend(Backend):
    """TensorRT of the vehicle's system, version 10 or 11."""

    name: ClassVar[str] = "tensorrt"
    install_hint: ClassVar[str] = (
        "install TensorRT 10 or 11 from NVIDIA with its Python module, and pip install"
        " cuda-python onnx"
    )
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "fp16", "int8")
    cached: ClassVar[bool] = True
    signed_int8: ClassVar[bool] = True
    module: ClassVar[str] = "tensorrt"
    oldest_major: ClassVar[int] = OLDEST_MAJOR

    def unavailable(self) -> str:
        return self.cannot_build() or self._no_gpu()

    def cannot_build(self) -> str:
        """Returns why engines cannot be built here, or ''; RTX builds them without a GPU."""
        try:
            trt = self._trt()
        except (ImportError, OSError) as error:
            return self.not_installed(error)
        if major_version(trt) < self.oldest_major:
            return f"is too old ({trt.__version__}): {self.install_hint}"
        return ""

    def version(self) -> str:
        return str(self._trt().__version__)

    def device(self) -> str:
        return _cuda().device_name()

    def half_precision(self) -> Precision:
        return "fp16"

    def build(self, job: Job) -> bytes:
        return build_engine(self._trt(), job.graph, job.label)

    def load(self, engine: bytes, job: Job) -> Session:
        return TensorRTSession(self._trt(), _cuda(), engine, job.label)

    def _trt(self) -> Any:
        return importlib.import_module(self.module)

    def _no_gpu(self) -> str:
        try:
            count = _cuda().call("cudaGetDeviceCount")
        except ImportError as error:
            return f"lacks cuda-python ({one_line(error)}): pip install cuda-python"
        except (EngineError, RuntimeError, OSError) as error:
            return f"finds no NVIDIA GPU ({one_line(error)})"
        return "" if count else "finds no NVIDIA GPU"


class TensorRTRtxBackend(TensorRTBackend):
    """TensorRT-RTX from PyPI, for GeForce and RTX GPUs."""

    name: ClassVar[str] = "tensorrt_rtx"
    install_hint: ClassVar[str] = "pip install tensorrt-rtx cuda-python onnx"
    module: ClassVar[str] = "tensorrt_rtx"
    oldest_major: ClassVar[int] = 1

    def device(self) -> str:
        # Engines fit every GPU of a capability, so one that was built elsewhere is found again.
        return f"compute capability {_cuda().compute_capability()}"

    def build(self, job: Job) -> bytes:
        return self.build_for(job, [_cuda().compute_capability()])

    def build_for(self, job: Job, compute_capabilities: Sequence[str]) -> bytes:
        """Returns an engine for GPUs of the given compute capabilities; needs no GPU.

        Raises:
            EngineError: If a capability is not supported or the graph does not compile.
        """
        return build_engine(self._trt(), job.graph, job.label, compute_capabilities)


@functools.cache
def _cuda() -> Cuda:
    return Cuda(cuda_runtime())

"""OpenVINO on CPU cores, in bf16 where the CPU computes it natively."""

from __future__ import annotations

import functools
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
from spatial_perception.runtime.spec import Precision, TensorSpec

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


@functools.cache
def _core() -> Any:
    import openvino

    return openvino.Core()


class OpenVinoBackend(Backend):
    """CPU plugin with the latency hint; compiled models are cached as blobs."""

    name: ClassVar[str] = "openvino"
    install_hint: ClassVar[str] = "pip install openvino"
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "bf16", "int8")
    cached: ClassVar[bool] = True

    def unavailable(self) -> str:
        try:
            devices = _core().available_devices
        except ImportError as error:
            return self.not_installed(error)
        except Exception as error:
            return f"does not start ({one_line(error)})"
        return "" if "CPU" in devices else f"has no CPU plugin, only {devices}"

    def version(self) -> str:
        import openvino

        return "-".join(str(openvino.get_version()).split("-")[:2])

    def device(self) -> str:
        # The capabilities tell apart CPUs that share a marketing name.
        name = str(_core().get_property("CPU", "FULL_DEVICE_NAME")).strip()
        return f"{name} [{' '.join(sorted(_capabilities()))}]"

    def half_precision(self) -> Precision:
        return "bf16" if "BF16" in _capabilities() else "fp32"

    def build(self, job: Job) -> bytes:
        core = _core()
        try:
            model = core.read_model(job.graph)
            compiled = core.compile_model(model, "CPU", _options(job))
            return bytes(compiled.export_model().getvalue())
        except Exception as error:
            raise EngineError(
                f"{job.label}: OpenVINO cannot compile the graph: {one_line(error)};"
                " export the model again or choose another backend"
            ) from error

    def load(self, engine: bytes, job: Job) -> Session:
        try:
            return _OpenVinoSession(_core().import_model(engine, "CPU", _options(job)))
        except Exception as error:
            raise EngineError(
                f"{job.label}: OpenVINO cannot import the cached engine: {one_line(error)}"
            ) from error


class _OpenVinoSession(Session):
    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._request = compiled.create_infer_request()
        self._inputs = {p.get_any_name(): _tensor_spec(p) for p in compiled.inputs}
        self._outputs = {p.get_any_name(): _tensor_spec(p) for p in compiled.outputs}

    @property
    def inputs(self) -> TensorSpecs:
        return self._inputs

    @property
    def outputs(self) -> TensorSpecs:
        return self._outputs

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        # Inputs are read in place; outputs are copied because the next run reuses their memory.
        results = self._request.infer(dict(inputs), share_inputs=True, share_outputs=False)
        return dict(zip(self._outputs, results.values(), strict=True))

    def close(self) -> None:
        self._request = None
        self._compiled = None


def _capabilities() -> list[str]:
    return list(_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def _options(job: Job) -> dict[str, object]:
    options: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": _HINTS[job.precision],
    }
    if job.threads is not None:
        options["INFERENCE_NUM_THREADS"] = job.threads
    return options


def _tensor_spec(port: Any) -> TensorSpec:
    shape = tuple(int(d.get_length()) if d.is_static else -1 for d in port.partial_shape)
    return TensorSpec(shape, str(np.dtype(port.element_type.to_dtype())))

"""PyTorch on the CPU, or on a GPU where there is one: the network itself with its weights.

The ONNX file plays no part here, so agreement with the other backends also proves the export.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from spatial_perception.errors import EngineError, PerceptionError
from spatial_perception.runtime.backends.base import (
    Arrays,
    Backend,
    Job,
    Session,
    TensorSpecs,
    one_line,
)
from spatial_perception.runtime.backends.host import cpu_name
from spatial_perception.runtime.spec import WEIGHTS_FILE, Precision


class TorchBackend(Backend):
    """Eager PyTorch; bf16 by autocast."""

    name: ClassVar[str] = "torch"
    install_hint: ClassVar[str] = "pip install torch torchvision safetensors"
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "bf16")
    cached: ClassVar[bool] = False

    def unavailable(self) -> str:
        try:
            import safetensors  # noqa: F401
            import torch  # noqa: F401
        except ImportError as error:
            return self.not_installed(error)
        return ""

    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def device(self) -> str:
        import torch

        return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else cpu_name()

    def half_precision(self) -> Precision:
        return "fp32"

    def load(self, engine: bytes, job: Job) -> Session:
        return _TorchSession(job)


class _TorchSession(Session):
    def __init__(self, job: Job) -> None:
        import torch

        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._autocast = job.precision == "bf16"
        self._variant = job.variant
        if job.threads is not None:
            torch.set_num_threads(job.threads)
        self._network = _network(job).to(self._device)

    @property
    def inputs(self) -> TensorSpecs:
        return self._variant.inputs

    @property
    def outputs(self) -> TensorSpecs:
        return self._variant.outputs

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        torch = self._torch
        tensors = {k: torch.tensor(v, device=self._device) for k, v in inputs.items()}
        with (
            torch.inference_mode(),
            torch.autocast(self._device, torch.bfloat16, enabled=self._autocast),
        ):
            outputs = self._network.outputs(tensors)
        dtypes = {name: spec.dtype for name, spec in self._variant.outputs.items()}
        return {
            name: outputs[name].to(getattr(torch, dtype)).cpu().numpy()
            for name, dtype in dtypes.items()
        }

    def close(self) -> None:
        self._network = None


def _network(job: Job) -> Any:
    """Returns the network of a model in evaluation mode, with its weights as fp32."""
    from safetensors.torch import load_file

    import spatial_perception.networks  # noqa: F401  fills the registry
    from spatial_perception.networks.registry import build

    spec = job.spec
    if spec.network is None:
        raise EngineError(
            f"model '{spec.name}': model.yaml names no network, so the torch backend cannot build"
            " it; choose a backend that runs ONNX"
        )
    path = spec.folder / WEIGHTS_FILE
    try:
        network = build(spec.network.name, **spec.network.arguments)
        weights = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
        network.load_state_dict(weights)
    except PerceptionError as error:
        raise EngineError(f"model '{spec.name}': {error}") from error
    except Exception as error:
        raise EngineError(
            f"{path}: weights do not fit network '{spec.network.name}': {one_line(error)}"
        ) from error
    return network.eval()

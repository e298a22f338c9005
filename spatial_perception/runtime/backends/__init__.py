"""The inference backends by name, in the order in which `auto` tries them."""

from __future__ import annotations

import functools
import importlib

from spatial_perception.config import near_miss
from spatial_perception.errors import ConfigError
from spatial_perception.runtime.backends.base import Backend

_CLASSES = {
    "tensorrt": ("tensorrt", "TensorRTBackend"),
    "tensorrt_rtx": ("tensorrt", "TensorRTRtxBackend"),
    "openvino": ("openvino", "OpenVinoBackend"),
    "onnxruntime": ("onnxruntime", "OnnxRuntimeBackend"),
    "torch": ("torch", "TorchBackend"),
}

BACKENDS = tuple(_CLASSES)


@functools.cache
def get_backend(name: str) -> Backend:
    """Returns the backend called `name`; its library is imported when it is first asked.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in _CLASSES:
        raise ConfigError(f"no backend '{name}'{near_miss(name, (*BACKENDS, 'auto'))}")
    module, attribute = _CLASSES[name]
    made: Backend = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)()
    return made

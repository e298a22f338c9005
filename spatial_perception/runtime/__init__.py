"""Models and the engines that run them."""

from spatial_perception.runtime.backends import BACKENDS
from spatial_perception.runtime.engine import Engine, EngineInfo
from spatial_perception.runtime.engine_factory import create_engine
from spatial_perception.runtime.models import find_model, find_models_dir
from spatial_perception.runtime.spec import ModelSpec

__all__ = [
    "BACKENDS",
    "Engine",
    "EngineInfo",
    "ModelSpec",
    "create_engine",
    "find_model",
    "find_models_dir",
]

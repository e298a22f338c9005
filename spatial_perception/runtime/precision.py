"""Precision as a property of the ONNX graph: half precision and 8-bit integers."""

from __future__ import annotations

from spatial_perception.errors import EngineError
from spatial_perception.runtime.cache import EngineCache
from spatial_perception.runtime.spec import Precision


def convert(graph: bytes, precision: Precision, label: str, cache: EngineCache) -> bytes:
    """Returns the graph in another precision."""
    raise EngineError(f"{label}: no conversion to {precision}")

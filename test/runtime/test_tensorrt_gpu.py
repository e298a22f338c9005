"""TensorRT and TensorRT-RTX on a real GPU, against fp32 ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.backends import get_backend
from spatial_perception.runtime.verify import verify

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_rtx"])
def test_engine_on_the_gpu_agrees_with_the_reference(
    name: str, precision: str, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    if reason := get_backend(name).unavailable():
        pytest.skip(f"{name} {reason}")
    samples = [{"image": image["image"] * np.float32(k)} for k in (1.0, 0.5, 0.1, 0.7)]
    with create_engine(tiny, backend=name, precision=precision) as engine:
        result = verify(engine, tiny, samples)
    assert result.agreement == 1.0
    assert result.outputs[0].max_rel < 0.01

"""Verification: finds no difference where there is none, and the size of one that is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.engine import Engine
from spatial_perception.runtime.spec import TensorSpec
from spatial_perception.runtime.verify import synthetic_sample, verify
from test.pipelines.models import constant_model

pytest.importorskip("onnxruntime")


def test_reference_agrees_with_itself(tiny: ModelSpec, image: dict[str, np.ndarray]) -> None:
    result = verify(create_engine(tiny, backend="onnxruntime"), tiny, [image, image])
    assert (result.samples, result.agreement) == (2, 1.0)
    assert [(o.name, o.max_abs, o.max_rel) for o in result.outputs] == [("logits", 0.0, 0.0)]


class Shifted(Engine):
    """An engine whose first logit is wrong by a known amount."""

    shift = np.float32(0)

    def infer(self, inputs):
        logits = super().infer(inputs)["logits"]
        logits[:, 0] += self.shift
        return {"logits": logits}


def shifted(tiny: ModelSpec, shift: float) -> Shifted:
    engine = create_engine(tiny, backend="onnxruntime")
    engine.__class__ = Shifted
    engine.shift = np.float32(shift)
    return engine


def test_a_wrong_engine_is_found_out_with_the_size_of_its_error(
    tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    logits = create_engine(tiny, backend="onnxruntime").infer(image)["logits"]
    result = verify(shifted(tiny, 1e4), tiny, [image])
    (output,) = result.outputs
    assert output.max_abs == pytest.approx(1e4, rel=1e-3)
    assert output.max_rel == pytest.approx(1e4 / np.abs(logits).max(), rel=1e-3)
    assert output.agreement == float(logits.argmax() == 0)


def test_values_that_are_no_numbers_count_as_infinitely_wrong(
    tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    assert verify(shifted(tiny, np.nan), tiny, [image]).outputs[0].max_abs == np.inf


def test_no_samples_is_an_error(tiny: ModelSpec) -> None:
    with pytest.raises(EngineError, match="at least one sample"):
        verify(create_engine(tiny, backend="onnxruntime"), tiny, [])


def test_synthetic_samples_fit_and_keep_indices_inside_every_table() -> None:
    inputs = {
        "image": TensorSpec((1, 3, 40, 50)),
        "voxels": TensorSpec((1, 2, 8, 8, 8)),
        "features": TensorSpec((64, 6)),
        "neighbours_0": TensorSpec((64, 5), "int32"),
        "neighbours_1": TensorSpec((8, 5), "int32"),
    }
    sample = synthetic_sample(inputs, np.random.default_rng(0))
    for name, spec in inputs.items():
        assert sample[name].shape == spec.shape
        assert sample[name].dtype == np.dtype(spec.dtype)
    assert 0 <= sample["image"].min() < 50 < 200 < sample["image"].max() <= 255
    assert sample["neighbours_0"].max() < 8
    assert 0 < (sample["voxels"] > 0).mean() < 0.1


def test_verification_needs_no_model_folder_beyond_the_graph(
    tiny: ModelSpec, image: dict[str, np.ndarray], tmp_path: Path
) -> None:
    (Path(tiny.folder) / "model.yaml").unlink()
    assert verify(create_engine(tiny, backend="onnxruntime"), tiny, [image]).agreement == 1


@pytest.mark.parametrize(("decoder", "agreement"), [("class_map", 1.0), ("boxes", 0.0)])
def test_class_maps_are_compared_by_class_whatever_their_outputs_are_called(
    tmp_path: Path, decoder: str, agreement: float
) -> None:
    lanes = np.array([0.0, 1.0], np.float32).reshape(1, 2, 1, 1)
    folder = constant_model(
        tmp_path / "m", (1, 3, 4, 4), {"lanes": lanes}, ("a", "b"), decoder=decoder
    )
    spec = ModelSpec.load(folder)
    engine = create_engine(spec, backend="onnxruntime")
    engine.infer = lambda inputs: {"lanes": lanes * 1.5 + 0.5}  # type: ignore[method-assign]
    image = {"image": np.zeros((1, 3, 4, 4), np.float32)}
    assert verify(engine, spec, [image]).agreement == agreement

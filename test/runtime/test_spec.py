"""Which exported shape serves which picture, and what model.yaml says of metrics."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from spatial_perception.errors import ConfigError
from spatial_perception.runtime.spec import (
    MODEL_FILE,
    ClassSpec,
    MetricRecord,
    ModelSpec,
    TensorSpec,
    Variant,
)

LOGITS = {"logits": TensorSpec((1, 1))}


def model(*sizes_hw: tuple[int, int]) -> ModelSpec:
    variants = tuple(
        Variant(f"{h}x{w}.onnx", {"image": TensorSpec((1, 3, h, w))}, LOGITS) for h, w in sizes_hw
    )
    return ModelSpec("model", "boxes", variants, (ClassSpec("car"),))


def test_pictures_run_in_the_shape_of_the_nearest_proportions() -> None:
    spec = model((288, 384), (288, 960))
    assert [spec.variant_for(ratio) for ratio in (0.5, 4 / 3, 16 / 9, 2.2, 1242 / 375)] == [
        0,
        0,
        0,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("largest_px", "expected"),
    [(0, (0, 2)), (288 * 960, (0, 2)), (288 * 960 - 1, (0, 1)), (1000, (0, 1))],
)
def test_of_like_proportions_the_largest_within_the_limit_serves(
    largest_px: int, expected: tuple[int, ...]
) -> None:
    spec = model((288, 448), (160, 544), (288, 960))
    assert spec.choices(largest_px) == expected
    assert spec.variant_for(1242 / 375, largest_px) == expected[1]
    assert spec.variant_for(4 / 3, largest_px) == expected[0]


def test_a_model_without_pictures_has_its_one_variant() -> None:
    variant = Variant("model.onnx", {"voxels": TensorSpec((1, 8, 8, 256, 320))}, LOGITS)
    spec = ModelSpec("model", "centers", (variant,), (ClassSpec("car"),))
    assert spec.choices(1) == (0,)
    assert spec.variant_for(1.0) == 0


def test_intervals_are_saved_and_a_file_without_them_still_loads(tmp_path: Path) -> None:
    record = MetricRecord("eight scans", 8, {"ap": 82.86}, interval_90={"ap": (72.5, 100.0)})
    spec = dataclasses.replace(model((288, 384)), metrics=(record,))
    spec.save(tmp_path)
    assert ModelSpec.load(tmp_path, check_files=False).metrics == (record,)

    content = yaml.safe_load((tmp_path / MODEL_FILE).read_text())
    del content["metrics"][0]["interval_90"]
    (tmp_path / MODEL_FILE).write_text(yaml.safe_dump(content))
    assert ModelSpec.load(tmp_path, check_files=False).metrics[0].interval_90 == {}

    content["metrics"][0]["interval_90"] = {"ap": [72.5]}
    (tmp_path / MODEL_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="expected 2 values, got 1"):
        ModelSpec.load(tmp_path, check_files=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": [{"name": str(i)} for i in range(1000)]}, "'classes': at most 255, got 1000"),
        ({"variants": [{"outputs": {}}]}, r"variants\[0\]: 'outputs' is empty"),
        (
            {"variants": [{"inputs": {"image": {"shape": [1, 3, -1, -1]}}}]},
            r"inputs: 'image': expected a static shape, sizes from 1 on, got \[1, 3, -1, -1\]",
        ),
    ],
)
def test_a_model_yaml_that_no_engine_could_run_is_refused(
    tmp_path: Path, change: dict[str, list[dict[str, object]]], message: str
) -> None:
    model((288, 384)).save(tmp_path)
    content = yaml.safe_load((tmp_path / MODEL_FILE).read_text())
    variant = content["variants"][0] | change.pop("variants", [{}])[0]
    content |= {"variants": [variant], **change}
    (tmp_path / MODEL_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=message):
        ModelSpec.load(tmp_path, check_files=False)

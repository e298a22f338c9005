from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from spatial_perception.datasets.lights import read_lights
from spatial_perception.errors import DatasetError
from spatial_perception.training.augment_crops import CropAugmentation
from spatial_perception.training.checkpoint import save_weights
from spatial_perception.training.classifier_task import ClassifierConfig, ClassifierTask

UNCHANGED = CropAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CONFIG = ClassifierConfig(dataset="lights", width=8, batch_size=15)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sixty crops, of which the checksums of some names validate."""
    for name in ("red", "yellow", "green"):
        (tmp_path / name).mkdir()
        for number in range(20):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((20, 10, 3), 90, np.uint8))
    return tmp_path


def test_training_begins_with_the_weights_it_is_given(root: Path) -> None:
    fresh = ClassifierTask("light_classifier", CONFIG, root).network().state_dict()
    given = {key: torch.full_like(value, 0.125) for key, value in fresh.items() if "stem.0" in key}
    save_weights(root / "best.pt", given, {}, 0)
    config = replace(CONFIG, initial=str(root / "best.pt"))
    started = ClassifierTask("light_classifier", config, root).start().state_dict()

    assert given
    assert all(torch.equal(started[key], value) for key, value in given.items())


@pytest.mark.parametrize(("kept", "missing"), [("train", "validates"), ("val", "trains")])
def test_a_part_without_crops_is_refused(root: Path, kept: str, missing: str) -> None:
    for path in {*read_lights(root, "trainval").paths} - {*read_lights(root, kept).paths}:
        path.unlink()
    with pytest.raises(DatasetError, match=f"no crop {missing}"):
        ClassifierTask("light_classifier", CONFIG, root)


def test_all_tracks_are_trained_on_when_asked_and_the_card_says_so(root: Path) -> None:
    for path in read_lights(root, "val").paths:
        cv2.imwrite(str(path), np.full((20, 10, 3), 255, np.uint8))
    for all_tracks in (False, True):
        config = replace(CONFIG, all_tracks=all_tracks, augmentation=UNCHANGED)
        task = ClassifierTask("light_classifier", config, root)
        crops = torch.cat([task.batch(step).crops for step in range(5)])
        assert (crops.max() > 200.0) == all_tracks
        plan = task.export_plan(task.network().eval())
        assert ("trained on too" in plan.validation) == all_tracks
        assert ("all of them" in plan.training_data[0]) == all_tracks

"""Outliers go along with each batch and pull its answers towards evenness."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from spatial_perception.errors import ConfigError
from spatial_perception.training.augment_crops import CropAugmentation
from spatial_perception.training.classifier_task import ClassifierConfig, ClassifierTask
from spatial_perception.training.outliers import OutlierConfig, evenness_loss

KNOWN, OTHER = 90, 240
UNCHANGED = CropAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CONFIG = ClassifierConfig(dataset="lights", width=8, batch_size=12, augmentation=UNCHANGED)


def write_picture(path: Path, value: int, size: tuple[int, int] = (20, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


@pytest.fixture
def lights(tmp_path: Path) -> Path:
    for name in ("red", "yellow", "green"):
        for number in range(20):
            write_picture(tmp_path / "lights" / name / f"{number}.png", KNOWN)
    return tmp_path / "lights"


@pytest.fixture
def outliers(tmp_path: Path) -> OutlierConfig:
    for split in ("train", "val"):
        write_picture(tmp_path / "camvid" / split / "a.png", OTHER, (64, 96))
        mask = tmp_path / "camvid" / f"{split}annot" / "a.png"
        mask.parent.mkdir()
        cv2.imwrite(str(mask), np.zeros((64, 96), np.uint8))
    write_picture(tmp_path / "others" / "a.png", OTHER)
    return OutlierConfig(
        camvid=str(tmp_path / "camvid"),
        crops=(str(tmp_path / "others"),),
        share=0.5,
        source="streets",
        licence="streets: free",
    )


def test_outliers_follow_the_crops_of_known_classes(lights: Path, outliers: OutlierConfig) -> None:
    task = ClassifierTask("light_classifier", replace(CONFIG, outliers=outliers), lights)
    batch = task.batch(3)
    means = batch.crops.mean((1, 2, 3))

    assert len(batch.labels) == 12
    assert len(means) == 18
    torch.testing.assert_close(means[:12], torch.full((12,), float(KNOWN)), atol=2.0, rtol=0)
    torch.testing.assert_close(means[12:], torch.full((6,), float(OTHER)), atol=2.0, rtol=0)


def test_without_outliers_a_batch_is_what_it_was(lights: Path) -> None:
    task = ClassifierTask("light_classifier", CONFIG, lights)

    assert len(task.batch(0).crops) == 12
    assert "unknown" not in task.validate(task.network(), torch.device("cpu"))


def test_their_loss_counts_by_its_weight(lights: Path, outliers: OutlierConfig) -> None:
    losses = []
    for weight in (0.0, 0.5, 1.0):
        config = replace(CONFIG, outliers=replace(outliers, weight=weight))
        task = ClassifierTask("light_classifier", config, lights)
        torch.manual_seed(0)
        network = task.network().eval()
        with torch.no_grad():
            network.get_parameter("body.7.bias")[0] = 6.0
        losses.append(task.loss(network, task.batch(0))[0])
    answers = network(task.batch(0).crops)[12:]

    assert answers.softmax(1).max() > 0.9
    torch.testing.assert_close(losses[2] - losses[0], evenness_loss(answers))
    torch.testing.assert_close(losses[1] - losses[0], evenness_loss(answers) / 2)


def test_validation_says_how_many_are_unknown(lights: Path, outliers: OutlierConfig) -> None:
    task = ClassifierTask("light_classifier", replace(CONFIG, outliers=outliers), lights)
    network = task.network()
    torch.nn.init.zeros_(network.get_parameter("body.7.weight"))
    torch.nn.init.zeros_(network.get_parameter("body.7.bias"))

    assert task.validate(network, torch.device("cpu"))["unknown"] == 100.0


def test_source_and_licence_go_into_the_model(lights: Path, outliers: OutlierConfig) -> None:
    task = ClassifierTask("light_classifier", replace(CONFIG, outliers=outliers), lights)
    plan = task.export_plan(task.network().eval())

    assert plan.training_data[-1] == "outliers: streets"
    assert plan.data_licence == "none stated by its publisher; streets: free"
    nameless = replace(CONFIG, outliers=replace(outliers, licence=""))
    with pytest.raises(ConfigError, match="source and licence"):
        ClassifierTask("light_classifier", nameless, lights)


def test_even_answers_lose_least() -> None:
    even, sure = torch.zeros(2, 4), torch.tensor([[5.0, 0.0, 0.0, 0.0]])

    assert evenness_loss(even) == pytest.approx(np.log(4))
    assert evenness_loss(sure) > evenness_loss(even) + 1.0

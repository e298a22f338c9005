from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.errors import DatasetError
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.segmenter_task import (
    MaskBatch,
    SegmenterConfig,
    SegmenterTask,
    soft_jaccard_loss,
)

CONFIG = SegmenterConfig(
    depth=12,
    decoder_widths=(8, 8, 8, 8),
    pretrained=False,
    batch_size=2,
    crop_hw=(32, 48),
    fit=FitConfig(device="cpu"),
)


@pytest.fixture
def task(tmp_path) -> SegmenterTask:
    """Sky over road, with a strip of void."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:20] = 220
    mask = np.full((48, 64), CAMVID_LABELS.index("road"), np.uint8)
    mask[:20] = CAMVID_LABELS.index("sky")
    mask[19:21] = 11
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        (tmp_path / f"{split}annot").mkdir()
        for number in range(3):
            cv2.imwrite(str(tmp_path / split / f"{number}.png"), picture)
            cv2.imwrite(str(tmp_path / f"{split}annot" / f"{number}.png"), mask)
    return SegmenterTask("camera_segmenter", CONFIG, tmp_path)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((24, 32), np.uint8), r"0\.png: is \(24, 32\), its picture \(48, 64\)"),
        (np.full((48, 64), 11, np.uint8), "every pixel is void"),
    ],
)
def test_masks_that_teach_nothing_right_are_refused(task, tmp_path, mask, message):
    for number in range(3):
        cv2.imwrite(str(tmp_path / "trainannot" / f"{number}.png"), mask)
    with pytest.raises(DatasetError, match=message):
        SegmenterTask("camera_segmenter", CONFIG, tmp_path)


def test_the_training_data_are_counted(task):
    assert task.export_plan(task.network()).training_data == ("CamVid, 3 training images at 64x48",)


def test_a_batch_is_a_function_of_the_step(task):
    first, again, other = task.batch(3), task.batch(3), task.batch(4)
    assert first.image.shape == (2, 3, 32, 48)
    assert first.labels.shape == (2, 32, 48)
    assert torch.equal(first.image, again.image)
    assert not torch.equal(first.image, other.image)
    classes = {CAMVID_LABELS.index("sky"), CAMVID_LABELS.index("road"), 255}
    assert set(first.labels.unique().tolist()) <= classes


@pytest.mark.parametrize("side", [0, 3])
def test_pictures_that_are_hardly_labelled_or_not_at_all_teach_what_they_can(task, side):
    """What is labelled lies between the places that the coarse loss looks at."""
    labels = torch.full((1, 32, 48), 255, dtype=torch.uint8)
    labels[:, 1 : 1 + side, 1 : 1 + side] = CAMVID_LABELS.index("road")
    batch = MaskBatch(task.batch(0).image[:1], labels)
    network = task.network().train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # a single picture has no statistics
    loss, parts = task.loss(network, batch)
    loss.backward()
    assert all(torch.isfinite(value) for value in (loss, *parts.values()))
    slopes = [float(p.grad.abs().max()) for p in network.parameters() if p.grad is not None]
    assert np.isfinite(slopes).all()
    assert (max(slopes) > 0.0) == (side > 0)


def test_the_network_learns_the_scene(task):
    torch.manual_seed(0)
    network = task.network()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for step in range(30):
        loss, parts = task.loss(network.train(), task.batch(step))
        assert set(parts) == {"fine", "overlap", "coarse"}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.3 * losses[0]
    metrics = task.validate(network.eval(), torch.device("cpu"))
    assert next(iter(metrics)) == "miou"
    assert metrics["miou"] > 60.0


def test_rare_classes_weigh_more(task, tmp_path):
    network = task.network().eval()
    batch = task.batch(0)
    even = SegmenterTask("camera_segmenter", replace(CONFIG, rarity=0.0), tmp_path)
    assert task.loss(network, batch)[0] != even.loss(network, batch)[0]


def test_the_plan_names_each_exported_shape(task):
    plan = task.export_plan(task.network())
    assert [shape["image"] for shape in plan.shapes] == [(1, 3, 360, 480), (1, 3, 256, 832)]
    assert "CC BY-NC" in plan.data_licence


def test_the_soft_jaccard_loss_is_that_of_the_masks_for_certain_scores():
    truth = torch.tensor([[[0, 0, 1, 1, 255]]])
    said = torch.tensor([[[0, 1, 1, 1, 0]]])
    logits = 50.0 * functional.one_hot(said, 3).permute(0, 3, 1, 2).float()
    expected = 1.0 - (1 / 2 + 2 / 3) / 2  # class 2 is not there; the void pixel counts nowhere
    assert soft_jaccard_loss(logits, truth).item() == pytest.approx(expected, abs=1e-6)


def test_the_encoder_learns_more_slowly(task):
    assert task.rate_factor("encoder.stem.0.weight") == CONFIG.encoder_rate
    assert task.rate_factor("decoder.0.reduce.0.weight") == 1.0

import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS, LabelSet
from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.evaluation import point_evaluators
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.point_evaluators import evaluate_simulated_points

ROAD, VEHICLE = POINT_LABELS.index("road"), POINT_LABELS.index("vehicle")


class HeightRule:
    """Takes the segmenter's place: low is road, high is vehicle; its own order of classes."""

    label_set = LabelSet(("vehicle", "road"))

    def __init__(self, config):
        self.config = config

    def __call__(self, cloud):
        labels = (cloud.points[:, 2] < 0.5).astype(np.uint8)
        return LabelledCloud(cloud, labels, self.label_set)


@pytest.fixture
def root(tmp_path):
    """Per scan two points of road, one of a vehicle, one low point of a vehicle, one unlabeled."""
    folder = tmp_path / "val"
    folder.mkdir()
    points = np.zeros((5, 4), np.float32)
    points[:, 2] = [0, 0, 1, 0, 1]
    labels = np.array([ROAD, ROAD, VEHICLE, VEHICLE, 255], np.uint8)
    for name, low_is_vehicle in (("a", True), ("b", False)):
        kept = np.array([True, True, True, low_is_vehicle, True])
        np.savez(
            folder / f"{name}.npz",
            points=points[kept],
            labels=labels[kept],
            instance=np.zeros(kept.sum(), np.uint16),
            boxes=np.zeros((0, 7), np.float32),
            box_labels=np.zeros(0, np.uint8),
            box_hits=np.zeros(0, np.int32),
        )
    return tmp_path


@pytest.fixture
def result(root, monkeypatch):
    monkeypatch.setattr(point_evaluators, "LidarSegmenter", HeightRule)
    request = Request("net", "simulated", root)
    return evaluate_simulated_points(request, lambda done, total: None)


def test_metrics_by_hand(result):
    metrics = result.compute(np.ones(2, np.int64))
    # over both scans: road 4 hits, 1 false; vehicle 2 hits, 1 missed
    assert metrics == pytest.approx(
        {
            "miou": 100 * (4 / 5 + 2 / 3) / 2,
            "iou_road": 80.0,
            "iou_vehicle": 200 / 3,
            "accuracy": 100 * 6 / 7,
        }
    )


def test_the_worse_scan_is_drawn_beside_its_truth(result):
    shown = result.illustration
    assert shown.names[int(np.argmax(shown.errors))] == "a"
    picture = shown.picture(0)
    assert picture.shape[1] > picture.shape[0]
    assert picture.dtype == np.uint8

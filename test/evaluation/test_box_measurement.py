import numpy as np
import pytest

from spatial_perception.core.examples import example_point_cloud
from spatial_perception.core.labels import OBJECT_LABELS, LabelSet
from spatial_perception.evaluation import box_measurement
from spatial_perception.evaluation.box_measurement import in_object_labels, measure_boxes
from spatial_perception.evaluation.box_scans import BoxScan, BoxScanSource
from spatial_perception.evaluation.detection3d import EASY
from spatial_perception.evaluation.measurement import Request
from test.evaluation.detector import Answers


def box(x):
    return [x, 0.0, 0.8, 4.0, 1.8, 1.6, 0.0]


def test_detections_of_foreign_classes_are_dropped_and_the_others_renamed():
    found = Answers([box(1), box(2)], [0, 1], [0.5, 0.6], names=LabelSet(("tree", "Truck")))
    kept = in_object_labels(found(example_point_cloud())[0])
    assert kept.labels.tolist() == [OBJECT_LABELS.index("truck")]
    assert kept.centers_m[:, 0].tolist() == [2.0]


@pytest.fixture
def asked(monkeypatch):
    """The configurations that detectors were made with."""
    configs = []

    def detector(config):
        configs.append(config)
        return Answers([box(10)], [0], [0.9])

    monkeypatch.setattr(box_measurement, "LidarDetector", detector)
    return configs


def scan():
    return BoxScan(example_point_cloud(), np.array([box(10)]), np.zeros(1, int), np.array([EASY]))


def test_weak_detections_enter_the_curve(asked, tmp_path):
    sources = [BoxScanSource(name, scan) for name in "ab"]
    progress = []
    result = measure_boxes(
        Request("net", "kitti", tmp_path), "training", sources, lambda *done: progress.append(done)
    )
    assert asked[0].score_threshold <= 0.05
    assert (result.split, result.frames, progress) == ("training", 2, [(1, 2), (2, 2)])
    assert result.compute(np.ones(2, int))["car_bev_ap_0.7"] == 100.0


def test_only_scans_asked_for_are_read(asked, tmp_path):
    def unreadable():
        raise AssertionError("read a scan nobody asked for")

    sources = [BoxScanSource("a", unreadable), BoxScanSource("b", scan)]
    request = Request("net", "kitti", tmp_path, frames=("b",))
    assert measure_boxes(request, "training", sources, lambda *done: None).frames == 1

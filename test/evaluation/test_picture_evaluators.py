from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, LabelSet
from spatial_perception.datasets.boxes import BoxPicture
from spatial_perception.datasets.kitti_object import KittiObjects
from spatial_perception.evaluation import picture_measurement
from spatial_perception.evaluation.detection2d import PictureMetrics
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.picture_evaluators import (
    against_list,
    compared,
    evaluate_kitti_pictures,
)

CALIBRATION = """P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""
COCO_LIKE = LabelSet(("person", "bicycle", "Car", "traffic light", "dog", "bus"))


def found(*boxes, label_set=COCO_LIKE):
    """boxes: (left, top, right, bottom, class, score)."""
    return Detections2D(
        Header(0, "camera"),
        np.array([b[:4] for b in boxes], np.float32).reshape(-1, 4),
        np.array([b[5] for b in boxes], np.float32),
        np.array([label_set.names.index(b[4]) for b in boxes], np.int32),
        label_set,
    )


def objects(*rows):
    """rows: (type, left, top, right, bottom[, occluded])."""
    return KittiObjects(
        tuple(row[0] for row in rows),
        np.zeros(len(rows)),
        np.array([(*row, 0)[5] for row in rows], np.int64),
        np.array([row[1:5] for row in rows], float).reshape(-1, 4),
        np.zeros((len(rows), 7)),
    )


def test_cyclists_are_neutral_for_person_and_bicycle():
    frame = compared(objects(("Cyclist", 0, 0, 30, 60)), found((0, 0, 30, 60, "person", 0.9)))
    names = [CAMERA_OBJECT_LABELS.name(int(label)) for label in frame.truth_labels]
    assert names == ["person", "bicycle", "motorcycle"]
    assert not frame.truth_counts.any()


def test_moderate_difficulty_counts():
    rows = [("Car", 0, 0, 50, 26), ("Car", 0, 0, 50, 25), ("Car", 0, 0, 50, 60, 2)]
    assert compared(objects(*rows), found()).truth_counts.tolist() == [True, False, False]


def test_foreign_classes_are_dropped_and_small_detections_neutral():
    dog, low, high = ((0, 0, 9, 50), (0, 0, 9, 24), (0, 0, 9, 25))
    detections = found((*dog, "dog", 0.9), (*low, "Car", 0.8), (*high, "Car", 0.7))
    frame = compared(objects(), detections)
    assert frame.labels.tolist() == [CAMERA_OBJECT_LABELS.index("car")] * 2
    assert frame.counts.tolist() == [False, True]


def test_dont_care_regions_are_kept():
    frame = compared(objects(("DontCare", 1, 2, 3, 4), ("Misc", 5, 6, 7, 8)), found())
    assert frame.ignore_regions.tolist() == [[1, 2, 3, 4]]
    assert len(frame.truth_boxes) == 0


@pytest.fixture
def root(tmp_path):
    for part in ("velodyne", "calib", "label_2", "image_2"):
        (tmp_path / "training" / part).mkdir(parents=True)
    lines = [
        "Car 0 0 0 100 100 200 160 1.6 1.8 4 0 1.7 20 0",
        "Car 0 0 0 300 100 400 160 1.6 1.8 4 4 1.7 20 0",
        "Pedestrian 0 0 0 500 100 530 180 1.8 .6 .6 8 1.7 20 0",
    ]
    (tmp_path / "training/label_2/000007.txt").write_text("\n".join(lines))
    (tmp_path / "training/calib/000007.txt").write_text(CALIBRATION)
    np.zeros((4, 4), np.float32).tofile(tmp_path / "training/velodyne/000007.bin")
    picture = np.full((200, 600, 3), 30, np.uint8)
    assert cv2.imwrite(str(tmp_path / "training/image_2/000007.png"), picture)
    return tmp_path


def test_a_picture_is_measured_and_drawn(root, monkeypatch):
    class Detector:
        def __init__(self, config):
            assert config.score_threshold <= 0.05  # the curve's tail is measured too

        def __call__(self, image):
            assert image.rgb().shape == (200, 600, 3)
            return found(
                (102, 100, 202, 160, "Car", 0.9),
                (40, 20, 90, 80, "Car", 0.8),
                (500, 100, 530, 180, "person", 0.4),
            )

        def close(self):
            pass

    monkeypatch.setattr(picture_measurement, "CameraDetector", Detector)
    request = Request("net", "kitti", root)
    result = evaluate_kitti_pictures(request, lambda done, total: None)
    metrics = result.compute(np.ones(1, np.int64))
    expected = {"car_ap_0.5": 50.0, "person_ap_0.5": 100.0, "map_0.5": 75.0}
    assert metrics == pytest.approx(expected)
    assert result.illustration.errors.tolist() == [3]  # a car, a false car, a person below 0.5
    assert result.illustration.picture(0).shape == (200, 600, 3)


def test_a_listed_picture_leaves_its_ignored_boxes_out():
    boxes = np.array([[10, 10, 60, 50], [200, 20, 240, 90]], np.float32)
    labels = np.array([CAMERA_OBJECT_LABELS.index(n) for n in ("bus", "person")], np.int32)
    ignored = np.array([[300, 0, 400, 100]], np.float32)
    picture = BoxPicture(Path("a.png"), boxes, labels, ignored)
    answers = found(
        (11, 11, 61, 51, "bus", 0.9),
        (310, 10, 350, 60, "person", 0.8),  # ignored
        (100, 100, 140, 160, "person", 0.7),  # false
        (201, 22, 240, 90, "person", 0.6),
    )
    metrics = PictureMetrics([against_list(picture, answers)], CAMERA_OBJECT_LABELS.names)

    expected = {"bus_ap_0.5": 100.0, "person_ap_0.5": 50.0, "map_0.5": 75.0}
    assert metrics.compute() == pytest.approx(expected)

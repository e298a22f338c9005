import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS, LabelSet
from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation import point_evaluators
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.point_evaluators import (
    evaluate_range_images,
    evaluate_semantic_kitti,
    evaluate_simulated_points,
)

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


def evaluated(evaluate, monkeypatch, root, **options):
    monkeypatch.setattr(point_evaluators, "LidarSegmenter", HeightRule)
    return evaluate(Request("net", "name", root, **options), lambda done, total: None)


def write_sequence(root, sequence, raw_labels):
    """One scan whose points alternate between the ground and 2 m over it."""
    folder = root / "sequences" / sequence
    (folder / "velodyne").mkdir(parents=True)
    (folder / "labels").mkdir()
    points = np.ones((len(raw_labels), 4), np.float32)
    points[:, 2] = np.arange(len(raw_labels)) % 2 * 2.0 - 1.73
    points.tofile(folder / "velodyne" / "000000.bin")
    np.array(raw_labels, np.uint32).tofile(folder / "labels" / "000000.label")


def test_all_labelled_sequences_are_measured_unless_one_is_asked_for(tmp_path, monkeypatch):
    instance = 5 << 16
    write_sequence(tmp_path, "00", [40, 10 + instance])  # road, car
    write_sequence(tmp_path, "08", [10, 0])  # car, unlabeled
    result = evaluated(evaluate_semantic_kitti, monkeypatch, tmp_path)
    assert list(result.illustration.names) == ["00/000000", "08/000000"]
    metrics = result.compute(np.ones(2, np.int64))
    assert metrics["iou_vehicle"] == pytest.approx(50.0)
    one = evaluated(evaluate_semantic_kitti, monkeypatch, tmp_path, split="00")
    assert one.split == "00"
    assert one.compute(np.ones(1, np.int64))["miou"] == 100.0


def test_partly_labelled_scans_are_a_split_of_their_own(tmp_path, monkeypatch):
    (tmp_path / "partial").mkdir()
    xyz = np.array([[5, 0, -1.73], [5, 1, -1.73], [5, 2, 0]], np.float32)
    labels = np.array([9, 255, 1], np.uint8)  # road, unknown, car
    arrays = {"xyz": xyz, "intensity": np.full(3, np.nan), "label": labels}
    np.savez(tmp_path / "partial" / "000003.npz", **arrays)
    result = evaluated(evaluate_semantic_kitti, monkeypatch, tmp_path, split="partial")
    assert list(result.illustration.names) == ["000003"]
    assert result.compute(np.ones(1, np.int64))["accuracy"] == 100.0


def test_a_root_without_sequences_is_told(tmp_path, monkeypatch):
    with pytest.raises(DatasetError, match="sequences: holds no sequences NN/labels"):
        evaluated(evaluate_semantic_kitti, monkeypatch, tmp_path)


@pytest.fixture
def range_images(tmp_path):
    """An image of 1 x 3 of each sensor: a road point, a car point 3 m up, a hole."""
    image = np.zeros((1, 1, 3, 4), np.float32)
    image[0, 0, :2, :3] = [[6, 0, -1.8], [6, 2, 1.2]]
    arrays = {
        "semantic_kitti_xyzi": image,
        "semantic_kitti_label": np.array([[[9, 1, 0]]], np.uint8),
        "nuscenes_xyzi": image,
        "nuscenes_label": np.array([[[0, 3, 10]]], np.uint8),
    }
    np.savez(tmp_path / "images.npz", **arrays)
    return tmp_path


def test_range_images_of_both_sensors_are_measured(range_images, monkeypatch):
    result = evaluated(evaluate_range_images, monkeypatch, range_images)
    assert list(result.illustration.names) == [
        "semantic_kitti/images/000",
        "nuscenes/images/000",
    ]
    metrics = result.compute(np.ones(2, np.int64))
    # two road points found; one vehicle found, the pole of the other sensor called a vehicle
    assert metrics["iou_road"] == 100.0
    assert metrics["iou_vehicle"] == 50.0
    assert metrics["iou_pole"] == 0.0


def test_range_images_of_one_sensor_and_from_the_file_itself(range_images, monkeypatch):
    path = range_images / "images.npz"
    result = evaluated(evaluate_range_images, monkeypatch, path, split="semantic_kitti")
    assert result.frames == 1
    assert result.compute(np.ones(1, np.int64))["miou"] == 100.0


def test_a_folder_without_range_images_is_told(tmp_path, monkeypatch):
    with pytest.raises(DatasetError, match="holds no range images"):
        evaluated(evaluate_range_images, monkeypatch, tmp_path)
    (tmp_path / "x.npz").write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"x.npz: not a readable npz file"):
        evaluated(evaluate_range_images, monkeypatch, tmp_path)

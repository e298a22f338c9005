import numpy as np
import pytest

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.examples import example_point_cloud
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS, LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.evaluation import box_evaluators
from spatial_perception.evaluation.box_evaluators import evaluate_simulated_boxes, in_object_labels
from spatial_perception.evaluation.measurement import Request

CAR, PEDESTRIAN = 0, 2
ROAD, POLE = 0, 5


def write_shard(path, boxes, labels, hits, voxels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 30
    arrays = {
        "points": np.random.default_rng(0).uniform(-20, 20, (count, 4)).astype(np.float32),
        "labels": np.zeros(count, np.uint8),
        "instance": np.zeros(count, np.uint16),
        "boxes": np.array(boxes, np.float32).reshape(-1, 7),
        "box_labels": np.array(labels, np.uint8),
        "box_hits": np.array(hits, np.int32),
    }
    if voxels is not None:
        arrays |= {
            "voxel_labels": voxels,
            "voxel_visible": np.ones(voxels.shape, bool),
            "voxel_origin_m": np.zeros(3),
            "voxel_size_m": np.ones(3),
        }
    np.savez(path, **arrays)


def box(x, size=(4.0, 1.8, 1.6)):
    return [x, 0.0, 0.8, *size, 0.0]


class Answers:
    """Takes the detector's place: the same boxes for every scan, in the order given."""

    def __init__(self, boxes, labels, scores, grid=None, names=OBJECT_LABELS):
        self.boxes, self.labels, self.scores = np.array(boxes, np.float32), labels, scores
        self.grid, self.names = grid, names

    def __call__(self, cloud, with_voxels=True):
        found = Detections3D(
            cloud.header,
            self.boxes[:, :3],
            self.boxes[:, 3:6],
            self.boxes[:, 6],
            np.array(self.scores, np.float32),
            np.array(self.labels, np.int32),
            self.names,
        )
        return found, self.grid(cloud.header) if with_voxels and self.grid else None

    def close(self):
        pass


@pytest.fixture
def measured(monkeypatch, tmp_path):
    def run(answers, **options):
        asked = []

        def detector(config):
            asked.append(config)
            return answers

        monkeypatch.setattr(box_evaluators, "LidarDetector", detector)
        request = Request("net", "simulated", tmp_path, **options)
        result = evaluate_simulated_boxes(request, lambda done, total: None)
        assert asked[0].score_threshold <= 0.05  # the curve's tail is measured too
        return result, result.compute(np.ones(result.frames, np.int64))

    return run


def test_boxes_with_few_hits_are_hard_and_those_without_neutral(measured, tmp_path):
    boxes = [box(10), box(20), box(30)]
    write_shard(tmp_path / "val" / "a.npz", boxes, [CAR] * 3, [5, 4, 0])
    answers = Answers([box(10), box(30)], [CAR, CAR], [0.8, 0.9])
    result, metrics = measured(answers)
    assert (result.split, result.frames) == ("val", 1)
    assert metrics["car_bev_ap_0.7"] == 100.0
    assert metrics["car_bev_ap_0.7_hard"] == 50.0
    assert "car_bev_ap_0.7_easy" not in metrics
    assert "car_bev_ap_0.7_devkit" not in metrics
    assert "iou" not in metrics


def test_classes_meet_by_name(measured, tmp_path):
    write_shard(tmp_path / "val" / "a.npz", [box(10)], [CAR], [50])
    names = LabelSet(("tree", "car"))
    _, metrics = measured(Answers([box(10), box(10)], [1, 0], [0.8, 0.9], names=names))
    assert metrics["car_3d_ap_0.7"] == 100.0


def test_voxels_are_compared_where_both_grids_are(measured, tmp_path):
    truth = np.full((2, 3, 4), 254, np.uint8)
    truth[0, :, :2] = ROAD
    truth[1, 0, 0] = POLE
    write_shard(tmp_path / "val" / "a.npz", [box(10)], [CAR], [50], truth)

    def grid(header):
        """Half the cell size; covers x 0..3 alone; knows the road, not the pole."""
        labels = np.full((4, 6, 6), 255, np.uint8)
        labels[:2, :, :4] = ROAD
        probability = np.zeros(labels.shape, np.float32)
        return VoxelGrid(header, labels, probability, np.zeros(3), np.full(3, 0.5), POINT_LABELS)

    _, metrics = measured(Answers([box(10)], [CAR], [0.9], grid))
    assert metrics["iou"] == pytest.approx(100 * 6 / 7)
    assert metrics["iou_road"] == 100.0
    assert metrics["iou_pole"] == 0.0
    assert metrics["miou"] == 50.0


def test_the_worst_scan_is_named_and_drawn(measured, tmp_path):
    write_shard(tmp_path / "val" / "good.npz", [box(10)], [CAR], [50])
    write_shard(tmp_path / "val" / "worse.npz", [box(10), box(20)], [CAR, PEDESTRIAN], [50, 50])
    result, _ = measured(Answers([box(10)], [CAR], [0.9]))
    shown = result.illustration
    assert dict(zip(shown.names, shown.errors, strict=True)) == {"good": 0.0, "worse": 1.0}
    picture = shown.picture(1)
    assert picture.ndim == 3
    assert picture.dtype == np.uint8
    assert set(shown.curves) == {"car", "pedestrian"}


def test_detections_of_classes_without_truth_labels_are_dropped():
    found = Answers([box(1), box(2)], [0, 1], [0.5, 0.6], names=LabelSet(("tree", "truck")))
    kept = in_object_labels(found(example_point_cloud())[0])
    assert kept.labels.tolist() == [OBJECT_LABELS.index("truck")]
    assert kept.centers_m[:, 0].tolist() == [2.0]

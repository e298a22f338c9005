import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS, LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation import box_measurement
from spatial_perception.evaluation.box_evaluators import (
    evaluate_argoverse2_boxes,
    evaluate_kitti_boxes,
    evaluate_pooled_boxes,
    evaluate_simulated_boxes,
    evaluate_vod_boxes,
)
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.voxel_evaluators import evaluate_semantic_kitti_voxels
from test.evaluation.detector import Answers

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


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Measures answers on whatever lies in tmp_path."""

    def run(answers, evaluate=evaluate_simulated_boxes, root=tmp_path, name="name", **options):
        monkeypatch.setattr(box_measurement, "LidarDetector", lambda config: answers)
        result = evaluate(Request("net", name, root, **options), lambda done, total: None)
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
    truth[1, :, 3] = POLE  # where the model's grid has ended
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


def test_voxels_of_semantic_kitti_are_those_of_its_scans_together(measured, tmp_path):
    folder = tmp_path / "sequences" / "04"
    for name in ("velodyne", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "calib.txt").write_text("Tr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n")
    identity, ahead = "1 0 0 0 0 1 0 0 0 0 1 0", "1 0 0 0 0 1 0 0 0 0 1 4"
    (folder / "poses.txt").write_text(f"{identity}\n{ahead}\n")
    np.array([[1.0, 0.2, -1.6, 0.1]], np.float32).tofile(folder / "velodyne" / "000000.bin")
    np.array([40], np.uint32).tofile(folder / "labels" / "000000.label")
    (tmp_path / "partial").mkdir()
    np.savez(
        tmp_path / "partial" / "000001.npz",
        xyz=np.array([[-2.0, 0.2, -1.6]], np.float32),  # 2 m before the first scan's vehicle
        intensity=np.zeros(1, np.float32),
        label=np.array([9], np.uint8),
    )

    def grid(header):
        """Road ahead of the vehicle, nothing behind it."""
        labels = np.full((5, 20, 20), 255, np.uint8)
        labels[..., 10:] = ROAD
        origin = np.array([-4.0, -4.0, -1.8])
        return VoxelGrid(
            header, labels, np.ones(labels.shape, np.float32), origin, np.full(3, 0.4), POINT_LABELS
        )

    answers = Answers(np.zeros((0, 7)), [], [], grid)
    result, metrics = measured(answers, evaluate_semantic_kitti_voxels)
    assert (result.split, result.illustration.names) == ("all", ["04/000000", "04/000001"])
    # both places lie ahead of the first scan's vehicle, behind the second's
    assert result.compute(np.array([1, 0]))["iou_road"] == 100.0
    assert result.compute(np.array([0, 1]))["iou_road"] == 0.0
    assert set(metrics) == {"iou", "miou", "iou_road"}
    (folder / "poses.txt").write_text(f"{identity}\n")
    with pytest.raises(DatasetError, match="has 1 poses, none of scan 000001"):
        measured(answers, evaluate_semantic_kitti_voxels)
    (tmp_path / "partial" / "000001.npz").rename(tmp_path / "partial" / "second.npz")
    with pytest.raises(DatasetError, match=r"second\.npz: expected the scan's number as its name"):
        measured(answers, evaluate_semantic_kitti_voxels)


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


CALIBRATION = """P0: 700 0 600 0 0 700 180 0 0 0 1 0
P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""


def kitti_line(kind, ahead, left, top, bottom, truncated=0.0, occluded=0):
    """A car-sized object on the ground 1.73 m under the LiDAR, heading ahead."""
    center = 600 - 700 * left / ahead
    box_px = f"{center - 20} {top} {center + 20} {bottom}"
    place = f"1.6 1.8 4.0 {-left} 1.73 {ahead} {-np.pi / 2}"
    return f"{kind} {truncated} {occluded} 0 {box_px} {place}"


def write_kitti(root, lines, name="000000"):
    folders = {part: root / "training" / part for part in ("velodyne", "calib", "label_2")}
    for folder in (*folders.values(), root / "training" / "image_2"):
        folder.mkdir(parents=True, exist_ok=True)
    np.zeros((20, 4), np.float32).tofile(folders["velodyne"] / f"{name}.bin")
    (folders["calib"] / f"{name}.txt").write_text(CALIBRATION)
    (folders["label_2"] / f"{name}.txt").write_text("\n".join(lines) + "\n")
    picture = np.zeros((370, 1200, 3), np.uint8)
    assert cv2.imwrite(str(root / "training" / "image_2" / f"{name}.png"), picture)


def car(x, y=0.0):
    return [x, y, 0.8, 4.0, 1.8, 1.6, 0.0]


def test_kitti_boxes_count_as_the_benchmark_says(measured, tmp_path):
    write_kitti(
        tmp_path,
        [
            kitti_line("Car", 20, 2, 180, 240),
            kitti_line("Car", 15, -3, 180, 240, occluded=1),
            kitti_line("Car", 15, 5, 180, 240, truncated=0.4),
            kitti_line("Van", 25, -6, 180, 220),
            "DontCare -1 -1 -10 560 150 640 230 -1 -1 -1 -1000 -1000 -1000 -10",
        ],
    )
    found = [
        car(20, 2),
        car(25, -6),  # on the van
        car(40, 0),  # in the DontCare region
        car(-20, 0),  # behind the camera
    ]
    answers = Answers(found, [CAR] * 4, [0.5, 0.9, 0.8, 0.95])
    result, metrics = measured(answers, evaluate_kitti_boxes)
    assert (result.split, result.frames) == ("training", 1)
    assert metrics["car_3d_ap_0.7_easy"] == 100.0
    assert metrics["car_3d_ap_0.7"] == pytest.approx(50.0)
    assert metrics["car_3d_ap_0.7_hard"] == pytest.approx(100 * 13 / 40)
    assert metrics["car_heading_accuracy"] == 100.0
    # KITTI's program: one threshold a hit, the DontCare region not honoured in space
    assert metrics["car_3d_ap_0.7_r11_devkit"] == pytest.approx(100 * 0.5 / 11)


def test_what_lies_beyond_fifty_metres_is_no_false_alarm_in_view_of_delft(measured, tmp_path):
    # its labels hold the centre of the box, 1.63 m under the LiDAR less half the height
    line = kitti_line("Car", 20, 2, 180, 240, truncated=1.0).replace(" 1.73 ", " 0.83 ")
    write_kitti(tmp_path, [line])
    answers = Answers([car(20, 2), car(55, 0)], [CAR, CAR], [0.5, 0.9])
    _, metrics = measured(answers, evaluate_vod_boxes)
    assert metrics["car_bev_ap_0.7"] == 100.0
    _, metrics = measured(answers, evaluate_kitti_boxes)
    assert metrics == {}  # in KITTI that object would be truncated altogether


def test_pooled_data_sets_count_together_each_by_its_own_rules(measured, tmp_path):
    kitti, streets = tmp_path / "kitti", tmp_path / "streets"
    write_kitti(kitti, [kitti_line("Car", 20, 2, 180, 240)])
    write_shard(streets / "val" / "street.npz", [car(20, 2)], [CAR], [50])
    answers = Answers([car(20, 2), car(-20, 0)], [CAR, CAR], [0.5, 0.9])
    result, metrics = measured(
        answers, evaluate_pooled_boxes, kitti, pooled=(("simulated", streets),), name="kitti"
    )
    assert result.illustration.names == ["kitti/000000", "simulated/street"]
    # two hits, and one false alarm before them: behind KITTI's camera nobody labelled
    assert metrics["car_bev_ap_0.7"] == pytest.approx(100 * 2 / 3)


def test_pooled_data_sets_have_their_default_splits(measured, tmp_path):
    with pytest.raises(DatasetError, match=r"kitti . simulated has no split 'val'; known: default"):
        measured(
            Answers([], [], []), evaluate_pooled_boxes, name="kitti", split="val",
            pooled=(("simulated", tmp_path),),
        )  # fmt: skip


def test_a_data_set_without_boxes_in_space_cannot_be_pooled(measured, tmp_path):
    write_shard(tmp_path / "val" / "street.npz", [car(20, 2)], [CAR], [50])
    with pytest.raises(DatasetError, match=r"camvid cannot be pooled; those that can: kitti, vod"):
        measured(
            Answers([], [], []), evaluate_pooled_boxes, pooled=(("camvid", tmp_path),),
            name="simulated",
        )  # fmt: skip


def test_a_kitti_frame_without_labels_is_told(measured, tmp_path):
    write_kitti(tmp_path, [])
    (tmp_path / "training" / "label_2" / "000000.txt").unlink()
    with pytest.raises(DatasetError, match=r"label_2/000000.txt: no such file"):
        measured(Answers([car(1)], [CAR], [0.9]), evaluate_kitti_boxes)


def test_argoverse_categories_beside_ours_are_neutral(measured, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import feather

    log = tmp_path / "log"
    (log / "sensors" / "lidar").mkdir(parents=True)
    points = {axis: np.zeros(3, np.float32) for axis in "xyz"}
    points |= {"intensity": np.zeros(3, np.uint8), "laser_number": np.zeros(3, np.uint8)}
    feather.write_feather(pyarrow.table(points), log / "sensors" / "lidar" / "7.feather")
    count = 3
    boxes = {
        "timestamp_ns": np.full(count, 7),
        "category": ["REGULAR_VEHICLE", "REGULAR_VEHICLE", "RAILED_VEHICLE"],
        "tx_m": [10.0, 20.0, 30.0],
        **{name: np.zeros(count) for name in ("ty_m", "qx", "qy", "qz")},
        "tz_m": np.full(count, 0.47),
        "qw": np.ones(count),
        "length_m": np.full(count, 4.0),
        "width_m": np.full(count, 1.8),
        "height_m": np.full(count, 1.6),
        "num_interior_pts": [5, 4, 100],
    }
    feather.write_feather(pyarrow.table(boxes), log / "annotations.feather")
    answers = Answers([car(10), car(30)], [CAR, CAR], [0.5, 0.9])
    result, metrics = measured(answers, evaluate_argoverse2_boxes)
    assert (result.split, result.frames) == ("all", 1)
    assert metrics["car_3d_ap_0.7"] == 100.0
    assert metrics["car_3d_ap_0.7_hard"] == pytest.approx(50.0)
    assert "truck_3d_ap_0.7" not in metrics

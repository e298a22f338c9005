"""LiDAR pipelines: answers of known networks in metres, and models that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core import Header, PointCloud
from spatial_perception.errors import EngineError
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig
from spatial_perception.runtime.recording import record_inputs
from test.pipelines.models import constant_model

SMALL = {"range_x_m": [-4.0, 12.0], "range_y_m": [-8.0, 8.0]}
VOXELS = {**SMALL, "range_z_m": [-0.8, 4.0], "voxel_m": [0.4, 0.4, 0.6]}


def flat_road() -> PointCloud:
    rng = np.random.default_rng(0)
    points = rng.uniform([-30, -30, 0], [30, 30, 0.01], (20_000, 3)).astype(np.float32)
    return PointCloud(Header(3, "base_link"), points)


def detector(
    tmp_path: Path,
    classes: tuple[str, ...] = ("car", "truck"),
    depth: int = 8,
    calibration: dict[str, list[float]] | None = None,
    cell_m: float = 0.4,
) -> str:
    heatmap = np.zeros((1, 2, 40, 40), np.float32)
    heatmap[0, 0, 20, 25] = 0.9  # cell centre x = -4 + 25.5 * 0.4 = 6.2, y = -8 + 20.5 * 0.4 = 0.2
    regression = np.zeros((1, 8, 40, 40), np.float32)
    regression[0, :, 20, 25] = [0.5, -0.5, 0.8, *np.log([4.2, 1.8, 1.5]), np.sin(0.6), np.cos(0.6)]
    heading = np.zeros((1, 2, 40, 40), np.float32)
    heading[0, :, 20, 25] = [np.sin(0.3 + np.pi), np.cos(0.3 + np.pi)]
    return constant_model(
        tmp_path / "lidar",
        (1, 8, depth, 40, 40),
        {"heatmap": heatmap, "regression": regression, "heading": heading},
        classes,
        input_name="voxels",
        decoder="centers",
        preprocessing={"voxels": VOXELS},
        decoder_arguments={
            "centers": {**SMALL, "cell_m": cell_m},
            **({"calibration": calibration} if calibration else {}),
        },
    )


def test_a_peak_becomes_a_box_on_the_ground_that_faces_backwards(tmp_path: Path) -> None:
    found, voxels = LidarDetector(LidarDetectorConfig(model=detector(tmp_path)))(flat_road())
    assert voxels is None, "the model has no occupancy head"
    assert len(found) == 1
    np.testing.assert_allclose(found.centers_m[0], [6.4, 0.0, 0.8], atol=0.03)
    np.testing.assert_allclose(found.sizes_lwh_m[0], [4.2, 1.8, 1.5], rtol=1e-3)
    assert found.yaws_rad[0] == pytest.approx(0.3 - np.pi, abs=1e-3)
    assert found.label_set.name(int(found.labels[0])) == "car"
    assert found.header == Header(3, "base_link")


def test_a_scan_without_points_gives_the_networks_answer_not_an_error(tmp_path: Path) -> None:
    empty = PointCloud(Header(3, "base_link"), np.zeros((0, 3), np.float32))
    found, _ = LidarDetector(LidarDetectorConfig(model=detector(tmp_path)))(empty)
    assert len(found) == 1


def test_classes_and_voxels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    model = detector(tmp_path, classes=("car",))
    with pytest.raises(EngineError, match="output 'heatmap'.*axis 1 must be 1"):
        LidarDetector(LidarDetectorConfig(model=model))
    (tmp_path / "other").mkdir()
    model = detector(tmp_path / "other", depth=6)
    with pytest.raises(EngineError, match=r"input is \(1, 8, 6, 40, 40\), its voxels are"):
        LidarDetector(LidarDetectorConfig(model=model))


def test_a_grid_of_boxes_that_is_not_the_networks_is_refused(tmp_path: Path) -> None:
    model = detector(tmp_path, cell_m=0.2)
    with pytest.raises(EngineError, match="axis 2 must be 80 as .* cells in the decoder's grid"):
        LidarDetector(LidarDetectorConfig(model=model))


def test_the_models_calibration_makes_probabilities_of_scores(tmp_path: Path) -> None:
    model = detector(tmp_path, calibration={"scales": [2.0, 1.0], "offsets": [-1.0, 0.0]})
    found, _ = LidarDetector(LidarDetectorConfig(model=model))(flat_road())
    odds = 81.0 * np.exp(-1.0)  # of a score of 0.9
    assert found.scores[0] == pytest.approx(odds / (1 + odds), abs=1e-5)


def test_a_calibration_of_other_classes_is_refused(tmp_path: Path) -> None:
    model = detector(tmp_path, calibration={"scales": [2.0], "offsets": [-1.0]})
    with pytest.raises(EngineError, match="1 classes are calibrated of 2"):
        LidarDetector(LidarDetectorConfig(model=model))


def test_a_box_on_the_vehicle_itself_is_none(tmp_path: Path) -> None:
    model = detector(tmp_path)
    for ahead_m, count in ((3.7, 1), (3.9, 0), (5.0, 0)):  # the box is at 6.4 m
        config = LidarDetectorConfig(model=model, ego=EgoBox(ahead_m=ahead_m))
        assert len(LidarDetector(config)(flat_road())[0]) == count
    nothing = LidarDetectorConfig(model=model, ego=EgoBox(0.0, ahead_m=6.4))
    assert len(LidarDetector(nothing)(flat_road())[0]) == 1


def test_returns_from_the_vehicle_itself_are_not_seen(tmp_path: Path) -> None:
    road = flat_road()
    roof = np.random.default_rng(1).uniform([-2, -0.9, 1.4], [2, 0.9, 1.5], (500, 3))
    with_roof = PointCloud(road.header, np.concatenate([road.points, roof.astype(np.float32)]))
    clear = PointCloud(road.header, road.points[~EgoBox(4.8, 2.0).holds(road.points)])
    network = LidarDetector(LidarDetectorConfig(model=detector(tmp_path)))
    with record_inputs(limit=2) as recorded:
        network(with_roof)
        network(clear)
    ((with_roof_voxels, clear_voxels),) = recorded.values()
    np.testing.assert_array_equal(with_roof_voxels["voxels"], clear_voxels["voxels"])
    assert clear_voxels["voxels"].any()


def test_the_vehicles_rectangle_has_its_middle_ahead() -> None:
    points = np.array([[3.3, 0, 9], [3.5, 0, 0], [-1.3, 0, 0], [-1.5, 0, 0], [1, 1.1, 0]])
    assert EgoBox(4.8, 2.0, 1.0).holds(points).tolist() == [True, False, True, False, False]

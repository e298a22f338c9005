"""Fusion: classes and scores from both sensors, ranges for what cameras see."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import (
    CAMERA_OBJECT_LABELS,
    OBJECT_LABELS,
    Detections2D,
    Detections3D,
    Header,
    PinholeCamera,
    Pose,
)
from spatial_perception.pipelines.camera_lidar_fusion import (
    CameraLidarFusion,
    CameraLidarFusionConfig,
)
from spatial_perception.pipelines.camera_view import (
    CameraView,
    box_depths,
    directions,
    project_objects,
)
from spatial_perception.pipelines.class_evidence import ClassEvidence

OPTICAL_FROM_BASE = Pose(
    np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.array([0.0, 1.5, 0.0])
)
FOCAL_PX = 500.0
NO_POINTS = np.zeros((0, 3), np.float32)


def camera() -> PinholeCamera:
    matrix = np.array([[FOCAL_PX, 0.0, 320.0], [0.0, FOCAL_PX, 240.0], [0.0, 0.0, 1.0]])
    return PinholeCamera(Header(5, "camera"), 640, 480, matrix)


def boxes(*entries: tuple[str, float, tuple[float, float, float, float]]) -> Detections2D:
    return Detections2D(
        Header(5, "camera"),
        np.array([box for _, _, box in entries], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in entries], np.float32),
        np.array([CAMERA_OBJECT_LABELS.index(name) for name, _, _ in entries], np.int32),
        CAMERA_OBJECT_LABELS,
    )


def objects(
    *entries: tuple[str, float, tuple[float, float, float], tuple[float, float, float]],
) -> Detections3D:
    return Detections3D(
        Header(5, "base_link"),
        np.array([center for _, _, center, _ in entries], np.float32).reshape(-1, 3),
        np.array([size for _, _, _, size in entries], np.float32).reshape(-1, 3),
        np.zeros(len(entries), np.float32),
        np.array([score for _, score, _, _ in entries], np.float32),
        np.array([OBJECT_LABELS.index(name) for name, _, _, _ in entries], np.int32),
        OBJECT_LABELS,
    )


def view(found: Detections2D, pose: Pose = OPTICAL_FROM_BASE) -> CameraView:
    return CameraView("front", camera(), found, pose)


CAR = ("car", 0.6, (20.0, 0.0, 0.8), (4.0, 1.8, 1.6))
PERSON = ("pedestrian", 0.5, (10.0, 2.0, 0.9), (0.7, 0.6, 1.8))


def picture_box(entry) -> tuple[float, float, float, float]:
    """The box around the eight corners, projected by hand: u = f y / x, v = f (1.5 - z) / x."""
    _, _, (x, y, z), (length, width, height) = entry
    us, vs = [], []
    for dx in (-length / 2, length / 2):
        for dy in (-width / 2, width / 2):
            for dz in (-height / 2, height / 2):
                us.append(320 - FOCAL_PX * (y + dy) / (x + dx))
                vs.append(240 + FOCAL_PX * (1.5 - z - dz) / (x + dx))
    return min(us), min(vs), max(us), max(vs)


def fuse(lidar: Detections3D, *views: CameraView, points=NO_POINTS, **options):
    return CameraLidarFusion(CameraLidarFusionConfig(**options))(lidar, views, points)


def test_objects_are_projected_as_by_hand() -> None:
    found = project_objects(view(boxes()), objects(CAR), 0.5)
    assert np.allclose(found.boxes_xyxy_px[0], picture_box(CAR), atol=1e-3)
    assert found.is_seen[0]


def test_what_lies_behind_or_beside_the_camera_is_not_seen() -> None:
    behind = ("car", 0.6, (-20.0, 0.0, 0.8), (4.0, 1.8, 1.6))
    beside = ("car", 0.6, (5.0, 20.0, 0.8), (4.0, 1.8, 1.6))
    assert not project_objects(view(boxes()), objects(behind, beside), 0.5).is_seen.any()


def test_a_found_object_gains_and_a_missed_one_loses() -> None:
    lidar = objects(CAR, PERSON)
    fused, _ = fuse(lidar, view(boxes(("car", 0.8, picture_box(CAR)))))
    assert fused.scores[0] > lidar.scores[0] + 0.2
    assert fused.scores[1] < lidar.scores[1]


def test_a_person_whom_the_camera_misses_is_doubted_more_than_a_car() -> None:
    lidar = objects(*((kind, 0.6, place, size) for kind, _, place, size in (CAR, PERSON)))
    car, person = fuse(lidar, view(boxes()))[0].scores
    assert person < car < 0.6
    equal = {"missed_log_odds": -1.0, "missed_person_log_odds": -1.0}
    car, person = fuse(lidar, view(boxes()), **equal)[0].scores
    assert person == pytest.approx(car) == pytest.approx(1 / (1 + np.e * 0.4 / 0.6))


def test_a_camera_is_expected_to_find_what_the_lidar_is_sure_of() -> None:
    sure = [(kind, 0.95, place, size) for kind, _, place, size in (CAR, PERSON)]
    found = view(boxes(("car", 0.8, picture_box(CAR))))
    unsure = (CAR[0], 0.6, (20.0, 4.0, 0.8), CAR[3])
    _, (result,) = fuse(objects(*sure, unsure), found)
    assert (result.expected, result.found) == (2, 1)


def test_a_truck_for_the_camera_is_a_truck_where_the_lidar_doubts() -> None:
    doubtful = ("car", 0.2, (20.0, 0.0, 1.3), (6.5, 2.3, 2.6))
    fused, _ = fuse(objects(doubtful), view(boxes(("truck", 0.9, picture_box(doubtful)))))
    assert fused.labels.tolist() == [OBJECT_LABELS.index("truck")]
    sure = ("car", 0.95, *CAR[2:])
    fused, _ = fuse(objects(sure), view(boxes(("truck", 0.3, picture_box(sure)))))
    assert fused.labels.tolist() == [OBJECT_LABELS.index("car")]


def test_a_person_with_a_bicycle_is_a_cyclist() -> None:
    rider = ("pedestrian", 0.35, (10.0, 2.0, 0.9), (1.4, 0.65, 1.75))
    around = picture_box(rider)
    found = boxes(("person", 0.8, around), ("bicycle", 0.4, around))
    fused, _ = fuse(objects(rider), view(found))
    assert fused.labels.tolist() == [OBJECT_LABELS.index("cyclist")]


@pytest.mark.parametrize(("name", "length_m"), [("cyclist", 1.3), ("pedestrian", 0.7)])
@pytest.mark.parametrize("score", [0.15, 0.35, 0.8])
def test_a_person_of_the_camera_does_not_tell_riders_from_walkers(
    name: str, length_m: float, score: float
) -> None:
    between = (name, score, (10.0, 2.0, 0.9), (length_m, 0.65, 1.72))
    fused, _ = fuse(objects(between), view(boxes(("person", 0.95, picture_box(between)))))
    assert fused.labels.tolist() == [OBJECT_LABELS.index(name)]
    assert fused.scores[0] > score, "but there is somebody"


def test_a_pedestrian_nearly_as_long_as_a_bicycle_is_a_cyclist() -> None:
    for length_m, expected in ((0.6, "pedestrian"), (1.5, "cyclist")):
        rider = ("pedestrian", 0.6, (10.0, 2.0, 0.9), (length_m, 0.65, 1.72))
        fused, _ = fuse(objects(rider), view(boxes(("person", 0.8, picture_box(rider)))))
        assert fused.labels.tolist() == [OBJECT_LABELS.index(expected)]


def test_the_wheels_below_a_person_count_though_they_overlap_it_little() -> None:
    rider = ("pedestrian", 0.6, (10.0, 2.0, 0.9), (1.0, 0.65, 1.72))
    left, top, right, bottom = picture_box(rider)
    person = ("person", 0.8, (left, top, right, bottom))
    middle = (left + right) / 2
    wheels = (middle - (bottom - top) / 2, bottom - 0.6 * (bottom - top), middle + 5, bottom)
    before = (left, top, right, top + 0.4 * (bottom - top))  # does not stand on the ground
    kinds = [
        fuse(objects(rider), view(boxes(person, ("bicycle", score, box))))[0].labels[0]
        for score, box in ((0.6, wheels), (0.2, wheels), (0.6, before))
    ]
    assert [OBJECT_LABELS.name(int(kind)) for kind in kinds] == [
        "cyclist",
        "pedestrian",
        "pedestrian",
    ]


def test_a_two_wheeler_that_stands_elsewhere_makes_no_cyclist() -> None:
    walker = ("pedestrian", 0.4, (10.0, 2.0, 0.9), (0.75, 0.65, 1.72))
    away = picture_box(("cyclist", 1.0, (10.0, -2.0, 0.9), (1.75, 0.65, 1.7)))
    found = boxes(("person", 0.8, picture_box(walker)), ("bicycle", 0.8, away))
    fused, _ = fuse(objects(walker), view(found))
    assert fused.labels.tolist() == [OBJECT_LABELS.index("pedestrian")]


def test_bayes_rule_is_that_of_a_hand_calculation() -> None:
    evidence = ClassEvidence(OBJECT_LABELS, CAMERA_OBJECT_LABELS, 0.9)
    prior = np.array([[0.4, 0.4, 0.1, 0.1]])
    camera_says = np.array([CAMERA_OBJECT_LABELS.index("truck")])
    found = evidence.posterior(prior, camera_says, np.array([1.0]))
    rest = 0.02 / 8
    car, truck = 0.4 * (0.06 + rest), 0.4 * (0.40 + rest)
    total = car + truck + 2 * 0.1 * rest
    assert np.allclose(found[0, :2], [car / total, truck / total])


def test_a_car_in_a_picture_makes_no_car_of_who_stands_before_it() -> None:
    around = picture_box(PERSON)
    fused, _ = fuse(objects(PERSON), view(boxes(("car", 0.9, around))))
    assert fused.labels.tolist() == [OBJECT_LABELS.index("pedestrian")]


def test_camera_objects_get_the_lidars_range() -> None:
    _, (result,) = fuse(objects(CAR), view(boxes(("car", 0.8, picture_box(CAR)))))
    expected = np.hypot(20.0, 1.5 - 0.8)
    assert result.objects.ranges_m[0] == pytest.approx(expected, abs=1e-3)
    assert np.allclose(result.objects.positions_m[0], CAR[2])


def test_a_sign_without_points_has_a_bearing_and_no_range() -> None:
    sign = ("traffic_sign", 0.9, (60.0, 100.0, 80.0, 120.0))
    fused, (result,) = fuse(objects(), view(boxes(sign)))
    seen = result.objects
    assert len(fused) == 0
    assert np.isnan(seen.ranges_m[0])
    assert np.isnan(seen.positions_m[0]).all()
    assert seen.azimuths_rad[0] == pytest.approx(np.arctan2(250, FOCAL_PX), abs=1e-5)
    assert seen.elevations_rad[0] == pytest.approx(
        np.arctan2(130, np.hypot(FOCAL_PX, 250)), abs=1e-5
    )


def test_a_person_of_the_camera_with_points_becomes_an_object() -> None:
    rng = np.random.default_rng(0)
    person = np.array([10.0, 2.0, 0.9]) + rng.uniform(-0.2, 0.2, (30, 3)) * [1, 1, 3]
    wall = np.array([25.0, 5.0, 1.5]) + rng.uniform(-1, 1, (80, 3)) * [0.1, 3, 1.5]
    points = np.concatenate([person, wall]).astype(np.float32)
    around = ("person", 0.8, picture_box(PERSON))
    fused, (result,) = fuse(objects(), view(boxes(around)), points=points)
    assert fused.label_set.name(int(fused.labels[0])) == "pedestrian"
    assert np.allclose(fused.centers_m[0], [10.0, 2.0, 0.9], atol=0.3)
    assert result.objects.ranges_m[0] == pytest.approx(10.2, abs=0.3)


def test_points_that_do_not_fit_a_persons_size_give_no_range() -> None:
    wall = np.stack(np.meshgrid([25.0], np.linspace(0, 8, 40), np.linspace(0, 3, 20)), -1)
    around = boxes(("person", 0.8, picture_box(PERSON)))
    which, heights = np.array([True]), np.array([1.7])
    points = wall.reshape(-1, 3).astype(np.float32)
    assert np.isnan(box_depths(view(around), points, which, heights)).all()


def test_directions_point_at_the_middle_of_the_boxes() -> None:
    center = (320.0, 240.0)
    ways = directions(view(boxes(("car", 0.5, (center[0] - 5, 235.0, center[0] + 5, 245.0)))))
    assert np.allclose(ways[0], [1.0, 0.0, 0.0], atol=1e-9)


def test_directions_know_the_lens() -> None:
    seen = view(boxes(("car", 0.5, (620.0, 235.0, 630.0, 245.0))))
    bent = dataclasses.replace(seen.camera, distortion_model="equidistant")
    offset = (625.0 - bent.matrix[0, 2]) / bent.matrix[0, 0]
    (way,) = directions(dataclasses.replace(seen, camera=bent))
    assert np.arctan2(-way[1], way[0]) == pytest.approx(offset, abs=1e-4)


def test_a_distrusted_camera_changes_no_object_but_is_still_placed() -> None:
    lidar = objects(CAR)
    fusion = CameraLidarFusion(CameraLidarFusionConfig())
    seen = view(boxes(("truck", 0.9, picture_box(CAR))))
    fused, (result,) = fusion(lidar, [seen], NO_POINTS, frozenset({"front"}))
    assert fused is lidar
    assert len(result.objects) == 1


def test_without_cameras_objects_stay_as_they_are() -> None:
    lidar = objects(CAR)
    fused, results = fuse(lidar)
    assert fused is lidar
    assert results == []


def test_an_empty_scene_is_fine() -> None:
    fused, (result,) = fuse(objects(), view(boxes()))
    assert (len(fused), len(result.objects)) == (0, 0)
    assert dataclasses.asdict(CameraLidarFusionConfig())["min_iou"] == 0.25


@pytest.mark.parametrize("field", ["centers_m", "sizes_lwh_m", "yaws_rad", "scores", "labels"])
def test_objects_that_are_none_are_left_out(field: str) -> None:
    """As detectors of others give them: no numbers, or no class."""
    lidar = objects(CAR, CAR)
    values = getattr(lidar, field).copy()
    values[1] = 255 if field == "labels" else np.nan
    fused, _ = fuse(dataclasses.replace(lidar, **{field: values}), view(boxes()))
    assert len(fused) == 1


@pytest.mark.parametrize("field", ["boxes_xyxy_px", "scores", "labels"])
def test_boxes_that_are_none_are_left_out(field: str) -> None:
    found = boxes(("car", 0.9, picture_box(CAR)), ("car", 0.9, picture_box(CAR)))
    values = getattr(found, field).copy()
    values[1] = 255 if field == "labels" else np.nan
    fused, (result,) = fuse(objects(CAR), view(dataclasses.replace(found, **{field: values})))
    assert len(result.objects) == 1
    assert fused.scores[0] > CAR[1]

import numpy as np
import pytest

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, OBJECT_LABELS
from spatial_perception.core.pose import Pose
from spatial_perception.evaluation.detection3d import EASY, HARD, MODERATE, NEVER
from spatial_perception.evaluation.kitti_rules import (
    PICTURES,
    SPACE,
    CameraJudge,
    detection_levels,
    object_levels,
)

OPTICAL_FROM_BASE = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])
PROJECTION = np.array([[700.0, 0, 600, 0], [0, 700.0, 180, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize(
    ("height_px", "occlusion", "truncation", "level"),
    [
        (41, 0, 0.15, EASY),
        (40, 0, 0.0, MODERATE),  # has to exceed 40 pixels
        (41, 1, 0.0, MODERATE),
        (41, 0, 0.16, MODERATE),
        (26, 2, 0.0, HARD),
        (26, 0, 0.31, HARD),
        (25, 0, 0.0, NEVER),
        (90, 3, 0.0, NEVER),
        (90, 0, 0.51, NEVER),
    ],
)
def test_difficulty_is_that_of_kittis_table(height_px, occlusion, truncation, level):
    boxes = np.array([[0.0, 100, 10, 100 + height_px]])
    assert object_levels(boxes, np.array([occlusion]), np.array([truncation])) == [level]


def test_truncation_that_was_not_annotated_does_not_count():
    boxes = np.array([[0.0, 0, 10, 90]])
    assert object_levels(boxes, np.array([0]), None) == [EASY]


def test_detections_count_from_the_minimum_height_on():
    assert detection_levels(np.array([40, 39.9, 25, 24.9])).tolist() == [
        EASY,
        MODERATE,
        MODERATE,
        NEVER,
    ]


def rows(rules, names, label_set=OBJECT_LABELS):
    index, label, level = rules.rows(names, np.full(len(names), EASY), label_set)
    table = np.stack([index, label, level], axis=1).tolist()
    return [(i, label_set.name(n), v) for i, n, v in table]


def test_neighbouring_classes_are_neutral_and_others_absent():
    names = ["Car", "Van", "Person_sitting", "Misc", "Tram", "DontCare"]
    assert rows(SPACE, names) == [
        (0, "car", EASY),
        (1, "car", NEVER),
        (2, "pedestrian", NEVER),
        (4, "truck", EASY),
    ]


def test_riders_and_parked_two_wheelers_of_view_of_delft_are_neutral():
    assert rows(SPACE, ["rider", "bicycle", "Cyclist"]) == [
        (0, "cyclist", NEVER),
        (0, "pedestrian", NEVER),
        (1, "cyclist", NEVER),
        (2, "cyclist", EASY),
    ]


def test_a_cyclist_is_neutral_in_pictures_for_person_and_bicycle():
    found = rows(PICTURES, ["Cyclist"], CAMERA_OBJECT_LABELS)
    assert [name for _, name, _ in found] == ["person", "bicycle", "motorcycle"]


def judged(*centers, dont_care=(), max_range_m=np.inf):
    """Cars at the centres (base_link), seen from 1.7 m above the origin, looking ahead."""
    count = len(centers)
    found = Detections3D(
        Header(0, "base_link"),
        np.array(centers, np.float32).reshape(-1, 3),
        np.tile(np.array([4.0, 1.8, 1.6], np.float32), (count, 1)),
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
        np.zeros(count, np.int32),
        OBJECT_LABELS,
    )
    camera_from_base = Pose(OPTICAL_FROM_BASE, OPTICAL_FROM_BASE @ np.array([0, 0, -1.7]))
    regions = np.array(dont_care, float).reshape(-1, 4)
    judge = CameraJudge(camera_from_base, PROJECTION, (1200, 370), regions, max_range_m)
    return judge(found)


def test_what_the_camera_did_not_see_is_outside():
    judgement = judged((20, 0, 0.8), (-20, 0, 0.8), (10, 15, 0.8), (10, 8, 0.8))
    assert judgement.outside.tolist() == [False, True, True, False]
    assert (judgement.levels == EASY).all()  # unseen is excused, not neutral


def test_beyond_the_labelled_range_is_outside():
    assert judged((40, 0, 0.8), (60, 0, 0.8), max_range_m=50).outside.tolist() == [False, True]


def test_distant_detections_are_too_small_to_count():
    # 1.6 m at the near face: 700 * 1.6 / (x - 2) pixels
    judgement = judged((25, 0, 0.8), (35, 0, 0.8), (60, 0, 0.8))
    assert judgement.levels.tolist() == [EASY, MODERATE, NEVER]


def test_a_detection_in_a_dont_care_region_is_told():
    judgement = judged((30, 0, 0.8), (30, 9, 0.8), dont_care=[(500, 150, 700, 250)])
    assert judgement.dont_care.tolist() == [True, False]


def test_no_detections_are_judged_too():
    judgement = judged()
    assert [len(judgement.levels), len(judgement.outside), len(judgement.dont_care)] == [0, 0, 0]

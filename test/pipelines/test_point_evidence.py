"""The classes of a scan's points raise and lower the scores of the boxes around them."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import (
    POINT_LABELS,
    Header,
    LabelledCloud,
    LabelSet,
    PointCloud,
)
from spatial_perception.core.boxes import points_in_boxes
from spatial_perception.core.labels import UNLABELED
from spatial_perception.pipelines.point_evidence import WITNESSES, PointEvidence, points_by_class
from test.pipelines.test_camera_lidar_fusion import objects

PERSON = ("pedestrian", 0.4, (12.0, -3.0, 0.9), (0.8, 0.6, 1.8))
CAR = ("car", 0.4, (-8.0, 2.0, 0.8), (4.0, 1.8, 1.5))


def labelled(*groups: tuple[str, tuple[float, float, float], int]) -> LabelledCloud:
    """Points of a class in a small ball around a place, so many of each."""
    rng = np.random.default_rng(0)
    places = [np.array(place) + rng.uniform(-0.1, 0.1, (n, 3)) for _, place, n in groups]
    labels = [np.full(n, POINT_LABELS.index(name), np.uint8) for name, _, n in groups]
    points = np.concatenate([np.zeros((0, 3)), *places]).astype(np.float32)
    cloud = PointCloud(Header(5, "base_link"), points)
    return LabelledCloud(cloud, np.concatenate([np.zeros(0, np.uint8), *labels]), POINT_LABELS)


@pytest.mark.parametrize("entry", [PERSON, CAR, ("cyclist", *PERSON[1:]), ("truck", *CAR[1:])])
def test_points_of_its_class_raise_a_score_and_others_lower_it(entry) -> None:
    witness = WITNESSES[entry[0]]
    evidence = PointEvidence(1.0)
    for_it = evidence(objects(entry), labelled((witness.point_classes[0], entry[2], 20)))
    against = evidence(objects(entry), labelled(("vegetation", entry[2], 20)))
    assert against.scores[0] < 0.4 < for_it.scores[0]
    odds = [np.log(s.scores[0] / (1 - s.scores[0])) for s in (for_it, against)]
    assert odds[0] - odds[1] == pytest.approx(witness.weight, abs=1e-3)


def test_ground_and_what_has_no_class_say_nothing() -> None:
    alone = labelled(("person", PERSON[2], 10), ("pole", PERSON[2], 10))
    more = labelled(("person", PERSON[2], 10), ("pole", PERSON[2], 10), ("road", PERSON[2], 50))
    unlabeled = dataclasses.replace(
        more, labels=np.where(more.labels == 0, np.uint8(UNLABELED), more.labels)
    )
    expected = PointEvidence(1.0)(objects(PERSON), alone).scores
    assert PointEvidence(1.0)(objects(PERSON), more).scores == expected
    assert PointEvidence(1.0)(objects(PERSON), unlabeled).scores == expected


def test_weight_zero_and_unknown_classes_leave_scores_as_they_are() -> None:
    cloud = labelled(("vegetation", PERSON[2], 20))
    assert PointEvidence(0.0)(objects(PERSON), cloud).scores == np.float32(0.4)
    robots = dataclasses.replace(objects(PERSON), label_set=LabelSet(("a", "b", "robot", "c")))
    assert PointEvidence(1.0)(robots, cloud).scores == np.float32(0.4)
    shades = dataclasses.replace(cloud, label_set=LabelSet(tuple(f"shade {k}" for k in range(9))))
    assert PointEvidence(1.0)(objects(PERSON), shades).scores == np.float32(0.4)


def test_no_objects_and_no_points() -> None:
    assert len(PointEvidence(1.0)(objects(), labelled(("person", (1, 1, 1), 5)))) == 0
    lone = PointEvidence(1.0)(objects(PERSON), labelled())
    assert lone.scores[0] < 0.4, "a box without a point on anything is doubtful"


def test_counts_are_those_of_every_point_against_every_box() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform((-60, -60, -1), (60, 60, 4), (40_000, 3)).astype(np.float32)
    labels = rng.integers(0, 10, len(points)).astype(np.uint8)
    labels[labels == 9] = UNLABELED
    cloud = LabelledCloud(PointCloud(Header(5, "base_link"), points), labels, POINT_LABELS)
    entries = [
        ("truck", 0.5, tuple(rng.uniform((-70, -70, 0), (70, 70, 2))), tuple(rng.uniform(2, 12, 3)))
        for _ in range(60)
    ]
    found = objects(*entries)
    found = dataclasses.replace(found, yaws_rad=rng.uniform(-4, 4, 60).astype(np.float32))
    counts = points_by_class(found, cloud)
    grown = found.boxes().astype(np.float64) + np.array([0, 0, 0, 0.4, 0.4, 0.2, 0])
    inside = points_in_boxes(points, grown)
    expected = [[(inside[:, m] & (labels == k)).sum() for k in range(9)] for m in range(60)]
    expected = np.array(expected)
    expected[:, [POINT_LABELS.index(name) for name in ("road", "sidewalk", "terrain")]] = 0
    assert (counts == expected).all()
    assert counts.sum() > 1000


@pytest.mark.parametrize(
    ("center", "size"),
    [
        ((3.0e9, 12.0, 0.9), PERSON[3]),
        ((12.0, -3.0, 0.9), (1.0e9, 1.0e9, 2.0)),
        ((np.nan, 12.0, 0.9), PERSON[3]),
    ],
)
def test_odd_boxes_of_other_detectors_leave_the_others_what_they_are_worth(center, size) -> None:
    cloud = labelled(("person", PERSON[2], 20))
    expected = PointEvidence(1.0)(objects(PERSON), cloud).scores[0]
    odd = ("car", 0.5, center, size)
    assert PointEvidence(1.0)(objects(PERSON, odd), cloud).scores[0] == expected


def test_a_box_without_a_class_has_no_evidence() -> None:
    cloud = labelled(("person", PERSON[2], 20))
    found = dataclasses.replace(objects(PERSON, CAR), labels=np.array([2, -1], np.int32))
    assert PointEvidence(1.0)(found, cloud).scores[0] > PERSON[1]
    found = dataclasses.replace(found, labels=np.array([2, 9], np.int32))
    assert PointEvidence(1.0)(found, cloud).scores[0] > PERSON[1]


def test_points_at_the_end_of_the_world_are_in_no_box() -> None:
    cloud = labelled(("person", PERSON[2], 20))
    places = cloud.cloud.points.copy()
    places[::2] = (1e20, -1e20, 1e20)
    far = dataclasses.replace(cloud, cloud=PointCloud(cloud.header, places))
    assert points_by_class(objects(PERSON), far).sum() == 10

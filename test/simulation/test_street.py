import numpy as np
import pytest

from spatial_perception.core.boxes import iou_bev
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.simulation.materials import POINT_CLASS
from spatial_perception.simulation.street import (
    EGO,
    Street,
    build_street,
    ego_snapshot,
    snapshot,
    vehicle_pose,
)


@pytest.fixture(scope="module")
def street() -> Street:
    return build_street(np.random.default_rng(21))


def test_equal_seeds_build_equal_streets() -> None:
    first, second = (build_street(np.random.default_rng(3)) for _ in range(2))

    assert len(first.actors) == len(second.actors)
    np.testing.assert_array_equal(first.scenery.vertices, second.scenery.vertices)
    np.testing.assert_array_equal(first.actors[-1].mesh.vertices, second.actors[-1].mesh.vertices)


def test_boxes_do_not_overlap(street: Street) -> None:
    boxes = snapshot(street, street.actors).boxes
    overlap = iou_bev(boxes[:, [0, 1, 3, 4, 6]], boxes[:, [0, 1, 3, 4, 6]])

    assert (overlap - np.eye(len(boxes))).max() < 0.15


def test_nobody_stands_where_the_ego_vehicle_is(street: Street) -> None:
    boxes = snapshot(street, street.actors).boxes
    ego = vehicle_pose(street.ground, 0.0, street.ego_d_m)
    reach = np.hypot(boxes[:, 0] - ego.translation[0], boxes[:, 1] - ego.translation[1])

    assert reach.min() > 1.0


def test_instances_count_the_actors_in_order(street: Street) -> None:
    seen = snapshot(street, street.actors)

    assert seen.instances.max() == len(street.actors)
    for k in (0, len(street.actors) - 1):
        faces = seen.mesh.faces[seen.instances == k + 1]
        center = seen.mesh.vertices[np.unique(faces)].mean(0)
        assert np.linalg.norm(center[:2] - seen.boxes[k, :2]) < 2.0
        assert seen.labels[k] == OBJECT_LABELS.index(street.actors[k].kind)


def test_vehicle_stands_upright_to_the_ground(street: Street) -> None:
    pose = vehicle_pose(street.ground, 5.0, street.ego_d_m, 0.3)

    np.testing.assert_allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(pose.rotation) == pytest.approx(1)
    assert pose.rotation[2, 2] > 0.97
    assert np.cos(pose.yaw_rad - street.ground.heading(5.0) - 0.3) == pytest.approx(1, abs=1e-3)


def test_roof_of_the_ego_vehicle_is_below_its_sensor(street: Street) -> None:
    pose = vehicle_pose(street.ground, 0.0, street.ego_d_m)
    ego = ego_snapshot(pose, np.random.default_rng(0), 1.73)
    local = pose.inverse().apply(ego.mesh.vertices)

    assert local[:, 2].max() < 1.6
    assert (ego.instances == EGO).all()


def test_many_streets_hold_every_class() -> None:
    found = np.zeros(256, np.int64)
    for seed in range(6):
        built = build_street(np.random.default_rng(seed))
        mesh = snapshot(built, built.actors).mesh
        found += np.bincount(POINT_CLASS[mesh.surfaces], minlength=256)

    assert (found[: len(POINT_LABELS)] > 0).all()

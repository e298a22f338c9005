import numpy as np

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import TRANSMISSION, Surface
from spatial_perception.simulation.street import EGO, Snapshot
from spatial_perception.simulation.surroundings import Surroundings

from .scenes import block, plain, snapshot_of, surroundings_of

AHEAD = np.tile(np.float32([[1, 0, 0]]), (4000, 1))
EYE = np.array([0.0, 0.0, 1.0])


def pane(x: float) -> meshes.Mesh:
    return meshes.quads(
        [[(x, -2, 0), (x, 2, 0), (x, 2, 2), (x, -2, 2)]], Surface.CAR_GLASS, (10, 10, 10)
    )


def test_glass_lets_its_share_of_rays_pass() -> None:
    around = surroundings_of(plain(), pane(4.0), block((8.5, 0, 1), (1, 4, 2)))
    seen = around.look(EYE, AHEAD, np.random.default_rng(0))

    passed = (seen.instances == 2).mean()
    assert abs(passed - TRANSMISSION[Surface.CAR_GLASS]) < 0.03
    assert np.allclose(seen.distance_m[seen.instances == 1], 4.0)
    assert np.allclose(seen.distance_m[seen.instances == 2], 8.0)


def test_camera_sees_glass_as_a_solid() -> None:
    parts = snapshot_of(plain(), pane(4.0), block((8.5, 0, 1), (1, 4, 2)))
    seen = Surroundings([parts], see_through=False).look(EYE, AHEAD[:5], None)

    assert (seen.instances == 1).all()


def test_normals_are_unit_and_face_the_sensor() -> None:
    seen = surroundings_of(plain(), block((5, 0, 1), (1, 4, 2))).look(EYE, AHEAD[:1], None)

    np.testing.assert_allclose(seen.normals[0], [-1, 0, 0], atol=1e-6)


def test_instances_of_later_parts_follow_those_of_earlier_ones() -> None:
    near = snapshot_of(meshes.EMPTY, block((5, 0, 1), (1, 1, 2)))
    far = snapshot_of(meshes.EMPTY, block((9, 3, 1), (1, 1, 2)))
    ego = Snapshot(
        block((0, -3, 1), (1, 1, 2)), np.full(12, EGO), np.zeros((0, 7)), np.zeros(0, np.uint8)
    )
    around = Surroundings([near]).joined(Surroundings([far, ego], first_instance=1))
    rays = np.array([[5, 0, 0], [9, 3, 0], [0, -3, 0]], np.float32)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)

    assert around.look(EYE, rays, None).instances.tolist() == [1, 2, EGO]

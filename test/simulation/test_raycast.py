import numpy as np
import pytest

from spatial_perception.errors import ConfigError
from spatial_perception.simulation import meshes, raycast
from spatial_perception.simulation.raycast import Backend, make_ray_caster
from spatial_perception.simulation.street import build_street

BACKENDS: tuple[Backend, ...] = ("open3d", "torch")


def directions(count: int, seed: int = 0) -> np.ndarray:
    d = np.random.default_rng(seed).normal(size=(count, 3))
    return (d / np.linalg.norm(d, axis=1, keepdims=True)).astype(np.float32)


def needs(backend: Backend) -> None:
    if backend == "open3d":
        pytest.importorskip("open3d", exc_type=ImportError)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_from_inside_a_box_end_at_its_walls(backend: Backend) -> None:
    needs(backend)
    box = meshes.boxes([[0, 0, 0]], [[4, 6, 2]], 0, (1, 2, 3))
    rays = directions(4000)
    hits = make_ray_caster(box.vertices, box.faces, backend).cast(np.zeros(3), rays)

    wall = (np.array([2, 3, 1]) / np.abs(rays)).min(1)
    np.testing.assert_allclose(hits.distance_m, wall, rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_that_miss_have_no_face(backend: Backend) -> None:
    needs(backend)
    box = meshes.boxes([[0, 0, 10]], [[2, 2, 2]], 0, (1, 2, 3))
    caster = make_ray_caster(box.vertices, box.faces, backend)
    hits = caster.cast(np.zeros(3), np.array([[0, 0, 1], [0, 0, -1], [1, 0, 0]], np.float32))

    assert hits.distance_m[0] == pytest.approx(9)
    assert np.isinf(hits.distance_m[1:]).all()
    assert hits.face[1:].tolist() == [-1, -1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_nearer_of_two_faces_is_hit(backend: Backend) -> None:
    needs(backend)
    far_and_near = meshes.boxes([[9, 0, 0], [5, 0, 0]], [[1, 1, 1]] * 2, 0, (1, 2, 3))
    caster = make_ray_caster(far_and_near.vertices, far_and_near.faces, backend)
    hit = caster.cast(np.zeros(3), np.array([[1, 0.01, 0.02]], np.float32))

    assert hit.distance_m[0] == pytest.approx(4.5, abs=0.01)
    assert hit.face[0] >= 12


def test_open3d_and_torch_see_the_same_street() -> None:
    needs("open3d")
    street = build_street(np.random.default_rng(2), -20, 25)
    mesh = street.scenery
    embree = make_ray_caster(mesh.vertices, mesh.faces, "open3d")
    plain = make_ray_caster(mesh.vertices, mesh.faces, "torch")
    eye = np.array([0.0, street.ego_d_m, 1.8])
    far = np.array([900.0, 500.0, 1100.0])
    aim = np.random.default_rng(1).uniform([-15, -15, 0], [20, 15, 3], (3000, 3)) - far
    cones = (
        (eye, directions(6000)),
        (eye, directions(6000) * np.float32([0.2, 0.05, 0.05]) + np.float32([1, 0, -0.1])),
        (far, (aim / np.linalg.norm(aim, axis=1, keepdims=True)).astype(np.float32)),
    )
    for origin, rays in cones:
        a, b = embree.cast(origin, rays), plain.cast(origin, rays)
        both = (a.face >= 0) & (b.face >= 0)
        assert both.any()
        assert ((a.face >= 0) != (b.face >= 0)).mean() < 1e-3
        gap = np.abs(a.distance_m[both] - b.distance_m[both])
        assert (gap > 0.01).mean() < 2e-3


def test_empty_mesh_is_never_hit() -> None:
    caster = make_ray_caster(np.zeros((0, 3)), np.zeros((0, 3), np.int32))

    assert np.isinf(caster.cast(np.zeros(3), directions(5)).distance_m).all()


def test_torch_steps_in_where_open3d_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(raycast, "Open3dRayCaster", missing)
    box = meshes.boxes([[0, 0, 0]], [[2, 2, 2]], 0, (1, 2, 3))
    caster = make_ray_caster(box.vertices, box.faces)

    assert caster.cast(np.zeros(3), directions(3)).distance_m.max() < 1.8
    with pytest.raises(ConfigError, match="libGL"):
        make_ray_caster(box.vertices, box.faces, "open3d")

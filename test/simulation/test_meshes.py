import numpy as np
import pytest

from spatial_perception.simulation import meshes
from spatial_perception.simulation.meshes import Mesh


def area_m2(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


def volume_m3(mesh: Mesh) -> float:
    """By the divergence theorem; only a closed mesh whose faces turn one way has one."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def test_box_has_the_area_and_volume_of_its_size() -> None:
    box = meshes.boxes([[3, -2, 1]], [[2, 3, 4]], 0, (1, 2, 3))

    assert area_m2(box) == pytest.approx(2 * (2 * 3 + 3 * 4 + 2 * 4))
    assert volume_m3(box) == pytest.approx(2 * 3 * 4, rel=1e-5)


def test_capped_tube_approaches_the_volume_of_a_cylinder() -> None:
    tube = meshes.tubes([[1, 2, 3]], [[1, 2, 8]], 0.5, 0, (1, 2, 3), segments=64, capped=True)

    assert abs(volume_m3(tube)) == pytest.approx(np.pi * 0.25 * 5, rel=0.01)


def test_tapered_tube_has_its_radii_at_its_ends() -> None:
    tube = meshes.tubes([[0, 0, 0]], [[0, 0, 2]], [[0.4, 0.1]], 0, (1, 2, 3))
    reach = np.hypot(tube.vertices[:, 0], tube.vertices[:, 1])

    np.testing.assert_allclose(reach[tube.vertices[:, 2] < 1], 0.4, atol=1e-6)
    np.testing.assert_allclose(reach[tube.vertices[:, 2] > 1], 0.1, atol=1e-6)


def test_ellipsoid_touches_its_half_axes() -> None:
    mesh = meshes.ellipsoids([[1, 1, 1]], [[0.3, 0.6, 0.9]], 0, (1, 2, 3))

    np.testing.assert_allclose(mesh.vertices[:, 2].max(), 1.9, atol=1e-6)
    assert ((((mesh.vertices - 1) / [0.3, 0.6, 0.9]) ** 2).sum(1) < 1 + 1e-5).all()


def test_placed_turns_about_z_before_it_moves() -> None:
    point = meshes.quads([[(1, 0, 2)] * 4], 0, (1, 2, 3)).placed((10, 20, 30), np.pi / 2)

    np.testing.assert_allclose(point.vertices[0], [10, 21, 32], atol=1e-5)


def test_merge_keeps_each_face_on_its_own_vertices() -> None:
    first = meshes.boxes([[0, 0, 0]], [[1, 1, 1]], 1, (10, 0, 0))
    second = meshes.boxes([[5, 0, 0]], [[1, 1, 1]], 2, (20, 0, 0))
    both = meshes.merge([first, second])

    np.testing.assert_array_equal(both.vertices[both.faces[12:]], second.vertices[second.faces])
    assert both.surfaces.tolist() == [1] * 12 + [2] * 12


def test_parts_spread_surfaces_and_colors_over_their_faces() -> None:
    two = meshes.boxes(np.zeros((2, 3)), np.ones((2, 3)), [3, 4], [[1, 1, 1], [2, 2, 2]])

    assert two.surfaces.tolist() == [3] * 12 + [4] * 12
    assert two.colors[:, 0].tolist() == [1] * 12 + [2] * 12


def test_merge_of_nothing_is_empty() -> None:
    assert len(meshes.merge([]).faces) == 0

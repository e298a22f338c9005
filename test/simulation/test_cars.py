import numpy as np
import pytest

from spatial_perception.simulation.cars import BODY_TYPES, BodyType, car
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh


def vertices_of(mesh: Mesh, *surfaces: Surface) -> np.ndarray:
    faces = mesh.faces[np.isin(mesh.surfaces, surfaces)]
    return mesh.vertices[np.unique(faces)]


@pytest.mark.parametrize("body", BODY_TYPES, ids=lambda b: b.name)
def test_box_encloses_the_body_without_its_mirrors(body: BodyType) -> None:
    mesh, size = car(np.random.default_rng(5), body)
    shell = vertices_of(mesh, Surface.CAR_GLASS, Surface.TAIL_LAMP, Surface.HEADLIGHT)
    v = mesh.vertices

    assert np.ptp(v[:, 0]) == pytest.approx(size[0], abs=0.06)
    assert (np.abs(shell[:, 1]) < size[1] / 2 + 0.02).all()
    assert v[:, 2].min() == pytest.approx(0, abs=0.02)
    assert v[:, 2].max() == pytest.approx(size[2], abs=0.07)
    assert size[1] + 0.1 < np.ptp(v[:, 1]) < size[1] + 0.5


@pytest.mark.parametrize("body", BODY_TYPES, ids=lambda b: b.name)
def test_cabin_tapers_towards_the_roof(body: BodyType) -> None:
    mesh, _ = car(np.random.default_rng(6), body)
    glass = vertices_of(mesh, Surface.CAR_GLASS)
    high = glass[glass[:, 2] > np.quantile(glass[:, 2], 0.8)]
    low = glass[glass[:, 2] < np.quantile(glass[:, 2], 0.2)]

    assert np.abs(high[:, 1]).max() < np.abs(low[:, 1]).max() - 0.03


def test_bonnet_of_a_sedan_is_low_and_in_front() -> None:
    sedan = next(b for b in BODY_TYPES if b.name == "sedan")
    mesh, size = car(np.random.default_rng(7), sedan)
    front = mesh.vertices[mesh.vertices[:, 0] > 0.40 * size[0]]

    assert front[:, 2].max() < 0.75 * size[2]


def test_sizes_vary_as_on_the_street() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([car(rng)[1] for _ in range(400)])

    assert 4.0 < sizes[:, 0].mean() < 4.2
    assert 0.35 < sizes[:, 0].std() < 0.5
    assert 1.65 < sizes[:, 1].mean() < 1.8
    assert 1.5 < sizes[:, 2].mean() < 1.6


def test_no_two_cars_of_one_type_are_alike() -> None:
    rng = np.random.default_rng(1)
    first, second = (car(rng, BODY_TYPES[0])[0] for _ in range(2))

    assert np.abs(first.vertices - second.vertices).max() > 0.02

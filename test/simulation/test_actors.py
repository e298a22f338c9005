import numpy as np
import pytest

from spatial_perception.simulation import people, trucks, two_wheelers
from spatial_perception.simulation.actors import Actor, make_actor
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.layout import sample_plan
from spatial_perception.simulation.materials import POINT_CLASS


@pytest.fixture(scope="module")
def ground() -> Ground:
    rng = np.random.default_rng(4)
    return Ground(sample_plan(rng, -60, 60), rng)


@pytest.mark.parametrize("seed", range(8))
def test_people_stand_on_the_ground_in_a_box_of_human_size(seed: int) -> None:
    mesh, size = people.person(np.random.default_rng(seed))

    room = size - np.ptp(mesh.vertices, axis=0)
    np.testing.assert_allclose(room, [0.08, 0.0, 0.0], atol=1e-4)
    assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)
    assert 0.95 < size[2] < 2.15
    assert 0.2 < size[0] < 1.5


def test_legs_of_a_walker_swing() -> None:
    poses = [
        people.person(np.random.default_rng(2), stride=0.8, phase_rad=p)[0].vertices
        for p in (0.0, np.pi / 2)
    ]

    assert np.ptp(poses[1][:, 0]) > np.ptp(poses[0][:, 0]) + 0.15


@pytest.mark.parametrize("seed", range(12))
def test_trucks_fill_their_box(seed: int) -> None:
    mesh, size, _ = trucks.truck(np.random.default_rng(seed))
    extent = np.ptp(mesh.vertices, axis=0)

    assert extent[0] == pytest.approx(size[0], abs=0.12)
    assert extent[2] == pytest.approx(size[2], abs=0.12)
    assert 5.4 < size[0] < 16.1
    assert size[1] < extent[1] + 0.01


def test_cyclist_is_one_two_wheeler_with_its_rider() -> None:
    mesh, size, _ = two_wheelers.cyclist(np.random.default_rng(3), motor=False)

    assert len(np.unique(POINT_CLASS[mesh.surfaces])) == 1
    assert 1.5 < size[0] < 2.0
    assert 1.5 < size[2] < 2.1


def test_box_stands_on_the_ground_where_the_actor_is(ground: Ground) -> None:
    actor = make_actor("car", 12.0, -3.0, np.pi, 0.0, 9)
    mesh, box = actor.placed(ground)
    height = ground.height(np.array([12.0]), np.array([-3.0]))[0]

    assert box[2] - box[5] / 2 == pytest.approx(height)
    assert np.cos(box[6] - ground.heading(12.0)) == pytest.approx(-1)
    np.testing.assert_allclose(mesh.vertices[:, :2].mean(0), box[:2], atol=0.5)


def test_moving_actor_advances_along_its_heading(ground: Ground) -> None:
    there = make_actor("cyclist", 0.0, 2.0, np.pi, 5.0, 9)

    assert there.station(2.0) == pytest.approx((-10.0, 2.0))
    assert not np.allclose(shape(there, ground, 0.0), shape(there, ground, 0.4))


def shape(actor: Actor, ground: Ground, time_s: float) -> np.ndarray:
    """Vertices relative to the box, in the actor's own axes."""
    mesh, box = actor.placed(ground, time_s)
    return mesh.placed(-box[:3]).placed(yaw_rad=-box[6]).vertices

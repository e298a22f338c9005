import numpy as np
import pytest

from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.layout import StreetPlan, sample_plan
from spatial_perception.simulation.materials import POINT_CLASS, Surface


@pytest.fixture(scope="module")
def ground() -> Ground:
    rng = np.random.default_rng(11)
    return Ground(sample_plan(rng, -60, 60), rng)


def away_from_junctions(plan: StreetPlan) -> np.ndarray:
    s = np.linspace(-50, 50, 201)
    return s[~plan.in_junction(s, 8.0)]


def test_kerb_rises_by_its_height(ground: Ground) -> None:
    plan = ground.plan
    s = away_from_junctions(plan)
    edge = np.full(len(s), plan.road_half_m(-1))
    step = ground.height(s, -edge - 0.01) - ground.height(s, -edge + 0.01)

    np.testing.assert_allclose(step, plan.kerb_m, atol=0.01)


def test_surface_is_road_within_the_kerbs_and_pavement_beside(ground: Ground) -> None:
    plan = ground.plan
    s = away_from_junctions(plan)
    road = plan.road_half_m(1)

    assert (ground.surface(s, np.zeros(len(s))) == Surface.ASPHALT).all()
    assert (ground.surface(s, np.full(len(s), road + 0.3)) == Surface.PAVING).all()


def test_side_street_is_road_far_from_the_middle() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        plan = sample_plan(rng, -60, 60)
        if plan.junctions:
            at = np.array([plan.junctions[0].at_m])
            assert Ground(plan, rng).is_road(at, np.array([35.0]))[0]
            return
    pytest.fail("no plan with a junction in 20 seeds")


def test_ground_is_gentle_enough_to_drive_on(ground: Ground) -> None:
    s = away_from_junctions(ground.plan)
    rise = np.diff(ground.height(s, np.zeros(len(s)))) / np.diff(s)

    assert np.abs(rise).max() < 0.15


def test_drape_puts_points_at_their_height_over_the_ground(ground: Ground) -> None:
    mesh = ground.mesh()
    rng = np.random.default_rng(0)
    s, d = rng.uniform(-40, 40, 50), rng.uniform(-30, 30, 50)
    x, y = ground.xy(s, d)
    for k in range(50):
        near = np.hypot(mesh.vertices[:, 0] - x[k], mesh.vertices[:, 1] - y[k]).argsort()[:4]
        z = ground.height(s[k : k + 1], d[k : k + 1])[0]
        assert abs(mesh.vertices[near, 2].mean() - z) < 0.5


def test_street_coordinates_keep_lengths_across(ground: Ground) -> None:
    s = np.full(2, 7.0)
    x, y = ground.xy(s, np.array([0.0, 5.0]))

    assert np.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(5.0)


def test_mesh_holds_every_class_of_ground(ground: Ground) -> None:
    classes = np.unique(POINT_CLASS[ground.mesh().surfaces])

    assert {0, 1} <= set(classes.tolist())


def test_station_undoes_xy_beside_a_curved_street(ground: Ground) -> None:
    for s, d in [(0.0, 0.0), (-31.3, 4.2), (17.25, -6.0), (44.9, 11.0)]:
        x, y = ground.xy(np.array([s]), np.array([d]))
        assert ground.station(float(x[0]), float(y[0])) == pytest.approx((s, d), abs=1e-3)

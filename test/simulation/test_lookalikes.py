import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.simulation import lookalikes
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.layout import sample_plan
from spatial_perception.simulation.materials import POINT_CLASS
from spatial_perception.simulation.street import build_street

BUILDS = (
    "litter_bin",
    "delineator",
    "mast",
    "low_board",
    "cabinet",
    "guarded_sapling",
    "slim_bush",
)


@pytest.mark.parametrize("build", BUILDS)
def test_each_stands_at_the_origin_no_wider_than_people(build: str) -> None:
    for seed in range(6):
        mesh = getattr(lookalikes, build)(np.random.default_rng(seed))
        low, high = mesh.vertices.min(0), mesh.vertices.max(0)

        assert np.hypot(*mesh.vertices[:, :2].mean(0)) < 0.5
        assert -0.3 < low[2] < 0.3
        assert 0.4 < high[2] < 6.1
        assert (high - low)[:2].max() < 2.0


@pytest.mark.parametrize("build", BUILDS)
def test_none_is_a_person(build: str) -> None:
    mesh = getattr(lookalikes, build)(np.random.default_rng(1))

    assert POINT_LABELS.index("person") not in POINT_CLASS[mesh.surfaces]


def test_equal_draws_strew_them_alike() -> None:
    rng = np.random.default_rng(4)
    ground = Ground(sample_plan(rng, -60, 60), rng)
    one = lookalikes.lookalikes(ground, np.random.default_rng(2))
    other = lookalikes.lookalikes(ground, np.random.default_rng(2))

    np.testing.assert_array_equal(one.vertices, other.vertices)
    assert len(one.faces) > 100


def test_scenes_of_training_have_more_of_them_than_drives() -> None:
    standing = build_street(np.random.default_rng(5))
    flowing = build_street(np.random.default_rng(5), flowing=True)

    assert len(standing.scenery.faces) > len(flowing.scenery.faces)

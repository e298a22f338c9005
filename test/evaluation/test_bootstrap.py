import numpy as np
import pytest

from spatial_perception.evaluation.bootstrap import interval_90


def mean_of(values):
    return lambda weights: {"mean": float(weights @ values / weights.sum())}


def test_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).normal(50.0, 10.0, 400)
    rng = np.random.default_rng(1)
    low, high = interval_90(mean_of(values), 400, rng, samples=2000)["mean"]
    half = 1.645 * values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.1)
    assert high == pytest.approx(values.mean() + half, abs=0.1)


def test_equal_frames_leave_no_uncertainty():
    rng = np.random.default_rng(0)
    assert interval_90(mean_of(np.full(5, 7.0)), 5, rng) == {"mean": (7.0, 7.0)}


def test_the_same_seed_gives_the_same_interval():
    values = np.arange(10.0)
    first, second = (interval_90(mean_of(values), 10, np.random.default_rng(4)) for _ in "ab")
    assert first == second


def test_a_metric_that_some_draws_lack_takes_the_draws_that_have_it():
    def only_with_the_first(weights):
        return {"rare": 3.0} if weights[0] else {}

    rng = np.random.default_rng(0)
    assert interval_90(only_with_the_first, 4, rng) == {"rare": (3.0, 3.0)}


def test_no_frames_give_no_interval():
    assert interval_90(mean_of(np.zeros(0)), 0, np.random.default_rng(0)) == {}

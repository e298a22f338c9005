import numpy as np
import pytest

from spatial_perception.training.schedule import rate_factor


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_the_rate_rises_to_its_peak_and_falls(schedule):
    progress = np.linspace(0, 1, 101)
    factors = np.array([rate_factor(p, schedule, 0.2) for p in progress])
    assert factors.argmax() == 20
    assert factors.max() == pytest.approx(1.0)
    assert (np.diff(factors[:21]) > 0).all()
    assert (np.diff(factors[20:]) < 0).all()
    assert factors[-1] <= 1e-3


def test_values_by_hand():
    assert rate_factor(0.1, "cosine", 0.2) == pytest.approx(0.5)
    assert rate_factor(0.6, "cosine", 0.2) == pytest.approx(0.5)
    assert rate_factor(0.0, "one_cycle", 0.2) == pytest.approx(0.04)
    assert rate_factor(0.0, "cosine", 0.0) == pytest.approx(1.0)


def test_beyond_the_end_the_rate_stays():
    assert rate_factor(1.7, "one_cycle", 0.1) == rate_factor(1.0, "one_cycle", 0.1)

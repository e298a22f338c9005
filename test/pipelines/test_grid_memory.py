"""The memory's arithmetic against the same, cell by cell, in plain Python."""

import math

import numpy as np
import pytest

from spatial_perception.errors import ConfigError
from spatial_perception.pipelines.grid_memory import (
    FORGOTTEN_LOG_ODDS,
    EvidenceConfig,
    GridMemory,
)

CELLS = 12
WEIGHTS = EvidenceConfig()


def memory(seed: int) -> GridMemory:
    """A memory with standing, arrived, free and unknown cells."""
    made, rng = GridMemory(CELLS, 0.2, WEIGHTS), np.random.default_rng(seed)
    made.move_to(0.0, 0.0)
    made.log_odds[:] = rng.uniform(-2.5, 2.5, (CELLS, CELLS)) * (rng.random((CELLS, CELLS)) < 0.8)
    made._arrived[:] = (made.log_odds > 0) & (rng.random((CELLS, CELLS)) < 0.5)
    return made


def test_percent_is_the_probability_and_minus_one_where_there_is_no_evidence() -> None:
    made = memory(0)
    made.log_odds[0, :3] = [0.0, -0.05, 0.05]
    half_level = WEIGHTS.limit_log_odds / 254
    for value, percent in zip(made.log_odds.ravel(), made.percent(0).ravel(), strict=True):
        if -WEIGHTS.free_log_odds + half_level < value <= 0:
            assert percent == -1
        elif not -WEIGHTS.free_log_odds - half_level < value < half_level:
            assert abs(percent - 100 / (1 + math.exp(-value))) <= 0.5 + 25 * half_level
    np.testing.assert_array_equal(made.percent(2), made.percent(0)[2:-2, 2:-2])


def test_cells_without_evidence_are_unknown_however_little_makes_a_cell_free() -> None:
    made = GridMemory(CELLS, 0.2, EvidenceConfig(free_log_odds=0.0))
    assert np.all(made.percent(0) == -1)
    made.log_odds[0, 0] = -0.2
    assert made.percent(0)[0, 0] == 45


def test_fading_follows_the_lifetime_of_each_kind() -> None:
    made = memory(1)
    before, arrived = made.log_odds.copy(), made._arrived.copy()
    made.fade(0.3)
    limit = WEIGHTS.limit_log_odds
    firm = math.log(limit / FORGOTTEN_LOG_ODDS)
    least_free = max(WEIGHTS.free_log_odds, FORGOTTEN_LOG_ODDS)
    for old, came, new in zip(before.ravel(), arrived.ravel(), made.log_odds.ravel(), strict=True):
        rate = firm / (WEIGHTS.arrived_lifetime_s if came else WEIGHTS.lifetime_s)
        if old < 0:
            rate = math.log(limit / least_free) / WEIGHTS.lifetime_s
        expected = old * math.exp(-0.3 * rate)
        if abs(expected) < FORGOTTEN_LOG_ODDS - 1e-6:
            assert new == 0
        elif abs(expected) > FORGOTTEN_LOG_ODDS + 1e-6:
            assert abs(new - expected) < 1e-5


def test_hiding_forgets_what_was_free_and_nothing_else() -> None:
    made = memory(2)
    before = made.log_odds.copy()
    hidden = np.zeros((CELLS, CELLS), bool)
    hidden[:, :6] = True
    made.hide(hidden)
    expected = np.where(hidden & (before < 0), 0, before)
    np.testing.assert_array_equal(made.log_odds, expected)


def test_an_update_is_that_of_each_cell() -> None:
    rng = np.random.default_rng(3)
    made = memory(3)
    before, arrived = made.log_odds.copy(), made._arrived.copy()
    hit = np.sort(rng.choice(CELLS**2, 6, replace=False))
    weight = rng.uniform(1.5, 4.5, 6).astype(np.float32)
    missed = rng.random((CELLS, CELLS)) < 0.7
    missed.ravel()[hit] = False
    came = hit[made.update(hit, weight, missed)]
    added = dict(zip(hit.tolist(), weight.tolist(), strict=True))
    limit = WEIGHTS.limit_log_odds
    for index, old in enumerate(before.ravel().tolist()):
        row, column = divmod(index, CELLS)
        has_arrived = arrived[row, column] or index in came
        close = any(max(abs(h // CELLS - row), abs(h % CELLS - column)) <= 2 for h in hit)
        expected = old
        if index in added:
            expected = max(old, 0.0) + added[index]
        elif missed[row, column] and old > 0 and not has_arrived:
            expected += 0.0 if close else WEIGHTS.clear_log_odds
        elif missed[row, column]:
            expected += WEIGHTS.miss_log_odds
        expected = min(max(expected, -limit), limit)
        assert abs(made.log_odds[row, column] - expected) < 1e-5
        assert made._arrived[row, column] == (has_arrived and expected > 0)


def test_what_stands_is_not_cleared_by_a_look_that_hits_close_by() -> None:
    made = GridMemory(CELLS, 0.2, WEIGHTS)
    made.move_to(0.0, 0.0)
    bush = np.array([5 * CELLS + 5, 5 * CELLS + 9])
    made.update(bush, np.full(2, 1.5, np.float32), np.zeros((CELLS, CELLS), bool))
    missed = np.ones((CELLS, CELLS), bool)
    missed[5, 6] = False
    for _ in range(4):
        made.update(np.array([5 * CELLS + 6]), np.full(1, 1.5, np.float32), missed)
    assert made.log_odds[5, 5] == 1.5
    assert made.log_odds[5, 9] < 0


def test_more_cells_than_memory_holds_are_refused() -> None:
    with pytest.raises(ConfigError, match="50500 x 50500 cells.*raise resolution_m"):
        GridMemory(50_500, 0.02, WEIGHTS)

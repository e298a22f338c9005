"""A vehicle that drives by the published grid gets on and touches nothing that is there."""

import os
from itertools import islice

import numpy as np
import pytest

from spatial_perception.core import Header, OccupancyGrid, Pose
from spatial_perception.simulation.drive import DriveConfig
from test import steering
from test.closed_loop import Outcome, met, steer
from test.planner import ROOM_M, blocked, costs, plan
from test.steering import AHEAD_M, RESERVE_M, Driver

SEEDS = [int(seed) for seed in os.environ.get("SPATIAL_PERCEPTION_STEERED_SEEDS", "").split()]
"""Of long drives, e.g. "9200 9201"; `python -m test.closed_loop` reports on them."""
LANE_M = np.stack([np.arange(-5.0, 60.0, 0.5), np.zeros(130)], axis=1)
PEDESTRIAN_M = 0.6


def street(*obstacles: tuple[float, float]) -> OccupancyGrid:
    """A grid around the origin, free but for things as wide as people at (x, y)."""
    cells = np.zeros((500, 500), np.int8)
    half = round(PEDESTRIAN_M / 2 / 0.2)
    for x, y in obstacles:
        row, column = int((y + 50.0) / 0.2), int((x + 50.0) / 0.2)
        cells[row - half : row + half, column - half : column + half] = 100
    return OccupancyGrid(Header(0, "odom"), cells, 0.2, Pose.from_yaw(0.0, np.array([-50, -50, 0])))


def test_the_way_around_an_obstacle_keeps_clear_of_it() -> None:
    grid = street((10.0, 0.0))
    is_blocked = blocked(grid, np.zeros(2))
    cost = costs(is_blocked, np.ones_like(is_blocked), 0.2)
    way = np.array(plan(cost, (250, 250), (250, 350)))

    assert tuple(way[-1]) == (250, 350)
    gaps_m = (
        np.hypot(*(way[:, None] - np.argwhere(is_blocked)).transpose(2, 0, 1)).min(axis=1) * 0.2
    )
    assert 1.1 <= gaps_m.min() <= ROOM_M


def test_a_way_that_does_not_exist_ends_where_it_is_nearest_to_the_goal() -> None:
    cost = np.ones((9, 30))
    cost[:, 20] = np.inf

    assert plan(cost, (4, 2), (4, 28))[-1] == (4, 19)


def test_the_vehicle_stops_for_what_stands_in_its_lane() -> None:
    grid, pose, speed_mps = street((25.0, 0.0)), np.zeros(3), 10.0
    driver = Driver(LANE_M, 0.5, speed_mps, 0.2)
    speeds = []
    for _ in range(35):
        command = driver(grid, pose, speed_mps)
        speed_mps = command.speed_mps
        pose = pose + [0.2 * speed_mps, 0.0, 0.0]
        speeds.append(speed_mps)

    assert speeds[0] > 9.0
    assert speeds[-1] < 0.1
    gap_m = 25.0 - PEDESTRIAN_M / 2 - (pose[0] + 2.2)
    assert gap_m == pytest.approx(RESERVE_M, abs=0.5)


def test_what_is_unknown_ahead_is_not_driven_on() -> None:
    grid = street()
    grid.cells[:, 300:] = -1  # from 10 m on

    free_m = Driver(LANE_M, 0.5, 10.0, 0.1)(grid, np.zeros(3), 10.0).free_m

    assert 7.0 < free_m < 8.0
    assert Driver(LANE_M, 0.5, 10.0, 0.1)(street(), np.zeros(3), 10.0).free_m > 0.95 * AHEAD_M


class Truth:
    """One place that is taken, by what stands or by what moves."""

    def __init__(self, place_m: tuple[float, float], moves: bool) -> None:
        self._place_m, self._moves = np.array(place_m), moves

    def touched(self, places_m: np.ndarray, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        is_taken = np.hypot(*(places_m - self._place_m).T) < 0.2
        return is_taken & (not self._moves), is_taken & self._moves


@pytest.mark.parametrize(
    ("place_m", "moves", "speed_mps", "touches", "is_run_into"),
    [
        ((2.1, 0.8), False, 5.0, True, False),
        ((-2.1, 0.8), False, 5.0, True, False),
        ((2.1, 0.8), True, 5.0, True, False),
        ((-2.1, 0.8), True, 5.0, False, True),
        ((2.1, 0.8), True, 0.0, False, True),
        ((2.6, 0.0), False, 5.0, False, False),
        ((0.0, 1.3), True, 5.0, False, False),
    ],
)
def test_a_touch_is_the_vehicles_own_but_from_behind_or_while_it_stands(
    place_m: tuple[float, float], moves: bool, speed_mps: float, touches: bool, is_run_into: bool
) -> None:
    pose = np.array([10.0, -3.0, 0.5])
    cos, sin = np.cos(pose[2]), np.sin(pose[2])
    x, y = place_m
    place = (pose[0] + cos * x - sin * y, pose[1] + sin * x + cos * y)

    assert met(Truth(place, moves), 0.0, pose, speed_mps) == (touches, is_run_into)


def steered(seed: int, seconds: float, scans: int | None = None) -> Outcome:
    config = DriveConfig(seconds=seconds, seed=seed, with_camera=False)
    return Outcome.of(list(islice(steer(config), scans)))


def test_a_steered_drive_gets_on_and_touches_nothing() -> None:
    outcome = steered(9102, 3.0, scans=15)

    assert outcome.touches == 0
    assert outcome.made_m > 0.8 * outcome.recorded_m


def test_the_vehicle_waits_for_what_it_would_touch_blindly(monkeypatch: pytest.MonkeyPatch) -> None:
    assert steered(9101, 2.5, scans=12).touches == 0

    monkeypatch.setattr(steering, "blocked", lambda grid, ego_m: np.zeros(grid.cells.shape, bool))
    assert steered(9101, 2.5, scans=12).touches == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_long_steered_drives_touch_nothing(seed: int) -> None:
    outcome = steered(seed, 10.0)

    assert outcome.touches == 0
    assert outcome.made_m > 0.5 * outcome.recorded_m

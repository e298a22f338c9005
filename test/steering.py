"""A vehicle that follows a way: a kinematic bicycle, pure pursuit, a speed that can still stop."""

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core import OccupancyGrid
from test.planner import blocked, cells_of, costs, distance_m, places_of, plan

LENGTH_M, WIDTH_M, REAR_M, WHEELBASE_M = 4.4, 1.8, 1.35, 2.7
"""Of the vehicle; base_link is in its middle, the rear axle `REAR_M` behind it."""
MARGIN_M = 0.15
"""Around the vehicle must be free, along all of its way."""
AHEAD_M = 30.0
RESERVE_M = 1.0
COMFORTABLE_MPS2, BRAKES_MPS2, ENGINE_MPS2 = 3.0, 7.0, 2.0
STEER_RAD = 0.55
_STEP_M = 0.2


def outline(margin_m: float) -> np.ndarray:
    """Returns (N, 2) x, y places on a vehicle that is larger by a margin, in base_link."""
    sides = (np.linspace(-h, h, int(np.ceil(h / 0.05)) + 1)
             for h in (LENGTH_M / 2 + margin_m, WIDTH_M / 2 + margin_m))  # fmt: skip
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)


def placed(places_m: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Returns (P, N, 2) where (N, 2) places of the vehicle are at (P, 3) x, y, yaw."""
    cos, sin = np.cos(poses[:, 2]), np.sin(poses[:, 2])
    turn = np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2)
    return np.einsum("pij,nj->pni", turn, places_m) + poses[:, None, :2]


def rolled(pose: np.ndarray, steer_rad: float, way_m: float) -> np.ndarray:
    """Returns (3,) x, y, yaw of the bicycle after a way with its front wheel turned."""
    slip = np.arctan(REAR_M / WHEELBASE_M * np.tan(steer_rad))
    turn = way_m * np.sin(slip) / REAR_M
    course = pose[2] + slip + turn / 2
    return pose + [way_m * np.cos(course), way_m * np.sin(course), turn]


def pursued(pose: np.ndarray, way_m: np.ndarray, sight_m: float) -> float:
    """Returns the angle of the front wheel that leads to the way's point in a distance."""
    far = np.hypot(*(way_m - pose[:2]).T) >= sight_m
    past = int(np.argmin(np.hypot(*(way_m - pose[:2]).T)))
    later = np.flatnonzero(far[past:])
    target = way_m[past + later[0]] if len(later) else way_m[-1]
    rear = pose[:2] - REAR_M * np.array([np.cos(pose[2]), np.sin(pose[2])])
    off = target - rear
    aside = np.arctan2(off[1], off[0]) - pose[2]
    curvature = 2 * np.sin(aside) / max(float(np.hypot(*off)), 1.0)
    return float(np.clip(np.arctan(WHEELBASE_M * curvature), -STEER_RAD, STEER_RAD))


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """What the vehicle does until the next scan.

    Attributes:
        steer_rad: of its front wheel.
        speed_mps: how fast.
        way_m: (W, 2) the planned way in the grid's frame.
        free_m: so far it can follow it with free cells all around it.
    """

    steer_rad: float
    speed_mps: float
    way_m: np.ndarray
    free_m: float


class Driver:
    """Plans on each grid anew and drives so that the vehicle can stop in what is free.

    Args:
        lane_m: (L, 2) middle of the lane in the grid's frame, from a map.
        aside_m: how far beside it base_link may be.
        speed_mps: never faster.
        step_s: from scan to scan.
    """

    def __init__(self, lane_m: np.ndarray, aside_m: float, speed_mps: float, step_s: float) -> None:
        self._lane_m, self._aside_m = lane_m, aside_m
        self._limit_mps, self._step_s = speed_mps, step_s

    def __call__(self, grid: OccupancyGrid, pose: np.ndarray, speed_mps: float) -> Command:
        """Returns what to do at (3,) x, y, yaw in the grid's frame and at a speed."""
        is_blocked = blocked(grid, pose[:2])
        way_m = self._way(grid, is_blocked, pose)
        sight_m = 3.0 + 0.5 * speed_mps
        free_m = self._free(grid, is_blocked, pose, way_m, sight_m)
        room_m = max(free_m - RESERVE_M - speed_mps * self._step_s, 0.0)
        wanted_mps = min(self._limit_mps, float(np.sqrt(2 * COMFORTABLE_MPS2 * room_m)))
        least, most = (speed_mps + a * self._step_s for a in (-BRAKES_MPS2, ENGINE_MPS2))
        command_mps = max(min(max(wanted_mps, least), most), 0.0)
        return Command(pursued(pose, way_m, sight_m), command_mps, way_m, free_m)

    def _way(self, grid: OccupancyGrid, is_blocked: np.ndarray, pose: np.ndarray) -> np.ndarray:
        here = int(np.argmin(np.hypot(*(self._lane_m - pose[:2]).T)))
        way_m = np.cumsum(np.hypot(*np.diff(self._lane_m[here:], axis=0).T))
        goal = here + int(np.searchsorted(way_m, AHEAD_M))
        lane_cells = cells_of(grid, self._lane_m[max(here - 5, 0) : goal + 1])
        is_beside = np.ones(grid.cells.shape, np.uint8)
        cv2.polylines(is_beside, [lane_cells[:, ::-1].astype(np.int32)], False, 0)
        is_lane = distance_m(is_beside, grid.resolution_m) <= self._aside_m
        start = tuple(cells_of(grid, pose[:2]))
        cost = costs(is_blocked, is_lane, grid.resolution_m)
        cells = np.array(plan(cost, start, tuple(cells_of(grid, self._lane_m[goal]))))
        return places_of(grid, cells)

    def _free(
        self,
        grid: OccupancyGrid,
        is_blocked: np.ndarray,
        pose: np.ndarray,
        way_m: np.ndarray,
        sight_m: float,
    ) -> float:
        """Returns how far the vehicle can follow a way without meeting what is blocked."""
        length_m = float(np.hypot(*np.diff(way_m, axis=0).T).sum())
        poses = [pose]
        for _ in range(int(length_m / _STEP_M)):
            steer_rad = pursued(poses[-1], way_m, sight_m)
            poses.append(rolled(poses[-1], steer_rad, _STEP_M))
        rows, columns = np.moveaxis(
            cells_of(grid, placed(outline(MARGIN_M), np.array(poses))), -1, 0
        )
        met = is_blocked[rows, columns].any(axis=1)
        return float(np.argmax(met) if met.any() else len(met) - 1) * _STEP_M

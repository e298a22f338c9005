"""The cells that bodies may cover of which a scan shows one side."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

_DIRECTIONS = 900
_DEPTH_PER_WIDTH = 3.0
"""A body is taken to be at most so many times as deep as it looks wide, as bicycles are."""
_LEAST_M = 1.0
_GAP_DIRECTIONS, _GAP_M = 2, 0.7
"""Ends that are farther apart, in direction or range, belong to different bodies."""
_SHIFT = 4  # fixed-point places of OpenCV's corners


def covered(
    dx_m: np.ndarray,
    dy_m: np.ndarray,
    sensor: tuple[float, float],
    cells: int,
    resolution_m: float,
    longest_m: float,
) -> np.ndarray:
    """Returns (cells, cells) bool, the cells behind the nearest of some ends of rays.

    Neighbouring ends are of one body. How far it goes on behind them follows from how wide it
    looks: a leg hides nobody's car.

    Args:
        dx_m: (N,) float32, N > 0, ends of rays from the sensor, metres.
        dy_m: (N,) float32.
        sensor: its row and column from the grid's corner, in cells, with fractions.
        cells: edge of the grid, in cells.
        resolution_m: edge of a cell.
        longest_m: no body is deeper.
    """
    range_m, turned = (values.ravel() for values in cv2.cartToPolar(dx_m, dy_m))
    step_rad = 2 * np.pi / _DIRECTIONS
    direction = np.minimum((turned / np.float32(step_rad)).astype(np.intp), _DIRECTIONS - 1)
    nearest_m = np.full(_DIRECTIONS, np.inf, np.float32)
    np.minimum.at(nearest_m, direction, range_m)
    turn = int(np.argmax(np.isinf(nearest_m)))  # from an empty direction on no body is cut in two
    nearest_m = np.roll(nearest_m, -turn)
    seen = np.flatnonzero(np.isfinite(nearest_m))
    near_m = nearest_m[seen]
    apart = (np.diff(seen) > _GAP_DIRECTIONS) | (np.abs(np.diff(near_m)) > _GAP_M)
    body = np.concatenate([[0], np.cumsum(apart)])
    width_m = np.bincount(body, near_m) * step_rad
    deep_m = np.clip(_DEPTH_PER_WIDTH * width_m, _LEAST_M, longest_m)[body]
    side_rad = (seen[:, None] + [turn, turn + 1]) * step_rad  # of each direction, right and left
    ahead = np.stack([np.cos(side_rad), np.sin(side_rad)], axis=-1) / resolution_m
    middle = np.array(sensor[::-1]) - 0.5  # a cell's middle has whole numbers for OpenCV
    near, far = (
        np.round((middle + reach_m[:, None, None] * ahead) * (1 << _SHIFT)).astype(np.int32)
        for reach_m in (near_m, near_m + deep_m)
    )
    marked = np.zeros((cells, cells), np.uint8)
    bounds = np.flatnonzero(np.concatenate([[True], apart, [True]]))
    for start, stop in itertools.pairwise(bounds):
        sides = near[start:stop].reshape(-1, 2), far[start:stop].reshape(-1, 2)[::-1]
        cv2.fillPoly(marked, [np.concatenate(sides)], 1, shift=_SHIFT)
    return marked > 0

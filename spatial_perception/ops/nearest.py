"""The nearest points within a radius, of all points of a cloud at once.

A k-d tree answers one point after the other. Here whole arrays list the pairs of close points with
a raster and sort them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_REACH = 3  # cells of the raster in a radius
_SIDE = 1024  # cells along a side at most; they are larger where those do not suffice
_BLOCK = 4096  # points whose candidates are compared at a time, so that these stay in the cache


def nearest_within(points: np.ndarray, radius: float, count: int) -> np.ndarray:
    """Returns (N, count + 1) int32: each point, its nearest others by distance, then itself again.

    Distances are compared in float32: of others that are equally far to within rounding either
    may come first.

    Args:
        points: (N, 3), at least one, in any unit.
        radius: Others nearer than this are taken, in the same unit.
        count: Others of a point at most.
    """
    total = len(points)
    scaled = points / radius
    order, begin, end = _candidates(scaled[:, :2])
    pairs = np.empty(2 * int((end - begin).sum()) + 1, np.int64)
    used = 0
    # A pair is one integer for each direction: from, distance, to. Sorted, they are the table.
    bits = total.bit_length()
    shift = 63 - bits
    unit = np.float32(2.0 ** (shift - bits))
    for one, other, distance in _close_pairs(scaled, order, begin, end):
        middle = (distance * unit).astype(np.int64) << bits
        for left, right in ((one, other), (other, one)):
            pairs[used : used + len(one)] = left << shift | middle | right
            used += len(one)
    pairs[used] = np.iinfo(np.int64).max  # there may be no others
    pairs = pairs[: used + 1]
    pairs.sort()

    table = np.repeat(np.arange(total, dtype=np.int32), count + 1).reshape(total, -1)
    starts = np.searchsorted(pairs, np.arange(total + 1) << shift)
    for column in range(count):
        place = starts[:-1] + column
        others = pairs.take(place, mode="clip") & ((1 << bits) - 1)
        np.copyto(table[:, column + 1], others, casting="same_kind", where=place < starts[1:])
    return table


def _candidates(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns an order of the points, and what may be nearer than 1 to each, every pair once.

    The points are in order of the cells of a raster, row after row. What is within reach of a cell
    and comes after it is a strip of its own row and one of each of the next rows, and the points of
    a strip follow each other.

    Returns:
        order: (N,) points.
        begin: (4, N) first candidate of each of them, as a place in the order, in each strip.
        end: (4, N) place after the last.
    """
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = max(1.0 / _REACH, float((high - low).max()) / _SIDE)
    row, column = ((xy - low) / side).astype(np.int64).T
    width = int(column.max()) + 2 * _REACH + 1
    cell = row * width + column + _REACH
    order = np.argsort(cell, kind="stable")
    cell = cell.take(order)

    cells = int(cell[-1]) + _REACH * (width + 1) + 1
    before = np.zeros(cells + 1, np.int64)  # number of points in the cells before each
    np.cumsum(np.bincount(cell, minlength=cells), out=before[1:])
    middle = cell + width * np.arange(_REACH + 1)[:, None]
    begin, end = before.take(middle - _REACH), before.take(middle + (_REACH + 1))
    begin[0] = np.arange(1, len(cell) + 1)
    return order, begin, end


def _close_pairs(
    points: np.ndarray, order: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields the pairs nearer than 1 in parts: one point, the other, their squared distance."""
    rows = np.zeros((len(points), 4), np.float32)  # of 16 bytes, which move faster than 12
    rows[:, :3] = points.take(order, axis=0)
    for strip in range(len(begin)):
        for first in range(0, len(points), _BLOCK):
            block = slice(first, first + _BLOCK)
            length = end[strip, block] - begin[strip, block]
            stop = np.cumsum(length)
            second = np.repeat(end[strip, block] - stop, length)
            second += np.arange(len(second))
            square = rows.take(second, axis=0)
            square -= np.repeat(rows[block], length, axis=0)
            square *= square
            distance = square[:, 0] + square[:, 1]
            distance += square[:, 2]
            near = np.flatnonzero(distance < 1.0)
            one = np.repeat(order[block], length).take(near)
            yield one, order.take(second.take(near)), distance.take(near)

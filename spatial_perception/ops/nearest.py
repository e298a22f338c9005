"""The nearest points within a radius, of all points of a cloud at once.

A k-d tree answers one point after the other. Here whole arrays list the pairs of close points with
a raster and sort them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_REACH = 3  # cells of the raster in a radius
_SIDE = 1024  # cells along a side at most; they are larger where those do not suffice


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
    bits = total.bit_length()
    shift = 63 - bits
    unit = np.float32(2.0 ** (shift - bits))
    # A pair is one integer for each direction: from, distance, to. Sorted, they are the table.
    pairs = [np.array([np.iinfo(np.int64).max])]  # there may be no others
    for one, other, distance in _close_pairs(points / radius):
        middle = (distance * unit).astype(np.int64) << bits
        pairs += [one << shift | middle | other, other << shift | middle | one]
    sorted_pairs = np.concatenate(pairs)
    sorted_pairs.sort()
    start = np.searchsorted(sorted_pairs, np.arange(total + 1) << shift)[:, None]
    place = start[:-1] + np.arange(count)
    others = sorted_pairs.take(place, mode="clip") & ((1 << bits) - 1)
    table = np.repeat(np.arange(total, dtype=np.int32), count + 1).reshape(total, -1)
    np.copyto(table[:, 1:], others, casting="same_kind", where=place < start[1:])
    return table


def _close_pairs(points: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields all pairs nearer than 1, each once, in parts: one, the other, squared distance."""
    order, runs = _candidates(points[:, :2])
    rows = np.zeros((len(points), 4), np.float32)  # of 16 bytes, which move faster than 12
    rows[:, :3] = points.take(order, axis=0)
    for begin, length in runs:
        stop = np.cumsum(length)
        second = np.arange(stop[-1]) + np.repeat(begin - stop + length, length)
        square = rows.take(second, axis=0)
        square -= np.repeat(rows, length, axis=0)
        square *= square
        distance = square[:, 0] + square[:, 1]
        distance += square[:, 2]
        near = np.flatnonzero(distance < 1.0)
        one = np.repeat(order, length).take(near)
        yield one, order.take(second.take(near)), distance.take(near)


def _candidates(xy: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Returns the points in order of cells, and for each runs of those that may be nearer than 1.

    Cells are numbered row after row. What is within reach of a cell and comes after it is a strip
    of its own row and one of each of the next rows, and the points of a strip are a run. A run is
    where it begins in the order, and its length.
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
    begin = np.arange(1, len(cell) + 1)
    runs = [(begin, before.take(cell + (_REACH + 1)) - begin)]
    for step in range(1, _REACH + 1):
        middle = cell + step * width
        begin = before.take(middle - _REACH)
        runs.append((begin, before.take(middle + (_REACH + 1)) - begin))
    return order, runs

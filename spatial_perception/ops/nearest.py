"""The nearest points within a radius, of all points of a cloud at once.

A k-d tree answers one point after the other. Here all pairs of close points are listed with a
raster and sorted, in whole arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_REACH = 3  # cells of the raster in a radius
_SIDE = 1024  # cells along the raster at most; they are larger where those do not suffice


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
    order, strips = _strips(scaled[:, :2])
    rows = np.zeros((total, 4), np.float32)  # of 16 bytes, which are faster to move than three
    rows[:, :3] = scaled.take(order, axis=0)
    # A pair is one integer for each direction: from, distance, to. Sorted, they are the table.
    bits = total.bit_length()
    shift = 63 - bits
    unit = np.float32(2.0 ** (shift - bits))
    pairs = [np.array([np.iinfo(np.int64).max])]  # there may be no others
    for begin, length in strips:
        stop = np.cumsum(length)
        second = np.arange(stop[-1]) + np.repeat(begin - stop + length, length)
        square = rows.take(second, axis=0)
        square -= np.repeat(rows, length, axis=0)
        square *= square
        distance = square[:, 0] + square[:, 1]
        distance += square[:, 2]
        near = np.flatnonzero(distance < 1.0)
        one = np.repeat(order, length).take(near)
        other = order.take(second.take(near))
        middle = (distance.take(near) * unit).astype(np.int64) << bits
        pairs += [one << shift | middle | other, other << shift | middle | one]
    table = np.concatenate(pairs)
    table.sort()
    start = np.searchsorted(table, np.arange(total + 1) << shift)[:, None]
    place = start[:-1] + np.arange(count)
    others = table.take(place, mode="clip") & ((1 << bits) - 1)
    result = np.repeat(np.arange(total, dtype=np.int32), count + 1).reshape(total, count + 1)
    np.copyto(result[:, 1:], others, casting="unsafe", where=place < start[1:])
    return result


def _strips(xy: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = max(1.0 / _REACH, float((high - low).max()) / _SIDE)
    row, column = ((xy - low) / side).astype(np.int64).T
    width = int(column.max()) + 2 * _REACH + 1
    cell = (row * width + column) + _REACH
    order = np.argsort(cell, kind="stable")
    cell = cell.take(order)
    cells = int(cell[-1]) + _REACH * (width + 1) + 1
    before = np.zeros(cells + 1, np.int64)  # number of points in the cells before each
    np.cumsum(np.bincount(cell, minlength=cells), out=before[1:])
    own = np.arange(1, len(cell) + 1)
    strips = [(own, before.take(cell + (_REACH + 1)) - own)]
    for row in range(1, _REACH + 1):
        middle = cell + row * width
        begin = before.take(middle - _REACH)
        strips.append((begin, before.take(middle + (_REACH + 1)) - begin))
    return order, strips

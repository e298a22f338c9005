"""Log-odds on square cells that stay where they are while a window moves over them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.config import option
from spatial_perception.core.occupancy import UNKNOWN_CELL
from spatial_perception.errors import ConfigError

FORGOTTEN_LOG_ODDS = 0.1
"""Weaker evidence is none: the cell is unknown."""
_SURE_SHARE = 0.75
"""From this share of the limit on a cell is surely free."""
_LEVELS = 256
"""Of log-odds, in the table of percents."""
_AROUND = 5
_MOST_CELLS = 8000  # along an edge; so many take some 7 GB
_NOTHING = np.float32(0.0)
_HARDLY_ANY = 1e-6
"""What is left of evidence after any longer time."""


@dataclass(frozen=True, slots=True)
class EvidenceConfig:
    """How evidence counts and how long it lasts."""

    hit_log_odds: float = option(
        1.5, help="what one obstacle point adds, up to three", range=(0, 20)
    )
    miss_log_odds: float = option(-1.5, help="what a ray that crosses adds", range=(-20.0, 0.0))
    clear_log_odds: float = option(
        -0.8, help="the same where something stood from the first look on", range=(-20.0, 0.0)
    )
    limit_log_odds: float = option(2.5, help="where evidence saturates", range=(0.1, 20.0))
    free_log_odds: float = option(
        0.1, help="evidence against an obstacle that makes a cell free", range=(0.0, 20.0)
    )
    lifetime_s: float = option(
        10.0, help="what is not seen again is unknown after this time", unit="s", range=(0.1, 3600)
    )
    arrived_lifetime_s: float = option(
        0.5, help="the same for obstacles in cells that were free before", unit="s",
        range=(0.05, 3600),
    )  # fmt: skip


class GridMemory:
    """A square window on an endless grid, whose cells keep their place in the fixed frame.

    The corner of cell (0, 0) of the endless grid is the frame's origin. Moving the window shifts
    whole cells, so that nothing is resampled. Evidence as in A. Elfes, Using occupancy grids for
    mobile robot perception and navigation, 1989: log-odds add up and saturate.

    A cell that was surely free and is hit holds something that has arrived. What arrived goes
    again: a look or two clear it, and unseen it is forgotten soon. What stood there at first
    sight is cleared by many looks, since many rays miss what is thin, and not at all by a look
    that hits something close by.

    Args:
        cells: edge of the window, in cells.
        resolution_m: edge of a cell.
        weights: of the evidence.

    Raises:
        ConfigError: more cells than can be worked with.
    """

    def __init__(self, cells: int, resolution_m: float, weights: EvidenceConfig) -> None:
        if cells > _MOST_CELLS:
            raise ConfigError(
                f"a grid of {cells} x {cells} cells, margins included, does not fit into memory, at"
                f" most {_MOST_CELLS} x {_MOST_CELLS} do: raise resolution_m, or lower size_m or"
                " margin_m"
            )
        self._cells, self._resolution_m = cells, resolution_m
        self._limit = np.float32(weights.limit_log_odds)
        self._miss = np.float32(weights.miss_log_odds)
        self._clear = np.float32(weights.clear_log_odds)
        self._sure = np.float32(_SURE_SHARE * weights.limit_log_odds)
        limit, least_free = weights.limit_log_odds, max(weights.free_log_odds, FORGOTTEN_LOG_ODDS)
        self._free = np.float32(least_free)
        firm = float(np.log(max(limit / FORGOTTEN_LOG_ODDS, 1.0)))
        self._occupied_per_s = firm / weights.lifetime_s
        self._arrived_per_s = firm / weights.arrived_lifetime_s
        self._free_per_s = float(np.log(max(limit / least_free, 1.0))) / weights.lifetime_s
        self._levels_per_unit = (_LEVELS // 2 - 1) / weights.limit_log_odds
        self._percent_of_level = self._table()
        self.log_odds = np.zeros((cells, cells), np.float32)
        self._arrived = np.zeros((cells, cells), bool)
        self._low_xy: tuple[int, int] | None = None

    @property
    def corner_m(self) -> np.ndarray:
        """(2,) float64 x and y of the window's corner in the fixed frame, metres."""
        low = self._low_xy or (0, 0)
        return np.array(low, np.float64) * self._resolution_m

    def reset(self) -> None:
        """Forgets everything."""
        self.log_odds.fill(0.0)
        self._arrived.fill(False)
        self._low_xy = None

    def move_to(self, x_m: float, y_m: float) -> None:
        """Puts the cell that holds a place into the middle of the window."""
        column = int(np.floor(x_m / self._resolution_m)) - self._cells // 2
        row = int(np.floor(y_m / self._resolution_m)) - self._cells // 2
        if self._low_xy is not None and self._low_xy != (column, row):
            self._shift(row - self._low_xy[1], column - self._low_xy[0])
        self._low_xy = (column, row)

    def update(self, hit: np.ndarray, hit_log_odds: np.ndarray, missed: np.ndarray) -> np.ndarray:
        """Adds the evidence of one scan; returns which of the cells hit hold what has arrived.

        Args:
            hit: (H,) int indices of cells with obstacle points, without repetition.
            hit_log_odds: (H,) float32, what is added there.
            missed: (cells, cells) bool, seen to be free; the cells that were hit are left out.
        """
        flat, arrived = self.log_odds.ravel(), self._arrived.ravel()
        is_held, before = self.log_odds > 0, flat.take(hit)
        has_arrived = self._has_arrived(hit, before, is_held)
        arrived[hit[has_arrived]] = True
        crossed = np.flatnonzero(is_held & missed)
        was, came = flat.take(crossed), arrived.take(crossed)
        stays = self._near(hit).take(crossed) & ~came
        was += np.where(stays, _NOTHING, np.where(came, self._miss, self._clear))
        self.log_odds += missed * self._miss
        flat[crossed] = was
        cv2.max(self.log_odds, -float(self._limit), self.log_odds)  # type: ignore[call-overload]
        flat[hit] = np.minimum(np.maximum(before, _NOTHING) + hit_log_odds, self._limit)
        arrived[crossed] &= flat.take(crossed) > 0
        return has_arrived

    def hide(self, hidden: np.ndarray) -> None:
        """Forgets that cells were free, because they may be covered now.

        Args:
            hidden: (cells, cells) bool.
        """
        self.log_odds.ravel()[np.flatnonzero(hidden & (self.log_odds < 0))] = 0.0

    def _has_arrived(self, hit: np.ndarray, before: np.ndarray, is_held: np.ndarray) -> np.ndarray:
        """Returns which cells that are hit were free before, or are beside what has arrived.

        Where more of what is around stood there all the time, it is part of that: a bush is hit
        here now and there then.
        """
        balance = (is_held <= self._arrived).view(np.uint8)  # 0 where something stood before
        balance += self._arrived
        balance.ravel()[hit[before < -self._sure]] = 2
        around = cv2.boxFilter(balance, -1, (_AROUND, _AROUND), normalize=False)
        has_come: np.ndarray = around.ravel().take(hit) > _AROUND**2
        has_come &= (before <= 0) | self._arrived.ravel().take(hit)
        return has_come

    def _near(self, cells: np.ndarray) -> np.ndarray:
        """Returns (cells * cells,) bool, those with one of some among `_AROUND` x `_AROUND`."""
        marked = np.zeros((self._cells, self._cells), np.uint8)
        marked.ravel()[cells] = 1
        around = cv2.dilate(marked, np.ones((_AROUND, _AROUND), np.uint8))
        return around.ravel().view(bool)

    def fade(self, elapsed_s: float) -> None:
        """Weakens all evidence; what is hardly any is forgotten."""
        free, occupied, arrived = (
            max(float(np.exp(-rate * elapsed_s)), _HARDLY_ANY)
            for rate in (self._free_per_s, self._occupied_per_s, self._arrived_per_s)
        )
        flat, came = self.log_odds.ravel(), np.flatnonzero(self._arrived)
        was = flat.take(came) * np.float32(arrived)
        was[was < FORGOTTEN_LOG_ODDS] = 0.0
        most = FORGOTTEN_LOG_ODDS / occupied, -FORGOTTEN_LOG_ODDS / free  # of what is forgotten now
        _, above = cv2.threshold(self.log_odds, most[0], 0.0, cv2.THRESH_TOZERO)
        _, below = cv2.threshold(self.log_odds, most[1], 0.0, cv2.THRESH_TOZERO_INV)
        cv2.addWeighted(above, occupied, below, free, 0.0, self.log_odds)
        flat[came] = was
        self._arrived.ravel()[came] = was > 0

    def percent(self, margin: int) -> np.ndarray:
        """Returns (N, N) int8 probability of being occupied, -1 where none is known.

        Args:
            margin: cells at each side of the window that are left out.
        """
        inside = slice(margin, self._cells - margin)
        log_odds, scale = self.log_odds[inside, inside], self._levels_per_unit
        level = cv2.convertScaleAbs(log_odds, alpha=scale, beta=_LEVELS // 2)  # from 1 on
        return cv2.LUT(level, self._percent_of_level)

    def _table(self) -> np.ndarray:
        """Returns (_LEVELS,) int8, the percent of each level of log-odds."""
        log_odds = (np.arange(_LEVELS) - _LEVELS // 2) / self._levels_per_unit
        percent = np.rint(100.0 / (1.0 + np.exp(-log_odds))).astype(np.int8)
        percent[(log_odds <= 0.0) & (log_odds > -self._free)] = UNKNOWN_CELL
        return percent

    def _shift(self, rows: int, columns: int) -> None:
        self.log_odds = _shifted(self.log_odds, rows, columns)
        self._arrived = _shifted(self._arrived, rows, columns)


def _shifted(cells: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Returns a window that starts `rows` and `columns` later, with zeros where it is new."""
    moved, count = np.zeros_like(cells), len(cells)
    if abs(rows) < count and abs(columns) < count:
        to_rows = slice(max(-rows, 0), count - max(rows, 0))
        to_columns = slice(max(-columns, 0), count - max(columns, 0))
        from_rows = slice(max(rows, 0), count + min(rows, 0))
        from_columns = slice(max(columns, 0), count + min(columns, 0))
        moved[to_rows, to_columns] = cells[from_rows, from_columns]
    return moved

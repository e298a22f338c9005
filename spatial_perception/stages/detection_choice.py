"""Which detections are followed: fused ones, or those of the LiDAR where nothing fuses."""

from __future__ import annotations

from collections import deque

from spatial_perception.core import Detections3D


class DetectionChoice:
    """Hands on each scan's detections once, in order; the LiDAR's are held back for fused ones.

    Args:
        timeout_ns: the LiDAR's are taken once fused ones are older than this, by stamps.
    """

    def __init__(self, timeout_ns: int) -> None:
        self._timeout_ns = timeout_ns
        self._held: deque[Detections3D] = deque()
        self._fused_ns: int | None = None
        self._has_started = False
        self._unfused_ns: int | None = None
        self.newest_ns: int | None = None

    @property
    def is_fused(self) -> bool:
        """Whether fused detections are followed now."""
        return self._fused_ns is not None

    def add_fused(self, detections: Detections3D) -> list[Detections3D]:
        """Returns what is to be followed now."""
        stamp_ns = self._fused_ns = detections.header.stamp_ns
        self._has_started = True
        while self._held and self._held[0].header.stamp_ns <= stamp_ns:
            self._held.popleft()
        return self._new([detections])

    def is_stale(self, detections: Detections3D) -> bool:
        """Returns whether the LiDAR's detections are no newer than its last ones."""
        return self._unfused_ns is not None and detections.header.stamp_ns <= self._unfused_ns

    def add_unfused(
        self, detections: Detections3D, is_fed: bool, is_certain: bool
    ) -> list[Detections3D]:
        """Returns what is to be followed now.

        Args:
            detections: of the LiDAR alone.
            is_fed: whether a stage of this graph fuses, so that the first ones can wait too.
            is_certain: whether fused ones do come, however late.
        """
        stamp_ns = self._unfused_ns = detections.header.stamp_ns
        if not self._has_started and is_fed:
            self._fused_ns = stamp_ns
        self._has_started = True
        self._held.append(detections)
        if self._fused_ns is not None and (
            is_certain or stamp_ns <= self._fused_ns + self._timeout_ns
        ):
            return []
        self._fused_ns = None
        return self.flush()

    def flush(self) -> list[Detections3D]:
        """Returns what is held back: fused ones will not come."""
        held, self._held = list(self._held), deque()
        return self._new(held)

    def reset(self) -> None:
        """Forgets what is held back and where the time stood."""
        self._held.clear()
        self._fused_ns = self._unfused_ns = self.newest_ns = None
        self._has_started = False

    def _new(self, detections: list[Detections3D]) -> list[Detections3D]:
        new = []
        for value in detections:
            if self.newest_ns is None or value.header.stamp_ns > self.newest_ns:
                self.newest_ns = value.header.stamp_ns
                new.append(value)
        return new

"""Stages that need their input in another frame: transforms as ports, and waiting for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from spatial_perception.core import Header, Pose, Transforms, TransformTree
from spatial_perception.core.sync import NS_PER_MS
from spatial_perception.errors import TransformError
from spatial_perception.messages import TRANSFORMS
from spatial_perception.stages.port import Port, PortKind

TRANSFORM_PORTS = (
    Port("tf", "/tf", TRANSFORMS, PortKind.TRANSFORM),
    Port("tf_static", "/tf_static", TRANSFORMS, PortKind.STATIC_TRANSFORM),
)
TRANSFORM_NAMES = ("tf", "tf_static")


class Stamped(Protocol):
    """Anything with a header."""

    @property
    def header(self) -> Header:
        """Stamp and frame."""


V = TypeVar("V", bound=Stamped)


class TransformWaiter(Generic[V]):
    """Holds values back until their transform into the target frame is known.

    Args:
        target_frame: where values are wanted.
        max_wait_ms: a value is given up once a later one is newer by more than this.
    """

    def __init__(self, target_frame: str, max_wait_ms: float) -> None:
        self.target_frame = target_frame
        self.tree = TransformTree()
        self._max_wait_ns = int(max_wait_ms * NS_PER_MS)
        self._waiting: deque[tuple[V, str]] = deque()

    def add_transforms(self, port: str, transforms: Transforms) -> Iterator[tuple[V, Pose]]:
        """Yields the waiting values whose transform has come."""
        self.tree.add(transforms, static=port == "tf_static")
        yield from self._ready()

    def add(self, value: V) -> Iterator[tuple[V, Pose]]:
        """Yields the value with target_from_source at once where the transform is known."""
        self._waiting.append((value, ""))
        yield from self._ready()

    def expired(self, newest_ns: int | None = None) -> Iterator[str]:
        """Drops what waited too long (everything without a stamp); yields one reason each."""
        while self._waiting:
            value, reason = self._waiting[0]
            if newest_ns is not None and value.header.stamp_ns >= newest_ns - self._max_wait_ns:
                return
            self._waiting.popleft()
            yield reason

    def reset(self) -> None:
        """Forgets values and moving transforms."""
        self._waiting.clear()
        self.tree.clear()

    def _ready(self) -> Iterator[tuple[V, Pose]]:
        still: deque[tuple[V, str]] = deque()
        while self._waiting:
            value, _ = self._waiting.popleft()
            header = value.header
            try:
                pose = self.tree.lookup(self.target_frame, header.frame_id, header.stamp_ns)
            except TransformError as error:
                still.append((value, str(error)))
                continue
            yield value, pose
        self._waiting = still

"""Objects that move as one says, for tracker tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spatial_perception.core import OBJECT_LABELS, Detections3D, Header

SIZES = {"car": (4.2, 1.8, 1.5), "truck": (9.0, 2.5, 3.2), "pedestrian": (0.7, 0.65, 1.75)}
SIZES["cyclist"] = (1.8, 0.65, 1.7)


@dataclass(frozen=True)
class Mover:
    """One object: where it starts, how it goes."""

    kind: str = "car"
    x: float = 10.0
    y: float = 0.0
    yaw: float = 0.0
    speed: float = 0.0
    yaw_rate: float = 0.0
    seen_yaw: float | None = None

    def at(self, time_s: float) -> tuple[float, float, float]:
        """Returns x, y and heading: an exact arc."""
        turned = self.yaw + self.yaw_rate * time_s
        if not self.yaw_rate:
            way = self.speed * time_s
            return self.x + way * np.cos(self.yaw), self.y + way * np.sin(self.yaw), turned
        radius = self.speed / self.yaw_rate
        return (
            self.x + radius * (np.sin(turned) - np.sin(self.yaw)),
            self.y - radius * (np.cos(turned) - np.cos(self.yaw)),
            turned,
        )


def seen(
    movers: Sequence[Mover],
    time_s: float,
    rng: np.random.Generator | None = None,
    noise_m: float = 0.1,
    score: float = 0.95,
    frame: str = "odom",
) -> Detections3D:
    """Returns what a detector gives of them at a time."""
    places = np.array([mover.at(time_s) for mover in movers]).reshape(-1, 3)
    if rng is not None:
        places[:, :2] += rng.normal(0, noise_m, (len(movers), 2))
    yaws = [
        m.seen_yaw if m.seen_yaw is not None else p[2] for m, p in zip(movers, places, strict=True)
    ]
    sizes = np.array([SIZES[m.kind] for m in movers], np.float32).reshape(-1, 3)
    centers = np.concatenate([places[:, :2], sizes[:, 2:] / 2], axis=1)
    return Detections3D(
        Header(round(time_s * 1e9) + 10**18, frame),
        centers.astype(np.float32),
        sizes,
        np.array(yaws, np.float32).reshape(-1),
        np.full(len(movers), score, np.float32),
        np.array([OBJECT_LABELS.index(m.kind) for m in movers], np.int32),
        OBJECT_LABELS,
    )

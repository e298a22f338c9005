"""Objects with an identity and a velocity."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.detections import Detections3D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.pose import Pose


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Upright boxes with ids and motion.

    Args:
        header: stamp and frame.
        centers_m: (N, 3) float32, box centres, metres.
        sizes_lwh_m: (N, 3) float32, length, width, height, metres.
        yaws_rad: (N,) float32, heading about z, radians.
        velocities_mps: (N, 2) float32, vx and vy in the header's frame, metres a second.
        yaw_rates_radps: (N,) float32, radians a second.
        scores: (N,) float32 in 0..1.
        labels: (N,) int32, index in `label_set`.
        ids: (N,) int64, never reused within a run.
        label_set: the classes.
        covariances: (N, 6, 6) float32 of x y yaw vx vy yaw_rate, in metres, radians and seconds,
            in the header's frame; None where nobody has estimated them.
    """

    header: Header
    centers_m: np.ndarray
    sizes_lwh_m: np.ndarray
    yaws_rad: np.ndarray
    velocities_mps: np.ndarray
    yaw_rates_radps: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    label_set: LabelSet
    covariances: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.centers_m)
        check_array("centers_m", self.centers_m, (None, 3), np.float32)
        check_array("sizes_lwh_m", self.sizes_lwh_m, (count, 3), np.float32)
        check_array("yaws_rad", self.yaws_rad, (count,), np.float32)
        check_array("velocities_mps", self.velocities_mps, (count, 2), np.float32)
        check_array("yaw_rates_radps", self.yaw_rates_radps, (count,), np.float32)
        check_array("scores", self.scores, (count,), np.float32)
        check_array("labels", self.labels, (count,), np.int32)
        check_array("ids", self.ids, (count,), np.int64)
        if self.covariances is not None:
            check_array("covariances", self.covariances, (count, 6, 6), np.float32)

    def __len__(self) -> int:
        return len(self.ids)

    def detections(self) -> Detections3D:
        """Returns the boxes alone."""
        return Detections3D(
            self.header,
            self.centers_m,
            self.sizes_lwh_m,
            self.yaws_rad,
            self.scores,
            self.labels,
            self.label_set,
        )

    def selected(self, which: np.ndarray) -> Tracks:
        """Returns the tracks of a boolean mask or an index array."""
        return dataclasses.replace(
            self,
            centers_m=self.centers_m[which],
            sizes_lwh_m=self.sizes_lwh_m[which],
            yaws_rad=self.yaws_rad[which],
            velocities_mps=self.velocities_mps[which],
            yaw_rates_radps=self.yaw_rates_radps[which],
            scores=self.scores[which],
            labels=self.labels[which],
            ids=self.ids[which],
            covariances=None if self.covariances is None else self.covariances[which],
        )

    def transformed(self, target_from_source: Pose, frame_id: str) -> Tracks:
        """Returns the tracks in another frame that is at rest relative to this one.

        Velocities keep their reference (over ground, if they were) and are turned into the new
        frame's axes; boxes stay upright.
        """
        boxes = self.detections().transformed(target_from_source, frame_id)
        turn = target_from_source.rotation[:2, :2].astype(np.float32)
        vx, vy = self.velocities_mps[:, 0], self.velocities_mps[:, 1]
        turned = np.stack(
            [turn[0, 0] * vx + turn[0, 1] * vy, turn[1, 0] * vx + turn[1, 1] * vy], axis=1
        )
        return dataclasses.replace(
            self,
            header=boxes.header,
            centers_m=boxes.centers_m,
            yaws_rad=boxes.yaws_rad,
            velocities_mps=turned,
            covariances=_turned(self.covariances, turn),
        )

    def own_velocities(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns motions in each object's own axes, as REP 105 has twists, and covariances.

        The first is (N, 3) float64 forward and leftward speed and yaw rate, the second (N, 3, 3),
        zero where the tracks have none.
        """
        cos, sin = np.cos(self.yaws_rad.astype(np.float64)), np.sin(self.yaws_rad)
        vx, vy = self.velocities_mps[:, 0], self.velocities_mps[:, 1]
        forward, left = cos * vx + sin * vy, cos * vy - sin * vx
        motions = np.stack([forward, left, self.yaw_rates_radps.astype(np.float64)], axis=1)
        if self.covariances is None:
            return motions, np.zeros((len(self), 3, 3))
        by_state = np.zeros((len(self), 3, 6))
        by_state[:, 0, 2], by_state[:, 0, 3], by_state[:, 0, 4] = left, cos, sin
        by_state[:, 1, 2], by_state[:, 1, 3], by_state[:, 1, 4] = -forward, -sin, cos
        by_state[:, 2, 5] = 1.0
        return motions, by_state @ self.covariances @ by_state.transpose(0, 2, 1)


def _turned(covariances: np.ndarray | None, turn: np.ndarray) -> np.ndarray | None:
    """Returns the covariances of places and velocities whose axes are turned about z."""
    if covariances is None:
        return None
    full = np.eye(6, dtype=np.float32)
    full[:2, :2] = full[3:5, 3:5] = turn
    turned: np.ndarray = full @ covariances @ full.T
    return turned

"""What a tracker remembers of its objects, as one array an attribute."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.pose import Pose, wrap_angle
from spatial_perception.pipelines.motion import STATES

NO_ID = 0


@dataclass(slots=True, eq=False)
class TrackBank:
    """N tracks; the tracker's own, written in place.

    Attributes:
        ids: (N,) int64, `NO_ID` of tracks that were never published.
        state: (N, 5) float64, see `motion`.
        covariance: (N, 5, 5) float64.
        turns: (N,) bool, CTRV rather than CV.
        height_m: (N,) float64, z of the centres.
        sizes_lwh_m: (N, 3) float64.
        class_logs: (N, C) float64, logarithm of the unnormalized probability of each class.
        existence: (N,) float64, log-odds that the object is there.
        heading_votes: (N,) float64, evidence that front and back are the right way round.
        hits: (N,) int64, detections so far.
        newest_ns: (N,) int64, stamp of the last detection.
    """

    ids: np.ndarray
    state: np.ndarray
    covariance: np.ndarray
    turns: np.ndarray
    height_m: np.ndarray
    sizes_lwh_m: np.ndarray
    class_logs: np.ndarray
    existence: np.ndarray
    heading_votes: np.ndarray
    hits: np.ndarray
    newest_ns: np.ndarray

    @classmethod
    def empty(cls, classes: int) -> TrackBank:
        """Returns no tracks."""
        return cls(
            np.zeros(0, np.int64),
            np.zeros((0, STATES)),
            np.zeros((0, STATES, STATES)),
            np.zeros(0, bool),
            np.zeros(0),
            np.zeros((0, 3)),
            np.zeros((0, classes)),
            np.zeros(0),
            np.zeros(0),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def kept(self, which: np.ndarray) -> TrackBank:
        """Returns the tracks of a boolean mask or an index array."""
        return TrackBank(*(getattr(self, f.name)[which] for f in dataclasses.fields(self)))

    def joined(self, other: TrackBank) -> TrackBank:
        """Returns these tracks and then the others."""
        return TrackBank(
            *(
                np.concatenate([getattr(self, f.name), getattr(other, f.name)])
                for f in dataclasses.fields(self)
            )
        )

    def widened(self, classes: int) -> TrackBank:
        """Returns the same tracks with more classes, new ones as improbable as any so far."""
        added = classes - self.class_logs.shape[1]
        if not added:
            return self
        least = self.class_logs.min(axis=1, keepdims=True, initial=0.0)
        logs = np.concatenate([self.class_logs, np.repeat(least, added, axis=1)], axis=1)
        return dataclasses.replace(self, class_logs=logs)

    def classes(self) -> np.ndarray:
        """Returns (N, C) probabilities."""
        odds = np.exp(self.class_logs - self.class_logs.max(axis=1, keepdims=True))
        share: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return share

    def velocities_mps(self) -> np.ndarray:
        """Returns (N, 2) velocities in the frame of the tracks."""
        speed = self.state[:, 3]
        direction = np.stack([np.cos(self.state[:, 2]), np.sin(self.state[:, 2])], axis=1)
        along: np.ndarray = speed[:, None] * direction
        return np.where(self.turns[:, None], along, self.state[:, 3:5])

    def boxes_bev(self) -> np.ndarray:
        """Returns (N, 5) x y l w yaw."""
        return np.concatenate(
            [self.state[:, :2], self.sizes_lwh_m[:, :2], self.state[:, 2:3]], axis=1
        )

    def turn_around(self, which: np.ndarray) -> None:
        """Swaps front and back of some tracks; where they go stays the same."""
        self.state[which, 2] = wrap_angle(self.state[which, 2] + np.pi)
        backward = which & self.turns
        self.state[backward, 3] *= -1
        self.covariance[backward, 3, :] *= -1
        self.covariance[backward, :, 3] *= -1
        self.heading_votes[which] = 0.0

    def follow(self, turns: np.ndarray) -> None:
        """Changes the motion model of tracks whose class has changed."""
        velocities = self.velocities_mps()
        changed = turns != self.turns
        to_turning, to_straight = changed & turns, changed & ~turns
        directions = np.arctan2(velocities[:, 1], velocities[:, 0])
        off = np.cos(directions - self.state[:, 2])
        speed = np.hypot(velocities[:, 0], velocities[:, 1])
        self.state[to_turning, 3] = (speed * np.sign(off))[to_turning]
        self.state[to_turning, 4] = 0.0
        self.state[to_straight, 3:5] = velocities[to_straight]
        variance = np.trace(self.covariance[:, 3:5, 3:5], axis1=1, axis2=2)
        self.covariance[changed, 3:, :] = 0.0
        self.covariance[changed, :, 3:] = 0.0
        self.covariance[changed, 3, 3] = variance[changed]
        self.covariance[to_straight, 4, 4] = variance[to_straight]
        self.covariance[to_turning, 4, 4] = 0.1
        self.turns = turns.copy()

    def move(self, new_from_old: Pose) -> None:
        """Expresses everything in another frame that differs by a turn about z and a shift."""
        yaw = new_from_old.yaw_rad
        cos, sin = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cos, -sin], [sin, cos]])
        points = np.concatenate([self.state[:, :2], self.height_m[:, None]], axis=1)
        moved = new_from_old.apply(points)
        self.state[:, :2], self.height_m = moved[:, :2], moved[:, 2].copy()
        self.state[:, 2] = wrap_angle(self.state[:, 2] + yaw)
        rotation = np.broadcast_to(np.eye(STATES), self.covariance.shape).copy()
        rotation[:, :2, :2] = turn
        straight = ~self.turns
        rotation[straight, 3:5, 3:5] = turn
        self.state[straight, 3:5] = self.state[straight, 3:5] @ turn.T
        self.covariance = rotation @ self.covariance @ rotation.transpose(0, 2, 1)

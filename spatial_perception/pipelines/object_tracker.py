"""Objects that keep their identity and have a velocity, from boxes scan by scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import Detections3D, LabelSet, Pose, Tracks
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.pipelines.association import (
    AssociationConfig,
    Candidates,
    assign,
    association_cost,
    bev,
    doubled,
    merged,
)
from spatial_perception.pipelines.class_evidence import LIDAR_CONFUSION, likelihoods, probability
from spatial_perception.pipelines.measured import LONG_CLASSES, MOTION_MODELS, OTHER_MODEL, Seen
from spatial_perception.pipelines.motion import MAX_YAW_RATE_RADPS, MotionModel, predict, update
from spatial_perception.pipelines.track_bank import NO_ID, TrackBank
from spatial_perception.pipelines.track_birth import newborn
from spatial_perception.pipelines.track_class import moving_evidence, speed_evidence
from spatial_perception.pipelines.track_output import published

_YOUNG_HITS = 8  # detections until the speed of a track is sure
_LONG_GAP_S = 1.0  # between scans: longer ones outlast tracks whose lifetime is shorter
_LASTING_ERROR = 2.0  # of boxes of vehicles, in deviations of their noise from scan to scan


@dataclass(frozen=True, slots=True)
class ObjectTrackerConfig:
    """When a track is born, shown and given up, and how pairs are found."""

    birth_log_odds: float = option(
        -1.5, help="of the existence of a new track, before its score counts", range=(-10.0, 10.0)
    )
    birth_score: float = option(0.05, help="a detection below starts no track", range=(0.0, 1.0))
    score_weight: float = option(
        0.4, help="of a detection's log-odds in the existence of its track", range=(0.0, 10.0)
    )
    existence_memory: float = option(
        0.98, help="what of the evidence for existence stays from scan to scan", range=(0.0, 1.0)
    )
    confirm_hits: int = option(
        2, help="and after so many detections, which a velocity takes", range=(1, 100)
    )
    confirm_probability: float = option(
        0.7, help="tracks are published from this probability of existence on", range=(0.0, 1.0)
    )
    death_probability: float = option(
        0.005, help="tracks that are less probable are forgotten", range=(0.0, 1.0)
    )
    detection_probability: float = option(
        0.5, help="how often the detector finds what is there", range=(0.01, 0.99)
    )
    lifetime_s: float = option(
        1.5,
        help="a track is forgotten this long after its last detection",
        unit="s",
        range=(0.0, 60.0),
    )
    publish_s: float = option(
        0.5, help="and no longer published this long after it", unit="s", range=(0.0, 60.0)
    )
    size_gain: float = option(
        0.1, help="weight of a new measurement of the size, once settled", range=(0.0, 1.0)
    )
    class_memory: float = option(
        0.95, help="what of the evidence for a class stays from scan to scan", range=(0.0, 1.0)
    )
    flip_votes: float = option(
        4.0, help="so many detections more turn front and back", range=(0.5, 100.0)
    )
    turn_speed_mps: float = option(
        1.5,
        help="who drives backwards faster than this has its front at the back",
        unit="m/s",
        range=(0.1, 50),
    )
    association: AssociationConfig = option(
        default_factory=AssociationConfig, help="pairs of tracks and detections"
    )


class ObjectTracker:
    """Follows boxes over time in a frame that does not move.

    Args:
        config: births, deaths and pairs.
    """

    def __init__(self, config: ObjectTrackerConfig) -> None:
        self._config = config
        self._labels = LabelSet(())
        self._bank = TrackBank.empty(0)
        self._models: list[MotionModel] = []
        self._is_long = np.zeros(0, bool)
        self._stamp_ns: int | None = None
        self._next_id = 1

    @property
    def stamp_ns(self) -> int | None:
        """Stamp of the newest detections, None before the first."""
        return self._stamp_ns

    def reset(self) -> None:
        """Forgets all tracks; their ids stay taken."""
        self._bank = TrackBank.empty(len(self._labels))
        self._stamp_ns = None

    @property
    def count(self) -> int:
        """How many tracks there are, published or not."""
        return len(self._bank)

    def move(self, new_from_old: Pose) -> None:
        """Keeps the tracks where they are while the frame that they are in changes."""
        self._bank.move(new_from_old)

    def loosen(self, speed_mps: float) -> None:
        """Makes all velocities less certain, because they now count from something else."""
        self._bank.covariance[:, 3, 3] += speed_mps**2
        straight = ~self._bank.turns
        self._bank.covariance[straight, 4, 4] += speed_mps**2

    def __call__(
        self,
        detections: Detections3D,
        sensor_m: np.ndarray | None = None,
        is_fixed: bool = True,
    ) -> Tracks:
        """Returns the objects at the time of the detections, those not seen in them predicted.

        Args:
            detections: in the frame of the tracks, newer than the ones before.
            sensor_m: (3,) where they were seen from, in that frame; its origin where None.
            is_fixed: False where the frame moves with the vehicle: then speeds are relative
                and do not tell front from back.
        """
        self._take_labels(detections.label_set)
        detections = detections.usable().relabelled(self._labels)
        elapsed_s = 0.0
        if self._stamp_ns is not None:
            elapsed_s = (detections.header.stamp_ns - self._stamp_ns) / NS_PER_S
        self._stamp_ns = detections.header.stamp_ns
        origin_m = np.zeros(2) if sensor_m is None else np.asarray(sensor_m[:2], np.float64)
        if elapsed_s > max(self._config.lifetime_s, _LONG_GAP_S):
            self._bank = self._bank.kept(np.zeros(self.count, bool))
        found = merged(detections, self._is_long)
        self._predict(elapsed_s)
        seen = Seen.of(found, origin_m, self._models, self._confusion, self._config.score_weight)
        self._bank.existence *= self._config.existence_memory
        rows, columns = self._pairs(seen, elapsed_s)
        self._hit(rows, columns, seen, is_fixed)
        self._miss(rows)
        self._turn_around(is_fixed)
        self._bear(columns, seen)
        self._forget()
        return self._published(detections, is_fixed)

    def _take_labels(self, labels: LabelSet) -> None:
        """Adds new classes to those so far: messages of others list the classes they hold."""
        try:
            joined = self._labels.joined(labels)
        except ValueError:  # too many: what names each object anew is no class
            joined, self._bank = labels, TrackBank.empty(len(labels))
        if joined != self._labels:
            self._labels = joined
            self._models = [MOTION_MODELS.get(name, OTHER_MODEL) for name in joined.names]
            self._confusion = likelihoods(LIDAR_CONFUSION, joined, joined)
            self._is_long = np.array([name in LONG_CLASSES for name in joined.names], bool)
            self._bank = self._bank.widened(len(joined))

    def _predict(self, elapsed_s: float) -> None:
        bank = self._bank
        if not len(bank) or elapsed_s <= 0:
            return
        noise = np.array([(m.acceleration_mps2, m.yaw_acceleration_radps2) for m in self._models])
        noise = noise[bank.class_logs.argmax(axis=1)]
        bank.state, bank.covariance = predict(
            bank.state, bank.covariance, bank.turns, noise, elapsed_s
        )

    def _pairs(self, seen: Seen, elapsed_s: float) -> tuple[np.ndarray, np.ndarray]:
        bank = self._bank
        if not len(bank) or not len(seen.detections):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        tracks = Candidates(bank.state[:, :2], bank.state[:, 2], bank.sizes_lwh_m, bank.classes())
        allowed = np.where(bank.turns, _LASTING_ERROR**2, 1.0)[:, None, None]
        spread = bank.covariance[:, :2, :2] + allowed * seen.noise[:, :2, :2].mean(axis=0)
        gap_s = max(elapsed_s, 0.0)
        return assign(
            association_cost(tracks, seen.candidates, spread, gap_s, self._config.association)
        )

    def _hit(self, rows: np.ndarray, columns: np.ndarray, seen: Seen, is_fixed: bool) -> None:
        bank, config = self._bank, self._config
        if not len(rows):
            return
        measured = seen.measured[columns]
        young = bank.hits[rows] < _YOUNG_HITS
        bank.state[rows], bank.covariance[rows] = update(
            bank.state[rows], bank.covariance[rows], measured, seen.noise[columns], young
        )
        turning = rows[bank.turns[rows]]
        bank.state[turning, 4] = np.clip(
            bank.state[turning, 4], -MAX_YAW_RATE_RADPS, MAX_YAW_RATE_RADPS
        )
        bank.hits[rows] += 1
        bank.newest_ns[rows] = seen.detections.header.stamp_ns
        gain = np.maximum(1.0 / bank.hits[rows], config.size_gain)
        sizes = seen.candidates.sizes_lwh_m[columns]
        bank.sizes_lwh_m[rows] += gain[:, None] * (sizes - bank.sizes_lwh_m[rows])
        height = seen.detections.centers_m[columns, 2]
        bank.height_m[rows] += np.maximum(gain, 0.3) * (height - bank.height_m[rows])
        bank.class_logs[rows] = config.class_memory * bank.class_logs[rows] + np.log(
            seen.candidates.classes[columns]
        )
        if is_fixed:
            bank.class_logs[rows] += speed_evidence(bank.kept(rows), self._models)
        facing = np.cos(measured[:, 2] - bank.state[rows, 2])
        votes = bank.heading_votes[rows] + np.sign(facing) * seen.scores[columns]
        bank.heading_votes[rows] = np.clip(votes, -config.flip_votes, 2 * config.flip_votes)
        bank.existence[rows] += seen.evidence[columns]
        turns = np.array([model.turns for model in self._models])
        bank.follow(turns[bank.class_logs.argmax(axis=1)])

    def _miss(self, rows: np.ndarray) -> None:
        bank = self._bank
        missed = ~np.isin(np.arange(len(bank)), rows)
        bank.existence[missed] += np.log(1 - self._config.detection_probability)

    def _turn_around(self, is_fixed: bool) -> None:
        """Puts the front where an object drives to, or where most detections have seen it."""
        bank, config = self._bank, self._config
        backward = bank.heading_votes <= -config.flip_votes
        if is_fixed:
            sigma = np.sqrt(bank.covariance[:, 3, 3])
            speed = bank.state[:, 3]
            sure = bank.turns & (np.abs(speed) > np.maximum(config.turn_speed_mps, 2 * sigma))
            backward = np.where(sure, speed < 0, backward)
        if backward.any():
            bank.turn_around(backward)

    def _bear(self, taken: np.ndarray, seen: Seen) -> None:
        """Starts tracks from detections that no track explains."""
        free = np.ones(len(seen.detections), bool)
        free[taken] = False
        free &= seen.detections.scores >= self._config.birth_score
        if free.any() and len(self._bank):
            explained, _, _ = doubled(bev(seen.detections), self._bank.boxes_bev())
            free[explained] = False
        index = np.flatnonzero(free)
        if not len(index):
            return
        born = newborn(seen, index, self._models, self._config.birth_log_odds)
        self._bank = self._bank.joined(born)

    def _forget(self) -> None:
        """Drops tracks that are improbable, not seen for long, or doubles of another one."""
        bank, config = self._bank, self._config
        age_s = (self._newest() - bank.newest_ns) / NS_PER_S
        alive = probability(bank.existence) >= config.death_probability
        alive &= age_s <= config.lifetime_s
        rank = bank.existence + 0.01 * np.minimum(bank.hits, 1000) - 10.0 * age_s
        rows, columns, _ = doubled(bank.boxes_bev())
        alive[np.where(rank[rows] > rank[columns], columns, rows)] = False
        if not alive.all():
            self._bank = bank.kept(alive)

    def _newest(self) -> int:
        return 0 if self._stamp_ns is None else self._stamp_ns

    def _published(self, detections: Detections3D, is_fixed: bool) -> Tracks:
        bank, config = self._bank, self._config
        moving = moving_evidence(bank, self._is_long) if is_fixed else 0.0
        existing = probability(bank.existence + moving)
        age_s = (self._newest() - bank.newest_ns) / NS_PER_S
        shown = (existing >= config.confirm_probability) & (age_s <= config.publish_s)
        shown &= bank.hits >= config.confirm_hits
        unnamed = np.flatnonzero(shown & (bank.ids == NO_ID))
        bank.ids[unnamed] = self._next_id + np.arange(len(unnamed))
        self._next_id += len(unnamed)
        bank = bank.kept(shown)
        return published(bank, existing[shown], detections.header, detections.label_set)

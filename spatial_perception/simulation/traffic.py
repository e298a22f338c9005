"""Who is on the street: parked rows, moving and waiting traffic, people and riders."""

from collections.abc import Iterable

import numpy as np

from spatial_perception.simulation.actors import Actor, make_actor
from spatial_perception.simulation.features import ALL_FEATURES, SceneFeatures
from spatial_perception.simulation.ground import Ground

_CAR_RADIUS_M = 1.15
_EGO_CLEAR_M = 5.5
_LANE_KINDS = ("car", "truck", "cyclist")
_LANE_SHARES = (0.87, 0.10, 0.03)
_BALANCED_SHARES = (0.78, 0.17, 0.05)
"""Of standing scenes, which train a detector: what is rare on the road must not be rare there."""


class TrafficBuilder:
    """Places actors so that they do not overlap.

    Args:
        ground: the street.
        rng: draws everything.
        ego_d_m: lane of the ego vehicle, which stands at s = 0.
        flowing: whether traffic moves (for a drive).
        reach_m: nobody is placed farther than this from s in [low, high].
        features: what the actors are like.
    """

    def __init__(
        self,
        ground: Ground,
        rng: np.random.Generator,
        ego_d_m: float,
        flowing: bool,
        reach_m: tuple[float, float],
        features: SceneFeatures = ALL_FEATURES,
    ) -> None:
        self._ground, self._plan, self._rng = ground, ground.plan, rng
        self._flowing, self._reach = flowing, reach_m
        self._ego_d, self._features = ego_d_m, features
        self._shares = _LANE_SHARES if flowing else _BALANCED_SHARES
        # Circles (s, d, radius) that are taken.
        self._taken = np.array([[x, ego_d_m, 1.6] for x in (-2.5, -1, 0.5, 2, 3.5)])
        self._actors: list[Actor] = []

    def build(self, ego_speed_mps: float) -> list[Actor]:
        """All actors."""
        self._lanes(ego_speed_mps)
        self._side_streets()
        self._parking()
        self._lots()
        self._people()
        self._riders()
        return self._actors

    def _add(
        self, kind: str, s: float, d: float, yaw: float, speed: float = 0.0, slack_m: float = 0.0
    ) -> bool:
        if not self._reach[0] < s < self._reach[1]:
            return False
        seed = int(self._rng.integers(2**31))
        actor = make_actor(kind, s, d, yaw, speed, seed, self._features)
        circles = self._circles(actor, slack_m)
        gap = np.hypot(*(circles[:, None, :2] - self._taken[None, :, :2]).transpose(2, 0, 1))
        if (gap < circles[:, None, 2] + self._taken[None, :, 2]).any():
            return False
        self._taken = np.concatenate([self._taken, circles])
        self._actors.append(actor)
        return True

    @staticmethod
    def _circles(actor: Actor, slack_m: float) -> np.ndarray:
        length, width, _ = actor.size_lwh_m
        radius = width / 2 + 0.05 + slack_m
        reach = max(length / 2 - radius * 0.8, 0.0)
        along = np.linspace(-reach, reach, max(1, int(np.ceil(length / max(width, 0.5)))))
        return np.stack(
            [
                actor.s_m + along * np.cos(actor.yaw_rad),
                actor.d_m + along * np.sin(actor.yaw_rad),
                np.full(len(along), radius),
            ],
            1,
        )

    def _lanes(self, ego_speed_mps: float) -> None:
        """Rows of vehicles in every lane; those of one lane go at one speed."""
        rng, plan = self._rng, self._plan
        for side in (1, -1):
            for lane in range(plan.lanes):
                d = plan.lane_center_m(lane, side)
                own = side < 0 and abs(d - self._ego_d) < 1.0
                speed = ego_speed_mps if own else float(rng.uniform(5, 14))
                speed = speed if self._flowing else 0.0
                gap = float(np.exp(rng.uniform(np.log(9), np.log(160))))
                s = self._reach[0] + float(rng.uniform(0, gap))
                while s < self._reach[1]:
                    kind = str(rng.choice(_LANE_KINDS, p=self._shares))
                    yaw = 0.0 if side < 0 else np.pi
                    if abs(s) > _EGO_CLEAR_M + (7 if kind == "truck" else 1) or not own:
                        self._add(
                            kind,
                            s,
                            d + float(rng.normal(0, 0.15)),
                            yaw + float(rng.normal(0, 0.02)) * (not self._flowing),
                            speed,
                        )
                    s += gap * float(rng.uniform(0.75, 1.9)) + (6.0 if kind == "truck" else 0.0)

    def _side_streets(self) -> None:
        """Vehicles that wait, come or turn at junctions, and cars parked along side streets."""
        rng, plan = self._rng, self._plan
        for junction in plan.junctions:
            half = junction.half_width_m
            for side in (1, -1):
                edge = plan.road_half_m(side)
                for _ in range(int(rng.poisson(1.6))):
                    inbound = rng.random() < 0.5
                    yaw = -side * np.pi / 2 if inbound else side * np.pi / 2
                    lane = junction.at_m + side * half / 2 * (-1 if inbound else 1)
                    d = side * (edge + float(rng.uniform(2.5, 40)))
                    kind = str(rng.choice(["car", "truck", "cyclist"], p=[0.86, 0.07, 0.07]))
                    self._add(
                        kind, lane + float(rng.normal(0, 0.2)), d, yaw + float(rng.normal(0, 0.05))
                    )
                if half > 4.6 and rng.random() < 0.6:
                    for d in np.arange(edge + 8, edge + 45, float(rng.uniform(5.4, 8))):
                        if rng.random() < 0.7:
                            where = junction.at_m + float(rng.choice([-1, 1])) * (half - 1.05)
                            self._add(
                                "car",
                                where,
                                side * float(d),
                                float(rng.choice([-1, 1])) * np.pi / 2,
                            )
            if not self._flowing and rng.random() < 0.4:
                self._add(
                    "car",
                    junction.at_m + float(rng.uniform(-3, 3)),
                    float(rng.uniform(-4, 4)),
                    float(rng.uniform(-np.pi, np.pi)),
                )

    def _parking(self) -> None:
        """Rows of parked vehicles along the kerb."""
        rng, plan = self._rng, self._plan
        for side in (1, -1):
            kind = plan.parking[side < 0]
            if kind == "none":
                if rng.random() < 0.25 and not self._flowing:
                    self._row(side, plan.road_half_m(side) + 0.4, 6.0, 0.25, 0.0)
                continue
            share = float(rng.uniform(0.1, 0.9))
            center = plan.road_half_m(side) - plan.parking_width_m(side) / 2
            if kind == "parallel":
                self._row(side, center, float(rng.uniform(5.2, 6.4)), share, 0.0)
            else:
                turn = float(rng.choice([np.pi / 2, np.pi / 2, np.pi / 3]))
                self._row(side, center, 2.5 / float(np.sin(turn)), share, turn)

    def _row(self, side: int, center_m: float, pitch_m: float, share: float, turn: float) -> None:
        rng, plan = self._rng, self._plan
        s = self._reach[0]
        while s < self._reach[1]:
            s += pitch_m * float(rng.uniform(0.98, 1.12))
            if rng.random() > share or plan.in_junction(np.array([s]), 4.0)[0]:
                continue
            forward = 0.0 if side < 0 else np.pi
            if turn:
                forward = side * turn
            if rng.random() < (0.5 if turn else 0.1):
                forward += np.pi
            kind = "truck" if not turn and rng.random() < 0.4 * self._shares[1] else "car"
            self._add(
                kind,
                s,
                side * (center_m + float(rng.normal(0, 0.12))),
                forward + float(rng.normal(0, 0.025)),
            )

    def _lots(self) -> None:
        """Cars on parking lots, driveways and yards, trucks at the yards."""
        rng, plan = self._rng, self._plan
        for block in plan.blocks:
            edge = plan.road_half_m(block.side) + plan.sidewalk_m
            if block.use == "lot":
                share = float(rng.uniform(0.1, 0.8))
                for row in np.arange(edge + 3.5, edge + 35, float(rng.uniform(7, 11))):
                    for s in np.arange(block.start_m + 2, block.end_m - 2, 2.65):
                        if rng.random() < share:
                            self._add(
                                "car",
                                float(s),
                                block.side * (float(row) + float(rng.normal(0, 0.2))),
                                float(rng.choice([-1, 1])) * np.pi / 2 + float(rng.normal(0, 0.03)),
                            )
            elif block.use == "yard":
                for _ in range(int(rng.integers(0, 5))):
                    self._anywhere(
                        block.start_m,
                        block.end_m,
                        block.side,
                        edge + 3,
                        edge + 6,
                        "truck" if rng.random() < 0.5 else "car",
                    )
            elif block.use == "houses":
                for _ in range(int(rng.integers(0, 3))):
                    s = float(rng.uniform(block.start_m, block.end_m))
                    self._add(
                        "car",
                        s,
                        block.side * (edge + float(rng.uniform(2.6, 3.2))),
                        float(rng.choice([-1, 1])) * np.pi / 2,
                    )

    def _anywhere(
        self, s0: float, s1: float, side: int, low_m: float, high_m: float, kind: str
    ) -> None:
        rng = self._rng
        yaw = float(rng.choice([0, np.pi / 2, np.pi])) + float(rng.normal(0, 0.1))
        self._add(kind, float(rng.uniform(s0, s1)), side * float(rng.uniform(low_m, high_m)), yaw)

    def _people(self) -> None:
        """People alone, in groups and in crowds on pavements and squares, some crossing."""
        rng, plan = self._rng, self._plan
        groups = int(rng.poisson(np.exp(rng.uniform(np.log(2.5), np.log(26)))))
        for _ in range(groups):
            side = int(rng.choice([-1, 1]))
            road = plan.road_half_m(side)
            s = float(rng.triangular(self._reach[0], 5.0, self._reach[1]))
            d = road + float(
                rng.uniform(0.4, plan.sidewalk_m + (8.0 if rng.random() < 0.25 else 0))
            )
            if rng.random() < 0.12 and not self._flowing:
                d = float(rng.uniform(-road, road))
            heading = float(rng.choice([0.0, np.pi])) + float(rng.normal(0, 0.15))
            if rng.random() < 0.25:
                heading = float(rng.uniform(-np.pi, np.pi))
            walks = self._flowing and rng.random() < 0.75
            speed = float(rng.uniform(0.9, 1.7)) if walks else 0.0
            if speed:
                heading = float(round(heading / np.pi)) * np.pi
            for member in self._members(
                int(rng.choice([1, 2, 3, 5, 9], p=[0.55, 0.25, 0.1, 0.07, 0.03]))
            ):
                turn = 0.0 if speed else float(rng.normal(0, 0.6))
                self._add("pedestrian", s + member[0], side * d + member[1], heading + turn, speed)

    def _members(self, count: int) -> Iterable[np.ndarray]:
        offsets: np.ndarray = self._rng.normal(0, 0.45 + 0.16 * count, (count, 2))
        offsets[0] = 0.0
        return offsets

    def _riders(self) -> None:
        """Cyclists and motorcyclists along the kerb, on pavements and at the lights."""
        rng, plan = self._rng, self._plan
        fewest, most = (0.8, 9.0) if self._flowing else (1.5, 16.0)
        for _ in range(int(rng.poisson(np.exp(rng.uniform(np.log(fewest), np.log(most)))))):
            side = int(rng.choice([-1, 1]))
            edge = plan.lanes * plan.lane_width_m
            d = side * (edge + float(rng.uniform(*((-0.3, 0.0) if self._flowing else (-1.3, 0.1)))))
            if rng.random() < 0.35:
                d = side * (plan.road_half_m(side) + float(rng.uniform(0.5, plan.sidewalk_m)))
            yaw = 0.0 if (side < 0) == (rng.random() < 0.9) else np.pi
            speed = float(rng.uniform(3, 7)) if self._flowing else 0.0
            if not speed:
                yaw += float(rng.normal(0, 0.15))
            self._add("cyclist", float(rng.uniform(*self._reach)), d, yaw, speed)

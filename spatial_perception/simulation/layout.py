"""The plan of a street: lanes, parking, pavements, junctions, and what lies beside it."""

from dataclasses import dataclass

import numpy as np

from spatial_perception.simulation.materials import Surface

LAND_USES = ("blocks", "houses", "park", "lot", "field", "yard", "square")
_LAND_SURFACE = {
    "blocks": Surface.PAVING,
    "houses": Surface.GRASS,
    "park": Surface.GRASS,
    "lot": Surface.ASPHALT,
    "field": Surface.GRASS,
    "yard": Surface.ASPHALT,
    "square": Surface.PAVING,
}


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of land on one side of the street between two junctions or neighbours."""

    side: int
    """+1 left (d > 0), -1 right."""
    start_m: float
    end_m: float
    use: str

    @property
    def surface(self) -> Surface:
        """What its ground is made of."""
        return _LAND_SURFACE[self.use]


@dataclass(frozen=True, slots=True)
class Junction:
    """A side street that crosses at right angles."""

    at_m: float
    half_width_m: float


@dataclass(frozen=True, slots=True, eq=False)
class StreetPlan:
    """A street in its own coordinates: s along it, d to the left of its middle, metres.

    Traffic keeps to the right: towards +s at d < 0.
    """

    start_m: float
    end_m: float
    lanes: int
    lane_width_m: float
    parking: tuple[str, str]
    """Left and right: none, parallel, perpendicular."""
    sidewalk_m: float
    setback_m: tuple[float, float]
    """From the pavement's outer edge to the buildings, left and right."""
    kerb_m: float
    junctions: tuple[Junction, ...]
    blocks: tuple[Block, ...]

    def parking_width_m(self, side: int) -> float:
        """Width of the parking strip on a side."""
        return {"none": 0.0, "parallel": 2.15, "perpendicular": 5.0}[self.parking[side < 0]]

    def road_half_m(self, side: int) -> float:
        """From the middle to the kerb."""
        return self.lanes * self.lane_width_m + self.parking_width_m(side) + 0.15

    def lane_center_m(self, lane: int, side: int) -> float:
        """d of the middle of a lane; lane 0 is the innermost."""
        return side * (lane + 0.5) * self.lane_width_m

    def front_m(self, side: int) -> float:
        """|d| where buildings begin."""
        return self.road_half_m(side) + self.sidewalk_m + self.setback_m[side < 0]

    def in_junction(self, s: np.ndarray, margin_m: float = 0.0) -> np.ndarray:
        """Whether each s lies in the mouth of a side street, widened by a margin."""
        inside = np.zeros(np.shape(s), bool)
        for junction in self.junctions:
            inside |= np.abs(np.asarray(s) - junction.at_m) < junction.half_width_m + margin_m
        return inside


def sample_plan(rng: np.random.Generator, start_m: float, end_m: float) -> StreetPlan:
    """A street drawn at random between two positions."""
    style = rng.dirichlet([1.0, 1.5, 0.9, 0.25, 0.5, 0.3, 0.3])
    sidewalk = float(rng.uniform(1.2, 4.0))
    junctions = _sample_junctions(rng, start_m, end_m)
    parking = tuple(
        str(rng.choice(["none", "parallel", "perpendicular"], p=[0.50, 0.39, 0.11]))
        for _ in range(2)
    )
    return StreetPlan(
        start_m=start_m,
        end_m=end_m,
        lanes=1 if rng.random() < 0.72 else 2,
        lane_width_m=float(rng.uniform(2.7, 3.7)),
        parking=(parking[0], parking[1]),
        sidewalk_m=sidewalk,
        setback_m=(float(rng.uniform(0, 9)), float(rng.uniform(0, 9))),
        kerb_m=float(rng.uniform(0.02, 0.17)),
        junctions=junctions,
        blocks=tuple(
            block
            for side in (1, -1)
            for block in _sample_blocks(rng, side, start_m, end_m, junctions, sidewalk, style)
        ),
    )


def _sample_junctions(
    rng: np.random.Generator, start_m: float, end_m: float
) -> tuple[Junction, ...]:
    junctions = []
    s = start_m + float(rng.uniform(10, 70))
    while s < end_m - 15:
        junctions.append(Junction(s, float(rng.uniform(2.8, 6.5))))
        s += float(rng.uniform(40, 150))
    return tuple(junctions)


def _sample_blocks(
    rng: np.random.Generator,
    side: int,
    start_m: float,
    end_m: float,
    junctions: tuple[Junction, ...],
    sidewalk_m: float,
    style: np.ndarray,
) -> list[Block]:
    stops = [start_m]
    for junction in junctions:
        margin = junction.half_width_m + sidewalk_m
        stops += [junction.at_m - margin, junction.at_m + margin]
    stops.append(end_m)
    blocks = []
    for low, high in zip(stops[0::2], stops[1::2], strict=True):
        s = low
        while high - s > 6:
            end = min(high, s + float(rng.uniform(22, 70)))
            if high - end < 10:
                end = high
            blocks.append(Block(side, s, end, str(rng.choice(LAND_USES, p=style))))
            s = end
    return blocks

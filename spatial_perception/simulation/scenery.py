"""What stands beside the road: each land use filled with buildings, plants and furniture."""

from collections.abc import Callable

import numpy as np

from spatial_perception.simulation import buildings, meshes, signs, street_furniture, vegetation
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.layout import Block
from spatial_perception.simulation.meshes import Mesh
from spatial_perception.simulation.two_wheelers import bike_rack

Build = Callable[[np.random.Generator], Mesh]
_PLANTS = 16
"""Different trees and bushes of a street; each that is planted is stretched in its own way."""


def _stretched(plant: Mesh, rng: np.random.Generator) -> Mesh:
    wide, high = rng.uniform(0.75, 1.3, 2), float(rng.uniform(0.75, 1.25))
    return plant.placed(yaw_rad=float(rng.uniform(0, 2 * np.pi))).placed(scale=(*wide, high))


class SceneryBuilder:
    """Collects the meshes of a street's surroundings in the world.

    Args:
        ground: what everything stands on.
        rng: draws everything.
        clutter: whether there is more than buildings.
    """

    def __init__(self, ground: Ground, rng: np.random.Generator, clutter: bool = True) -> None:
        self._ground, self._rng, self._clutter = ground, rng, clutter
        self._upright: list[Mesh] = []
        self._draped: list[Mesh] = []
        self._trees = [vegetation.tree(rng) for _ in range(_PLANTS)]
        self._bushes = [vegetation.bush(rng) for _ in range(_PLANTS)]

    def build(self) -> Mesh:
        """All scenery of the street's plan as one mesh in the world."""
        for block in self._ground.plan.blocks:
            getattr(self, f"_fill_{block.use}")(block)
            self._kerbside(block)
        for junction in self._ground.plan.junctions:
            self._corners(junction.at_m, junction.half_width_m)
        draped = self._ground.drape(meshes.merge(self._draped * self._clutter))
        return meshes.merge([*self._upright, draped])

    def _tree(self, rng: np.random.Generator) -> Mesh:
        return _stretched(self._trees[int(rng.integers(_PLANTS))], rng)

    def _bush(self, rng: np.random.Generator) -> Mesh:
        return _stretched(self._bushes[int(rng.integers(_PLANTS))], rng)

    def _stand(self, mesh: Mesh, s: float, d: float, yaw_rad: float = 0.0) -> None:
        """Something upright with its foot at (s, d)."""
        if self._clutter:
            position, yaw = self._ground.pose(s, d, yaw_rad)
            self._upright.append(mesh.placed(position, yaw))

    def _along(self, mesh: Mesh, s: float, d: float, across: bool = False) -> None:
        """Something long that follows the ground, along the street or across it."""
        self._draped.append(mesh.placed((s, d, 0), np.pi / 2 if across else 0.0))

    def _scatter(self, build: Build, block: Block, count: int, low_m: float, high_m: float) -> None:
        """Things strewn over a block between two distances from the middle of the road."""
        for _ in range(count):
            s = float(self._rng.uniform(block.start_m + 0.5, block.end_m - 0.5))
            d = block.side * float(self._rng.uniform(low_m, high_m))
            if not self._ground.is_road(np.array([s]), np.array([d]))[0]:
                self._stand(build(self._rng), s, d, float(self._rng.uniform(0, 2 * np.pi)))

    def _house(
        self, block: Block, s: float, front: float, size: tuple[float, float, float]
    ) -> None:
        length, depth, height = size
        pitched = self._rng.random() < (0.75 if height < 9 else 0.35)
        mesh = buildings.building(self._rng, length, depth, height, pitched)
        v = mesh.vertices.astype(np.float64)
        v[:, 0] += s
        v[:, 1] = block.side * (v[:, 1] + front)
        feet = np.array([s, s + length])
        base = float(self._ground.height(feet, np.full(2, block.side * front)).mean())
        self._upright.append(self._ground.warp(mesh.with_vertices(v), base))

    def _front(self, block: Block) -> float:
        return self._ground.plan.front_m(block.side)

    def _edge(self, block: Block) -> float:
        plan = self._ground.plan
        return plan.road_half_m(block.side) + plan.sidewalk_m

    def _fill_blocks(self, block: Block) -> None:
        rng, s = self._rng, block.start_m + 0.3
        front = self._front(block)
        while block.end_m - s > 5:
            length = min(float(rng.uniform(7, 24)), block.end_m - s - 0.2)
            step = float(rng.choice([0.0, 0.0, rng.uniform(-0.8, 3.0)]))
            depth = float(rng.uniform(8, 16))
            self._house(
                block,
                s,
                max(front + step, self._edge(block) + 0.2),
                (length, depth, float(rng.uniform(5, 19))),
            )
            s += length
            if rng.random() < 0.2:
                gap = float(rng.uniform(2.0, 7))
                self._line(block, s, min(s + gap, block.end_m), front + 0.2)
                s += gap
        if front - self._edge(block) > 2.5:
            self._scatter(
                self._bush, block, int(rng.integers(0, 18)), self._edge(block) + 1, front - 1
            )
            self._scatter(
                self._tree, block, int(rng.integers(0, 5)), self._edge(block) + 1, front - 1
            )
        self._scatter(self._tree, block, int(rng.integers(0, 3)), front + 18, front + 35)

    def _line(self, block: Block, s0: float, s1: float, d: float) -> None:
        """A fence, wall, hedge or hedge with fence along the street."""
        rng, length = self._rng, s1 - s0
        if length < 1.0:
            return
        kind = rng.choice(5, p=[0.2, 0.2, 0.36, 0.2, 0.04])
        if kind in (0, 3):
            self._along(street_furniture.fence(rng, length), s0, block.side * d)
        if kind == 1:
            self._along(street_furniture.wall(rng, length), s0, block.side * d)
        if kind in (2, 3):
            self._along(vegetation.hedge(rng, length), s0, block.side * (d + 0.5))
        if kind == 4:
            self._along(street_furniture.barrier(rng, length), s0, block.side * d)

    def _fill_houses(self, block: Block) -> None:
        rng, s = self._rng, block.start_m
        edge = self._edge(block)
        if rng.random() < 0.6:
            self._thicket(block)
        front = max(self._front(block), edge + float(rng.uniform(2, 7)))
        while block.end_m - s > 8:
            plot = min(float(rng.uniform(11, 22)), block.end_m - s)
            length = min(float(rng.uniform(7, 13)), plot - 2)
            self._house(
                block,
                s + (plot - length) * float(rng.random()),
                front + float(rng.uniform(0, 3)),
                (length, float(rng.uniform(7, 11)), float(rng.uniform(3.0, 7.5))),
            )
            gate = float(rng.uniform(2.5, 4.5))
            if rng.random() < 0.75:
                self._line(block, s, s + plot - gate, edge + 0.3)
            if rng.random() < 0.6:
                build = vegetation.hedge if rng.random() < 0.5 else street_furniture.fence
                d = edge + 0.5 if block.side > 0 else -(edge + 0.5) - front
                self._along(build(rng, front), s, d, across=True)
            garden = Block(block.side, s, s + plot, "houses")
            self._scatter(self._bush, garden, int(rng.integers(0, 14)), edge + 1, front)
            self._scatter(self._tree, garden, int(rng.integers(0, 3)), edge + 1.5, front)
            self._scatter(self._tree, garden, int(rng.integers(0, 3)), front + 12, front + 30)
            s += plot

    def _fill_park(self, block: Block) -> None:
        rng, edge, length = self._rng, self._edge(block), block.end_m - block.start_m
        if rng.random() < 0.5:
            self._thicket(block)
        if rng.random() < 0.5:
            self._line(block, block.start_m, block.end_m, edge + 0.4)
        self._scatter(
            self._tree, block, int(length * rng.uniform(0.1, 0.35)), edge + 1.5, edge + 45
        )
        self._scatter(self._bush, block, int(length * rng.uniform(0.1, 0.5)), edge + 1, edge + 35)
        self._scatter(street_furniture.bench, block, int(rng.integers(0, 4)), edge + 1, edge + 15)
        self._tufts(block, edge + 0.5, edge + 25, int(length * rng.uniform(0, 20)))

    def _thicket(self, block: Block) -> None:
        """A band of high bushes and trees along the road."""
        rng, near = self._rng, self._edge(block) + float(self._rng.uniform(1, 9))
        deep, scale = float(rng.uniform(2, 7)), float(rng.uniform(1.0, 2.4))
        count = int((block.end_m - block.start_m) * deep * rng.uniform(0.08, 0.3) / scale)
        self._scatter(lambda r: self._bush(r).placed(scale=scale), block, count, near, near + deep)
        self._scatter(self._tree, block, count // 4, near + 1, near + deep + 2)

    def _fill_field(self, block: Block) -> None:
        rng, edge, length = self._rng, self._edge(block), block.end_m - block.start_m
        if rng.random() < 0.5:
            self._thicket(block)
        if rng.random() < 0.5:
            self._line(block, block.start_m, block.end_m, edge + 0.5)
        self._scatter(self._bush, block, int(rng.integers(0, 12)), edge + 1, edge + 30)
        self._scatter(self._tree, block, int(rng.integers(0, 6)), edge + 2, edge + 60)
        self._tufts(block, edge + 0.3, edge + 30, int(length * rng.uniform(5, 30)))

    def _tufts(self, block: Block, low_m: float, high_m: float, count: int) -> None:
        s = self._rng.uniform(block.start_m, block.end_m, count)
        d = block.side * self._rng.uniform(low_m, high_m, count)
        self._draped.append(vegetation.grass_tufts(self._rng, np.stack([s, d, np.zeros(count)], 1)))

    def _fill_lot(self, block: Block) -> None:
        rng, edge = self._rng, self._edge(block)
        if rng.random() < 0.6:
            self._line(block, block.start_m, block.end_m - 5, edge + 0.3)
        self._scatter(self._tree, block, int(rng.integers(0, 4)), edge + 1, edge + 30)
        self._scatter(street_furniture.pole, block, int(rng.integers(0, 4)), edge + 1, edge + 30)
        if block.end_m - block.start_m > 14 and rng.random() < 0.6:
            self._house(
                block,
                block.start_m + 2,
                edge + 38,
                (block.end_m - block.start_m - 4, 15, float(rng.uniform(4, 9))),
            )

    def _fill_yard(self, block: Block) -> None:
        rng, edge = self._rng, self._edge(block)
        length = block.end_m - block.start_m
        if rng.random() < 0.7:
            self._line(block, block.start_m, block.end_m - min(8.0, length / 2), edge + 0.3)
        if length > 14:
            self._house(
                block,
                block.start_m + 2,
                edge + float(rng.uniform(6, 22)),
                (length - 4, float(rng.uniform(14, 22)), float(rng.uniform(4, 11))),
            )
        self._scatter(street_furniture.bins, block, int(rng.integers(0, 5)), edge + 1, edge + 12)
        self._scatter(self._bush, block, int(rng.integers(0, 5)), edge + 1, edge + 6)
        if rng.random() < 0.3:
            self._thicket(block)

    def _fill_square(self, block: Block) -> None:
        rng, edge = self._rng, self._edge(block)
        for build, most in (
            (street_furniture.bench, 5),
            (self._tree, 6),
            (street_furniture.column, 6),
            (street_furniture.pole, 4),
            (street_furniture.bins, 3),
            (street_furniture.shelter, 2),
            (lambda r: bike_rack(r, int(r.integers(3, 9))), 3),
            (self._bush, 4),
        ):
            self._scatter(build, block, int(rng.integers(0, most)), edge + 1, edge + 18)
        if block.end_m - block.start_m > 12 and rng.random() < 0.8:
            self._house(
                block,
                block.start_m + 1,
                edge + float(rng.uniform(12, 24)),
                (block.end_m - block.start_m - 2, 14, float(rng.uniform(6, 18))),
            )

    def _kerbside(self, block: Block) -> None:
        """Lamps, signs, trees, bins, racks, bollards on the pavement."""
        rng, plan = self._rng, self._ground.plan
        road, length = plan.road_half_m(block.side), block.end_m - block.start_m
        kerb = road + 0.45
        face = np.pi if block.side < 0 else 0.0
        if rng.random() < 0.8:
            first = block.start_m + rng.uniform(0, 20)
            for s in np.arange(first, block.end_m, rng.uniform(18, 38)):
                lamp = street_furniture.pole(rng)
                self._stand(lamp, float(s), block.side * kerb, face - np.pi / 2)
        if rng.random() < 0.35:
            for s in np.arange(block.start_m + 3, block.end_m - 2, rng.uniform(6, 14)):
                self._stand(self._tree(rng), float(s), block.side * (kerb + 0.3))
        builds: tuple[tuple[Build, float, float], ...] = (
            (signs.sign, 0.05, face),
            (signs.big_sign, 0.008, face),
            (street_furniture.bins, 0.03, face + np.pi / 2),
            (street_furniture.column, 0.03, face),
            (street_furniture.bench, 0.012, face + np.pi / 2),
            (street_furniture.shelter, 0.006, face - np.pi / 2),
            (lambda r: bike_rack(r, int(r.integers(2, 10))), 0.012, face + np.pi / 2),
            (lambda r: self._bush(r).placed(scale=0.6), 0.06, 0.0),
        )
        for build, per_m, yaw in builds:
            for _ in range(int(rng.poisson(per_m * length))):
                reach = kerb if rng.random() < 0.6 else road + max(plan.sidewalk_m - 0.3, 0.5)
                s = float(rng.uniform(block.start_m, block.end_m))
                self._stand(build(rng), s, block.side * reach, yaw + float(rng.normal(0, 0.12)))
        if rng.random() < 0.1 and length > 8:
            start = float(rng.uniform(block.start_m, block.end_m - 6))
            span = float(rng.uniform(4, min(20, block.end_m - start)))
            self._along(street_furniture.barrier(rng, span), start, block.side * (road + 0.2))

    def _corners(self, at_m: float, half_m: float) -> None:
        """Signs or lights at the four corners of a junction."""
        rng, plan = self._rng, self._ground.plan
        lit = rng.random() < 0.5
        for side in (1, -1):
            for way in (1, -1):
                s = at_m + way * (half_m + 0.7)
                d = side * (plan.road_half_m(side) + 0.7)
                # Faces those who come: on the right of +s traffic it looks towards -s.
                yaw = np.pi if side < 0 else 0.0
                if lit and side * way > 0:
                    self._stand(signs.traffic_light(rng), s, d, yaw)
                elif rng.random() < 0.5:
                    self._stand(signs.sign(rng), s, d, yaw + float(rng.choice([0, np.pi / 2])))

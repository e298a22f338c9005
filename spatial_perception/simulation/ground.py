"""The ground of a street: where it runs, how high it lies, and its mesh."""

import numpy as np

from spatial_perception.simulation.layout import StreetPlan
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh, merge, quads, sheet

_TONES = {
    Surface.ASPHALT: (92, 92, 94),
    Surface.PAVING: (150, 146, 140),
    Surface.KERB: (165, 162, 156),
    Surface.GRASS: (92, 112, 58),
    Surface.GRAVEL: (140, 128, 112),
    Surface.MARKING: (222, 222, 216),
}
_HALF_WIDTH_M = 80.0
_STATION_STEPS = 5


def _waves(s: np.ndarray, d: np.ndarray, numbers: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Sines (..., W) at positions, of W plane waves with (W, 2) wave numbers."""
    angle = s[..., None] * numbers[:, 0] + d[..., None] * numbers[:, 1] + phases
    waves: np.ndarray = np.sin(angle)
    return waves


class Ground:
    """Maps street coordinates (s along, d to the left) to the world and carries things on it.

    Args:
        plan: the street.
        rng: draws course, slope, undulation and roughness.
        relief: whether it has heights; without them it lies at 0, kerbs too.
    """

    def __init__(self, plan: StreetPlan, rng: np.random.Generator, relief: bool = True) -> None:
        self.plan, self._relief = plan, relief
        self._kerbs = plan.road_half_m(1), plan.road_half_m(-1)
        self._tone = rng.uniform(0.75, 1.2)
        s = np.arange(plan.start_m - 5.0, plan.end_m + 6.0, 1.0)
        bend = rng.normal(0, 0.0022) + 0.002 * np.sin(s / rng.uniform(25, 80) + rng.uniform(0, 6))
        heading = np.cumsum(bend)
        heading -= np.interp(0.0, s, heading)
        x, y = np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading))
        self._s, self._heading = s, heading
        self._x, self._y = x - np.interp(0.0, s, x), y - np.interp(0.0, s, y)
        self._slope = rng.normal(0, [0.016, 0.010])
        length = np.exp(rng.uniform(np.log(25), np.log(140), 7))
        self._wave = np.stack([rng.normal(size=7), rng.normal(size=7)], 1)
        self._wave *= (2 * np.pi / length / np.linalg.norm(self._wave, axis=1))[:, None]
        self._wave_phase = rng.uniform(0, 2 * np.pi, 7)
        self._wave_m = length * rng.uniform(0, 0.0022, 7)
        self._rough = rng.normal(0, 1, (6, 2)) * rng.uniform(0.25, 0.7, (6, 1))
        self._rough_phase = rng.uniform(0, 2 * np.pi, 6)
        self._rough_m = float(rng.uniform(0.001, 0.008))
        self._bank_m = float(rng.normal(0, 0.9))
        self._lift_m = float(rng.uniform(-0.1, 0.25))

    def surface(self, s: np.ndarray, d: np.ndarray) -> np.ndarray:
        """uint8 surface at each position."""
        plan = self.plan
        side = np.where(d >= 0, 1, -1)
        out = np.abs(d) - self._edge(d)
        result = np.full(np.shape(s), Surface.GRASS, np.uint8)
        for block in plan.blocks:
            inside = (side == block.side) & (s >= block.start_m) & (s < block.end_m)
            result[inside] = block.surface
        pavement = (out < plan.sidewalk_m) | plan.in_junction(s, plan.sidewalk_m)
        result[pavement] = Surface.PAVING
        result[(out < 0) | plan.in_junction(s)] = Surface.ASPHALT
        return result

    def is_road(self, s: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Whether each position lies on the carriageway or in a side street."""
        on_road: np.ndarray = (np.abs(d) < self._edge(d)) | self.plan.in_junction(s)
        return on_road

    def _edge(self, d: np.ndarray) -> np.ndarray:
        """|d| of the kerb on the side of each d."""
        edge: np.ndarray = np.where(d >= 0, *self._kerbs)
        return edge

    def height(self, s: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Height of the ground in metres at each position."""
        s, d = np.asarray(s, np.float64), np.asarray(d, np.float64)
        if not self._relief:
            return np.zeros(np.broadcast_shapes(s.shape, d.shape))
        z = self._slope[0] * s + self._slope[1] * d
        z = z + _waves(s, d, self._wave, self._wave_phase) @ self._wave_m
        out, edge = np.abs(d), self._edge(d)
        road = (out < edge) | self.plan.in_junction(s)
        beyond = np.minimum(np.maximum((out - edge - self.plan.sidewalk_m) / 22.0, 0), 1)
        beyond = beyond**2 * (3 - 2 * beyond)
        fine = _waves(s, d, self._rough, self._rough_phase).sum(-1)
        z = z + fine * self._rough_m * (1 + 6 * beyond) + beyond * self._bank_m
        crown = -0.014 * np.minimum(out, edge)
        result: np.ndarray = (
            z
            + crown
            + np.where(road, 0.0, self.plan.kerb_m)
            + (np.minimum(beyond * 6, 1) * self._lift_m * ~road)
        )
        return result

    def xy(self, s: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World x and y of each position."""
        heading = np.interp(s, self._s, self._heading)
        x, y = np.interp(s, self._s, self._x), np.interp(s, self._s, self._y)
        return x - d * np.sin(heading), y + d * np.cos(heading)

    def station(self, x: float, y: float) -> tuple[float, float]:
        """s and d of a place in the world on or near the street, what `xy` takes."""
        s, d = float(self._s[np.argmin(np.hypot(self._x - x, self._y - y))]), 0.0
        for _ in range(_STATION_STEPS):
            at_x, at_y = self.xy(np.array([s]), np.array([d]))
            cos, sin = np.cos(self.heading(s)), np.sin(self.heading(s))
            off_x, off_y = x - float(at_x[0]), y - float(at_y[0])
            s, d = s + cos * off_x + sin * off_y, d - sin * off_x + cos * off_y
        return float(s), float(d)

    def heading(self, s: float) -> float:
        """The street's direction at s, radians in the world."""
        return float(np.interp(s, self._s, self._heading))

    def drape(self, mesh: Mesh) -> Mesh:
        """A mesh in street coordinates (s, d, height over ground) in the world."""
        v = mesh.vertices.astype(np.float64)
        x, y = self.xy(v[:, 0], v[:, 1])
        return mesh.with_vertices(np.stack([x, y, v[:, 2] + self.height(v[:, 0], v[:, 1])], 1))

    def warp(self, mesh: Mesh, base_m: float) -> Mesh:
        """A mesh in street coordinates (s, d, height over base) in the world, upright."""
        v = mesh.vertices.astype(np.float64)
        x, y = self.xy(v[:, 0], v[:, 1])
        return mesh.with_vertices(np.stack([x, y, v[:, 2] + base_m], 1))

    def gradient(self, s: float, d: float, reach_m: float = 1.2) -> tuple[float, float]:
        """Rise per metre along s and along d, over a wheelbase."""
        ss = np.array([s + reach_m, s - reach_m, s, s])
        dd = np.array([d, d, d + 0.7, d - 0.7])
        h = self.height(ss, dd)
        return float(h[0] - h[1]) / (2 * reach_m), float(h[2] - h[3]) / 1.4

    def pose(self, s: float, d: float, yaw_rad: float) -> tuple[np.ndarray, float]:
        """(3,) world position on the ground and world yaw of something at (s, d)."""
        x, y = self.xy(np.array([s]), np.array([d]))
        z = self.height(np.array([s]), np.array([d]))
        return np.array([x[0], y[0], z[0]]), yaw_rad + self.heading(s)

    def mesh(self) -> Mesh:
        """The ground itself and its lane markings."""
        plan = self.plan
        s_lines = [np.arange(plan.start_m, plan.end_m + 2, 2.0), np.arange(-30, 30, 1.0)]
        for junction in plan.junctions:
            for reach in (junction.half_width_m, junction.half_width_m + plan.sidewalk_m):
                s_lines += [junction.at_m + k * reach + np.array([-0.015, 0.015]) for k in (-1, 1)]
        d_lines = [np.arange(-_HALF_WIDTH_M, _HALF_WIDTH_M + 1, 4.0), np.arange(-18, 18.1, 1.5)]
        for side in (1, -1):
            road = plan.road_half_m(side)
            d_lines += [side * (reach + np.array([-0.015, 0.015]))
                        for reach in (road, road + 0.15, road + plan.sidewalk_m)]  # fmt: skip
        s = np.unique(np.concatenate(s_lines).round(3))
        s = s[(s >= plan.start_m) & (s <= plan.end_m)]
        d = np.unique(np.concatenate(d_lines).round(3))
        ss, dd = np.meshgrid(s, d, indexing="ij")
        x, y = self.xy(ss, dd)
        grid = np.stack([x, y, self.height(ss, dd)], -1)
        sm, dm = np.meshgrid((s[1:] + s[:-1]) / 2, (d[1:] + d[:-1]) / 2, indexing="ij")
        surface = self.surface(sm, dm)
        stone = (np.abs(np.abs(dm) - self._edge(dm) - 0.06) < 0.1) & ~plan.in_junction(sm)
        surface[stone] = Surface.KERB
        tones = np.zeros((256, 3))
        for kind, tone in _TONES.items():
            tones[kind] = tone
        colors = np.clip(tones[surface] * self._tone, 0, 255)
        return merge([sheet(grid, surface, colors), self.drape(self._markings())])

    def _markings(self) -> Mesh:
        """Lines painted on the road, a centimetre over it."""
        plan = self.plan
        dashes = np.arange(plan.start_m + 1, plan.end_m - 4, 9.0)
        rows = [(s, s + 3.0, 0.0) for s in dashes]
        if plan.lanes > 1:
            rows += [(s, s + 3.0, k * plan.lane_width_m) for s in dashes for k in (-1, 1)]
        for side in (1, -1):
            d = side * (plan.lanes * plan.lane_width_m + 0.05)
            long = np.arange(plan.start_m + 1, plan.end_m - 4, 4.0)
            rows += [(s, s + 4.0, d) for s in long]
        strips = np.array([r for r in rows if not plan.in_junction(np.array(r[:2]), 1.0).any()])
        strips = strips.reshape(-1, 3)
        bars = [strips[:, [0]], strips[:, [1]], strips[:, [2]] - 0.07, strips[:, [2]] + 0.07]
        corners = np.stack([np.concatenate([bars[i], bars[j], np.full_like(bars[i], 0.012)], 1)
                            for i, j in ((0, 2), (1, 2), (1, 3), (0, 3))], 1)  # fmt: skip
        stops = []
        for junction in plan.junctions:
            for way in (-1, 1):
                s0 = junction.at_m + way * (junction.half_width_m + plan.sidewalk_m + 1.0)
                d1 = way * plan.lanes * plan.lane_width_m
                stops.append([(s0, 0.1 * way, 0.012), (s0 + 0.4, 0.1 * way, 0.012),
                              (s0 + 0.4, d1, 0.012), (s0, d1, 0.012)])  # fmt: skip
        all_corners = np.concatenate([corners, np.array(stops).reshape(-1, 4, 3)])
        return quads(all_corners, Surface.MARKING, _TONES[Surface.MARKING])

"""Light and texture: what colour a camera sees where a ray meets a surface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from spatial_perception.simulation.materials import Surface

_NOISE_SIZE = 512


@dataclass(frozen=True, slots=True, eq=False)
class Daylight:
    """Sun and sky.

    Attributes:
        sun_direction: (3,) unit, from the ground to the sun, world.
        sun: (3,) RGB of direct light, linear.
        sky: (3,) RGB of light from above, linear.
        zenith: (3,) RGB of the sky overhead, linear.
        horizon: (3,) RGB of the sky at the horizon, linear.
        exposure: factor before the tone curve.
    """

    sun_direction: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    exposure: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Daylight:
        """A day between sunny and overcast."""
        height, way = np.radians(rng.uniform(18, 60)), rng.uniform(0, 2 * np.pi)
        direction = np.array(
            [np.cos(height) * np.cos(way), np.cos(height) * np.sin(way), np.sin(height)]
        )
        overcast = float(rng.uniform(0, 1)) ** 2
        warm = np.array([1.0, 0.94, 0.84])
        return cls(
            sun_direction=direction,
            sun=warm * 2.5 * (1 - 0.92 * overcast),
            sky=np.array([0.42, 0.49, 0.60]) * (0.7 + 1.1 * overcast),
            zenith=np.array([0.30, 0.48, 0.85]) * (1 - overcast) + 0.85 * overcast,
            horizon=np.array([0.95, 0.98, 1.05]),
            exposure=float(rng.uniform(0.85, 1.2)),
        )

    def sky_color(self, up: np.ndarray) -> np.ndarray:
        """(N, 3) linear RGB of the sky at sines of elevation (N,)."""
        share = np.clip(up, 0, 1)[:, None].astype(np.float32) ** 0.5
        return (self.horizon * (1 - share) + self.zenith * share).astype(np.float32)


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    """(S, S) float32 around 0, the same at opposite edges, with detail at all scales."""
    rng = np.random.default_rng(7)
    total = np.zeros((_NOISE_SIZE, _NOISE_SIZE), np.float32)
    for octave in range(2, 10):
        cells = 2**octave
        coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        padded = np.pad(coarse, 2, mode="wrap")
        scale = _NOISE_SIZE // cells
        large = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        edge = 2 * scale
        total += large[edge : edge + _NOISE_SIZE, edge : edge + _NOISE_SIZE] * 0.8**octave
    return total / total.std()


def noise(u: np.ndarray, v: np.ndarray, period_m: float) -> np.ndarray:
    """(N,) float32 noise of unit deviation at positions in metres, repeated after a period."""
    scale = _NOISE_SIZE / period_m
    row = np.floor(u * scale).astype(np.int64) % _NOISE_SIZE
    column = np.floor(v * scale).astype(np.int64) % _NOISE_SIZE
    values: np.ndarray = _noise()[row, column]
    return values


_LINEAR = (np.arange(256) / 255.0).astype(np.float32) ** 2.2
_MATT = np.zeros(len(Surface), np.float32)
for _surface, _amount in (
    (Surface.ASPHALT, 0.10), (Surface.MARKING, 0.10), (Surface.PAVING, 0.10), (Surface.KERB, 0.10),
    (Surface.GRASS, 0.28), (Surface.GRAVEL, 0.2), (Surface.FACADE, 0.09), (Surface.ROOF, 0.14),
    (Surface.WALL, 0.16), (Surface.LEAVES, 0.30), (Surface.BARK, 0.22), (Surface.CLOTH, 0.07),
    (Surface.RIDER, 0.07), (Surface.CARGO, 0.05), (Surface.FENCE, 0.08),
):  # fmt: skip
    _MATT[_surface] = _amount
_MIRROR = np.zeros(len(Surface), np.float32)
for _surface, _amount in (
    (Surface.WINDOW, 0.32), (Surface.CAR_GLASS, 0.17), (Surface.PAINT, 0.10),
    (Surface.HEADLIGHT, 0.3), (Surface.CARGO, 0.03),
):  # fmt: skip
    _MIRROR[_surface] = _amount
_GLOW = np.zeros(len(Surface), np.float32)
_GLOW[Surface.TAIL_LAMP] = 0.55
_GLOW[Surface.LAMP] = 1.6
_GLOW[Surface.SIGN_FACE] = 0.12


def shade(
    points: np.ndarray,
    rays: np.ndarray,
    normals: np.ndarray,
    surfaces: np.ndarray,
    colors: np.ndarray,
    lit: np.ndarray,
    distance_m: np.ndarray,
    day: Daylight,
) -> np.ndarray:
    """Linear RGB (N, 3) float32 of what rays meet.

    Args:
        points: (N, 3) where, metres, world.
        rays: (N, 3) unit, from the camera.
        normals: (N, 3) unit, towards the camera.
        surfaces: (N,) uint8.
        colors: (N, 3) uint8.
        lit: (N,) share of sunlight that arrives.
        distance_m: (N,) from the camera.
        day: the light.
    """
    albedo = _LINEAR[colors] * _texture(points, normals, surfaces, distance_m)[:, None]
    sun = np.clip(normals @ day.sun_direction.astype(np.float32), 0, 1) * lit
    leafy = surfaces == Surface.LEAVES
    sun[leafy] = 0.25 * lit[leafy] + 0.75 * sun[leafy]
    above = 0.55 + 0.45 * normals[:, 2]
    light = sun[:, None] * day.sun.astype(np.float32) + above[:, None] * day.sky.astype(np.float32)
    rgb = albedo * light
    shiny = np.flatnonzero(_MIRROR[surfaces] > 0)
    facing = -np.einsum("ij,ij->i", rays[shiny], normals[shiny])
    reflected_up = rays[shiny, 2] + 2 * facing * normals[shiny, 2]
    base = _MIRROR[surfaces[shiny]]
    fresnel = base + (1 - base) * (1 - np.clip(facing, 0, 1)) ** 4 * 0.6
    open_sky = np.clip(reflected_up / 0.45, 0, 1)[:, None] ** 1.5
    around = np.float32(0.10) * day.sky.astype(np.float32)
    mirrored = around + open_sky * (day.sky_color(reflected_up) - around)
    rgb[shiny] += fresnel[:, None] * (mirrored - rgb[shiny])
    rgb += _GLOW[surfaces][:, None] * _LINEAR[colors]
    haze = 1 - np.exp(-distance_m / 900.0)
    rgb += haze[:, None] * (0.8 * day.horizon.astype(np.float32) - rgb)
    return rgb


def _texture(
    points: np.ndarray, normals: np.ndarray, surfaces: np.ndarray, distance_m: np.ndarray
) -> np.ndarray:
    """(N,) float32 factor on the albedo, around 1."""
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    flat = np.abs(normals[:, 2]) > 0.6
    across = np.where(np.abs(normals[:, 0]) > np.abs(normals[:, 1]), y, x)
    u, v = np.where(flat, x, across), np.where(flat, y, z)
    coarse, fine = noise(u, v, 41.0), noise(v, u, 5.3)
    near = np.clip(1.3 - distance_m / 45.0, 0.1, 1)
    factor = 1 + _MATT[surfaces] * (0.6 * coarse + 0.9 * near * fine)
    brick = np.flatnonzero(((surfaces == Surface.FACADE) | (surfaces == Surface.WALL)) & ~flat)
    if len(brick):
        row = z[brick] / 0.11
        shift = np.where(np.floor(row) % 2 == 0, 0.0, 0.5)
        joint = (row % 1.0 < 0.14) | ((across[brick] / 0.26 + shift) % 1.0 < 0.06)
        fade = np.clip(1.2 - distance_m[brick] / 22.0, 0, 1)
        factor[brick] *= 1 - 0.22 * joint * fade
    slabs = np.flatnonzero(surfaces == Surface.PAVING)
    if len(slabs):
        joint = ((x[slabs] / 0.5) % 1.0 < 0.04) | ((y[slabs] / 0.5) % 1.0 < 0.04)
        factor[slabs] *= 1 - 0.25 * joint * np.clip(1.2 - distance_m[slabs] / 18.0, 0, 1)
    return np.clip(factor, 0.2, 1.9).astype(np.float32)


def tone(rgb: np.ndarray, day: Daylight, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 picture of a camera: exposure, highlights, optics, noise.

    Args:
        rgb: (H, W, 3) float32, linear.
        day: the light, for its exposure.
        rng: draws the sensor's noise.
    """
    exposed = np.clip(rgb * np.float32(day.exposure), 0, None)
    exposed = exposed * (1 + exposed / 4.0) / (1 + exposed * 0.55)
    soft = cv2.GaussianBlur(exposed.astype(np.float32), (3, 3), 0.55)
    level = np.clip(soft * 1023.0, 0, 1023).astype(np.int32)
    display = _DISPLAY[level]
    grain = rng.normal(0, 1.6, (rgb.shape[0], rgb.shape[1], 1)).astype(np.float32)
    picture: np.ndarray = np.clip(display + grain, 0, 255).astype(np.uint8)
    return picture


_DISPLAY = (255 * np.linspace(0, 1, 1024) ** (1 / 2.2)).astype(np.float32)

"""What a LiDAR measures of its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spatial_perception.config import option
from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.simulation.lidar_models import LidarModel
from spatial_perception.simulation.materials import GLOSS, POINT_CLASS, REFLECTANCE, ROUGHNESS_M
from spatial_perception.simulation.street import EGO
from spatial_perception.simulation.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class LidarConditions:
    """What varies from sensor to sensor and day to day."""

    range_noise_m: float = option(0.02, help="noise of the range", unit="m", range=(0, 1))
    drop_share: float = option(0.05, help="returns lost at random", range=(0, 1))
    gain: float = option(1.0, help="factor on the power that comes back", range=(0, 10))
    dark_drop: float = option(0.4, help="returns lost on dark glossy paint", range=(0, 1))
    intensity_gain: float = option(1.0, help="factor on the intensity", range=(0, 10))
    beam_jitter_deg: float = option(0.02, help="error of a beam's elevation", unit="deg")
    ego_share: float = option(
        0.0, help="returns from the ego vehicle that stay, without a label", range=(0, 1)
    )

    @classmethod
    def sample(cls, rng: np.random.Generator) -> LidarConditions:
        """Conditions drawn for domain randomization."""
        return cls(
            range_noise_m=float(rng.uniform(0.008, 0.035)),
            drop_share=float(rng.uniform(0.0, 0.10)),
            gain=float(np.exp(rng.normal(0, 0.25))),
            dark_drop=float(rng.uniform(0, 0.7)),
            intensity_gain=float(np.exp(rng.normal(0, 0.25))),
            beam_jitter_deg=float(rng.uniform(0, 0.04)),
            ego_share=float(10.0 ** rng.uniform(-2.5, 0.0)) if rng.random() < 0.5 else 0.0,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What one turn measured, in the sensor's frame at the end of the turn's reference pose.

    Attributes:
        points: (N, 3) float32 metres.
        intensity: (N,) float32 0..1.
        ring: (N,) uint16, 0 the topmost beam.
        time_s: (N,) float32 from the start of the turn.
        labels: (N,) uint8 in POINT_LABELS.
        instances: (N,) uint16, 0 where nothing that is boxed.
    """

    points: np.ndarray
    intensity: np.ndarray
    ring: np.ndarray
    time_s: np.ndarray
    labels: np.ndarray
    instances: np.ndarray


@lru_cache(maxsize=8)
def _columns(model: LidarModel) -> tuple[np.ndarray, np.ndarray]:
    """Ring and column of every firing, column by column."""
    beams = len(model.elevations_deg)
    column, ring = np.divmod(np.arange(beams * model.columns), beams)
    return ring.astype(np.uint16), column


def scan(
    surroundings: Surroundings,
    world_from_sensor: Sequence[Pose],
    model: LidarModel,
    conditions: LidarConditions,
    rng: np.random.Generator,
) -> Scan:
    """One turn of a LiDAR, clockwise from the rear, or its sweep over less from left to right.

    Args:
        surroundings: what it sees.
        world_from_sensor: one pose for a sensor at rest, or several in equal steps over the turn
            for a moving one: each point is measured in its own pose, as real sensors do.
        model: the sensor.
        conditions: noise and losses.
        rng: draws them.
    """
    ring, column = _columns(model)
    jitter = rng.normal(0, conditions.beam_jitter_deg, len(model.elevations_deg))
    elevation = np.radians(np.array(model.elevations_deg) + jitter)[ring]
    view = np.radians(model.field_of_view_deg)
    azimuth = view / 2 - (column + rng.random()) * (view / model.columns)
    level = np.cos(elevation)
    directions = np.stack(
        [level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], 1
    ).astype(np.float32)
    pieces = []
    sectors = np.array_split(np.arange(len(directions)), len(world_from_sensor))
    for pose, sector in zip(world_from_sensor, sectors, strict=True):
        rays = directions[sector] @ pose.rotation.T.astype(np.float32)
        seen = surroundings.look(pose.translation, rays, rng)
        cosine = -np.einsum("ij,ij->i", rays, seen.normals)
        kept = np.isfinite(seen.distance_m) & (seen.instances != EGO)
        if conditions.ego_share:
            kept |= (seen.instances == EGO) & (rng.random(len(kept)) < conditions.ego_share)
        kept &= (seen.distance_m < model.max_range_m) & (seen.distance_m > model.min_range_m)
        chosen = np.flatnonzero(kept)
        surface, distance, incidence = (
            seen.surfaces[chosen],
            seen.distance_m[chosen],
            cosine[chosen],
        )
        power, lost = _echo(surface, seen.colors[chosen], distance, incidence, conditions, rng)
        spread = np.hypot(conditions.range_noise_m, ROUGHNESS_M[surface])
        noisy = distance + rng.normal(0, 1, len(chosen)).astype(np.float32) * spread
        points = directions[sector][chosen] * noisy[:, None]
        pieces.append(
            (
                points[~lost],
                power[~lost],
                sector[chosen][~lost],
                surface[~lost],
                seen.instances[chosen][~lost],
            )
        )
    points, power, firing, surface, instances = (
        np.concatenate(p) for p in zip(*pieces, strict=True)
    )
    own = instances == EGO
    return Scan(
        points.astype(np.float32),
        power.astype(np.float32),
        ring[firing],
        (column[firing] * (model.spin_time_s / model.columns)).astype(np.float32),
        np.where(own, np.uint8(UNLABELED), POINT_CLASS[surface]),
        np.where(own, np.uint16(0), instances),
    )


def _echo(
    surface: np.ndarray,
    color: np.ndarray,
    distance_m: np.ndarray,
    cosine: np.ndarray,
    conditions: LidarConditions,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Intensity 0..1 of each return, and which returns are lost.

    A diffuse echo falls with the cosine of the incidence and the square of the range; a glossy
    surface sends the rest of it away from the sensor.
    """
    light = color.astype(np.float32) @ np.array([0.0012, 0.0023, 0.0004], np.float32)
    reflectance = REFLECTANCE[surface] * (0.4 + 1.2 * light)
    gloss = GLOSS[surface]
    cosine = np.clip(cosine, 0.005, 1)
    diffuse = reflectance * cosine * (1 - gloss * (1 - cosine))
    reach_m = 480.0 * np.sqrt(diffuse * conditions.gain)
    draw = rng.random((2, len(surface)), np.float32)
    lost = distance_m > reach_m * (0.75 + 0.5 * draw[0])
    dark = gloss * np.clip(1 - 2.2 * light, 0, 1) * conditions.dark_drop
    lost |= draw[1] < 1 - (1 - conditions.drop_share) * (1 - dark)
    speckle = rng.normal(1, 0.14, len(surface)).astype(np.float32)
    mirror = gloss * 0.6 * np.clip(cosine - 0.97, 0, 1) / 0.03
    power = reflectance * (0.55 + 0.45 * cosine) * (1 - 0.9 * gloss) * speckle
    # Echoes near the threshold, and what is left of them on gloss, are reported as nothing.
    faint = np.clip((reach_m / distance_m - 1) / 1.5, 0, 1)
    power = (power * conditions.intensity_gain - 0.13 * gloss) * faint + mirror
    return np.clip(np.round(power * 100) / 100, 0, 0.99), lost

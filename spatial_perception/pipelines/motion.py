"""Kalman filters of many objects at once: constant turn rate and velocity, or constant velocity.

Both models have five states of which the first three are measured, so that one update serves both:

    CTRV   x  y  yaw  speed  yaw rate      cars, trucks, cyclists
    CV     x  y  yaw  vx     vy            people, whose heading says little about their way

Metres, radians and seconds in a frame that does not move. CTRV as in R. Schubert, E. Richter,
G. Wanielik: Comparison and evaluation of advanced motion models for vehicle tracking (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.pose import wrap_angle

STATES = 5
MAX_YAW_RATE_RADPS = 1.0
_USUAL_SURPRISE = 3.0  # squared deviations of a position
_MOST_DOUBT = 15.0  # of a measurement's noise


@dataclass(frozen=True, slots=True)
class MotionModel:
    """How one class moves and how well it is measured.

    Attributes:
        turns: True for CTRV, False for CV.
        acceleration_mps2: standard deviation of the acceleration.
        yaw_acceleration_radps2: standard deviation of the change of yaw rate (CV: of the heading's
            own random walk, radians a square root of a second).
        first_speed_mps: standard deviation of the speed before it was measured.
        along_m: standard deviation of a measured centre along the heading, at the sensor.
        across_m: the same across the heading.
        per_metre: what a metre of range adds to both, m/m.
        yaw_rad: standard deviation of a measured heading, at the sensor.
        yaw_per_metre: what a metre of range adds to it, rad/m.
        top_speed_mps: few of the class are faster.
        doubtful_score: score of detections that tell neither for nor against an object.
    """

    turns: bool
    acceleration_mps2: float
    yaw_acceleration_radps2: float
    first_speed_mps: float
    along_m: float
    across_m: float
    per_metre: float
    yaw_rad: float
    yaw_per_metre: float
    top_speed_mps: float
    doubtful_score: float


def predict(
    state: np.ndarray,
    covariance: np.ndarray,
    turns: np.ndarray,
    noise: np.ndarray,
    elapsed_s: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns states and covariances some time later.

    Args:
        state: (N, 5) float64.
        covariance: (N, 5, 5) float64.
        turns: (N,) bool, which of them follow CTRV.
        noise: (N, 2) float64, standard deviations of acceleration and of yaw acceleration.
        elapsed_s: how much later, at least 0.
    """
    ahead = state.copy()
    jacobian = np.broadcast_to(np.eye(STATES), covariance.shape).copy()
    added = np.zeros_like(covariance)
    if turns.any():
        _predict_turning(ahead, jacobian, added, turns, noise, elapsed_s)
    if not turns.all():
        _predict_straight(ahead, jacobian, added, ~turns, noise, elapsed_s)
    ahead[:, 2] = wrap_angle(ahead[:, 2])
    spread = jacobian @ covariance @ jacobian.transpose(0, 2, 1)
    return ahead, spread + added


def _predict_turning(
    ahead: np.ndarray,
    jacobian: np.ndarray,
    added: np.ndarray,
    rows: np.ndarray,
    noise: np.ndarray,
    dt: float,
) -> None:
    """Moves CTRV rows along their arcs: a chord of length v dt sinc(w dt / 2) at yaw + w dt / 2."""
    yaw, speed, rate = ahead[rows, 2], ahead[rows, 3], ahead[rows, 4]
    half = rate * dt / 2
    shrink = np.sinc(half / np.pi)
    cos, sin = np.cos(yaw + half), np.sin(yaw + half)
    chord = speed * dt * shrink
    bend = -speed * dt * half / 3 * dt / 2  # derivative of the chord by the rate
    f = jacobian[rows]
    f[:, 0, 2], f[:, 1, 2] = -chord * sin, chord * cos
    f[:, 0, 3], f[:, 1, 3] = dt * shrink * cos, dt * shrink * sin
    f[:, 0, 4] = -chord * sin * dt / 2 + bend * cos
    f[:, 1, 4] = chord * cos * dt / 2 + bend * sin
    f[:, 2, 4] = dt
    jacobian[rows] = f
    ahead[rows, 0] += chord * cos
    ahead[rows, 1] += chord * sin
    ahead[rows, 2] += rate * dt
    push = np.stack([cos * dt**2 / 2, sin * dt**2 / 2, 0 * cos, dt + 0 * cos, 0 * cos], axis=1)
    turn = np.array([0.0, 0.0, dt**2 / 2, 0.0, dt])
    q = push[:, :, None] * push[:, None, :] * noise[rows, 0, None, None] ** 2
    q += turn[:, None] * turn[None, :] * noise[rows, 1, None, None] ** 2
    added[rows] = q


def _predict_straight(
    ahead: np.ndarray,
    jacobian: np.ndarray,
    added: np.ndarray,
    rows: np.ndarray,
    noise: np.ndarray,
    dt: float,
) -> None:
    """Moves CV rows straight ahead."""
    ahead[rows, 0] += ahead[rows, 3] * dt
    ahead[rows, 1] += ahead[rows, 4] * dt
    f = jacobian[rows]
    f[:, 0, 3] = f[:, 1, 4] = dt
    jacobian[rows] = f
    q = added[rows]
    square = noise[rows, 0] ** 2
    for position, velocity in ((0, 3), (1, 4)):
        q[:, position, position] = dt**4 / 4 * square
        q[:, position, velocity] = q[:, velocity, position] = dt**3 / 2 * square
        q[:, velocity, velocity] = dt**2 * square
    q[:, 2, 2] = dt * noise[rows, 1] ** 2
    added[rows] = q


def update(
    state: np.ndarray,
    covariance: np.ndarray,
    measured: np.ndarray,
    noise: np.ndarray,
    is_young: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns states and covariances after one measurement of each.

    What lies farther off than it usually does counts for less (as in Huber's robust estimate): it
    may be the edge of something else. Of young tracks the state is doubted instead, whose speed
    hangs on a single pair of measurements.

    Args:
        state: (N, 5) float64.
        covariance: (N, 5, 5) float64.
        measured: (N, 3) float64 x y yaw; a yaw that is half a turn off counts as if it were not.
        noise: (N, 3, 3) float64 covariance of the measurements.
        is_young: (N,) bool.
    """
    innovation = measured - state[:, :3]
    innovation[:, 2] = half_turn_difference(innovation[:, 2])
    off = innovation[:, :2, None]
    spread = covariance[:, :2, :2] + noise[:, :2, :2]
    surprise = (off.transpose(0, 2, 1) @ np.linalg.inv(spread) @ off)[:, 0]
    doubt = np.clip(surprise / _USUAL_SURPRISE, 1.0, _MOST_DOUBT)[:, :, None]
    young = is_young[:, None, None]
    covariance = covariance * np.where(young, doubt, 1.0)
    gain = covariance[:, :, :3] @ np.linalg.inv(
        covariance[:, :3, :3] + noise * np.where(young, 1.0, doubt)
    )
    better = state + (gain @ innovation[:, :, None])[:, :, 0]
    better[:, 2] = wrap_angle(better[:, 2])
    shrunk = covariance - gain @ covariance[:, :3, :]
    return better, (shrunk + shrunk.transpose(0, 2, 1)) / 2


def half_turn_difference(angle_rad: np.ndarray) -> np.ndarray:
    """Returns angles modulo half a turn, in [-pi/2, pi/2): a box looks alike from both ends."""
    wrapped: np.ndarray = (angle_rad + np.pi / 2) % np.pi - np.pi / 2
    return wrapped


def measurement_noise(
    yaw_rad: np.ndarray,
    along_m: np.ndarray,
    across_m: np.ndarray,
    yaw_noise_rad: np.ndarray,
) -> np.ndarray:
    """Returns (N, 3, 3) covariances of x y yaw from deviations along and across each heading."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    along, across = along_m**2, across_m**2
    noise = np.zeros((len(yaw_rad), 3, 3))
    noise[:, 0, 0] = cos * cos * along + sin * sin * across
    noise[:, 1, 1] = sin * sin * along + cos * cos * across
    noise[:, 0, 1] = noise[:, 1, 0] = cos * sin * (along - across)
    noise[:, 2, 2] = yaw_noise_rad**2
    return noise

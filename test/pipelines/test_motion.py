"""The filters agree with a textbook Kalman filter and with numerical derivatives."""

import numpy as np
import pytest

from spatial_perception.pipelines.motion import half_turn_difference, predict, update

NOISE = np.array([[2.0, 0.3]])


@pytest.mark.parametrize("rate", [0.0, 1e-7, 0.4, -0.9])
def test_ctrv_moves_along_an_arc(rate: float) -> None:
    state = np.array([[1.0, 2.0, 0.5, 6.0, rate]])
    ahead, _ = predict(state, np.zeros((1, 5, 5)), np.array([True]), NOISE, 0.7)
    x, y, yaw, steps = 1.0, 2.0, 0.5, 20_000
    for _ in range(steps):  # integrated in small steps
        x, y = x + 6.0 * np.cos(yaw) * 0.7 / steps, y + 6.0 * np.sin(yaw) * 0.7 / steps
        yaw += rate * 0.7 / steps
    assert np.allclose(ahead[0, :3], [x, y, yaw], atol=1e-3)


@pytest.mark.parametrize("turns", [True, False])
def test_covariance_follows_the_numerical_derivative(turns: bool) -> None:
    state = np.array([[1.0, 2.0, 0.5, 6.0, 0.4]])
    spread = np.diag([0.1, 0.2, 0.05, 1.0, 0.02])[None]
    which, still = np.array([turns]), np.zeros((1, 2))
    _, after = predict(state, spread, which, still, 0.3)
    columns = []
    for k in range(5):
        moved = state.copy()
        moved[0, k] += 1e-5
        high, _ = predict(moved, spread, which, still, 0.3)
        low, _ = predict(state, spread, which, still, 0.3)
        columns.append((high - low)[0] / 1e-5)
    jacobian = np.stack(columns, axis=1)
    assert np.allclose(after[0], jacobian @ spread[0] @ jacobian.T, atol=2e-3)


def test_update_is_the_textbook_one() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    covariance, noise = root @ root.T + np.eye(5), np.diag([0.2, 0.3, 0.1])
    state, measured = np.array([1.0, 2.0, 0.3, 4.0, 0.1]), np.array([1.5, 1.8, 0.35])
    better, shrunk = update(
        state[None], covariance[None], measured[None], noise[None], np.array([False])
    )
    h = np.eye(3, 5)
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + noise)
    assert np.allclose(better[0], state + gain @ (measured - h @ state))
    assert np.allclose(shrunk[0], (np.eye(5) - gain @ h) @ covariance)


def test_a_heading_half_a_turn_off_counts_as_the_same() -> None:
    assert half_turn_difference(np.array([np.pi - 0.1]))[0] == pytest.approx(-0.1)
    assert half_turn_difference(np.array([0.2]))[0] == pytest.approx(0.2)


def test_a_measurement_far_off_counts_for_less() -> None:
    measured = np.array([[1.0, 0.0, 0.0], [100.0, 0.0, 0.0]])
    unit = np.broadcast_to(np.eye(5), (2, 5, 5)).copy()
    old, young = np.array([False, False]), np.array([True, True])
    better, _ = update(np.zeros((2, 5)), unit, measured, unit[:, :3, :3], old)
    assert np.allclose(better[:, 0], [0.5, 100 / 16])
    better, _ = update(np.zeros((2, 5)), unit, measured, unit[:, :3, :3], young)
    assert np.allclose(better[:, 0], [0.5, 100 * 15 / 16]), "a young track is doubted instead"

import numpy as np
import pytest

from spatial_perception.config import from_mapping
from spatial_perception.errors import ConfigError
from spatial_perception.ops.calibration import UNCALIBRATED, ScoreCalibration

CALIBRATION = ScoreCalibration((2.0, 3.0), (-1.0, 0.5))


def test_each_class_has_its_own_map() -> None:
    found = CALIBRATION.probabilities(np.array([0.5, 0.5, 0.8]), np.array([0, 1, 0]))
    odds = np.exp([-1.0, 0.5, 2.0 * np.log(4.0) - 1.0])
    np.testing.assert_allclose(found, odds / (1 + odds))


def test_the_inverse_gives_the_scores_back() -> None:
    scores, labels = np.array([0.0, 0.2, 0.7, 1.0]), np.array([0, 1, 0, 1])
    found = CALIBRATION.inverse(CALIBRATION.probabilities(scores, labels), labels)
    np.testing.assert_allclose(found, scores)


def test_without_a_map_scores_are_as_they_come() -> None:
    scores = np.array([0.0, 0.3, 1.0], np.float32)
    assert UNCALIBRATED.probabilities(scores, np.array([0, 5, 2])) is scores
    assert UNCALIBRATED.inverse(scores, np.array([0, 5, 2])) is scores


@pytest.mark.parametrize("mapping", [{"scales": [1.0]}, {"scales": [0.0], "offsets": [1.0]}])
def test_a_map_that_is_none_is_refused(mapping: dict[str, list[float]]) -> None:
    with pytest.raises(ConfigError, match="calibration: expected as many offsets"):
        from_mapping(ScoreCalibration, mapping, "model 'a'")

from pathlib import Path

import pytest

from spatial_perception.errors import ConfigError
from spatial_perception.training.tasks import load_task


@pytest.mark.parametrize("minutes", [-5.0, float("nan")])
def test_a_time_budget_that_is_none_is_refused(minutes: float, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("fit: {steps: 3}\n")
    with pytest.raises(ConfigError, match="fit: max_minutes: expected a value in"):
        load_task("sign_classifier", config, tmp_path, minutes)


def test_clipping_all_of_the_gradients_is_refused(tmp_path: Path) -> None:
    """Nothing would be learnt; who writes 0 means that nothing is clipped."""
    config = tmp_path / "config.yaml"
    config.write_text("fit: {clip_norm: 0}\n")
    with pytest.raises(ConfigError, match="fit: clip_norm: expected a value in"):
        load_task("sign_classifier", config, tmp_path)

"""Classifiers are asked about pictures of CamVid that show nothing they know."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.outlier_evaluators import evaluate_camvid_outliers
from spatial_perception.pipelines.model import EngineOptions

ENGINE = EngineOptions("onnxruntime", "fp32", 1)
SURE_OF_WHITE = np.array([[9.0, 0.0, 0.0]] * 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A black picture with a white sign."""
    for folder in ("val", "valannot"):
        (tmp_path / folder).mkdir()
    mask = np.zeros((120, 160), np.uint8)
    mask[20:50, 50:80] = CAMVID_LABELS.index("signsymbol")
    cv2.imwrite(str(tmp_path / "val" / "a.png"), np.where(mask > 0, 255, 0).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "valannot" / "a.png"), mask)
    return tmp_path


def measured(model: Path, root: Path) -> tuple[dict[str, float], list[str]]:
    request = Request(str(model), "camvid", root, engine=ENGINE)
    result = evaluate_camvid_outliers(request, lambda done, total: None)
    return result.compute(np.ones(result.frames, np.int64)), list(result.illustration.names)


def test_what_is_named_is_counted_apart_for_background_and_signs(
    root: Path, color_classifier: Callable[..., Path]
) -> None:
    metrics, names = measured(color_classifier(("stop", "yield", "danger"), SURE_OF_WHITE), root)

    assert metrics == {"unknown_background": 100.0, "unknown_signsymbol": 0.0}
    assert names[-1].startswith("signsymbol\nstop")


def test_lights_are_not_asked_about_regions_with_lights(
    root: Path, color_classifier: Callable[..., Path]
) -> None:
    metrics, _ = measured(color_classifier(("red", "yellow", "green"), SURE_OF_WHITE), root)

    assert metrics == {"unknown_background": 100.0}


def test_pictures_without_a_sign_say_nothing_of_signs(
    root: Path, color_classifier: Callable[..., Path]
) -> None:
    cv2.imwrite(str(root / "valannot" / "a.png"), np.zeros((120, 160), np.uint8))
    metrics, _ = measured(color_classifier(("stop", "yield", "danger"), SURE_OF_WHITE), root)
    assert set(metrics) == {"unknown_background"}


def test_pictures_that_are_nothing_but_signs_are_an_error(
    root: Path, color_classifier: Callable[..., Path]
) -> None:
    model = color_classifier(("red", "yellow", "green"), SURE_OF_WHITE)
    signs = np.full((120, 160), CAMVID_LABELS.index("signsymbol"), np.uint8)
    cv2.imwrite(str(root / "valannot" / "a.png"), signs)
    with pytest.raises(DatasetError, match="full of signs"):
        measured(model, root)

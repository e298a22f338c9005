from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.datasets.camvid import CamvidFrame, read_camvid
from spatial_perception.datasets.outliers import background_crops, crops_in, signsymbol_crops
from spatial_perception.errors import DatasetError

SIGN, STREET = 220, 40


@pytest.fixture
def frames(tmp_path: Path) -> tuple[CamvidFrame, ...]:
    """A bright sign of 30 x 20 px on a dark street, and a speck of another."""
    for folder in ("train", "trainannot"):
        (tmp_path / folder).mkdir()
    mask = np.full((120, 160), CAMVID_LABELS.index("road"), np.uint8)
    mask[20:40, 50:80] = mask[100:105, 10:15] = CAMVID_LABELS.index("signsymbol")
    picture = np.where(mask == CAMVID_LABELS.index("signsymbol"), SIGN, STREET).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "train" / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "trainannot" / "a.png"), mask)
    return read_camvid(tmp_path, "train")


def test_background_shows_no_sign(frames: tuple[CamvidFrame, ...]) -> None:
    crops = background_crops(frames, 32, 200, seed=0)

    assert 100 < len(crops) < 200
    assert crops.shape[1:] == (32, 32, 3)
    assert crops.mean((1, 2, 3)).max() < STREET + 0.2 * (SIGN - STREET)


def test_equal_seeds_draw_equal_crops(frames: tuple[CamvidFrame, ...]) -> None:
    first, again, other = (background_crops(frames, 32, 20, seed=seed) for seed in (3, 3, 4))

    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_regions_of_signs_are_cut_with_a_margin(frames: tuple[CamvidFrame, ...]) -> None:
    (crop,) = signsymbol_crops(frames, 32)

    assert crop[16, 16].tolist() == [SIGN] * 3
    assert crop[0, 0].tolist() == [STREET] * 3
    assert (crop > SIGN - 20).all(2).mean() == pytest.approx(1 / 1.3**2, abs=0.08)


def test_folders_are_searched_through(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no images"):
        crops_in(tmp_path, 32)
    (tmp_path / "a" / "b").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "a" / "b" / "c.png"), np.full((20, 10, 3), 7, np.uint8))

    assert crops_in(tmp_path, 32).shape == (1, 32, 32, 3)

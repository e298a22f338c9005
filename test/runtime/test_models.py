"""Models are found alike from a checkout, a colcon workspace, a pip install and an override."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, find_model, find_models_dir, models
from spatial_perception.runtime.models import model_names


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable, and a package far from any models."""
    monkeypatch.delenv("SPATIAL_PERCEPTION_MODELS", raising=False)
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "nowhere"))
    set_package(monkeypatch, tmp_path / "empty" / "spatial_perception")


def set_package(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    (package / "runtime").mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(models, "__file__", str(package / "runtime" / "models.py"))


def share(prefix: Path) -> Path:
    folder = prefix / "share" / "spatial_perception" / "models"
    folder.mkdir(parents=True)
    return folder


def test_checkout_or_editable_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_package(monkeypatch, tmp_path / "repo" / "spatial_perception")
    (tmp_path / "repo" / "models").mkdir()
    (tmp_path / "repo" / "package.xml").touch()
    assert find_models_dir() == tmp_path / "repo" / "models"


def test_pip_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    folder = share(tmp_path / "venv")
    assert find_models_dir() == folder


def test_user_or_target_install_finds_the_data_of_its_own_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "local" / "lib" / "python3.11" / "site-packages"
    set_package(monkeypatch, site / "spatial_perception")
    folder = share(tmp_path / "local")
    (site / "models").mkdir()  # some other package's
    assert find_models_dir() == folder


def test_colcon_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefixes = [tmp_path / "other_package", tmp_path / "install" / "spatial_perception"]
    monkeypatch.setenv("AMENT_PREFIX_PATH", ":".join(map(str, prefixes)))
    folder = share(prefixes[1])
    assert find_models_dir() == folder


def test_override_wins_and_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(tmp_path / "nowhere")
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(tmp_path))
    assert find_models_dir() == tmp_path
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=r"gone: no such folder; SPATIAL_PERCEPTION_MODELS"):
        find_models_dir()


def test_no_models_anywhere_says_where_it_looked() -> None:
    with pytest.raises(EngineError, match=r"nowhere.share.*set SPATIAL_PERCEPTION_MODELS"):
        find_models_dir()


def test_model_by_name_folder_or_file(
    make_tiny: Callable[..., ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(make_tiny("camera_detector").folder)
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(folder.parent))
    assert find_model("camera_detector") == folder
    assert find_model(folder) == find_model(str(folder)) == folder
    assert find_model(folder / "model.yaml") == folder
    assert model_names() == ["camera_detector"]
    with pytest.raises(EngineError, match="no model 'camera_detektor'.*did you mean 'camera_det"):
        find_model("camera_detektor")
    with pytest.raises(EngineError, match=r"gone: no model\.yaml there"):
        find_model(folder / "gone")


def test_a_model_that_an_import_has_not_finished_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(tmp_path))
    for name in ("whole", ".half.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.yaml").touch()
    assert models.model_names() == ["whole"]

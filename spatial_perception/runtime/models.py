"""Where the models are: the same call after pip, colcon and editable installs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spatial_perception.config import near_miss
from spatial_perception.errors import EngineError
from spatial_perception.runtime.spec import MODEL_FILE

_SHARE = Path("share") / "spatial_perception" / "models"


def find_models_dir() -> Path:
    """Returns the folder with one folder a model.

    `$SPATIAL_PERCEPTION_MODELS` decides where it is set. Otherwise it is the first that exists of
    `models/` beside the package in a source checkout or editable install, the data files of a
    colcon workspace (`$AMENT_PREFIX_PATH`) and those of the Python environment.

    Raises:
        EngineError: If there is none.
    """
    own = os.environ.get("SPATIAL_PERCEPTION_MODELS")
    if own:
        if not Path(own).is_dir():
            raise EngineError(f"{own}: no such folder; SPATIAL_PERCEPTION_MODELS names it")
        return Path(own)
    for folder in installed_models_dirs():
        return folder
    raise EngineError(
        f"no models found in {', '.join(map(str, _candidates()))}; install the package with its"
        " data files or set SPATIAL_PERCEPTION_MODELS"
    )


def installed_models_dirs() -> list[Path]:
    """Returns those of the folders of `find_models_dir` that come with the package."""
    return [folder for folder in _candidates() if folder.is_dir()]


def model_names() -> list[str]:
    """Returns the names of all models in `find_models_dir()`, sorted.

    A folder whose name begins with a dot is one that an import or export has not finished.
    """
    return sorted(path.parent.name for path in find_models_dir().glob(f"[!.]*/{MODEL_FILE}"))


def find_model(name_or_path: str | Path) -> Path:
    """Returns the folder of a model, given its name or the folder (or its model.yaml) itself.

    Raises:
        EngineError: If there is no such model; suggests the nearest name.
    """
    path = Path(name_or_path).expanduser()
    if path.name == MODEL_FILE and path.is_file():
        return path.parent
    if (path / MODEL_FILE).is_file():
        return path
    if isinstance(name_or_path, Path) or path.name != str(name_or_path):
        raise EngineError(f"{path}: no {MODEL_FILE} there")
    folder = find_models_dir() / str(name_or_path)
    if not (folder / MODEL_FILE).is_file():
        hint = near_miss(str(name_or_path), model_names())
        raise EngineError(f"no model '{name_or_path}' in {folder.parent}{hint}")
    return folder


def _candidates() -> list[Path]:
    package = Path(__file__).resolve().parents[1]
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    # A user install keeps data files below its own prefix: lib/pythonX.Y/site-packages -> prefix.
    own_prefix = package.parents[3] if len(package.parents) > 3 else package
    is_checkout = (package.parent / "package.xml").is_file()
    folders = [package.parent / "models"] if is_checkout else []
    folders += [Path(prefix) / _SHARE for prefix in prefixes]
    folders += [own_prefix / _SHARE, Path(sys.prefix) / _SHARE]
    return list(dict.fromkeys(folders))

"""The models that can be trained, by name, each from one configuration file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spatial_perception.config import from_mapping, load_yaml, merged, near_miss
from spatial_perception.errors import ConfigError
from spatial_perception.training.classifier_task import ClassifierConfig, ClassifierTask
from spatial_perception.training.detector_task import DetectorConfig, DetectorTask
from spatial_perception.training.export import export
from spatial_perception.training.lidar_detector_task import LidarDetectorTask, VoxelDetectorConfig
from spatial_perception.training.lidar_segmenter_task import (
    LidarSegmenterTask,
    PointSegmenterConfig,
)
from spatial_perception.training.loop import FitResult, fit
from spatial_perception.training.segmenter_task import SegmenterConfig, SegmenterTask
from spatial_perception.training.task import Task

TaskFactory = Callable[[str, Any, Path], Task[Any]]

tasks: dict[str, tuple[type[Any], TaskFactory]] = {
    "camera_detector": (DetectorConfig, DetectorTask),
    "camera_segmenter": (SegmenterConfig, SegmenterTask),
    "lidar_detector": (VoxelDetectorConfig, LidarDetectorTask),
    "lidar_segmenter": (PointSegmenterConfig, LidarSegmenterTask),
    "lidar_segmenter_real": (PointSegmenterConfig, LidarSegmenterTask),
    "sign_classifier": (ClassifierConfig, ClassifierTask),
    "light_classifier": (ClassifierConfig, ClassifierTask),
}
"""Model name -> its configuration, and what makes its task of name, configuration and data root."""


def load_task(
    model: str, config_path: Path, data_root: Path, max_minutes: float | None = None
) -> Task[Any]:
    """The task of a model as its configuration file describes it.

    Args:
        model: A name in `tasks`.
        config_path: YAML file, as in config/training.
        data_root: Folder of the data set that the model is trained on.
        max_minutes: Replaces the file's time budget.

    Raises:
        ConfigError: If the model is unknown or the file does not fit it.
        DatasetError: If the data is not there.
    """
    if model not in tasks:
        raise ConfigError(f"no training for model '{model}'{near_miss(model, tasks)}")
    config_class, task = tasks[model]
    mapping = load_yaml(config_path)
    if max_minutes is not None:
        mapping = merged(mapping, {"fit": {"max_minutes": max_minutes}})
    return task(model, from_mapping(config_class, mapping, str(config_path)), data_root)


def train(
    model: str,
    config_path: Path,
    data_root: Path,
    out_dir: Path,
    resume: bool = False,
    max_minutes: float | None = None,
    show: bool = True,
) -> FitResult:
    """Trains a model and returns where its weights are.

    Args:
        model: A name in `tasks`.
        config_path: YAML file, as in config/training.
        data_root: Folder of the data set that the model is trained on.
        out_dir: Folder for checkpoints and logs.
        resume: Go on from the last checkpoint in `out_dir`.
        max_minutes: Replaces the file's time budget.
        show: Draw a progress bar.

    Raises:
        ConfigError: If the model is unknown or the file does not fit it.
        DatasetError: If the data is not there.
    """
    return fit(load_task(model, config_path, data_root, max_minutes), out_dir, resume, show)


def export_model(
    model: str, config_path: Path, data_root: Path, checkpoint: Path, models_dir: Path
) -> Path:
    """Writes `models_dir`/`model` from a checkpoint and returns that folder.

    Args:
        model: A name in `tasks`.
        config_path: The YAML file it was trained with.
        data_root: Folder of the data set; its validation part is measured and calibrates.
        checkpoint: best.pt or last.pt of a training run.
        models_dir: Folder with one folder a model.

    Raises:
        ConfigError: If the model is unknown, or file and checkpoint do not fit it.
        DatasetError: If the data is not there.
        EngineError: If the exported graph computes something else than the network.
    """
    return export(load_task(model, config_path, data_root), checkpoint, models_dir)

"""From a data set's name and a model to the measured report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_perception.errors import ConfigError
from spatial_perception.evaluation.bootstrap import interval_90
from spatial_perception.evaluation.box_evaluators import (
    evaluate_argoverse2_boxes,
    evaluate_kitti_boxes,
    evaluate_pooled_boxes,
    evaluate_simulated_boxes,
    evaluate_vod_boxes,
)
from spatial_perception.evaluation.crop_evaluators import evaluate_gtsrb, evaluate_lights
from spatial_perception.evaluation.mask_evaluators import evaluate_camvid
from spatial_perception.evaluation.measurement import Measurement, Progress, Request
from spatial_perception.evaluation.outlier_evaluators import evaluate_camvid_outliers
from spatial_perception.evaluation.picture_evaluators import (
    evaluate_box_list,
    evaluate_kitti_pictures,
)
from spatial_perception.evaluation.point_evaluators import (
    evaluate_range_images,
    evaluate_semantic_kitti,
    evaluate_simulated_points,
)
from spatial_perception.evaluation.region_evaluators import evaluate_camvid_regions
from spatial_perception.evaluation.report import Report
from spatial_perception.evaluation.voxel_evaluators import evaluate_semantic_kitti_voxels
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import ModelSpec

Evaluator = Callable[[Request, Progress], Measurement]

EVALUATORS: dict[str, dict[str, Evaluator]] = {
    "kitti": {
        "centers": evaluate_kitti_boxes,
        "boxes": evaluate_kitti_pictures,
        "yolox": evaluate_kitti_pictures,
    },
    "vod": {"centers": evaluate_vod_boxes},
    "argoverse2": {"centers": evaluate_argoverse2_boxes},
    "semantickitti": {
        "centers": evaluate_semantic_kitti_voxels,
        "point_classes": evaluate_semantic_kitti,
    },
    "range_images": {"point_classes": evaluate_range_images},
    "camvid": {
        "class_map": evaluate_camvid,
        "boxes": evaluate_camvid_regions,
        "yolox": evaluate_camvid_regions,
        "classification": evaluate_camvid_outliers,
    },
    "boxes": {"boxes": evaluate_box_list, "yolox": evaluate_box_list},
    "gtsrb": {"classification": evaluate_gtsrb},
    "lights": {"classification": evaluate_lights},
    "simulated": {
        "centers": evaluate_simulated_boxes,
        "point_classes": evaluate_simulated_points,
    },
}
"""By data set, then by the model's decoder."""

_SEED = 0


def evaluate(
    request: Request, progress: Progress, figures: Path | None = None
) -> tuple[Report, list[Path]]:
    """The metrics of a model on a data set with their intervals, and the figures written.

    Args:
        request: Model, data set and what of it.
        progress: Called after every frame.
        figures: Folder for figures; none are drawn where it is None.

    Raises:
        DatasetError: If the layout is missing or damaged.
        EngineError: If the model is missing or cannot run.
        ConfigError: If the model is not one that this data set measures.
    """
    spec = ModelSpec.load(find_model(request.model))
    measurement = measure(request, progress)
    frames = measurement.frames
    report = Report(
        model=spec.name,
        dataset=request.datasets,
        split=measurement.split,
        frames=frames,
        metrics=measurement.compute(np.ones(frames, dtype=np.int64)),
        interval_90=interval_90(measurement.compute, frames, np.random.default_rng(_SEED)),
    )
    if figures is None:
        return report, []
    from spatial_perception.evaluation.figures import write_figures  # matplotlib, for figures alone

    title = f"{spec.name} on {request.datasets} ({measurement.split})"
    return report, write_figures(measurement.illustration, figures, title)


def measure(request: Request, progress: Progress) -> Measurement:
    """What a model answers on a data set, before anything is computed of it.

    Raises:
        DatasetError: If the layout is missing or damaged.
        EngineError: If the model is missing or cannot run.
        ConfigError: If the model is not one that this data set measures.
    """
    spec = ModelSpec.load(find_model(request.model))
    by_decoder = (
        {"centers": evaluate_pooled_boxes} if request.pooled else EVALUATORS[request.dataset]
    )
    if spec.decoder not in by_decoder:
        raise ConfigError(
            f"model '{spec.name}' has the decoder '{spec.decoder}'; {request.datasets} measures"
            f" models with {' or '.join(by_decoder)}"
        )
    return by_decoder[spec.decoder](request, progress)

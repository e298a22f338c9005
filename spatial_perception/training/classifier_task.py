"""Training of the spatial-transformer classifier on traffic signs and traffic lights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from spatial_perception.config import option
from spatial_perception.datasets.gtsrb import read_gtsrb
from spatial_perception.datasets.images import LabelledCrops
from spatial_perception.datasets.lights import read_lights
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.classification import accuracy, ece, unknown_share
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.training.augment_crops import CropAugmentation
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.outliers import OutlierConfig, Outliers, evenness_loss
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, step_seed

_READERS: dict[str, Callable[[Path, str], LabelledCrops]] = {
    "gtsrb": read_gtsrb,  # type: ignore[dict-item]
    "lights": read_lights,  # type: ignore[dict-item]
}
_EXPORT_BATCH = 8


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """config/training/sign_classifier.yaml and light_classifier.yaml."""

    dataset: Literal["gtsrb", "lights"] = option("gtsrb", help="which layout the root has")
    width: int = option(32, help="channels of the first stage", range=(4, 512))
    transformers: int = option(2, help="spatial transformers in the network", range=(0, 2))
    size_px: int = option(32, help="side of the crops", unit="px", range=(8, 512))
    dropout: float = option(0.3, help="share of features dropped", range=(0.0, 0.9))
    standardize: bool = option(False, help="take each crop's brightness and contrast out first")
    initial: str = option("", help="checkpoint or weights file whose matching part is taken over")
    all_tracks: bool = option(
        False, help="train on the validation part too; its figures are none of held-out data then"
    )
    batch_size: int = option(128, help="crops a step", range=(1, 65536))
    balance: float = option(
        0.5, help="0: classes as often as in the data, 1: all equally often", range=(0.0, 1.0)
    )
    label_smoothing: float = option(0.05, help="share spread over all classes", range=(0.0, 0.5))
    augmentation: CropAugmentation = option(default_factory=CropAugmentation)
    outliers: OutlierConfig = option(default_factory=OutlierConfig)
    fit: FitConfig = option(default_factory=FitConfig)


@dataclass(frozen=True, slots=True, eq=False)
class CropBatch:
    """crops (B + O, 3, S, S) float32 RGB 0..255, the last O outliers, and labels (B,) int64."""

    crops: Tensor
    labels: Tensor


class ClassifierTask(Task[CropBatch]):
    """Crops to classes; the best weights are those of the highest validation accuracy."""

    def __init__(self, model: str, config: ClassifierConfig, data_root: Path) -> None:
        super().__init__(config.fit, config.initial)
        self._model, self._config = model, config
        read = _READERS[config.dataset]
        training = read(data_root, "trainval" if config.all_tracks else "train")
        validation = read(data_root, "val")
        for part, use in ((training, "trains"), (validation, "validates")):
            if not len(part):
                raise DatasetError(f"{data_root}: no crop {use}; docs/training.md says which do")
        self._label_set = training.label_set
        self._crops = training.pictures(config.size_px)
        self._labels = training.labels.astype(np.int64)
        self._validation_crops = validation.pictures(config.size_px)
        self._validation_labels = validation.labels.astype(np.int64)
        self._outliers = Outliers(config.outliers, config.size_px, config.batch_size)
        self._pool = _balanced_pool(self._labels, config.balance)
        self._order = EpochOrder(len(self._pool), config.batch_size, config.fit.seed)

    @property
    def network_name(self) -> str:
        return "stn_classifier"

    @property
    def network_arguments(self) -> dict[str, object]:
        config = self._config
        return {
            "classes": len(self._label_set),
            "width": config.width,
            "transformers": config.transformers,
            "size": config.size_px,
            "dropout": config.dropout,
            "standardize": config.standardize,
        }

    def batch(self, step: int) -> CropBatch:
        chosen = self._pool[self._order.indices(step)]
        generator = torch.Generator().manual_seed(step_seed(self.fit.seed, step))
        pictures = [self._crops[chosen], self._outliers.batch(self.fit.seed, step)]
        crops = self._config.augmentation(_tensor(np.concatenate(pictures)), generator)
        return CropBatch(crops, torch.from_numpy(self._labels[chosen]))

    def loss(self, network: SpatialNetwork, batch: CropBatch) -> tuple[Tensor, dict[str, Tensor]]:
        answers = network(batch.crops).float()
        logits, outliers = answers[: len(batch.labels)], answers[len(batch.labels) :]
        smoothing = self._config.label_smoothing
        loss = functional.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
        if len(outliers):
            loss = loss + self._config.outliers.weight * evenness_loss(outliers)
        right = (logits.argmax(1) == batch.labels).float().mean()
        return loss, {"accuracy": 100.0 * right.detach()}

    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        logits = _logits(network, self._validation_crops, device)
        labels = self._validation_labels
        temperature = best_temperature(logits, labels)
        metrics = {
            "accuracy": accuracy(logits, labels),
            "ece": ece(_softmax(logits / temperature), labels),
            "temperature": temperature,
        }
        if len(self._outliers.validation):
            answers = _logits(network, self._outliers.validation, device)
            metrics["unknown"] = unknown_share(_softmax(answers / temperature).max(1))
        return metrics

    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        logits = _logits(network, self._validation_crops, torch.device("cpu"))
        temperature = best_temperature(logits, self._validation_labels)
        size = self._config.size_px
        signs, unseen = self._config.dataset == "gtsrb", not self._config.all_tracks
        share = "four of five tracks of each class" if signs else "four of five files"
        outliers = self._config.outliers
        licence = "GTSRB: free for research" if signs else "none stated by its publisher"
        return ExportPlan(
            model=self._model,
            shapes=({"crops": (_EXPORT_BATCH, 3, size, size)},),
            decoder="classification",
            decoder_arguments={"temperature": round(temperature, 4)},
            preprocessing={"color": "rgb", "range": 255},
            label_set=self._label_set,
            training_data=(
                ("GTSRB training images" if signs else "traffic-light crops (red, yellow, green)")
                + (f", {share}" if unseen else ", all of them"),
                *([f"outliers: {outliers.source}"] if outliers.source else []),
            ),
            data_licence="; ".join(filter(None, (licence, outliers.licence))),
            summary=(
                "Names a traffic sign (43 classes of GTSRB) in a crop."
                if signs
                else "Names the colour of the traffic light in a crop."
            ),
            validation=("GTSRB, every fifth track of each class" if signs else "every fifth file")
            + ("" if unseen else ", trained on too"),
            validation_samples=len(self._validation_labels),
            evaluation=f"--dataset {self._config.dataset} --split val",
        )


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of the logits with the smallest negative log likelihood (Guo et al., 2017).

    At least a half: validation data without an error would ask for ever smaller ones.
    """
    rows = np.arange(len(labels))

    def negative_log_likelihood(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        peak = scaled.max(1, keepdims=True)
        normalizer = peak[:, 0] + np.log(np.exp(scaled - peak).sum(1))
        return float(np.mean(normalizer - scaled[rows, labels]))

    found = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.5), 3.0), method="bounded")
    return float(np.exp(found.x))


def _balanced_pool(labels: np.ndarray, balance: float) -> np.ndarray:
    """Sample indices of one epoch; rare classes repeat so that counts go as count^(1 - balance)."""
    counts = np.bincount(labels)
    wanted = counts.max() * (counts / counts.max()) ** (1.0 - balance)
    pools = []
    for label in np.flatnonzero(counts):
        members = np.flatnonzero(labels == label)
        pools.append(np.resize(members, max(round(wanted[label]), len(members))))
    return np.concatenate(pools)


def _logits(
    network: SpatialNetwork, crops: NDArray[np.uint8], device: torch.device
) -> NDArray[np.float32]:
    network.eval()
    chunks = []
    with torch.inference_mode():
        for first in range(0, len(crops), 256):
            part = _tensor(crops[first : first + 256]).to(device)
            chunks.append(network(part).float().cpu().numpy())
    return np.concatenate(chunks)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def _tensor(pictures: np.ndarray) -> Tensor:
    """(B, 3, H, W) float32 of (B, H, W, 3) uint8."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()

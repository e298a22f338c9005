"""Training of the U-Net on CamVid's street scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from spatial_perception.config import option
from spatial_perception.core.labels import CAMVID_LABELS, UNLABELED
from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.segmentation import ConfusionMatrix
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.networks.unet import UNet
from spatial_perception.training.augment_images import (
    ColorAugmentation,
    GeometryAugmentation,
    warp_image,
    warp_labels,
)
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.lidar_losses import weighted_cross_entropy
from spatial_perception.training.pretrained import IMAGENET, load_imagenet
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, sample_generator


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """config/training/camera_segmenter.yaml."""

    depth: int = option(13, help="blocks of the encoder", range=(12, 16))
    decoder_widths: tuple[int, ...] = option((32, 48, 64, 96), help="channels of the decoder")
    pretrained: bool = option(True, help="begin with the encoder's ImageNet weights")
    encoder_rate: float = option(
        0.3, help="learning rate of the encoder against the rest's", range=(0.0, 1.0)
    )
    initial: str = option("", help="checkpoint whose matching weights are taken over")
    batch_size: int = option(8, help="crops a step", range=(1, 4096))
    crop_hw: tuple[int, int] = option(
        (288, 352), help="training crop, height and width", unit="px", range=(16, 16384)
    )
    rarity: float = option(
        0.5, help="classes weigh as frequency^-rarity; 0 counts pixels", range=(0.0, 1.0)
    )
    auxiliary: float = option(0.3, help="weight of the coarse loss", range=(0.0, 10.0))
    overlap: float = option(0.5, help="weight of the soft Jaccard loss", range=(0.0, 10.0))
    geometry: GeometryAugmentation = option(default_factory=GeometryAugmentation)
    color: ColorAugmentation = option(default_factory=ColorAugmentation)
    export_shapes_hw: tuple[tuple[int, int], ...] = option(
        ((360, 480), (256, 832)), help="exported picture sizes"
    )
    fit: FitConfig = option(default_factory=FitConfig)


@dataclass(frozen=True, slots=True, eq=False)
class MaskBatch:
    """image (B, 3, H, W) uint8 RGB and labels (B, H, W) uint8, 255 unlabeled."""

    image: Tensor
    labels: Tensor


class SegmenterTask(Task[MaskBatch]):
    """Pixels to classes; the best weights are those of the highest validation mean IoU."""

    def __init__(self, model: str, config: SegmenterConfig, data_root: Path) -> None:
        super().__init__(config.fit, config.initial)
        self._model, self._config = model, config
        frames = read_camvid(data_root, "train")
        pairs = [frame.pair() for frame in frames]
        self._images, self._labels = [image for image, _ in pairs], [mask for _, mask in pairs]
        self._validation = read_camvid(data_root, "val")
        self._order = EpochOrder(len(frames), config.batch_size, config.fit.seed)
        if all((mask == UNLABELED).all() for mask in self._labels):
            raise DatasetError(
                f"{data_root}/trainannot: every pixel is void, nothing can be learnt"
            )
        self._weights = _class_weights(self._labels, config.rarity)

    @property
    def network_name(self) -> str:
        return "unet"

    @property
    def network_arguments(self) -> dict[str, object]:
        config = self._config
        return {
            "classes": len(CAMVID_LABELS),
            "depth": config.depth,
            "decoder_widths": config.decoder_widths,
        }

    def pretrain(self, network: SpatialNetwork) -> None:
        assert isinstance(network, UNet)
        if self._config.pretrained:
            load_imagenet(network.encoder)

    def rate_factor(self, parameter: str) -> float:
        return self._config.encoder_rate if parameter.startswith("encoder.") else 1.0

    def batch(self, step: int) -> MaskBatch:
        pairs = [
            self._sample(int(index), sample_generator(self.fit.seed, step, slot))
            for slot, index in enumerate(self._order.indices(step))
        ]
        images = np.stack([image for image, _ in pairs])
        labels = np.stack([label for _, label in pairs])
        return MaskBatch(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels))

    def _sample(self, index: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        image, labels, crop = self._images[index], self._labels[index], self._config.crop_hw
        matrix = self._config.geometry.matrix(generator, labels.shape, crop)
        image = self._config.color(warp_image(image, matrix, crop), generator)
        return image, warp_labels(labels, matrix, crop, UNLABELED)

    def loss(self, network: SpatialNetwork, batch: MaskBatch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, UNet)
        fine, coarse = network.coarse_logits(batch.image.float())
        labels = batch.labels.long()
        full = _enlarged(fine, labels)
        main = self._cross_entropy(full, labels)
        overlap = soft_jaccard_loss(full, labels)
        auxiliary = self._cross_entropy(coarse.float(), _nearest(labels, coarse))
        loss = main + self._config.overlap * overlap + self._config.auxiliary * auxiliary
        return loss, {
            "fine": main.detach(),
            "overlap": overlap.detach(),
            "coarse": auxiliary.detach(),
        }

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        weights = self._weights.to(logits.device)
        return weighted_cross_entropy(logits, labels, weights, UNLABELED)

    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        matrix = ConfusionMatrix(CAMVID_LABELS.names)
        for frame in self._validation:
            picture, labels = frame.pair()
            image = torch.from_numpy(picture).permute(2, 0, 1)[None].float().to(device)
            matrix.add(network(image)[0].argmax(0).cpu().numpy(), labels)
        return matrix.metrics()

    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        height, width = self._labels[0].shape
        return ExportPlan(
            model=self._model,
            shapes=tuple({"image": (1, 3, h, w)} for h, w in self._config.export_shapes_hw),
            decoder="class_map",
            preprocessing={"color": "rgb", "range": 255},
            label_set=CAMVID_LABELS,
            training_data=(
                f"CamVid, {len(self._labels)} training images at {width}x{height}",
                *((IMAGENET,) if self._config.pretrained else ()),
            ),
            data_licence="CamVid: CC BY-NC 4.0 as republished, non-commercial",
            summary="Gives every pixel of a street picture one of CamVid's eleven classes.",
            validation="CamVid val",
            validation_samples=len(self._validation),
            evaluation="--dataset camvid --split val",
        )


def soft_jaccard_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - intersection over union of scores and masks, the mean over the classes in the batch.

    Args:
        logits: (B, K, H, W).
        labels: (B, H, W) classes, UNLABELED where unknown.
    """
    known = labels != UNLABELED
    scores = torch.softmax(logits, 1) * known[:, None]
    truth = functional.one_hot(labels.where(known, 0), logits.shape[1]).permute(0, 3, 1, 2)
    truth = truth * known[:, None]
    both = (scores * truth).sum((0, 2, 3))
    sizes = truth.sum((0, 2, 3))
    union = scores.sum((0, 2, 3)) + sizes - both
    present = sizes > 0
    return 1.0 - (both[present] / union[present]).sum() / present.sum().clamp(min=1)


def _class_weights(labels: list[np.ndarray], rarity: float) -> Tensor:
    counts = np.zeros(len(CAMVID_LABELS))
    for mask in labels:
        counts += np.bincount(mask.ravel(), minlength=256)[: len(CAMVID_LABELS)]
    share = np.maximum(counts / counts.sum(), 1e-6)
    weights = share**-rarity
    return torch.tensor(weights / np.sum(weights * share), dtype=torch.float32)


def _enlarged(logits: Tensor, labels: Tensor) -> Tensor:
    size = [int(labels.shape[1]), int(labels.shape[2])]
    return functional.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)


def _nearest(labels: Tensor, like: Tensor) -> Tensor:
    size = [int(like.shape[2]), int(like.shape[3])]
    return functional.interpolate(labels[:, None].float(), size=size, mode="nearest")[:, 0].long()

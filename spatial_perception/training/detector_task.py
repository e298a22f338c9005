"""Training of the camera detector on pictures with boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spatial_perception.config import option
from spatial_perception.core.boxes import iou_2d
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.datasets.boxes import BoxPicture, read_box_list
from spatial_perception.datasets.gtsrb import read_gtsrb
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.lights import read_lights
from spatial_perception.errors import DatasetError
from spatial_perception.networks.cnn_detector import STRIDES, CnnDetector, cell_centers
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.ops.boxes import select_boxes
from spatial_perception.ops.letterbox import Letterbox, image_tensor
from spatial_perception.training.assignment import assign, detection_loss
from spatial_perception.training.augment_images import ColorAugmentation, GeometryAugmentation
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.mosaic import BoxSample, SampleMaker
from spatial_perception.training.paste_crops import CropPaster, CropSource
from spatial_perception.training.pretrained import IMAGENET, load_imagenet
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, sample_generator

_FREQUENT = 10
_EVERY_SIGN = 10
"""Of the frames of a track, which differ little."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """config/training/camera_detector.yaml."""

    depth: int = option(13, help="blocks of the encoder", range=(12, 16))
    neck_width: int = option(80, help="channels of pyramid and heads", range=(8, 1024))
    boxes: str = option("boxes.json", help="list of pictures and boxes, relative to the root")
    simulated: str = option(
        "", help="folder below the root that `simulate --pictures` wrote; trains, never validates"
    )
    validate_share: float = option(0.1, help="share of pictures that validates", range=(0.0, 0.9))
    long_side_px: int = option(
        960, help="larger pictures shrink to this first", unit="px", range=(16, 65536)
    )
    repeat_large: int = option(4, help="how often a picture that shrank counts", range=(1, 1000))
    pretrained: bool = option(True, help="begin with the encoder's ImageNet weights")
    encoder_rate: float = option(
        0.3, help="learning rate of the encoder against the rest's", range=(0.0, 1.0)
    )
    initial: str = option("", help="checkpoint whose matching weights are taken over")
    sign_crops: str = option("", help="GTSRB below the root, pasted as traffic signs")
    light_crops: str = option("", help="crops of lights below the root, pasted as traffic lights")
    paste: float = option(0.5, help="share of samples with pasted crops", range=(0.0, 1.0))
    batch_size: int = option(8, help="pictures a step", range=(1, 4096))
    size_hw: tuple[int, int] = option(
        (384, 512), help="training size", unit="px", range=(16, 16384)
    )
    mosaic: float = option(0.5, help="share of samples made of four pictures", range=(0.0, 1.0))
    box_weight: float = option(2.0, help="weight of the box loss", range=(0.0, 100.0))
    geometry: GeometryAugmentation = option(default_factory=GeometryAugmentation)
    color: ColorAugmentation = option(default_factory=ColorAugmentation)
    export_shapes_hw: tuple[tuple[int, int], ...] = option(
        ((384, 512), (224, 736), (288, 384)), help="exported picture sizes"
    )
    fit: FitConfig = option(default_factory=FitConfig)


@dataclass(frozen=True, slots=True, eq=False)
class BoxBatch:
    """image (B, 3, H, W) uint8 RGB; of each picture boxes (N, 4), labels (N,), ignored (M, 4)."""

    image: Tensor
    boxes: list[Tensor]
    labels: list[Tensor]
    ignored: list[Tensor]


class DetectorTask(Task[BoxBatch]):
    """Pictures to boxes; the best weights are those of the highest validation mean AP."""

    def __init__(self, model: str, config: DetectorConfig, data_root: Path) -> None:
        super().__init__(config.fit, config.initial)
        self._model, self._config = model, config
        pictures = read_box_list(data_root / config.boxes, data_root)
        order = np.random.default_rng(0).permutation(len(pictures))
        held = round(config.validate_share * len(pictures))
        self._validation = [_sample(pictures[i], config.long_side_px)[0] for i in order[:held]]
        self._samples: list[BoxSample] = []
        for i in sorted(order[held:]):
            sample, shrank = _sample(pictures[i], config.long_side_px)
            self._samples += [sample] * (config.repeat_large if shrank else 1)
        if config.simulated:
            folder = data_root / config.simulated
            simulated = read_box_list(folder / "boxes.json", folder)
            self._samples += [_sample(picture, config.long_side_px)[0] for picture in simulated]
        if not self._samples:
            raise DatasetError(
                f"{data_root / config.boxes}: no picture is left to train on: {held} of the"
                f" {len(pictures)} listed validate"
            )
        self._maker = SampleMaker(config.size_hw, config.geometry, config.color, config.mosaic)
        self._paster = CropPaster(_crop_sources(config, data_root), config.paste, config.color)
        self._order = EpochOrder(len(self._samples), config.batch_size, config.fit.seed)

    @property
    def network_name(self) -> str:
        return "cnn_detector"

    @property
    def network_arguments(self) -> dict[str, object]:
        config = self._config
        return {
            "classes": len(CAMERA_OBJECT_LABELS),
            "depth": config.depth,
            "neck_width": config.neck_width,
        }

    def pretrain(self, network: SpatialNetwork) -> None:
        assert isinstance(network, CnnDetector)
        if self._config.pretrained:
            load_imagenet(network.encoder)

    def rate_factor(self, parameter: str) -> float:
        return self._config.encoder_rate if parameter.startswith("encoder.") else 1.0

    def batch(self, step: int) -> BoxBatch:
        made = []
        for slot, index in enumerate(self._order.indices(step)):
            generator = sample_generator(self.fit.seed, step, slot)
            sample = self._maker(self._samples[int(index)], self._draw, generator)
            made.append(self._paster(sample, generator))
        images = np.stack([sample.image for sample in made])
        return BoxBatch(
            torch.from_numpy(images).permute(0, 3, 1, 2),
            [torch.from_numpy(sample.boxes) for sample in made],
            [torch.from_numpy(sample.labels).long() for sample in made],
            [torch.from_numpy(sample.ignored) for sample in made],
        )

    def _draw(self, generator: np.random.Generator) -> BoxSample:
        return self._samples[int(generator.integers(len(self._samples)))]

    def loss(self, network: SpatialNetwork, batch: BoxBatch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, CnnDetector)
        logits, boxes = network.raw(batch.image.float())
        logits = logits.float()
        height, width = self._config.size_hw
        sizes = [(-(-height // stride), -(-width // stride)) for stride in STRIDES]
        centers, strides = cell_centers(sizes, logits.device)
        scores = torch.sigmoid(logits.detach())
        found = [
            assign(scores[i], boxes[i].detach(), centers, strides, batch.boxes[i], batch.labels[i])
            for i in range(len(boxes))
        ]
        known = torch.stack(
            [
                ~_inside(centers, ignored) | (one.objects >= 0)
                for one, ignored in zip(found, batch.ignored, strict=True)
            ]
        )
        return detection_loss(
            logits, boxes, found, batch.boxes, known.float(), self._config.box_weight
        )

    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        return validation_metrics(
            network, self._validation, self._config.export_shapes_hw[0], device
        )

    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        return ExportPlan(
            model=self._model,
            shapes=tuple({"image": (1, 3, h, w)} for h, w in self._config.export_shapes_hw),
            decoder="boxes",
            preprocessing={"color": "rgb", "range": 255, "align": "center"},
            label_set=CAMERA_OBJECT_LABELS,
            training_data=(
                "CamVid training and validation images, six pictures of a nuScenes key frame, one "
                "of View-of-Delft, three of BDD100K, every second one of KITTI's raw clip; boxes "
                "taught by YOLOX-nano (Apache-2.0) looking at tiles, held against CamVid's masks",
                *(("crops of GTSRB pasted into them",) if self._config.sign_crops else ()),
                *(
                    ("crops of traffic lights pasted into them",)
                    if self._config.light_crops
                    else ()
                ),
                *(("simulated pictures",) if self._config.simulated else ()),
                *((IMAGENET,) if self._config.pretrained else ()),
            ),
            data_licence=(
                "CamVid: CC BY-NC 4.0 as republished; nuScenes: CC BY-NC-SA 4.0; View-of-Delft: "
                "research use; BDD100K: its publisher's licence; KITTI: CC BY-NC-SA 3.0; GTSRB: "
                "free for research; lights: none stated; non-commercial"
            ),
            summary="Boxes cars, trucks, buses, persons, two-wheelers, traffic lights and signs.",
            validation="a tenth of the taught pictures, boxes by the teacher",
            validation_samples=len(self._validation),
            evaluation="--dataset kitti",
        )


def _crop_sources(config: DetectorConfig, root: Path) -> tuple[CropSource, ...]:
    """GTSRB's crops have a tenth of background on each side, those of lights next to none."""
    sources = []
    if config.sign_crops:
        paths = read_gtsrb(root / config.sign_crops, "train").paths[::_EVERY_SIGN]
        label = CAMERA_OBJECT_LABELS.index("traffic_sign")
        sources.append(CropSource([read_rgb(path) for path in paths], label, 0.1, (8.0, 64.0)))
    if config.light_crops:
        paths = read_lights(root / config.light_crops, "train").paths
        label = CAMERA_OBJECT_LABELS.index("traffic_light")
        sources.append(CropSource([read_rgb(path) for path in paths], label, 0.02, (6.0, 40.0)))
    return tuple(sources)


def validation_metrics(
    network: SpatialNetwork,
    samples: list[BoxSample],
    size_hw: tuple[int, int],
    device: torch.device,
) -> dict[str, float]:
    """Average precision at IoU 0.5 of each class in `samples`, and their mean as `map_0.5`.

    Classes with fewer than ten objects do not enter the mean, if any has more: a single lucky
    box would choose the checkpoint.
    """
    hits: list[list[tuple[float, bool]]] = [[] for _ in CAMERA_OBJECT_LABELS.names]
    counts = np.zeros(len(CAMERA_OBJECT_LABELS), np.int64)
    for sample in samples:
        letterbox = Letterbox.fit(sample.image.shape[:2], size_hw)
        tensor = torch.from_numpy(image_tensor(letterbox.apply(sample.image))).to(device)
        boxes, scores = (output[0].float().cpu().numpy() for output in network(tensor))
        found = select_boxes(boxes, scores, 0.05, 0.6, 200)
        placed = letterbox.boxes_to_source(found.boxes_xyxy_px)
        counts += np.bincount(sample.labels, minlength=len(counts))
        for label in range(len(counts)):
            mine = found.labels == label
            truth = sample.boxes[sample.labels == label]
            hits[label] += _matched(placed[mine], found.scores[mine], truth, sample.ignored)
    precision = {
        name: _average_precision(hits[label], int(counts[label]))
        for label, name in enumerate(CAMERA_OBJECT_LABELS.names)
        if counts[label]
    }
    frequent = counts[counts > 0] >= min(_FREQUENT, int(counts.max()))
    mean = float(np.mean(np.array(list(precision.values()))[frequent])) if precision else 0.0
    return {"map_0.5": mean, **{f"{name}_ap_0.5": value for name, value in precision.items()}}


def _matched(
    boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray, ignored: np.ndarray
) -> list[tuple[float, bool]]:
    """(score, hit) of each box, best first; those on ignored regions are left out."""
    free = np.ones(len(truth), bool)
    overlap, doubt = iou_2d(boxes, truth), iou_2d(boxes, ignored)
    result = []
    for i in np.argsort(-scores, kind="stable"):
        candidates = np.where(free, overlap[i], 0.0)
        best = int(candidates.argmax()) if len(truth) else -1
        if best >= 0 and candidates[best] >= 0.5:
            free[best] = False
            result.append((float(scores[i]), True))
        elif not len(ignored) or doubt[i].max() < 0.3:
            result.append((float(scores[i]), False))
    return result


def _average_precision(hits: list[tuple[float, bool]], count: int) -> float:
    """Area under the precision envelope, percent."""
    right = np.array([hit for _, hit in sorted(hits, key=lambda pair: -pair[0])], np.float64)
    if not len(right):
        return 0.0
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return 100.0 * float((envelope * right).sum()) / count


def _inside(centers: Tensor, boxes: Tensor) -> Tensor:
    """(A,) bool: the centre lies in one of the boxes (M, 4)."""
    low = (centers[None] - boxes[:, None, :2]).amin(2)
    high = (boxes[:, None, 2:] - centers[None]).amin(2)
    return ((low > 0) & (high > 0)).any(0)


def _sample(picture: BoxPicture, long_side_px: int) -> tuple[BoxSample, bool]:
    """The picture in memory, shrunk if it is larger than wanted, and whether it was."""
    image = picture.image()
    height, width = image.shape[:2]
    scale = min(1.0, long_side_px / max(height, width))
    letterbox = Letterbox.fit((height, width), (round(height * scale), round(width * scale)))
    boxes = letterbox.boxes_to_target(picture.boxes_xyxy_px)
    ignored = letterbox.boxes_to_target(picture.ignored_xyxy_px)
    return BoxSample(letterbox.apply(image), boxes, picture.labels, ignored), scale < 1.0

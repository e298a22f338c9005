"""Training samples of the voxel network: a crop of a changed scan with its targets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spatial_perception.core.labels import OBJECT_LABELS, UNLABELED
from spatial_perception.datasets.shards import FREE, SimulatedScan, VoxelTruth
from spatial_perception.ops.centers import CentersConfig, CenterTargets, encode_centers
from spatial_perception.ops.ground import GroundConfig, GroundGrid, estimate_ground
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import VoxelConfig, voxelize
from spatial_perception.training.augment_scans import PlaneMap, ScanAugmentation

_IDENTITY = PlaneMap(0.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class VoxelBatch:
    """Voxels and what the heads should give; shapes as in `CenterTargets`, with a batch in front.

    Attributes:
        voxels: (B, C, Z, Y, X) float32.
        heatmap, regression, heading, weight: see `CenterTargets`.
        counts: (B, Y, X) bool, where the heatmap is judged.
        occupancy: (B, Z', Y, X) uint8 class, the number of classes where free, 255 unknown.
    """

    voxels: Tensor
    heatmap: Tensor
    regression: Tensor
    heading: Tensor
    weight: Tensor
    counts: Tensor
    occupancy: Tensor

    @classmethod
    def stacked(cls, samples: list[VoxelBatch]) -> VoxelBatch:
        """One batch of samples without the batch's dimension."""
        return cls(*(torch.stack([getattr(s, n) for s in samples]) for n in cls.__slots__))


@dataclass(frozen=True, slots=True)
class SampleConfig:
    """The grids of a sample; crops have the same voxels on a smaller range."""

    voxels: VoxelConfig
    centers: CentersConfig
    occupancy: SemanticVoxelConfig
    ground: GroundConfig
    min_hits: int

    def cropped(self, x_m: float, y_m: float, side_m: float) -> SampleConfig:
        """The same grids on a square whose corner is at x, y."""
        ranges = {"range_x_m": (x_m, x_m + side_m), "range_y_m": (y_m, y_m + side_m)}
        return replace(
            self,
            voxels=replace(self.voxels, **ranges),
            centers=replace(self.centers, **ranges),
            occupancy=replace(self.occupancy, **ranges),
        )


def random_sample(
    scan: SimulatedScan,
    config: SampleConfig,
    augmentation: ScanAugmentation,
    crop_m: float,
    generator: np.random.Generator,
) -> VoxelBatch:
    """A random crop of a randomly changed scan, mostly one with objects in it."""
    mapped = augmentation.map(generator)
    kept = augmentation.kept(scan.points, generator)
    points = augmentation.jitter(mapped.points(scan.points[kept]), generator)
    boxes = mapped.boxes(scan.boxes)
    hits = scan.box_hits * kept.mean()
    middle = _crop_middle(boxes, scan.box_labels, hits >= config.min_hits, crop_m, generator)
    x_m, y_m = middle - 0.5 * crop_m
    changed = replace(
        scan,
        points=points,
        labels=scan.labels[kept],
        instances=scan.instances[kept],
        boxes=boxes,
        box_hits=hits.astype(np.int32),
    )
    return voxel_sample(changed, config.cropped(float(x_m), float(y_m), crop_m), mapped)


def voxel_sample(
    scan: SimulatedScan, config: SampleConfig, mapped: PlaneMap = _IDENTITY
) -> VoxelBatch:
    """The network's input and targets for a scan.

    Args:
        scan: Points and boxes as they are shown to the network.
        config: The grids.
        mapped: What was done to the scan, undone to look up its voxels.
    """
    ground = estimate_ground(scan.points, config.ground)
    boxes = scan.boxes.copy()
    boxes[:, 2] -= ground.height_at(boxes)
    seen = scan.box_hits >= config.min_hits
    labels = np.where(seen, scan.box_labels, UNLABELED)
    targets = encode_centers(boxes, labels, len(OBJECT_LABELS), config.centers)
    counts = ~_footprints(boxes[~seen], config.centers) | (targets.weight > 0)
    occupancy = occupancy_target(scan.voxels, ground, config.occupancy, mapped)
    return _tensors(voxelize(scan.points, ground, config.voxels), targets, counts, occupancy)


def occupancy_target(
    truth: VoxelTruth | None,
    ground: GroundGrid,
    config: SemanticVoxelConfig,
    mapped: PlaneMap = _IDENTITY,
) -> np.ndarray:
    """(Z, Y, X) uint8 classes in voxels over the ground, 9 where free, 255 where not visible."""
    if truth is None:
        return np.full(config.shape, UNLABELED, np.uint8)
    y, x = config.centers(config.range_y_m), config.centers(config.range_x_m)
    flat = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    under = ground.height_at(flat)
    low = mapped.before(np.column_stack([flat, under]))
    columns = np.floor((low[:, :2] - truth.origin_m[:2]) / truth.voxel_size_m[:2]).astype(np.int64)
    depth, height, width = truth.labels.shape
    inside = ((columns >= 0) & (columns < (width, height))).all(axis=1)
    column = np.clip(columns[:, 1], 0, height - 1) * width + np.clip(columns[:, 0], 0, width - 1)
    over = config.centers(config.range_z_m)[:, None] / mapped.scale
    over_corner = low[:, 2] + over - truth.origin_m[2]
    layer = np.floor(over_corner / truth.voxel_size_m[2]).astype(np.int64)
    known = inside & (layer >= 0) & (layer < depth)
    index = np.clip(layer, 0, depth - 1) * (height * width) + column
    labels = truth.labels.ravel()[index]
    known &= truth.visible.ravel()[index]
    labels = np.where(labels == FREE, np.uint8(9), labels)
    return np.where(known, labels, np.uint8(UNLABELED)).reshape(config.shape)


def _crop_middle(
    boxes: np.ndarray,
    labels: np.ndarray,
    seen: np.ndarray,
    crop_m: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """(2,) x and y: near a box, rare classes as often as frequent ones, or anywhere around."""
    classes = np.unique(labels[seen])
    if not len(classes) or generator.random() < 0.25:
        return generator.uniform(-45.0, 45.0, 2)
    chosen = generator.choice(np.flatnonzero(seen & (labels == generator.choice(classes))))
    return boxes[chosen, :2] + generator.uniform(-0.4, 0.4, 2) * crop_m


def _footprints(boxes: np.ndarray, config: CentersConfig) -> np.ndarray:
    """(Y, X) bool: cells within half a length of a box's centre."""
    covered = np.zeros(config.shape, bool)
    rows, columns = np.ogrid[: config.shape[0], : config.shape[1]]
    for box in boxes:
        column = (box[0] - config.range_x_m[0]) / config.cell_m - 0.5
        row = (box[1] - config.range_y_m[0]) / config.cell_m - 0.5
        radius = max(0.5 * box[3] / config.cell_m, 1.5)
        covered |= (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return covered


def _tensors(
    voxels: np.ndarray, targets: CenterTargets, counts: np.ndarray, occupancy: np.ndarray
) -> VoxelBatch:
    arrays = (
        voxels,
        targets.heatmap,
        targets.regression,
        targets.heading,
        targets.weight,
        counts,
        occupancy,
    )
    return VoxelBatch(*(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays))

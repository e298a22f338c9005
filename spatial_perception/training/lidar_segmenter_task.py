"""Training of the graph convolutional network on simulated and, where given, real scans."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spatial_perception.config import option
from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.evaluation.point_scans import PointScanSource, simulated_scans
from spatial_perception.evaluation.segmentation import ConfusionMatrix
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.ops.graph import CHILDREN, GraphConfig, PointGraph, build_graph
from spatial_perception.ops.ground import GroundConfig, estimate_ground
from spatial_perception.training.augment_scans import ScanAugmentation
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.lidar_losses import overlap_loss, weighted_cross_entropy
from spatial_perception.training.real_scans import RealScanConfig, find_real_scans
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, sample_generator


@dataclass(frozen=True, slots=True)
class PointSegmenterConfig:
    """config/training/lidar_segmenter.yaml and lidar_segmenter_real.yaml."""

    initial: str = option(
        "", help="checkpoint or weights.safetensors whose matching weights are taken over"
    )
    real: tuple[RealScanConfig, ...] = option((), help="real labelled scans, none by default")
    real_share: float = option(
        0.3, help="share of samples that are real, where there are any", range=(0.0, 1.0)
    )
    channels: tuple[int, ...] = option((48, 64, 96, 128, 128), help="width of each level")
    blocks: int = option(2, help="graph convolutions a level on the way up", range=(1, 10))
    batch_size: int = option(2, help="scans a step", range=(1, 256))
    validation_scans: int = option(40, help="scans of the validation split", range=(1, 100000))
    class_weights: tuple[float, ...] = option(
        (1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.5, 3.0, 3.0), help="weight of each class of points"
    )
    graph: GraphConfig = option(default_factory=GraphConfig)
    ground: GroundConfig = option(default_factory=GroundConfig)
    augmentation: ScanAugmentation = option(default_factory=ScanAugmentation)
    fit: FitConfig = option(default_factory=FitConfig)

    def __post_init__(self) -> None:
        for name, count in (
            ("channels", len(self.graph.nodes)),
            ("class_weights", len(POINT_LABELS)),
        ):
            if (given := len(getattr(self, name))) != count:
                each = "level of graph.nodes" if name == "channels" else "class of points"
                raise ConfigError(f"{name}: expected {count} values, one a {each}, got {given}")


@dataclass(frozen=True, slots=True, eq=False)
class GraphBatch:
    """Several pyramids of graphs side by side, with the class of most points of each node."""

    tables: dict[str, Tensor]
    labels: Tensor


class LidarSegmenterTask(Task[GraphBatch]):
    """Points to classes; the best weights are those of the highest mean IoU over points."""

    def __init__(self, model: str, config: PointSegmenterConfig, data_root: Path) -> None:
        super().__init__(config.fit, config.initial)
        self._model, self._config = model, config
        self._simulated = simulated_scans(data_root, "train")
        self._validation = simulated_scans(data_root, "val")[: config.validation_scans]
        self._real = find_real_scans(config.real, data_root)
        self._order = EpochOrder(len(self._simulated), config.batch_size, config.fit.seed)

    @property
    def network_name(self) -> str:
        return "gcn_segmenter"

    @property
    def network_arguments(self) -> dict[str, object]:
        config = self._config
        return {
            "features": config.graph.features,
            "classes": len(POINT_LABELS),
            "channels": config.channels,
            "blocks": config.blocks,
        }

    def batch(self, step: int) -> GraphBatch:
        pairs = [
            self._sample(int(index), sample_generator(self.fit.seed, step, slot))
            for slot, index in enumerate(self._order.indices(step))
        ]
        tables = joined_graphs([graph for graph, _ in pairs])
        return GraphBatch(
            {name: torch.from_numpy(table) for name, table in tables.items()},
            torch.from_numpy(np.concatenate([labels for _, labels in pairs])),
        )

    def _sample(self, index: int, generator: np.random.Generator) -> tuple[PointGraph, np.ndarray]:
        """A changed scan: the simulated one of that number, or by chance a real one instead."""
        source = self._simulated[index]
        real = self._real.train
        if real and generator.random() < self._config.real_share:
            source = real[int(generator.integers(len(real)))]
        scan = _read(source)
        augmentation = self._config.augmentation
        kept = augmentation.kept(scan.cloud.points, generator)
        mapped = augmentation.map(generator)
        points = augmentation.jitter(mapped.points(scan.cloud.points[kept]), generator)
        graph = self._graph(points)
        return graph, node_labels(graph, scan.labels[kept])

    def _graph(self, points: np.ndarray) -> PointGraph:
        ground = estimate_ground(points, self._config.ground)
        return build_graph(points, ground, self._config.graph)

    def loss(self, network: SpatialNetwork, batch: GraphBatch) -> tuple[Tensor, dict[str, Tensor]]:
        logits = network.outputs(batch.tables)["logits"].float()
        weights = torch.tensor(self._config.class_weights, device=logits.device)
        parts = {
            "entropy": weighted_cross_entropy(logits, batch.labels, weights, UNLABELED),
            "overlap": overlap_loss(logits, batch.labels, UNLABELED),
        }
        return parts["entropy"] + parts["overlap"], {k: v.detach() for k, v in parts.items()}

    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        metrics = self._measured(network, device, self._validation)
        held = self._real.held
        real = self._measured(network, device, held) if held else {}
        return metrics | {f"real_{name}": value for name, value in real.items()}

    def _measured(
        self, network: SpatialNetwork, device: torch.device, sources: list[PointScanSource]
    ) -> dict[str, float]:
        network.eval()
        matrix = ConfusionMatrix(POINT_LABELS.names)
        for source in sources:
            scan = _read(source)
            graph = self._graph(scan.cloud.points)
            inputs = {k: torch.from_numpy(v).to(device) for k, v in graph.inputs().items()}
            classes = network.outputs(inputs)["logits"].argmax(dim=1).cpu().numpy()
            matrix.add(classes[graph.node_of_point], scan.labels)
        return matrix.metrics()

    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        config = self._config
        shapes = table_shapes(config.graph)
        simulated = f"simulated streets, {len(self._simulated)} scans"
        real = self._real.description or ("no real data",)
        held = f"; real_...: {len(self._real.held)} real scans" if self._real.held else ""
        return ExportPlan(
            model=self._model,
            shapes=(shapes,),
            input_dtypes={n: "int32" for n in shapes if n.startswith(_INDICES)},
            decoder="point_classes",
            preprocessing={
                "graph": dataclasses.asdict(config.graph),
                "ground": dataclasses.asdict(config.ground),
            },
            label_set=POINT_LABELS,
            training_data=(simulated, *real),
            data_licence="; ".join(dict.fromkeys(source.licence for source in config.real)),
            validation="simulated streets, other seeds" + held,
            validation_samples=len(self._validation),
            evaluation="--dataset simulated --split val",
            summary="A class for every point of a LiDAR scan."
            + (_ALSO_REAL if config.real else ""),
        )


_ALSO_REAL = (
    " Trained with real labelled scans, too: the licence of the training data binds whoever uses"
    " these weights. lidar_segmenter has none such."
)
_INDICES = ("neighbours", "children", "parents")


def _read(source: PointScanSource) -> LabelledCloud:
    scan = source.read()
    if not len(scan.cloud.points):
        raise DatasetError(f"{source.name}: the scan holds no points")
    return scan


def node_labels(graph: PointGraph, labels: np.ndarray) -> np.ndarray:
    """(N_0,) uint8: the class of most labelled points of each node, 255 where none is labelled."""
    known = labels != UNLABELED
    classes = len(POINT_LABELS)
    index = graph.node_of_point[known].astype(np.int64) * classes + labels[known]
    counts = np.bincount(index, minlength=len(graph.features) * classes).reshape(-1, classes)
    chosen = counts.argmax(axis=1)
    return np.where(counts.max(axis=1) > 0, chosen, UNLABELED).astype(np.uint8)


def joined_graphs(graphs: list[PointGraph]) -> dict[str, np.ndarray]:
    """One set of tables for several graphs that do not touch each other."""
    tables = [graph.inputs() for graph in graphs]
    sizes = [[len(level) for level in graph.neighbours] for graph in graphs]
    starts = np.cumsum([[0] * len(sizes[0]), *sizes[:-1]], axis=0, dtype=np.int32)
    joined = {}
    for name in tables[0]:
        kind, _, level = name.partition("_")
        shift = {"neighbours": 0, "children": 0, "parents": 1}.get(kind)
        parts = [
            table[name] if shift is None else table[name] + start[int(level) + shift]
            for table, start in zip(tables, starts, strict=True)
        ]
        joined[name] = np.concatenate(parts)
    return joined


def table_shapes(config: GraphConfig) -> dict[str, tuple[int, ...]]:
    """Static shapes of the padded tables, in the order of the network's inputs."""
    shapes: dict[str, tuple[int, ...]] = {"features": (config.nodes[0], config.features)}
    for level, count in enumerate(config.nodes):
        shapes[f"neighbours_{level}"] = (count, config.neighbours + 1)
        shapes[f"weights_{level}"] = (count, config.neighbours + 1)
    for level, (count, upper) in enumerate(zip(config.nodes, config.nodes[1:], strict=False)):
        shapes[f"children_{level}"] = (upper, CHILDREN)
        shapes[f"parents_{level}"] = (count,)
    return shapes

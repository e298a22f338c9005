"""The LiDAR tasks on tiny shards: batches, falling loss, validation, and what they export."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from spatial_perception.config import from_mapping, load_yaml
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.ops.centers import CentersConfig
from spatial_perception.ops.graph import GraphConfig, build_graph
from spatial_perception.ops.ground import flat_ground
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import VoxelConfig
from spatial_perception.training.augment_scans import ScanAugmentation
from spatial_perception.training.checkpoint import save_weights
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.lidar_detector_task import (
    LidarDetectorTask,
    VoxelDetectorConfig,
    occupancy_window,
)
from spatial_perception.training.lidar_segmenter_task import (
    LidarSegmenterTask,
    PointSegmenterConfig,
    joined_graphs,
    node_labels,
    table_shapes,
)
from spatial_perception.training.task import Task
from test.training.shards import write_street

RANGE = {"range_x_m": (-12.8, 12.8), "range_y_m": (-12.8, 12.8)}
GRAPH = GraphConfig(voxel_m=0.8, nodes=(2400, 900, 300), neighbours=6)
AUGMENTATION = ScanAugmentation(rotation_deg=10.0, drop_rings=0.0)
DETECTOR = VoxelDetectorConfig(
    stages=((8, 2), (8, 2)),
    widths=(16, 16, 16),
    blocks=(1, 1, 1),
    batch_size=2,
    crop_m=25.6,
    voxels=VoxelConfig(**RANGE),
    centers=CentersConfig(**RANGE),
    occupancy=SemanticVoxelConfig((-6.4, 12.8), (-6.4, 6.4)),
    augmentation=AUGMENTATION,
    fit=FitConfig(),
)
SEGMENTER = PointSegmenterConfig(
    channels=(16, 16, 16), batch_size=2, graph=GRAPH, augmentation=AUGMENTATION, fit=FitConfig()
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    for seed in range(3):
        write_street(folder / "train" / f"{seed}.npz", seed)
    write_street(folder / "val" / "9.npz", 9)
    return folder


@pytest.fixture(params=["lidar_detector", "lidar_segmenter"])
def task(request: pytest.FixtureRequest, root: Path) -> Task[Any]:
    if request.param == "lidar_detector":
        return LidarDetectorTask(request.param, DETECTOR, root)
    return LidarSegmenterTask(request.param, SEGMENTER, root)


def test_the_loss_falls(task: Task[Any]) -> None:
    torch.manual_seed(0)
    network = task.network().train()
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    batch, losses = task.batch(0), []
    for _ in range(12):
        loss, parts = task.loss(network, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.isfinite(value) for value in parts.values())


@pytest.mark.parametrize("name", ["best.pt", "weights.safetensors"])
def test_training_starts_from_given_weights(
    task: Task[Any], root: Path, tmp_path: Path, name: str
) -> None:
    torch.manual_seed(1)
    given = task.network().state_dict()
    if name == "best.pt":
        save_weights(tmp_path / name, given, {}, 0)
    else:
        save_file(given, tmp_path / name)
    config = DETECTOR if isinstance(task, LidarDetectorTask) else SEGMENTER
    changed = replace(config, initial=str(tmp_path / name))
    started = type(task)("any", changed, root).start().state_dict()
    assert all(torch.equal(started[key], value) for key, value in given.items())


def test_weights_of_which_nothing_fits_are_refused(root: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "best.pt", {"other": torch.ones(3)}, {}, 0)
    config = replace(DETECTOR, initial=str(tmp_path / "best.pt"))
    with pytest.raises(ConfigError, match="no weights of this network"):
        LidarDetectorTask("lidar_detector", config, root).start()


def test_the_fitted_calibration_goes_into_the_model_and_leaves_the_weights(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = LidarDetectorTask("lidar_detector", DETECTOR, root)
    network = task.network().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    parameters = iter([(2.0, -1.0), (0.5, 0.0), (1.0, 0.25), (1.0, 0.0)])
    module = "spatial_perception.training.lidar_detector_task.fit_scores"
    monkeypatch.setattr(module, lambda scores, right: next(parameters))
    with torch.inference_mode():
        task.calibrate(network)
    assert task.export_plan(network).decoder_arguments["calibration"] == {
        "scales": (2.0, 0.5, 1.0, 1.0),
        "offsets": (-1.0, 0.0, 0.25, 0.0),
    }
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_scores_stay_as_trained_where_calibration_is_off(root: Path) -> None:
    task = LidarDetectorTask("lidar_detector", replace(DETECTOR, calibrate_scores=False), root)
    network = task.network().eval()
    task.calibrate(network)
    calibration = task.export_plan(network).decoder_arguments["calibration"]
    assert calibration == {"scales": (), "offsets": ()}


def test_validation_measures_what_the_network_is_for(task: Task[Any]) -> None:
    with torch.inference_mode():
        metrics = task.validate(task.network(), torch.device("cpu"))
    first = next(iter(metrics))
    assert first in ("mean_bev_ap_0.5", "miou")
    assert all(np.isfinite(value) for value in metrics.values())
    if first == "mean_bev_ap_0.5":
        assert {"car_bev_ap_0.5", "car_3d_ap_0.7", "occupancy_iou"} <= set(metrics)


def test_the_plan_names_every_input_of_the_network(task: Task[Any]) -> None:
    network = task.network()
    plan = task.export_plan(network)
    assert set(plan.shapes[0]) == set(network.input_names)
    assert plan.data_licence == ""
    assert plan.label_set in (OBJECT_LABELS, POINT_LABELS)


def test_batches_are_a_function_of_the_step(task: Task[Any]) -> None:
    one, two, other = task.batch(3), task.batch(3), task.batch(4)
    pick = (lambda b: b.voxels) if hasattr(one, "voxels") else (lambda b: b.tables["features"])
    assert torch.equal(pick(one), pick(two))
    assert pick(one).shape != pick(other).shape or not torch.equal(pick(one), pick(other))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lidar_detector", VoxelDetectorConfig),
        ("lidar_segmenter", PointSegmenterConfig),
        ("lidar_segmenter_real", PointSegmenterConfig),
    ],
)
def test_the_shipped_configuration_is_valid(name: str, kind: type[Any]) -> None:
    path = Path("config/training") / f"{name}.yaml"
    config = from_mapping(kind, load_yaml(path), str(path))
    assert config.fit.steps > 0


def test_the_occupancy_window_is_a_part_of_the_grid() -> None:
    assert occupancy_window(DETECTOR.centers, DETECTOR.occupancy) == (16, 48, 16, 64)
    with pytest.raises(ConfigError, match="beyond the grid"):
        occupancy_window(DETECTOR.centers, SemanticVoxelConfig())
    with pytest.raises(ConfigError, match="voxels of"):
        occupancy_window(DETECTOR.centers, replace(DETECTOR.occupancy, voxel_m=0.2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"occupancy_weights": (1.0, 1.0)}, "occupancy_weights: expected 10 values, got 2"),
        ({"voxels": VoxelConfig(**RANGE, voxel_m=(0.2, 0.2, 0.6))}, "the same ranges and cells"),
        ({"voxels": VoxelConfig()}, "the same ranges and cells"),
        ({"crop_m": 13.2}, "multiples of 4 cells of 0.4 m"),
        ({"occupancy": SemanticVoxelConfig()}, "beyond the grid"),
    ],
)
def test_grids_that_do_not_fit_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(DETECTOR, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (8, 12)}, "channels: expected 3 values, one a level of graph.nodes, got 2"),
        ({"class_weights": (1.0,)}, "class_weights: expected 9 values, one a class of points"),
    ],
)
def test_a_segmenter_has_a_width_a_level_and_a_weight_a_class(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(SEGMENTER, **options)


def test_a_scan_without_points_is_named(root: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        arrays = dict(np.load(write_street(tmp_path / split / "empty.npz", 0)))
        arrays |= {name: arrays[name][:0] for name in ("points", "labels", "instance")}
        np.savez(tmp_path / split / "empty.npz", **arrays)
    task = LidarSegmenterTask("lidar_segmenter", SEGMENTER, tmp_path)
    for use in (lambda: task.batch(0), lambda: task.validate(task.network(), torch.device("cpu"))):
        with pytest.raises(DatasetError, match="empty: the scan holds no points"):
            use()


def test_graphs_side_by_side_do_not_touch(root: Path) -> None:
    network = LidarSegmenterTask("lidar_segmenter", SEGMENTER, root).network().eval()
    rng = np.random.default_rng(0)
    clouds = [rng.uniform(-5, 5, (300, 3)).astype(np.float32) for _ in range(2)]
    graphs = [build_graph(cloud, flat_ground(), GRAPH) for cloud in clouds]
    alone = [
        network.outputs({k: torch.from_numpy(v) for k, v in graph.inputs().items()})["logits"]
        for graph in graphs
    ]
    joined = {k: torch.from_numpy(v) for k, v in joined_graphs(graphs).items()}
    torch.testing.assert_close(network.outputs(joined)["logits"], torch.cat(alone))


def test_a_node_takes_the_class_of_most_of_its_labelled_points() -> None:
    points = np.array([[0.1, 0.1, 0], [0.2, 0.1, 0], [0.3, 0.1, 0], [5, 5, 0]], np.float32)
    graph = build_graph(points, flat_ground(), GRAPH)
    labels = node_labels(graph, np.array([3, 3, 1, 255], np.uint8))
    assert labels[graph.node_of_point].tolist() == [3, 3, 3, 255]


def test_shapes_of_the_tables_are_those_of_a_padded_graph() -> None:
    cloud = np.random.default_rng(1).uniform(-5, 5, (300, 3)).astype(np.float32)
    padded = build_graph(cloud, flat_ground(), GRAPH).padded(GRAPH.nodes)
    assert table_shapes(GRAPH) == {name: table.shape for name, table in padded.inputs().items()}

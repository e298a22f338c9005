"""Real labelled scans beside simulated ones: which train, which validate, what a batch holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spatial_perception.config import from_mapping
from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.ops.graph import GraphConfig
from spatial_perception.training.augment_scans import ScanAugmentation
from spatial_perception.training.lidar_segmenter_task import (
    LidarSegmenterTask,
    PointSegmenterConfig,
)
from spatial_perception.training.real_scans import RealScanConfig, find_real_scans
from test.training.shards import write_street

REAL = RealScanConfig("semantickitti", "real", "some licence", "partial", ("000001",))
SEGMENTER = PointSegmenterConfig(
    channels=(16, 16, 16),
    real=(REAL,),
    graph=GraphConfig(voxel_m=0.8, nodes=(2400, 900, 300), neighbours=6),
    augmentation=ScanAugmentation(drop_rings=0.0),
)
TERRAIN = POINT_LABELS.index("terrain")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A simulated street without terrain, and two real scans of which a half is terrain."""
    write_street(tmp_path / "train" / "0.npz", 0)
    write_street(tmp_path / "val" / "9.npz", 9)
    (tmp_path / "real" / "partial").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("000000", "000001"):
        xyz = np.column_stack([rng.uniform(-16, 16, (3000, 2)), np.full(3000, -1.73)])
        label = np.where(xyz[:, 0] < 0, 17, 255).astype(np.uint8)  # 17 terrain, 255 unknown
        arrays = {"xyz": xyz, "intensity": np.zeros(3000), "label": label}
        np.savez(tmp_path / "real" / "partial" / f"{name}.npz", **arrays)
    return tmp_path


def test_held_scans_validate_and_do_not_train(root: Path) -> None:
    scans = find_real_scans((REAL,), root)
    assert [scan.name for scan in scans.train] == ["000000"]
    assert [scan.name for scan in scans.held] == ["000001"]
    task = LidarSegmenterTask("any", SEGMENTER, root)
    with torch.inference_mode():
        measured = task.validate(task.network(), torch.device("cpu"))
    assert {"miou", "real_miou", "real_iou_terrain"} <= set(measured)


@pytest.mark.parametrize(
    "change", [{"held": ("000007",)}, {"root": "elsewhere"}, {"split": "04"}], ids=str
)
def test_scans_that_are_not_there_are_told(root: Path, change: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match=str(root)):
        find_real_scans((replace(REAL, **change),), root)


def test_a_source_must_name_its_licence() -> None:
    real = [{"dataset": "semantickitti", "root": "real"}]
    with pytest.raises(ConfigError, match="licence"):
        from_mapping(PointSegmenterConfig, {"real": real})


@pytest.mark.parametrize(
    ("share", "terrain"), [(0.0, [False]), (1.0, [True]), (0.5, [False, True])]
)
def test_the_share_says_how_many_samples_are_real(
    root: Path, share: float, terrain: list[bool]
) -> None:
    task = LidarSegmenterTask("any", replace(SEGMENTER, batch_size=1, real_share=share), root)
    found = [bool((task.batch(step).labels == TERRAIN).any()) for step in range(12)]
    assert sorted(set(found)) == terrain


def test_unlabelled_points_do_not_enter_the_loss(root: Path) -> None:
    task = LidarSegmenterTask("any", replace(SEGMENTER, batch_size=1, real_share=1.0), root)
    network, batch = task.network().eval(), task.batch(0)
    unknown = batch.labels == 255
    assert 0.3 < unknown.float().mean() < 0.7
    logits = network.outputs(batch.tables)["logits"].detach().requires_grad_()
    network.outputs = lambda tables: {"logits": logits}  # type: ignore[method-assign]
    task.loss(network, batch)[0].backward()
    assert logits.grad is not None
    assert not logits.grad[unknown].any()
    assert logits.grad[~unknown].abs().sum() > 0


def test_the_plan_says_what_was_used_and_under_which_licence(root: Path) -> None:
    config = replace(SEGMENTER, real=(REAL, REAL))
    task = LidarSegmenterTask("any", config, root)
    plan = task.export_plan(task.network())
    assert plan.data_licence == "some licence"
    assert plan.training_data[0] == "simulated streets, 1 scans"
    assert plan.training_data[1:] == ("1 real scans of semantickitti (partial)",) * 2

import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.shards import FREE, VoxelTruth
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.voxel_truth import VoxelRegion, voxel_truth

from .scenes import block, plain, snapshot_of, surroundings_of

REGION = VoxelRegion(origin_m=(-4.0, -8.0, -0.8), size_m=0.4, shape_zyx=(8, 40, 50))
ROAD, BUILDING = POINT_LABELS.index("road"), POINT_LABELS.index("building")


@pytest.fixture(scope="module")
def truth() -> VoxelTruth:
    # A wall from x 6 to 6.4 m, y -4 to 4 m, 2 m high, over a road a hand's breadth over z = 0.
    groups = (plain().placed((0, 0, 0.2)), block((6.2, 0, 1.0), (0.38, 8.0, 2.0)))
    return voxel_truth(snapshot_of(*groups).mesh, surroundings_of(*groups), Pose.identity(), REGION)


def at(grid: np.ndarray, x: float, y: float, z: float) -> int:
    cell = np.floor((np.array([x, y, z]) - REGION.origin_m) / REGION.size_m).astype(int)
    return int(grid[cell[2], cell[1], cell[0]])


def test_ground_fills_its_layer_without_a_hole(truth: VoxelTruth) -> None:
    layer = truth.labels[2]

    assert set(np.unique(layer)) == {ROAD, BUILDING}
    assert (layer == ROAD).sum() > 0.98 * layer.size


def test_wall_is_occupied_where_it_stands_and_air_around_it_is_free(truth: VoxelTruth) -> None:
    assert at(truth.labels, 6.2, 0.1, 1.5) == BUILDING
    assert at(truth.labels, 6.2, 3.8, 0.9) == BUILDING
    assert at(truth.labels, 5.4, 0.1, 1.5) == FREE
    assert at(truth.labels, 6.2, 4.6, 1.5) == FREE


def test_underground_is_unknown(truth: VoxelTruth) -> None:
    assert (truth.labels[:2] == UNLABELED).all()


def test_air_before_the_vehicle_is_visible_and_voxels_buried_in_the_ground_are_not(
    truth: VoxelTruth,
) -> None:
    assert at(truth.visible, 3.0, 0.1, 1.0)
    assert at(truth.visible, 6.2, 0.1, 1.8)
    assert not truth.visible[0].any()


def test_vehicles_are_filled_between_floor_and_roof() -> None:
    body = block((4.0, 0.0, 1.2), (3.9, 1.9, 1.5))
    painted = type(body)(
        body.vertices, body.faces, np.full(12, Surface.PAINT, np.uint8), body.colors
    )
    groups = (plain(), painted)
    truth = voxel_truth(
        snapshot_of(*groups).mesh, surroundings_of(*groups), Pose.identity(), REGION
    )

    assert at(truth.labels, 4.0, 0.1, 1.2) == POINT_LABELS.index("vehicle")

"""An occupancy grid over time from the rays of LiDAR scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import (
    Detections3D,
    LabelledCloud,
    OccupancyGrid,
    PointCloud,
    Pose,
    VoxelGrid,
)
from spatial_perception.core.labels import GROUND_CLASSES
from spatial_perception.core.occupancy import UNKNOWN_CELL
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.ops.cells import cell_at
from spatial_perception.ops.ground import GroundConfig, GroundGrid, estimate_ground
from spatial_perception.pipelines.arrived_bodies import covered
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.footprints import footprints
from spatial_perception.pipelines.grid_memory import EvidenceConfig, GridMemory
from spatial_perception.pipelines.obstacle_guard import ObstacleGuard
from spatial_perception.pipelines.ray_clearing import ClearingReach, RayClearing, Rays
from spatial_perception.pipelines.scan_view import ScanView

_GROUND_REFINEMENT = 6
_COUNTED_POINTS = 3
_DENSE_M, _DENSE_SHARE = 20.0, 8  # so near one of so many is enough to find the ground
_TILTED_M = 0.3  # a point over the vehicle may seem so much farther out than on level ground


@dataclass(frozen=True, slots=True)
class OccupancyMapperConfig:
    """Size of the grid and how evidence counts."""

    size_m: float = option(100.0, help="edge of the square grid", unit="m", range=(1.0, 1000.0))
    resolution_m: float = option(0.2, help="edge of a cell", unit="m", range=(0.02, 5.0))
    min_height_m: float = option(0.3, help="lower points are ground", unit="m", range=(-5.0, 5.0))
    max_height_m: float = option(
        2.5, help="higher points are overhead, the vehicle passes below", unit="m", range=(0, 20)
    )
    ego: EgoBox = option(
        default_factory=EgoBox, help="the vehicle itself: free, its returns are unused"
    )
    margin_m: float = option(
        5.0, help="so far beyond the grid cells are remembered, which may come into it", unit="m",
        range=(0.0, 100.0),
    )  # fmt: skip
    azimuth_bins: int = option(900, help="rays around the sensor", range=(36, 36_000))
    shut_m: float = option(
        1.6, help="what an obstacle hides is not cleared so far behind it", unit="m",
        range=(0.0, 50.0),
    )  # fmt: skip
    shadow_m: float = option(
        8.4, help="nor so far where more rays are stopped than pass", unit="m", range=(0.0, 50.0)
    )
    body_m: float = option(
        8.0, help="longest body: where one that has arrived may reach nothing stays free",
        unit="m", range=(0.0, 50.0),
    )  # fmt: skip
    guard_beside_m: float = option(
        0.2, help="rays do not clear so far beside an obstacle's returns", unit="m",
        range=(0.0, 2.0),
    )  # fmt: skip
    guard_behind_m: float = option(
        0.4, help="nor so far behind them: what is open below goes on there", unit="m",
        range=(0.0, 5.0),
    )  # fmt: skip
    label_height_m: float = option(
        0.6, help="points that are labelled ground are obstacles from this height on", unit="m",
        range=(0.0, 20.0),
    )  # fmt: skip
    voxel_percent: int = option(
        60, help="occupancy of unknown cells below occupied voxels; 0 for none", range=(0, 100)
    )
    object_percent: int = option(
        75, help="least occupancy of cells below detected objects; 0 for none", range=(0, 100)
    )
    object_score: float = option(
        0.9, help="objects with lower scores are left out", range=(0.0, 1.0)
    )
    evidence: EvidenceConfig = option(default_factory=EvidenceConfig, help="weights of evidence")
    ground: GroundConfig = option(
        default_factory=lambda: GroundConfig(reach_m=75.0, percentile=4.0), help="ground estimate"
    )


class OccupancyMapper:
    """Marks where obstacles are and clears what rays have crossed, scan after scan.

    Each ray clears the cells that it crosses lower than the lowest obstacle that counts, and marks
    the cell in which it ends on an obstacle (`RayClearing`). A cell that is crossed now loses what
    it remembers of an obstacle within two scans, so that what moves leaves no trail. Cells beside
    and behind a return (`ObstacleGuard`) and those below a detected object are not free, though
    rays pass low there: where nothing else is known of them they are unknown, or occupied by the
    object.

    Args:
        config: size of the grid and weights of the evidence.
    """

    def __init__(self, config: OccupancyMapperConfig) -> None:
        self._config = config
        self._margin = max(1, round(config.margin_m / config.resolution_m))
        self._cells = max(1, round(config.size_m / config.resolution_m)) + 2 * self._margin
        self._memory = GridMemory(self._cells, config.resolution_m, config.evidence)
        self._clearing = RayClearing(
            self._cells,
            config.resolution_m,
            config.azimuth_bins,
            ClearingReach(config.min_height_m, config.shut_m, config.shadow_m),
        )
        beside, behind = (
            round(reach_m / config.resolution_m)
            for reach_m in (config.guard_beside_m, config.guard_behind_m)
        )
        self._guard = ObstacleGuard(self._cells, beside, behind)
        self._ego_places = _places(config.ego, config.resolution_m / 2)
        self._stamp_ns: int | None = None

    def reset(self) -> None:
        """Forgets everything seen so far."""
        self._memory.reset()
        self._stamp_ns = None

    def __call__(
        self,
        cloud: PointCloud,
        sensor_origin_m: np.ndarray,
        odom_from_base: Pose | None = None,
        odom_frame: str = "odom",
        labels: LabelledCloud | None = None,
        voxels: VoxelGrid | None = None,
        objects: Detections3D | None = None,
    ) -> OccupancyGrid:
        """Returns the grid around the vehicle, its axes those of the odometry frame.

        Without the vehicle's pose it is the grid of this scan alone, in the cloud's frame.

        Args:
            cloud: points in base_link: x forward, z up, on the ground under the vehicle.
            sensor_origin_m: (3,) where the rays start, metres, base_link.
            odom_from_base: where the vehicle is in a frame that does not move.
            odom_frame: name of that frame.
            labels: classes of the same points.
            voxels: semantic voxels in base_link, for cells that no ray has seen.
            objects: detected in this scan, in base_link: their sides are seen, they are solid.
        """
        pose = odom_from_base or Pose.identity()
        view = ScanView(pose, sensor_origin_m)
        self._advance(cloud.header.stamp_ns, pose, forget=odom_from_base is None)
        rays, ground = self._rays(cloud, view, labels)
        solid = self._below_objects(objects, pose)
        self._observe(rays, view, solid)
        cells = self._memory.percent(self._margin)
        published = (slice(self._margin, self._cells - self._margin),) * 2
        is_below = solid[published] & (cells < self._config.object_percent)
        cells[is_below] = self._config.object_percent
        if voxels is not None and self._config.voxel_percent:
            is_below = self._below_voxels(voxels, ground, view)[published]
            cells[is_below & (cells == UNKNOWN_CELL)] = self._config.voxel_percent
        frame = cloud.header.frame_id if odom_from_base is None else odom_frame
        corner_m = self._memory.corner_m + self._margin * self._config.resolution_m
        return OccupancyGrid(
            cloud.header.in_frame(frame),
            cells,
            self._config.resolution_m,
            Pose.from_yaw(0.0, np.append(corner_m, 0.0)),
        )

    def _advance(self, stamp_ns: int, pose: Pose, forget: bool) -> None:
        last_ns = self._stamp_ns  # scans of several LiDARs need not come in the order of stamps
        if forget or last_ns is None or stamp_ns < last_ns - NS_PER_S:
            self._memory.reset()
            last_ns = stamp_ns
        self._stamp_ns = max(stamp_ns, last_ns)
        self._memory.fade((self._stamp_ns - last_ns) / NS_PER_S)
        self._memory.move_to(float(pose.translation[0]), float(pose.translation[1]))

    def _rays(
        self, cloud: PointCloud, view: ScanView, labels: LabelledCloud | None
    ) -> tuple[Rays, GroundGrid]:
        """Returns the rays of a scan and the ground under it, in the axes of the view."""
        config = self._config
        ends = view.turned(cloud.points)
        dx, dy, height = ends
        square_m2 = dx * dx
        square_m2 += dy * dy
        is_used = square_m2 > np.float32(_DENSE_M**2)
        is_used[::_DENSE_SHARE] = True
        reach_m = config.ego.reach_m(view.origin_m) + _TILTED_M
        near = np.flatnonzero(square_m2 < np.float32(reach_m**2))
        own = near[config.ego.holds(cloud.points.take(near, axis=0))]
        is_used[own] = False
        some = ends.take(np.flatnonzero(is_used), axis=1)
        ground = estimate_ground(some.T, config.ground).refined(_GROUND_REFINEMENT)
        height -= ground.cell_height_at(dx, dy)
        height[own] = np.inf
        is_ground = height <= np.float32(config.min_height_m)
        is_obstacle = ~is_ground & (height < np.float32(config.max_height_m))
        if labels is not None:
            known = [n for n in GROUND_CLASSES if n in labels.label_set.names]
            lut = np.zeros(256, bool)
            lut[[labels.label_set.index(name) for name in known]] = True
            taken_out = (
                lut[labels.labels] & is_obstacle & (height < np.float32(config.label_height_m))
            )
            is_obstacle &= ~taken_out
            is_ground |= taken_out
            height[taken_out] = config.min_height_m
        below_m = float(ground.cell_height_at(*np.zeros((2, 1), np.float32))[0])
        rays = Rays(
            float(view.origin_m[2]) - below_m,
            ends.take(np.flatnonzero(is_ground), axis=1),
            ends[:2].take(np.flatnonzero(is_obstacle), axis=1),
        )
        return rays, ground

    def _cell(self, dx: np.ndarray, dy: np.ndarray, center_m: np.ndarray) -> np.ndarray:
        """Returns flat indices of the cells at offsets from a place in the fixed frame.

        Outside of the window that of the cell at its edge, which is not published.
        """
        corner_m = self._memory.corner_m - center_m
        shape = self._cells, self._cells
        return cell_at(dx, dy, (corner_m[0], corner_m[1]), self._config.resolution_m, shape)

    def _observe(self, rays: Rays, view: ScanView, solid: np.ndarray) -> None:
        config = self._config
        sensor_m = view.sensor_m
        sensor = (sensor_m - self._memory.corner_m) / config.resolution_m
        free = self._clearing.look(rays, int(np.floor(sensor[1])), int(np.floor(sensor[0])))
        cell = self._cell(rays.obstacles[0], rays.obstacles[1], sensor_m)
        count = np.zeros((self._cells, self._cells), np.uint16)
        np.add.at(count.ravel(), cell, np.uint16(1))
        count[[0, -1]] = count[:, [0, -1]] = 0  # what lies outside
        hit = np.flatnonzero(count > 0)  # of a mask: several times as fast as of numbers
        weight = np.minimum(count.ravel().take(hit), _COUNTED_POINTS).astype(np.float32)
        weight *= np.float32(config.evidence.hit_log_odds)
        kept = self._guard.around(hit, float(sensor[1]), float(sensor[0])) | solid
        has_arrived = self._memory.update(hit, weight, free & ~kept)
        if has_arrived.any():
            is_new = np.zeros(self._cells**2, bool)
            is_new[hit[has_arrived]] = True
            dx, dy = rays.obstacles.take(np.flatnonzero(is_new.take(cell)), axis=1)
            kept |= ~free & covered(
                dx, dy, (sensor[1], sensor[0]), self._cells, config.resolution_m, config.body_m
            )
        self._memory.hide(kept)
        own = self._ego_cells(view.grid_from_base)
        self._memory.log_odds.ravel()[own] = config.evidence.miss_log_odds

    def _below_objects(self, objects: Detections3D | None, pose: Pose) -> np.ndarray:
        """Returns which cells objects stand on, but those of the vehicle itself."""
        config = self._config
        if objects is None or not len(objects) or not config.object_percent:
            return np.zeros((self._cells, self._cells), bool)
        sure = objects.selected(objects.scores >= config.object_score)
        # from the corner: boxes are float32, coarse where odometry counts in UTM
        window_from_base = Pose(pose.rotation, pose.translation - [*self._memory.corner_m, 0.0])
        boxes = sure.transformed(window_from_base, "").boxes()[:, [0, 1, 3, 4, 6]]
        below = footprints(boxes / ([config.resolution_m] * 4 + [1.0]), self._cells)
        below.ravel()[self._ego_cells(pose)] = False
        return below

    def _ego_cells(self, pose: Pose) -> np.ndarray:
        """Returns the cells that the vehicle itself covers."""
        dx, dy = (pose.rotation[:2, :2] @ self._ego_places).astype(np.float32)
        return self._cell(dx, dy, pose.translation[:2])

    def _below_voxels(self, voxels: VoxelGrid, ground: GroundGrid, view: ScanView) -> np.ndarray:
        """Returns which cells lie below occupied voxels that are in the way, not the vehicle."""
        config = self._config
        centers = voxels.occupied_centers()
        centers = centers[~config.ego.holds(centers, margin_m=float(voxels.voxel_size_m[0]))]
        x, y, z = view.turned(centers)
        height = z - ground.cell_height_at(x, y)
        in_the_way = (height > config.min_height_m) & (height < config.max_height_m)
        x, y = x[in_the_way], y[in_the_way]
        step_m = config.resolution_m
        steps = [np.arange(-h + step_m / 2, h, step_m) for h in voxels.voxel_size_m[:2] / 2]
        places = np.stack(np.meshgrid(*steps)).reshape(2, -1)
        offsets = view.grid_from_base.rotation[:2, :2] @ places
        below = np.zeros((self._cells, self._cells), bool)
        for dx, dy in offsets.T.astype(np.float32):
            below.ravel()[self._cell(x + dx, y + dy, view.sensor_m)] = True
        return below


def _places(ego: EgoBox, step_m: float) -> np.ndarray:
    """Returns (2, N) places on the vehicle, x and y."""
    sides = (np.arange(-m / 2, m / 2 + step_m / 2, step_m) for m in (ego.length_m, ego.width_m))
    places = np.stack(np.meshgrid(*sides)).reshape(2, -1) + [[ego.ahead_m], [0.0]]
    return places[:, ego.holds(places.T, margin_m=step_m)]  # none where there is no vehicle

"""The true occupancy grid of a drive: what stands in the vehicle's way, where a ray has looked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spatial_perception.core.header import Header
from spatial_perception.core.occupancy import UNKNOWN_CELL, OccupancyGrid
from spatial_perception.core.pose import Pose
from spatial_perception.simulation.drive import Drive, Moment
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.meshes import surface_samples
from spatial_perception.simulation.street import Snapshot

MIN_HEIGHT_M, MAX_HEIGHT_M = 0.3, 2.5
"""Over the ground below: what lies between is in the way of the grid's vehicle."""
SIZE_M, RESOLUTION_M = 100.0, 0.2
_SAMPLE_M = 0.1
_RAY_STEP_M = 0.1
_HEIGHT_CELL_M = 0.4
_STREET_HALF_M = 80.0
_MARGIN_M = 75.0
_REACH_M = 20.0
"""So far beside what is asked for objects may reach."""
_CHUNK = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class _Raster:
    """Square cells in the plane; cell (0, 0) has its corner at `corner_m`, row = y."""

    corner_m: np.ndarray
    cell_m: float
    shape: tuple[int, int]

    @classmethod
    def around(cls, xy: np.ndarray, margin_m: float, cell_m: float) -> _Raster:
        low = np.floor((xy.min(0) - margin_m) / cell_m)
        high = np.ceil((xy.max(0) + margin_m) / cell_m)
        columns, rows = (high - low).astype(int)
        return cls(low * cell_m, cell_m, (int(rows), int(columns)))

    @property
    def size_m(self) -> np.ndarray:
        """(2,) along x and along y."""
        return np.array(self.shape[::-1]) * self.cell_m

    def flat(self, xy: np.ndarray) -> np.ndarray:
        """Index of the cell of each of (N, 2) places, -1 outside."""
        column, row = np.floor((xy - self.corner_m) / self.cell_m).astype(np.int64).T
        rows, columns = self.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(inside, row * columns + column, -1)


class GroundHeight:
    """The height of a street's ground by world x and y.

    Args:
        ground: the street's ground.
        reach_m: from and to which s it is wanted.
    """

    def __init__(self, ground: Ground, reach_m: tuple[float, float]) -> None:
        step = _HEIGHT_CELL_M / 2
        s, d = np.meshgrid(
            np.arange(*reach_m, step), np.arange(-_STREET_HALF_M, _STREET_HALF_M, step)
        )
        s, d = s.ravel(), d.ravel()
        xy = np.stack(ground.xy(s, d), 1)
        self._raster = _Raster.around(xy, 1.0, _HEIGHT_CELL_M)
        size = int(np.prod(self._raster.shape))
        cell = self._raster.flat(xy)
        count = np.bincount(cell, minlength=size).reshape(self._raster.shape)
        total = np.bincount(cell, ground.height(s, d), size).reshape(self._raster.shape)
        nearest = ndimage.distance_transform_edt(
            count == 0, return_distances=False, return_indices=True
        )
        heights = (total / np.maximum(count, 1))[tuple(nearest)]
        self._heights = heights.ravel()

    def at(self, xy: np.ndarray) -> np.ndarray:
        """(N,) metres in the world at (N, 2) places; nan outside of the street."""
        cell = self._raster.flat(xy)
        return np.where(cell >= 0, self._heights[cell], np.nan)


class GridTruth:
    """Tells for each moment which cells are occupied, of those that a ray has seen so far.

    A cell is occupied if anything in it, moving objects included, lies between `MIN_HEIGHT_M` and
    `max_height_m` over the ground, which is itself never in the way; objects are filled. It is seen
    once a ray has ended in it below `max_height_m` or crossed it below `MIN_HEIGHT_M`: a ray that
    passes higher says nothing of a low obstacle.

    Args:
        drive: the drive; its moments are to be given in order.
        max_height_m: what hangs higher is in nobody's way.
    """

    def __init__(self, drive: Drive, max_height_m: float = MAX_HEIGHT_M) -> None:
        self._drive, self._max_height_m = drive, max_height_m
        self._odom_from_world = drive.odom_from_base(0.0) @ drive.world_from_base(0.0).inverse()
        way = drive.street.ego_speed_mps * drive.config.seconds
        self._height = GroundHeight(drive.street.ground, (-_MARGIN_M, way + _MARGIN_M))
        times = np.linspace(0.0, drive.config.seconds, 50)
        track = np.stack([drive.odom_from_base(t).translation[:2] for t in times])
        self._raster = _Raster.around(track, SIZE_M / 2 + 1.0, RESOLUTION_M)
        self._corners_m = self._raster.corner_m + [[0.0, 0.0], self._raster.size_m]
        self._standing = np.zeros(self._raster.shape, bool)
        self._add(drive.standing, self._standing, self._corners_m, drive.street.ground_faces)
        self._seen = np.zeros(self._raster.shape, bool)

    def at(self, moment: Moment, header: Header) -> OccupancyGrid:
        """The grid around the vehicle at a moment: 0 free, 100 occupied, -1 never seen.

        Args:
            moment: the next one of the drive.
            header: stamp and the name of the odometry frame.
        """
        occupied = self._standing | self._moving(moment.time_s, self._corners_m)
        self._look(moment)
        cells = np.where(self._seen, np.where(occupied, 100, 0), UNKNOWN_CELL).astype(np.int8)
        side = round(SIZE_M / RESOLUTION_M)
        middle = np.floor(moment.odom_from_base.translation[:2] / RESOLUTION_M).astype(int)
        low = middle - side // 2
        column, row = low - np.round(self._raster.corner_m / RESOLUTION_M).astype(int)
        window = np.ascontiguousarray(cells[row : row + side, column : column + side])
        corner = Pose.from_yaw(0.0, np.append(low * RESOLUTION_M, 0.0))
        return OccupancyGrid(header, window, RESOLUTION_M, corner)

    def touched(self, places_m: np.ndarray, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Whether what stands and what moves is in the way at places at a time, seen or not.

        Args:
            places_m: (N, 2) in the odometry frame, near the way of the drive.
            time_s: since the start.

        Returns:
            (N,) bool, what never moves, and (N,) bool, what does.
        """
        cells = self._raster.flat(places_m)
        moving, inside = self._moving(time_s, places_m), cells >= 0
        return self._standing.ravel()[cells] & inside, moving.ravel()[cells] & inside

    def _moving(self, time_s: float, around_m: np.ndarray) -> np.ndarray:
        """Cells of what moves during the drive, at a time, around (N, 2) places."""
        occupied = np.zeros_like(self._standing)
        self._add(self._drive.moving(time_s), occupied, around_m)
        return occupied

    def _add(
        self, snapshot: Snapshot, occupied: np.ndarray, around_m: np.ndarray, first: int = 0
    ) -> None:
        """Marks what is in the way of a snapshot from a face on; each of its objects is filled."""
        vertices = snapshot.mesh.vertices
        places = self._odom_from_world.apply(vertices)[:, :2]
        is_near = (places > around_m.min(0) - _REACH_M) & (places < around_m.max(0) + _REACH_M)
        is_near = is_near.all(axis=1)[snapshot.mesh.faces[first:]].any(axis=1)
        faces, owners = (a[first:][is_near] for a in (snapshot.mesh.faces, snapshot.instances))
        for start in range(0, len(faces), _CHUNK):
            occupied.ravel()[self._cells(vertices, faces[start : start + _CHUNK])] = True
        columns = occupied.shape[1]
        for instance in range(1, len(snapshot.boxes) + 1):
            cells = self._cells(vertices, faces[owners == instance])
            if not len(cells):
                continue
            row, column = np.divmod(cells, columns)
            patch = np.zeros((np.ptp(row) + 1, np.ptp(column) + 1), bool)
            patch[row - row.min(), column - column.min()] = True
            filled = np.argwhere(ndimage.binary_fill_holes(patch)) + [row.min(), column.min()]
            occupied[tuple(filled.T)] = True

    def _cells(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Cells that triangles reach at heights that are in the way."""
        points, _ = surface_samples(vertices, faces, _SAMPLE_M)
        height = points[:, 2] - self._height.at(points[:, :2])
        points = points[(height > MIN_HEIGHT_M) & (height < self._max_height_m)]
        cells = self._raster.flat(self._odom_from_world.apply(points)[:, :2])
        return np.unique(cells[cells >= 0])

    def _look(self, moment: Moment) -> None:
        """Adds what the rays of a scan see."""
        odom_from_lidar = moment.odom_from_base @ self._drive.rig.base_from_lidar
        world_from_lidar = self._odom_from_world.inverse() @ odom_from_lidar
        ends_world = world_from_lidar.apply(moment.scan.points.astype(np.float64))
        height = ends_world[:, 2] - self._height.at(ends_world[:, :2])
        origin = world_from_lidar.translation
        start_height = origin[2] - self._height.at(origin[None, :2])[0]
        ends = self._odom_from_world.apply(ends_world)[:, :2]
        self._mark(ends[height < self._max_height_m])
        low = height < MIN_HEIGHT_M
        ends, height = ends[low], height[low]
        ways = ends - odom_from_lidar.translation[:2]
        length = np.hypot(*ways.T)
        # The ray falls evenly from the sensor's height to that of its end.
        low_m = length * (MIN_HEIGHT_M - height) / (start_height - height)
        count = np.ceil(low_m / _RAY_STEP_M).astype(np.int64)
        ray = np.repeat(np.arange(len(ends)), count)
        step = np.arange(len(ray)) - np.repeat(np.cumsum(count) - count, count)
        back = np.minimum(step * _RAY_STEP_M, low_m[ray]) / length[ray]
        self._mark(ends[ray] - back[:, None] * ways[ray])

    def _mark(self, xy: np.ndarray) -> None:
        cells = self._raster.flat(xy)
        self._seen.ravel()[cells[cells >= 0]] = True

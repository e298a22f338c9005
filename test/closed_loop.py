"""Drives the simulated vehicle by what the mapper publishes, in a closed loop.

    python -m test.closed_loop 9101 9102 --seconds 10
    python -m test.closed_loop 9102 --picture steered.jpg

At each scan the simulator looks from where the vehicle is now, `occupancy_mapper` publishes a grid
without a network, A* plans on it along the lane, and the vehicle drives on until the next scan. It
starts as the recorded drive does, at its speed. The other traffic does not heed it; who would drive
behind it in its lane is left out for that reason.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from spatial_perception.core import (
    Header,
    OccupancyGrid,
    PointCloud,
    Pose,
    StampedTransform,
    Transforms,
)
from spatial_perception.simulation.drive import Drive, DriveConfig, Moment
from spatial_perception.simulation.drive_bag import START_NS
from spatial_perception.simulation.grid_truth import GridTruth
from spatial_perception.simulation.street import vehicle_pose
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.registry import build_graph
from spatial_perception.visualization.bev_view import BevView, draw_grid
from test.steering import AHEAD_M, LENGTH_M, WIDTH_M, Command, Driver, outline, placed, rolled

STANDS_MPS = 0.1
HEIGHT_M = 1.9
"""With the LiDAR on its roof; over some lanes twigs hang lower than the grid's 2.5 m."""
OVER_LINE_M = 0.3
"""So far the vehicle may reach beyond its lane."""
DRIVEN, PLANNED = (90, 200, 255), (120, 230, 120)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One scan of a steered drive.

    Attributes:
        pose: (3,) x, y, yaw in odom.
        speed_mps: at which the vehicle came here.
        made_m: along the lane since the start.
        recorded_m: the same of the recorded drive.
        touches: whether it has driven onto something.
        is_run_into: whether something that moves has driven into it, from behind or as it stood.
        grid: as published.
        command: what it does next.
    """

    pose: np.ndarray
    speed_mps: float
    made_m: float
    recorded_m: float
    touches: bool
    is_run_into: bool
    grid: OccupancyGrid
    command: Command


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a steered drive went; it ends when the vehicle touches something.

    Attributes:
        made_m: along the lane.
        recorded_m: what the recorded drive makes in the same time.
        touches: scans at which the vehicle has driven onto something, 0 or 1.
        run_into: scans at which something that moves had driven into it.
        stops: how often it came to a stand.
    """

    made_m: float
    recorded_m: float
    touches: int
    run_into: int
    stops: int

    @classmethod
    def of(cls, steps: list[Step]) -> "Outcome":
        """Returns what has become of the scans of a drive."""
        stands = np.array([step.speed_mps < STANDS_MPS for step in steps])
        return cls(
            steps[-1].made_m,
            steps[-1].recorded_m,
            sum(step.touches for step in steps),
            sum(step.is_run_into for step in steps),
            int((stands[1:] & ~stands[:-1]).sum()),
        )


def steer(config: DriveConfig) -> Iterator[Step]:
    """Yields the scans of a drive that is steered, up to the first touch."""
    drive = Drive(config, followers=False)
    truth, ground = GridTruth(drive, HEIGHT_M), drive.street.ground
    start, speed_mps = drive.world_from_base(0.0), drive.street.ego_speed_mps
    driver = Driver(
        _lane(drive),
        ground.plan.lane_width_m / 2 - WIDTH_M / 2 + OVER_LINE_M,
        speed_mps,
        1.0 / config.rate_hz,
    )
    graph = build_graph({}, ("occupancy_mapper",))
    graph.listen(lambda port: False)
    mounted = StampedTransform(Header(START_NS, "base_link"), "velodyne", drive.rig.base_from_lidar)
    list(graph.push("/tf_static", Transforms((mounted,))))
    place = np.array([*start.translation[:2], start.yaw_rad])
    for index in range(drive.frames):
        s_m, d_m = ground.station(*place[:2])
        now = vehicle_pose(ground, s_m, d_m, place[2] - ground.heading(s_m))
        moment = drive.moment(index, lambda _, now=now: now)
        grid = _mapped(graph, moment)
        pose = np.array([*moment.odom_from_base.translation[:2], moment.odom_from_base.yaw_rad])
        touches, is_run_into = met(truth, moment.time_s, pose, speed_mps)
        command = driver(grid, pose, speed_mps)
        recorded_m = moment.time_s * drive.street.ego_speed_mps
        yield Step(pose, speed_mps, s_m, recorded_m, touches, is_run_into, grid, command)
        if touches:
            return
        speed_mps = command.speed_mps
        place = rolled(place, command.steer_rad, speed_mps / config.rate_hz)


def _lane(drive: Drive) -> np.ndarray:
    """Returns (L, 2) the middle of the vehicle's lane in odom, as a map has it."""
    street, start = drive.street, drive.world_from_base(0.0)
    s = np.arange(-5.0, street.ego_speed_mps * drive.config.seconds + 1.5 * AHEAD_M, 0.5)
    x, y = street.ground.xy(s, np.full(len(s), street.ego_d_m))
    level = np.full(len(s), start.translation[2])
    return start.inverse().apply(np.stack([x, y, level], axis=1))[:, :2]


def _mapped(graph: Graph, moment: Moment) -> OccupancyGrid:
    """Returns the grid that is published of a scan."""
    stamp_ns = START_NS + round(moment.time_s * 1e9)
    moved = StampedTransform(Header(stamp_ns, "odom"), "base_link", moment.odom_from_base)
    list(graph.push("/tf", Transforms((moved,))))
    scan = moment.scan
    cloud = PointCloud(Header(stamp_ns, "velodyne"), scan.points, scan.intensity)
    results = {port.topic: value for port, value in graph.push("/sensing/lidar/points", cloud)}
    return results["/perception/occupancy/grid"]


def met(truth: GridTruth, time_s: float, pose: np.ndarray, speed_mps: float) -> tuple[bool, bool]:
    """Returns whether the vehicle touches something, and whether something has driven into it.

    That is so where what moves meets its rear half, or all of it while it stands.
    """
    places = outline(0.0)
    stands, moves = truth.touched(placed(places, pose[None])[0], time_s)
    is_own = stands | (moves & (places[:, 0] > 0) & (speed_mps > STANDS_MPS))
    return bool(is_own.any()), bool((moves & ~is_own).any())


def picture(steps: list[Step]) -> np.ndarray:
    """Returns the driven way over the last grid, BGR, the street from left to right."""
    last = steps[-1]
    base = Pose.from_yaw(last.pose[2], np.append(last.pose[:2], 0.0)).inverse()
    view = BevView(width_px=480, height_px=1100, back_m=50.0, ahead_m=50.0)
    image = view.blank()
    draw_grid(image, view, replace(last.grid, origin=base @ last.grid.origin))

    def line(places_m: np.ndarray, color: tuple[int, int, int], closed: bool = False) -> None:
        local = base.apply(np.insert(places_m, 2, 0.0, axis=1))
        pixels = np.rint(view.to_px(local) * 16).astype(np.int32)
        cv2.polylines(image, [pixels], closed, color, 2, cv2.LINE_AA, 4)

    poses = np.array([step.pose for step in steps])
    corners = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * [LENGTH_M / 2, WIDTH_M / 2]
    for body in placed(corners, poses[::-10]):
        line(body, DRIVEN, closed=True)
    line(poses[:, :2], DRIVEN)
    line(last.command.way_m, PLANNED)
    return cv2.cvtColor(np.ascontiguousarray(np.rot90(image, -1)), cv2.COLOR_RGB2BGR)


def main() -> None:
    """Prints a line a drive, and draws the last one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--picture", type=Path, help="of the last drive")
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        config = DriveConfig(seconds=arguments.seconds, seed=seed, with_camera=False)
        steps = list(steer(config))
        print(seed, f"{len(steps)} scans", Outcome.of(steps), flush=True)  # noqa: T201
    if arguments.picture:
        cv2.imwrite(str(arguments.picture), picture(steps), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()

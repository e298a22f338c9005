"""The vehicle's motion from its scans, for graphs in which nobody else gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spatial_perception.config import option
from spatial_perception.core import PointCloud, Pose
from spatial_perception.errors import EngineError
from spatial_perception.messages import ODOMETRY
from spatial_perception.pipelines.scan_matcher import ScanMatcher, ScanMatcherConfig
from spatial_perception.stages.ego_motion import (
    MATCHED_PORT,
    ODOMETRY_PORT,
    EgoMotion,
    EgoSource,
)
from spatial_perception.stages.lidar import FRAME_HELP, WAIT_HELP, CloudStage
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Outputs


@dataclass(frozen=True, slots=True)
class EgoMotionStageConfig(ScanMatcherConfig):
    """Options of the stage ego_motion."""

    run: Literal["auto", "always", "never"] = option(
        "auto", help="auto: scans are matched while neither /tf nor /odom tell the vehicle's pose"
    )
    fixed_frame: str = option("odom", help="frame of the poses, in which the first scan is origin")
    target_frame: str = option("base_link", help=FRAME_HELP)
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))
    lidar: str = option("", help="the LiDAR whose scans are matched, where several have names")


class EgoMotionStage(CloudStage):
    """Scans to odometry; idle while /tf or /odom give it.

    Without the package kiss-icp it gives nothing, says so in the diagnostics, and stops nobody.
    """

    name = "ego_motion"
    outputs = (Port("odometry", MATCHED_PORT.topic, ODOMETRY, PortKind.STATE),)

    def __init__(self, config: EgoMotionStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms, (config.lidar,))
        self.inputs = (*self.inputs, ODOMETRY_PORT)
        self._config = config
        self._ego = EgoMotion(config.fixed_frame)
        self._matcher = ScanMatcher(config)
        self._source = EgoSource.NONE
        self._is_idle = False
        self._problem = ""

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the odometry of every cloud whose transform is now known."""
        if port == ODOMETRY_PORT.name:
            self._ego.add_odometry(value)
            return ()
        if port in ("tf", "tf_static"):
            self._ego.add_transforms(port, value)
        return list(super().push(port, value))

    def reset(self) -> None:
        """Forgets waiting clouds, what moves, and the map."""
        super().reset()
        self._ego.reset()
        self._matcher.reset()

    def process(self, lidar: str, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the odometry of one cloud, nothing where others give it."""
        header = cloud.header.in_frame(self._config.target_frame)
        known = self._ego.at(header)
        if known is None:  # not yet, or no longer
            is_known = self._ego.is_heard(header.stamp_ns)
        else:
            is_known = known.fixed_from_base is not None
        run = self._config.run
        self._is_idle = run == "never" or (is_known and run == "auto")
        if self._is_idle:
            self._source = EgoSource.TF if known is None else known.source
            self._problem = ""
            self._matcher.reset()  # a map of where the vehicle was when it last was needed
            return ()
        try:
            moved = cloud.transformed(target_from_cloud, self._config.target_frame)
            odometry = self._matcher(moved, self._config.fixed_frame)
        except EngineError as error:
            self._problem, self._source = str(error), EgoSource.NONE
            return ()
        self._source = EgoSource.SCAN_MATCHING
        return [("odometry", odometry)]

    def status(self) -> Mapping[str, str]:
        """Returns where the vehicle's motion comes from, and why scans are not matched."""
        values = {"ego_motion": self._source.value}
        if self._problem:
            values["degraded"] = self._problem
        if self._is_idle:
            values["idle"] = f"run is {self._config.run}, poses come from {self._source.value}"
        return values

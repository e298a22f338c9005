"""What fusion knows of one camera: its boxes, its calibration, and how well it does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from spatial_perception.core import Detections2D, PinholeCamera
from spatial_perception.pipelines.camera_lidar_fusion import CameraResult
from spatial_perception.stages.announced import AnnouncedPartner

_MEMORY = 0.97  # what of a camera's record stays from scan to scan
_MIN_EXPECTED = 15.0  # objects before a camera is judged


@dataclass(slots=True)
class FusionCamera:
    """One camera and its record.

    Args:
        boxes: what it found.
        misaligned_share: it is off when it finds less of what it should.
        calibration: None until one has come.
        trouble: why it does not serve; empty where it does.
        alone_ns: stamps of scans that went out without it.
        offset_ms: from the last scan to its picture.
        expected: objects that it should have found, lately.
        found: what it found of those.
    """

    boxes: AnnouncedPartner[Detections2D]
    misaligned_share: float
    calibration: PinholeCamera | None = field(default=None)
    trouble: str = field(default="no boxes yet")
    alone_ns: deque[int] = field(default_factory=lambda: deque(maxlen=8))
    offset_ms: float = field(default=0.0)
    expected: float = field(default=0.0)
    found: float = field(default=0.0)

    @property
    def is_off(self) -> bool:
        """Whether it finds so little that its calibration cannot be right."""
        if self.expected < _MIN_EXPECTED:
            return False
        return self.found < self.misaligned_share * self.expected

    def add_calibration(self, calibration: PinholeCamera) -> None:
        """Takes a calibration: drivers send one with each picture, so boxes will follow."""
        self.calibration = calibration
        self.boxes.announce(calibration.header.stamp_ns)

    def misfit(self, boxes: Detections2D) -> str:
        """Returns why boxes are not of the pictures that the camera is calibrated for, else ''.

        Boxes that came as messages do not say how large their picture is: one that is larger than
        the calibration's shows by boxes with their middle outside of it.
        """
        calibration = self.calibration
        if calibration is None:
            return ""
        if boxes.picture_wh is not None:
            misfit = calibration.misfit(*boxes.picture_wh)
            return f"camera_info {misfit}" if misfit else ""
        corners = boxes.boxes_xyxy_px.reshape(-1, 2, 2)
        size = calibration.width, calibration.height
        if not np.any(corners.mean(axis=1) > np.add(size, 1)):
            return ""
        return f"camera_info is for pictures of {size[0]}x{size[1]}, its boxes lie outside of them"

    def went_out_alone(self, stamp_ns: int, near_ns: float) -> bool:
        """Returns whether a scan near a stamp went out without this camera."""
        return any(abs(stamp_ns - scan_ns) <= near_ns for scan_ns in self.alone_ns)

    def judge(self, result: CameraResult) -> None:
        """Keeps a record of what it finds of what it should."""
        self.expected = _MEMORY * self.expected + result.expected
        self.found = _MEMORY * self.found + result.found
        if self.is_off:
            share = 100 * self.found / self.expected
            self.trouble = f"finds only {share:.0f} % of the objects: check its calibration"

    def status(self) -> str:
        """Returns how it does, for `/diagnostics`."""
        text = self.trouble or f"ok, offset {self.offset_ms:.0f} ms"
        if self.expected >= 1:
            text += f", finds {100 * self.found / self.expected:.0f} % of the objects"
        return text

    def reset(self) -> None:
        """Forgets boxes and record; the calibration stays."""
        self.boxes.clear()
        self.alone_ns.clear()
        self.expected = self.found = self.offset_ms = 0.0
        self.trouble = "no boxes yet"

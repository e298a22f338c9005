"""What fusion knows of the points of a scan: where they are, and the classes of the segmenter."""

from __future__ import annotations

import numpy as np

from spatial_perception.core import (
    Detections3D,
    Header,
    LabelledCloud,
    PointCloud,
    Pose,
    TransformTree,
)
from spatial_perception.errors import TransformError
from spatial_perception.pipelines.point_evidence import PointEvidence
from spatial_perception.stages.announced import MOST_AHEAD
from spatial_perception.stages.partner import Partner

NO_POINTS = np.zeros((0, 3), np.float32)
_LIFETIME_NS = 2_000_000_000  # objects of a process that is later than this are of no use


class FusionPoints:
    """The clouds of the LiDAR and their labels, by stamp.

    Args:
        lost_after_ns: an input that is silent for so long is not waited for.
        evidence: what labels say about objects; None where they are not asked.
    """

    def __init__(self, lost_after_ns: int, evidence: PointEvidence | None) -> None:
        self._clouds: Partner[PointCloud] = Partner(0, lost_after_ns, length=MOST_AHEAD)
        self._labels: Partner[LabelledCloud] = Partner(0, lost_after_ns, length=MOST_AHEAD)
        self._evidence = evidence
        self._without = 0

    def add_cloud(self, cloud: PointCloud) -> None:
        """Takes a scan."""
        self._clouds.add(cloud)

    def add_labels(self, labels: LabelledCloud) -> None:
        """Takes a scan with the classes of its points."""
        self._labels.add(labels)

    def may_come(self, stamp_ns: int, now_ns: int, labels_are_certain: bool) -> bool:
        """Returns whether waiting can still bring points or labels for a stamp.

        Args:
            stamp_ns: of the objects that wait.
            now_ns: newest stamp of the LiDAR.
            labels_are_certain: a segmenter in this graph labels every scan.
        """
        if self._clouds.may_come(stamp_ns, now_ns):
            return True
        if self._evidence is None:
            return False
        first = self._labels.newest_ns is None and labels_are_certain
        return first or self._labels.may_come(stamp_ns, now_ns)

    def labelled(self, header: Header, tree: TransformTree) -> LabelledCloud | None:
        """Returns the scan of a stamp with its labels in a frame; None where they did not come."""
        if self._labels.newest_ns is None:
            return None
        labels = self._labels.nearest(header.stamp_ns)
        pose = None if labels is None else _pose(labels.header, header, tree)
        if labels is None or pose is None:
            self._without += 1
            return None
        return labels.transformed(pose, header.frame_id)

    def weighed(self, objects: Detections3D, labels: LabelledCloud | None) -> Detections3D:
        """Returns the objects with what the labels of their points say; as they are without."""
        if self._evidence is None or labels is None:
            return objects
        return self._evidence(objects, labels)

    def points(self, header: Header, tree: TransformTree) -> np.ndarray:
        """Returns (P, 3) points of the scan of a stamp in a frame; none where they did not come."""
        cloud = self._clouds.nearest(header.stamp_ns)
        pose = None if cloud is None else _pose(cloud.header, header, tree)
        return NO_POINTS if cloud is None or pose is None else pose.apply(cloud.points)

    def status(self) -> dict[str, str]:
        """Returns where the classes of points come in, for `/diagnostics`."""
        if self._evidence is None:
            return {}
        state = "none yet" if self._labels.newest_ns is None else "used"
        return {"point_labels": state, "scans_without_labels": str(self._without)}

    def forget(self, stamp_ns: int) -> None:
        """Forgets what belongs to stamps up to this one."""
        self._clouds.forget(stamp_ns)
        self._labels.forget(stamp_ns)

    def forget_old(self, now_ns: int) -> None:
        """Forgets what no objects come for any more."""
        self.forget(now_ns - _LIFETIME_NS)

    def clear(self) -> None:
        """Forgets everything."""
        self._clouds.clear()
        self._labels.clear()


def _pose(cloud: Header, objects: Header, tree: TransformTree) -> Pose | None:
    """Returns the place of a cloud in the frame of the objects; None where it is not known."""
    try:
        return tree.lookup(objects.frame_id, cloud.frame_id, objects.stamp_ns)
    except TransformError:
        return None

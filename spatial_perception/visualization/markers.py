"""Objects as shapes that RViz and Foxglove show without a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.markers import Marker, MarkerArray, MarkerShape
from spatial_perception.core.pose import Pose
from spatial_perception.core.tracks import Tracks

_MIN_ARROW_M = 0.2


@dataclass(frozen=True, slots=True)
class MarkerStyle:
    """How objects are shown.

    Attributes:
        box_opacity: Of the cubes, 0 .. 1.
        text_height_m: Height of the letters over each object.
        lifetime_s: After this time a viewer drops a shape that was not renewed.
        velocity_seconds: A velocity arrow is as long as the way of this many seconds.
    """

    box_opacity: float = 0.45
    text_height_m: float = 0.7
    lifetime_s: float = 0.5
    velocity_seconds: float = 1.0


def detection_markers(objects: Detections3D, style: MarkerStyle | None = None) -> MarkerArray:
    """Returns a cube, a heading arrow and a text for each object, in the objects' frame.

    The ids count from 0 within the namespaces `boxes`, `headings` and `labels`.
    """
    style = style or MarkerStyle()
    markers: list[Marker] = []
    for index in range(len(objects)):
        name = objects.label_set.name(int(objects.labels[index]))
        text = f"{name.replace('_', ' ')} {objects.scores[index]:.2f}"
        markers += _object_markers(objects, index, index, text, style)
    return MarkerArray(objects.header, tuple(markers))


def track_markers(
    tracks: Tracks,
    style: MarkerStyle | None = None,
    trails: Mapping[int, np.ndarray] | None = None,
) -> MarkerArray:
    """Returns the shapes of `detection_markers`, and an arrow and a trail for who moves.

    The ids are the tracks' ids, so that a viewer keeps an object's shape from frame to frame.

    Args:
        tracks: the objects.
        style: how they are shown.
        trails: where each has been, by id: (T, 3) metres in the frame of the tracks, now last.
    """
    style = style or MarkerStyle()
    objects = tracks.detections()
    markers: list[Marker] = []
    for index in range(len(tracks)):
        identity = int(tracks.ids[index]) & 0x7FFFFFFF  # the message has an int32
        speed_mps = float(np.hypot(*tracks.velocities_mps[index]))
        name = tracks.label_set.name(int(tracks.labels[index])).replace("_", " ")
        text = f"{name} #{tracks.ids[index]} {speed_mps:.1f} m/s"
        markers += _object_markers(objects, index, identity, text, style)
        if speed_mps * style.velocity_seconds > _MIN_ARROW_M:
            markers.append(_velocity_marker(tracks, index, identity, style))
        trail = (trails or {}).get(int(tracks.ids[index]))
        if trail is not None and len(trail) > 1:
            markers.append(_trail_marker(tracks, index, identity, trail, style))
    return MarkerArray(tracks.header, tuple(markers))


def _object_markers(
    objects: Detections3D, index: int, identity: int, text: str, style: MarkerStyle
) -> list[Marker]:
    red, green, blue = _unit_color(objects.label_set.color_lut[int(objects.labels[index])])
    length, width, height = (float(value) for value in objects.sizes_lwh_m[index])
    center_m = objects.centers_m[index].astype(np.float64)
    yaw_rad = float(objects.yaws_rad[index])
    pose = Pose.from_yaw(yaw_rad, center_m)
    front = Pose.from_yaw(yaw_rad, pose.apply(np.array([[length / 2, 0.0, 0.0]]))[0])
    above_m = center_m + (0.0, 0.0, height / 2 + style.text_height_m)
    arrow_m = max(0.35 * length, 0.5)

    def marker(namespace: str, shape: MarkerShape, **fields: object) -> Marker:
        common = {"header": objects.header, "id": identity, "lifetime_s": style.lifetime_s}
        return Marker(namespace=namespace, shape=shape, **common, **fields)  # type: ignore[arg-type]

    return [
        marker(
            "boxes",
            MarkerShape.CUBE,
            pose=pose,
            scale_m=(length, width, height),
            color_rgba=(red, green, blue, style.box_opacity),
        ),
        marker(
            "headings",
            MarkerShape.ARROW,
            pose=front,
            scale_m=(arrow_m, 0.12, 0.12),
            color_rgba=(red, green, blue, 1.0),
        ),
        marker(
            "labels",
            MarkerShape.TEXT,
            pose=Pose(np.eye(3), above_m),
            scale_m=(0.0, 0.0, style.text_height_m),
            color_rgba=(1.0, 1.0, 1.0, 0.95),
            text=text,
        ),
    ]


def _velocity_marker(tracks: Tracks, index: int, identity: int, style: MarkerStyle) -> Marker:
    """Returns an arrow from the roof along the velocity, as far as the object gets in a while."""
    velocity_mps = tracks.velocities_mps[index].astype(np.float64)
    roof_m = tracks.centers_m[index].astype(np.float64)
    roof_m = roof_m + (0.0, 0.0, float(tracks.sizes_lwh_m[index, 2]) / 2)
    direction_rad = float(np.arctan2(velocity_mps[1], velocity_mps[0]))
    length_m = float(np.hypot(*velocity_mps)) * style.velocity_seconds
    return Marker(
        header=tracks.header,
        namespace="velocities",
        id=identity,
        shape=MarkerShape.ARROW,
        pose=Pose.from_yaw(direction_rad, roof_m),
        scale_m=(length_m, 0.15, 0.15),
        color_rgba=(1.0, 1.0, 1.0, 0.9),
        lifetime_s=style.lifetime_s,
    )


def _trail_marker(
    tracks: Tracks, index: int, identity: int, trail: np.ndarray, style: MarkerStyle
) -> Marker:
    """Returns a line along the ground where the object has been."""
    line = trail.astype(np.float32)
    line[:, 2] -= tracks.sizes_lwh_m[index, 2] / 2
    red, green, blue = _unit_color(tracks.label_set.color_lut[int(tracks.labels[index])])
    return Marker(
        header=tracks.header,
        namespace="trails",
        id=identity,
        shape=MarkerShape.LINE_STRIP,
        pose=Pose.identity(),
        scale_m=(0.1, 0.0, 0.0),
        color_rgba=(red, green, blue, 0.8),
        points=line,
        lifetime_s=style.lifetime_s,
    )


def _unit_color(color: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(value) / 255.0 for value in color)
    return red, green, blue

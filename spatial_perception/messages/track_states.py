"""Tracks as a cloud with one point an object: the full state, without own message types."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.labels import OBJECT_LABELS, LabelSet
from spatial_perception.core.tracks import Tracks
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.point_fields import POINT_CLOUD2, decode_columns, encode_columns


def encode_track_states(tracks: Tracks) -> bytes:
    """Returns a PointCloud2 of x y z yaw vx vy yaw_rate length width height id label score.

    Field `id` is uint32 (ids modulo 2^32), `label` uint8, the others float32 in metres, radians
    and seconds.
    """
    columns = {
        "x": tracks.centers_m[:, 0],
        "y": tracks.centers_m[:, 1],
        "z": tracks.centers_m[:, 2],
        "yaw": tracks.yaws_rad,
        "vx": tracks.velocities_mps[:, 0],
        "vy": tracks.velocities_mps[:, 1],
        "yaw_rate": tracks.yaw_rates_radps,
        "length": tracks.sizes_lwh_m[:, 0],
        "width": tracks.sizes_lwh_m[:, 1],
        "height": tracks.sizes_lwh_m[:, 2],
        "id": tracks.ids.astype(np.uint32),
        "label": tracks.labels.astype(np.uint8),
        "score": tracks.scores,
    }
    return encode_columns(tracks.header, columns)


def decode_track_states(data: bytes | memoryview, label_set: LabelSet = OBJECT_LABELS) -> Tracks:
    """Returns the tracks in the bytes of a PointCloud2 of states.

    Args:
        data: CDR bytes.
        label_set: The classes its labels count; the message does not carry them.

    Raises:
        DecodeError: No PointCloud2, a field of the state is missing, or a label is no class.
    """
    columns = decode_columns(data)
    columns.require("id", "label")
    return Tracks(
        header=columns.header,
        centers_m=columns.stacked("x", "y", "z"),
        sizes_lwh_m=columns.stacked("length", "width", "height"),
        yaws_rad=columns.stacked("yaw").reshape(-1),
        velocities_mps=columns.stacked("vx", "vy"),
        yaw_rates_radps=columns.stacked("yaw_rate").reshape(-1),
        scores=columns.stacked("score").reshape(-1),
        labels=columns.labels(len(label_set)).astype(np.int32),
        ids=columns.columns["id"].reshape(-1).astype(np.int64),
        label_set=label_set,
    )


TRACK_STATES: Codec[Tracks] = make_codec(
    POINT_CLOUD2, Tracks, decode_track_states, encode_track_states
)

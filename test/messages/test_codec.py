"""What holds for every codec: round trips, both byte orders, and DecodeError for bad bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spatial_perception import messages
from spatial_perception.core import POINT_LABELS, examples
from spatial_perception.core.checks import check_array
from spatial_perception.errors import ConfigError, DecodeError
from spatial_perception.messages import CODECS, Codec, input_codec
from spatial_perception.messages.codec import make_codec
from spatial_perception.messages.typestore import typestore

EXAMPLES: list[tuple[str, Any]] = [
    ("POINT_CLOUD", examples.example_point_cloud()),
    ("LABELLED_CLOUD", examples.example_labelled_cloud()),
    ("VOXELS", examples.example_voxel_grid()),
    ("TRACK_STATES", examples.example_tracks()),
    ("CAMERA_OBJECTS", examples.example_camera_objects()),
    ("IMAGE", examples.example_camera_image()),
    ("COMPRESSED_IMAGE", examples.example_camera_image()),
    ("CAMERA_INFO", examples.example_camera()),
    ("TRANSFORMS", examples.example_transforms()),
    ("ODOMETRY", examples.example_odometry()),
    ("DETECTIONS_2D", examples.example_detections2d()),
    ("DETECTIONS_3D", examples.example_detections3d()),
    ("TRACKS", examples.example_tracks()),
    ("DETECTED_OBJECTS", examples.example_detections3d()),
    ("TRACKED_OBJECTS", examples.example_tracks()),
    ("PREDICTED_OBJECTS", examples.example_predictions()),
    ("LABEL_IMAGE", examples.example_label_image()),
    ("LABEL_COLOR_IMAGE", examples.example_label_image()),
    ("LABEL_INFO", POINT_LABELS),
    ("VISION_INFO", POINT_LABELS),
    ("OCCUPANCY_GRID", examples.example_occupancy_grid()),
    ("RANGE_SCAN", examples.example_range_scan()),
    ("POLYGON", examples.example_polygon()),
    ("MARKERS", examples.example_marker_array()),
    ("DIAGNOSTICS", examples.example_diagnostics()),
    ("LATENCY", examples.example_latency()),
]
NAMES = [name for name, _ in EXAMPLES]

# JPEG is lossy; the voxel cloud drops the free space around; quaternions go through matrices;
# Autoware has velocities in the axes of the object.
LOSSY = {"COMPRESSED_IMAGE", "VOXELS", "TRANSFORMS", "MARKERS"}
LOSSLESS = sorted(set(NAMES) - LOSSY - {"TRACKED_OBJECTS", "PREDICTED_OBJECTS"})


def codec_and_bytes(name: str) -> tuple[Codec[Any], bytes]:
    codec: Codec[Any] = getattr(messages, name)
    return codec, codec.encode(dict(EXAMPLES)[name])


def test_every_codec_has_an_example() -> None:
    assert [getattr(messages, name) for name in NAMES] == list(CODECS)


@pytest.mark.parametrize("name", NAMES)
def test_decoded_values_have_the_core_type(name: str) -> None:
    codec, data = codec_and_bytes(name)
    assert type(codec.decode(data)) is codec.core_type


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_decoded_value_encodes_to_the_same_bytes(name: str) -> None:
    codec, data = codec_and_bytes(name)
    assert codec.encode(codec.decode(data)) == data


@pytest.mark.parametrize("name", NAMES)
def test_big_endian_bytes_decode_to_the_same_value(name: str) -> None:
    codec, data = codec_and_bytes(name)
    message = typestore().deserialize_cdr(data, codec.ros_type)
    big = typestore().serialize_cdr(message, codec.ros_type, little_endian=False)
    assert bytes(big) != data
    assert codec.encode(codec.decode(bytes(big))) == codec.encode(codec.decode(data))


@pytest.mark.parametrize("name", NAMES)
def test_a_memoryview_decodes_like_bytes(name: str) -> None:
    codec, data = codec_and_bytes(name)
    assert codec.encode(codec.decode(memoryview(data))) == codec.encode(codec.decode(data))


@pytest.mark.parametrize("name", NAMES)
def test_truncated_bytes_raise_decode_error(name: str) -> None:
    codec, data = codec_and_bytes(name)
    for length in {*range(min(len(data), 64)), *range(64, len(data) - 4, 7), len(data) - 5}:
        with pytest.raises(DecodeError) as caught:
            codec.decode(data[:length])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_bytes_decode_or_raise_decode_error(name: str) -> None:
    codec, data = codec_and_bytes(name)
    rng = np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(data)
        for position in rng.integers(0, len(data), rng.integers(1, 5)):
            damaged[position] = rng.choice([0, 1, 0x7F, 0xFF, rng.integers(256)])
        try:
            codec.decode(bytes(damaged))
        except DecodeError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_complaints_of_the_core_type_become_decode_errors() -> None:
    def decode(data: bytes | memoryview) -> int:
        check_array("points", np.zeros(3), (None, 3), np.float32)
        return 0

    codec = make_codec("a/msg/B", int, decode, lambda value: b"")
    with pytest.raises(DecodeError, match="a/msg/B: points: expected dtype float32"):
        codec.decode(b"")


def test_inputs_are_found_by_ros_type() -> None:
    assert input_codec("sensor_msgs/msg/PointCloud2") is messages.POINT_CLOUD
    assert input_codec("sensor_msgs/msg/CompressedImage") is messages.COMPRESSED_IMAGE


def test_an_unknown_input_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'sensor_msgs/msg/Imu'.*sensor_msgs/msg/PointCloud2"):
        input_codec("sensor_msgs/msg/Imu")

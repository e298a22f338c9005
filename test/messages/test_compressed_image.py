"""Compressed images against OpenCV's own encoders."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CompressedImage as RosCompressed

from spatial_perception.core import CameraImage
from spatial_perception.core.examples import example_header
from spatial_perception.errors import DecodeError
from spatial_perception.messages import COMPRESSED_IMAGE

from .ros import ros_header, to_bytes

BGR = np.zeros((16, 24, 3), np.uint8)
BGR[:, :, 2], BGR[:, 12:, 0] = 220, 180  # red, violet at the right


def compressed_bytes(
    suffix: str, pixels: np.ndarray, name: str, keep: float = 1.0, tail: bytes = b""
) -> bytes:
    _, data = cv2.imencode(suffix, pixels)
    data = np.append(data[: int(len(data) * keep)], np.frombuffer(tail, np.uint8))
    return to_bytes(RosCompressed(header=ros_header("camera"), format=name, data=data))


@pytest.mark.parametrize("name", ["jpeg", "jpg", "rgb8; jpeg compressed bgr8", ""])
def test_jpeg_of_any_format_string_becomes_rgb(name: str) -> None:
    pixels = COMPRESSED_IMAGE.decode(compressed_bytes(".jpg", BGR, name)).pixels
    assert pixels.shape == BGR.shape
    assert np.abs(pixels[8, 4].astype(int) - [220, 0, 0]).max() < 8
    assert np.abs(pixels[8, 20].astype(int) - [220, 0, 180]).max() < 8


def test_png_is_exact_in_colour_and_16_bit() -> None:
    pixels = COMPRESSED_IMAGE.decode(compressed_bytes(".png", BGR, "png")).pixels
    np.testing.assert_array_equal(pixels, BGR[..., ::-1])
    depth = (np.arange(24, dtype=np.uint16) * 1000).reshape(4, 6)
    pixels = COMPRESSED_IMAGE.decode(compressed_bytes(".png", depth, "16UC1; png")).pixels
    np.testing.assert_array_equal(pixels, depth)


def test_a_compressed_mosaic_becomes_rgb() -> None:
    mosaic = np.tile(np.uint8([[200, 120], [120, 30]]), (8, 8))
    data = compressed_bytes(".png", mosaic, "bayer_rggb8; png compressed ")
    inner = COMPRESSED_IMAGE.decode(data).pixels[2:-2, 2:-2]
    np.testing.assert_array_equal(inner, np.broadcast_to([200, 120, 30], (12, 12, 3)))


def test_an_empty_picture_is_called_so() -> None:
    with pytest.raises(DecodeError, match="the picture is empty"):
        COMPRESSED_IMAGE.decode(compressed_bytes(".png", BGR, "png", keep=0.0))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("keep", [0.3, 0.7, 0.97])
def test_a_picture_that_is_cut_off_is_refused(suffix: str, keep: float) -> None:
    with pytest.raises(DecodeError, match="cut off|damaged"):
        COMPRESSED_IMAGE.decode(compressed_bytes(suffix, BGR, "x", keep))


@pytest.mark.parametrize("tail", [b"\0" * 100, b"\xff" * 3, b"\n", b"AVI1 and more"])
def test_bytes_behind_the_end_of_a_jpeg_do_no_harm(tail: bytes) -> None:
    longer = COMPRESSED_IMAGE.decode(compressed_bytes(".jpg", BGR, "jpeg", tail=tail))
    plain = COMPRESSED_IMAGE.decode(compressed_bytes(".jpg", BGR, "jpeg"))
    np.testing.assert_array_equal(longer.pixels, plain.pixels)


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(DecodeError, match="'webp' is not supported; supported are jpeg and png"):
        COMPRESSED_IMAGE.decode(compressed_bytes(".webp", BGR, "webp"))


def test_jpeg_round_trip_stays_close_and_16_bit_is_exact() -> None:
    header = example_header("camera")
    smooth = cv2.resize(np.uint8([[[10, 60, 200], [200, 100, 30]]]), (48, 32))
    again = COMPRESSED_IMAGE.decode(COMPRESSED_IMAGE.encode(CameraImage(header, smooth)))
    assert np.abs(again.pixels.astype(int) - smooth).mean() < 2
    depth = np.arange(24, dtype=np.uint16).reshape(4, 6) * 999
    again = COMPRESSED_IMAGE.decode(COMPRESSED_IMAGE.encode(CameraImage(header, depth)))
    np.testing.assert_array_equal(again.pixels, depth)


def test_float_pixels_are_refused_for_compression() -> None:
    image = CameraImage(example_header("camera"), np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="no compressed form"):
        COMPRESSED_IMAGE.encode(image)

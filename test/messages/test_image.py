"""Images in every encoding, against pixels laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.core import CameraImage
from spatial_perception.core.examples import example_header
from spatial_perception.errors import DecodeError
from spatial_perception.messages import IMAGE

from .ros import image_bytes

RGB = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
ALPHA = np.full((3, 4, 1), 7, np.uint8)


@pytest.mark.parametrize(
    ("encoding", "pixels"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("8UC3", RGB[..., ::-1]),
        ("rgba8", np.concatenate([RGB, ALPHA], axis=2)),
        ("bgra8", np.concatenate([RGB[..., ::-1], ALPHA], axis=2)),
    ],
)
@pytest.mark.parametrize("padding", [0, 5])
def test_colour_encodings_become_rgb(encoding: str, pixels: np.ndarray, padding: int) -> None:
    rows = np.ascontiguousarray(pixels).reshape(3, -1)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    image = IMAGE.decode(image_bytes(data, 4, 3, encoding, data.shape[1]))
    np.testing.assert_array_equal(image.pixels, RGB)


@pytest.mark.parametrize(("encoding", "order"), [("rgb16", 1), ("bgr16", -1)])
def test_16_bit_colour_becomes_8_bit_rgb(encoding: str, order: int) -> None:
    deep = np.ascontiguousarray(RGB[..., ::order]).astype("<u2") * 256 + 77
    np.testing.assert_array_equal(IMAGE.decode(image_bytes(deep, 4, 3, encoding, 24)).pixels, RGB)


@pytest.mark.parametrize(("encoding", "order"), [("nv12", 1), ("nv21", -1)])
def test_colour_below_the_brightness_becomes_rgb(encoding: str, order: int) -> None:
    luma, chroma = np.full((4, 6), 81, np.uint8), np.array([90, 240], np.uint8)[::order]
    data = np.concatenate([luma, np.tile(chroma, (2, 3))])  # red in ITU-R BT.601 video range
    pixels = IMAGE.decode(image_bytes(data, 6, 4, encoding, 6)).pixels
    np.testing.assert_allclose(pixels, np.broadcast_to([255, 0, 0], (4, 6, 3)), atol=2)
    with pytest.raises(DecodeError, match="6x4 nv.. with step 6 does not fit 24 bytes"):
        IMAGE.decode(image_bytes(luma, 6, 4, encoding, 6))


@pytest.mark.parametrize(
    ("encoding", "dtype"), [("mono8", "u1"), ("mono16", "u2"), ("16UC1", "u2"), ("32FC1", "f4")]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_single_channels_keep_their_values_in_both_byte_orders(
    encoding: str, dtype: str, order: str
) -> None:
    values = np.arange(12).reshape(3, 4) * 21 + 1
    padded = np.pad(values.astype(order + dtype), ((0, 0), (0, 2)))
    step = padded.shape[1] * padded.itemsize
    image = IMAGE.decode(image_bytes(padded, 4, 3, encoding, step, big=order == ">"))
    np.testing.assert_array_equal(image.pixels, values)
    assert image.pixels.dtype == np.dtype(dtype)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer_patterns_give_the_colours_they_were_made_of(pattern: str, bits: int) -> None:
    colors = {"r": 200, "g": 120, "b": 30}
    tile = np.array([colors[letter] for letter in pattern]).reshape(2, 2)
    mosaic = np.tile(tile, (4, 4)).astype("<u1" if bits == 8 else "<u2") * (1 << (bits - 8))
    data = image_bytes(mosaic, 8, 8, f"bayer_{pattern}{bits}", 8 * bits // 8)
    inner = IMAGE.decode(data).pixels[2:-2, 2:-2]
    np.testing.assert_array_equal(inner, np.broadcast_to([200, 120, 30], (4, 4, 3)))


@pytest.mark.parametrize("encoding", ["uyvy", "yuyv"])
def test_yuv_grey_becomes_grey(encoding: str) -> None:
    pair = [128, 100, 128, 100] if encoding == "uyvy" else [100, 128, 100, 128]
    pixels = IMAGE.decode(image_bytes(np.tile(np.uint8(pair), 8), 4, 4, encoding, 8)).pixels
    # ITU-R BT.601 video range: 255 / 219 * (Y - 16)
    np.testing.assert_allclose(pixels, 255 / 219 * (100 - 16), atol=1)


@pytest.mark.parametrize(
    ("width", "height", "step", "size"),
    [(4, 3, 11, 33), (4, 3, 12, 35), (4, 3, 12, 48), (0, 3, 0, 0)],
)
def test_sizes_that_do_not_fit_are_refused(width: int, height: int, step: int, size: int) -> None:
    data = image_bytes(np.zeros(size, np.uint8), width, height, "rgb8", step)
    with pytest.raises(DecodeError, match=f"{width}x{height} rgb8 with step {step} does not fit"):
        IMAGE.decode(data)


def test_an_unknown_encoding_is_named_with_the_known_ones() -> None:
    with pytest.raises(DecodeError, match="'jpeg2000' is not supported; supported are rgb8, bgr8"):
        IMAGE.decode(image_bytes(RGB, 4, 3, "jpeg2000", 12))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_encode_keeps_single_channels_exactly(dtype: type) -> None:
    pixels = (np.arange(12).reshape(3, 4) * 13.5).astype(dtype)
    image = CameraImage(example_header("camera"), pixels[:, ::-1])
    again = IMAGE.decode(IMAGE.encode(image))
    np.testing.assert_array_equal(again.pixels, image.pixels)
    assert again.pixels.dtype == dtype


def test_rgb8_without_padding_is_a_read_only_view() -> None:
    pixels = IMAGE.decode(image_bytes(RGB, 4, 3, "rgb8", 12)).pixels
    assert not pixels.flags.writeable
    assert not pixels.flags.owndata

"""CameraImage as sensor_msgs/Image, in the encodings that cameras and their drivers send."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__Image as ImageMessage

from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize

IMAGE_TYPE = "sensor_msgs/msg/Image"


@dataclass(frozen=True, slots=True)
class _Encoding:
    """How the pixels lie in the data, and OpenCV's way from there to RGB (None: as they are)."""

    dtype: str
    channels: int
    to_rgb: int | None = None


_ENCODINGS = {
    "rgb8": _Encoding("u1", 3),
    "bgr8": _Encoding("u1", 3, cv2.COLOR_BGR2RGB),
    "8UC3": _Encoding("u1", 3, cv2.COLOR_BGR2RGB),
    "rgba8": _Encoding("u1", 4, cv2.COLOR_RGBA2RGB),
    "bgra8": _Encoding("u1", 4, cv2.COLOR_BGRA2RGB),
    "8UC4": _Encoding("u1", 4, cv2.COLOR_BGRA2RGB),
    "rgb16": _Encoding("u2", 3),
    "bgr16": _Encoding("u2", 3, cv2.COLOR_BGR2RGB),
    "mono8": _Encoding("u1", 1),
    "8UC1": _Encoding("u1", 1),
    "mono16": _Encoding("u2", 1),
    "16UC1": _Encoding("u2", 1),
    "32FC1": _Encoding("f4", 1),
    "bayer_rggb8": _Encoding("u1", 1, cv2.COLOR_BayerRGGB2RGB),
    "bayer_bggr8": _Encoding("u1", 1, cv2.COLOR_BayerBGGR2RGB),
    "bayer_gbrg8": _Encoding("u1", 1, cv2.COLOR_BayerGBRG2RGB),
    "bayer_grbg8": _Encoding("u1", 1, cv2.COLOR_BayerGRBG2RGB),
    "bayer_rggb16": _Encoding("u2", 1, cv2.COLOR_BayerRGGB2RGB),
    "bayer_bggr16": _Encoding("u2", 1, cv2.COLOR_BayerBGGR2RGB),
    "bayer_gbrg16": _Encoding("u2", 1, cv2.COLOR_BayerGBRG2RGB),
    "bayer_grbg16": _Encoding("u2", 1, cv2.COLOR_BayerGRBG2RGB),
    "yuv422": _Encoding("u1", 2, cv2.COLOR_YUV2RGB_UYVY),
    "uyvy": _Encoding("u1", 2, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422_yuy2": _Encoding("u1", 2, cv2.COLOR_YUV2RGB_YUYV),
    "yuyv": _Encoding("u1", 2, cv2.COLOR_YUV2RGB_YUYV),
    "nv12": _Encoding("u1", 1, cv2.COLOR_YUV2RGB_NV12),
    "nv21": _Encoding("u1", 1, cv2.COLOR_YUV2RGB_NV21),
}
_PLANAR = ("nv12", "nv21")
"""Colour in half as many rows again, below the brightness."""


def decode_image(data: bytes | memoryview) -> CameraImage:
    """Returns the picture in the bytes of an Image.

    Colour, Bayer and YUV encodings become (H, W, 3) uint8 RGB; mono8, mono16, 16UC1 and 32FC1
    stay (H, W). Pixels that need no conversion are a read-only view into `data`.

    Raises:
        DecodeError: No Image, an unknown encoding, or step and size do not fit the data.
    """
    message = deserialize(data, ImageMessage)
    return CameraImage(header=decode_header(message.header), pixels=image_pixels(message))


def image_pixels(message: ImageMessage) -> np.ndarray:
    """Returns the pixels of an Image message, as `decode_image` does.

    Raises:
        DecodeError: An unknown encoding, or step and size do not fit the data.
    """
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        raise DecodeError(
            f"{IMAGE_TYPE}: encoding '{message.encoding}' is not supported; "
            f"supported are {', '.join(_ENCODINGS)}"
        )
    dtype = np.dtype((">" if message.is_bigendian else "<") + encoding.dtype)
    height, width, step = message.height, message.width, message.step
    if message.encoding in _PLANAR:
        height = height * 3 // 2
    row_bytes = width * encoding.channels * dtype.itemsize
    if height == 0 or width == 0 or step < row_bytes or step * height != len(message.data):
        raise DecodeError(
            f"{IMAGE_TYPE}: {width}x{message.height} {message.encoding} with step {step} does not "
            f"fit {len(message.data)} bytes of data"
        )
    shape = (height, width, encoding.channels)
    strides = (step, encoding.channels * dtype.itemsize, dtype.itemsize)
    raw: NDArray[np.generic] = np.ndarray(shape, dtype, message.data.data, 0, strides)
    pixels = np.ascontiguousarray(raw, dtype.newbyteorder("="))
    if encoding.channels == 1:
        pixels = pixels[..., 0]
    try:
        return as_rgb8(pixels, encoding.to_rgb)
    except cv2.error as error:
        raise DecodeError(
            f"{IMAGE_TYPE}: {width}x{message.height} is no size for encoding '{message.encoding}'"
        ) from error


def as_rgb8(pixels: np.ndarray, to_rgb: int | None) -> np.ndarray:
    """Returns pixels after OpenCV's conversion `to_rgb`, 16-bit colour shifted down to 8 bits."""
    rgb: np.ndarray = pixels if to_rgb is None else cv2.cvtColor(pixels, to_rgb)
    return (rgb // 256).astype(np.uint8) if rgb.ndim == 3 and rgb.dtype == np.uint16 else rgb


def bayer_to_rgb(encoding: str) -> int | None:
    """Returns OpenCV's conversion of a Bayer mosaic to RGB, None for other encodings."""
    known = _ENCODINGS.get(encoding) if encoding.startswith("bayer_") else None
    return None if known is None else known.to_rgb


def encode_image(image: CameraImage) -> bytes:
    """Returns an Image: rgb8, or mono8, 16UC1 or 32FC1 for pictures of one channel."""
    if image.pixels.ndim == 3:
        return encode_pixels(image.header, image.pixels, "rgb8")
    encoding = {"u1": "mono8", "u2": "16UC1", "f4": "32FC1"}[image.pixels.dtype.str[1:]]
    return encode_pixels(image.header, image.pixels, encoding)


def encode_pixels(header: Header, pixels: np.ndarray, encoding: str) -> bytes:
    """Returns an Image of (H, W) or (H, W, C) pixels that are of `encoding` already."""
    contiguous = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    height, width = pixels.shape[:2]
    message = ImageMessage(
        header=encode_header(header),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=contiguous.nbytes // height,
        data=contiguous.reshape(-1).view(np.uint8),
    )
    return serialize(message)


IMAGE: Codec[CameraImage] = make_codec(IMAGE_TYPE, CameraImage, decode_image, encode_image)

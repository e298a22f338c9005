"""CameraImage as sensor_msgs/CompressedImage: JPEG and PNG."""

from __future__ import annotations

import cv2
import numpy as np
from rosbags.typesys.stores.ros2_jazzy import (
    sensor_msgs__msg__CompressedImage as CompressedImageMessage,
)

from spatial_perception.core.image import CameraImage
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.image import as_rgb8, bayer_to_rgb
from spatial_perception.messages.typestore import deserialize, serialize

COMPRESSED_IMAGE_TYPE = "sensor_msgs/msg/CompressedImage"

_JPEG_QUALITY = 92
_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"


def decode_compressed_image(data: bytes | memoryview) -> CameraImage:
    """Returns the picture in the bytes of a CompressedImage.

    The data itself says whether it is JPEG or PNG, since drivers write the format string in many
    ways ("jpeg", "jpg", "rgb8; jpeg compressed bgr8"). Grey pictures stay (H, W) uint8 or uint16,
    but where the format string begins with a Bayer encoding they are a mosaic and become RGB.

    Raises:
        DecodeError: No CompressedImage, another format, or a picture that is cut off or damaged.
    """
    message = deserialize(data, CompressedImageMessage)
    _check_complete(message)
    try:
        pixels: np.ndarray | None = cv2.imdecode(message.data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DecodeError(f"{COMPRESSED_IMAGE_TYPE}: the {message.format} data is damaged")
    if pixels.ndim == 3:
        pixels = as_rgb8(pixels, cv2.COLOR_BGRA2RGB if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    elif (mosaic := bayer_to_rgb(message.format.partition(";")[0].strip())) is not None:
        pixels = as_rgb8(pixels, mosaic)
    return CameraImage(header=decode_header(message.header), pixels=pixels)


def _check_complete(message: CompressedImageMessage) -> None:
    """OpenCV pads a picture that was cut off with grey and only prints a warning.

    Cameras append zeros or other bytes to a JPEG: what comes after its end does not count.
    """
    picture = message.data.tobytes()
    if picture.startswith(_JPEG_START):
        complete = picture.rfind(_JPEG_END) > picture.rfind(_JPEG_SCAN)
    elif picture.startswith(_PNG_START):
        complete = _PNG_END in picture[-64:]
    elif not picture:
        raise DecodeError(f"{COMPRESSED_IMAGE_TYPE}: the picture is empty")
    else:
        raise DecodeError(
            f"{COMPRESSED_IMAGE_TYPE}: format '{message.format}' is not supported; "
            "supported are jpeg and png"
        )
    if not complete:
        raise DecodeError(
            f"{COMPRESSED_IMAGE_TYPE}: the {message.format} picture of {len(picture)} bytes is "
            "cut off"
        )


def encode_compressed_image(image: CameraImage) -> bytes:
    """Returns a CompressedImage: JPEG for 8-bit pictures, PNG for 16-bit ones.

    Raises:
        ValueError: The pixels are float32, which neither format holds.
    """
    if image.pixels.dtype == np.float32:
        raise ValueError("float32 pixels have no compressed form; send them as an Image")
    pixels = image.pixels
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if pixels.dtype == np.uint8:
        name = "jpeg"
        _, picture = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    else:
        name = "png"
        _, picture = cv2.imencode(".png", pixels)
    message = CompressedImageMessage(
        header=encode_header(image.header), format=name, data=picture.reshape(-1)
    )
    return serialize(message)


COMPRESSED_IMAGE: Codec[CameraImage] = make_codec(
    COMPRESSED_IMAGE_TYPE, CameraImage, decode_compressed_image, encode_compressed_image
)

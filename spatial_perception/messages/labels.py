"""Class names as vision_msgs/LabelInfo and VisionInfo, and LabelImage as sensor_msgs/Image."""

from __future__ import annotations

import json

import cv2
import numpy as np
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__Image as ImageMessage

from spatial_perception.core.header import Header
from spatial_perception.core.image import LabelImage
from spatial_perception.core.labels import (
    CAMVID_LABELS,
    KNOWN_LABEL_SETS,
    UNLABELED,
    UNLABELED_NAME,
    LabelSet,
)
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.image import IMAGE_TYPE, encode_pixels, image_pixels
from spatial_perception.messages.typestore import deserialize, serialize
from spatial_perception.messages.vision_msgs import LabelInfo, VisionClass, VisionInfo

LABEL_INFO_TYPE = "vision_msgs/msg/LabelInfo"
VISION_INFO_TYPE = "vision_msgs/msg/VisionInfo"

_FOR_ALL_TIME = Header(stamp_ns=0, frame_id="")


def encode_label_info(label_set: LabelSet) -> bytes:
    """Returns a LabelInfo of all classes and of 255, unlabeled; its stamp is 0."""
    classes = [VisionClass(label, name) for label, name in enumerate(label_set.names)]
    classes.append(VisionClass(UNLABELED, UNLABELED_NAME))
    return serialize(LabelInfo(encode_header(_FOR_ALL_TIME), classes, 0.0))


def decode_label_info(data: bytes | memoryview) -> LabelSet:
    """Returns the classes in the bytes of a LabelInfo.

    Raises:
        DecodeError: No LabelInfo, or its ids are not 0, 1, 2 ... (and 255, unlabeled).
    """
    message = deserialize(data, LabelInfo)
    names = {item.class_id: item.class_name for item in message.class_map}
    if names.get(UNLABELED) == UNLABELED_NAME:
        del names[UNLABELED]
    if sorted(names) != list(range(len(names))):
        raise DecodeError(f"{LABEL_INFO_TYPE}: class ids are not 0..{len(names) - 1}")
    return _label_set(tuple(names[label] for label in sorted(names)))


def encode_vision_info(label_set: LabelSet) -> bytes:
    """Returns a VisionInfo whose `database_location` is the JSON list of the class names."""
    return serialize(
        VisionInfo(
            header=encode_header(_FOR_ALL_TIME),
            method="spatial_perception",
            database_location=json.dumps(label_set.names),
            database_version=1,
        )
    )


def decode_vision_info(data: bytes | memoryview) -> LabelSet:
    """Returns the classes in the bytes of a VisionInfo that holds their names itself.

    Raises:
        DecodeError: No VisionInfo, or its database lies elsewhere.
    """
    message = deserialize(data, VisionInfo)
    try:
        names = json.loads(message.database_location)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{VISION_INFO_TYPE}: database_location is no list of names") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DecodeError(f"{VISION_INFO_TYPE}: database_location is no list of names")
    return _label_set(tuple(names))


def _label_set(names: tuple[str, ...]) -> LabelSet:
    return next((known for known in KNOWN_LABEL_SETS if known.names == names), LabelSet(names))


def encode_label_image(image: LabelImage) -> bytes:
    """Returns an Image, mono8: the label of each pixel, 255 unlabeled."""
    return encode_pixels(image.header, image.labels, "mono8")


def decode_label_image(data: bytes | memoryview, label_set: LabelSet = CAMVID_LABELS) -> LabelImage:
    """Returns the labels in the bytes of a mono8 Image.

    Args:
        data: CDR bytes.
        label_set: The classes the labels count; the message does not carry them.

    Raises:
        DecodeError: No Image, or one of another encoding.
    """
    message = deserialize(data, ImageMessage)
    if message.encoding not in ("mono8", "8UC1"):
        raise DecodeError(f"{IMAGE_TYPE}: labels are mono8, this is '{message.encoding}'")
    return LabelImage(decode_header(message.header), image_pixels(message), label_set)


def encode_label_color_image(image: LabelImage) -> bytes:
    """Returns an Image, rgb8: the colour of each pixel's class, black where unlabeled."""
    channels = np.ascontiguousarray(image.label_set.color_lut.T)
    colored = cv2.merge([cv2.LUT(image.labels, channel) for channel in channels])
    return encode_pixels(image.header, colored, "rgb8")


def decode_label_color_image(
    data: bytes | memoryview, label_set: LabelSet = CAMVID_LABELS
) -> LabelImage:
    """Returns the labels whose colours are in the bytes of an Image; other colours are 255.

    Raises:
        DecodeError: No colour Image.
    """
    message = deserialize(data, ImageMessage)
    pixels = image_pixels(message)
    if pixels.ndim != 3:
        raise DecodeError(f"{IMAGE_TYPE}: colours are rgb8, this is '{message.encoding}'")
    packed = _packed(pixels)
    labels = np.full(packed.shape, UNLABELED, np.uint8)
    for label, color in enumerate(_packed(label_set.colors).tolist()):
        labels[packed == color] = label
    return LabelImage(decode_header(message.header), labels, label_set)


def _packed(rgb: np.ndarray) -> np.ndarray:
    wide = rgb.astype(np.uint32)
    packed: np.ndarray = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return packed


LABEL_INFO: Codec[LabelSet] = make_codec(
    LABEL_INFO_TYPE, LabelSet, decode_label_info, encode_label_info
)
VISION_INFO: Codec[LabelSet] = make_codec(
    VISION_INFO_TYPE, LabelSet, decode_vision_info, encode_vision_info
)
LABEL_IMAGE: Codec[LabelImage] = make_codec(
    IMAGE_TYPE, LabelImage, decode_label_image, encode_label_image
)
LABEL_COLOR_IMAGE: Codec[LabelImage] = make_codec(
    IMAGE_TYPE, LabelImage, decode_label_color_image, encode_label_color_image
)

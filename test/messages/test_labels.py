"""Class names and label images on the wire."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.core import CAMVID_LABELS, POINT_LABELS, UNLABELED, LabelSet
from spatial_perception.core.examples import example_camera_image, example_label_image
from spatial_perception.errors import DecodeError
from spatial_perception.messages import (
    IMAGE,
    LABEL_COLOR_IMAGE,
    LABEL_IMAGE,
    LABEL_INFO,
    VISION_INFO,
)
from spatial_perception.messages.typestore import typestore
from spatial_perception.messages.vision_msgs import LabelInfo, VisionClass, VisionInfo

from .ros import ros_header, to_bytes


def test_label_info_lists_every_class_and_unlabeled() -> None:
    message = typestore().deserialize_cdr(
        LABEL_INFO.encode(POINT_LABELS), "vision_msgs/msg/LabelInfo"
    )
    assert isinstance(message, LabelInfo)
    listed = [(item.class_id, item.class_name) for item in message.class_map]
    assert listed[:2] == [(0, "road"), (1, "sidewalk")]
    assert listed[-1] == (255, "unlabeled")
    assert len(listed) == 10


@pytest.mark.parametrize("codec", [LABEL_INFO, VISION_INFO])
def test_known_classes_come_back_with_their_colours(codec: object) -> None:
    again = codec.decode(codec.encode(POINT_LABELS))
    assert again == POINT_LABELS
    np.testing.assert_array_equal(again.colors, POINT_LABELS.colors)


@pytest.mark.parametrize("codec", [LABEL_INFO, VISION_INFO])
def test_other_classes_come_back_by_name(codec: object) -> None:
    labels = LabelSet(("stop", "limit 30"))
    assert codec.decode(codec.encode(labels)) == labels


def test_label_info_with_gaps_is_refused() -> None:
    classes = [VisionClass(0, "road"), VisionClass(2, "pole")]
    with pytest.raises(DecodeError, match=r"class ids are not 0\.\.1"):
        LABEL_INFO.decode(to_bytes(LabelInfo(ros_header(), classes, 0.0)))


@pytest.mark.parametrize("location", ["/detector/classes", "[1, 2]", '{"0": "car"}'])
def test_vision_info_without_names_is_refused(location: str) -> None:
    with pytest.raises(DecodeError, match="no list of names"):
        VISION_INFO.decode(to_bytes(VisionInfo(ros_header(), "yolo", location, 1)))


def test_label_image_is_mono8_with_the_labels_as_values() -> None:
    image = example_label_image()
    pixels = IMAGE.decode(LABEL_IMAGE.encode(image)).pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, image.labels)


def test_colour_image_has_the_colours_of_the_classes() -> None:
    image = example_label_image()
    pixels = IMAGE.decode(LABEL_COLOR_IMAGE.encode(image)).pixels
    for row, column in np.ndindex(image.labels.shape):
        label = image.labels[row, column]
        expected = [0, 0, 0] if label == UNLABELED else CAMVID_LABELS.colors[label]
        np.testing.assert_array_equal(pixels[row, column], expected)


def test_a_picture_is_no_label_image() -> None:
    with pytest.raises(DecodeError, match="labels are mono8, this is 'rgb8'"):
        LABEL_IMAGE.decode(IMAGE.encode(example_camera_image()))
    with pytest.raises(DecodeError, match="colours are rgb8, this is 'mono8'"):
        LABEL_COLOR_IMAGE.decode(LABEL_IMAGE.encode(example_label_image()))

"""Which topics of an input are subscribed, and which cannot be used."""

import pytest

from spatial_perception.messages import COMPRESSED_IMAGE, IMAGE
from spatial_perception.stages.wiring import misfits, published_sources

RAW, SMALL = ("/image", IMAGE), ("/image/compressed", COMPRESSED_IMAGE)
SOURCES = (RAW, SMALL)
Offers = dict[str, set[str]]


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ({}, SOURCES),
        ({"/image": {IMAGE.ros_type}, "/image/compressed": {COMPRESSED_IMAGE.ros_type}}, (RAW,)),
        ({"/image/compressed": {COMPRESSED_IMAGE.ros_type}}, (SMALL,)),
        ({"/image": {COMPRESSED_IMAGE.ros_type}}, (("/image", COMPRESSED_IMAGE),)),
        ({"/image": {COMPRESSED_IMAGE.ros_type, IMAGE.ros_type}}, (RAW,)),
        ({"/image": {"sensor_msgs/msg/CameraInfo"}}, SOURCES),
    ],
)
def test_one_published_source_is_enough_and_is_decoded_by_its_type(
    offers: Offers, expected: object
) -> None:
    assert published_sources(SOURCES, lambda topic: offers.get(topic, set())) == expected


def test_another_type_is_named_with_what_was_expected() -> None:
    offers: Offers = {"/image": {"sensor_msgs/msg/CameraInfo"}, "/image/compressed": set()}
    (text,) = misfits(SOURCES, offers.__getitem__)
    assert text.startswith("'/image' is published as sensor_msgs/msg/CameraInfo, expected sensor")
    offers["/image"].add(COMPRESSED_IMAGE.ros_type)
    assert not list(misfits(SOURCES, offers.__getitem__))

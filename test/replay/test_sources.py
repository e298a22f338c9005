"""Which topic of a bag feeds which input."""

import pytest

from spatial_perception.bags import TopicInfo
from spatial_perception.errors import DatasetError
from spatial_perception.messages import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, POINT_CLOUD
from spatial_perception.replay.sources import Selection, select_sources
from spatial_perception.stages.registry import build_graph

PICTURE = "/sensing/camera/front/image"
INFO = "/sensing/camera/front/camera_info"
RAW, PACKED, STATE, CLOUD = (
    TopicInfo(codec.ros_type, 1) for codec in (IMAGE, COMPRESSED_IMAGE, CAMERA_INFO, POINT_CLOUD)
)


def chosen(topics: dict[str, TopicInfo], remappings: dict[str, str] | None = None) -> Selection:
    graph = build_graph({"overlay": {"parts": []}}, only=("overlay",))
    return select_sources(graph, topics, remappings or {}, "bag")


def fed(selection: Selection) -> dict[str, str]:
    return {source.port.topic: source.topic for source in selection.sources}


def test_a_raw_picture_and_its_compressed_form_are_one_camera() -> None:
    topics = {"/cam/image/compressed": PACKED, "/cam/image": RAW, "/cam/camera_info": STATE}
    assert fed(chosen(topics)) == {PICTURE: "/cam/image", INFO: "/cam/camera_info"}


def test_a_compressed_picture_of_another_camera_is_a_choice_too() -> None:
    graph = build_graph({"overlay": {"parts": [], "cameras": ["front"]}}, only=("overlay",))
    topics = {"/left/image/compressed": PACKED, "/rear/image": RAW, "/points": CLOUD}
    table = {PICTURE: "/rear/image"}
    assert fed(select_sources(graph, topics, table, "bag")) == {PICTURE: "/rear/image"}
    with pytest.raises(DatasetError, match="no camera or LiDAR topic"):
        select_sources(graph, topics, {}, "bag")


def test_calibration_is_that_beside_the_picture() -> None:
    topics = {"/rear/image": RAW, "/rear/camera_info": STATE, "/left/camera_info": STATE}
    assert fed(chosen(topics))[INFO] == "/rear/camera_info"


def test_the_only_calibration_of_a_bag_may_be_that_of_another_camera() -> None:
    topics = {"/rear/image": RAW, "/left/image": RAW, "/left/camera_info": STATE}
    selection = chosen(topics, {PICTURE: "/rear/image"})
    assert fed(selection) == {PICTURE: "/rear/image"}
    assert f"{INFO} could be /left/camera_info: choose with --remap" in selection.remarks
    assert fed(chosen({"/rear/image": RAW, "/info": STATE}))[INFO] == "/info"

"""Names on DDS, as ROS 2 middlewares write them (design.ros2.org, topic and service names)."""

import pytest

from spatial_perception.dds import names


def test_topics_and_types_have_the_names_that_ros_gives_them() -> None:
    assert names.dds_topic("/tf") == "rt/tf"
    assert names.dds_type("sensor_msgs/msg/PointCloud2") == "sensor_msgs::msg::dds_::PointCloud2_"
    assert names.ros_topic("rt/car1/odom") == "/car1/odom"
    assert names.ros_type("tf2_msgs::msg::dds_::TFMessage_") == "tf2_msgs/msg/TFMessage"


@pytest.mark.parametrize("name", ["ros_discovery_info", "rq/get_parametersRequest", "DCPSTopic"])
def test_what_is_no_topic_has_no_ros_name(name: str) -> None:
    assert names.ros_topic(name) is None


def test_what_is_no_ros_type_has_no_ros_name() -> None:
    assert names.ros_type("HelloWorld") is None

"""Nodes in a process: transitions, subscriptions, parameters, diagnostics."""

import time
from collections.abc import Callable

import pytest

from spatial_perception.core import examples
from spatial_perception.errors import ConfigError
from spatial_perception.messages import DIAGNOSTICS, POINT_CLOUD

from .conftest import spin_until

pytestmark = pytest.mark.ros
POINTS = "/sensing/lidar/points"


@pytest.fixture
def make_process(ros):
    """Returns a function that makes a process of stages, not yet configured."""
    made = []

    def make(*stages: str, arguments: tuple[str, ...] = (), mode: str = "newest"):
        ros(*arguments)
        from spatial_perception.nodes.process import Process
        from spatial_perception.nodes.stage_node import StageNode

        nodes = [StageNode(stage) for stage in stages]
        process = Process(nodes, nodes[0], mode)
        made.append(process)
        return process, *nodes

    yield make
    for process in made:
        process.close()


def sensor_topics(node) -> set[str]:
    return {s.topic_name for s in node.subscriptions if s.topic_name.startswith("/sensing")}


def test_node_subscribes_only_while_it_is_active(make_process) -> None:
    _, node = make_process("occupancy_mapper")
    node.trigger_configure()
    assert sensor_topics(node) == set()
    node.trigger_activate()
    assert sensor_topics(node) == {POINTS}
    node.trigger_deactivate()
    assert sensor_topics(node) == set()
    node.trigger_cleanup()
    node.trigger_configure()
    node.trigger_activate()
    assert sensor_topics(node) == {POINTS}


def test_shared_topic_is_subscribed_once_and_handed_on(make_process) -> None:
    _, mapper, detector = make_process("occupancy_mapper", "lidar_detector")
    for node in (mapper, detector):
        node.trigger_configure()
        node.trigger_activate()
    # The detector comes first: the mapper takes its objects.
    assert (sensor_topics(mapper), sensor_topics(detector)) == (set(), {POINTS})
    detector.trigger_deactivate()
    assert (sensor_topics(mapper), sensor_topics(detector)) == ({POINTS}, set())


def test_camera_stage_takes_raw_and_compressed_pictures(make_process) -> None:
    _, node = make_process("camera_detector")
    node.trigger_configure()
    node.trigger_activate()
    image = "/sensing/camera/front/image"
    assert sensor_topics(node) == {image, f"{image}/compressed"}


def test_a_topic_is_taken_by_the_type_it_is_published_with(make_process) -> None:
    process, node = make_process("camera_detector")
    from sensor_msgs.msg import CompressedImage

    image = "/sensing/camera/front/image"
    node.trigger_configure()
    node.trigger_activate()
    node.create_publisher(CompressedImage, image, 1)
    wait_until(lambda: node.offered_types(image))
    process._tick()
    (subscription,) = (s for s in node.subscriptions if s.topic_name.startswith("/sensing"))
    assert (subscription.topic_name, subscription.msg_type.__name__) == (image, "CompressedImage")


def test_configure_returns_before_the_engine_is_there_and_a_failure_is_reported(
    make_process, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, node = make_process("camera_detector")
    release: list[bool] = []

    def load() -> None:
        while not release:
            time.sleep(0.01)
        raise RuntimeError("no such model")

    monkeypatch.setattr(node.stage, "load", load)
    start = time.monotonic()
    node.trigger_configure()
    node.trigger_activate()
    assert time.monotonic() - start < 1.0
    assert node.stage.readiness.value == "loading"
    release.append(True)
    wait_until(lambda: node.stage.readiness.value == "failed")
    assert node.stage.last_error == "no such model"


def test_parameter_is_declared_with_type_range_and_description(make_process) -> None:
    _, node = make_process("occupancy_mapper", arguments=("-p", "size_m:=60"))
    from rclpy.parameter import Parameter

    assert node.get_parameter("size_m").type_ is Parameter.Type.DOUBLE
    assert node.get_parameter("size_m").value == 60.0
    described = node.describe_parameter("size_m")
    assert described.description == "edge of the square grid [m]"
    limits = described.floating_point_range[0]
    assert (limits.from_value, limits.to_value) == (1.0, 1000.0)
    refused = node.set_parameters([Parameter("size_m", value=80.0)])[0]
    assert not refused.successful


def test_value_out_of_range_is_refused(make_process) -> None:
    with pytest.raises(ConfigError, match="size_m: expected a value in"):
        make_process("occupancy_mapper", arguments=("-p", "size_m:=-1.0"))


def test_durability_of_an_output_can_be_overridden(make_process) -> None:
    grid = "/perception/occupancy/grid"
    override = f"qos_overrides.{grid}.publisher.durability:=volatile"
    _, node = make_process("occupancy_mapper", arguments=("-p", override))

    def durabilities() -> set[str]:  # nodes of earlier tests may still be heard
        return {i.qos_profile.durability.name for i in node.get_publishers_info_by_topic(grid)}

    wait_until(lambda: "VOLATILE" in durabilities())


def test_namespace_moves_topics_but_not_transforms(make_process) -> None:
    _, node = make_process("occupancy_mapper", arguments=("-r", "__ns:=/car1"))
    node.trigger_configure()
    node.trigger_activate()
    names = {s.topic_name for s in node.subscriptions}
    assert {f"/car1{POINTS}", "/tf", "/tf_static"} <= names


def test_broken_message_is_counted_and_shows_in_diagnostics(make_process) -> None:
    _, node = make_process("occupancy_mapper", mode="lossless")
    from diagnostic_msgs.msg import DiagnosticArray
    from sensor_msgs.msg import PointCloud2

    reports: list[bytes] = []
    node.create_subscription(DiagnosticArray, "/diagnostics", reports.append, 10, raw=True)
    publisher = node.create_publisher(PointCloud2, POINTS, 10)
    node.trigger_configure()
    node.trigger_activate()
    spin_until(node, lambda: publisher.get_subscription_count() > 0)
    whole = POINT_CLOUD.encode(examples.example_point_cloud())
    publisher.publish(whole[:-40])
    spin_until(node, lambda: node.stage.drops["decode"] == 1)
    reports.clear()
    spin_until(node, lambda: bool(reports))
    (status,) = DIAGNOSTICS.decode(reports[0]).statuses
    assert status.name == "perception: occupancy_mapper"
    assert status.values["dropped_decode"] == "1"
    assert status.values["state"] == "ready"


def test_cloud_before_the_engine_is_ready_counts_under_engine(
    make_process, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, node = make_process("occupancy_mapper", mode="lossless")
    from sensor_msgs.msg import PointCloud2

    monkeypatch.setattr(node.stage, "load", lambda: time.sleep(2.0))
    publisher = node.create_publisher(PointCloud2, POINTS, 10)
    node.trigger_configure()
    node.trigger_activate()
    spin_until(node, lambda: publisher.get_subscription_count() > 0)
    publisher.publish(POINT_CLOUD.encode(examples.example_point_cloud()))
    spin_until(node, lambda: node.stage.drops["engine"] == 1)


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)

"""Changes to quality of service in ROS's spelling."""

from pathlib import Path

import pytest

from spatial_perception.dds.overrides import (
    load_play_overrides,
    parameter_overrides,
    with_policies,
)
from spatial_perception.errors import ConfigError
from spatial_perception.messages import QosProfile

FILE = Path(__file__).parents[2] / "config" / "bag_play_qos.yaml"


def test_named_policies_change_and_others_stay() -> None:
    profile = QosProfile(reliable=False, transient_local=False, depth=1)
    changed = with_policies(profile, {"reliability": "reliable", "depth": 5}, "/a")
    assert changed == QosProfile(reliable=True, transient_local=False, depth=5)
    latched = with_policies(profile, {"durability": "transient_local"}, "/a")
    assert latched == QosProfile(reliable=False, transient_local=True, depth=1)
    assert with_policies(profile, {"history": "keep_all"}, "/a").depth == 0
    assert with_policies(profile, {"reliability": "system_default"}, "/a") == profile


def test_the_shipped_file_for_ros2_bag_play_is_understood() -> None:
    overrides = load_play_overrides(FILE)
    static = with_policies(QosProfile(), overrides["/tf_static"], "/tf_static")
    assert static == QosProfile(reliable=True, transient_local=True, depth=100)


def test_policies_of_rosbag2_without_an_effect_here_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "qos.yaml"
    path.write_text("/a:\n  deadline: {sec: 0, nsec: 0}\n  liveliness: automatic\n  depth: 3\n")
    assert with_policies(QosProfile(), load_play_overrides(path)["/a"], "/a").depth == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/a: {reliabilty: reliable}", "unknown policy 'reliabilty'.*reliability"),
        ("/a: {reliability: always}", "reliability: expected one of reliable, best_effort"),
        ("/a: {depth: many}", "depth: expected a whole number"),
        ("/a: 3", "expected policies"),
    ],
)
def test_a_bad_file_is_refused_with_the_topic(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "qos.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"/a: .*{message}"):
        load_play_overrides(path)


def test_parameters_are_taken_nested_and_dotted() -> None:
    nested = {"qos_overrides": {"/p": {"subscription": {"depth": 5}}}}
    dotted = {"qos_overrides./p.subscription.depth": 5, "size_m": 3.0}
    for parameters in (nested, dotted):
        assert parameter_overrides(parameters, "subscription") == {"/p": {"depth": 5}}
        assert parameter_overrides(parameters, "publisher") == {}


def test_parameters_of_another_form_are_refused() -> None:
    with pytest.raises(ConfigError, match="qos_overrides./p: expected 'subscription:'"):
        parameter_overrides({"qos_overrides": {"/p": {"depth": 5}}}, "subscription")

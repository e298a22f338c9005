"""Options become ROS parameters; what nobody declares is refused."""

import dataclasses
from typing import Literal

import pytest

from spatial_perception.config import describe, option
from spatial_perception.errors import ConfigError
from spatial_perception.nodes.parameters import (
    ParameterKind,
    check_unknown,
    node_parameters,
    parameter_of,
)
from spatial_perception.stages.host_config import host_config
from spatial_perception.stages.registry import GRAPH_NODE, STAGES, make_stage


@dataclasses.dataclass(frozen=True)
class Options:
    size_m: float = option(2.0, help="edge", unit="m", range=(1.0, 3.0))
    count: int = option(4, help="how many")
    names: tuple[str, ...] = option(("a", "b"), help="names")
    corner_m: tuple[float, float] = option((0.0, 1.0), help="corner")
    mode: Literal["fast", "safe"] = option("fast", help="mode")
    mapping: dict[str, int] = option(default_factory=dict, help="no ROS type")


OPTIONS = {o.name: o for o in describe(Options)}


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("size_m", ParameterKind.DOUBLE, 2.0),
        ("count", ParameterKind.INTEGER, 4),
        ("names", ParameterKind.STRING_ARRAY, ["a", "b"]),
        ("corner_m", ParameterKind.DOUBLE_ARRAY, [0.0, 1.0]),
        ("mode", ParameterKind.STRING, "fast"),
    ],
)
def test_option_has_the_kind_and_default_of_ros(
    name: str, kind: ParameterKind, default: object
) -> None:
    info = parameter_of(OPTIONS[name])
    assert (info.kind, info.default) == (kind, default)


def test_description_names_the_unit_and_choices_become_constraints() -> None:
    assert parameter_of(OPTIONS["size_m"]).description == "edge [m]"
    assert parameter_of(OPTIONS["mode"]).constraints == "one of: fast, safe"


def test_type_that_ros_lacks_is_refused() -> None:
    with pytest.raises(ConfigError, match="mapping"):
        parameter_of(OPTIONS["mapping"])


def test_whole_number_serves_for_a_double() -> None:
    assert type(parameter_of(OPTIONS["size_m"]).convert(2)) is float
    assert parameter_of(OPTIONS["corner_m"]).convert([1, 2.5]) == [1.0, 2.5]
    assert type(parameter_of(OPTIONS["count"]).convert(2)) is int


@pytest.mark.parametrize("stage", STAGES)
def test_every_default_is_accepted_by_its_stage(stage: str) -> None:
    values = {info.name: info.default for info in node_parameters(stage)}
    assert make_stage(stage, values).name == stage


def test_every_parameter_is_described() -> None:
    for node in (GRAPH_NODE, *STAGES):
        assert all(info.description for info in node_parameters(node))


def test_unknown_parameter_of_one_node_names_the_near_miss() -> None:
    with pytest.raises(ConfigError, match=r"'b': .* 'siez_m'; did you mean 'size_m'"):
        check_unknown({"a": {}, "b": {"siez_m": 1.0}}, {"a": ["stages"], "b": ["size_m"]})


def test_parameter_for_all_nodes_needs_to_fit_only_one_of_them() -> None:
    known = {"a": ["stages"], "b": ["size_m"]}
    check_unknown({"a": {"size_m": 1.0}, "b": {"size_m": 1.0}}, known)
    with pytest.raises(ConfigError, match="unknown parameter 'siez_m'"):
        check_unknown({"a": {"siez_m": 1.0}, "b": {"siez_m": 1.0}}, known)


def test_parameter_under_the_wrong_node_is_refused() -> None:
    with pytest.raises(ConfigError, match="node 'a': unknown parameter 'size_m'"):
        check_unknown({"a": {"size_m": 1.0}, "b": {}}, {"a": ["stages"], "b": ["size_m"]})


def test_qos_overrides_and_simulated_time_are_known_to_ros() -> None:
    given = {"use_sim_time": True, "qos_overrides./tf.subscription.depth": 7}
    check_unknown({"a": given}, {"a": []})


def test_unknown_delivery_is_refused() -> None:
    with pytest.raises(ConfigError, match="delivery: expected one of newest, lossless"):
        host_config("a", {"delivery": "fastest"})

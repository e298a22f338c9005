"""Configuration is strict and says what to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from spatial_perception.config import describe, from_mapping, load_yaml, nested, option
from spatial_perception.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Inner:
    threshold: float = option(0.3, help="lowest score", range=(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Outer:
    name: str = option(help="a name")
    count: int = option(3, help="how many")
    mode: Literal["newest", "lossless"] = option("newest", help="delivery")
    size: tuple[int, int] = option((1, 2), help="rows, columns")
    cameras: tuple[str, ...] = option((), help="names")
    inner: Inner = option(default_factory=Inner, help="nested")
    file: Path | None = option(None, help="optional")


def test_defaults_and_nesting() -> None:
    built = from_mapping(Outer, {"name": "a", "inner": {"threshold": 1}, "size": [4, 5]})
    assert built == Outer("a", size=(4, 5), inner=Inner(1.0))
    assert isinstance(built.inner.threshold, float)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"name": "a", "coutn": 1}, "x.yaml: unknown option 'coutn'; did you mean 'count'?"),
        ({}, "option 'name' is missing"),
        ({"name": "a", "count": 1.5}, "x.yaml: count: expected int, got 1.5"),
        ({"name": "a", "count": True}, "expected int, got True"),
        ({"name": "a", "mode": "old"}, "expected one of newest, lossless, got 'old'"),
        ({"name": "a", "size": [1]}, "expected 2 values, got 1"),
        ({"name": "a", "cameras": "front"}, "expected a list, got 'front'"),
        (
            {"name": "a", "inner": {"threshold": 1.5}},
            r"threshold: expected a value in \[0.0, 1.0\]",
        ),
        ({"name": "a", "inner": 3}, "x.yaml: inner: expected a mapping, got int"),
    ],
)
def test_mistakes_are_named(mapping: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        from_mapping(Outer, mapping, "x.yaml")


def test_dotted_keys_nest() -> None:
    assert nested({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
    assert nested({"a.b.c": 1, "a": {"b": {"d": 2}}}) == {"a": {"b": {"c": 1, "d": 2}}}
    with pytest.raises(ConfigError, match="'a' is a value in one place, a group in another"):
        nested({"a": 1, "a.b": 2})
    with pytest.raises(ConfigError, match="'a' is a value in one place, a group in another"):
        nested({"a.b": 2, "a": 1})


def test_describe_lists_every_option_with_its_range() -> None:
    listed = {o.name: o for o in describe(Outer)}
    assert list(listed) == ["name", "count", "mode", "size", "cameras", "inner.threshold", "file"]
    assert listed["inner.threshold"].range == (0.0, 1.0)


def test_a_group_keeps_the_defaults_of_whoever_has_it() -> None:
    @dataclass(frozen=True, slots=True)
    class Group:
        low: float = option(0.1)
        inner: Inner = option(default_factory=Inner)

    @dataclass(frozen=True, slots=True)
    class Owner:
        group: Group = option(default_factory=lambda: Group(0.2, Inner(0.7)))

    listed = {o.name: o.default for o in describe(Owner)}
    assert listed == {"group.low": 0.2, "group.inner.threshold": 0.7}
    assert from_mapping(Owner, {"group": {"low": 0.3}}).group == Group(0.3, Inner(0.7))
    assert from_mapping(Owner, {"group": {"inner": {}}}) == Owner()


def test_bad_yaml_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1, 2")
    with pytest.raises(ConfigError, match=r"bad.yaml: not valid YAML: .*") as caught:
        load_yaml(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot read"):
        load_yaml(tmp_path / "none.yaml")

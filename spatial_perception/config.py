"""Strict configuration: a mapping becomes a frozen dataclass, or one clear `ConfigError`.

Every component has one frozen dataclass; defaults and documentation stand on its fields (`option`).
YAML files, ROS parameters and command lines all become mappings and pass through `from_mapping`.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from spatial_perception.errors import ConfigError

T = TypeVar("T")


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str = "",
    unit: str = "",
    range: tuple[float, float] | None = None,
    default_factory: Any = dataclasses.MISSING,
) -> Any:
    """Returns a dataclass field that carries its documentation, unit and allowed range."""
    metadata = {"help": help, "unit": unit, "range": range}
    if default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One documented option of a configuration class, with its dotted name."""

    name: str
    type: Any
    default: Any
    help: str
    unit: str
    range: tuple[float, float] | None


def from_mapping(
    cls: type[T], mapping: Mapping[str, Any], where: str = "configuration", base: Any = None
) -> T:
    """Returns `cls` built from `mapping`; nested dataclasses from nested mappings.

    Args:
        cls: a dataclass.
        mapping: plain values as YAML gives them; missing keys take the field's default.
        where: what the mapping is, for error messages, e.g. a file name.
        base: a `cls` from which missing keys are taken instead, as a group's are from its default.

    Raises:
        ConfigError: an unknown key (with the near miss), a wrong type, a value out of range,
            or a missing value that has no default.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{where}: expected a mapping, got {type(mapping).__name__}")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for key in mapping:
        if key not in fields:
            raise ConfigError(f"{where}: unknown option '{key}'{near_miss(str(key), fields)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        default = getattr(base, name) if isinstance(base, cls) else _default(field)
        if name in mapping:
            place = f"{where}: {name}"
            values[name] = _convert(hints[name], mapping[name], place, default)
            _check_range(values[name], field.metadata.get("range"), place)
        elif default is not dataclasses.MISSING:
            values[name] = default
        else:
            raise ConfigError(f"{where}: option '{name}' is missing and has no default")
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def near_miss(name: str, known: typing.Iterable[str]) -> str:
    """Returns "; did you mean 'x'?" for the closest known name, else the list of known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(names)}" if names else ""


def describe(cls: type[Any], prefix: str = "", base: Any = None) -> Iterator[OptionInfo]:
    """Yields every option of a configuration class, nested ones with dotted names.

    Args:
        cls: a dataclass.
        prefix: before each name.
        base: a `cls` whose values are the defaults, as a group's default is; None for the fields'.
    """
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        kind = hints[field.name]
        name = f"{prefix}{field.name}"
        default = getattr(base, field.name) if isinstance(base, cls) else _default(field)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            yield from describe(kind, f"{name}.", default)
            continue
        meta = field.metadata
        yield OptionInfo(
            name, kind, default, meta.get("help", ""), meta.get("unit", ""), meta.get("range")
        )


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Returns dotted keys (`detector.score`) as nested mappings; plain keys stay as they are.

    Raises:
        ConfigError: a key is a value and a group at once.
    """
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        branch = nested(value) if isinstance(value, Mapping) else value
        for name in reversed(str(key).split(".")):
            branch = {name: branch}
        tree = merged(tree, branch)
    return tree


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Returns two nested mappings as one, group by group; values of `over` win.

    Raises:
        ConfigError: a key is a value in one and a group in the other.
    """
    both = dict(base)
    for key, value in over.items():
        known = both.get(key, value)
        if isinstance(known, Mapping) != isinstance(value, Mapping):
            raise ConfigError(f"option '{key}' is a value in one place, a group in another")
        both[key] = merged(known, value) if isinstance(value, Mapping) else value
    return both


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Returns the mapping in a YAML file.

    Raises:
        ConfigError: the file is missing, is no valid YAML, or holds no mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        summary = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {summary}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, got {type(content).__name__}")
    return content


def _default(field: dataclasses.Field) -> Any:
    """Returns a field's default; `dataclasses.MISSING` where it has none."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _convert(kind: Any, value: Any, where: str, base: Any = None) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(typing.get_args(kind), value, where)
    if origin is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise ConfigError(
                f"{where}: expected one of {', '.join(map(str, choices))}, got {value!r}"
            )
        return value
    if origin in (tuple, list):
        return _convert_sequence(kind, origin, value, where)
    if origin is dict:
        return _convert_dict(kind, value, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return value if isinstance(value, kind) else from_mapping(kind, value, where, base)
    return _convert_scalar(kind, value, where)


def _convert_union(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    errors = []
    for candidate in options:
        if candidate is type(None):
            continue
        try:
            return _convert(candidate, value, where)
        except ConfigError as error:
            errors.append(error)
    raise errors[0]


def _convert_sequence(kind: Any, origin: Any, value: Any, where: str) -> Any:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(f"{where}: expected a list, got {value!r}")
    items = typing.get_args(kind)
    if origin is tuple and not (len(items) == 2 and items[1] is Ellipsis):
        if len(value) != len(items):
            raise ConfigError(f"{where}: expected {len(items)} values, got {len(value)}")
        return tuple(_convert(k, v, where) for k, v in zip(items, value, strict=True))
    return origin(_convert(items[0], v, f"{where}[{i}]") for i, v in enumerate(value))


def _convert_dict(kind: Any, value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: expected a mapping, got {value!r}")
    key_kind, value_kind = typing.get_args(kind)
    return {
        _convert(key_kind, k, f"{where}: key"): _convert(value_kind, v, f"{where}: {k}")
        for k, v in value.items()
    }


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is Path and isinstance(value, (str, Path)):
        return Path(value)
    if kind in (str, bool) and isinstance(value, kind):
        return value
    name = getattr(kind, "__name__", str(kind))
    raise ConfigError(f"{where}: expected {name}, got {value!r}")


def _check_range(value: Any, limits: tuple[float, float] | None, where: str) -> None:
    if limits is None or value is None:
        return
    low, high = limits
    numbers = value if isinstance(value, (tuple, list)) else (value,)
    for number in numbers:
        if not low <= number <= high:
            raise ConfigError(f"{where}: expected a value in [{low}, {high}], got {number}")

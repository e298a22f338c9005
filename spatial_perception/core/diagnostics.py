"""How the components are doing, as diagnostic_msgs has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from spatial_perception.core.header import Header


class DiagnosticLevel(IntEnum):
    """The numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True, slots=True)
class DiagnosticStatus:
    """State of one component: a level, a sentence and named values."""

    name: str
    level: DiagnosticLevel
    message: str
    hardware_id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All components at one time."""

    header: Header
    statuses: tuple[DiagnosticStatus, ...]

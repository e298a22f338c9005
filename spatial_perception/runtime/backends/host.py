"""What the CPU of this machine is called, and what it computes fast."""

from __future__ import annotations

import functools
import platform
from pathlib import Path


@functools.cache
def cpu_name() -> str:
    """Returns the model name of the CPU, or its architecture where the system names none."""
    return _cpu_entry("model name") or platform.processor() or platform.machine()


@functools.cache
def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware; False where the system does not say."""
    instructions = _cpu_entry("flags").split()
    return any(f in instructions for f in ("amx_bf16", "avx512_bf16")) or (
        "bf16" in _cpu_entry("Features").split()
    )


def _cpu_entry(name: str) -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    except OSError:
        pass
    return ""

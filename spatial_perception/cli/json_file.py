"""Results as JSON files."""

from __future__ import annotations

import json
import math
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Writes JSON, making the folder where it is missing; null stands for what is not finite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_finite(content), indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

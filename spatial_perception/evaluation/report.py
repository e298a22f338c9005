"""The measured metrics as the JSON that every `evaluate` writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

DIGITS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What one model reached on one data set.

    Attributes:
        model: Name of the model.
        dataset: Name of the data set.
        split: Which part of it.
        frames: Number of frames (pictures, crops, scans).
        metrics: Percent by name.
        interval_90: Bootstrap interval over frames, (low, high) by metric.
    """

    model: str
    dataset: str
    split: str
    frames: int
    metrics: dict[str, float]
    interval_90: dict[str, tuple[float, float]]

    def to_json(self) -> str:
        """The report as JSON, numbers rounded to a thousandth of a percent."""
        content = asdict(self)
        content["metrics"] = {k: round(v, DIGITS) for k, v in self.metrics.items()}
        content["interval_90"] = {
            k: [round(low, DIGITS), round(high, DIGITS)]
            for k, (low, high) in self.interval_90.items()
            if k in self.metrics
        }
        return json.dumps(content, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Writes the JSON, making the folder where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json(), encoding="utf-8")

"""The numbers of a view's report: topics, stages, objects over time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from spatial_perception.cli.view_index import RecordingIndex, Sighting
from spatial_perception.cli.view_output import ViewOutput
from spatial_perception.cli.view_plan import frame_rate_hz
from spatial_perception.errors import PerceptionError
from spatial_perception.visualization.report import (
    ClassSeries,
    DetectorCharts,
    Report,
    StageRow,
    TopicRow,
)
from spatial_perception.visualization.theme import rgb

SUMMARY_NAME: Final = "replay.json"
_PERCENTILES: Final = ("p50_ms", "p90_ms", "p99_ms")
_STATUS_PREFIX: Final = "perception: "
_CHARTED: Final = {
    "objects": "LiDAR objects",
    "detections": "Camera objects",
    "signs": "Traffic signs",
    "lights": "Traffic lights",
}
_SUMMARY_FACTS: Final = {
    "frames_per_s": "frames/s processed",
    "peak_rss_mb": "peak memory, MB",
}
_MAX_CLASSES: Final = 12


def view_report(
    title: str,
    index: RecordingIndex,
    roles: Mapping[str, str],
    summary: Mapping[str, Any],
    output: ViewOutput,
    notes: Sequence[str],
    licence: str,
) -> Report:
    """Returns everything that the page shows."""
    stages = stage_rows(index, summary)
    facts = {
        "frames": str(output.frame_count),
        "duration": f"{(index.end_ns - index.start_ns) / 1e9:.1f} s",
        "rate": f"{output.rate_hz:.1f} Hz",
    }
    if stages:
        facts["drops"] = str(sum(sum(stage.drops.values()) for stage in stages))
    for name, label in _SUMMARY_FACTS.items():
        if isinstance(summary.get(name), (int, float)):
            facts[label] = f"{summary[name]:.1f}"
    return Report(
        title=title,
        facts=facts,
        stages=stages,
        topics=topic_rows(index),
        charts=detector_charts(index, roles),
        frames=output.frames,
        key_frames=output.key_frames,
        notes=notes,
        licence=licence,
    )


def topic_rows(index: RecordingIndex) -> list[TopicRow]:
    """Returns the topics by name, with the rate of those that carry stamps."""
    return [
        TopicRow(name, topic.ros_type, topic.count, frame_rate_hz(topic.stamps_ns) or None)
        for name, topic in sorted(index.topics.items())
    ]


def stage_rows(index: RecordingIndex, summary: Mapping[str, Any]) -> list[StageRow]:
    """Returns what is known of each stage.

    The summary that replay wrote is the most exact; then come the last diagnostics of the stage
    and the latency topics.
    """
    rows: dict[str, StageRow] = {}
    for stage, latencies_ms in index.latencies_ms.items():
        percentiles = np.percentile(latencies_ms, [50, 90, 99])
        rows[stage] = StageRow(stage, len(latencies_ms), {}, *(float(p) for p in percentiles))
    for name, status in index.statuses.items():
        if name.startswith(_STATUS_PREFIX) and "frames" in status.values:
            stage = name.removeprefix(_STATUS_PREFIX)
            rows[stage] = _stage_row(stage, status.values, rows.get(stage))
    stages = summary.get("stages", {})
    named = stages.items() if isinstance(stages, Mapping) else ((s["name"], s) for s in stages)
    for stage, values in named:
        rows[stage] = _stage_row(stage, values, rows.get(stage))
    return [rows[stage] for stage in sorted(rows)]


def read_summary(bag: Path, given: Path | None) -> dict[str, Any]:
    """Returns the JSON that replay wrote: the given file, or one that lies in or beside the bag.

    Raises:
        PerceptionError: The given file cannot be read.
    """
    beside = [folder / SUMMARY_NAME for folder in (bag, bag.parent)]
    path = given or next((file for file in beside if file.is_file()), None)
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PerceptionError(f"{path}: no summary of a replay ({error})") from error
    if not isinstance(content, dict):
        return {}
    stages = content.get("stages", {})
    rows = stages.values() if isinstance(stages, dict) else stages
    if not all(isinstance(row, dict) and "frames" in row for row in rows):
        raise PerceptionError(f"{path}: no summary of a replay (its stages have no frames)")
    return content


def detector_charts(index: RecordingIndex, roles: Mapping[str, str]) -> list[DetectorCharts]:
    """Returns counts and mean scores over time for each detector, the commonest classes."""
    charts = []
    for role, title in _CHARTED.items():
        seen = index.sightings.get(roles.get(role, ""), {})
        if not seen:
            continue
        stamps_ns = np.unique(index.topics[roles[role]].stamps_ns)
        commonest = sorted(seen, key=lambda name: -sum(one.count for one in seen[name]))
        labels = index.classes_of(roles[role])
        series = tuple(
            _class_series(name, rgb(labels.color_lut[labels.index(name)]), seen[name], stamps_ns)
            for name in commonest[:_MAX_CLASSES]
        )
        charts.append(DetectorCharts(f"{title} ({roles[role]})", series))
    return charts


def _stage_row(stage: str, values: Mapping[str, Any], known: StageRow | None) -> StageRow:
    """Returns a row of a summary or of diagnostics, with the times known from elsewhere."""
    drops = {
        name.removeprefix("dropped_"): int(value)
        for name, value in values.items()
        if name.startswith("dropped_")
    }
    drops |= {str(name): int(value) for name, value in dict(values.get("drops", {})).items()}
    if not drops and int(values.get("dropped", 0)):
        drops = {"dropped": int(values["dropped"])}
    percentiles = []
    for name in _PERCENTILES:
        found = (values.get(name), getattr(known, name, None), values.get(f"compute_{name}"))
        percentiles.append(next((float(ms) for ms in found if ms is not None), None))
    return StageRow(stage, int(values["frames"]), drops, *percentiles)


def _class_series(
    name: str, color: tuple[int, int, int], seen: list[Sighting], stamps_ns: np.ndarray
) -> ClassSeries:
    counts = np.zeros(len(stamps_ns))
    scores = np.full(len(stamps_ns), np.nan)
    for one in seen:
        at = int(np.searchsorted(stamps_ns, one.stamp_ns))
        counts[at] = one.count
        scores[at] = one.score_sum / one.count
    return ClassSeries(name, color, (stamps_ns - stamps_ns[0]) / 1e9, counts, scores)

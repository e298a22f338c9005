"""One HTML file that shows what a run perceived: no other file, no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

import cv2
import numpy as np

from spatial_perception.visualization.charts import Series, line_chart
from spatial_perception.visualization.report_page import PAGE
from spatial_perception.visualization.theme import Rgb, RgbImage

_IMAGE_QUALITY = 78
_MIN_COUNT_AXIS = 5.0
_WEBP_PX = 16383
"""Largest width and height of a WebP picture."""


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic of the bag."""

    name: str
    ros_type: str
    count: int
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class StageRow:
    """What one stage did: frames, drops by cause, latency percentiles in milliseconds."""

    name: str
    frames: int
    drops: Mapping[str, int] = field(default_factory=dict)
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ClassSeries:
    """One class of one detector over time.

    Attributes:
        name: Class.
        color: Its colour.
        seconds: (T,) since the recording's start.
        counts: (T,) objects a frame.
        scores: (T,) mean score a frame, NaN where there is none.
    """

    name: str
    color: Rgb
    seconds: np.ndarray
    counts: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class DetectorCharts:
    """What one detector saw over time."""

    title: str
    classes: tuple[ClassSeries, ...]


@dataclass(frozen=True, slots=True)
class ReportFrame:
    """One step of the slider: its label and its picture as an image file's bytes (WebP)."""

    label: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """One instant in full size: pictures by caption."""

    label: str
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Everything that the page shows; empty parts are left out.

    Attributes:
        title: Heading of the page.
        facts: Name and value of what stands on top (duration, frames, rate).
        stages: Latency and drops.
        topics: What the bag holds.
        charts: Objects over time.
        frames: The slider.
        key_frames: Some instants in full size.
        notes: What was missing or should be known.
        licence: Licence of the recorded data.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    stages: Sequence[StageRow] = ()
    topics: Sequence[TopicRow] = ()
    charts: Sequence[DetectorCharts] = ()
    frames: Sequence[ReportFrame] = ()
    key_frames: Sequence[KeyFrame] = ()
    notes: Sequence[str] = ()
    licence: str = ""


def encode_picture(picture: RgbImage, max_width_px: int | None = None) -> bytes:
    """Returns an RGB picture as the bytes of a WebP file, shrunk to a width where one is given."""
    height, width = picture.shape[:2]
    scale = min((max_width_px or _WEBP_PX) / width, _WEBP_PX / width, _WEBP_PX / height)
    if scale < 1.0:
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_WEBP_QUALITY, _IMAGE_QUALITY]
    _, encoded = cv2.imencode(".webp", picture[:, :, ::-1], options)
    return encoded.tobytes()


def write_report(report: Report, path: Path) -> None:
    """Writes the page; its pictures, styles and script are all inside."""
    # a file's name that is not UTF-8 may stand in titles and notes
    path.write_text(render_report(report), encoding="utf-8", errors="replace")


def render_report(report: Report) -> str:
    """Returns the page as HTML."""
    sections = [
        _player(report.frames),
        _section("Stages", _stage_table(report.stages)),
        _section("Objects over time", "".join(map(_charts, report.charts))),
        _section("Key frames", "".join(map(_key_frame, report.key_frames))),
        _section("Topics", _topic_table(report.topics)),
        _section("Notes", _list(report.notes)),
        _section("Data licence", f"<p>{escape(report.licence)}</p>" if report.licence else ""),
    ]
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in report.facts.items()
    )
    frames = [{"label": frame.label, "src": _data_uri(frame.picture)} for frame in report.frames]
    return Template(PAGE).substitute(
        title=escape(report.title),
        facts=facts,
        body="".join(sections),
        frames=json.dumps(frames).replace("<", "\\u003c"),
    )


def _player(frames: Sequence[ReportFrame]) -> str:
    if not frames:
        return ""
    first = frames[0]
    return (
        '<section class="player"><img id="frame" alt="composed frame"'
        f' src="{_data_uri(first.picture)}"><div class="controls">'
        '<button id="play" aria-label="play or pause">&#9654;</button>'
        f'<input id="slider" type="range" min="0" max="{len(frames) - 1}" value="0">'
        f'<output id="label">{escape(first.label)}</output></div></section>'
    )


def _stage_table(stages: Sequence[StageRow]) -> str:
    if not stages:
        return ""
    longest_ms = max((stage.p99_ms or 0.0 for stage in stages), default=0.0) or 1.0
    rows = []
    for stage in stages:
        drops = ", ".join(f"{cause} {count}" for cause, count in stage.drops.items() if count)
        p50, p99 = ((value or 0.0) / longest_ms * 100 for value in (stage.p50_ms, stage.p99_ms))
        bar = f'<i style="width:{p99:.1f}%"></i><b style="width:{p50:.1f}%"></b>'
        rows.append(
            f"<tr><th>{escape(stage.name)}</th><td>{stage.frames}</td>"
            f"<td>{escape(drops) or 'none'}</td><td>{_ms(stage.p50_ms)}</td>"
            f"<td>{_ms(stage.p90_ms)}</td><td>{_ms(stage.p99_ms)}</td>"
            f'<td><div class="bar">{bar}</div></td></tr>'
        )
    head = (
        "<th>stage</th><th>frames</th><th>drops</th><th>p50 ms</th><th>p90 ms</th><th>p99 ms</th>"
    )
    return f"<table><tr>{head}<th>p50, p99</th></tr>{''.join(rows)}</table>"


def _topic_table(topics: Sequence[TopicRow]) -> str:
    if not topics:
        return ""
    rows = [
        f"<tr><th>{escape(topic.name)}</th><td>{escape(topic.ros_type)}</td>"
        f"<td>{topic.count}</td><td>{'' if topic.rate_hz is None else f'{topic.rate_hz:.1f}'}</td>"
        "</tr>"
        for topic in topics
    ]
    head = "<th>topic</th><th>type</th><th>messages</th><th>Hz</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _charts(charts: DetectorCharts) -> str:
    counts = [Series(one.name, one.color, one.seconds, one.counts) for one in charts.classes]
    scores = [Series(one.name, one.color, one.seconds, one.scores) for one in charts.classes]
    legend = "".join(
        '<span><i style="background:rgb({},{},{})"></i>'.format(*one.color)
        + f"{escape(one.name.replace('_', ' '))} <em>{int(np.nansum(one.counts))}</em></span>"
        for one in charts.classes
    )
    most = max((float(np.nanmax(one.counts, initial=0)) for one in charts.classes), default=0.0)
    counted = line_chart(counts, "seconds", max(most, _MIN_COUNT_AXIS))
    scored = line_chart(scores, "seconds", 1.0)
    return (
        f'<h3>{escape(charts.title)}</h3><div class="legend">{legend}</div><div class="pair">'
        f"<figure>{counted}<figcaption>objects a frame</figcaption></figure>"
        f"<figure>{scored}<figcaption>mean score</figcaption></figure>"
        "</div>"
    )


def _key_frame(frame: KeyFrame) -> str:
    figures = "".join(
        f'<figure><img loading="lazy" alt="{escape(caption)}" src="{_data_uri(picture)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, picture in frame.pictures.items()
    )
    return f'<h3>{escape(frame.label)}</h3><div class="shots">{figures}</div>'


def _list(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<ul>{items}</ul>" if items else ""


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _data_uri(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"

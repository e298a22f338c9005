"""The bag host: read a bag, run the graph, write a bag."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spatial_perception.bags import BagReader, BagWriter, looped_messages
from spatial_perception.core import Transforms
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.errors import ConfigError, DatasetError, PerceptionError
from spatial_perception.messages import TRANSFORMS
from spatial_perception.replay.feeds import LosslessFeed, RealtimeFeed, Sink
from spatial_perception.replay.sources import Selection, Source, select_sources
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import remapped
from spatial_perception.stages.port import PortKind
from spatial_perception.stages.stage import DropCause, Stage
from spatial_perception.stages.static_transforms import FORM
from spatial_perception.stages.transforms import TRANSFORM_PORTS

_, _STATIC = TRANSFORM_PORTS

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How a bag is replayed.

    Attributes:
        include_input: write the bag's own messages too, but for earlier results of the same stages.
        skip_errors: count messages that cannot be used instead of stopping at the first.
        realtime: deliver as a live host does, paced by log time, newest sensor message wins.
        loops: how often the bag is read, each time with later stamps.
        remappings: default topic to actual topic, for inputs and outputs.
        static_transforms: known from the start, and written into the output.
    """

    include_input: bool = False
    skip_errors: bool = False
    realtime: bool = False
    loops: int = 1
    remappings: Mapping[str, str] = field(default_factory=dict)
    static_transforms: Transforms | None = None

    def __post_init__(self) -> None:
        if self.loops < 1:
            raise ConfigError(f"loops: expected 1 or more, got {self.loops}")


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """What a replay did; `stages` holds frames, drops and percentiles of each stage."""

    stages: dict[str, dict[str, object]]
    input_messages: int
    output_messages: dict[str, int]
    duration_s: float
    frames_per_s: float
    peak_rss_mb: float
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns the summary as plain values."""
        return {
            "stages": self.stages,
            "input_messages": self.input_messages,
            "output_messages": self.output_messages,
            "duration_s": round(self.duration_s, 3),
            "frames_per_s": round(self.frames_per_s, 3),
            "peak_rss_mb": round(self.peak_rss_mb, 1),
            "remarks": list(self.remarks),
        }


class Replay:
    """Runs a graph over a bag, in log order; twice the same gives the same bytes.

    Args:
        graph: the stages; its errors stop the replay unless `skip_errors` is set.
        bag: folder or file.
        output: folder of the bag to write; must not exist yet.
        options: what is written and how errors are treated.
    """

    def __init__(
        self, graph: Graph, bag: Path, output: Path, options: ReplayOptions | None = None
    ) -> None:
        self._graph = graph
        self._bag, self._output = bag, output
        self._options = options or ReplayOptions()
        self._counts: dict[str, int] = {}

    def run(self, progress: Progress | None = None) -> ReplaySummary:
        """Returns the summary after the whole bag; on any error what was written stays readable.

        Args:
            progress: called with the number of messages read so far, and of all.

        Raises:
            PerceptionError: the bag cannot be read, the output exists, or (without
                `skip_errors`) a message cannot be used.
        """
        with BagReader(self._bag) as reader:
            selection = select_sources(
                self._graph, reader.topics, self._options.remappings, str(self._bag)
            )
            if reader.is_cut_off:
                remark = f"{self._bag} was cut off while it was written: read as far as it goes"
                selection = replace(selection, remarks=(*selection.remarks, remark))
            _check_content(reader, selection, self._bag)
            if not self._options.skip_errors:
                self._graph.check()
            if self._options.realtime:
                self._graph.load()
            with BagWriter(self._output) as writer:
                start = time.perf_counter()
                count = self._feed(reader, writer, selection, progress)
                duration_s = time.perf_counter() - start
        return self._summary(count, duration_s, selection)

    def _feed(
        self,
        reader: BagReader,
        writer: BagWriter,
        selection: Selection,
        progress: Progress | None,
    ) -> int:
        feed = RealtimeFeed if self._options.realtime else LosslessFeed
        by_topic = {source.topic: source for source in selection.sources}
        sink = Sink(writer, self._options.remappings, self._counts)
        feeder = feed(self._graph, sink, None if self._options.skip_errors else _stop)
        copied = self._copied(reader)
        for topic in copied:
            writer.declare(topic, reader.topics[topic])
        wanted = {*by_topic, *copied}
        total = self._options.loops * sum(reader.topics[topic].count for topic in wanted)
        count, log_time_ns = 0, reader.start_ns
        if self._options.static_transforms is not None:
            data = TRANSFORMS.encode(self._options.static_transforms)
            sink.copy(_STATIC.topic, TRANSFORMS.ros_type, log_time_ns, data)
            feeder.wait_until(log_time_ns)
            feeder.feed(Source(_STATIC.topic, _STATIC, TRANSFORMS), log_time_ns, data)
        next_report_ns = reader.start_ns + NS_PER_S
        for message in looped_messages(reader, wanted, self._options.loops):
            log_time_ns = message.log_time_ns
            if log_time_ns >= next_report_ns:
                sink.write_diagnostics(self._graph, log_time_ns)
                next_report_ns = log_time_ns + NS_PER_S
            feeder.wait_until(log_time_ns)
            if message.topic in copied:
                sink.copy(message.topic, message.ros_type, log_time_ns, message.data)
            if message.topic in by_topic:
                feeder.feed(by_topic[message.topic], log_time_ns, message.data)
            count += 1
            if progress is not None:
                progress(count, total)
        feeder.finish(log_time_ns)
        sink.write_diagnostics(self._graph, log_time_ns)
        return count

    def _copied(self, reader: BagReader) -> list[str]:
        """Returns the topics of the bag that the output has, too: not those that it makes anew."""
        made = {remapped(port.topic, self._options.remappings) for port in self._graph.outputs()}
        return [t for t in reader.topics if self._options.include_input and t not in made]

    def _summary(self, count: int, duration_s: float, selection: Selection) -> ReplaySummary:
        stages = {name: monitor.summary() for name, monitor in self._graph.monitors.items()}
        frames = max((monitor.frames for monitor in self._graph.monitors.values()), default=0)
        troubles = tuple(
            f"{stage.name}: {text}"
            for stage in self._graph.stages
            for text in filter(None, (stage.last_error, stage.status().get("degraded")))
        )
        return ReplaySummary(
            stages,
            count,
            dict(sorted(self._counts.items())),
            duration_s,
            frames / duration_s if duration_s > 0 else 0.0,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            (*selection.remarks, *troubles),
        )


def stop_on_error(stage: Stage, cause: DropCause, message: str) -> None:
    """Raises what a stage could not use, so that a replay stops there."""
    hint = f"; --static-transform {FORM} gives a mounting" if cause is DropCause.TRANSFORM else ""
    raise PerceptionError(f"{stage.name}: {message} ({cause.value}){hint}")


def _stop(topic: str, cause: DropCause, message: str) -> None:
    if cause is DropCause.DECODE:
        raise PerceptionError(f"{topic}: {message} ({cause.value})")


def _check_content(reader: BagReader, selection: Selection, bag: Path) -> None:
    """Raises `DatasetError` where no sensor topic holds a message."""
    sensors = [s.topic for s in selection.sources if s.port.kind is PortKind.SENSOR]
    if not any(reader.topics[topic].count for topic in sensors):
        why = "it was cut off before the first" if reader.is_cut_off else "nothing was recorded"
        raise DatasetError(f"{bag}: no message on {', '.join(sensors)}: {why}")

"""`spatial-perception view`: video, pictures and a report of a result bag."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from spatial_perception.bags import BagReader
from spatial_perception.cli.console import make_console
from spatial_perception.cli.progress import progress_bar
from spatial_perception.cli.view_index import RecordingIndex, index_bags
from spatial_perception.cli.view_output import MAX_PICTURES, ViewOutput
from spatial_perception.cli.view_plan import FramePlan, plan_frames
from spatial_perception.cli.view_roles import RESULT_PARTS, camera_name, check_camera, find_roles
from spatial_perception.cli.view_scenes import SceneReader
from spatial_perception.cli.view_statistics import read_summary, view_report
from spatial_perception.errors import DatasetError, PerceptionError
from spatial_perception.visualization.report import write_report
from spatial_perception.visualization.video import CODECS

_CODECS = {"vp9": CODECS, "mpeg4": ("mp4v",)}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "view",
        help="video, bird's-eye pictures and an HTML report of a result bag",
        description="Draws what a result bag holds: video.mp4, overlay/*.png, bev/*.png and"
        " report.html, one file that needs no network.",
    )
    parser.add_argument("bag", type=Path, help="result bag, as replay writes it")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="write there")
    parser.add_argument(
        "--input", type=Path, metavar="BAG", help="bag of the inputs, where BAG holds results only"
    )
    parser.add_argument("--camera", help="name of the camera; default: the first with results")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each N-th frame")
    parser.add_argument(
        "--min-score", type=float, default=0.35, help="leave out objects below (default 0.35)"
    )
    parser.add_argument(
        "--pictures",
        choices=("key", "all"),
        default="key",
        help=f"write all frames as PNG, or at most {MAX_PICTURES} of them (default)",
    )
    parser.add_argument(
        "--video-codec",
        choices=tuple(_CODECS),
        default="vp9",
        help="vp9 plays in browsers (default); mpeg4 is written 50 times faster",
    )
    parser.add_argument("--title", help="heading of video and report; default: the bag's name")
    parser.add_argument("--licence", default="", help="licence of the data, shown in the report")
    parser.add_argument(
        "--summary", type=Path, metavar="JSON", help="what replay --json wrote; else looked for"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reads the bag twice, draws, prints where everything is; 0 when done.

    Raises:
        PerceptionError: The bag cannot be read or holds nothing to show.
    """
    if arguments.every < 1:
        raise PerceptionError(f"--every must be 1 or more, got {arguments.every}")
    console = make_console()
    with ExitStack() as stack:
        paths = [arguments.bag] + ([arguments.input] if arguments.input else [])
        bags = [stack.enter_context(BagReader(path)) for path in paths]
        summary = read_summary(arguments.bag, arguments.summary)
        with progress_bar(console, "reading") as show:
            index = index_bags(bags, arguments.min_score, show)
        if arguments.camera:
            check_camera(index.topics, arguments.camera)
        roles = find_roles(index.topics, arguments.camera or camera_name(index.topics))
        plans = _plans(arguments, index, roles)
        reader = SceneReader(index, roles, arguments.min_score)
        title = arguments.title or arguments.bag.resolve().stem
        output = ViewOutput(
            arguments.output,
            title,
            roles,
            plans,
            write_all=arguments.pictures == "all",
            codecs=_CODECS[arguments.video_codec],
        )
        stack.enter_context(output)
        show = stack.enter_context(progress_bar(console, "drawing"))
        for scene in reader.scenes(bags, plans):
            output.add(scene)
            show(output.frame_count, len(plans))
    notes = [*_notes(index, roles, reader), *summary.get("remarks", ())]
    report = view_report(title, index, roles, summary, output, notes, arguments.licence)
    write_report(report, arguments.output / "report.html")
    for path in (*output.written, arguments.output / "report.html"):
        console.print(str(path), soft_wrap=True)
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True)
    return 0


def _plans(
    arguments: argparse.Namespace, index: RecordingIndex, roles: dict[str, str]
) -> list[FramePlan]:
    plans = plan_frames(index.topics, roles, arguments.every)
    if not plans:
        raise DatasetError(
            f"{arguments.bag}: nothing to show: no camera picture, point cloud or LiDAR result"
            f" among its topics ({', '.join(sorted(index.topics)) or 'none'}); run replay first,"
            " and give --input where its bag holds results only"
        )
    return plans


def _notes(index: RecordingIndex, roles: dict[str, str], reader: SceneReader) -> list[str]:
    """Returns what a user should know is missing."""
    notes = []
    if "image" not in roles:
        notes.append("no camera picture recorded, so no overlay; --input BAG gives the inputs")
    elif "camera" not in roles:
        notes.append("no CameraInfo recorded, so no boxes in space on the picture")
    if "cloud" not in roles and "labelled" not in roles:
        notes.append("no point cloud recorded; --input BAG gives the inputs")
    if not any(role in roles for role in RESULT_PARTS):
        notes.append("no perception results recorded; run replay over this bag first")
    notes += [f"{what}: {count} times" for what, count in reader.problems.items()]
    notes += [f"{topic}: {count} damaged messages" for topic, count in index.undecodable.items()]
    return notes

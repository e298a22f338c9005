"""`spatial-perception convert`: other people's recordings into rosbag2 bags."""

from __future__ import annotations

import argparse
from pathlib import Path

from spatial_perception.bags.kitti_raw import convert_kitti_raw
from spatial_perception.cli.console import make_console


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser("convert", help="other recordings into bags")
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")
    kitti = formats.add_parser("kitti-raw", help="a synchronized drive of the KITTI raw data")
    kitti.add_argument("drive", type=Path, help="folder ..._sync")
    kitti.add_argument("output", type=Path, help="bag to write, a new folder")
    kitti.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Converts a drive; 0 when done.

    Raises:
        DatasetError: the drive is not in KITTI's layout, or the output exists.
    """
    console = make_console()
    with console.status("converting") as status:
        count = convert_kitti_raw(
            arguments.drive,
            arguments.output,
            lambda done: status.update(f"converting: {done} messages"),
        )
    console.print(f"{count} messages written to {arguments.output}")
    return 0

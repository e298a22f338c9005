"""`spatial-perception`: one command line for everything that needs no ROS."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from spatial_perception import __version__
from spatial_perception.errors import PerceptionError

COMMANDS = (
    "doctor",
    "simulate",
    "replay",
    "view",
    "live",
    "play",
    "record",
    "train",
    "export",
    "import",
    "evaluate",
    "bench",
    "engines",
    "convert",
)
_MODULES = {"import": "import_model"}
"""Where the module is not called as the command, because Python could not import it."""
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def make_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Returns the parser of commands; those that are not wanted are not even imported."""
    parser = argparse.ArgumentParser(
        prog="spatial-perception",
        description="Camera and LiDAR perception over bags, on any machine.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--verbose", action="store_true", help="log details")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands:
        module = _MODULES.get(name, name)
        importlib.import_module(f"spatial_perception.cli.{module}").add_parser(subparsers)
    return parser


def _wanted(words: Sequence[str]) -> Sequence[str]:
    """The command that is called, or all where none is: for help, and to say which there are."""
    named = next((word for word in words if not word.startswith("-")), "")
    return (named,) if named in COMMANDS else COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command: 0 when it did its job, 1 when a check failed, 2 on bad usage or input."""
    name = "spatial-perception"
    try:
        words = sys.argv[1:] if arguments is None else list(arguments)
        parsed = make_parser(_wanted(words)).parse_args(words)
        name += f" {parsed.command}"
        level = logging.INFO if parsed.verbose else logging.WARNING
        logging.basicConfig(level=level, format="%(levelname)s %(message)s")
        code: int = parsed.run(parsed)
    except PerceptionError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, nothing more is to be flushed to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder of somebody else
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or error
        print(f"{name}: {place}{reason}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return code


if __name__ == "__main__":
    sys.exit(main())

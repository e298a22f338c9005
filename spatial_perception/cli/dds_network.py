"""What the commands on a DDS network share: its options, CTRL-C, leaving in time."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from spatial_perception.errors import ConfigError

if TYPE_CHECKING:
    from spatial_perception.dds.participant import Participant


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the network."""
    parser.add_argument(
        "--domain",
        type=int,
        metavar="N",
        help="DDS domain, 0 to 232; without it that of ROS_DOMAIN_ID, or 0",
    )


def join(domain: int | None) -> Participant:
    """Returns a participant.

    Raises:
        ConfigError: cyclonedds is not installed, or the domain cannot be joined.
    """
    try:
        from spatial_perception.dds.participant import Participant
    except ImportError as error:
        raise ConfigError(
            f"DDS without ROS needs cyclonedds ({error}); pip install 'spatial_perception[dds]'"
        ) from error
    return Participant(domain)


def end_on_signal() -> threading.Event:
    """Returns an event that CTRL-C and SIGTERM set."""
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    return end


def log_to_stderr() -> None:
    """Shows what the package says, from INFO on."""
    package = logging.getLogger("spatial_perception")
    package.setLevel(logging.INFO)


def leave(has_ended: bool, code: int) -> int:
    """Returns an exit code, or leaves with it at once where a thread cannot be ended."""
    if not has_ended:  # an engine is being built: nothing can interrupt that from within
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code

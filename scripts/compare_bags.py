#!/usr/bin/env python3
"""Compares the results in two bags message by message: a replay and a recording of a live host.

python scripts/compare_bags.py out/replayed out/recorded

Messages of a topic are paired by their order. Latencies and diagnostics are left out. Exits with 1
where a message is missing or differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spatial_perception.bags import BagReader

_LEFT_OUT = ("/latency_ms", "/diagnostics")
_WORD = 4


def main() -> int:
    """Prints a row for each topic; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected", type=Path)
    parser.add_argument("found", type=Path)
    parser.add_argument(
        "--but", action="append", default=[], metavar="TOPIC", help="leave this topic out"
    )
    arguments = parser.parse_args()
    expected = results(arguments.expected, arguments.but)
    found = results(arguments.found, arguments.but)
    print("| topic | expected | found | equal |\n|---|---|---|---|")
    for topic, messages in expected.items():
        others = found.get(topic, [])
        equal = sum(a == b for a, b in zip(messages, others, strict=False))
        print(f"| `{topic}` | {len(messages)} | {len(others)} | {equal} |")
    return 0 if all(found.get(topic) == messages for topic, messages in expected.items()) else 1


def results(bag: Path, left_out: list[str]) -> dict[str, list[bytes]]:
    """Returns the messages of each result topic, filled up to whole words as DDS does."""
    messages: dict[str, list[bytes]] = {}
    with BagReader(bag) as reader:
        topics = [
            topic
            for topic in sorted(reader.topics)
            if topic.startswith("/perception/")
            and not topic.endswith(_LEFT_OUT)
            and topic not in left_out
        ]
        for message in reader.messages(topics):
            filled = bytes(message.data) + bytes(-len(message.data) % _WORD)
            messages.setdefault(message.topic, []).append(filled)
    return messages


if __name__ == "__main__":
    sys.exit(main())

"""A bag over and over, as if the recording had gone on."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Protocol

from spatial_perception.bags.topics import BagMessage, TopicInfo
from spatial_perception.messages.stamps import shifted


class Recording(Protocol):
    """What is needed of a `BagReader`, or of what stands for one."""

    start_ns: int
    end_ns: int
    topics: dict[str, TopicInfo]

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yields the messages in the order of their log times."""


def loop_period_ns(reader: Recording) -> int:
    """Returns after which time a bag's repetition begins: one step after its last message.

    The step is that of the topic with most messages, so that a sensor keeps its rate.
    """
    span_ns = reader.end_ns - reader.start_ns
    count = max((info.count for info in reader.topics.values()), default=0)
    return span_ns + round(span_ns / (count - 1)) if count > 1 else span_ns + 1


def looped_messages(
    reader: Recording, topics: Collection[str] | None = None, loops: int = 1
) -> Iterator[BagMessage]:
    """Yields the messages of a bag several times, each time later in log time and stamps.

    Args:
        reader: The bag.
        topics: Only these; None for all.
        loops: How often; 0 for ever.

    Raises:
        DatasetError: A topic is not in the bag, or a file turns out to be damaged.
        DecodeError: A message is not of its type.
    """
    period_ns = loop_period_ns(reader)
    for loop in range(loops) if loops else itertools.count():
        offset_ns = loop * period_ns
        for message in reader.messages(topics):
            yield replace(
                message,
                log_time_ns=message.log_time_ns + offset_ns,
                data=shifted(message.ros_type, message.data, offset_ns),
            )

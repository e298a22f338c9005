"""Which of an input's topics a live host subscribes to, by what others publish."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from spatial_perception.messages import Codec

Source = tuple[str, Codec[Any]]
OfferedTypes = Callable[[str], Collection[str]]


def published_sources(sources: Sequence[Source], offered: OfferedTypes) -> tuple[Source, ...]:
    """Returns the first source that is published, or all where none is yet.

    Camera drivers offer the same picture raw and compressed: one of them is enough. A topic is
    decoded by the type it is published with: a compressed picture may have the raw one's name.

    Args:
        sources: topic and codec, the preferred one first.
        offered: the types, written `package/msg/Name`, that a topic is published with.
    """
    codecs = [codec for _, codec in sources]
    for topic, own in sources:
        types = offered(topic)
        for codec in (own, *codecs):
            if codec.ros_type in types:
                return ((topic, codec),)
    return tuple(sources)


def misfits(sources: Sequence[Source], offered: OfferedTypes) -> Iterator[str]:
    """Yields a sentence for each topic of an input that is published with another type alone.

    Args:
        sources: as `published_sources`.
        offered: likewise.
    """
    known = {codec.ros_type for _, codec in sources}
    for topic, _ in sources:
        types = set(offered(topic))
        if types and not types & known:
            given, wanted = ", ".join(sorted(types)), " or ".join(sorted(known))
            yield f"'{topic}' is published as {given}, expected {wanted}: nothing is taken from it"

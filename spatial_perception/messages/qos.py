"""Quality of service of a topic, as far as publishers and bags need to know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QosProfile:
    """How a topic is delivered; history is always "keep last".

    Attributes:
        reliable: Lost messages are sent again; False is best effort.
        transient_local: Late subscribers get the last messages; False is volatile.
        depth: How many messages are kept; 0 keeps all.
    """

    reliable: bool = True
    transient_local: bool = False
    depth: int = 10

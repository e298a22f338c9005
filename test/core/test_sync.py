"""Values meet by stamp; the wait is measured in stamps."""

from spatial_perception.core.sync import StampSynchronizer

MS = 1_000_000


def test_a_set_is_complete_when_every_port_has_the_stamp() -> None:
    pairs = StampSynchronizer(("a", "b"), max_wait_ms=100)
    assert pairs.add("a", 10, "a10") == (None, 0)
    assert pairs.add("b", 20, "b20") == (None, 0)
    assert pairs.add("b", 10, "b10") == ({"a": "a10", "b": "b10"}, 0)
    assert pairs.clear() == 1


def test_what_waits_too_long_is_given_up_and_counted() -> None:
    pairs = StampSynchronizer(("a", "b"), max_wait_ms=100)
    pairs.add("a", 0, "old")
    assert pairs.add("a", 100 * MS, "in time") == (None, 0)
    assert pairs.add("a", 101 * MS, "late") == (None, 1)
    assert pairs.add("b", 100 * MS, "partner")[0] == {"a": "in time", "b": "partner"}

"""A partner is waited for only while it can still come."""

from spatial_perception.core import CAMERA_OBJECT_LABELS, Detections2D, Header
from spatial_perception.stages.partner import Partner


def value(stamp_ns: int) -> Detections2D:
    return Detections2D.empty(Header(stamp_ns, "camera"), CAMERA_OBJECT_LABELS)


def partner(*stamps_ns: int) -> Partner[Detections2D]:
    made: Partner[Detections2D] = Partner(max_offset_ns=50, lost_after_ns=500)
    for stamp_ns in stamps_ns:
        made.add(value(stamp_ns))
    return made


def test_the_nearest_in_time_is_the_partner() -> None:
    made = partner(100, 200, 300)
    found = made.nearest(210)
    assert found is not None
    assert found.header.stamp_ns == 200
    assert made.nearest(251) is not None
    assert made.nearest(400) is None


def test_nothing_is_waited_for_that_never_came_or_has_fallen_silent() -> None:
    assert not partner().may_come(100, 100)
    assert partner(100).may_come(200, 200)
    assert not partner(100).may_come(200, 601)


def test_nothing_is_waited_for_once_a_later_one_has_come() -> None:
    assert not partner(100, 300).may_come(200, 300)


def test_clear_forgets() -> None:
    made = partner(100)
    made.clear()
    assert made.nearest(100) is None
    assert made.is_lost(100)

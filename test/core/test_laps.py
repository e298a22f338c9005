"""A stopwatch for the steps of one computation."""

from spatial_perception.core import Laps


def test_steps_are_the_times_between_marks_and_equal_names_add_up() -> None:
    times = iter([0.0, 1.0, 1.002, 1.005, 1.006])
    laps = Laps(clock=lambda: next(times))
    laps.start()
    laps.mark("prepare")
    laps.mark("network")
    laps.mark("prepare")
    taken = {name: round(ms, 6) for name, ms in laps.take().items()}
    assert taken == {"prepare": 3.0, "network": 3.0}
    assert laps.take() == {}


def test_start_forgets_a_computation_that_was_broken_off() -> None:
    laps = Laps()
    laps.mark("prepare")
    laps.start()
    assert laps.take() == {}

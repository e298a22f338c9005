"""One thread runs the jobs in order."""

import threading

import pytest

from spatial_perception.stages.loader import Loader


def test_jobs_run_one_after_the_other_in_another_thread() -> None:
    loader, seen, done = Loader(), [], threading.Event()
    for number in range(3):
        loader.submit(lambda number=number: seen.append((number, threading.get_ident())))
    loader.submit(done.set)
    assert done.wait(5.0)
    assert [number for number, _ in seen] == [0, 1, 2]
    assert threading.get_ident() not in {thread for _, thread in seen}
    assert loader.stop(5.0)


def test_stop_may_meet_the_thread_at_the_last_job(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader()
    monkeypatch.setattr(loader._jobs, "empty", lambda: False)  # it took the last one just then
    assert loader.stop(5.0)


def test_stop_says_when_a_job_does_not_end() -> None:
    loader, release, begun = Loader(), threading.Event(), threading.Event()
    loader.submit(lambda: (begun.set(), release.wait(10.0)))
    assert begun.wait(5.0)
    assert not loader.stop(0.05)
    release.set()
    assert loader.stop(5.0)

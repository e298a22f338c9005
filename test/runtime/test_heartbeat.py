"""A long build is never silent: it is announced, repeated as a warning, and ends with its time."""

from __future__ import annotations

import logging
import time

import pytest

from spatial_perception.runtime.heartbeat import heartbeat


def test_long_work_reports_itself_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), heartbeat("building", every_s=0.05):
        time.sleep(0.3)
    messages = [record.getMessage() for record in caplog.records]
    beats = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert messages[0] == "building ..."
    assert len(beats) >= 2
    assert messages[-1].startswith("building: done in 0.")


def test_failed_work_stops_the_beat_and_does_not_claim_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(RuntimeError),
        heartbeat("building", every_s=0.05),
    ):
        raise RuntimeError
    time.sleep(0.15)
    assert [record.getMessage() for record in caplog.records] == ["building ..."]

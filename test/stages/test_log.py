"""Errors are logged once in five seconds for each cause."""

import logging

from spatial_perception.stages.log import LogBridge, ThrottledLog


class Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, message: str) -> None:
        self.lines.append(("info", message))

    def warning(self, message: str) -> None:
        self.lines.append(("warning", message))

    def error(self, message: str) -> None:
        self.lines.append(("error", message))


def test_same_cause_is_logged_again_after_five_seconds_with_the_number_left_out() -> None:
    now, lines = [0.0], Lines()
    log = ThrottledLog(lambda: now[0])
    for now[0] in (0.0, 1.0, 4.9, 5.1):
        log.error(lines, "decode", "bad bytes")
    assert lines.lines == [
        ("error", "bad bytes"),
        ("error", "bad bytes (2 more of this kind before)"),
    ]


def test_other_cause_is_not_held_back() -> None:
    lines = Lines()
    log = ThrottledLog(lambda: 0.0)
    log.error(lines, "decode", "bad bytes")
    log.error(lines, "transform", "no transform")
    assert [message for _, message in lines.lines] == ["bad bytes", "no transform"]


def test_python_records_reach_ros_at_their_level() -> None:
    lines = Lines()
    logger = logging.Logger("test")
    logger.addHandler(LogBridge(lines))
    logger.debug("unseen")
    logger.info("backend %s", "openvino")
    logger.warning("slow")
    logger.critical("gone")
    assert lines.lines == [("info", "backend openvino"), ("warning", "slow"), ("error", "gone")]

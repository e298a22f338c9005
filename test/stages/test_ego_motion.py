"""Poses come from /tf, else from /odom; jumps are told from driving."""

import numpy as np
import pytest

from spatial_perception.core import Header, Odometry, Pose, StampedTransform, Transforms
from spatial_perception.stages.ego_motion import EgoMotion, EgoSource, JumpWatch

S = 1_000_000_000


def at(x: float, yaw: float = 0.0) -> Pose:
    return Pose.from_yaw(yaw, np.array([x, 0.0, 0.0]))


def test_tf_goes_before_odom() -> None:
    ego = EgoMotion("odom")
    ego.add_odometry(Odometry(Header(S, "odom"), "base_link", at(1.0), np.zeros(3), np.zeros(3)))
    found = ego.at(Header(S, "base_link"))
    assert found is not None
    assert (found.source, found.fixed_from_base.translation[0]) == (EgoSource.ODOM, 1.0)
    moved = StampedTransform(Header(S, "odom"), "base_link", at(2.0))
    ego.add_transforms("tf", Transforms((moved,)))
    found = ego.at(Header(S, "base_link"))
    assert found is not None
    assert (found.source, found.fixed_from_base.translation[0]) == (EgoSource.TF, 2.0)


def test_a_pose_that_may_come_is_told_from_none_at_all() -> None:
    ego = EgoMotion("odom")
    nothing = ego.at(Header(S, "base_link"))
    assert nothing is not None
    assert nothing.source is EgoSource.NONE
    moved = StampedTransform(Header(S, "odom"), "base_link", at(2.0))
    ego.add_transforms("tf", Transforms((moved,)))
    assert ego.at(Header(2 * S, "base_link")) is None


@pytest.mark.parametrize("port", ["tf", "tf_static"])
def test_a_map_above_the_fixed_frame_tells_nothing_of_the_vehicle(port: str) -> None:
    ego = EgoMotion("odom", (EgoSource.TF, EgoSource.SCAN_MATCHING))
    ego.add_transforms(port, Transforms((StampedTransform(Header(S, "map"), "odom", at(0.0)),)))
    nothing = ego.at(Header(S, "base_link"))
    assert nothing is not None, "nobody will tell it"
    assert nothing.source is EgoSource.NONE
    matched = Odometry(Header(S, "odom"), "base_link", at(3.0), np.zeros(3), np.zeros(3))
    ego.add_odometry(matched, EgoSource.SCAN_MATCHING)
    found = ego.at(Header(S, "base_link"))
    assert found is not None
    assert (found.source, found.fixed_from_base.translation[0]) == (EgoSource.SCAN_MATCHING, 3.0)


@pytest.mark.parametrize("step_s", [0.1, 1.0])
def test_driving_braking_and_turning_are_no_jumps(step_s: float) -> None:
    watch = JumpWatch()
    x, speed = 0.0, 15.0
    for k in range(30):
        assert watch.add(round(k * step_s * S), at(x, 0.3 * k * step_s)) is None
        x += speed * step_s
        speed = max(0.0, speed - 8.0 * step_s)


def test_a_jump_is_noticed_and_undone_by_the_pose_that_it_returns() -> None:
    watch = JumpWatch()
    for k in range(5):
        watch.add(k * S // 10, at(1.0 * k))
    jump = watch.add(5 * S // 10, Pose.from_yaw(1.0, np.array([80.0, 20.0, 0.0])))
    assert jump is not None
    before = np.array([[5.0, 0.0, 0.0], [6.0, 0.0, 0.0]])  # the vehicle, and a metre ahead of it
    after = np.array([[80.0, 20.0, 0.0], [80.0 + np.cos(1.0), 20.0 + np.sin(1.0), 0.0]])
    assert np.allclose(jump.apply(before), after)

"""Frames over time against scipy rotations and hand calculations."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from spatial_perception.core import Header, Pose, StampedTransform, Transforms, TransformTree
from spatial_perception.core.pose import interpolate, wrap_angle
from spatial_perception.errors import TransformError

S = 1_000_000_000


def transform(parent: str, child: str, stamp_ns: int, pose: Pose) -> Transforms:
    return Transforms((StampedTransform(Header(stamp_ns, parent), child, pose),))


def random_pose(seed: int) -> Pose:
    rng = np.random.default_rng(seed)
    return Pose.from_quaternion(rng.normal(size=4), rng.normal(size=3))


def test_pose_applies_as_scipy_does() -> None:
    rng = np.random.default_rng(0)
    quat, translation, points = rng.normal(size=4), rng.normal(size=3), rng.normal(size=(5, 3))
    expected = Rotation.from_quat(quat).apply(points) + translation
    np.testing.assert_allclose(Pose.from_quaternion(quat, translation).apply(points), expected)


def test_inverse_undoes_and_quaternion_round_trips() -> None:
    pose = random_pose(1)
    points = np.random.default_rng(2).normal(size=(4, 3))
    np.testing.assert_allclose(pose.inverse().apply(pose.apply(points)), points, atol=1e-12)
    again = Pose.from_quaternion(pose.quat_xyzw, pose.translation)
    np.testing.assert_allclose(again.rotation, pose.rotation, atol=1e-12)


def test_zero_quaternion_is_refused() -> None:
    with pytest.raises(ValueError, match="no direction"):
        Pose.from_quaternion(np.zeros(4), np.zeros(3))


def test_interpolation_turns_and_moves_halfway() -> None:
    a = Pose.from_yaw(0.0, np.zeros(3))
    b = Pose.from_yaw(1.0, np.array([2.0, 0.0, 0.0]))
    middle = interpolate(a, b, 0.5)
    assert middle.yaw_rad == pytest.approx(0.5)
    np.testing.assert_allclose(middle.translation, [1, 0, 0])


def test_lookup_composes_up_and_down_the_tree() -> None:
    tree = TransformTree()
    base_from_lidar, base_from_camera = random_pose(3), random_pose(4)
    tree.add(transform("base_link", "lidar", 0, base_from_lidar), static=True)
    tree.add(transform("base_link", "camera", 0, base_from_camera), static=True)
    points_lidar = np.random.default_rng(5).normal(size=(4, 3))
    expected = base_from_camera.inverse().apply(base_from_lidar.apply(points_lidar))
    camera_from_lidar = tree.lookup("camera", "lidar", 123)
    np.testing.assert_allclose(camera_from_lidar.apply(points_lidar), expected, atol=1e-12)


def test_moving_frames_are_interpolated_between_stamps() -> None:
    tree = TransformTree()
    for second in (0, 1):
        pose = Pose.from_yaw(0.0, np.array([10.0 * second, 0.0, 0.0]))
        tree.add(transform("odom", "base_link", second * S, pose))
    assert tree.lookup("odom", "base_link", S // 4).translation[0] == pytest.approx(2.5)


def test_lookup_outside_of_known_times_says_the_times() -> None:
    tree = TransformTree()
    tree.add(transform("odom", "base_link", S, Pose.identity()))
    with pytest.raises(TransformError, match=r"known from 1.000 s to 1.000 s, not at 3.000 s"):
        tree.lookup("odom", "base_link", 3 * S)


def test_missing_frames_are_named() -> None:
    tree = TransformTree()
    tree.add(transform("base_link", "lidar", 0, Pose.identity()), static=True)
    with pytest.raises(TransformError, match="'radar' unknown; known frames: base_link, lidar"):
        tree.lookup("base_link", "radar", 0)


def test_separate_trees_and_loops_are_errors() -> None:
    tree = TransformTree()
    tree.add(transform("a", "b", 0, Pose.identity()), static=True)
    tree.add(transform("c", "d", 0, Pose.identity()), static=True)
    with pytest.raises(TransformError, match="separate trees"):
        tree.lookup("a", "d", 0)
    tree.add(transform("b", "a", 0, Pose.identity()), static=True)
    with pytest.raises(TransformError, match="loop"):
        tree.lookup("a", "d", 0)


def test_old_transforms_are_forgotten_and_memory_stays_bounded() -> None:
    tree = TransformTree(max_age_s=1.0)
    for tenth in range(100):
        tree.add(transform("odom", "base_link", tenth * S // 10, Pose.identity()))
    with pytest.raises(TransformError, match="known from 8.900 s"):
        tree.lookup("odom", "base_link", S)


def test_clear_keeps_static_transforms() -> None:
    tree = TransformTree()
    tree.add(transform("base_link", "lidar", 0, Pose.identity()), static=True)
    tree.add(transform("odom", "base_link", 0, Pose.identity()))
    tree.clear()
    assert tree.frames() == {"base_link", "lidar"}


def test_angles_wrap() -> None:
    np.testing.assert_allclose(
        wrap_angle(np.array([3.5, -3.5, 0.5])), [3.5 - 2 * np.pi, 2 * np.pi - 3.5, 0.5]
    )


@pytest.mark.parametrize("angle_rad", [0.0, 1e-9, 0.5, 2.0, np.pi - 1e-6, np.pi, 4.0])
def test_quaternion_agrees_with_scipy_for_turns_about_any_axis(angle_rad: float) -> None:
    axes = np.random.default_rng(3).normal(size=(50, 3))
    axes = np.concatenate([axes, np.eye(3), -np.eye(3)])
    for axis in axes / np.linalg.norm(axes, axis=1, keepdims=True):
        rotation = Rotation.from_rotvec(angle_rad * axis)
        quat = Pose(rotation.as_matrix(), np.zeros(3)).quat_xyzw
        assert quat[3] >= 0.0
        assert abs(abs(quat @ rotation.as_quat()) - 1.0) < 1e-12


def test_a_transform_of_a_frame_to_itself_hides_nothing() -> None:
    """tf2 passes those over, too."""
    tree, pose = TransformTree(), random_pose(3)
    tree.add(transform("base_link", "lidar", 0, pose), static=True)
    tree.add(transform("lidar", "lidar", 0, Pose.identity()), static=True)
    found = tree.lookup("base_link", "lidar", 5)
    np.testing.assert_allclose(found.translation, pose.translation)

"""Mountings from the command line."""

import numpy as np
import pytest

from spatial_perception.core import TransformTree
from spatial_perception.errors import ConfigError
from spatial_perception.stages.static_transforms import parse_static_transforms


def test_angles_are_roll_pitch_yaw_about_fixed_axes() -> None:
    tree = TransformTree()
    given = parse_static_transforms(["base_link:lidar:1,2,1.5,0.1,-0.2,1.2", "lidar:imu:0,0,1"])
    assert given is not None
    tree.add(given, static=True)
    pose = tree.lookup("base_link", "lidar", 0)

    def turn(angle: float, one: int, other: int) -> np.ndarray:
        matrix = np.eye(3)
        matrix[[one, other], [one, other]] = np.cos(angle)
        matrix[other, one], matrix[one, other] = np.sin(angle), -np.sin(angle)
        return matrix

    about_x, about_y, about_z = turn(0.1, 1, 2), turn(-0.2, 2, 0), turn(1.2, 0, 1)
    np.testing.assert_allclose(pose.rotation, about_z @ about_y @ about_x, atol=1e-12)
    np.testing.assert_array_equal(pose.translation, [1, 2, 1.5])
    np.testing.assert_array_equal(tree.lookup("lidar", "imu", 0).rotation, np.eye(3))


def test_nothing_given_is_nothing() -> None:
    assert parse_static_transforms([]) is None


@pytest.mark.parametrize("text", ["", "a:b", "a:b:1,2", "a:b:1,2,x", "a:b:1,2,nan", ":b:1,2,3"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected PARENT:CHILD:X,Y,Z"):
        parse_static_transforms([text])


def test_a_frame_that_is_mounted_on_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="'lidar' is mounted on itself"):
        parse_static_transforms(["lidar:lidar:1,2,3"])

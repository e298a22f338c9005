import numpy as np
import pytest

from spatial_perception.evaluation.projection import image_boxes

SIZE = (200, 100)
PROJECTION = np.array([[100.0, 0, 100, 0], [0, 100.0, 50, 0], [0, 0, 1, 0]])


def cuboid(x, y, z, half=1.0):
    """(1, 8, 3) corners about a centre in the optical frame, four of y+ and four of y-."""
    ring = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    return np.array(
        [[[x + half * a, y + half * side, z + half * b] for side in (1, -1) for a, b in ring]]
    )


def test_a_cube_ahead_by_hand():
    # the face at z = 9 covers 100 * (+-1 / 9) about the centre
    expected = [100 - 100 / 9, 50 - 100 / 9, 100 + 100 / 9, 50 + 100 / 9]
    assert image_boxes(cuboid(0, 0, 10), PROJECTION, SIZE)[0] == pytest.approx(expected)


def test_the_box_ends_at_the_border_of_the_picture():
    left, _, right, _ = image_boxes(cuboid(-10, 0, 10), PROJECTION, SIZE)[0]
    assert left == 0.0
    assert right == pytest.approx(100 - 100 * 9 / 11)


@pytest.mark.parametrize("center", [(0, 0, -10), (30, 0, 10)])
def test_behind_or_beside_the_picture_there_is_no_box(center):
    assert np.isnan(image_boxes(cuboid(*center), PROJECTION, SIZE)).all()


def test_a_box_reaching_behind_the_camera_is_cut_not_mirrored():
    # x 0.5..2.5, z -1..1: of what is ahead the corner (0.5, z = 1) is the leftmost, at 100 + 50
    expected = [150.0, 0.0, 200.0, 100.0]
    assert image_boxes(cuboid(1.5, 0, 0), PROJECTION, SIZE)[0] == pytest.approx(expected)

import numpy as np

from spatial_perception.evaluation.box_scans import levels_of_points
from spatial_perception.evaluation.detection3d import HARD, MODERATE, NEVER


def test_five_points_are_moderate_one_is_hard_none_is_neutral():
    levels = levels_of_points(np.array([0, 1, 4, 5, 300]))
    assert levels.tolist() == [NEVER, HARD, HARD, MODERATE, MODERATE]

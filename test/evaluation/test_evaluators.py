from spatial_perception.evaluation import DATASETS
from spatial_perception.evaluation.evaluators import EVALUATORS


def test_every_data_set_by_name_has_an_evaluator():
    assert tuple(EVALUATORS) == DATASETS

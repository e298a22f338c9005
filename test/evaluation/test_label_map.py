import pytest

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, LabelSet
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.label_map import label_lut


def test_classes_meet_by_name_whatever_their_order():
    lut = label_lut(LabelSet(("b", "x", "a")), LabelSet(("a", "b")))
    assert lut[:4].tolist() == [1, 255, 0, 255]


def test_foreign_spellings_and_synonyms_are_understood():
    lut = label_lut(LabelSet(("Traffic Light", "bike")), CAMERA_OBJECT_LABELS, {"bike": "bicycle"})
    assert lut[0] == CAMERA_OBJECT_LABELS.index("traffic_light")
    assert lut[1] == CAMERA_OBJECT_LABELS.index("bicycle")


def test_a_model_without_a_common_class_is_refused():
    with pytest.raises(DatasetError, match="the model knows cat, the data set car, truck, bus"):
        label_lut(LabelSet(("cat",)), CAMERA_OBJECT_LABELS)

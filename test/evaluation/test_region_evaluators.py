import numpy as np

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS
from spatial_perception.evaluation.detection2d import PictureMetrics
from spatial_perception.evaluation.region_evaluators import CLASSES, against_regions


def mask(**regions):
    """CamVid's classes and (left, top, right, bottom) of rectangles of them, on a road."""
    labels = np.full((100, 200), CAMVID_LABELS.index("road"), np.uint8)
    for name, (left, top, right, bottom) in regions.items():
        value = 255 if name == "void" else CAMVID_LABELS.index(name)
        labels[top:bottom, left:right] = value
    return labels


def found(*boxes):
    """boxes: (left, top, right, bottom, class, score)."""
    return Detections2D(
        Header(0, "camera"),
        np.array([b[:4] for b in boxes], np.float32).reshape(-1, 4),
        np.array([b[5] for b in boxes], np.float32),
        np.array([CAMERA_OBJECT_LABELS.index(b[4]) for b in boxes], np.int32),
        CAMERA_OBJECT_LABELS,
    )


def metrics(frame):
    return PictureMetrics([frame], CLASSES.names).compute()


def test_a_light_answers_for_a_signsymbol_and_a_bus_for_a_car():
    truth = mask(signsymbol=(10, 10, 20, 30), car=(50, 50, 90, 80))
    said = found((10, 10, 20, 30, "traffic_light", 0.9), (50, 50, 90, 80, "bus", 0.8))
    values = metrics(against_regions(truth, said))
    assert values == {"car_ap_0.5": 100.0, "traffic_sign_ap_0.5": 100.0, "map_0.5": 100.0}


def test_what_is_missed_and_what_is_not_there_both_count():
    truth = mask(pedestrian=(10, 10, 20, 40), car=(50, 50, 90, 80))
    said = found((120, 50, 160, 80, "car", 0.9), (50, 50, 90, 80, "car", 0.8))
    values = metrics(against_regions(truth, said))
    assert values["person_ap_0.5"] == 0.0
    assert values["car_ap_0.5"] == 50.0


def test_riders_small_regions_and_void_are_neutral():
    truth = mask(
        pedestrian=(10, 10, 20, 40),
        bicyclist=(40, 10, 60, 60),
        signsymbol=(100, 10, 105, 15),
        void=(150, 10, 190, 60),
    )
    said = found(
        (40, 10, 60, 60, "person", 0.95),
        (155, 15, 175, 55, "person", 0.93),
        (10, 10, 20, 40, "person", 0.9),
        (100, 10, 105, 15, "bicycle", 0.9),
    )
    assert metrics(against_regions(truth, said)) == {"person_ap_0.5": 100.0, "map_0.5": 100.0}

import numpy as np
import pytest

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS
from spatial_perception.ops.boxes import grid_centers
from spatial_perception.training.teacher import (
    TaughtBoxes,
    TeacherConfig,
    YoloxTeacher,
    agree_with_mask,
)

CAR = CAMERA_OBJECT_LABELS.index("car")
SIGN = CAMERA_OBJECT_LABELS.index("traffic_sign")


def bright_rectangle_detector(score: float):
    """Answers like YOLOX: one car around all that is bright in the tensor."""
    cells, strides = grid_centers((416, 416), (8, 16, 32))

    def infer(tensor: np.ndarray) -> np.ndarray:
        output = np.zeros((1, len(cells), 85), np.float32)
        rows, columns = np.nonzero(tensor[0, 0] > 200)
        if len(rows):
            low = np.array([columns.min(), rows.min()])
            high = np.array([columns.max(), rows.max()]) + 1
            output[0, 0, :2] = (low + high) / 2 / strides[0] - cells[0]
            output[0, 0, 2:4] = np.log((high - low) / strides[0])
            output[0, 0, [4, 5 + 2]] = 1.0, score
        return output

    return infer


@pytest.fixture
def picture() -> np.ndarray:
    image = np.zeros((360, 480, 3), np.uint8)
    image[100:160, 200:300] = 255
    return image


def test_many_looks_at_one_object_make_one_box(picture):
    taught = YoloxTeacher(bright_rectangle_detector(0.9), (416, 416))(picture)
    assert taught.labels.tolist() == [CAR]
    np.testing.assert_allclose(taught.boxes_xyxy_px, [[200, 100, 300, 160]], atol=2.0)
    assert len(taught.ignored_xyxy_px) == 0


def test_a_doubtful_object_is_ignored_not_taught(picture):
    taught = YoloxTeacher(bright_rectangle_detector(0.3), (416, 416))(picture)
    assert len(taught.boxes_xyxy_px) == 0
    np.testing.assert_allclose(taught.ignored_xyxy_px, [[200, 100, 300, 160]], atol=2.0)


def test_several_looks_agree_where_one_is_not_enough(picture):
    detector = bright_rectangle_detector(0.4)
    once = YoloxTeacher(detector, (416, 416), TeacherConfig(tile_shares=(1.0,)))(picture)
    often = YoloxTeacher(detector, (416, 416))(picture)
    assert (len(once.labels), len(often.labels)) == (0, 1)


def test_the_cameras_own_bonnet_is_no_label():
    image = np.zeros((360, 480, 3), np.uint8)
    image[300:360, 20:460] = 255
    taught = YoloxTeacher(bright_rectangle_detector(0.9), (416, 416))(image)
    assert len(taught.boxes_xyxy_px) == 0


def mask_with(**regions: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.full((100, 100), CAMVID_LABELS.index("road"), np.uint8)
    for name, (left, top, right, bottom) in regions.items():
        mask[top:bottom, left:right] = CAMVID_LABELS.index(name)
    return mask


def taught(*boxes: list[float]) -> TaughtBoxes:
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    return TaughtBoxes(rows, np.full(len(rows), CAR, np.int32), np.zeros((0, 4), np.float32))


def test_a_mask_confirms_or_denies_a_vehicle():
    mask = mask_with(car=(10, 10, 30, 30))
    found = agree_with_mask(taught([10, 10, 30, 30], [60, 60, 80, 80]), mask)
    np.testing.assert_array_equal(found.boxes_xyxy_px, [[10, 10, 30, 30]])
    np.testing.assert_array_equal(found.ignored_xyxy_px, [[60, 60, 80, 80]])


def test_a_region_that_no_box_covers_is_ignored():
    found = agree_with_mask(taught(), mask_with(pedestrian=(40, 40, 50, 60)))
    np.testing.assert_array_equal(found.ignored_xyxy_px, [[40, 40, 50, 60]])


def test_a_sign_stands_on_a_pole():
    mask = mask_with(signsymbol=(20, 20, 30, 32), pole=(24, 32, 27, 70))
    found = agree_with_mask(taught(), mask)
    assert found.labels.tolist() == [SIGN]
    np.testing.assert_array_equal(found.boxes_xyxy_px, [[20, 20, 30, 32]])
    alone = agree_with_mask(taught(), mask_with(signsymbol=(20, 20, 30, 32)))
    assert len(alone.boxes_xyxy_px) == 0
    assert len(alone.ignored_xyxy_px) == 1

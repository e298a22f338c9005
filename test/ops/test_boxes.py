import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from spatial_perception.ops.boxes import decode_yolox, grid_centers, select_boxes


def random_candidates(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    low = generator.uniform(0, 200, (count, 2))
    boxes = np.concatenate([low, low + generator.uniform(5, 80, (count, 2))], 1)
    return boxes.astype(np.float32), generator.uniform(0, 1, (count, 4)).astype(np.float32)


def test_selection_is_torchvisions_batched_nms():
    boxes, scores = random_candidates()
    found = select_boxes(boxes, scores, 0.8, 0.5, max_boxes=1000)
    best, labels = scores.max(1), scores.argmax(1)
    confident = np.flatnonzero(best >= 0.8)
    kept = batched_nms(
        torch.from_numpy(boxes[confident]),
        torch.from_numpy(best[confident]),
        torch.from_numpy(labels[confident]),
        0.5,
    )
    expected = confident[kept.numpy()]
    np.testing.assert_array_equal(found.boxes_xyxy_px, boxes[expected])
    np.testing.assert_array_equal(found.scores, best[expected])
    np.testing.assert_array_equal(found.labels, labels[expected])


def test_selection_is_bounded():
    boxes, scores = random_candidates()
    found = select_boxes(boxes, scores, 0.0, 1.0, max_boxes=7, max_candidates=20)
    assert len(found) == 7
    assert (found.scores >= np.sort(scores.max(1))[-20]).all()


def test_boxes_without_area_or_with_nan_are_dropped():
    boxes = np.array([[5, 5, 5, 9], [0, 0, np.nan, 4], [1, 1, 3, 3]], np.float32)
    found = select_boxes(boxes, np.full((3, 1), 0.9, np.float32))
    np.testing.assert_array_equal(found.boxes_xyxy_px, [[1, 1, 3, 3]])


def test_nothing_found_is_an_empty_answer():
    boxes, scores = random_candidates()
    found = select_boxes(boxes, 0.1 * scores, 0.5)
    assert len(found) == 0
    assert found.boxes_xyxy_px.shape == (0, 4)


def test_yolox_cell_is_decoded_as_its_paper_says():
    cells, strides = grid_centers((64, 96), (8, 16, 32))
    output = np.zeros((1, len(cells), 7), np.float32)
    row = 96 + 1 * 6 + 2  # level of stride 16, row 1, column 2
    output[0, row] = [0.25, -0.5, np.log(2.0), np.log(3.0), 0.5, 0.2, 0.8]
    boxes, scores = decode_yolox(output, (64, 96))
    center_x, center_y = (2 + 0.25) * 16, (1 - 0.5) * 16
    expected = [center_x - 16, center_y - 24, center_x + 16, center_y + 24]
    np.testing.assert_allclose(boxes[row], expected, rtol=1e-6)
    np.testing.assert_allclose(scores[row], [0.1, 0.4], rtol=1e-6)
    assert strides[row] == 16


def test_yolox_output_of_another_input_is_refused():
    with pytest.raises(ValueError, match=r"expected \(126, 5 \+ classes\).*got \(125, 85\)"):
        decode_yolox(np.zeros((1, 125, 85), np.float32), (64, 96))

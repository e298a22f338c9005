"""What the camera overlay draws, where, and in which colour."""

import dataclasses
import time

import cv2
import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import CAMVID_LABELS, OBJECT_LABELS, LabelSet
from spatial_perception.core.pose import Pose
from spatial_perception.visualization.overlay import OverlayStyle, draw_overlay

HEADER = Header(1, "camera_front_optical_frame")
CAMERA_FROM_BASE = Pose(
    np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.array([0.0, 1.5, 0.0])
)


def gray_image(height: int = 240, width: int = 320) -> CameraImage:
    return CameraImage(HEADER, np.full((height, width, 3), 100, np.uint8))


def boxes(*rows: tuple[float, float, float, float], names: LabelSet | None = None) -> Detections2D:
    count = len(rows)
    return Detections2D(
        HEADER,
        np.array(rows, np.float32).reshape(-1, 4),
        np.full(count, 0.9, np.float32),
        np.zeros(count, np.int32),
        names or LabelSet(("car",), np.array([[255, 0, 0]], np.uint8)),
    )


def test_the_input_picture_is_not_written() -> None:
    image = gray_image()
    drawn = draw_overlay(image, detections=boxes((10, 60, 90, 120)))
    assert (image.pixels == 100).all()
    assert (drawn.pixels != 100).any()
    assert drawn.header is image.header


def test_gray_pictures_become_colour() -> None:
    gray = CameraImage(HEADER, np.full((40, 60), 7, np.uint8))
    assert draw_overlay(gray).pixels.shape == (40, 60, 3)


def test_mask_colour_is_blended_by_its_opacity() -> None:
    labels = np.full((240, 320), CAMVID_LABELS.index("road"), np.uint8)
    style = OverlayStyle(mask_opacity=0.25, outline=False)
    drawn = draw_overlay(
        gray_image(), segmentation=LabelImage(HEADER, labels, CAMVID_LABELS), style=style
    )
    road = np.array([128, 64, 128])
    assert drawn.pixels[100, 100] == pytest.approx(0.25 * road + 0.75 * 100, abs=1)


def test_unlabeled_pixels_keep_the_picture() -> None:
    labels = np.full((240, 320), 255, np.uint8)
    drawn = draw_overlay(gray_image(), segmentation=LabelImage(HEADER, labels, CAMVID_LABELS))
    assert (drawn.pixels == 100).all()


def test_a_smaller_mask_covers_the_same_part_of_the_picture() -> None:
    labels = np.full((24, 32), 255, np.uint8)
    labels[:, :16] = 0
    drawn = draw_overlay(gray_image(), segmentation=LabelImage(HEADER, labels, CAMVID_LABELS))
    assert (drawn.pixels[:, :159] != 100).all()
    assert (drawn.pixels[:, 162:] == 100).all()


def test_box_edges_lie_at_their_pixels_in_the_class_colour() -> None:
    drawn = draw_overlay(gray_image(), detections=boxes((40, 60, 140, 160)))
    reds = drawn.pixels[110, :, 0] > drawn.pixels[110, :, 1].astype(int) + 100
    assert set(np.flatnonzero(reds)) == {40, 140}


def test_boxes_below_the_minimum_score_are_left_out() -> None:
    drawn = draw_overlay(
        gray_image(), detections=boxes((40, 60, 140, 160)), style=OverlayStyle(min_score=0.95)
    )
    assert (drawn.pixels == 100).all()


def test_a_sign_replaces_the_detector_box_under_it() -> None:
    green = LabelSet(("stop",), np.array([[0, 255, 0]], np.uint8))
    drawn = draw_overlay(
        gray_image(),
        detections=boxes((40, 60, 100, 120)),
        signs=boxes((41, 61, 101, 121), names=green),
    )
    red = (drawn.pixels[..., 0] > 200) & (drawn.pixels[..., 1] < 60)
    assert not red.any()
    assert ((drawn.pixels[..., 1] > 200) & (drawn.pixels[..., 0] < 60)).any()


def test_boxes_that_are_not_finite_or_far_outside_do_no_harm() -> None:
    nan, far = float("nan"), 1e12
    drawn = draw_overlay(gray_image(), detections=boxes((nan, 0, 5, 5), (-far, -far, -9e11, -9e11)))
    assert drawn.pixels.shape == (240, 320, 3)


def projected_by_opencv(camera: PinholeCamera, points_base: np.ndarray) -> np.ndarray:
    turned, _ = cv2.Rodrigues(CAMERA_FROM_BASE.rotation)
    shift = CAMERA_FROM_BASE.translation
    pixels, _ = cv2.projectPoints(points_base, turned, shift, camera.matrix, camera.distortion)
    return pixels.reshape(-1, 2)


def test_wire_frame_corners_lie_where_opencv_projects_them() -> None:
    camera = examples.example_camera()
    one = Detections3D(
        Header(1, "base_link"),
        np.array([[12.0, 1.0, 0.8]], np.float32),
        np.array([[4.0, 2.0, 1.6]], np.float32),
        np.zeros(1, np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int32),
        OBJECT_LABELS,
    )
    drawn = draw_overlay(
        gray_image(480, 640), objects=one, camera=camera, camera_from_objects=CAMERA_FROM_BASE
    )
    corners = np.array(
        [[x, y, z] for x in (10.0, 14.0) for y in (0.0, 2.0) for z in (0.0, 1.6)], np.float64
    )
    changed = (drawn.pixels != 100).any(axis=2)
    for u, v in projected_by_opencv(camera, corners):
        column, row = round(u), round(v)
        assert changed[row - 1 : row + 2, column - 1 : column + 2].any()
    rows, columns = np.nonzero(changed)
    expected = projected_by_opencv(camera, corners)
    assert columns.min() == pytest.approx(expected[:, 0].min(), abs=2)
    assert columns.max() == pytest.approx(expected[:, 0].max(), abs=2)
    assert rows.min() == pytest.approx(expected[:, 1].min(), abs=2)
    assert rows.max() == pytest.approx(expected[:, 1].max(), abs=2)


@pytest.mark.parametrize("x_m", [-12.0, 1.0])
def test_objects_behind_or_around_the_camera_do_no_harm(x_m: float) -> None:
    objects = examples.example_detections3d()
    centers = np.array([[x_m, 0, 0.8], [x_m, 0.5, 0.8]], np.float32)
    drawn = draw_overlay(
        gray_image(),
        objects=dataclasses.replace(objects, centers_m=centers),
        camera=examples.example_camera(),
        camera_from_objects=CAMERA_FROM_BASE,
    )
    assert (drawn.pixels == 100).all() == (x_m < 0)


def test_an_uncalibrated_camera_leaves_objects_out() -> None:
    camera = dataclasses.replace(examples.example_camera(), matrix=np.zeros((3, 3)))
    drawn = draw_overlay(
        gray_image(),
        objects=examples.example_detections3d(),
        camera=camera,
        camera_from_objects=CAMERA_FROM_BASE,
    )
    assert (drawn.pixels == 100).all()


def test_a_full_overlay_takes_a_few_milliseconds() -> None:
    image = gray_image(375, 1242)
    labels = np.random.default_rng(0).integers(0, 11, (375, 1242)).astype(np.uint8)
    many = boxes(*[(60.0 * i, 100, 60.0 * i + 50, 160) for i in range(20)])

    def elapsed_s() -> float:
        start = time.perf_counter()
        draw_overlay(image, segmentation=LabelImage(HEADER, labels, CAMVID_LABELS), detections=many)
        return time.perf_counter() - start

    assert min(elapsed_s() for _ in range(10)) < 0.02

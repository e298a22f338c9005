"""Value types refuse what does not fit and say expected and got."""

import dataclasses

import cv2
import numpy as np
import pytest

from spatial_perception.core import (
    CAMVID_LABELS,
    CameraImage,
    Detections3D,
    Header,
    LabelSet,
    PinholeCamera,
    PointCloud,
    Pose,
    examples,
)


def test_wrong_dtype_says_expected_and_got() -> None:
    with pytest.raises(ValueError, match="points: expected dtype float32, got float64"):
        PointCloud(Header(0, "lidar"), np.zeros((4, 3)))


def test_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"intensity: expected shape \(4\), got \(3,\)"):
        PointCloud(Header(0, "lidar"), np.zeros((4, 3), np.float32), np.zeros(3, np.float32))


def test_label_set_names_and_unlabeled() -> None:
    assert CAMVID_LABELS.name(CAMVID_LABELS.index("tree")) == "tree"
    assert CAMVID_LABELS.name(255) == "unlabeled"
    with pytest.raises(KeyError, match="no class 'treee'"):
        CAMVID_LABELS.index("treee")
    with pytest.raises(ValueError, match="unique"):
        LabelSet(("a", "a"))


def test_default_palette_keeps_classes_apart() -> None:
    colors = LabelSet(tuple("abcdefghij")).colors.astype(int)
    distance = np.abs(colors[:, None] - colors[None]).sum(axis=2) + 999 * np.eye(10, dtype=int)
    assert distance.min() > 30


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [
        ("plumb_bob", [-0.3, 0.1, 0.001, -0.002, 0.01]),
        ("rational_polynomial", [-0.3, 0.1, 0.001, -0.002, 0.01, 0.2, -0.1, 0.02]),
    ],
)
def test_projection_equals_opencv(model: str, coefficients: list[float]) -> None:
    camera = examples.example_camera()
    distorted = PinholeCamera(camera.header, 640, 480, camera.matrix, np.array(coefficients), model)
    points = np.random.default_rng(0).uniform([-1, -1, 2], [1, 1, 6], (20, 3))
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), camera.matrix, np.array(coefficients)
    )
    uv_px, depth_m = distorted.project(points)
    np.testing.assert_allclose(uv_px, expected[:, 0], atol=1e-8)
    np.testing.assert_allclose(depth_m, points[:, 2])


def test_fisheye_projection_equals_opencv() -> None:
    camera = examples.example_camera()
    coefficients = np.array([0.1, -0.02, 0.003, -0.0004])
    fisheye = PinholeCamera(camera.header, 640, 480, camera.matrix, coefficients, "equidistant")
    points = np.random.default_rng(0).uniform([-2, -2, 1], [2, 2, 6], (20, 1, 3))
    expected, _ = cv2.fisheye.projectPoints(
        points, np.zeros(3), np.zeros(3), camera.matrix, coefficients
    )
    np.testing.assert_allclose(fisheye.project(points[:, 0])[0], expected[:, 0], atol=1e-8)


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [
        ("plumb_bob", []),
        ("plumb_bob", [-0.3, 0.1, 0.001, -0.002, 0.01]),
        ("rational_polynomial", [-0.3, 0.1, 0.001, -0.002, 0.01, 0.2, -0.1, 0.02]),
        ("equidistant", [0.1, -0.02, 0.003, -0.0004]),
        ("equidistant", []),
    ],
)
def test_rays_are_the_way_back_of_the_projection(model: str, coefficients: list[float]) -> None:
    matrix = examples.example_camera().matrix
    camera = PinholeCamera(Header(0, "cam"), 640, 480, matrix, np.array(coefficients), model)
    points = np.random.default_rng(0).uniform([-0.8, -0.6, 1], [0.8, 0.6, 1], (50, 3))
    uv_px, _ = camera.project(points)
    assert np.isfinite(uv_px).all()
    rays = camera.rays(uv_px)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1.0)
    np.testing.assert_allclose(camera.project(rays)[0], uv_px, atol=0.02)
    np.testing.assert_allclose(rays, points / np.linalg.norm(points, axis=1)[:, None], atol=2e-4)


def test_a_fisheye_looks_behind_itself() -> None:
    matrix = np.diag([200.0, 200.0, 1.0])
    camera = PinholeCamera(Header(0, "cam"), 640, 480, matrix, np.zeros(4), "equidistant")
    (ray,) = camera.rays(np.array([[200.0 * np.radians(100.0), 0.0]]))
    np.testing.assert_allclose(
        ray, [np.sin(np.radians(100)), 0.0, np.cos(np.radians(100))], atol=1e-5
    )


def test_pixels_beyond_a_lens_get_its_outermost_ray() -> None:
    matrix = np.diag([300.0, 300.0, 1.0])
    camera = PinholeCamera(Header(0, "cam"), 640, 480, matrix, np.array([-0.3, 0.0, 0.0, 0.0]))
    (ray,) = camera.rays(np.array([[-900.0, 0.0]]))
    assert ray[0] / ray[2] == pytest.approx(-1.0541, abs=0.01)


def test_a_fisheye_without_coefficients_is_one_still() -> None:
    camera = PinholeCamera(
        Header(0, "cam"), 640, 480, np.diag([100.0, 100.0, 1.0]), np.zeros(4), "equidistant"
    )
    uv_px, _ = camera.project(np.array([[1.0, 0.0, 1.0]]))
    np.testing.assert_allclose(uv_px, [[100.0 * np.pi / 4, 0.0]])


def test_points_far_aside_do_not_come_back_into_the_picture() -> None:
    camera = PinholeCamera(
        Header(0, "cam"), 640, 480, np.diag([300.0, 300.0, 1.0]), np.array([-0.3, 0.0, 0.0, 0.0])
    )
    # r (1 - 0.3 r^2) grows up to r = 1 / sqrt(0.9) = 1.054
    uv_px, _ = camera.project(np.array([[1.0, 0.0, 1.0], [1.1, 0.0, 1.0], [1.8, 0.0, 1.0]]))
    assert np.isfinite(uv_px).all(axis=1).tolist() == [True, False, False]


def test_an_unknown_distortion_model_is_named() -> None:
    camera = PinholeCamera(
        Header(0, "cam"), 640, 480, np.eye(3), np.array([0.1, 0.0, 0.0, 0.0]), "radtan"
    )
    with pytest.raises(ValueError, match="unknown distortion model 'radtan'; known: plumb_bob"):
        camera.project(np.zeros((1, 3)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
def test_points_behind_or_beside_the_camera_have_no_pixel(model: str) -> None:
    camera = dataclasses.replace(examples.example_camera(), distortion_model=model)
    uv_px, _ = camera.project(np.array([[0.0, 0.0, -5.0], [0.0, 0.0, 0.0], [1e200, 1.0, 1e-9]]))
    assert np.isnan(uv_px).all()


def test_uncalibrated_camera_refuses_to_project() -> None:
    camera = PinholeCamera(Header(0, "cam"), 640, 480, np.zeros((3, 3)))
    assert not camera.is_calibrated
    with pytest.raises(ValueError, match="'cam': not calibrated"):
        camera.project(np.zeros((1, 3)))


def test_gray_pictures_become_rgb() -> None:
    deep = CameraImage(Header(0, "cam"), np.array([[0, 65535]], np.uint16))
    assert deep.rgb().tolist() == [[[0, 0, 0], [255, 255, 255]]]
    real = CameraImage(Header(0, "cam"), np.array([[0.5, np.nan]], np.float32))
    assert real.rgb()[0, :, 0].tolist() == [128, 0]


def test_transformed_boxes_turn_with_the_frame() -> None:
    boxes = examples.example_detections3d()
    pose = Pose.from_yaw(0.4, np.array([1.0, -2.0, 0.5]))
    moved = boxes.transformed(pose, "map")
    np.testing.assert_allclose(
        moved.corners().reshape(-1, 3),
        pose.apply(boxes.corners().reshape(-1, 3)),
        atol=1e-5,
    )
    assert moved.header.frame_id == "map"


def test_empty_detections_have_corners() -> None:
    empty = Detections3D.empty(Header(0, "base_link"), examples.example_detections3d().label_set)
    assert empty.corners().shape == (0, 8, 3)


def test_voxel_centres_are_half_a_voxel_in() -> None:
    grid = examples.example_voxel_grid()
    np.testing.assert_allclose(
        grid.occupied_centers(), [[0.2, 0.0, -0.2], [0.6, -0.4, 0.2]], atol=1e-6
    )

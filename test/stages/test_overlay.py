"""The overlay waits for its parts, draws nothing that nobody sees, and names bad calibration."""

import numpy as np
import pytest

from spatial_perception.core import (
    CAMVID_LABELS,
    CameraImage,
    Header,
    LabelImage,
    PinholeCamera,
    StampedTransform,
    Transforms,
)
from spatial_perception.core.examples import example_camera, example_detections3d
from spatial_perception.core.pose import Pose
from spatial_perception.stages.overlay import OverlayStage, OverlayStageConfig
from spatial_perception.stages.stage import DropCause

FRAME = "camera_front_optical_frame"
MS = 1_000_000
OPTICAL_FROM_BASE = Pose(
    np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.array([0.0, 1.5, 0.0])
)


def picture(stamp_ns: int) -> CameraImage:
    return CameraImage(Header(stamp_ns, FRAME), np.full((480, 640, 3), 100, np.uint8))


def mask(stamp_ns: int) -> LabelImage:
    return LabelImage(Header(stamp_ns, FRAME), np.full((480, 640), 3, np.uint8), CAMVID_LABELS)


def make(*parts: str) -> OverlayStage:
    return OverlayStage(OverlayStageConfig(parts=parts))


def test_a_picture_is_drawn_once_its_parts_are_there() -> None:
    stage = make("segmentation")
    assert list(stage.push("front/image", picture(5))) == []
    ((port, drawn),) = stage.push("front/segmentation", mask(5))
    assert port == "front/overlay"
    assert drawn.header == Header(5, FRAME)
    assert not np.array_equal(drawn.pixels, picture(5).pixels)


def test_a_picture_whose_part_never_comes_is_a_counted_drop() -> None:
    stage = make("segmentation")
    stage.push("front/image", picture(0))
    stage.push("front/image", picture(501 * MS))
    assert stage.drops == {DropCause.EXPIRED: 1}
    stage.flush()
    assert stage.drops == {DropCause.EXPIRED: 2}


def test_nothing_is_drawn_or_kept_while_nobody_looks() -> None:
    stage = make()
    stage.is_wanted = lambda port: False
    assert list(stage.push("front/image", picture(5))) == []
    stage.flush()
    assert not stage.drops
    assert stage.status() == {"idle": "nobody takes its pictures"}


def drawn_with_objects(offset_ms: int) -> np.ndarray:
    stage = make()
    objects = example_detections3d()
    stamp_ns = objects.header.stamp_ns
    header = Header(stamp_ns, FRAME)
    transform = StampedTransform(header, "base_link", OPTICAL_FROM_BASE)
    stage.push("tf_static", Transforms((transform,)))
    stage.push("front/camera_info", example_camera())
    stage.push("detections", objects)
    ((_, drawn),) = stage.push("front/image", picture(stamp_ns + offset_ms * MS))
    return drawn.pixels


def test_objects_are_drawn_while_they_are_fresh() -> None:
    assert not np.array_equal(drawn_with_objects(3), picture(0).pixels)
    np.testing.assert_array_equal(drawn_with_objects(251), picture(0).pixels)


def test_an_uncalibrated_camera_degrades_and_is_named() -> None:
    stage = make()
    stage.push("front/camera_info", PinholeCamera(Header(0, FRAME), 640, 480, np.zeros((3, 3))))
    assert len(stage.push("front/image", picture(5))) == 1
    assert "camera front: not calibrated" in stage.status()["degraded"]


@pytest.mark.parametrize(("shape", "is_drawn"), [((480, 640), True), ((240, 320), False)])
def test_objects_are_not_drawn_where_the_calibration_is_of_pictures_of_another_size(
    shape: tuple[int, int], is_drawn: bool
) -> None:
    stage = make()
    objects = example_detections3d()
    header = Header(objects.header.stamp_ns, FRAME)
    stage.push("tf_static", Transforms((StampedTransform(header, "base_link", OPTICAL_FROM_BASE),)))
    stage.push("front/camera_info", example_camera())
    stage.push("detections", objects)
    image = CameraImage(header, np.full((*shape, 3), 100, np.uint8))
    ((_, drawn),) = stage.push("front/image", image)
    assert np.any(drawn.pixels != image.pixels) == is_drawn
    trouble = "camera_info is for pictures of 640x480, these have 320x240, objects are not drawn"
    assert (stage.status().get("degraded") == f"camera front: {trouble}") != is_drawn


def test_parts_that_nobody_makes_are_named_until_they_come() -> None:
    stage = make("segmentation")
    stage.push("front/image", picture(5))
    stage.flush()
    assert "not all of segmentation came" in stage.status()["degraded"]
    stage.push("front/image", picture(6))
    stage.push("front/segmentation", mask(6))
    assert not stage.status()

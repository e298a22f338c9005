"""The camera picture with what was seen in it: classes, boxes, signs, lights, objects in space."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core.boxes import iou_2d
from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.visualization.text import draw_tag, text_size_px
from spatial_perception.visualization.theme import Rgb, RgbImage, rgb
from spatial_perception.visualization.wireframe import draw_wireframes

_REFERENCE_HEIGHT_PX = 420
_SAME_OBJECT_IOU = 0.4
_REACH_PX = 1 << 14


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What a camera overlay shows and how.

    Attributes:
        mask_opacity: Of the segmentation's colours, 0 .. 1.
        outline: Draw the border between two classes in full colour.
        min_score: Boxes and objects below this score are left out.
    """

    mask_opacity: float = 0.42
    outline: bool = True
    min_score: float = 0.0


def draw_overlay(
    image: CameraImage,
    *,
    segmentation: LabelImage | None = None,
    detections: Detections2D | None = None,
    signs: Detections2D | None = None,
    lights: Detections2D | None = None,
    objects: Detections3D | None = None,
    camera: PinholeCamera | None = None,
    camera_from_objects: Pose | None = None,
    style: OverlayStyle | None = None,
) -> CameraImage:
    """Returns the picture with everything given drawn into a copy of it.

    Args:
        image: The camera's picture.
        segmentation: Class per pixel; resized when its size differs. Unlabeled pixels stay.
        detections: Boxes in the picture's pixels.
        signs: Traffic signs with their names; they take the place of a detector's box.
        lights: Traffic lights with their state, likewise.
        objects: Boxes in space, drawn as wire frames where the camera can project.
        camera: Calibration of the picture; without it `objects` are left out.
        camera_from_objects: Optical frame from the frame of `objects`; likewise.
        style: What is shown and how.

    Returns:
        An RGB picture with the header of `image`.
    """
    style = style or OverlayStyle()
    pixels = np.ascontiguousarray(image.rgb())
    pixels = pixels.copy() if pixels is image.pixels else pixels
    if segmentation is not None:
        pixels = _with_mask(pixels, segmentation, style)
    ready = camera is not None and not camera.flaw and camera_from_objects is not None
    if objects is not None and ready and camera is not None and camera_from_objects is not None:
        shown = objects.selected(objects.scores >= style.min_score)
        draw_wireframes(pixels, shown, camera, camera_from_objects)
    named = [part for part in (signs, lights) if part is not None and len(part)]
    taken: list[tuple[int, int, int, int]] = []
    for part in named:
        _draw_boxes(pixels, part, style, taken)
    if detections is not None:
        _draw_boxes(pixels, _without_named(detections, named), style, taken)
    return CameraImage(image.header, pixels)


def _with_mask(pixels: RgbImage, segmentation: LabelImage, style: OverlayStyle) -> RgbImage:
    labels = segmentation.labels
    if labels.shape != pixels.shape[:2]:
        size = pixels.shape[1], pixels.shape[0]
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    colors = cv2.applyColorMap(labels, segmentation.label_set.color_lut[:, None, :])
    blended = cv2.addWeighted(colors, style.mask_opacity, pixels, 1 - style.mask_opacity, 0)
    if style.outline:
        border = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
        cv2.copyTo(colors, border, blended)
    cv2.copyTo(pixels, (labels == UNLABELED).view(np.uint8), blended)
    return blended


def _without_named(detections: Detections2D, named: list[Detections2D]) -> Detections2D:
    """Returns the boxes that no sign or light stands on."""
    keep = np.ones(len(detections), bool)
    for part in named:
        overlap = iou_2d(detections.boxes_xyxy_px, part.boxes_xyxy_px)
        keep &= ~(overlap > _SAME_OBJECT_IOU).any(axis=1)
    return detections.selected(keep)


def _draw_boxes(
    pixels: RgbImage,
    detections: Detections2D,
    style: OverlayStyle,
    taken: list[tuple[int, int, int, int]],
) -> None:
    """Draws boxes, best last, then tags where they cover no other tag, best first."""
    drawable = np.isfinite(detections.boxes_xyxy_px).all(axis=1)
    shown = detections.selected(drawable & (detections.scores >= style.min_score))
    size_factor = max(pixels.shape[0] / _REFERENCE_HEIGHT_PX, 0.85)
    order = np.argsort(shown.scores, kind="stable")
    colors = [rgb(shown.label_set.color_lut[int(label)]) for label in shown.labels]
    for index in order:
        _draw_box(pixels, shown.boxes_xyxy_px[index], colors[index], size_factor)
    for index in order[::-1]:
        name = shown.label_set.name(int(shown.labels[index])).replace("_", " ")
        text = f"{name} {shown.scores[index]:.2f}"
        _place_tag(pixels, shown.boxes_xyxy_px[index], text, colors[index], size_factor, taken)


def _draw_box(pixels: RgbImage, box_px: np.ndarray, color: Rgb, size_factor: float) -> None:
    """Draws a fine rectangle with strong corners."""
    left, top, right, bottom = np.clip(np.rint(box_px), -_REACH_PX, _REACH_PX).astype(int).tolist()
    cv2.rectangle(pixels, (left, top), (right, bottom), color, 1, cv2.LINE_AA)
    reach = max(3, round(min(right - left, bottom - top) * 0.22))
    strong = max(2, round(2.2 * size_factor))
    for x, x_step in ((left, reach), (right, -reach)):
        for y, y_step in ((top, reach), (bottom, -reach)):
            cv2.line(pixels, (x, y), (x + x_step, y), color, strong)
            cv2.line(pixels, (x, y), (x, y + y_step), color, strong)


def _place_tag(
    pixels: RgbImage,
    box_px: np.ndarray,
    text: str,
    color: Rgb,
    size_factor: float,
    taken: list[tuple[int, int, int, int]],
) -> None:
    """Writes the tag above, inside or under its box; leaves it out where all are taken."""
    scale = 0.36 * size_factor
    width, height = text_size_px(text, scale)
    left, top, _, bottom = (float(value) for value in box_px)
    size_px = (width + 6, height + 6)
    room_x = max(pixels.shape[1] - size_px[0], 0)
    x = min(max(left - 1, 0), room_x)
    for y, below in ((top - 1, False), (bottom + 1, True), (top + 2, True)):
        y0 = y if below else y - size_px[1]
        if y0 < 0 or y0 + size_px[1] >= pixels.shape[0]:
            continue
        candidate = (int(x), int(y0), int(x + size_px[0]), int(y0 + size_px[1]))
        if not any(_overlaps(candidate, other) for other in taken):
            taken.append(draw_tag(pixels, text, (x, y), color, scale=scale, below=below))
            return


def _overlaps(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]

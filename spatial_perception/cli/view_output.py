"""The files of a view: video and pictures, and the frames that its report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from spatial_perception.cli.view_plan import FramePlan, frame_rate_hz
from spatial_perception.errors import PerceptionError
from spatial_perception.visualization.bev_view import BevView
from spatial_perception.visualization.composition import Layout, compose
from spatial_perception.visualization.occupancy import VoxelView
from spatial_perception.visualization.report import KeyFrame, ReportFrame, encode_picture
from spatial_perception.visualization.scene import Scene
from spatial_perception.visualization.theme import RgbImage
from spatial_perception.visualization.video import CODECS, VideoWriter

_SLIDER_FRAMES = 48
_SLIDER_WIDTH_PX = 1120
_KEY_FRAMES = 3
MAX_PICTURES = 24
_FALLBACK_HZ = 10.0
_USUAL_SIZE_PX = (1280, 720)
_MAX_FPS, _MIN_FPS = 60.0, 1.0
_FROM_ABOVE = ("cloud", "labelled", "objects", "tracks", "grid")
_BEV_VIEW = BevView(900, 900, back_m=20.0, ahead_m=60.0)
_VOXEL_VIEW = VoxelView(900, 900, center_m=(22.0, 0.0, 0.0))


class ViewOutput:
    """Writes video and pictures as scenes come; use it as a context manager.

    Args:
        folder: Where to write; made where it is missing.
        title: Stands in every frame.
        roles: Which parts the recording has.
        plans: All frames, for their number and rate.
        write_all: Write all frames as PNG rather than an even choice.
        codecs: Of the video, see `VideoWriter`.

    Attributes:
        written: Files and folders that were written.
        frames: Frames of the report's slider.
        key_frames: Instants that the report shows in full size.
        rate_hz: Usual number of frames a second.
        frame_count: How many scenes were added.

    Raises:
        PerceptionError: The folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        roles: Mapping[str, str],
        plans: Sequence[FramePlan],
        *,
        write_all: bool = False,
        codecs: tuple[str, ...] = CODECS,
    ) -> None:
        self.written: list[Path] = []
        self.frames: list[ReportFrame] = []
        self.key_frames: list[KeyFrame] = []
        self.rate_hz = frame_rate_hz([plan.stamp_ns for plan in plans]) or _FALLBACK_HZ
        self.frame_count = 0
        self._folder = folder
        self._title = title
        self._roles = roles
        self._total = len(plans)
        self._slider = _evenly(self._total, _SLIDER_FRAMES)
        self._keys = _evenly(self._total, _KEY_FRAMES)
        self._pictures = _evenly(self._total, self._total if write_all else MAX_PICTURES)
        self._has_bev = any(role in roles for role in _FROM_ABOVE)
        self._layout: Layout | None = None
        _make_folder(folder)
        fps = min(max(self.rate_hz, _MIN_FPS), _MAX_FPS)
        self._video = VideoWriter(folder / "video.mp4", fps, codecs)

    def __enter__(self) -> ViewOutput:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._video.close()

    def add(self, scene: Scene) -> None:
        """Draws one scene into all files that show it."""
        index = self.frame_count
        self.frame_count += 1
        if self._layout is None:
            self._layout = self._layout_for(scene)
            self.written.insert(0, self._video.path)
        label = f"{_time_text(scene.stamp_ns)} UTC   {index + 1}/{self._total}"
        note = f"{self.rate_hz:.1f} Hz   {label}"
        sheet = compose(scene, self._layout, self._title, note)
        self._video.write(sheet)
        if index in self._slider:
            self.frames.append(ReportFrame(label, encode_picture(sheet, _SLIDER_WIDTH_PX)))
        if index in self._pictures or index in self._keys:
            self._write_pictures(scene, index, label)

    def _layout_for(self, scene: Scene) -> Layout:
        """Returns a layout for all scenes; the picture of the first one may be damaged."""
        size_px = _USUAL_SIZE_PX if "image" in self._roles else None
        if scene.camera is not None and size_px and scene.camera.width and scene.camera.height:
            size_px = scene.camera.width, scene.camera.height
        if scene.image is not None:
            size_px = scene.image.width, scene.image.height
        return Layout.for_recording(
            size_px,
            has_bev=self._has_bev,
            has_voxels="voxels" in self._roles,
            has_grid="grid" in self._roles,
        )

    def _write_pictures(self, scene: Scene, index: int, label: str) -> None:
        pictures: dict[str, RgbImage | None] = {"overlay": scene.overlay_picture()}
        if self._has_bev:
            pictures["bev"] = scene.bev_picture(_BEV_VIEW)
        if index in self._pictures:
            for name, picture in pictures.items():
                self._write_picture(name, index, picture)
        if index in self._keys:
            pictures |= {
                "occupancy grid": scene.grid_picture(_BEV_VIEW),
                "semantic occupancy": scene.voxel_picture(_VOXEL_VIEW),
            }
            encoded = {
                name: encode_picture(picture)
                for name, picture in pictures.items()
                if picture is not None
            }
            self.key_frames.append(KeyFrame(label, encoded))

    def _write_picture(self, name: str, index: int, picture: RgbImage | None) -> None:
        if picture is None:
            return
        folder = self._folder / name
        if folder not in self.written:
            _make_folder(folder)
            self.written.append(folder)
        _, png = cv2.imencode(".png", np.ascontiguousarray(picture[:, :, ::-1]))
        (folder / f"{index:06d}.png").write_bytes(png.tobytes())


def _evenly(count: int, most: int) -> frozenset[int]:
    """Returns at most `most` of 0 .. count - 1, evenly spread, both ends among them."""
    chosen = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    return frozenset(chosen.tolist())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PerceptionError(f"{folder}: cannot make this folder ({error.strerror})") from error


def _time_text(stamp_ns: int) -> str:
    time = datetime.fromtimestamp(stamp_ns / 1e9, tz=timezone.utc)
    return f"{time:%Y-%m-%d %H:%M:%S}.{stamp_ns // 1_000_000 % 1000:03d}"

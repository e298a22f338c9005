"""`spatial-perception doctor`: what is installed, what works, and how to get what is missing."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from rich.table import Table
from rich.text import Text

from spatial_perception import __version__
from spatial_perception.cli.console import make_console
from spatial_perception.errors import PerceptionError
from spatial_perception.runtime import BACKENDS, ModelSpec, find_models_dir
from spatial_perception.runtime.backends import get_backend
from spatial_perception.runtime.backends.host import cpu_name
from spatial_perception.runtime.backends.tensorrt import TensorRTRtxBackend
from spatial_perception.runtime.cache import EngineCache
from spatial_perception.runtime.models import model_names

# module, distribution, what it is for, how to get it
_PARTS = (
    ("rosbags", "rosbags", "bags and messages", "pip install rosbags"),
    ("cv2", "opencv-python-headless", "images", "pip install opencv-python-headless"),
    ("torch", "torch", "training, torch backend", "pip install 'spatial_perception[training]'"),
    ("open3d", "open3d", "fast simulation", "pip install 'spatial_perception[simulation]'"),
    ("cyclonedds", "cyclonedds", "DDS without ROS", "pip install 'spatial_perception[dds]'"),
    ("onnx", "onnx", "export; fp16 and int8", "pip install onnx"),
    (
        "kiss_icp",
        "kiss-icp",
        "odometry from scans",
        "pip install 'spatial_perception[scan-matching]'",
    ),
    ("rclpy", "rclpy", "ROS 2 nodes", "source /opt/ros/DISTRIBUTION/setup.bash"),
    ("vision_msgs", "vision_msgs", "ROS 2 nodes", "apt install ros-DISTRIBUTION-vision-msgs"),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is installed, which backends work, what is missing",
        description="Looks at this machine and says what is missing and how to get it.",
    )
    parser.add_argument(
        "--repair", type=Path, metavar="BAG", help="write the metadata of a bag that was cut off"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints what there is; 0 when models can run here, 1 when no backend or no model works.

    Raises:
        DatasetError: If the bag to repair cannot be read or written.
    """
    console = make_console()
    if arguments.repair is not None:
        from spatial_perception.bags.repair import repair_metadata

        written = repair_metadata(arguments.repair)
        console.print(f"{written}: the bag is complete", soft_wrap=True)
        return 0
    cores = len(os.sched_getaffinity(0))
    console.print(
        f"spatial_perception {__version__}, Python {platform.python_version()},"
        f" {platform.system()} {platform.machine()}, {cpu_name()}, {cores} cores",
    )
    console.print(_parts())
    backends, works = _backends()
    console.print(backends)
    models, sound = _models()
    console.print(models)
    if not works:
        console.print("no backend works: pip install openvino")
    return 0 if works and sound else 1


def _parts() -> Table:
    table = Table("part", "version", "for", title="installed")
    for module, distribution, purpose, hint in _PARTS:
        if importlib.util.find_spec(module) is None:
            table.add_row(module, Text("missing", "yellow"), f"{purpose}: {hint}")
        else:
            table.add_row(module, _version(distribution), purpose)
    return table


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _backends() -> tuple[Table, bool]:
    table = Table("backend", "works", "precisions", "what", title="backends, in the order of auto")
    works = False
    for name in BACKENDS:
        backend = get_backend(name)
        reason = backend.unavailable()
        if reason:
            if isinstance(backend, TensorRTRtxBackend) and not backend.cannot_build():
                reason += "; builds engines for others: engines build --compute-capability"
            table.add_row(name, Text("no", "yellow"), "", reason)
            continue
        works = True
        precisions = " ".join(backend.precisions)
        table.add_row(name, "yes", precisions, f"{backend.version()} on {backend.device()}")
    return table, works


def _models() -> tuple[Table, bool]:
    """Returns the table of models and whether there are any and all are sound."""
    cache = EngineCache()
    free_gb = _free_bytes(cache.folder) / 1e9
    caption = f"engine cache {cache.folder}: {len(cache.entries())} engines, {free_gb:.0f} GB free"
    try:
        folder = find_models_dir()
    except PerceptionError as error:
        return Table(str(error), title="models", caption=caption), False
    table = Table("model", "state", title=f"models in {folder}", caption=caption)
    sound = True
    names = model_names()
    for name in names:
        try:
            spec = ModelSpec.load(folder / name)
            files = ", ".join(v.file for v in spec.variants)
            licence = f" (training data: {spec.data_licence})" if spec.data_licence else ""
            state = Text(files + licence)
        except PerceptionError as error:
            sound = False
            state = Text(str(error), "red")
        table.add_row(name, state)
    return table, sound and bool(names)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free

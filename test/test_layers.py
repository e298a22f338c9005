"""Each layer imports only what the design allows (docs/design.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spatial_perception"
LIGHT = {"numpy", "scipy", "yaml"}

# layer -> (own layers it may import, third-party modules it may import)
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "core": (set(), {"numpy", "scipy"}),
    "ops": ({"core"}, {"numpy", "scipy", "cv2", "torch"}),
    "networks": ({"ops", "core"}, {"numpy", "torch", "torchvision"}),
    "runtime": (
        {"core", "networks"},
        {
            *LIGHT,
            *("openvino", "onnxruntime", "onnx", "tensorrt", "tensorrt_rtx", "cuda"),
            *("torch", "safetensors"),
        },
    ),
    "pipelines": ({"core", "ops", "runtime"}, {"numpy", "scipy", "cv2", "kiss_icp"}),
    "messages": ({"core"}, {"numpy", "rosbags", "cv2"}),
    "visualization": ({"core"}, {"numpy", "cv2", "matplotlib"}),
    "stages": (
        {"pipelines", "runtime", "messages", "visualization", "core"},
        {"numpy"},
    ),
    "datasets": ({"core", "ops"}, {*LIGHT, "cv2", "pyarrow"}),
    "bags": (
        {"messages", "datasets", "core"},
        {*LIGHT, "rosbags", "cv2", "backports", "compression", "lz4"},
    ),
    "nodes": ({"stages", "messages", "core"}, {"numpy", "rclpy", "ros"}),
    "replay": ({"stages", "bags", "messages", "core"}, {"numpy"}),
    "dds": ({"stages", "messages", "core"}, {"numpy", "cyclonedds"}),
    "simulation": (
        {"core", "messages", "bags", "datasets"},
        {*LIGHT, "cv2", "open3d", "torch"},
    ),
    "evaluation": (
        {"core", "datasets", "pipelines", "runtime", "visualization"},
        {"numpy", "scipy", "cv2", "matplotlib"},
    ),
    "training": (
        {"networks", "datasets", "ops", "core", "runtime", "pipelines", "evaluation"},
        {*LIGHT, "cv2", "torch", "torchvision", "onnx", "onnxruntime", "safetensors", "rich"},
    ),
}
ROS = {"rclpy", "launch", "launch_ros", "ament_index_python", "lifecycle_msgs", "rcl_interfaces"}
SHARED = {"errors", "config"}
EAGER_FORBIDDEN = {  # must be imported inside functions, so that a vehicle's install stays light
    "ops": {"torch"},
    "runtime": {
        *("openvino", "onnxruntime", "onnx", "tensorrt", "tensorrt_rtx"),
        *("cuda", "torch", "safetensors", "spatial_perception.networks"),
    },
    "pipelines": {"kiss_icp"},
    "datasets": {"pyarrow"},
    "simulation": {"open3d"},
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yields the full dotted name of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def eager_imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from imports(node)


FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE)


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])
def test_file_imports_only_what_its_layer_may(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0]
    if layer == "cli":
        own, third = {p.name for p in PACKAGE.iterdir() if p.is_dir()} - {"nodes"}, None
    else:
        assert layer in ALLOWED, f"layer '{layer}' is not in the design"
        own, third = ALLOWED[layer]
    for name in imports(ast.parse(path.read_text())):
        top, *rest = name.split(".")
        if top == "spatial_perception":
            used = rest[0]
            fits = used == layer or used in own or used in SHARED or used == "__version__"
            assert fits, f"{layer} may not import spatial_perception.{used}"
        elif layer == "nodes" and (top in ROS or top.endswith("_msgs")):
            continue
        elif not is_standard(top):
            assert top not in ROS, f"only nodes may import {top}"
            assert third is None or top in third, f"{layer} may not import {top}"


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])
def test_heavy_libraries_are_imported_lazily(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0]
    forbidden = EAGER_FORBIDDEN.get(layer, set())
    for name in eager_imports(ast.parse(path.read_text())):
        heavy = [f for f in forbidden if name == f or name.startswith(f + ".")]
        assert not heavy, f"import {heavy[0]} inside the function that needs it"


def is_standard(top: str) -> bool:
    import sys

    return top in sys.stdlib_module_names


def test_every_layer_of_the_table_exists_or_is_planned() -> None:
    present = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert present - {"cli"} <= set(ALLOWED)

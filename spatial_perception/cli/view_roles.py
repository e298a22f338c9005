"""Which topic of a recording plays which part in a picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from spatial_perception.cli.view_index import TopicTimes
from spatial_perception.errors import DatasetError

_IMAGE_TYPES: Final = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_CAMERA_INFO_TYPE: Final = "sensor_msgs/msg/CameraInfo"
_CLOUD_TYPE: Final = "sensor_msgs/msg/PointCloud2"

# part -> the end of its topic (a namespace may stand before it) and its type; {lidar} is the name
# of a LiDAR with a slash before it, empty for a lone one
_RESULTS: Final = {
    "segmentation": ("/perception/camera/{camera}/segmentation", _IMAGE_TYPES[0]),
    "detections": ("/perception/camera/{camera}/detections", "vision_msgs/msg/Detection2DArray"),
    "signs": ("/perception/camera/{camera}/signs", "vision_msgs/msg/Detection2DArray"),
    "lights": ("/perception/camera/{camera}/lights", "vision_msgs/msg/Detection2DArray"),
    "objects": ("/perception/lidar{lidar}/detections", "vision_msgs/msg/Detection3DArray"),
    "tracks": ("/perception/objects/states", _CLOUD_TYPE),
    "labelled": ("/perception/lidar{lidar}/segmentation", _CLOUD_TYPE),
    "voxels": ("/perception/occupancy{lidar}/voxels", _CLOUD_TYPE),
    "grid": ("/perception/occupancy/grid", "nav_msgs/msg/OccupancyGrid"),
}
_RESULT_LEVEL: Final = "/perception/"
_LIDAR_RESULT: Final = re.compile(
    r"/perception/(?:lidar|occupancy)(/[^/]+)?/(?:detections|segmentation|voxels)$"
)
_LIDAR_POINTS: Final = re.compile(r"/sensing/lidar(/[^/]+)?/points$")
_CAMERA_LEVEL: Final = re.compile(r"/camera/([^/]+)/")
RESULT_PARTS: Final = tuple(_RESULTS)
CAMERA_PARTS: Final = ("image", "camera", "segmentation", "detections", "signs", "lights")
LIDAR_PARTS: Final = ("cloud", "labelled", "objects", "tracks", "voxels", "grid")


def camera_name(topics: Iterable[str]) -> str:
    """Returns the first camera that has results, else the first that has pictures, or 'front'."""
    names = list(topics)
    for pattern in (r"/perception/camera/([^/]+)/", r"/sensing/camera/([^/]+)/"):
        for topic in names:
            if match := re.search(pattern, topic):
                return match.group(1)
    return "front"


def check_camera(topics: Iterable[str], camera: str) -> None:
    """Checks that a recording has a camera of that name.

    Raises:
        DatasetError: It has none; names those that there are.
    """
    known = sorted({name for topic in topics for name in _CAMERA_LEVEL.findall(topic)})
    if camera not in known:
        raise DatasetError(
            f"no camera '{camera}' in the bag; cameras: {', '.join(known) or 'none'}"
        )


def _namespace(topics: Iterable[str]) -> str:
    """Returns the namespace with most results: several vehicles may be in one recording."""
    found = Counter(topic.partition(_RESULT_LEVEL)[0] for topic in topics if _RESULT_LEVEL in topic)
    return min(found, key=lambda name: (-found[name], len(name), name), default="")


def _lidar_level(topics: Mapping[str, TopicTimes], namespace: str) -> str:
    """Returns the level of the LiDAR in topics: empty for one without a name, else `/NAME`.

    Of several the one whose stamps recur on the tracks, else the first.
    """
    states, ros_type = _RESULTS["tracks"]
    tracks = _ending(topics, states, (ros_type,), namespace)
    tracked = set(topics[tracks].stamps_ns) if tracks else set()
    for pattern, start in ((_LIDAR_RESULT, namespace + _RESULT_LEVEL), (_LIDAR_POINTS, "")):
        levels: dict[str, int] = {}
        for topic, times in topics.items():
            if topic.startswith(start) and (match := pattern.search(topic)):
                level = match.group(1) or ""
                common = len(tracked.intersection(times.stamps_ns))
                levels[level] = max(levels.get(level, 0), common)
        if levels:
            return "" if "" in levels else max(levels, key=lambda level: levels[level])
    return ""


def find_roles(topics: Mapping[str, TopicTimes], camera: str) -> dict[str, str]:
    """Returns the topic of each part of a picture; parts that are not recorded are left out.

    Results are found by name. Inputs are found by name too, and where the recording uses other
    names, by type: the one whose stamps recur on the results.

    Args:
        topics: What was recorded.
        camera: Name of the camera.
    """
    filled = {name: topic for name, topic in topics.items() if topic.stamps_ns}
    namespace = _namespace(filled)
    lidar = _lidar_level(filled, namespace)
    roles: dict[str, str] = {}
    for role, (ending, ros_type) in _RESULTS.items():
        ending = ending.format(camera=camera, lidar=lidar)
        if found := _ending(filled, ending, (ros_type,), namespace):
            roles[role] = found
    inputs = {name: topic for name, topic in filled.items() if _RESULT_LEVEL not in name}
    front = f"/sensing/camera/{camera}"
    image = _ending(inputs, f"{front}/image", _IMAGE_TYPES, namespace)
    image = image or _ending(inputs, f"{front}/image/compressed", _IMAGE_TYPES, namespace)
    image = image or _best_match(inputs, _IMAGE_TYPES, _stamps(filled, roles, CAMERA_PARTS))
    info = _ending(inputs, f"{front}/camera_info", (_CAMERA_INFO_TYPE,), namespace)
    if not info and image:
        info = _best_match(inputs, (_CAMERA_INFO_TYPE,), set(filled[image].stamps_ns))
    cloud = _ending(inputs, f"/sensing/lidar{lidar}/points", (_CLOUD_TYPE,), namespace)
    cloud = cloud or _best_match(inputs, (_CLOUD_TYPE,), _stamps(filled, roles, LIDAR_PARTS))
    for role, found in (("image", image), ("camera", info), ("cloud", cloud)):
        if found:
            roles[role] = found
    return roles


def _stamps(
    topics: Mapping[str, TopicTimes], roles: Mapping[str, str], parts: Iterable[str]
) -> set[int]:
    return {stamp for part in parts if part in roles for stamp in topics[roles[part]].stamps_ns}


def _ending(
    topics: Mapping[str, TopicTimes], ending: str, types: tuple[str, ...], namespace: str
) -> str:
    """Returns the topic of a namespace, or of another one where that has none."""
    found = (name for name in topics if name.endswith(ending) and topics[name].ros_type in types)
    return min(found, key=lambda name: (name != namespace + ending, len(name), name), default="")


def _best_match(topics: Mapping[str, TopicTimes], types: tuple[str, ...], stamps: set[int]) -> str:
    """Returns the topic of a type with most of the stamps; with none in common, a lone one."""
    candidates = [name for name, topic in topics.items() if topic.ros_type in types]
    common = {name: len(stamps & set(topics[name].stamps_ns)) for name in candidates}
    best = max(candidates, key=lambda name: common[name], default="")
    return best if best and (common[best] or len(candidates) == 1) else ""

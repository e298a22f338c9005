"""Graphs from parameter files in ROS format."""

import textwrap
from pathlib import Path

import pytest
import yaml

from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.stages.registry import STAGES, build_graph, load_parameters, make_stage


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    return path


def test_shared_values_give_way_to_a_nodes_own(tmp_path: Path) -> None:
    text = """
/**:
  ros__parameters: {max_wait_ms: 100.0}
perception:
  ros__parameters: {stages: [occupancy_mapper]}
occupancy_mapper:
  ros__parameters: {max_wait_ms: 50.0, ground.cell_m: 2.0}
"""
    parameters = load_parameters(write(tmp_path, text))
    assert parameters["occupancy_mapper"] == {"max_wait_ms": 50.0, "ground": {"cell_m": 2.0}}
    assert parameters["lidar_detector"] == {"max_wait_ms": 100.0}
    assert parameters["camera_detector"] == {}, "it waits for nothing"


def test_a_nodes_own_option_leaves_the_shared_ones_of_its_group(tmp_path: Path) -> None:
    text = """
/**:
  ros__parameters: {engine: {backend: onnxruntime, threads: 2}, diagnostics.window_s: 9.0}
camera_detector:
  ros__parameters: {engine: {threads: 1}}
/**/camera_detector:
  ros__parameters: {diagnostics: {warn_rate_hz: 5.0}}
"""
    parameters = load_parameters(write(tmp_path, text))
    assert parameters["camera_detector"] == {
        "engine": {"backend": "onnxruntime", "threads": 1},
        "diagnostics": {"window_s": 9.0, "warn_rate_hz": 5.0},
    }


def test_all_stages_build_from_their_defaults_and_fit_together() -> None:
    graph = build_graph({})
    assert {stage.name for stage in graph.stages} == set(STAGES)
    fed = {port.topic for port in graph.external_inputs()}
    assert fed == {
        "/sensing/lidar/points",
        "/sensing/camera/front/image",
        "/sensing/camera/front/camera_info",
        "/tf",
        "/tf_static",
        "/odom",
    }


def test_the_documented_names_of_several_sensors_leave_no_stage_without_its_input(
    tmp_path: Path,
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "ros.md").read_text()
    section = text[text.index("## Several sensors") :]
    example = section[section.index("    /**:") : section.index("Several vehicles")]
    graph = build_graph(load_parameters(write(tmp_path, textwrap.dedent(example))))
    assert [p.topic for p in graph.external_inputs() if p.topic.startswith("/perception")] == []


def test_no_two_stages_publish_one_topic() -> None:
    topics = [port.topic for port in build_graph({}).outputs()]
    assert len(topics) == len(set(topics))


def test_several_cameras_have_ports_of_their_own() -> None:
    stage = make_stage("camera_detector", {"cameras": ["front", "left"]})
    assert [port.topic for port in stage.outputs] == [
        "/perception/camera/front/detections",
        "/perception/camera/front/candidates",
        "/perception/camera/left/detections",
        "/perception/camera/left/candidates",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lidar_detectr: {ros__parameters: {}}", "unknown node.*did you mean 'lidar_detector'"),
        ("lidar_detector: {score: 1}", "must hold 'ros__parameters:'"),
        ("lidar_detector: 3", "must hold 'ros__parameters:'"),
        ("/**: {ros__parameters: {max_wait_m: 1.0}}", "no node has.*did you mean 'max_wait_ms'"),
    ],
)
def test_mistakes_in_a_parameter_file_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_parameters(write(tmp_path, text))


def test_an_unknown_parameter_names_the_near_miss() -> None:
    with pytest.raises(ConfigError, match="unknown option 'score_treshold'.*'score_threshold'"):
        make_stage("lidar_detector", {"score_treshold": 0.2})


def test_an_unknown_stage_and_an_unknown_model_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown stage 'lidar'"):
        build_graph({}, only=("lidar",))
    stage = make_stage("lidar_detector", {"model": "no_such_model"})
    with pytest.raises(EngineError, match="no_such_model"):
        stage.load()


def test_several_lidars_have_ports_of_their_own() -> None:
    stage = make_stage("lidar_segmenter", {"lidars": ["top", "rear"]})
    assert [port.topic for port in stage.inputs][:2] == [
        "/sensing/lidar/top/points",
        "/sensing/lidar/rear/points",
    ]
    assert [port.topic for port in stage.outputs] == [
        "/perception/lidar/top/segmentation",
        "/perception/lidar/rear/segmentation",
    ]


@pytest.mark.parametrize(
    ("stage", "values"),
    [
        ("camera_detector", {"cameras": ["front", "front"]}),
        ("lidar_detector", {"lidars": ["top", "top"]}),
    ],
)
def test_sensors_of_one_name_are_refused(stage: str, values: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigError, match="twice: names of cameras"):
        build_graph({stage: values}, only=(stage,))


@pytest.mark.parametrize(
    ("stage", "values", "name"),
    [
        ("camera_detector", {"cameras": ["front/wide"]}, "front/wide"),
        ("camera_segmenter", {"cameras": [""]}, ""),
        ("overlay", {"cameras": ["front-left"]}, "front-left"),
        ("lidar_detector", {"lidars": ["", "on top"]}, "on top"),
        ("object_tracker", {"lidar": "2nd"}, "2nd"),
    ],
)
def test_names_of_sensors_that_make_no_topics_are_refused(
    stage: str, values: dict[str, object], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"{stage}: '{name}' is no name of a sensor"):
        make_stage(stage, values)


def test_a_part_that_the_overlay_does_not_know_is_named() -> None:
    with pytest.raises(ConfigError, match="no part 'detection'; did you mean 'detections'"):
        make_stage("overlay", {"parts": ["detection"]})


def test_the_example_for_nav2_takes_topics_that_are_published() -> None:
    path = Path(__file__).parents[2] / "config" / "nav2_costmap.yaml"
    costmap = yaml.safe_load(path.read_text())["local_costmap"]["local_costmap"]["ros__parameters"]
    wanted = {costmap["perception_layer"]["map_topic"]: "nav_msgs/msg/OccupancyGrid"}
    for layer in ("obstacle_layer", "voxel_layer"):
        source = costmap[layer][costmap[layer]["observation_sources"]]
        wanted[source["topic"]] = f"sensor_msgs/msg/{source['data_type']}"
    published = {port.topic: port.codec.ros_type for port in build_graph({}).outputs()}
    assert {topic: published.get(topic) for topic in wanted} == wanted
    assert len(wanted) == 3

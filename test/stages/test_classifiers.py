"""The stages that name signs and lights: from boxes and pictures to messages."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core import CameraImage, Detections2D, Header, LabelImage, LabelSet
from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.messages import DETECTIONS_2D
from spatial_perception.messages.typestore import deserialize
from spatial_perception.messages.vision_msgs import Detection2DArray
from spatial_perception.stages.registry import build_graph, load_parameters, make_stage
from spatial_perception.stages.stage import DropCause
from test.pipelines.models import constant_model

PROBABILITY = 0.7


@pytest.fixture
def model(tmp_path: Path) -> str:
    """Says 'red' with a probability of 0.7, whatever it sees."""
    logits = np.log(np.tile([[PROBABILITY, 0.2, 0.1]], (8, 1)))
    return constant_model(
        tmp_path / "lights",
        (8, 3, 32, 32),
        {"logits": logits},
        ("red", "yellow", "green"),
        input_name="crops",
        decoder="classification",
    )


def picture(stamp_ns: int) -> CameraImage:
    return CameraImage(Header(stamp_ns, "camera"), np.full((100, 200, 3), 90, np.uint8))


def boxes(stamp_ns: int) -> Detections2D:
    return Detections2D(
        Header(stamp_ns, "camera"),
        np.array([[10, 10, 40, 60]], np.float32),
        np.array([0.5], np.float32),
        np.array([1], np.int32),
        LabelSet(("car", "traffic_light")),
    )


@pytest.mark.parametrize(
    ("min_confidence", "name"), [(0.5, "red"), (0.69, "red"), (0.71, "unknown"), (0.9, "unknown")]
)
def test_parameter_decides_from_which_confidence_on_a_light_has_a_name(
    model: str, tmp_path: Path, min_confidence: float, name: str
) -> None:
    path = tmp_path / "parameters.yaml"
    values = f"{{model: {model}, min_confidence: {min_confidence}}}"
    path.write_text(f"light_classifier: {{ros__parameters: {values}}}")
    graph = build_graph(load_parameters(path), only=("light_classifier",))
    (stage,) = graph.stages
    assert not list(stage.push("front/image", picture(5)))
    ((port, found),) = stage.push("front/detections", boxes(5))
    assert port == "front/lights"
    message = deserialize(DETECTIONS_2D.encode(found), Detection2DArray)
    (detection,) = message.detections
    (result,) = detection.results
    assert result.hypothesis.class_id == name
    assert result.hypothesis.score == pytest.approx(0.5 * PROBABILITY, rel=1e-4)
    assert (message.header.stamp.nanosec, message.header.frame_id) == (5, "camera")


def test_class_map_is_waited_for_only_where_its_regions_are_asked_for(model: str) -> None:
    plain = make_stage("sign_classifier", {"model": model})
    assert [port.name for port in plain.inputs] == ["front/image", "front/detections"]
    stage = make_stage("sign_classifier", {"model": model, "regions": "signsymbol"})
    assert [port.name for port in stage.inputs][2:] == ["front/segmentation"]
    labels = np.zeros((100, 200), np.uint8)
    labels[20:40, 150:170] = CAMVID_LABELS.index("signsymbol")
    segmentation = LabelImage(Header(5, "camera"), labels, CAMVID_LABELS)
    assert not list(stage.push("front/image", picture(5)))
    assert not list(stage.push("front/segmentation", segmentation))
    ((_, found),) = stage.push("front/detections", boxes(5))
    np.testing.assert_array_equal(found.boxes_xyxy_px, [[150, 20, 170, 40]])


def test_pictures_whose_boxes_never_come_are_counted(model: str) -> None:
    stage = make_stage("light_classifier", {"model": model, "max_wait_ms": 100.0})
    assert not list(stage.push("front/image", picture(0)))
    assert not list(stage.push("front/image", picture(200_000_000)))
    assert stage.drops == {DropCause.EXPIRED: 1}

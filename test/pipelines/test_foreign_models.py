"""Networks of others through the stages, with the files of docs/bring_your_own_model.md."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from spatial_perception.core import CameraImage, Header, LabelImage
from spatial_perception.core.boxes import iou_2d
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import KittiFrame, read_kitti_frame
from spatial_perception.errors import ConfigError, PerceptionError
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.runtime.recording import record_inputs
from spatial_perception.stages.registry import build_graph
from test.datasets.real_data import unpacked
from test.pipelines.models import constant_model

PAGE = Path(__file__).parents[2] / "docs" / "bring_your_own_model.md"
HEADER = Header(7, "camera")
MODEL_YAML = {
    content["name"]: content
    for content in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S))
}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked ONNX files, each with the page's model.yaml; skips where they are absent."""
    folder = unpacked("onnx_models", tmp_path_factory.mktemp("onnx"))
    for name, content in MODEL_YAML.items():
        (folder / name / "model.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def kitti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked("kitti_object_8", tmp_path_factory.mktemp("kitti"))


def frame(kitti: Path, name: str) -> tuple[KittiFrame, CameraImage]:
    found = read_kitti_frame(kitti, name)
    return found, CameraImage(HEADER, read_rgb(found.image_path))


def run_stage(stage: str, model: Path, image: CameraImage) -> dict[str, object]:
    graph = build_graph({stage: {"model": str(model)}}, only=(stage,))
    (only,) = graph.stages
    return dict(only.push("front/image", image))


def test_yolox_finds_the_labelled_car_in_source_pixels(networks: Path, kitti: Path) -> None:
    labelled, image = frame(kitti, "000007")
    outputs = run_stage("camera_detector", networks / "yolox_nano", image)
    found = outputs["front/detections"]
    assert labelled.objects is not None
    cars = labelled.objects.boxes_px[[kind == "Car" for kind in labelled.objects.types]]
    ours = found.boxes_xyxy_px[found.labels == found.label_set.index("car")]
    assert iou_2d(ours, cars).max() > 0.7


def test_two_outputs_become_one_class_map(networks: Path, kitti: Path) -> None:
    _, image = frame(kitti, "000004")
    outputs = run_stage("camera_segmenter", networks / "twinlitenet", image)
    assert outputs["front/segmentation/labels"].names == ("drivable_area", "lane")
    labels = outputs["front/segmentation"].labels
    wanted = reference_lanes(networks / "twinlitenet" / "twinlitenet.onnx", image.rgb())
    assert (labels == wanted).mean() > 0.99
    shares = [(labels == label).mean() for label in (0, 1, 255)]
    assert shares[0] > 0.15
    assert shares[1] > 0.02
    assert (labels[:150] == 255).all(), "no road in the sky"


def reference_lanes(path: Path, rgb: np.ndarray) -> np.ndarray:
    """The same by hand: pad, run, lanes over drivable area, cut off, enlarge."""
    import onnxruntime

    height, width = rgb.shape[:2]
    rows = round(height * 320 / width)
    top = (320 - rows) // 2
    padded = np.full((320, 320, 3), 114, np.uint8)
    padded[top : top + rows] = cv2.resize(rgb, (320, rows), interpolation=cv2.INTER_AREA)
    inputs = {"input": (padded.transpose(2, 0, 1)[None] / 255).astype(np.float32)}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    area, lanes = (output[0].argmax(0) for output in session.run(None, inputs))
    labels = np.where(lanes == 1, 1, np.where(area == 1, 0, 255)).astype(np.uint8)
    size = (width, height)
    return cv2.resize(labels[top : top + rows], size, interpolation=cv2.INTER_NEAREST)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("yolox_nano", {"preprocessing": {"colour": "bgr"}}, "did you mean 'color'"),
        ("yolox_nano", {"classes": [{"name": "car"}]}, "axis 2 must be 6 as there are that many"),
        (
            "yolox_nano",
            {"decoder_arguments": {"strides": [8, 16]}},
            r"strides \(8, 16\) over 416x416 pixels make 3380 cells",
        ),
        ("yolox_nano", {"decoder_arguments": {"strides": [8, 0]}}, "strides: expected a value in"),
        ("yolox_nano", {"decoder": "boxes"}, "needs an output 'boxes', model.yaml lists output"),
        ("yolox_nano", {"decoder": "class_map"}, "'class_map', expected boxes or yolox"),
        ("yolox_nano", {"decoder": "yolo"}, "has the decoder 'yolo', expected boxes or yolox"),
        ("yolox_nano", {"preprocessing": {"std": [1, 1, 0]}}, "std: expected a value in"),
        ("twinlitenet", {"decoder_arguments": {}}, "needs an output 'logits', model.yaml lists"),
        (
            "twinlitenet",
            {"classes": [{"name": "drivable_area"}, {"name": "lanes"}]},
            "'lane' that is not in 'classes'; did you mean 'lanes'",
        ),
        (
            "twinlitenet",
            {"classes": [{"name": "drivable_area"}, {"name": "lane"}, {"name": "kerb"}]},
            "class 'kerb' is in no layer",
        ),
        ("twinlitenet", {"preprocessing": {"fit": "crop"}}, "one of letterbox, stretch"),
    ],
)
def test_a_wrong_model_yaml_is_one_line_before_the_first_picture(
    tmp_path: Path, name: str, change: dict[str, object], message: str
) -> None:
    content = MODEL_YAML[name] | change
    (tmp_path / content["variants"][0]["file"]).write_bytes(b"")  # it is not even opened
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(content))
    make = CameraDetector if name == "yolox_nano" else CameraSegmenter
    options = CameraDetectorConfig if name == "yolox_nano" else CameraSegmenterConfig
    with pytest.raises(PerceptionError, match=message) as caught:
        make(options(model=str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_shapes_that_are_not_the_files_are_named(networks: Path, tmp_path: Path) -> None:
    file = "yolox_nano.onnx"
    (tmp_path / file).write_bytes((networks / "yolox_nano" / file).read_bytes())
    variant = {
        "file": file,
        "inputs": {"images": {"shape": [1, 3, 640, 640]}},
        "outputs": {"output": {"shape": [1, 8400, 85]}},
    }
    content = MODEL_YAML["yolox_nano"] | {"variants": [variant]}
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(content))
    detector = CameraDetector(CameraDetectorConfig(model=str(tmp_path)))
    with pytest.raises(PerceptionError, match="says 1x3x640x640 float32, the ONNX file 1x3x416"):
        detector.load()


def segmented(tmp_path: Path, pixels: np.ndarray, **fields: object) -> tuple[LabelImage, dict]:
    """The class map of a picture, and what its network was given."""
    high = np.zeros((1, 2, 8, 8), np.float32)
    high[0, 1, :4] = 1.0  # the upper half
    left = np.zeros((1, 3, 4, 4), np.float32)
    left[0, 1, :, 0] = 1.0  # the first column, of half the resolution
    left[0, 2, 0, 1:] = 1.0
    layers = [
        {"output": "high", "classes": ["unlabeled", "upper"]},
        {"output": "left", "classes": ["unlabeled", "edge", "top"]},
    ]
    model = constant_model(
        tmp_path / "seg", (1, 3, 8, 8), {"high": high, "left": left}, ("upper", "edge", "top"),
        decoder="class_map", decoder_arguments={"layers": layers}, **fields,
    )  # fmt: skip
    with record_inputs(1) as recorded:
        found = CameraSegmenter(CameraSegmenterConfig(model))(CameraImage(HEADER, pixels))
    ((inputs,),) = recorded.values()
    return found, inputs


def test_later_layers_lie_over_earlier_ones_and_unlabeled_shows_through(tmp_path: Path) -> None:
    found, _ = segmented(tmp_path, np.zeros((8, 8, 3), np.uint8))
    wanted = np.full((8, 8), 255)
    wanted[:4] = 0
    wanted[:, :2] = 1
    wanted[:2, 2:] = 2
    np.testing.assert_array_equal(found.labels, wanted)


def test_mean_and_std_are_per_channel_after_the_range(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8) + np.array([255, 51, 0], np.uint8)
    options = {"color": "bgr", "range": 1.0, "mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 0.5]}
    _, inputs = segmented(tmp_path, pixels, preprocessing=options)
    wanted = (np.array([0.0, 0.2, 1.0]) - [0.1, 0.2, 0.3]) / [1.0, 2.0, 0.5]
    np.testing.assert_allclose(inputs["image"][0, :, 3, 3], wanted, atol=1e-6)


def test_stretch_fills_the_input_and_comes_back_to_the_whole_picture(tmp_path: Path) -> None:
    pixels = np.full((8, 32, 3), 200, np.uint8)
    found, inputs = segmented(tmp_path, pixels, preprocessing={"fit": "stretch"})
    assert (inputs["image"] == 200).all(), "no padding"
    assert (found.labels[:, :8] == 1).all()
    assert (found.labels[:, 8:] != 1).all()


def test_a_layer_with_too_few_classes_is_refused(tmp_path: Path) -> None:
    logits = {"logits": np.zeros((1, 3, 8, 8))}
    layers = [{"output": "logits", "classes": ["unlabeled", "road"]}]
    model = constant_model(
        tmp_path / "seg", (1, 3, 8, 8), logits, ("road",),
        decoder="class_map", decoder_arguments={"layers": layers},
    )  # fmt: skip
    with pytest.raises(PerceptionError, match="axis 1 must be 2 as there are that many classes in"):
        CameraSegmenter(CameraSegmenterConfig(model))


def test_outputs_of_boxes_may_have_other_names(tmp_path: Path) -> None:
    outputs = {"dets": np.array([[[1, 2, 3, 4]]]), "probs": np.array([[[0.9]]])}
    names = {"boxes": "dets", "scores": "probs"}
    model = constant_model(
        tmp_path / "det", (1, 3, 8, 8), outputs, ("car",), decoder="boxes", decoder_arguments=names
    )
    found = CameraDetector(CameraDetectorConfig(model))(
        CameraImage(HEADER, np.zeros((8, 8, 3), np.uint8))
    )
    np.testing.assert_allclose(found.boxes_xyxy_px, [[1, 2, 3, 4]])
    model = constant_model(
        tmp_path / "typo", (1, 3, 8, 8), outputs, ("car",),
        decoder="boxes", decoder_arguments={"score": "probs"},
    )  # fmt: skip
    with pytest.raises(ConfigError, match="did you mean 'scores'"):
        CameraDetector(CameraDetectorConfig(model))

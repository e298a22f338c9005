"""`import`: from an ONNX file to a folder that a stage takes, and clear errors."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from spatial_perception.cli.main import main
from spatial_perception.core import CameraImage, Header
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.runtime.spec import ModelSpec, TensorSpec
from test.datasets.real_data import unpacked


def segmenter(path: Path, *dims: object) -> Path:
    """A 1x1 convolution: brightness is the score of 'bright', 100 that of 'dark'."""
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[1] = 1 / 3
    graph = helper.make_graph(
        [helper.make_node("Conv", ["picture", "w", "b"], ["scores"])],
        "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [dims[0], 2, *dims[2:]])],
        [
            numpy_helper.from_array(weight, "w"),
            numpy_helper.from_array(np.array([100.0, 0.0], np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return segmenter(tmp_path / "bright.onnx", 1, 3, 16, 32)


def imported(*arguments: object) -> int:
    return main(["import", *map(str, arguments)])


SEGMENTER = ("--decoder", "class_map", "--classes", "dark,bright")


def test_the_folder_runs_in_the_stage(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    assert imported(source, *SEGMENTER, "--output", models, "--licence", "MIT") == 0
    folder = models / "bright"
    assert f"camera_segmenter: {{ros__parameters: {{model: {folder}}}}}" in capsys.readouterr().out
    assert sorted(path.name for path in models.iterdir()) == ["bright"]
    spec = ModelSpec.load(folder)
    assert (spec.name, spec.licence, spec.precision) == ("bright", "MIT", "fp32")
    pixels = np.full((16, 32, 3), 50, np.uint8)
    pixels[:, 20:] = 150
    found = CameraSegmenter(CameraSegmenterConfig(str(folder)))(
        CameraImage(Header(0, "camera"), pixels)
    )
    np.testing.assert_array_equal(found.labels, np.where(pixels[..., 0] == 150, 1, 0))


def test_open_dimensions_are_closed(tmp_path: Path) -> None:
    source = segmenter(tmp_path / "open.onnx", "batch", 3, "rows", "columns")
    arguments = (source, *SEGMENTER, "--output", tmp_path / "models")
    assert imported(*arguments) == 2
    assert imported(*arguments, "--size", "24x40") == 0
    (variant,) = ModelSpec.load(tmp_path / "models" / "open").variants
    assert variant.inputs == {"picture": TensorSpec((1, 3, 24, 40))}
    assert variant.outputs == {"scores": TensorSpec((1, 2, 24, 40))}


def test_what_describes_the_network_goes_into_model_yaml(source: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("dark\nbright\n")
    assert imported(
        source, "--decoder", "class_map", "--classes", tmp_path / "names.txt", "--name", "mine",
        "--output", tmp_path, "--color", "bgr", "--range", "1", "--mean", "0.1,0.2,0.3",
        "--std", "1,1,2", "--fit", "stretch", "--precision", "bf16",
    ) == 0  # fmt: skip
    spec = ModelSpec.load(tmp_path / "mine")
    assert spec.preprocessing == {
        "color": "bgr", "range": 1.0, "mean": [0.1, 0.2, 0.3], "std": [1.0, 1.0, 2.0],
        "fit": "stretch",
    }  # fmt: skip
    assert [c.name for c in spec.classes] == ["dark", "bright"]
    assert spec.precision == "bf16"


def test_a_model_is_replaced_only_when_told_to(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (source, *SEGMENTER, "--output", tmp_path)
    assert imported(*arguments) == 0
    assert imported(*arguments) == 2
    assert "exists; choose another --name, or --overwrite" in capsys.readouterr().err
    assert imported(*arguments, "--overwrite", "--licence", "MIT") == 0
    assert ModelSpec.load(tmp_path / "bright").licence == "MIT"
    assert not list(tmp_path.glob(".*")), "nothing else is left there"
    (tmp_path / "notes").mkdir()
    assert imported(*arguments, "--name", "notes", "--overwrite") == 2, "that is no model"
    assert (tmp_path / "notes").is_dir()


def test_a_model_stays_where_its_successor_cannot_take_its_place(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (source, *SEGMENTER, "--output", tmp_path, "--overwrite")
    assert imported(*arguments) == 0
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.suffix == ".part":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    assert imported(*arguments, "--licence", "MIT") == 130
    assert ModelSpec.load(tmp_path / "bright").licence == "not stated"
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--classes", "a,b"), "give --decoder, yolox, boxes, class_map, classification"),
        (("--decoder", "class_map"), "give --classes"),
        (("--decoder", "class_map", "--classes", "a,b,c"), "axis 1 must be 3 as there are"),
        (("--decoder", "yolox", "--classes", "coco"), "axis 2 must be 85 as there are"),
        ((*SEGMENTER, "--size", "24x40"), "[1, 3, 16, 32], which --size does not fit"),
        (("--decoder", "yolox", "--classes", "coco", "--strides", "8.5"), "expected int, got 8.5"),
        ((*SEGMENTER, "--size", "24"), "expected HEIGHTxWIDTH as in 384x512, got '24'"),
        ((*SEGMENTER, "--mean", "0.1;0.2"), "--mean: expected numbers with commas"),
        ((*SEGMENTER, "--mean", "0.1,0.2"), "mean: expected 3 values, got 2"),
        ((*SEGMENTER, "--weights", "x.pth"), "--weights is for torchvision's networks"),
        (("--decoder", "class_map", "--layer", "scores"), "expected OUTPUT=class,class"),
        (
            ("--decoder", "class_map", "--layer", "score=a,b"),
            "needs an output 'score', model.yaml lists scores",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert imported(source, *arguments, "--output", tmp_path / "models") == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize(
    ("dims", "arguments", "message"),
    [
        (("batch", 3, "rows", "columns"), (), "columns']; give --size HEIGHTxWIDTH"),
        (("batch", "planes", 16, 32), ("--size", "16x32"), "32]; export it with static shapes"),
        (("batch", 3, "length"), (), "'length']; export it with static shapes"),
    ],
)
def test_advice_on_open_dimensions_helps(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    dims: tuple[object, ...],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    source = segmenter(tmp_path / "open.onnx", *dims)
    assert imported(source, *SEGMENTER, "--output", tmp_path / "models", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_network_whose_number_of_answers_depends_on_the_picture_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("NonZero", ["picture"], ["boxes"])],
        "bright_pixels",
        [value("picture", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("boxes", TensorProto.INT64, [4, "count"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "m.onnx")
    arguments = ("--decoder", "boxes", "--classes", "a", "--output", tmp_path / "models")
    assert imported(tmp_path / "m.onnx", *arguments) == 2
    assert "outputs: 'boxes': expected a static shape" in capsys.readouterr().err


def test_a_model_is_imported_where_none_is_installed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(tmp_path / "models"))
    assert imported(source, *SEGMENTER, "--output", tmp_path / "models") == 0


def test_a_file_that_is_no_network_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.onnx").write_text("not a network")
    for name, message in (("notes.onnx", "cannot be read as ONNX"), ("none.onnx", "no such file")):
        assert imported(tmp_path / name, *SEGMENTER, "--output", tmp_path / "models") == 2
        assert f"{tmp_path / name}: {message}" in capsys.readouterr().err


def test_yolox_of_the_page_is_imported_with_one_command(tmp_path: Path) -> None:
    folder = unpacked("onnx_models", tmp_path)
    assert imported(
        folder / "yolox_nano" / "yolox_nano.onnx", "--decoder", "yolox", "--classes", "coco",
        "--color", "bgr", "--align", "corner", "--output", tmp_path / "models",
    ) == 0  # fmt: skip
    detector = CameraDetector(CameraDetectorConfig(str(tmp_path / "models" / "yolox_nano")))
    image = CameraImage(Header(0, "camera"), np.zeros((375, 1242, 3), np.uint8))
    assert detector(image).label_set.names[9] == "traffic_light"

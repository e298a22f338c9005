"""torchvision's networks as models: the same answers as torchvision's own, and clear errors."""

from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import get_model
from torchvision.models._api import WeightsEnum
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.detection.ssd import SSD

from spatial_perception.cli.main import main
from spatial_perception.core import CameraImage, Header
from spatial_perception.core.boxes import iou_2d
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.runtime.spec import ModelSpec
from spatial_perception.training.torchvision_export import (
    TorchvisionRequest,
    export_torchvision,
    supported_networks,
)

HEADER = Header(0, "camera")
SIZE = (96, 128)


def picture(height: int, width: int) -> np.ndarray:
    coarse = np.random.default_rng(0).uniform(0, 255, (3, height // 16 + 1, width // 16 + 1))
    fine = coarse.repeat(16, axis=1).repeat(16, axis=2)[:, :height, :width]
    return np.ascontiguousarray(fine.transpose(1, 2, 0).astype(np.uint8))


def random_network(name: str, classes: int, folder: Path, **options: object) -> nn.Module:
    """torchvision's network with drawn weights whose answers differ from place to place."""
    options = {"weights": None, "weights_backbone": None, "num_classes": classes, **options}
    torch.manual_seed(0)
    network = get_model(name, **options)
    if isinstance(network, (SSD, RetinaNet, FCOS)):
        seen = network.backbone
        for module in network.head.classification_head.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
    else:
        seen = network
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # statistics of what comes now, so that no signal dies away
    with torch.no_grad():
        seen.train()(torch.randn(4, 3, 128, 128, generator=torch.Generator().manual_seed(1)))
    network.eval()
    if isinstance(network, (RetinaNet, FCOS)):
        spread_scores(network)
    torch.save(network.state_dict(), folder / "weights.pth")
    return network


@torch.no_grad()
def spread_scores(network: RetinaNet | FCOS) -> None:
    """Scales the last layers so that no score is 0 or 1 and no box empty."""
    network.transform.min_size, network.transform.max_size = (SIZE[0],), SIZE[1]
    images, _ = network.transform([torch.from_numpy(picture(*SIZE)).permute(2, 0, 1) / 255.0])
    features = list(network.backbone(images.tensors).values())
    classification, regression = network.head.classification_head, network.head.regression_head
    classification.cls_logits.weight.mul_(2.0 / classification(features).abs().quantile(0.95))
    regression.bbox_reg.weight.mul_(0.1)
    if isinstance(network, FCOS):
        nn.init.ones_(regression.bbox_reg.bias)


def exported(name: str, folder: Path, *arguments: str) -> str:
    options = ["--weights", str(folder / "weights.pth"), "--output", str(folder), *arguments]
    assert main(["import", f"torchvision:{name}", *options]) == 0
    return str(folder / name)


@pytest.mark.parametrize(
    "name",
    [
        "lraspp_mobilenet_v3_large",
        pytest.param("deeplabv3_mobilenet_v3_large", marks=pytest.mark.slow),
        pytest.param("fcn_resnet50", marks=pytest.mark.slow),
    ],
)
def test_a_segmenter_answers_as_torchvision_does(name: str, tmp_path: Path) -> None:
    network = random_network(name, 3, tmp_path)
    rgb = picture(*SIZE)
    normalized = torchvision.transforms.functional.normalize(
        torch.from_numpy(rgb).permute(2, 0, 1) / 255.0, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    with torch.no_grad():
        logits = network(normalized[None])["out"][0]
        if name != "lraspp_mobilenet_v3_large":  # no class may win everywhere
            network.classifier[-1].bias -= logits.mean((1, 2))
            torch.save(network.state_dict(), tmp_path / "weights.pth")
        wanted = network(normalized[None])["out"][0].argmax(0).numpy()
    model = exported(name, tmp_path, "--classes", "unlabeled,road,car", "--size", "96x128")
    found = CameraSegmenter(CameraSegmenterConfig(model))(CameraImage(HEADER, rgb))
    assert found.label_set.names == ("road", "car")
    assert len(np.unique(wanted)) > 1
    agree = found.labels == np.array([255, 0, 1])[wanted]
    assert agree.mean() > 0.995


@pytest.mark.parametrize(
    "name",
    [
        "ssdlite320_mobilenet_v3_large",
        pytest.param("retinanet_resnet50_fpn", marks=pytest.mark.slow),
        pytest.param("fcos_resnet50_fpn", marks=pytest.mark.slow),
    ],
)
def test_a_detector_answers_as_torchvision_does(name: str, tmp_path: Path) -> None:
    limits = {"score_thresh": 0.3, "nms_thresh": 0.5, "detections_per_img": 1000}
    network = random_network(name, 2, tmp_path, **limits)
    size, arguments = SIZE, ["--size", "96x128"]
    if isinstance(network, SSD):
        size, arguments = network.transform.fixed_size[::-1], []
    rgb = picture(*size)
    with torch.inference_mode():
        (wanted,) = network([torch.from_numpy(rgb).permute(2, 0, 1) / 255.0])
    cars = wanted["labels"] == 1  # RetinaNet and FCOS score the background, too
    boxes, scores = wanted["boxes"][cars].numpy()[:20], wanted["scores"][cars].numpy()[:20]
    model = exported(name, tmp_path, "--classes", "unlabeled,car", *arguments)
    config = CameraDetectorConfig(model, score_threshold=0.3, iou_threshold=0.5, max_detections=20)
    found = CameraDetector(config)(CameraImage(HEADER, rgb))
    assert found.label_set.names == ("car",)
    assert len(found) == len(scores) > 5
    assert np.ptp(scores) > 0.01
    np.testing.assert_allclose(found.scores, scores, atol=2e-3)
    assert (iou_2d(found.boxes_xyxy_px, boxes).max(axis=1) > 0.95).mean() > 0.9


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ssdlit320_mobilenet_v3_large", "did you mean 'ssdlite320_mobilenet_v3_large'"),
        ("resnet50", "no detection or segmentation model 'resnet50'"),
        ("fasterrcnn_resnet50_fpn", "no static shapes; choose one of deeplabv3"),
    ],
)
def test_a_network_that_cannot_be_exported_is_one_line(
    source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", f"torchvision:{source}", "--output", str(tmp_path / "models")]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not list((tmp_path / "models").iterdir())


def test_every_supported_network_looks_once() -> None:
    assert "lraspp_mobilenet_v3_large" in supported_networks()
    assert not [name for name in supported_networks() if "rcnn" in name]


def test_without_a_network_weights_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(self: object, *arguments: object, **options: object) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(WeightsEnum, "get_state_dict", no_network)
    request = TorchvisionRequest("lraspp_mobilenet_v3_large")
    with pytest.raises(EngineError, match=r"cannot be fetched \(.*name resolution.*--weights"):
        export_torchvision(request, "x", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {"backbone.weight": torch.zeros(1)}}, "not the weights of lraspp"),
        ([torch.zeros(3)], "expected a state dict, tensors by name"),
        ({"epoch": 3}, "expected a state dict, tensors by name"),
        (None, "cannot be read as weights"),
    ],
)
def test_a_wrong_file_of_weights_is_named(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no weights") if content is None else torch.save(content, path)
    request = TorchvisionRequest("lraspp_mobilenet_v3_large", path, ("unlabeled", "road"))
    with pytest.raises(ConfigError, match=message) as caught:
        export_torchvision(request, "x", tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_other_classes_say_how_to_name_them(tmp_path: Path) -> None:
    random_network("lraspp_mobilenet_v3_large", 5, tmp_path)
    request = TorchvisionRequest("lraspp_mobilenet_v3_large", tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match="with 21 channels of classes.*--classes names one a"):
        export_torchvision(request, "x", tmp_path)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("lraspp_mobilenet_v3_large", (100, 128), "multiples of 32, got 100x128"),
        ("ssdlite320_mobilenet_v3_large", (96, 128), "has the one size 320x320"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(
    tmp_path: Path, name: str, size: tuple[int, int], message: str
) -> None:
    random_network(name, 2, tmp_path)
    request = TorchvisionRequest(
        name, tmp_path / "weights.pth", ("unlabeled", "car"), sizes_hw=(size,)
    )
    with pytest.raises(ConfigError, match=message):
        export_torchvision(request, "x", tmp_path)


@pytest.mark.slow
def test_several_sizes_become_several_files(tmp_path: Path) -> None:
    random_network("lraspp_mobilenet_v3_large", 2, tmp_path)
    sizes = ("--size", "64x96", "--size", "64x192")
    model = exported("lraspp_mobilenet_v3_large", tmp_path, "--classes", "road,car", *sizes)
    spec = ModelSpec.load(model)
    assert [v.file for v in spec.variants] == ["model_64x96.onnx", "model_64x192.onnx"]
    assert spec.variant_for(1242 / 375) == 1

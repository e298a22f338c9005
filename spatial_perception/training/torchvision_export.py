"""A detection or segmentation model of torchvision as a model's folder."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, list_models
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.detection.ssd import SSD

from spatial_perception.config import near_miss
from spatial_perception.core.labels import UNLABELED_NAME
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.runtime.spec import ClassSpec, ModelSpec, TensorSpec, Variant, file_sha256
from spatial_perception.training.export import compare_with_runtime
from spatial_perception.training.onnx_graph import onnx_graph
from spatial_perception.training.torchvision_networks import Detector, Segmenter

_SIZE_HW = (480, 640)
_TWO_STAGES = ("fasterrcnn", "maskrcnn", "keypointrcnn")
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_NO_CLASS = ("__background__", "N/A")


@dataclass(frozen=True, slots=True)
class TorchvisionRequest:
    """What is exported.

    Attributes:
        network: torchvision's name of the model.
        weights: The user's state dict (.pt, .pth, .safetensors); None for torchvision's own.
        classes: One name a channel of the network, 'unlabeled' for background; empty for those
            that torchvision's own weights have.
        sizes_hw: Height and width of each exported file; empty for one of the network's own size,
            or 480x640.
    """

    network: str
    weights: Path | None = None
    classes: tuple[str, ...] = ()
    sizes_hw: tuple[tuple[int, int], ...] = ()


def supported_networks() -> list[str]:
    """Returns the names that `export_torchvision` takes."""
    detectors = list_models(module=torchvision.models.detection)
    segmenters = list_models(module=torchvision.models.segmentation)
    return sorted([n for n in detectors if not n.startswith(_TWO_STAGES)] + segmenters)


def export_torchvision(request: TorchvisionRequest, name: str, folder: Path) -> ModelSpec:
    """Writes one ONNX file a size into `folder` and returns the model, not yet saved.

    Each file is run in ONNX Runtime and compared with the network.

    Raises:
        ConfigError: There is no such network, it has no static shapes, or classes, size or weights
            do not fit it.
        EngineError: torchvision's weights cannot be fetched, or an exported graph computes
            something else.
    """
    _check_name(request.network)
    classes = request.classes or _own_classes(request.network)
    network = _network(request, len(classes))
    sizes = request.sizes_hw or (_own_size(network),)
    _check_sizes(network, sizes, request.network)
    channels = [i for i, name in enumerate(classes) if name != UNLABELED_NAME]
    is_detector = isinstance(network, (SSD, RetinaNet, FCOS))
    variants = []
    for size in sizes:
        file = "model.onnx" if len(sizes) == 1 else f"model_{size[0]}x{size[1]}.onnx"
        wrapped = (
            Detector(network, size, channels) if is_detector else Segmenter(network, **_IMAGENET)
        )
        variants.append(_export(wrapped.eval(), size, folder / file))
    layer = {"output": "logits", "classes": list(classes)}
    return ModelSpec(
        name=name,
        decoder="boxes" if is_detector else "class_map",
        decoder_arguments={} if is_detector else {"layers": [layer]},
        variants=tuple(variants),
        classes=tuple(ClassSpec(classes[i]) for i in channels),
        description=f"torchvision {torchvision.__version__}: {request.network}",
        preprocessing={
            "color": "rgb",
            "range": 255,
            # SSD's own transform stretches every picture to its one size.
            "fit": "stretch" if isinstance(network, SSD) else "letterbox",
        },
        precision="fp32",
        files={variant.file: file_sha256(folder / variant.file) for variant in variants},
        training_data="weights given by the user" if request.weights else _data(request.network),
        licence="code BSD-3-Clause; weights: see where they come from",
    )


def _check_name(name: str) -> None:
    supported = supported_networks()
    if name.startswith(_TWO_STAGES) and name in list_models():
        raise ConfigError(
            f"torchvision:{name} looks twice: its second stage runs on as many regions as the first"
            f" one proposes, which has no static shapes; choose one of {', '.join(supported)}"
        )
    if name not in supported:
        raise ConfigError(
            f"no detection or segmentation model '{name}'{near_miss(name, supported)}"
        )


def _own_classes(name: str) -> tuple[str, ...]:
    names = get_model_weights(name).DEFAULT.meta["categories"]
    return tuple(UNLABELED_NAME if n in _NO_CLASS else n.replace(" ", "_") for n in names)


def _data(name: str) -> str:
    return f"torchvision's weights {get_model_weights(name).DEFAULT}"


def _network(request: TorchvisionRequest, count: int) -> nn.Module:
    options: dict[str, Any] = {"weights": None, "weights_backbone": None, "num_classes": count}
    if request.network.startswith(("deeplabv3", "fcn")):
        options["aux_loss"] = False
    network = get_model(request.network, **options).eval()
    state = _own_state(request.network) if request.weights is None else _read(request.weights)
    state = {k: v for k, v in state.items() if not k.startswith("aux_classifier.")}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise ConfigError(
            f"{request.weights or 'torchvision weights'}: not the weights of {request.network}"
            f" with {count} channels of classes: {first}; --classes names one a channel,"
            f" '{UNLABELED_NAME}' for background"
        ) from error
    return network


def _own_state(name: str) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = get_model_weights(name).DEFAULT.get_state_dict(
            progress=False, check_hash=True
        )
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a bad hash a RuntimeError
        raise EngineError(
            f"torchvision's weights of {name} cannot be fetched ({error}); give a file of weights"
            " with --weights"
        ) from error
    return state


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file of weights")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content: Any = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError,
        ValueError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise ConfigError(
            f"{path}: cannot be read as weights: {str(error).splitlines()[0]}"
        ) from error
    for key in ("model", "state_dict"):  # as torchvision's and Lightning's training write them
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise ConfigError(f"{path}: expected a state dict, tensors by name")
    return content


def _own_size(network: nn.Module) -> tuple[int, int]:
    if isinstance(network, SSD):
        width, height = network.transform.fixed_size
        return height, width
    return _SIZE_HW


def _check_sizes(network: nn.Module, sizes: Sequence[tuple[int, int]], name: str) -> None:
    own = _own_size(network)
    if isinstance(network, SSD) and any(size != own for size in sizes):
        raise ConfigError(f"{name} has the one size {own[0]}x{own[1]}, leave --size out")
    if any(side % 32 for size in sizes for side in size) and not isinstance(network, SSD):
        raise ConfigError(f"{name}: expected sizes in multiples of 32, got {_listed(sizes)}")


def _listed(sizes: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sizes)


def _export(network: Detector | Segmenter, size_hw: tuple[int, int], path: Path) -> Variant:
    generator = torch.Generator().manual_seed(0)
    inputs = {"image": 255.0 * torch.rand(1, 3, *size_hw, generator=generator)}
    onnx.save(onnx_graph(network, inputs), path)
    with torch.inference_mode():
        result = network(inputs["image"])
    tensors = result if isinstance(result, tuple) else (result,)
    expected = dict(zip(network.output_names, (t.numpy() for t in tensors), strict=True))
    compare_with_runtime(path, inputs, expected)
    return Variant(
        path.name,
        {name: TensorSpec(tuple(t.shape)) for name, t in inputs.items()},
        {name: TensorSpec(a.shape) for name, a in expected.items()},
    )

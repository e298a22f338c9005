"""torchvision's detectors and segmenters as networks with static shapes and named outputs.

Normalization, anchors and the decoding of boxes are in the graph; suppression is the host's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.detection.ssd import SSD


class Segmenter(nn.Module):
    """Class scores of every pixel.

    Args:
        network: A segmentation model of torchvision.
        mean: Of each channel, of pictures in 0..1.
        std: Likewise.
    """

    input_names = ("image",)
    output_names = ("logits",)

    def __init__(self, network: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.network = network
        self.normalize = _Normalize(mean, std)

    def forward(self, image: Tensor) -> Tensor:
        """(1, K, H, W) logits of an RGB picture (1, 3, H, W), 0..255."""
        return self.network(self.normalize(image))["out"]


class Detector(nn.Module):
    """Boxes and class scores of every anchor of a detector that looks once.

    Args:
        network: SSD, RetinaNet or FCOS.
        size_hw: Height and width of the input.
        channels: The channels of the scores that are classes, in the order of the output.
    """

    input_names = ("image",)
    output_names = ("boxes", "scores")

    def __init__(
        self, network: SSD | RetinaNet | FCOS, size_hw: tuple[int, int], channels: list[int]
    ) -> None:
        super().__init__()
        self.network = network
        self.normalize = _Normalize(network.transform.image_mean, network.transform.image_std)
        self.size_hw = size_hw
        self.register_buffer("channels", torch.tensor(channels))
        self.register_buffer("anchors", self._anchors())
        self.register_buffer("limits", torch.tensor([*size_hw[::-1]] * 2, dtype=torch.float32))

    @torch.inference_mode()
    def _anchors(self) -> Tensor:
        """(A, 4) boxes that the regression starts from; they depend on the size alone."""
        picture = torch.zeros(1, 3, *self.size_hw)
        features = self._features(picture)
        (anchors,) = self.network.anchor_generator(ImageList(picture, [self.size_hw]), features)
        return anchors.clone()

    def _features(self, picture: Tensor) -> list[Tensor]:
        features = self.network.backbone(picture)
        return [features] if isinstance(features, Tensor) else list(features.values())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(1, A, 4) boxes in input pixels and (1, A, K) scores of RGB (1, 3, H, W), 0..255."""
        raw = self.network.head(self._features(self.normalize(image)))
        scores = self._scores(raw)[0][:, self.channels]
        coder, regression = self.network.box_coder, raw["bbox_regression"][0]
        if isinstance(self.network, FCOS):
            boxes = coder.decode(regression, self.anchors)
        else:
            boxes = coder.decode_single(regression, self.anchors)
        boxes = torch.minimum(boxes.relu(), self.limits)  # as torchvision cuts them
        return boxes[None], scores[None]

    def _scores(self, raw: dict[str, Tensor]) -> Tensor:
        """(1, A, channels) probabilities, as the architecture makes them of its logits."""
        if isinstance(self.network, SSD):
            return raw["cls_logits"].softmax(-1)
        scores = raw["cls_logits"].sigmoid()
        if isinstance(self.network, FCOS):
            scores = (scores * raw["bbox_ctrness"].sigmoid()).sqrt()
        return scores


class _Normalize(nn.Module):
    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        return (image / 255.0 - self.mean) / self.std

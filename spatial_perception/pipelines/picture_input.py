"""How a camera picture becomes the input of a network, as model.yaml says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spatial_perception.config import from_mapping, option
from spatial_perception.core import CameraImage
from spatial_perception.errors import EngineError
from spatial_perception.ops.letterbox import Align, Letterbox, image_tensor
from spatial_perception.pipelines.model import Model


@dataclass(frozen=True, slots=True)
class ImagePreprocessing:
    """How a picture becomes a network's input; stands in model.yaml."""

    color: Literal["rgb", "bgr"] = option("rgb", help="order of the channels")
    range: float = option(255.0, help="value of white", range=(0.001, 1e6))
    mean: tuple[float, float, float] = option(
        (0.0, 0.0, 0.0), help="subtracted, in the order of `color` and in units of `range`"
    )
    std: tuple[float, float, float] = option(
        (1.0, 1.0, 1.0), help="divides what is left, likewise", range=(1e-6, 1e6)
    )
    fit: Literal["letterbox", "stretch"] = option(
        "letterbox", help="letterbox keeps the picture's proportions, stretch fills the input"
    )
    align: Align = option("center", help="where the scaled picture lies in the input")
    fill: int = option(114, help="value of the padding", range=(0, 255))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A picture as a network takes it.

    Attributes:
        variant: index of the exported shape that fits the picture.
        inputs: (1, 3, h, w) float32 by the input's name.
        input_hw: height and width of the input, pixels.
        letterbox: where the picture lies in it.
    """

    variant: int
    inputs: dict[str, np.ndarray]
    input_hw: tuple[int, int]
    letterbox: Letterbox


class PictureInput:
    """Prepares pictures for a model with one input (1, 3, H, W) float32.

    Raises:
        EngineError: the model's input is another.
        ConfigError: an option of `preprocessing` in model.yaml is unknown or wrong.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        spec = model.spec
        self._options = from_mapping(ImagePreprocessing, spec.preprocessing, _place(model))
        self._name, _ = model.only_input()
        for variant in spec.variants:
            tensor = variant.inputs.get(self._name)
            shape = tensor.shape if tensor else ()
            is_picture = len(shape) == 4 and shape[:2] == (1, 3)
            if tensor is None or tensor.dtype != "float32" or not is_picture:
                raise EngineError(
                    f"{_place(model)} ({variant.file}): expected an input '{self._name}' of shape"
                    f" (1, 3, height, width) and type float32, model.yaml lists {variant.inputs}"
                )

    def __call__(self, image: CameraImage) -> PreparedPicture:
        """Returns the picture in the exported shape that fits its proportions best."""
        options = self._options
        index = self._model.variant_for(image.width / image.height)
        height, width = self._model.variant(index).inputs[self._name].shape[2:]
        source_hw, input_hw = (image.height, image.width), (height, width)
        if options.fit == "stretch":
            letterbox = Letterbox.stretch(source_hw, input_hw)
        else:
            letterbox = Letterbox.fit(source_hw, input_hw, options.align)
        pixels = letterbox.apply(image.rgb(), options.fill)
        tensor = image_tensor(pixels, options.color, options.range)
        if any(options.mean) or any(value != 1.0 for value in options.std):
            tensor -= np.array(options.mean, np.float32)[:, None, None]
            tensor /= np.array(options.std, np.float32)[:, None, None]
        return PreparedPicture(index, {self._name: tensor}, input_hw, letterbox)


def _place(model: Model) -> str:
    return f"model '{model.spec.name}'"

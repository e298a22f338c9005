"""The networks by name, and what every one of them promises."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from spatial_perception.errors import ConfigError

_NETWORKS: dict[str, type[SpatialNetwork]] = {}
_N = TypeVar("_N", bound="SpatialNetwork")


class SpatialNetwork(nn.Module, abc.ABC):
    """A network with named input and output tensors, as exported.

    `forward` takes the inputs in the order of `input_names` and gives the outputs in the order of
    `output_names`: one tensor, or a tuple where there are several. What training needs beyond it
    (logits before decoding) has a method of its own.
    """

    input_names: ClassVar[tuple[str, ...]]
    output_names: ClassVar[tuple[str, ...]]

    @classmethod
    @abc.abstractmethod
    def example_arguments(cls) -> dict[str, object]:
        """Constructor arguments of a small instance, for tests."""

    @classmethod
    @abc.abstractmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        """One valid input for an instance made of `example_arguments`, by input name."""

    def outputs(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The outputs by name for inputs by name."""
        result = self(*(inputs[name] for name in self.input_names))
        tensors = result if isinstance(result, tuple) else (result,)
        return dict(zip(self.output_names, tensors, strict=True))


def register(name: str) -> Callable[[type[_N]], type[_N]]:
    """Decorator that makes a network class known under `name`.

    Raises:
        ConfigError: If the name is taken.
    """

    def add(network: type[_N]) -> type[_N]:
        if name in _NETWORKS:
            raise ConfigError(f"network '{name}' is registered twice, choose another name")
        _NETWORKS[name] = network
        return network

    return add


def network_class(name: str) -> type[SpatialNetwork]:
    """The class registered under `name`.

    Raises:
        ConfigError: If there is none.
    """
    try:
        return _NETWORKS[name]
    except KeyError:
        raise ConfigError(f"no network '{name}', choose one of: {', '.join(names())}") from None


def build(name: str, **arguments: object) -> SpatialNetwork:
    """A new network, with weights as its constructor draws them.

    Raises:
        ConfigError: If the name is unknown or the arguments do not fit the constructor.
    """
    network = network_class(name)
    try:
        return network(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"network '{name}': {error}") from error


def names() -> tuple[str, ...]:
    """The registered names, sorted."""
    return tuple(sorted(_NETWORKS))

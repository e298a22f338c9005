"""Claims about every registered network; a new network is covered without a line here."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save
from torch.nn import functional

from spatial_perception import networks
from spatial_perception.errors import ConfigError
from spatial_perception.networks.registry import SpatialNetwork, build, network_class, register
from spatial_perception.training.export import stored_weights
from spatial_perception.training.onnx_graph import onnx_graph

every_network = pytest.mark.parametrize("name", networks.names())


def small(name: str, seed: int = 0) -> SpatialNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(name, **network_class(name).example_arguments())


def example(name: str) -> dict[str, torch.Tensor]:
    return network_class(name).example_inputs(torch.Generator().manual_seed(0))


def test_all_five_networks_are_registered():
    expected = {"cnn_detector", "gcn_segmenter", "stn_classifier", "unet", "voxel_network"}
    assert expected <= set(networks.names())


def test_a_name_is_registered_once():
    with pytest.raises(ConfigError, match="'unet' is registered twice"):
        register("unet")(network_class("stn_classifier"))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="no network 'resnet'.*unet"):
        build("resnet")


def test_wrong_arguments_are_a_configuration_error():
    with pytest.raises(ConfigError, match="network 'unet'.*colour"):
        build("unet", classes=3, colour=True)


@every_network
def test_outputs_are_named_finite_and_float32(name):
    network, inputs = small(name).eval(), example(name)
    with torch.inference_mode():
        outputs = network.outputs(inputs)
    assert tuple(outputs) == network.output_names
    for value in outputs.values():
        assert value.dtype == torch.float32
        assert torch.isfinite(value).all()


@every_network
def test_loss_falls_in_20_steps_on_one_sample(name):
    network, inputs = small(name).train(), example(name)
    with torch.no_grad():
        targets = small(name, seed=1).train().outputs(inputs)
    scale = {key: value.var() + 1e-6 for key, value in targets.items()}
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(20):
        outputs = network.outputs(inputs)
        loss = sum(functional.mse_loss(outputs[k], targets[k]) / scale[k] for k in targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@every_network
def test_every_parameter_of_the_deployed_path_or_of_training_gets_a_gradient(name):
    network, inputs = small(name).train(), example(name)
    sum(value.square().sum() for value in network.outputs(inputs).values()).backward()
    without = [key for key, p in network.named_parameters() if p.grad is None]
    assert all("auxiliary" in key for key in without), without


@every_network
def test_onnx_runtime_computes_the_same(name):
    network, inputs = small(name).eval(), example(name)
    with torch.inference_mode():
        expected = {key: value.numpy() for key, value in network.outputs(inputs).items()}
    session = onnxruntime.InferenceSession(onnx_graph(network, inputs).SerializeToString())
    found = session.run(list(expected), {key: value.numpy() for key, value in inputs.items()})
    for key, value in zip(expected, found, strict=True):
        np.testing.assert_allclose(value, expected[key], rtol=1e-3, atol=1e-3, err_msg=key)


@every_network
def test_weights_survive_the_file(name):
    network, other = small(name).eval(), small(name, seed=1).eval()
    other.load_state_dict(load(save(stored_weights(network))))
    inputs = example(name)
    with torch.inference_mode():
        expected, found = network.outputs(inputs), other.outputs(inputs)
    for key, value in expected.items():
        reach = value.abs().max().item() + 1e-3
        assert (found[key] - value).abs().max().item() < 0.02 * reach

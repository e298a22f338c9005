"""The torch backend: the registered network with weights.safetensors, without the ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.spec import ClassSpec, NetworkSpec, TensorSpec, Variant

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

NETWORK = "unet"


@pytest.fixture
def trained(tmp_path: Path) -> tuple[ModelSpec, dict[str, np.ndarray], np.ndarray]:
    """A small network with fp16 weights on disk, an input, and its output by PyTorch itself."""
    from spatial_perception.networks import build, network_class

    network_type = network_class(NETWORK)
    arguments = network_type.example_arguments()
    network = build(NETWORK, **arguments).eval()
    weights = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    safetensors.save_file(weights, tmp_path / "weights.safetensors")
    network.load_state_dict({k: v.float() for k, v in weights.items()})
    inputs = network_type.example_inputs(torch.Generator().manual_seed(0))
    with torch.no_grad():
        outputs = network.outputs(inputs)
    spec = ModelSpec(
        name="small",
        decoder="class_map",
        variants=(
            Variant(
                "model.onnx",
                {k: TensorSpec(tuple(v.shape)) for k, v in inputs.items()},
                {k: TensorSpec(tuple(v.shape)) for k, v in outputs.items()},
            ),
        ),
        classes=(ClassSpec("a"),),
        network=NetworkSpec(NETWORK, arguments),
        folder=tmp_path,
    )
    (tmp_path / "model.onnx").write_bytes(b"")
    arrays = {k: v.numpy() for k, v in inputs.items()}
    return spec, arrays, outputs["logits"].numpy()


def test_network_runs_with_its_stored_weights(trained) -> None:
    spec, inputs, expected = trained
    with create_engine(spec, backend="torch", precision="fp32") as engine:
        np.testing.assert_allclose(engine.infer(inputs)["logits"], expected, rtol=1e-4, atol=1e-5)


def test_bf16_gives_fp32_arrays_close_to_fp32(trained) -> None:
    spec, inputs, expected = trained
    logits = create_engine(spec, backend="torch", precision="bf16").infer(inputs)["logits"]
    assert logits.dtype == np.float32
    assert 0 < np.abs(logits - expected).max() < 0.05 * np.abs(expected).max()


def test_weights_that_do_not_fit_are_named(trained) -> None:
    spec, _, _ = trained
    safetensors.save_file({"other": torch.zeros(1)}, spec.folder / "weights.safetensors")
    with pytest.raises(EngineError, match="weights do not fit network 'unet'") as caught:
        create_engine(spec, backend="torch")
    assert "\n" not in str(caught.value)


def test_foreign_model_without_network_says_so(tiny: ModelSpec) -> None:
    with pytest.raises(EngineError, match="names no network"):
        create_engine(tiny, backend="torch")

"""From a checkpoint to models/NAME: weights, one ONNX file a shape, model.yaml, MODEL_CARD.md."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.networks.layers import fold_batch_norm
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.runtime.backends.host import cpu_name
from spatial_perception.runtime.spec import (
    MODEL_FILE,
    WEIGHTS_FILE,
    ClassSpec,
    MetricRecord,
    ModelSpec,
    NetworkSpec,
    TensorSpec,
    Variant,
    file_sha256,
)
from spatial_perception.training.checkpoint import load_weights
from spatial_perception.training.model_card import CARD_FILE, model_card
from spatial_perception.training.onnx_graph import compress_weights, onnx_graph
from spatial_perception.training.task import ExportPlan, Task

_TOLERANCE = 2e-3
_ROUNDING = 1e-2
"""What rounding the folded kernels may change, root mean square over that of the output."""


def export(task: Task[Any], checkpoint: Path, models_dir: Path) -> Path:
    """Writes the model's folder from a checkpoint and returns it.

    The weights are rounded to what weights.safetensors holds (fp16, vectors fp32) before anything
    is measured, calibrated or exported, so that every file derives from the same numbers. A model
    that is there already is replaced when everything is done, and stays as it was on any error.

    Raises:
        ConfigError: If the checkpoint does not fit the task's network.
        EngineError: If an exported graph differs from the network.
    """
    state, _ = load_weights(checkpoint)
    network = task.network()
    _load(
        network,
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()},
        checkpoint,
    )
    folder = models_dir / task.export_plan(network).model
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=models_dir) as part:
        _write(task, network, Path(part))
        folder.mkdir(exist_ok=True)
        written = {path.name: path for path in Path(part).iterdir()}
        for path in folder.glob("*.onnx"):
            if path.name not in written:
                path.unlink()  # of a shape that is exported no more
        for name, path in written.items():
            path.replace(folder / name)
    return folder


def _write(task: Task[Any], network: SpatialNetwork, folder: Path) -> None:
    """Writes all files of a model into an empty folder; the network gets its rounded weights."""
    from safetensors.torch import load_file, save_file

    save_file(stored_weights(network), folder / WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(0o644)
    _load(network, load_file(folder / WEIGHTS_FILE), folder / WEIGHTS_FILE)
    network.eval()
    with torch.inference_mode():
        task.calibrate(network)
        metrics = task.validate(network, torch.device("cpu"))
    plan = task.export_plan(network)
    variants = tuple(
        export_variant(network, plan, number, folder) for number in range(len(plan.shapes))
    )
    spec = _spec(task, plan, variants, metrics, folder)
    spec.save(folder)
    (folder / CARD_FILE).write_text(model_card(spec, plan, task, network), encoding="utf-8")


def stored_weights(network: SpatialNetwork) -> dict[str, Tensor]:
    """The state dict as weights.safetensors holds it: matrices and kernels in fp16.

    Vectors (biases, batch normalization) stay fp32: they are small, and a variance may exceed
    fp16's range.
    """
    return {
        name: (value.half() if value.is_floating_point() and value.ndim > 1 else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in network.state_dict().items()
    }


def export_variant(network: SpatialNetwork, plan: ExportPlan, number: int, folder: Path) -> Variant:
    """Writes one ONNX file with static shapes and checks it in ONNX Runtime against the network.

    Raises:
        EngineError: If the outputs differ.
    """
    shapes = plan.shapes[number]
    inputs = _example(network, plan, shapes)
    folded = copy.deepcopy(network).eval()
    fold_batch_norm(folded)
    folded.load_state_dict(stored_weights(folded))
    name = "model.onnx" if len(plan.shapes) == 1 else f"model_{_size(shapes)}.onnx"
    graph = onnx_graph(folded, inputs)
    compress_weights(graph)
    onnx.save(graph, folder / name)
    with torch.inference_mode():
        expected = {k: v.numpy() for k, v in folded.outputs(inputs).items()}
        unfolded = {k: v.numpy() for k, v in network.outputs(inputs).items()}
    compare_with_runtime(folder / name, inputs, expected)
    _check_rounding(expected, unfolded, folder / name)
    return Variant(
        file=name,
        inputs={k: TensorSpec(tuple(v.shape), str(v.numpy().dtype)) for k, v in inputs.items()},
        outputs={k: TensorSpec(tuple(v.shape), str(v.dtype)) for k, v in expected.items()},
    )


def _example(
    network: SpatialNetwork, plan: ExportPlan, shapes: dict[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Random inputs of the variant's shapes; whole numbers (indices) are zero."""
    generator = torch.Generator().manual_seed(0)
    largest = float(plan.preprocessing.get("range", 1.0))
    inputs = {}
    for name in network.input_names:
        dtype = getattr(torch, plan.input_dtypes.get(name, "float32"))
        if dtype.is_floating_point:
            inputs[name] = largest * torch.rand(shapes[name], generator=generator, dtype=dtype)
        else:
            inputs[name] = torch.zeros(shapes[name], dtype=dtype)
    return inputs


def _check_rounding(
    rounded: dict[str, np.ndarray], exact: dict[str, np.ndarray], path: Path
) -> None:
    for name, wanted in exact.items():
        error = np.sqrt(np.mean((rounded[name] - wanted) ** 2))
        share = float(error / max(np.sqrt(np.mean(wanted**2)), 1e-6))
        if not share <= _ROUNDING:  # of what is no number, too
            raise EngineError(f"{path}: fp16 kernels change output '{name}' by {share:.1e}")


def compare_with_runtime(
    path: Path, inputs: dict[str, Tensor], expected: dict[str, np.ndarray]
) -> None:
    """Runs an exported file in ONNX Runtime and holds it against the outputs of its network.

    Raises:
        EngineError: If they differ.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(list(expected), {name: value.numpy() for name, value in inputs.items()})
    for (name, wanted), value in zip(expected.items(), found, strict=True):
        if value.shape != wanted.shape:
            raise EngineError(f"{path}: output '{name}' is {value.shape}, not {wanted.shape}")
        worst = float(np.abs(value - wanted).max()) / max(float(np.abs(wanted).max()), 1e-6)
        if not worst <= _TOLERANCE:  # what is no number is as far off
            raise EngineError(f"{path}: output '{name}' is off by {worst:.1e} of its range")


def _spec(
    task: Task[Any],
    plan: ExportPlan,
    variants: tuple[Variant, ...],
    metrics: dict[str, float],
    folder: Path,
) -> ModelSpec:
    classes = tuple(
        ClassSpec(name, (int(color[0]), int(color[1]), int(color[2])))
        for name, color in zip(plan.label_set.names, plan.label_set.colors, strict=True)
    )
    record = MetricRecord(
        dataset=plan.validation,
        frames=plan.validation_samples,
        values={name: round(value, 2) for name, value in metrics.items()},
        command="measured by export, PyTorch fp32",
        machine=cpu_name(),
    )
    files = (WEIGHTS_FILE, *(variant.file for variant in variants))
    training_data, licences = list(plan.training_data), [plan.data_licence]
    if (before := _begun_from(task.initial)) is not None:
        training_data.append(f"begun from {before.name} ({before.training_data})")
        licences.append(before.data_licence)
    return ModelSpec(
        name=plan.model,
        decoder=plan.decoder,
        variants=variants,
        classes=classes,
        description=plan.summary,
        network=NetworkSpec(task.network_name, _plain(task.network_arguments)),
        decoder_arguments=_plain(plan.decoder_arguments),
        preprocessing=_plain(plan.preprocessing),
        files={name: file_sha256(folder / name) for name in files},
        metrics=(record,),
        training_data="; ".join(training_data),
        data_licence="; ".join(dict.fromkeys(filter(None, licences))),
    )


def _begun_from(initial: str) -> ModelSpec | None:
    """The model whose weights a training began with, which says what data they saw."""
    path = Path(initial)
    if path.name != WEIGHTS_FILE or not (path.parent / MODEL_FILE).is_file():
        return None
    return ModelSpec.load(path.parent, check_files=False)


def _plain(mapping: dict[str, Any]) -> dict[str, Any]:
    """The same values as YAML knows them: tuples as lists."""
    return json.loads(json.dumps(mapping))


def _load(network: SpatialNetwork, state: dict[str, Tensor], where: Path) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ConfigError(f"{where}: weights do not fit the configuration: {first}") from error


def _size(shapes: dict[str, tuple[int, ...]]) -> str:
    """Height x width of the first input, for the file's name."""
    shape = next(iter(shapes.values()))
    return f"{shape[-2]}x{shape[-1]}"

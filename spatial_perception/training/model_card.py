"""MODEL_CARD.md: what a model is, what it was trained on, how good it is, how to make it again."""

from __future__ import annotations

from typing import Any

from spatial_perception.networks.layers import parameter_count
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.runtime.spec import MetricRecord, ModelSpec
from spatial_perception.training.cost import giga_flops
from spatial_perception.training.task import ExportPlan, Task

CARD_FILE = "MODEL_CARD.md"

_TEMPLATE = """# {name}

{description}

| | |
|---|---|
| network | `{network}`, {arguments} |
| parameters | {parameters:.2f} million |
| inputs | {shapes} |
| classes | {classes} |
| licence | {licence} |
| licence of the training data | {data_licence} |

## Training

Data: {training_data}.

`config/training/{name}.yaml` has batches, augmentation and schedule of a fresh run (seed {seed}).
How the weights that come with the suite were made, most of them in several phases, is in
docs/training.md ("The shipped weights"). To train afresh and to measure:

    spatial-perception train {name} --data ROOT
    spatial-perception export {name} --data ROOT
    spatial-perception evaluate {name} --root ROOT {evaluation}

## Metrics

In percent.

{metrics}

## Limits

Trained on the data above alone: expect less in other countries, seasons, at night and through
other lenses. The scores are what the network says, not a guarantee; do not let them alone decide
on safety.
"""


def model_card(spec: ModelSpec, plan: ExportPlan, task: Task[Any], network: SpatialNetwork) -> str:
    """The card's Markdown text."""
    shapes = []
    for shape in plan.shapes:
        text = ", ".join(f"{name} {'x'.join(map(str, size))}" for name, size in shape.items())
        shapes.append(f"{text}: {giga_flops(network, shape, plan.input_dtypes):.2f} GFLOP")
    arguments = ", ".join(f"{key}={value}" for key, value in task.network_arguments.items())
    return _TEMPLATE.format(
        name=spec.name,
        description=spec.description,
        network=task.network_name,
        arguments=arguments,
        parameters=parameter_count(network) / 1e6,
        shapes="; ".join(shapes),
        classes=", ".join(spec.label_set.names),
        licence=spec.licence,
        data_licence=spec.data_licence or "nothing restricts the weights",
        training_data=spec.training_data,
        seed=task.fit.seed,
        evaluation=plan.evaluation,
        metrics="\n\n".join(_record(record) for record in spec.metrics),
    )


def _record(record: MetricRecord) -> str:
    title = f"{record.dataset} ({record.frames} samples), {record.command}; {record.machine}:"
    lines = ["| metric | value |", "|---|---|"]
    lines += [f"| {name} | {value:g} |" for name, value in record.values.items()]
    if record.interval_90:
        ranges = {name: f"{low:g} .. {high:g}" for name, (low, high) in record.interval_90.items()}
        cells = [" 90 % interval over samples ", "---"]
        cells += [f" {ranges.get(name, '-')} " for name in record.values]
        lines = [f"{line}{cell}|" for line, cell in zip(lines, cells, strict=True)]
    return "\n".join((title, "", *lines))

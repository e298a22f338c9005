"""The loop on a task of a few numbers: exact resume, schedule, budget, averaged weights, log."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from spatial_perception.core.labels import LabelSet
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.training import loop
from spatial_perception.training.checkpoint import load_weights
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.loop import fit
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, sample_generator


class Line(SpatialNetwork):
    """A regression with everything that carries state: batch normalization, dropout, weights."""

    input_names = ("x",)
    output_names = ("y",)

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1)
        )

    def forward(self, x):
        return self.body(x)

    @classmethod
    def example_arguments(cls):
        return {}

    @classmethod
    def example_inputs(cls, generator):
        return {"x": torch.rand(2, 3, generator=generator)}


class Regression(Task):
    network_name = "line"
    network_arguments = {}  # noqa: RUF012

    def __init__(self, fit_config: FitConfig, stop_at: int = -1) -> None:
        super().__init__(fit_config)
        self.stop_at = stop_at
        self.order = EpochOrder(50, 8, fit_config.seed)
        self.seen: list[list[int]] = []

    def network(self):
        return Line()

    def batch(self, step):
        if step == self.stop_at:
            raise KeyboardInterrupt
        indices = self.order.indices(step)
        self.seen.append(indices.tolist())
        noise = sample_generator(self.fit.seed, step).normal(0, 0.1, (8, 3))
        x = torch.from_numpy(indices[:, None] / 50.0 + noise).float()
        return x, x.sum(1, keepdim=True)

    def loss(self, network, batch):
        x, y = batch
        loss = (network(x).float() - y).square().mean()
        return loss, {"error": loss.detach().sqrt()}

    def validate(self, network, device):
        assert not network.training
        x = torch.linspace(0, 1, 30, device=device).view(10, 3)
        return {"quality": -(network(x).float() - x.sum(1, keepdim=True)).abs().mean().item()}

    def export_plan(self, network):
        return ExportPlan("line", ({"x": (2, 3)},), "none", LabelSet(("a",)), (), "", "")


CONFIG = FitConfig(
    steps=40, validate_every=10, checkpoint_every=10, log_every=5, precision="fp32",
    memory_format="contiguous", device="cpu", learning_rate=0.01, ema_decay=0.9, seed=3,
)  # fmt: skip


def numbers(log: Path) -> list[tuple[str, str, str]]:
    with log.open(newline="") as file:
        return [(row["step"], row["name"], row["value"]) for row in csv.DictReader(file)]


def test_an_interrupted_and_resumed_run_ends_as_an_uninterrupted_one(tmp_path):
    whole = Regression(CONFIG)
    straight = fit(whole, tmp_path / "straight", show=False)
    first = Regression(CONFIG, stop_at=27)
    with pytest.raises(KeyboardInterrupt):
        fit(first, tmp_path / "cut", show=False)
    second = Regression(CONFIG)
    resumed = fit(second, tmp_path / "cut", resume=True, show=False)
    assert second.seen == whole.seen[20:], "goes on after the last checkpoint, in the same order"
    assert resumed.metrics == straight.metrics
    for name in ("last.pt", "best.pt"):
        expected, _ = load_weights(tmp_path / "straight" / name)
        found, _ = load_weights(tmp_path / "cut" / name)
        assert expected.keys() == found.keys()
        for key in expected:
            assert torch.equal(expected[key], found[key]), key
    assert numbers(tmp_path / "cut" / "log.csv") == numbers(tmp_path / "straight" / "log.csv")


def test_worker_processes_change_nothing(tmp_path):
    plain = fit(Regression(CONFIG), tmp_path / "a", show=False)
    workers = fit(Regression(replace(CONFIG, workers=2)), tmp_path / "b", show=False)
    assert plain.metrics == workers.metrics


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_the_data_is_one_line_whoever_reads_them(workers, tmp_path):
    class Damaged(Regression):
        def batch(self, step):
            if step == 3:
                raise DatasetError("scan.npz: not a readable shard")
            return super().batch(step)

    with pytest.raises(DatasetError) as caught:
        fit(Damaged(replace(CONFIG, workers=workers)), tmp_path, show=False)
    assert str(caught.value) == "scan.npz: not a readable shard"


def test_a_run_leaves_the_callers_random_numbers_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    fit(Regression(replace(CONFIG, steps=3)), tmp_path, show=False)
    assert torch.equal(torch.rand(4), expected)


def test_the_loss_falls_and_the_log_says_so(tmp_path):
    fit(Regression(CONFIG), tmp_path, show=False)
    losses = [float(v) for _, name, v in numbers(tmp_path / "log.csv") if name == "train/loss"]
    assert len(losses) == 8
    assert losses[-1] < 0.5 * losses[0]
    assert any((tmp_path / "events").iterdir()), "TensorBoard's events are written"


def test_best_weights_are_those_of_the_best_validation(tmp_path):
    result = fit(Regression(CONFIG), tmp_path, show=False)
    logged = [float(v) for _, n, v in numbers(tmp_path / "log.csv") if n == "val/quality"]
    assert result.metrics["quality"] == pytest.approx(max(logged), rel=1e-4)
    state, metrics = load_weights(result.weights)
    network = Line()
    network.load_state_dict(state)
    found = Regression(CONFIG).validate(network.eval(), torch.device("cpu"))
    assert found == pytest.approx(metrics)


@pytest.mark.parametrize("first", [{"quality": float("nan")}, {"other": 3.0}])
def test_a_validation_that_measured_nothing_comparable_is_no_best_one(first, tmp_path):
    class Later(Regression):
        measured = iter([first, {"quality": -2.0}, {"quality": -1.0}, {"quality": -3.0}])

        def validate(self, network, device):
            return next(self.measured)

    result = fit(Later(CONFIG), tmp_path, show=False)
    assert result.metrics == {"quality": -1.0}


def test_the_time_budget_ends_the_run_with_the_rate_annealed(tmp_path, monkeypatch):
    clock = itertools.count()  # a second between any two looks at the clock
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    config = replace(CONFIG, steps=1_000_000, max_minutes=1.0, log_every=1)
    result = fit(Regression(config), tmp_path, show=False)
    assert 10 < result.steps <= 60
    assert 60.0 <= result.seconds < 65.0
    rates = [float(v) for _, n, v in numbers(tmp_path / "log.csv") if n == "train/rate"]
    assert rates[-1] < 0.1 * max(rates)


def test_a_step_without_a_finite_gradient_is_skipped(tmp_path):
    class Broken(Regression):
        def loss(self, network, batch):
            loss, parts = super().loss(network, batch)
            return loss * float("nan"), parts

    fit(Broken(replace(CONFIG, steps=5)), tmp_path, show=False)
    state, _ = load_weights(tmp_path / "last.pt")
    assert all(torch.isfinite(value).all() for value in state.values())


def test_a_run_that_is_over_is_not_trained_on_when_resumed(tmp_path, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    config = replace(CONFIG, steps=1_000_000, max_minutes=0.5)
    over = fit(Regression(config), tmp_path, show=False)
    again = fit(Regression(config), tmp_path, resume=True, show=False)
    assert (again.steps, again.metrics) == (over.steps, over.metrics)
    longer = fit(Regression(replace(config, max_minutes=1.0)), tmp_path, resume=True, show=False)
    assert longer.steps > over.steps


def test_a_resumed_run_takes_the_weight_decay_that_it_is_given_now(tmp_path):
    fit(Regression(replace(CONFIG, steps=10)), tmp_path, show=False)
    task = Regression(replace(CONFIG, weight_decay=0.5))
    decays = [g["weight_decay"] for g in loop._Run(task, tmp_path, True)._optimizer.param_groups]
    assert decays == [0.5, 0.0]


def test_a_checkpoint_of_another_network_or_optimizer_is_one_clear_error(tmp_path):
    class Wider(Regression):
        def network(self):
            network = Line()
            network.body[4] = nn.Linear(16, 2)
            return network

    class Slower(Regression):
        def rate_factor(self, parameter):
            return 0.5 if parameter.startswith("body.4") else 1.0

    fit(Regression(replace(CONFIG, steps=10)), tmp_path, show=False)
    for task in (Wider(CONFIG), Slower(CONFIG)):
        with pytest.raises(ConfigError, match=r"last\.pt: of another network or optimizer"):
            fit(task, tmp_path, resume=True, show=False)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", ""])
def test_a_device_that_is_not_there_is_one_clear_error(device, tmp_path):
    with pytest.raises(ConfigError, match=f"fit.device: '{device}'"):
        fit(Regression(replace(CONFIG, device=device)), tmp_path, show=False)


def test_validation_data_that_hold_nothing_are_one_clear_error(tmp_path):
    class Unlabelled(Regression):
        def validate(self, network, device):
            return {}

    with pytest.raises(DatasetError, match="nothing to measure"):
        fit(Unlabelled(CONFIG), tmp_path, show=False)


@pytest.mark.parametrize(
    ("memory_format", "flat", "deep"),
    [("contiguous", 0, 0), ("channels_last", 1, 0), ("channels_last_3d", 0, 1)],
)
def test_a_layout_is_that_of_the_kernels_that_have_it(memory_format, flat, deep, tmp_path):
    class Kernels(Regression):
        def network(self):
            network = Line()
            network.flat, network.deep = nn.Conv2d(2, 3, 3), nn.Conv3d(2, 3, 3)
            return network

    run = loop._Run(Kernels(replace(CONFIG, memory_format=memory_format)), tmp_path, False)
    kernels = run._network.flat.weight, run._network.deep.weight
    formats = torch.channels_last, torch.channels_last_3d
    found = [k.is_contiguous(memory_format=f) for k, f in zip(kernels, formats, strict=True)]
    assert found == [flat, deep]


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_auto_precision_is_bf16_on_gpus_that_compute_it(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    entered = []
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype, enabled: entered.append(enabled))
    loop.autocast(FitConfig(precision="auto"), torch.device("cuda"))
    assert entered == [expected]


@pytest.mark.parametrize(
    ("precision", "hardware", "expected"),
    [("auto", True, True), ("auto", False, False), ("bf16", False, True), ("fp32", True, False)],
)
def test_auto_precision_is_bf16_where_the_processor_computes_it(
    precision, hardware, expected, monkeypatch
):
    monkeypatch.setattr(loop, "cpu_has_bf16", lambda: hardware)
    context = loop.autocast(FitConfig(precision=precision), torch.device("cpu"))
    with context:
        assert torch.is_autocast_enabled("cpu") == expected

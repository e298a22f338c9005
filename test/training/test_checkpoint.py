import pytest
import torch

from spatial_perception.errors import ConfigError
from spatial_perception.training.checkpoint import Checkpoint, load_weights, save_weights


def test_a_checkpoint_comes_back(tmp_path):
    state = {"a": torch.arange(3.0)}
    Checkpoint(7, 1.5, state, {"a": torch.ones(2)}, {"lr": 0.1}, {"miou": 50.0}).save(
        tmp_path / "run" / "last.pt"
    )
    found = Checkpoint.load(tmp_path / "run" / "last.pt")
    assert (found.step, found.seconds, found.best) == (7, 1.5, {"miou": 50.0})
    assert torch.equal(found.network["a"], state["a"])
    weights, metrics = load_weights(tmp_path / "run" / "last.pt")
    assert torch.equal(weights["a"], torch.ones(2)), "the averaged weights are the result"
    assert metrics == {"miou": 50.0}


def test_weights_come_back_with_their_metrics(tmp_path):
    save_weights(tmp_path / "best.pt", {"a": torch.ones(2)}, {"accuracy": 99.0}, 3)
    weights, metrics = load_weights(tmp_path / "best.pt")
    assert weights["a"].tolist() == [1.0, 1.0]
    assert metrics == {"accuracy": 99.0}


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_missing_or_damaged_file_is_one_clear_error(tmp_path, content):
    path = tmp_path / "best.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"best\.pt"):
        load_weights(path)


def test_weights_alone_are_no_checkpoint_to_go_on_from(tmp_path):
    save_weights(tmp_path / "last.pt", {"a": torch.ones(2)}, {"accuracy": 99.0}, 3)
    with pytest.raises(ConfigError, match=r"last\.pt: not the checkpoint of a run"):
        Checkpoint.load(tmp_path / "last.pt")


def test_of_an_empty_file_too_it_is_said_why_it_cannot_be_read(tmp_path):
    (tmp_path / "last.pt").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"not a readable checkpoint \(\w+"):
        Checkpoint.load(tmp_path / "last.pt")


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (print, ("harm",))

    torch.save({"weights": Harmful()}, tmp_path / "best.pt")
    with pytest.raises(ConfigError, match="not a readable checkpoint"):
        load_weights(tmp_path / "best.pt")

"""Each test has a network of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("cyclonedds", reason="needs cyclonedds")

from .network import Command, Peer, environment


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make_peer() -> Iterator[Callable[..., Peer]]:
    """Returns a function that makes a node on the network."""
    made: list[Peer] = []

    def make(name: str = "peer") -> Peer:
        made.append(Peer(name))
        return made[-1]

    yield make
    for peer in made:
        peer.close()


@pytest.fixture
def peer(make_peer: Callable[..., Peer]) -> Peer:
    return make_peer()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Returns a function that starts a command in a process of its own."""
    started: list[Command] = []

    def start(*arguments: object) -> Command:
        log = tmp_path / f"{arguments[0]}_{len(started)}.log"
        started.append(Command(log, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.kill()

"""Each stage live, in a process of its own: normal input, empty cloud, broken message, CTRL-C.

The same set that the ROS 2 nodes pass (test/nodes/launch).
"""

import time
from collections.abc import Callable

import pytest

from spatial_perception.dds.pubsub import Publisher
from spatial_perception.messages import DIAGNOSTICS
from spatial_perception.runtime.models import model_names
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.registry import STAGES, make_stage
from test.live_samples import empty_cloud, is_broken_on_purpose, sample, stage_inputs

from .network import Command, Peer, stop_limit_s, wait_until

STEP_NS = 100_000_000
WITHOUT_MODEL = ("occupancy_mapper", "overlay")


class Talk:
    """Feeds one stage and hears its results."""

    def __init__(self, peer: Peer, name: str) -> None:
        stage = make_stage(name, {})
        self._name = name
        self._stamp_ns = time.time_ns()
        self.ports = list(stage_inputs(stage))
        self._results: list[list[bytes]] = []
        self._reports = peer.collect("/diagnostics", DIAGNOSTICS.ros_type)
        for port in stage.outputs:
            if port.kind is not PortKind.LATCHED or port.name.endswith("grid"):
                self._results.append(peer.collect(port.topic, port.codec.ros_type))
        self._publishers: dict[str, Publisher] = {
            port.name: peer.publisher(port.topic, port.codec.ros_type) for port in self.ports
        }

    def count(self) -> int:
        return sum(len(found) for found in self._results)

    def publish(self, port: Port, make: Callable[[int], bytes]) -> None:
        self._stamp_ns += STEP_NS
        self._publishers[port.name].publish(make(self._stamp_ns))

    def send_until_answered(self) -> None:
        """Sends whole sets of inputs until there is a new result."""
        before, end_s = self.count(), time.monotonic() + 60
        while self.count() == before:
            assert time.monotonic() < end_s, "no result"
            self._stamp_ns += STEP_NS
            for port in self.ports:
                self._publishers[port.name].publish(sample(port.codec, self._stamp_ns))
            time.sleep(0.2)

    def diagnosis(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for data in list(self._reports):
            for status in DIAGNOSTICS.decode(data).statuses:
                if status.name == f"perception: {self._name}":
                    values = dict(status.values)
        return values


@pytest.mark.parametrize("name", list(STAGES))
def test_stage_answers_survives_bad_input_and_ends_in_time(
    name: str, command: Callable[..., Command], peer: Peer
) -> None:
    if name not in WITHOUT_MODEL and name not in model_names():
        pytest.skip(f"needs the model {name}")
    live = command("live", "--stages", name, "--delivery", "lossless")
    live.wait_for("1 of 1 stages ready")
    talk = Talk(peer, name)

    talk.send_until_answered()

    for port in talk.ports:
        if port.codec.core_type.__name__ == "PointCloud":
            talk.publish(port, empty_cloud)
    talk.send_until_answered()

    for port in filter(is_broken_on_purpose, talk.ports):
        talk.publish(port, lambda stamp_ns, port=port: sample(port.codec, stamp_ns)[:-24])
    wait_until(lambda: int(talk.diagnosis().get("dropped_decode", "0")) > 0, what="the count")
    talk.send_until_answered()

    code, elapsed_s = live.interrupt()
    assert code == 0, live.output
    assert elapsed_s < stop_limit_s()

"""A bag that is read several times as if the recording had gone on."""

import dataclasses
from pathlib import Path

from spatial_perception.bags import BagReader, BagWriter, looped_messages
from spatial_perception.core import Header
from spatial_perception.core.examples import example_point_cloud
from spatial_perception.messages import POINT_CLOUD

STEP_NS = 100_000_000


def test_log_times_and_stamps_go_on_at_the_recorded_rate(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        for frame in range(3):
            stamp_ns = 10**9 + frame * STEP_NS
            cloud = dataclasses.replace(example_point_cloud(), header=Header(stamp_ns, "lidar"))
            data = POINT_CLOUD.encode(cloud)
            writer.write("/points", POINT_CLOUD.ros_type, stamp_ns + 5, data)
    with BagReader(tmp_path / "bag") as reader:
        messages = list(looped_messages(reader, loops=3))
    expected = [10**9 + frame * STEP_NS for frame in range(9)]
    assert [m.log_time_ns for m in messages] == [stamp_ns + 5 for stamp_ns in expected]
    assert [POINT_CLOUD.decode(m.data).header.stamp_ns for m in messages] == expected

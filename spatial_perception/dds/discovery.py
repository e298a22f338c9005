"""What ROS knows of a participant beyond DDS: which nodes it has and which endpoints are theirs.

Every participant publishes it on `ros_discovery_info` (rmw_dds_common); `ros2 node list` and the
node names of `ros2 topic info -v` come from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spatial_perception.messages import QosProfile
from spatial_perception.messages.typestore import serialize, typestore

TOPIC = "ros_discovery_info"
ROS_TYPE = "rmw_dds_common/msg/ParticipantEntitiesInfo"
QOS = QosProfile(reliable=True, transient_local=True, depth=1)


@dataclass(slots=True)
class _Node:
    namespace: str
    name: str
    readers: set[bytes] = field(default_factory=set)
    writers: set[bytes] = field(default_factory=set)


class NodeTable:
    """The nodes of a participant and the GUIDs (16 bytes each) of their endpoints."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}

    def add_node(self, name: str, namespace: str) -> None:
        """Adds a node without endpoints."""
        self._nodes[name] = _Node(namespace, name)

    def add_reader(self, node: str, guid: bytes) -> None:
        """Tells that a node subscribes."""
        self._nodes[node].readers.add(guid)

    def add_writer(self, node: str, guid: bytes) -> None:
        """Tells that a node publishes."""
        self._nodes[node].writers.add(guid)

    def discard(self, guid: bytes) -> None:
        """Tells that an endpoint is gone."""
        for node in self._nodes.values():
            node.readers.discard(guid)
            node.writers.discard(guid)

    def encode(self, participant: bytes) -> bytes:
        """Returns the CDR bytes of the message for `ros_discovery_info`."""
        types = typestore().types
        entities = types["rmw_dds_common/msg/NodeEntitiesInfo"]
        nodes = [
            entities(
                node_namespace=node.namespace,
                node_name=node.name,
                reader_gid_seq=[_gid(guid) for guid in sorted(node.readers)],
                writer_gid_seq=[_gid(guid) for guid in sorted(node.writers)],
            )
            for node in self._nodes.values()
        ]
        return serialize(types[ROS_TYPE](gid=_gid(participant), node_entities_info_seq=nodes))


def _gid(guid: bytes) -> Any:
    return typestore().types["rmw_dds_common/msg/Gid"](data=np.frombuffer(guid, np.uint8))

"""Full names of topics, as ROS resolves them for a node in a namespace."""

from __future__ import annotations

from collections.abc import Mapping

from spatial_perception.errors import ConfigError
from spatial_perception.stages.names import resolved_source


class TopicResolver:
    """Namespace first, then remapping; a remapping may name the topic with or without namespace.

    Args:
        namespace: `/` for none; a leading slash may be left out.
        remappings: topic to full topic.

    Raises:
        ConfigError: the namespace is none.
    """

    def __init__(self, namespace: str, remappings: Mapping[str, str]) -> None:
        self.namespace = "/" + namespace.strip("/")
        parts = self.namespace.strip("/").split("/")
        if self.namespace != "/" and not all(part.isidentifier() for part in parts):
            raise ConfigError(f"namespace '{namespace}': expected letters, digits, '_' and '/'")
        self._remappings = remappings

    def resolve(self, topic: str, preferred: str = "") -> str:
        """Returns the full name of a default topic.

        Args:
            topic: default name.
            preferred: of an input with several sources the first one's default name; a compressed
                picture follows its raw topic.
        """
        return resolved_source(topic, preferred or topic, self._resolve)

    def _resolve(self, name: str, only_expand: bool) -> str:
        full = name if name.startswith("/") else f"{self.namespace.rstrip('/')}/{name}"
        if only_expand:
            return full
        default = "/" + name.lstrip("/")
        return self._remappings.get(full, self._remappings.get(default, full))

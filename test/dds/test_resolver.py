"""Full names of topics."""

import pytest

from spatial_perception.dds.resolver import TopicResolver
from spatial_perception.errors import ConfigError

IMAGE = "/sensing/camera/front/image"


@pytest.mark.parametrize("namespace", ["car1", "/car1", "/car1/"])
def test_namespace_moves_all_but_the_topics_that_everybody_shares(namespace: str) -> None:
    resolver = TopicResolver(namespace, {})
    assert resolver.namespace == "/car1"
    assert resolver.resolve(IMAGE) == f"/car1{IMAGE}"
    assert resolver.resolve("/tf_static") == "/tf_static"
    assert TopicResolver("/", {}).resolve(IMAGE) == IMAGE


def test_remapping_names_the_default_or_the_full_topic() -> None:
    for source in (IMAGE, f"/car1{IMAGE}"):
        assert TopicResolver("/car1", {source: "/cam"}).resolve(IMAGE) == "/cam"
    assert TopicResolver("/car1", {"/tf": "/tf_car1"}).resolve("/tf") == "/tf_car1"


def test_compressed_picture_follows_its_raw_topic_unless_it_is_remapped_itself() -> None:
    compressed = f"{IMAGE}/compressed"
    assert TopicResolver("/", {IMAGE: "/cam"}).resolve(compressed, IMAGE) == "/cam/compressed"
    both = {IMAGE: "/cam", compressed: "/jpeg"}
    assert TopicResolver("/", both).resolve(compressed, IMAGE) == "/jpeg"


def test_a_bad_namespace_is_refused() -> None:
    with pytest.raises(ConfigError, match="namespace 'car-1'"):
        TopicResolver("car-1", {})

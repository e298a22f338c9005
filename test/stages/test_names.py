"""Names of topics after remapping, with a resolver that does what ROS does."""

from collections.abc import Callable

import pytest

from spatial_perception.stages.names import relative, resolved_source

RAW = "/sensing/camera/front/image"
COMPRESSED = f"{RAW}/compressed"


def resolver(namespace: str = "", **remappings: str) -> Callable[[str, bool], str]:
    rules = {key.replace("__", "/"): value for key, value in remappings.items()}

    def resolve(name: str, only_expand: bool) -> str:
        full = name if name.startswith("/") else f"{namespace}/{name}"
        return full if only_expand else rules.get(full, full)

    return resolve


@pytest.mark.parametrize("topic", ["/tf", "/tf_static", "/diagnostics", "/clock"])
def test_topics_of_everybody_stay_absolute(topic: str) -> None:
    assert relative(topic) == topic


def test_namespace_moves_other_topics() -> None:
    assert resolved_source(RAW, RAW, resolver("/car1")) == f"/car1{RAW}"
    assert resolved_source(COMPRESSED, RAW, resolver("/car1")) == f"/car1{COMPRESSED}"


def test_compressed_picture_follows_its_remapped_raw_topic() -> None:
    resolve = resolver(**{RAW.replace("/", "__"): "/cam/image_raw"})
    assert resolved_source(RAW, RAW, resolve) == "/cam/image_raw"
    assert resolved_source(COMPRESSED, RAW, resolve) == "/cam/image_raw/compressed"


def test_remapping_of_the_compressed_topic_itself_wins() -> None:
    resolve = resolver(
        **{RAW.replace("/", "__"): "/cam/image_raw", COMPRESSED.replace("/", "__"): "/jpeg"}
    )
    assert resolved_source(COMPRESSED, RAW, resolve) == "/jpeg"

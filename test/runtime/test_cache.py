"""The engine cache: found again only when nothing changed, rebuilt when damaged, safe for two."""

from __future__ import annotations

import dataclasses
import errno
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.backends import get_backend
from spatial_perception.runtime.cache import EngineCache, EngineKey, default_cache_dir

KEY = EngineKey("a" * 64, "openvino", "2026.4", "AMD EPYC", "bf16", "image=1x3x16x16")


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache")


def never() -> bytes:
    raise AssertionError("built although the engine is stored")


def test_second_request_is_served_from_disk(cache: EngineCache) -> None:
    assert cache.get_or_build(KEY, "m", lambda: b"engine") == (b"engine", False)
    assert cache.get_or_build(KEY, "m", never) == (b"engine", True)
    assert EngineCache(cache.folder.parent).get_or_build(KEY, "m", never) == (b"engine", True)


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(EngineKey)])
def test_any_other_field_misses_and_the_log_names_it(
    field: str, cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.get_or_build(KEY, "m", lambda: b"engine")
    other = dataclasses.replace(KEY, **{field: "another"})
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert cache.get_or_build(other, "m", lambda: b"new") == (b"new", False)
    expected = "no another engine stored yet" if field == "backend" else f"{field} is another"
    assert expected in caplog.text


def test_the_nearest_entry_is_the_one_reported(cache: EngineCache) -> None:
    cache.get_or_build(KEY, "m", lambda: b"1")
    far = dataclasses.replace(KEY, onnx="b" * 64, device="other", backend_version="1")
    cache.get_or_build(far, "m", lambda: b"2")
    wanted = dataclasses.replace(KEY, device="Intel Xeon")
    reason = cache.miss_reason(wanted, "m")
    assert reason == "no stored engine fits: device is Intel Xeon, stored AMD EPYC"


def damage_cut(data: bytes) -> bytes:
    return data[: len(data) - 3]


def damage_flip_payload(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def damage_flip_header(data: bytes) -> bytes:
    return data.replace(b"AMD EPYC", b"AMD EPYD")


def damage_empty(data: bytes) -> bytes:
    return b""


def damage_foreign(data: bytes) -> bytes:
    return b"\x7fELF" + data


def damage_header_type(data: bytes) -> bytes:
    return data[: data.index(b"\n") + 1] + b"[]\n"


@pytest.mark.parametrize(
    "damage",
    [
        damage_cut,
        damage_flip_payload,
        damage_flip_header,
        damage_empty,
        damage_foreign,
        damage_header_type,
    ],
)
def test_damaged_entry_is_listed_as_such_and_rebuilt(
    damage: Callable[[bytes], bytes], cache: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.get_or_build(KEY, "m", lambda: b"engine of some length")
    path = cache.path(KEY)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.entries()[0].problem.startswith("damaged")
    assert cache.get_or_build(KEY, "m", lambda: b"rebuilt") == (b"rebuilt", False)
    assert "damaged" in caplog.text
    assert cache.get_or_build(KEY, "m", never) == (b"rebuilt", True)
    assert [entry.problem for entry in cache.entries()] == [""]


def test_entry_under_another_name_is_not_trusted(cache: EngineCache) -> None:
    cache.get_or_build(KEY, "m", lambda: b"engine")
    other = dataclasses.replace(KEY, device="another GPU")
    cache.path(KEY).rename(cache.path(other))
    assert cache.get_or_build(other, "m", lambda: b"right") == (b"right", False)


def test_listing_and_clearing(cache: EngineCache) -> None:
    assert cache.entries() == []
    assert cache.clear() == (0, 0)
    cache.get_or_build(KEY, "model", lambda: b"engine")
    (entry,) = cache.entries()
    assert (entry.model, entry.key, entry.size_bytes) == (
        "model",
        KEY,
        cache.path(KEY).stat().st_size,
    )
    assert cache.clear() == (1, entry.size_bytes)
    assert cache.entries() == []


def test_failed_build_stores_nothing(cache: EngineCache) -> None:
    def fail() -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get_or_build(KEY, "m", fail)
    assert cache.entries() == []
    assert not list(cache.folder.glob("*.tmp"))


def test_folder_that_cannot_be_written_is_reported_and_the_engine_still_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    cache = EngineCache(tmp_path / "file")
    assert cache.get_or_build(KEY, "m", lambda: b"engine") == (b"engine", False)
    assert "SPATIAL_PERCEPTION_CACHE" in caplog.text


BUILDER = """
import sys, time, pathlib
from spatial_perception.runtime.cache import EngineCache, EngineKey
folder, name = sys.argv[1:]
def build():
    open(pathlib.Path(folder) / f"built_by_{name}", "w").close()
    time.sleep(0.7)
    return b"engine" * 100000
key = EngineKey("a", "openvino", "1", "cpu", "fp32", "x=1")
blob, hit = EngineCache(folder).get_or_build(key, "m", build)
assert blob == b"engine" * 100000
"""


def test_of_two_processes_that_build_at_once_one_builds_and_both_get_it(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", BUILDER, str(tmp_path), name]) for name in "ab"
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(list(tmp_path.glob("built_by_*"))) == 1
    assert [entry.problem for entry in EngineCache(tmp_path).entries()] == [""]


def test_builder_that_is_killed_leaves_no_broken_entry_and_no_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", BUILDER, str(tmp_path), "a"])
    deadline_s = time.monotonic() + 30
    while not (tmp_path / "built_by_a").exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert EngineCache(tmp_path).entries() == []
    subprocess.run([sys.executable, "-c", BUILDER, str(tmp_path), "b"], check=True, timeout=30)
    assert len(EngineCache(tmp_path).entries()) == 1


def test_cache_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("SPATIAL_PERCEPTION_CACHE", str(tmp_path / "own"))
    assert default_cache_dir() == tmp_path / "own"
    monkeypatch.delenv("SPATIAL_PERCEPTION_CACHE")
    assert default_cache_dir() == tmp_path / "xdg" / "spatial_perception"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / ".cache" / "spatial_perception"


def test_cache_folder_of_a_user_without_a_home_is_the_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("SPATIAL_PERCEPTION_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert default_cache_dir() == Path("/.cache/spatial_perception")


def test_engine_is_built_and_stored_where_files_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    cache = EngineCache(tmp_path)
    assert cache.get_or_build(KEY, "m", lambda: b"engine") == (b"engine", False)
    assert cache.get_or_build(KEY, "m", lambda: b"other") == (b"engine", True)


@pytest.fixture
def openvino() -> None:
    if reason := get_backend("openvino").unavailable():
        pytest.skip(f"openvino {reason}")


@pytest.mark.usefixtures("openvino")
class TestEnginesInTheCache:
    """The same through create_engine, with real OpenVINO blobs."""

    def test_second_engine_comes_from_the_cache_and_computes_the_same(
        self, tiny: ModelSpec, image: dict[str, np.ndarray]
    ) -> None:
        first = create_engine(tiny, backend="openvino")
        second = create_engine(tiny, backend="openvino")
        assert (first.info.from_cache, second.info.from_cache) == (False, True)
        assert first.info.cache_key == second.info.cache_key
        np.testing.assert_array_equal(first.infer(image)["logits"], second.infer(image)["logits"])

    def test_other_weights_or_shapes_or_precision_are_other_engines(
        self, tiny: ModelSpec, make_tiny: Callable[..., ModelSpec]
    ) -> None:
        engines = [
            create_engine(tiny, backend="openvino", precision="fp32"),
            create_engine(make_tiny("seed", seed=1), backend="openvino", precision="fp32"),
            create_engine(make_tiny("wide", width=32), backend="openvino", precision="fp32"),
        ]
        if get_backend("openvino").half_precision() == "bf16":
            engines.append(create_engine(tiny, backend="openvino", precision="bf16"))
        assert not any(engine.info.from_cache for engine in engines)
        assert len({engine.info.cache_key for engine in engines}) == len(engines)

    @pytest.mark.parametrize("method", ["device", "version"])
    def test_engine_of_another_device_or_version_is_not_used(
        self,
        method: str,
        tiny: ModelSpec,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(get_backend("openvino"), method, lambda: "something older")
            create_engine(tiny, backend="openvino")
        with caplog.at_level(logging.INFO):
            engine = create_engine(tiny, backend="openvino")
        assert not engine.info.from_cache
        assert "stored something older" in caplog.text

    def test_stored_engine_that_the_library_refuses_is_built_again(
        self, tiny: ModelSpec, image: dict[str, np.ndarray], cache_dir: Path
    ) -> None:
        first = create_engine(tiny, backend="openvino")
        cache = EngineCache(cache_dir)
        (entry,) = cache.entries()
        assert entry.key is not None
        cache.get_or_build(entry.key, entry.model, lambda: b"not an engine", rebuild=True)
        second = create_engine(tiny, backend="openvino")
        assert not second.info.from_cache
        np.testing.assert_array_equal(first.infer(image)["logits"], second.infer(image)["logits"])
        assert create_engine(tiny, backend="openvino").info.from_cache

"""Compiled engines on disk: found again by what they were made of, never trusted when damaged.

An entry is one file `KEY.engine`: a magic line, a line of JSON (the header) and the payload. KEY is
the sha256 of the header's `fields`, and the header holds size and sha256 of the payload, so that
every byte of an entry is checked when it is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_MAGIC = b"spatial_perception engine 1\n"
_SUFFIX = ".engine"


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that decides whether a compiled engine may be used again."""

    onnx: str
    """sha256 of the ONNX graph that was compiled, hexadecimal."""
    backend: str
    backend_version: str
    device: str
    precision: str
    shapes: str
    """Names and shapes of the inputs, e.g. `image=1x3x360x480`."""

    @property
    def digest(self) -> str:
        """sha256 over all fields, hexadecimal; the name of the entry."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def difference(self, other: EngineKey) -> list[str]:
        """Returns one phrase for each field in which `other`, a stored key, differs from this."""
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return [
            f"{name} is {_short(mine[name])}, stored {_short(theirs[name])}"
            for name in mine
            if mine[name] != theirs[name]
        ]


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One engine in the cache. `key` is None where the header cannot be read."""

    path: Path
    model: str
    key: EngineKey | None
    size_bytes: int
    problem: str = ""


def default_cache_dir() -> Path:
    """Returns `$SPATIAL_PERCEPTION_CACHE`, else `spatial_perception` in the user's cache folder."""
    own = os.environ.get("SPATIAL_PERCEPTION_CACHE")
    if own:
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else _home() / ".cache") / "spatial_perception"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no $HOME, and a user whom the system does not know, as in containers
        return Path("/")


class EngineCache:
    """Engines in one folder, shared by any number of processes."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = (Path(folder) if folder is not None else default_cache_dir()) / "engines"

    def path(self, key: EngineKey) -> Path:
        """Returns the file in which the engine of `key` is kept."""
        return self.folder / f"{key.digest}{_SUFFIX}"

    def get_or_build(
        self, key: EngineKey, model: str, build: Callable[[], bytes], rebuild: bool = False
    ) -> tuple[bytes, bool]:
        """Returns the engine of `key` and whether it came from the cache.

        Of two processes that want the same engine at once, one builds and the other waits for it.
        A folder that cannot be written is reported, and the engine is built each time.

        Args:
            key: what the engine must be made of.
            model: model and file, to show in listings.
            build: makes the engine.
            rebuild: ignore what is stored.
        """
        if not rebuild and (stored := self._read(key)) is not None:
            return stored, True
        with self._lock(key):
            if not rebuild and (stored := self._read(key, quiet=True)) is not None:
                return stored, True
            if not rebuild:
                logger.info("%s: %s", model, self.miss_reason(key, model))
            engine = build()
            self._write(key, model, engine)
        return engine, False

    def miss_reason(self, key: EngineKey, model: str) -> str:
        """Returns why no stored engine serves `key`: how the nearest entry differs."""
        if self.path(key).is_file():
            return "the stored engine is damaged, building it again"
        others = [entry.key for entry in self.entries() if entry.model == model and entry.key]
        others = [other for other in others if other.backend == key.backend]
        if not others:
            return f"no {key.backend} engine stored yet in {self.folder}"
        nearest = min((key.difference(other) for other in others), key=len)
        return f"no stored engine fits: {'; '.join(nearest)}"

    def entries(self) -> list[CacheEntry]:
        """Returns all entries, damaged ones with their `problem`, by model name."""
        found = [_inspect(path) for path in sorted(self.folder.glob(f"*{_SUFFIX}"))]
        return sorted((e for e in found if e is not None), key=lambda entry: entry.model)

    def clear(self) -> tuple[int, int]:
        """Deletes all entries; returns how many and how many bytes."""
        count = size = 0
        for path in self.folder.glob("*.lock"):
            path.unlink(missing_ok=True)
        for path in [*self.folder.glob(f"*{_SUFFIX}"), *self.folder.glob("*.tmp")]:
            with contextlib.suppress(FileNotFoundError):
                size += path.stat().st_size
                path.unlink()
                count += 1
        return count, size

    def _read(self, key: EngineKey, quiet: bool = False) -> bytes | None:
        path = self.path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("%s: cannot be read (%s)", path, error)
            return None
        try:
            header, payload = _unpack(data)
            if EngineKey(**header["fields"]) != key:
                raise ValueError("it was made of something else than its name says")
            return payload
        except (ValueError, KeyError, TypeError) as error:
            if not quiet:
                logger.warning("%s: damaged (%s), building it again", path, error)
            return None

    def _write(self, key: EngineKey, model: str, engine: bytes) -> None:
        header = {
            "fields": dataclasses.asdict(key),
            "model": model,
            "size": len(engine),
            "sha256": hashlib.sha256(engine).hexdigest(),
        }
        temporary = None
        try:
            with tempfile.NamedTemporaryFile(
                dir=self.folder, prefix=key.digest[:16], suffix=".tmp", delete=False
            ) as file:
                temporary = Path(file.name)
                file.write(_MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n" + engine)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path(key))
        except OSError as error:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            logger.warning(
                "%s: the engine of %s cannot be stored (%s) and will be built at every start;"
                " set SPATIAL_PERCEPTION_CACHE to a folder that can be written",
                self.folder,
                model,
                error,
            )

    @contextlib.contextmanager
    def _lock(self, key: EngineKey) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / f"{key.digest}.lock").open("w")
        except OSError:
            yield  # _write reports that the folder cannot be written
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info("another process builds this engine, waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:  # network file systems: at worst two build the same
                logger.info("%s: files cannot be locked there (%s)", self.folder, error)
            yield


def _unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Returns header and payload of an entry; ValueError where anything does not add up."""
    if not data.startswith(_MAGIC):
        raise ValueError("not an engine of this version of the cache")
    end = data.find(b"\n", len(_MAGIC))
    if end < 0:
        raise ValueError("the header is cut off")
    header = json.loads(data[len(_MAGIC) : end])
    if not isinstance(header, dict):
        raise ValueError("the header is no mapping")
    payload = data[end + 1 :]
    if len(payload) != header["size"]:
        raise ValueError(f"expected {header['size']} bytes, got {len(payload)}")
    if hashlib.sha256(payload).hexdigest() != header["sha256"]:
        raise ValueError("the checksum differs")
    return header, payload


def _inspect(path: Path) -> CacheEntry | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    try:
        header, _ = _unpack(data)
        key = EngineKey(**header["fields"])
        if path.stem != key.digest:
            raise ValueError("the file was renamed")
        return CacheEntry(path, str(header["model"]), key, len(data))
    except (ValueError, KeyError, TypeError) as error:
        return CacheEntry(path, "?", None, len(data), f"damaged: {error}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:12]}..."

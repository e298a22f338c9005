"""Engines: a model loaded on a backend, with every array checked on its way in and out."""

from __future__ import annotations

import hashlib
import logging
import threading
import types
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends import BACKENDS, get_backend
from spatial_perception.runtime.backends.base import Backend, BackendUnavailableError, Job, Session
from spatial_perception.runtime.backends.tensorrt import TensorRTRtxBackend
from spatial_perception.runtime.cache import CacheEntry, EngineCache, EngineKey
from spatial_perception.runtime.heartbeat import heartbeat
from spatial_perception.runtime.precision import convert
from spatial_perception.runtime.recording import notify
from spatial_perception.runtime.spec import ModelSpec, Precision, TensorSpec, Variant
from spatial_perception.runtime.tensors import (
    ModelMismatchError,
    check_array,
    check_declared,
    checked_inputs,
)

logger = logging.getLogger(__name__)

_announced: set[str] = set()
_device_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""One for each device: two networks at once on the same cores or GPU only slow each other down."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is, for diagnostics and reports."""

    model: str
    file: str
    backend: str
    backend_version: str
    precision: Precision
    device: str
    cache_key: str
    """Name of the cache entry; empty for backends that build nothing."""
    from_cache: bool


class Engine:
    """A network ready to run. `infer` may be called from any thread.

    Calls are serialized, those of all engines on one device too.
    """

    def __init__(self, session: Session, variant: Variant, info: EngineInfo) -> None:
        """Takes over `session`.

        Raises:
            ModelMismatchError: If it does not have the tensors that model.yaml lists.
        """
        self.info = info
        self._session: Session | None = session
        self._variant = variant
        self._lock = threading.Lock()
        self._device_lock = _device_locks[info.device]
        try:
            check_declared(session.inputs, variant.inputs, f"{info.model}/{info.file}: input")
            check_declared(session.outputs, variant.outputs, f"{info.model}/{info.file}: output")
        except ModelMismatchError:
            session.close()
            raise

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """The inputs that `infer` wants."""
        return self._variant.inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """The outputs that `infer` gives."""
        return self._variant.outputs

    def infer(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the outputs by name, fresh arrays of the shapes and dtypes in model.yaml.

        Args:
            inputs: one array for each input; shape and dtype exactly as in model.yaml.

        Raises:
            EngineError: If an array is missing, unknown or of another shape or dtype, if the
                engine is closed, or if the backend fails.
        """
        place = f"model '{self.info.model}'"
        arrays = checked_inputs(inputs, self._variant.inputs, place)
        notify(self.info.model, self.info.file, arrays)
        with self._lock:
            if self._session is None:
                raise EngineError(f"{place}: the engine is closed")
            try:
                with self._device_lock:
                    outputs = self._session.run(arrays)
            except EngineError:
                raise
            except Exception as error:
                raise EngineError(f"{place}: {self.info.backend} failed: {error}") from error
        for name, spec in self._variant.outputs.items():
            check_array(outputs[name], spec, f"{place}: output '{name}'")
        return outputs

    def close(self) -> None:
        """Frees the engine; a second call does nothing."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()


def create_engine(
    spec: ModelSpec,
    variant: int = 0,
    backend: str = "auto",
    precision: Precision | None = None,
    threads: int | None = None,
    cache_dir: str | Path | None = None,
) -> Engine:
    """Returns an engine for one variant of a model, built now or taken from the cache.

    Args:
        spec: the model, as `ModelSpec.load` gives it.
        variant: index into `spec.variants`, as `spec.variant_for` gives it.
        backend: a name in `BACKENDS`, or `auto` for the first of them that works here.
        precision: None for the model's own, see `Backend.default_precision`.
        threads: CPU threads of the CPU backends; None for all cores.
        cache_dir: folder of the engine cache; None for the user's.

    Raises:
        ConfigError: If the backend's name is unknown.
        EngineError: If no backend can run the model; says what each of them lacks.
    """
    if not 0 <= variant < len(spec.variants):
        raise EngineError(
            f"model '{spec.name}': no variant {variant}, there are {len(spec.variants)}"
        )
    cache = EngineCache(cache_dir)
    if backend != "auto":
        return _create(get_backend(backend), spec, variant, precision, threads, cache)
    refusals = []
    for name in BACKENDS:
        try:
            engine = _create(get_backend(name), spec, variant, precision, threads, cache)
        except ModelMismatchError:
            raise
        except EngineError as error:
            if not isinstance(error, BackendUnavailableError):
                logger.warning("%s; trying the next backend", error)
            refusals.append(str(error))
            continue
        _announce(engine.info, refusals)
        return engine
    raise EngineError(f"model '{spec.name}': no backend works: {'; '.join(refusals)}")


def build_ahead(
    spec: ModelSpec,
    compute_capability: str,
    variant: int = 0,
    precision: Precision | None = None,
    cache_dir: str | Path | None = None,
) -> CacheEntry:
    """Builds a TensorRT-RTX engine for other machines' GPUs; none is needed here.

    The entry can be copied into the cache folder of every machine with such a GPU and the same
    version of TensorRT-RTX; `create_engine` finds it there.

    Args:
        spec: the model.
        compute_capability: of the GPUs that will run it, e.g. '8.9'.
        variant: index into `spec.variants`.
        precision: None for the model's own.
        cache_dir: folder of the engine cache; None for the user's.

    Raises:
        EngineError: If TensorRT-RTX is missing, or refuses the capability or the graph.
    """
    rtx = TensorRTRtxBackend()
    if reason := rtx.cannot_build():
        raise BackendUnavailableError(f"backend '{rtx.name}' {reason}")
    cache = EngineCache(cache_dir)
    chosen = precision or rtx.default_precision(spec.precision)
    job = _job(rtx, spec, variant, chosen, None, cache)
    key = engine_key(rtx, job, f"compute capability {compute_capability}")

    def build() -> bytes:
        with heartbeat(f"{job.label}: building for compute capability {compute_capability}"):
            return rtx.build_for(job, [compute_capability])

    cache.get_or_build(key, job.label, build)
    return next(entry for entry in cache.entries() if entry.key == key)


def engine_key(backend: Backend, job: Job, device: str | None = None) -> EngineKey:
    """Returns the cache key of the engine that `backend` builds for `job`, by default here."""
    inputs = job.variant.inputs.items()
    return EngineKey(
        onnx=hashlib.sha256(job.graph).hexdigest(),
        backend=backend.name,
        backend_version=backend.version(),
        device=backend.device() if device is None else device,
        precision=job.precision,
        shapes=" ".join(f"{name}={'x'.join(map(str, t.shape))}" for name, t in inputs),
    )


def _create(
    backend: Backend,
    spec: ModelSpec,
    variant: int,
    precision: Precision | None,
    threads: int | None,
    cache: EngineCache,
) -> Engine:
    if reason := backend.unavailable():
        raise BackendUnavailableError(f"backend '{backend.name}' {reason}")
    chosen = precision or backend.default_precision(spec.precision)
    if chosen not in backend.precisions:
        raise EngineError(
            f"backend '{backend.name}' has no precision '{chosen}'"
            f", only {', '.join(backend.precisions)}"
        )
    job = _job(backend, spec, variant, chosen, threads, cache)
    if not backend.cached:
        return Engine(backend.load(b"", job), job.variant, _info(backend, job, "", False))

    key = engine_key(backend, job)

    def build() -> bytes:
        with heartbeat(f"{job.label}: building the {backend.name} engine ({chosen})"):
            return backend.build(job)

    blob, hit = cache.get_or_build(key, job.label, build)
    try:
        session = backend.load(blob, job)
    except EngineError as error:
        if not hit:
            raise
        logger.warning("%s; building it again", error)
        blob, hit = cache.get_or_build(key, job.label, build, rebuild=True)
        session = backend.load(blob, job)
    return Engine(session, job.variant, _info(backend, job, key.digest, hit))


def _job(
    backend: Backend,
    spec: ModelSpec,
    variant: int,
    precision: Precision,
    threads: int | None,
    cache: EngineCache,
) -> Job:
    path = spec.onnx_path(variant)
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror})") from error
    if precision in backend.graph_precisions:
        graph = convert(graph, precision, f"{spec.name}/{path.name}", cache)
    return Job(spec, spec.variants[variant], graph, precision, threads)


def _info(backend: Backend, job: Job, key: str, hit: bool) -> EngineInfo:
    return EngineInfo(
        model=job.spec.name,
        file=job.variant.file,
        backend=backend.name,
        backend_version=backend.version(),
        precision=job.precision,
        device=backend.device(),
        cache_key=key,
        from_cache=hit,
    )


def _announce(info: EngineInfo, refusals: list[str]) -> None:
    text = f"{info.backend} {info.precision} on {info.device}"
    if refusals:
        text += f" (not used: {'; '.join(refusals)})"
    level = logging.DEBUG if text in _announced else logging.INFO
    _announced.add(text)
    logger.log(level, "model '%s' runs on %s", info.model, text)

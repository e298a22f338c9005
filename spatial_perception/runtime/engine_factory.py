"""Engines made for models: built now or taken from the cache, on the backend that works here."""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends import BACKENDS, get_backend
from spatial_perception.runtime.backends.base import (
    Backend,
    BackendUnavailableError,
    DeviceError,
    Job,
)
from spatial_perception.runtime.backends.tensorrt import TensorRTRtxBackend
from spatial_perception.runtime.cache import CacheEntry, EngineCache, EngineKey
from spatial_perception.runtime.engine import Engine, EngineInfo
from spatial_perception.runtime.heartbeat import heartbeat
from spatial_perception.runtime.precision import convert
from spatial_perception.runtime.spec import ModelSpec, Precision
from spatial_perception.runtime.tensors import ModelMismatchError

logger = logging.getLogger(__name__)

_announced: set[str] = set()


def create_engine(
    spec: ModelSpec,
    variant: int = 0,
    backend: str = "auto",
    precision: Precision | None = None,
    threads: int | None = None,
    cache_dir: str | Path | None = None,
) -> Engine:
    """Returns an engine for one variant of a model, built now or taken from the cache.

    What the licence of the model's training data restricts is logged once a process.

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
    if spec.data_licence:
        _say_licence(spec.name, spec.data_licence)
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
        EngineError: If TensorRT-RTX is missing, or refuses the capability or the graph, or the
            engine cannot be stored.
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
    entry = next((entry for entry in cache.entries() if entry.key == key), None)
    if entry is None:
        raise EngineError(f"{job.label}: the engine cannot be stored in {cache.folder}")
    return entry


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
        if not hit or isinstance(error, DeviceError):
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
        label = f"{spec.name}/{path.name}"
        graph = convert(graph, precision, label, cache, backend.signed_int8)
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


@functools.cache
def _say_licence(model: str, data_licence: str) -> None:
    # a warning, because the command line shows nothing below
    logger.warning("model '%s': licence of its training data: %s", model, data_licence)


def _announce(info: EngineInfo, refusals: list[str]) -> None:
    text = f"{info.backend} {info.precision} on {info.device}"
    if refusals:
        text += f" (not used: {'; '.join(refusals)})"
    level = logging.DEBUG if text in _announced else logging.INFO
    _announced.add(text)
    logger.log(level, "model '%s' runs on %s", info.model, text)

"""Engines: a model loaded on a backend, with every array checked on its way in and out."""

from __future__ import annotations

import threading
import types
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import Session
from spatial_perception.runtime.recording import notify
from spatial_perception.runtime.spec import Precision, TensorSpec, Variant
from spatial_perception.runtime.tensors import (
    ModelMismatchError,
    check_array,
    check_declared,
    checked_inputs,
)

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

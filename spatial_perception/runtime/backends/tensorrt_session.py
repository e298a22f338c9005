"""Running TensorRT engines: device buffers, one stream, and a CUDA graph replayed each time."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import Arrays, Session, TensorSpecs
from spatial_perception.runtime.backends.cuda import Buffer, Cuda
from spatial_perception.runtime.backends.tensorrt_build import make_logger
from spatial_perception.runtime.spec import TensorSpec

logger = logging.getLogger(__name__)


class TensorRTSession(Session):
    """One execution context with static shapes.

    Copies in, kernels and copies out are captured once as a CUDA graph and replayed. TensorRT-RTX
    compiles kernels when they first run, so there its own capture is switched on instead.
    """

    def __init__(self, trt: Any, cuda: Cuda, engine: bytes, label: str) -> None:
        """Loads a serialized engine onto device 0.

        Raises:
            EngineError: If it was built by another version or for another GPU, or memory is short.
        """
        self._label = label
        self._cuda = cuda
        self._logger = make_logger(trt)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            reason = self._logger.last_error or "no reason given"
            raise EngineError(f"{label}: TensorRT refuses the engine: {reason}")
        self._captures_itself = hasattr(self._engine, "create_runtime_config") and hasattr(
            trt, "CudaGraphStrategy"
        )
        self._context = self._make_context(trt)
        if self._context is None:
            reason = self._logger.last_error or "no reason given"
            raise EngineError(f"{label}: TensorRT cannot create a context: {reason}")
        self._inputs: dict[str, TensorSpec] = {}
        self._outputs: dict[str, TensorSpec] = {}
        self._buffers: dict[str, Buffer] = {}
        self._stream = cuda.stream()
        self._graph: Any = None
        self._warm = False
        try:
            for index in range(self._engine.num_io_tensors):
                self._add_tensor(trt, self._engine.get_tensor_name(index))
        except EngineError:
            self.close()
            raise

    @property
    def inputs(self) -> TensorSpecs:
        return self._inputs

    @property
    def outputs(self) -> TensorSpecs:
        return self._outputs

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        for name in self._inputs:
            self._buffers[name].array[...] = inputs[name]
        if self._graph is not None:
            self._cuda.call("cudaGraphLaunch", self._graph, self._stream)
        else:
            self._submit()
        self._cuda.call("cudaStreamSynchronize", self._stream)
        if not self._warm:
            # Captured after one plain run: libraries initialize themselves in the first one.
            self._warm = True
            self._capture()
        return {name: self._buffers[name].array.copy() for name in self._outputs}

    def close(self) -> None:
        if self._graph is not None:
            self._cuda.call("cudaGraphExecDestroy", self._graph)
        for buffer in self._buffers.values():
            buffer.free()
        self._buffers.clear()
        self._cuda.call("cudaStreamDestroy", self._stream)
        self._context = self._engine = self._runtime = None

    def _make_context(self, trt: Any) -> Any:
        if not self._captures_itself:
            return self._engine.create_execution_context()
        config = self._engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        return self._engine.create_execution_context(config)

    def _add_tensor(self, trt: Any, name: str) -> None:
        shape = tuple(int(d) for d in self._engine.get_tensor_shape(name))
        dtype = np.dtype(trt.nptype(self._engine.get_tensor_dtype(name)))
        is_input = self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        (self._inputs if is_input else self._outputs)[name] = TensorSpec(shape, str(dtype))
        if min(shape, default=1) < 0:
            raise EngineError(f"{self._label}: '{name}' has no static shape: {shape}")
        buffer = self._buffers[name] = Buffer(self._cuda, shape, dtype)
        self._context.set_tensor_address(name, buffer.device)

    def _submit(self) -> None:
        for name in self._inputs:
            self._buffers[name].upload(self._stream)
        if not self._context.execute_async_v3(int(self._stream)):
            raise EngineError(f"{self._label}: TensorRT failed: {self._logger.last_error}")
        for name in self._outputs:
            self._buffers[name].download(self._stream)

    def _capture(self) -> None:
        if self._captures_itself:
            return
        try:
            self._graph = self._cuda.capture(self._stream, self._submit)
        except EngineError as error:
            logger.warning("%s: runs without a CUDA graph (%s)", self._label, error)

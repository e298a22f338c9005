"""Device memory, pinned host memory, streams and graphs through cuda-python."""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numpy as np

from spatial_perception.runtime.backends.base import DeviceError


def cuda_runtime() -> Any:
    """Returns cuda-python's runtime module: `cuda.bindings.runtime`, or `cuda.cudart` before 12.6.

    Raises:
        ImportError: If neither is installed.
    """
    try:
        return importlib.import_module("cuda.bindings.runtime")
    except ImportError:
        return importlib.import_module("cuda.cudart")


class Cuda:
    """The few CUDA calls that engines need; every failure is a `DeviceError` with its reason."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime

    def call(self, function: str, *arguments: Any) -> Any:
        """Returns what a runtime function gives besides its error code.

        Raises:
            DeviceError: If the error code is not success.
        """
        error, *results = getattr(self.runtime, function)(*arguments)
        if int(error) != 0:
            text = self.runtime.cudaGetErrorString(error)[1]
            text = text.decode() if isinstance(text, bytes) else str(text)
            raise DeviceError(f"CUDA: {function} failed: {text}")
        return results[0] if len(results) == 1 else tuple(results)

    def device_name(self) -> str:
        """Returns name and compute capability of device 0."""
        name = self.call("cudaGetDeviceProperties", 0).name
        text = name.decode() if isinstance(name, bytes) else str(name)
        return f"{text} (compute capability {self.compute_capability()})"

    def compute_capability(self) -> str:
        """Returns the compute capability of device 0, e.g. '8.9'."""
        properties = self.call("cudaGetDeviceProperties", 0)
        return f"{properties.major}.{properties.minor}"

    def stream(self) -> Any:
        """Returns a new stream that does not wait for the default stream."""
        return self.call("cudaStreamCreateWithFlags", self.runtime.cudaStreamNonBlocking)

    def capture(self, stream: Any, work: Any) -> Any:
        """Returns an executable graph of what `work()` submits to `stream`."""
        mode = self.runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self.call("cudaStreamBeginCapture", stream, mode)
        try:
            work()
        finally:
            graph = self.call("cudaStreamEndCapture", stream)
        executable = self.call("cudaGraphInstantiate", graph, 0)
        self.call("cudaGraphDestroy", graph)
        return executable


class Buffer:
    """Memory on the device and its pinned counterpart on the host, for one tensor."""

    def __init__(self, cuda: Cuda, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._cuda = cuda
        self.size = max(1, int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
        self.device = int(cuda.call("cudaMalloc", self.size))
        try:
            host = cuda.call("cudaHostAlloc", self.size, cuda.runtime.cudaHostAllocDefault)
        except DeviceError:
            cuda.call("cudaFree", self.device)
            raise
        self._host = int(host)
        memory = (ctypes.c_byte * self.size).from_address(self._host)
        self.array = np.frombuffer(memoryview(memory), dtype, int(np.prod(shape))).reshape(shape)
        """View of the pinned memory; gone after `free`."""

    def upload(self, stream: Any) -> None:
        """Submits the copy from host to device."""
        kind = self._cuda.runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._cuda.call("cudaMemcpyAsync", self.device, self._host, self.size, kind, stream)

    def download(self, stream: Any) -> None:
        """Submits the copy from device to host."""
        kind = self._cuda.runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._cuda.call("cudaMemcpyAsync", self._host, self.device, self.size, kind, stream)

    def free(self) -> None:
        """Gives both memories back."""
        self._cuda.call("cudaFree", self.device)
        self._cuda.call("cudaFreeHost", self._host)

"""TensorRT 10 and 11 against stand-ins with their real differences, run on host memory.

The stand-in modules have only names that the bindings of 10.16 and 11.4 have; asking for another
one raises AttributeError as there. The CUDA stand-in keeps device memory on the host, queues work
while a graph is captured, and lets ONNX Runtime do the kernels' work.
"""

from __future__ import annotations

import ctypes
import sys
import types
from collections.abc import Callable

import numpy as np
import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.backends import tensorrt
from spatial_perception.runtime.backends.cuda import Cuda

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


class FakeCuda:
    """cuda.bindings.runtime: every function gives an error code first."""

    cudaStreamNonBlocking = 1
    cudaHostAllocDefault = 0
    cudaStreamCaptureMode = types.SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
    cudaMemcpyKind = types.SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)

    def __init__(self, device: str = "NVIDIA Test", count: int = 1) -> None:
        self.device, self.count = device, count
        self.memory: dict[int, ctypes.Array] = {}
        self.streams: set[int] = set()
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.recording: list[Callable[[], None]] | None = None
        self.launches = 0
        self.can_capture = True
        self.blocks_left = 1000

    def submit(self, work: Callable[[], None]) -> None:
        work() if self.recording is None else self.recording.append(work)

    def cudaGetDeviceCount(self):
        return (0, self.count) if self.count else (35, None)

    def cudaGetErrorString(self, error):
        texts = {2: b"out of memory", 35: b"CUDA driver version is insufficient"}
        return 0, texts.get(error, b"not capturable")

    def cudaGetDeviceProperties(self, index):
        return 0, types.SimpleNamespace(name=self.device.encode(), major=8, minor=9)

    def cudaMalloc(self, size):
        if not self.blocks_left:
            return 2, None
        self.blocks_left -= 1
        block = ctypes.create_string_buffer(size)
        self.memory[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def cudaHostAlloc(self, size, flags):
        return self.cudaMalloc(size)

    def cudaFree(self, address):
        del self.memory[address]
        return (0,)

    cudaFreeHost = cudaFree

    def cudaMemcpyAsync(self, target, source, size, kind, stream):
        self.submit(lambda: ctypes.memmove(target, source, size))
        return (0,)

    def cudaStreamCreateWithFlags(self, flags):
        self.streams.add(7)
        return 0, 7

    def cudaStreamDestroy(self, stream):
        self.streams.remove(stream)
        return (0,)

    def cudaStreamSynchronize(self, stream):
        return (0,)

    def cudaStreamBeginCapture(self, stream, mode):
        self.recording = []
        return (0,)

    def cudaStreamEndCapture(self, stream):
        recorded, self.recording = self.recording, None
        return (0, recorded) if self.can_capture else (900, None)

    def cudaGraphInstantiate(self, graph, flags):
        self.graphs[1] = graph
        return 0, 1

    def cudaGraphDestroy(self, graph):
        return (0,)

    def cudaGraphLaunch(self, executable, stream):
        self.launches += 1
        for work in self.graphs[executable]:
            work()
        return (0,)

    def cudaGraphExecDestroy(self, executable):
        del self.graphs[executable]
        return (0,)


def fake_tensorrt(version: str, cuda: FakeCuda) -> types.ModuleType:
    """A `tensorrt` module whose engines are the ONNX graph behind a version tag."""
    major = int(version.split(".")[0])
    trt = types.ModuleType("tensorrt")
    tag = f"engine of {version} for {cuda.device}\n".encode()
    trt.__version__ = version
    trt.created_with = []

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    class NetworkDefinitionCreationFlag:
        if major == 10:
            EXPLICIT_BATCH = 0  # deleted in 11
        if version != "11.flagless":
            STRONGLY_TYPED = 1

    class Builder:
        if major == 10:
            platform_has_fast_fp16 = True  # deleted in 11

        def __init__(self, logger) -> None:
            self.logger = logger

        def create_network(self, flags=0):
            trt.created_with.append(flags)
            return types.SimpleNamespace(graph=b"")

        def create_builder_config(self):
            return types.SimpleNamespace()

        def build_serialized_network(self, network, config):
            if b"refuse me" in network.graph:
                self.logger.log(ILogger.ERROR, "no implementation\nfor node")
                return None
            return tag + network.graph

    class OnnxParser:
        def __init__(self, network, logger) -> None:
            self.network, self.num_errors = network, 0

        def parse(self, graph):
            try:
                onnx.load_model_from_string(graph)
            except Exception:
                self.num_errors = 1
                return False
            self.network.graph = graph
            return True

        def get_error(self, index):
            return "Failed to parse\nModelProto"

    class Runtime:
        def __init__(self, logger) -> None:
            self.logger = logger

        def deserialize_cuda_engine(self, blob):
            if not blob.startswith(tag):
                self.logger.log(ILogger.ERROR, "The engine plan file is not compatible")
                return None
            return Engine(blob[len(tag) :])

    class Engine:
        def __init__(self, graph) -> None:
            self.session = onnxruntime.InferenceSession(graph)
            self.tensors = [*self.session.get_inputs(), *self.session.get_outputs()]
            self.num_io_tensors = len(self.tensors)

        def get_tensor_name(self, index):
            return self.tensors[index].name

        def get_tensor_shape(self, name):
            return next(t.shape for t in self.tensors if t.name == name)

        def get_tensor_dtype(self, name):
            return "float"

        def get_tensor_mode(self, name):
            return "in" if name in [t.name for t in self.session.get_inputs()] else "out"

        def create_execution_context(self):
            return Context(self)

    class Context:
        def __init__(self, engine) -> None:
            self.engine, self.address = engine, {}

        def set_tensor_address(self, name, address) -> None:
            self.address[name] = address

        def execute_async_v3(self, stream_handle):
            cuda.submit(self.kernels)
            return True

        def view(self, tensor):
            memory = (ctypes.c_float * int(np.prod(tensor.shape))).from_address(
                self.address[tensor.name]
            )
            return np.frombuffer(memory, np.float32).reshape(tensor.shape)

        def kernels(self) -> None:
            session = self.engine.session
            results = session.run(None, {t.name: self.view(t) for t in session.get_inputs()})
            for tensor, result in zip(session.get_outputs(), results, strict=True):
                self.view(tensor)[...] = result

    trt.TensorIOMode = types.SimpleNamespace(INPUT="in", OUTPUT="out")
    trt.nptype = lambda dtype: np.float32
    for cls in (ILogger, NetworkDefinitionCreationFlag, Builder, OnnxParser, Runtime):
        setattr(trt, cls.__name__, cls)
    return trt


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[types.ModuleType, FakeCuda]]:
    """Makes `import tensorrt` and cuda-python give stand-ins: `install('10.16', device=...)`."""

    def put(version: str, **options: object) -> tuple[types.ModuleType, FakeCuda]:
        cuda = FakeCuda(**options)
        trt = fake_tensorrt(version, cuda)
        monkeypatch.setitem(sys.modules, "tensorrt", trt)
        monkeypatch.setattr(tensorrt, "_cuda", lambda: Cuda(cuda))
        return trt, cuda

    return put


@pytest.mark.parametrize(
    ("version", "flags"), [("10.0.1", 2), ("10.16.1", 2), ("11.4.0", 2), ("11.flagless", 0)]
)
def test_engine_builds_strongly_typed_and_runs_on_each_version(
    version: str, flags: int, install, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    trt, _ = install(version)
    reference = create_engine(tiny, backend="onnxruntime").infer(image)["logits"]
    engine = create_engine(tiny, backend="tensorrt")
    assert trt.created_with == [flags]
    assert engine.info.precision == "fp16"
    assert engine.info.device == "NVIDIA Test (compute capability 8.9)"
    np.testing.assert_allclose(engine.infer(image)["logits"], reference, rtol=5e-3, atol=5e-3)


def test_graph_is_captured_once_and_replayed_on_new_input(
    install, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    _, cuda = install("11.4.0")
    other = {"image": image["image"][..., ::-1] * np.float32(0.3)}
    reference = create_engine(tiny, backend="onnxruntime")
    engine = create_engine(tiny, backend="tensorrt", precision="fp32")
    first = engine.infer(image)["logits"]
    for inputs in (other, image, other):
        expected = reference.infer(inputs)["logits"]
        np.testing.assert_allclose(engine.infer(inputs)["logits"], expected, rtol=1e-5)
    assert cuda.launches == 3
    np.testing.assert_allclose(first, reference.infer(image)["logits"], rtol=1e-5)


def test_engine_that_cannot_be_captured_still_runs(
    install, tiny: ModelSpec, image: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    _, cuda = install("10.16.1")
    cuda.can_capture = False
    engine = create_engine(tiny, backend="tensorrt")
    first = engine.infer(image)["logits"]
    np.testing.assert_array_equal(engine.infer(image)["logits"], first)
    assert cuda.launches == 0
    assert "without a CUDA graph (CUDA: cudaStreamEndCapture failed: not capturable)" in caplog.text


def test_closing_gives_all_memory_streams_and_graphs_back(
    install, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    _, cuda = install("11.4.0")
    engine = create_engine(tiny, backend="tensorrt")
    engine.infer(image)
    assert len(cuda.memory) == 4
    engine.close()
    assert (cuda.memory, cuda.streams, cuda.graphs) == ({}, set(), {})


@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
def test_an_engine_for_which_memory_is_short_leaves_none_behind(
    blocks: int, install, tiny: ModelSpec
) -> None:
    _, cuda = install("11.4.0")
    cuda.blocks_left = blocks
    with pytest.raises(EngineError, match="failed: out of memory"):
        create_engine(tiny, backend="tensorrt")
    assert (cuda.memory, cuda.streams) == ({}, set())


def test_a_stored_engine_is_not_built_again_because_memory_is_short(
    install, tiny: ModelSpec
) -> None:
    trt, cuda = install("11.4.0")
    create_engine(tiny, backend="tensorrt").close()
    cuda.blocks_left = 0
    with pytest.raises(EngineError, match="failed: out of memory"):
        create_engine(tiny, backend="tensorrt")
    assert len(trt.created_with) == 1


def test_engine_of_another_version_or_gpu_is_built_again(install, tiny: ModelSpec) -> None:
    machines = [("10.16.1", "A"), ("11.4.0", "A"), ("11.4.0", "B"), ("11.4.0", "B")]
    from_cache = []
    for version, device in machines:
        install(version, device=device)
        from_cache.append(create_engine(tiny, backend="tensorrt").info.from_cache)
    assert from_cache == [False, False, False, True]


def test_refused_graph_gives_one_line_with_tensorrts_reason(install, tiny: ModelSpec) -> None:
    install("11.4.0")
    path = tiny.onnx_path()
    graph = path.read_bytes()
    path.write_bytes(graph[:100])
    with pytest.raises(EngineError, match=r"tiny/model.onnx.*cannot parse.*Failed to parse Model"):
        create_engine(tiny, backend="tensorrt", precision="fp32")
    model = onnx.load_model_from_string(graph)
    model.doc_string = "refuse me"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match="cannot compile the graph: no implementation for node"):
        create_engine(tiny, backend="tensorrt", precision="fp32")


@pytest.mark.parametrize(
    ("version", "options", "reason"),
    [
        ("8.6.1", {}, r"too old \(8.6.1\): install TensorRT 10 or 11"),
        ("11.4.0", {"count": 0}, "no NVIDIA GPU .*driver version is insufficient"),
    ],
)
def test_machines_that_cannot_run_it_say_why(
    version: str, options: dict[str, int], reason: str, install, tiny: ModelSpec
) -> None:
    install(version, **options)
    with pytest.raises(EngineError, match=f"backend 'tensorrt' .*{reason}"):
        create_engine(tiny, backend="tensorrt")


def test_missing_libraries_are_named_with_the_way_to_get_them(
    install, tiny: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_cuda() -> Cuda:
        raise ImportError("No module named 'cuda'")

    install("11.4.0")
    monkeypatch.setattr(tensorrt, "_cuda", no_cuda)
    with pytest.raises(EngineError, match="lacks cuda-python"):
        create_engine(tiny, backend="tensorrt")
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(EngineError, match="not installed.*install TensorRT 10 or 11"):
        create_engine(tiny, backend="tensorrt")


def test_bf16_is_refused_with_what_there_is(install, tiny: ModelSpec) -> None:
    install("11.4.0")
    with pytest.raises(EngineError, match="has no precision 'bf16', only fp32, fp16"):
        create_engine(tiny, backend="tensorrt", precision="bf16")

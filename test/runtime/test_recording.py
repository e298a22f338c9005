"""Recording: copies of what engines get, no more than asked for, spread over the run."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.recording import notify, record_inputs

KEY = ("tiny", "model.onnx")


def test_engine_inputs_are_recorded_as_copies_inside_the_block_alone(
    tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    pytest.importorskip("onnxruntime")
    engine = create_engine(tiny, backend="onnxruntime")
    kept = image["image"].copy()
    with record_inputs(5) as recorded:
        engine.infer(image)
        image["image"] += 1
        engine.infer(image)
    engine.infer(image)
    first, second = recorded[KEY]
    np.testing.assert_array_equal(first["image"], kept)
    np.testing.assert_array_equal(second["image"], kept + 1)


@pytest.mark.parametrize(("count", "expected"), [(3, [0, 1, 2]), (8, [0, 2, 4, 6]), (40, None)])
def test_samples_are_spread_over_the_run(count: int, expected: list[int] | None) -> None:
    with record_inputs(4) as recorded:
        for index in range(count):
            notify(*KEY, {"x": np.array(index)})
    values = [int(sample["x"]) for sample in recorded[KEY]]
    if expected is not None:
        assert values == expected
    else:
        assert len(values) == 4
        assert len(set(np.diff(values))) == 1
        assert values[-1] >= count / 2

"""Checks shared by the value types: what was expected, what came."""

from __future__ import annotations

from typing import Any

import numpy as np

Shape = tuple[int | None, ...]


def check_array(name: str, array: Any, shape: Shape, *dtypes: type[np.generic]) -> None:
    """Raises `ValueError` unless `array` has the dtype and shape (None matches any length)."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: expected a numpy array, got {type(array).__name__}")
    if array.dtype not in [np.dtype(d) for d in dtypes]:
        wanted = " or ".join(np.dtype(d).name for d in dtypes)
        raise ValueError(f"{name}: expected dtype {wanted}, got {array.dtype}")
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted_shape = "(" + ", ".join("N" if s is None else str(s) for s in shape) + ")"
        raise ValueError(f"{name}: expected shape {wanted_shape}, got {array.shape}")


def check_lengths(**arrays: np.ndarray | None) -> None:
    """Raises `ValueError` unless all given arrays have the same first dimension."""
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"arrays of one value must have equal lengths, got {listed}")

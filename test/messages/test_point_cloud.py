"""PointCloud2 in the layouts that drivers send, built by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.core import POINT_LABELS, UNLABELED, PointCloud
from spatial_perception.core.examples import example_header, example_labelled_cloud
from spatial_perception.errors import DecodeError
from spatial_perception.messages import LABELLED_CLOUD, POINT_CLOUD
from spatial_perception.messages.point_fields import decode_columns

from .ros import cloud_bytes

XYZ = np.array([[1.5, -2.25, 3.0], [4.0, 5.5, -6.75], [7.0, 8.0, 9.0]], np.float32)
INTENSITY = np.array([10, 20, 30], np.float32)


def structured(dtype: np.dtype | list, **extra: np.ndarray) -> np.ndarray:
    points = np.zeros(len(XYZ), dtype)
    for axis, name in enumerate("xyz"):
        points[name] = XYZ[:, axis]
    for name, values in extra.items():
        points[name] = values
    return points


def test_decode_reads_plain_xyzi() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "<f4")]
    cloud = POINT_CLOUD.decode(cloud_bytes(structured(kind, intensity=INTENSITY)))
    np.testing.assert_array_equal(cloud.points, XYZ)
    np.testing.assert_array_equal(cloud.intensity, INTENSITY)
    assert cloud.header.stamp_ns == 12_000_000_345
    assert cloud.header.frame_id == "velodyne"
    assert cloud.ring is None
    assert cloud.time_s is None


def test_decode_finds_fields_by_name_offset_and_type() -> None:
    kind = np.dtype(
        {
            "names": ["intensity", "z", "ring", "x", "y"],
            "formats": ["<u2", "<f8", "<u1", "<f4", "<f8"],
            "offsets": [1, 40, 39, 17, 23],
            "itemsize": 57,
        }
    )
    points = structured(kind, intensity=INTENSITY, ring=np.array([3, 1, 2]))
    cloud = POINT_CLOUD.decode(cloud_bytes(points))
    np.testing.assert_array_equal(cloud.points, XYZ)
    np.testing.assert_array_equal(cloud.intensity, INTENSITY)
    np.testing.assert_array_equal(cloud.ring, np.array([3, 1, 2], np.uint16))


def test_decode_swaps_big_endian_data() -> None:
    kind = [("x", ">f4"), ("y", ">f8"), ("z", ">f4"), ("intensity", ">u2")]
    points = structured(kind, intensity=INTENSITY)
    cloud = POINT_CLOUD.decode(cloud_bytes(points, big=True))
    np.testing.assert_array_equal(cloud.points, XYZ)
    np.testing.assert_array_equal(cloud.intensity, INTENSITY)
    assert cloud.points.dtype.isnative


def test_decode_honours_row_padding_of_organised_clouds() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    rows = np.stack([structured(kind), structured(kind)[::-1]])
    cloud = POINT_CLOUD.decode(cloud_bytes(rows, row_padding=7))
    np.testing.assert_array_equal(cloud.points, np.concatenate([XYZ, XYZ[::-1]]))


def test_decode_drops_non_finite_points_from_every_column() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f8"), ("intensity", "<f4"), ("ring", "<u2")]
    points = structured(kind, intensity=INTENSITY, ring=np.array([7, 8, 9]))
    points["y"][0], points["z"][2] = np.nan, 1e300
    cloud = POINT_CLOUD.decode(cloud_bytes(points))
    np.testing.assert_array_equal(cloud.points, XYZ[1:2])
    np.testing.assert_array_equal(cloud.intensity, INTENSITY[1:2])
    np.testing.assert_array_equal(cloud.ring, np.array([8], np.uint16))


def test_decode_drops_rays_that_a_driver_puts_at_the_sensor_itself() -> None:
    """As Ouster's and Livox's drivers do with those that met nothing."""
    points = np.array([[1, 2, 3], [0, 0, 0], [0, 0, 2], [0, -1, 0], [-0.0, 0, 0]], np.float32)
    cloud = PointCloud(example_header("ouster"), points, np.arange(5, dtype=np.float32))
    decoded = POINT_CLOUD.decode(POINT_CLOUD.encode(cloud))
    np.testing.assert_array_equal(decoded.points, points[[0, 2, 3]])
    np.testing.assert_array_equal(decoded.intensity, [0, 2, 3])


@pytest.mark.parametrize("height", [0, 1])
def test_an_empty_cloud_decodes_to_no_points(height: int) -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "<f4")]
    cloud = POINT_CLOUD.decode(cloud_bytes(np.zeros((1, 0), kind)))
    assert cloud.points.shape == (0, 3)
    assert cloud.intensity is not None
    assert len(cloud.intensity) == 0


def test_a_missing_coordinate_is_named_with_the_fields_there() -> None:
    kind = [("x", "<f4"), ("range", "<f4")]
    points = np.zeros(2, kind)
    with pytest.raises(DecodeError, match=r"field y, z is missing; fields there: x, range"):
        POINT_CLOUD.decode(cloud_bytes(points))


@pytest.mark.parametrize("row_step", [35, 37, 0])
def test_rows_that_do_not_fit_the_data_are_refused(row_step: int) -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    rows = np.stack([structured(kind), structured(kind)])
    with pytest.raises(DecodeError, match=f"row_step {row_step} do not fit 72 bytes"):
        POINT_CLOUD.decode(cloud_bytes(rows, row_step=row_step))


def test_a_wrong_row_step_of_a_single_row_is_forgiven() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    cloud = POINT_CLOUD.decode(cloud_bytes(structured(kind), row_step=0))
    np.testing.assert_array_equal(cloud.points, XYZ)


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("time", "<f4", [0.0, 0.05, 0.1]),
        ("t", "<u4", [0, 50_000_000, 100_000_000]),
        ("offset_time", "<u4", [0, 50_000_000, 100_000_000]),
        ("timestamp", "<f8", [0.0, 0.05, 0.1]),
    ],
)
def test_times_become_seconds_after_the_stamp(name: str, kind: str, values: list[float]) -> None:
    dtype = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), (name, kind)]
    cloud = POINT_CLOUD.decode(cloud_bytes(structured(dtype, **{name: np.array(values)})))
    np.testing.assert_allclose(cloud.time_s, [0.0, 0.05, 0.1], atol=1e-7)


@pytest.mark.parametrize("unit", [1.0, 1e9])
@pytest.mark.parametrize("no_returns", [0, 1])
def test_absolute_point_times_lose_the_stamp(unit: float, no_returns: int) -> None:
    dtype = [("x", "<f8"), ("y", "<f8"), ("z", "<f8"), ("timestamp", "<f8")]
    stamp_s = 1_700_000_000.0
    points = structured(dtype, timestamp=(stamp_s + np.array([0.0, 0.05, 0.1])) * unit)
    points["x"][:no_returns], points["timestamp"][:no_returns] = np.nan, 0.0
    data = cloud_bytes(points).replace(
        np.array([12, 345], "<u4").tobytes(), np.array([stamp_s, 0], "<u4").tobytes(), 1
    )
    expected = [0.0, 0.05, 0.1][no_returns:]
    np.testing.assert_allclose(POINT_CLOUD.decode(data).time_s, expected, atol=1e-5)


def test_encode_keeps_every_column_exactly() -> None:
    rng = np.random.default_rng(0)
    cloud = PointCloud(
        example_header("velodyne"),
        rng.normal(size=(100, 3)).astype(np.float32),
        rng.random(100).astype(np.float32),
        rng.integers(0, 64, 100).astype(np.uint16),
        rng.random(100).astype(np.float32),
    )
    again = POINT_CLOUD.decode(POINT_CLOUD.encode(cloud))
    assert again.header == cloud.header
    for name in ("points", "intensity", "ring", "time_s"):
        np.testing.assert_array_equal(getattr(again, name), getattr(cloud, name))


def test_labelled_cloud_has_the_documented_fields_and_packed_colours() -> None:
    labelled = example_labelled_cloud()
    columns = decode_columns(LABELLED_CLOUD.encode(labelled)).columns
    assert list(columns) == ["x", "y", "z", "intensity", "label", "rgb"]
    packed = columns["rgb"].reshape(-1).copy().view(np.uint32)
    red, green, blue = POINT_LABELS.colors[6]  # label of the fourth point
    assert packed[3] == int(red) << 16 | int(green) << 8 | int(blue)
    assert packed[4] == 0  # unlabeled


def test_labelled_cloud_keeps_labels_beside_points_that_stay() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("label", "<u1")]
    points = structured(kind, label=np.array([0, 6, UNLABELED]))
    points["x"][0] = np.inf
    labelled = LABELLED_CLOUD.decode(cloud_bytes(points))
    np.testing.assert_array_equal(labelled.labels, [6, UNLABELED])
    np.testing.assert_array_equal(labelled.cloud.points, XYZ[1:])


def test_labelled_cloud_without_labels_is_refused() -> None:
    kind = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    with pytest.raises(DecodeError, match="field label is missing"):
        LABELLED_CLOUD.decode(cloud_bytes(structured(kind)))


@pytest.mark.parametrize(
    ("kind", "label"), [("<u1", 9), ("<i4", 260), ("<i4", -1), ("<f4", np.nan)]
)
def test_a_label_that_is_no_class_is_refused(kind: str, label: float) -> None:
    fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("label", kind)]
    points = structured(fields, label=np.array([0, label, UNLABELED]))
    with pytest.raises(DecodeError, match=f"label {label} is none of the 9 classes"):
        LABELLED_CLOUD.decode(cloud_bytes(points))

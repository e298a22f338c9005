"""Line charts as SVG."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from spatial_perception.visualization.charts import Series, line_chart, round_ticks


def drawn(*values: float) -> ElementTree.Element:
    x = np.arange(len(values), dtype=float)
    series = Series("car <1>", (255, 0, 0), x, np.array(values))
    return ElementTree.fromstring(line_chart([series], "seconds"))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 5, [0, 1, 2, 3, 4, 5]),
        (0, 23, [0, 5, 10, 15, 20, 25]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_and_cover_the_range(
    low: float, high: float, expected: list[float]
) -> None:
    assert round_ticks(low, high)[: len(expected)] == pytest.approx(expected)


def test_a_gap_splits_the_line() -> None:
    lines = drawn(1.0, 2.0, float("nan"), 3.0, 1.0).findall(".//polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 2]


def test_larger_values_stand_higher() -> None:
    (line,) = drawn(0.0, 4.0, 2.0).findall(".//polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert heights[1] < heights[2] < heights[0]
    assert (heights[0] - heights[2]) == pytest.approx((heights[0] - heights[1]) / 2, abs=0.1)


def test_names_are_escaped() -> None:
    assert drawn(1.0, 2.0).findtext(".//title") == "car <1>"


@pytest.mark.parametrize("values", [(), (float("nan"),), (0.0,)])
def test_little_data_makes_a_chart_all_the_same(values: tuple[float, ...]) -> None:
    assert drawn(*values).tag == "svg"

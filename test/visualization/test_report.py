"""The HTML report."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.visualization.report import (
    ClassSeries,
    DetectorCharts,
    KeyFrame,
    Report,
    ReportFrame,
    StageRow,
    TopicRow,
    encode_picture,
    render_report,
    write_report,
)


def picture(value: int) -> np.ndarray:
    return np.full((40, 60, 3), (value, 30, 10), np.uint8)


def full_report() -> Report:
    seconds = np.array([0.0, 0.1, 0.2])
    scores = np.array([0.9, np.nan, 0.8])
    cars = ClassSeries("car", (255, 158, 0), seconds, np.array([1.0, 0.0, 2.0]), scores)
    return Report(
        title="<drive> & $more",
        facts={"frames": "3"},
        stages=[StageRow("lidar_detector", 19, {"transform": 1}, 44.1, 50.2, 61.0)],
        topics=[TopicRow("/tf", "tf2_msgs/msg/TFMessage", 4), TopicRow("/a", "b/msg/C", 9, 10.0)],
        charts=[DetectorCharts("LiDAR objects", (cars,))],
        frames=[ReportFrame(f"frame {i}", encode_picture(picture(50 * i))) for i in range(3)],
        key_frames=[KeyFrame("first", {"overlay": encode_picture(picture(9))})],
        notes=["no camera"],
        licence="CC BY-NC-SA 3.0",
    )


class Page(HTMLParser):
    """Collects what a page refers to, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.open_tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href", "srcset", "action", "data", "poster")
        self.references += [value or "" for name, value in attrs if name in names]
        if tag not in ("meta", "img", "input", "br", "link"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_refers_outside_the_page() -> None:
    html = render_report(full_report())
    assert all(reference.startswith("data:") for reference in Page(html).references)
    without_pictures = re.sub(r"data:image/webp;base64,[A-Za-z0-9+/=]+", "", html)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", without_pictures)


def test_tags_are_balanced_and_text_is_escaped() -> None:
    page = Page(render_report(full_report()))
    assert page.open_tags == []
    assert "<drive> & $more" in page.text


def test_stages_topics_notes_and_licence_are_there() -> None:
    text = Page(render_report(full_report())).text
    for expected in ("lidar_detector", "transform 1", "44.1", "61.0", "tf2_msgs/msg/TFMessage"):
        assert expected in text
    assert "no camera" in text
    assert "CC BY-NC-SA 3.0" in text


def test_every_slider_frame_is_in_the_page_and_decodes() -> None:
    html = render_report(full_report())
    script = html.split('id="frames">')[1].split("</script>")[0]
    sources = re.findall(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", script)
    assert len(sources) == 3
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(sources[2]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded[20, 30].tolist() == pytest.approx([10, 30, 100], abs=6)  # blue first


def test_an_empty_report_is_a_page_all_the_same() -> None:
    page = Page(render_report(Report("nothing")))
    assert page.open_tags == []
    assert "Stages" not in page.text


def test_pictures_are_shrunk_to_the_width_given() -> None:
    encoded = np.frombuffer(encode_picture(picture(9), max_width_px=30), np.uint8)
    assert cv2.imdecode(encoded, cv2.IMREAD_COLOR).shape == (20, 30, 3)


@pytest.mark.parametrize(
    ("size_hw", "width_px", "expected_hw"),
    [((8, 20_000), None, (7, 16383)), ((1, 20_000), 1120, (1, 1120)), ((32_766, 2), None, None)],
)
def test_panoramas_are_shrunk_to_what_the_file_format_takes(
    size_hw: tuple[int, int], width_px: int | None, expected_hw: tuple[int, int] | None
) -> None:
    encoded = encode_picture(np.zeros((*size_hw, 3), np.uint8), width_px)
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape[:2] == (expected_hw or (16383, 1))


def test_names_that_are_not_utf8_are_written_with_question_marks(tmp_path: Path) -> None:
    write_report(Report("bag\udcff", notes=["bag\udcff was cut off"]), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>bag?</h1>" in html
    assert "bag? was cut off" in html

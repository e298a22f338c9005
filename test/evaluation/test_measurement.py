from pathlib import Path

import pytest

from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.measurement import Request


def request(**options):
    return Request("net", "camvid", Path("/data"), **options)


def test_the_default_split_holds_unless_another_is_asked_for():
    assert request().choose_split("val", ("train", "val")) == "val"
    assert request(split="train").choose_split("val", ("train", "val")) == "train"


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(DatasetError, match="camvid has no split 'tset'; known: train, test"):
        request(split="tset").choose_split("train", ("train", "test"))


def test_frames_are_chosen_by_name_in_the_order_of_the_data_set():
    items = ["c", "a", "b"]
    assert request().choose_frames(items, str) == items
    assert request(frames=("b", "c")).choose_frames(items, str) == ["c", "b"]


def test_missing_frames_are_refused():
    with pytest.raises(DatasetError, match="no frame 'x' among the 2 of camvid; the first is 'a'"):
        request(frames=("x",)).choose_frames(["a", "b"], str)
    with pytest.raises(DatasetError, match="/data: no frames of camvid there"):
        request().choose_frames([], str)

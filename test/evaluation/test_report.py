import json

from spatial_perception.evaluation.report import Report


def test_json_has_the_documented_keys_and_rounds(tmp_path):
    report = Report("net", "camvid", "val", 3, {"miou": 66.66666}, {"miou": (60.00004, 70.0)})
    path = tmp_path / "new" / "report.json"
    report.write(path)
    assert json.loads(path.read_text()) == {
        "model": "net",
        "dataset": "camvid",
        "split": "val",
        "frames": 3,
        "metrics": {"miou": 66.667},
        "interval_90": {"miou": [60.0, 70.0]},
    }


def test_intervals_of_unmeasured_metrics_are_left_out():
    report = Report("net", "camvid", "val", 3, {}, {"miou": (1.0, 2.0)})
    assert json.loads(report.to_json())["interval_90"] == {}

"""Results as JSON that every reader takes."""

import json
from pathlib import Path

import pytest

from spatial_perception.cli.json_file import write_json


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.json"
    write_json(path, {"worst": float("inf"), "all": [(1.5, float("nan")), 2], "name": "a"})

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    content = json.loads(path.read_text(), parse_constant=refuse)
    assert content == {"worst": None, "all": [[1.5, None], 2], "name": "a"}

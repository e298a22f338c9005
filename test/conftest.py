"""Shared by all tests: engines are built in a folder of their own, not in the user's cache."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("SPATIAL_PERCEPTION_CACHE", str(tmp_path_factory.mktemp("engines")))

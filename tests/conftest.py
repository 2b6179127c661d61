"""For all tests: hypothesis judges what code does, not how long a busy machine takes; what
runs on the real clock runs one after the other, on one of pytest's two processes."""

import pytest
from hypothesis import settings

settings.register_profile("surplus", deadline=None)  # a hang is caught by pytest's own timeout
settings.load_profile("surplus")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.xdist_group("real time"))

"""For all tests: hypothesis judges what code does, not how long a busy machine takes; what
runs on the real clock runs one after the other, on one of pytest's two processes."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("surplus", deadline=None)  # a hang is caught by pytest's own timeout
settings.load_profile("surplus")

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups by file: xdist's own marks of a group do not reach it with pytest 9.2."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OneAfterTheOther(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::", maxsplit=1)[0]
            if not real_time(path):
                return nodeid
            return "real time"

    return OneAfterTheOther(config, log)


@cache
def real_time(path: str) -> bool:
    """Whether anything in this file of tests runs on the real clock."""
    return "mark.real_time" in (ROOT / path).read_text()

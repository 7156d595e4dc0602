"""A pytest plugin for mutation runs: the tests that are likely to notice a change come first, since the first one ends its run.

Likely is what noticed another change of the same function, in this run or an earlier one. Then come the quickest of each file,
and then the next of each: what stands in one file looks at one thing.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

_NOTICED: Final = Path(os.environ["MUTANTS_NOTICED"])
_STATS: Final = Path("mutmut-stats.json")


def _function() -> str:
    """Return which function is changed; mutmut says it, with the number of the change."""
    return os.environ.get("MUTANT_UNDER_TEST", "").rpartition("__mutmut_")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by how often they noticed a change of this function, then by how quick they are beside others of their file."""
    lines = _NOTICED.read_text("utf-8").splitlines() if _NOTICED.exists() else []
    noticed = Counter(test for function, _, test in (line.partition(" ") for line in lines) if function == _function())
    seconds = json.loads(_STATS.read_text("utf-8"))["duration_by_test"] if _STATS.exists() else {}
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))
    rank, before = dict[str, int](), Counter[Path]()
    for item in items:
        rank[item.nodeid], before[item.path] = before[item.path], before[item.path] + 1
    items.sort(key=lambda item: (-noticed[item.nodeid], rank[item.nodeid]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which test noticed a change."""
    if report.failed and _function():
        with _NOTICED.open("a", encoding="utf-8") as file:
            file.write(f"{_function()} {report.nodeid}\n")

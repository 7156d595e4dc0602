"""A pytest plugin for mutation runs: the quickest tests come first, since the first that notices a change ends its run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by what they took when mutmut looked which functions each of them reaches; before that nothing is known."""
    stats = Path("mutmut-stats.json")
    seconds = json.loads(stats.read_text("utf-8"))["duration_by_test"] if stats.exists() else {}
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))

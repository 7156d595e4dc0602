"""The demonstration, played once for all tests that look at what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import sarakste
from tests.exchange import Exchange, two_sides
from tests.folders import Folders
from tests.sharing import made_once


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play the demonstration once, and return its folder, with what it told and its report beside it; nobody changes it."""
    return made_once("demo", _play, lambda: tmp_path_factory.mktemp("demo"))


def _play(folder: Path) -> None:
    done = sarakste("demo", "demo-exchange", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    (folder / "told").write_text(done.stderr)
    (folder / "report.json").write_text(done.stdout)


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    """Make an exchange of one school and the commission that know each other."""
    return two_sides(tmp_path)


@pytest.fixture
def folders(demo: Path, tmp_path: Path) -> Folders:
    """Return a copy of what the demonstration leaves, for a test to change; nobody works there yet."""
    return Folders.copy(demo / "demo-exchange", tmp_path / "exchange")

"""The workshop, founded once and copied for each attack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.workshop import Workshop


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Found the exchange; nobody changes this one."""
    return Workshop.founded(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def shop(founded: Workshop, tmp_path: Path) -> Workshop:
    """Give an attack an exchange of its own."""
    return founded.copied(tmp_path)

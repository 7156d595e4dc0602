"""What more than one folder of tests uses: a real broker, started once a run; and all tests: nothing personal is logged."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from infra.kafka.jars import BrokerFilesError, fetched
from tests.brokers import Bench, started
from tests.listening import Listener

# No test fails because a machine is busy, as it is with all processors at these tests.
settings.register_profile("sarakste", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sarakste")

REQUIRED = "SARAKSTE_REQUIRES_BROKER"
"""Set where a broker can be had for sure: there a test that cannot have one fails, and is not skipped."""


@pytest.fixture(scope="session")
def broker_files() -> None:
    """Have the files of a broker; skip where they cannot be had."""
    try:
        fetched()
    except BrokerFilesError as error:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(f"a real broker cannot be had here: {error}")


@pytest.fixture(scope="session")
def broker(broker_files: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:  # noqa: ARG001  # has them first
    """Start one broker for all tests of a run."""
    with started(tmp_path_factory.mktemp("broker") / "cluster") as bench:
        yield bench


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Listen to all that is logged in a run."""
    found = Listener()
    found.start()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _nothing_personal_is_logged(listener: Listener) -> Iterator[None]:
    """Fail each test in which a line is logged with a name, a code, an address or a number of the fixtures."""
    yield
    assert listener.taken() == [], "these places log something personal"

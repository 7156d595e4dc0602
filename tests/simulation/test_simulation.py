"""Whatever happens to an exchange: after quiet nothing is lost, nothing stands twice, and every case is where its events say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.commands import ROOT
from tests.simulation.runner import kept_seeds, run_seeds
from tests.simulation.story import tell

SEEDS = 40

pytestmark = pytest.mark.timeout(600)  # bounded all the same: a machine may be busy


def test_nothing_is_lost_and_nothing_forged_whatever_happens() -> None:
    outcome = run_seeds(range(SEEDS), jobs=os.cpu_count() or 1)
    assert outcome.seeds == SEEDS
    assert sum(outcome.counts.values()) > SEEDS
    assert [(told.seed, told.broken) for told in outcome.broken] == []


@pytest.mark.parametrize("seed", kept_seeds())
def test_what_a_seed_once_found_is_mended(seed: int) -> None:
    assert tell(seed).broken is None


PLAIN = "import sys; from tests.simulation.__main__ import main; sys.exit(main())"
REMEMBERING = f"from tests.simulation.remembering import remember; remember(); {PLAIN}"


def told_elsewhere(seed: int, hash_seed: str, code: str) -> str:
    """Return the trace of a seed as another process tells it."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", code, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)  # noqa: S603
    return done.stdout


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_a_seed_is_the_same_story_in_every_process_to_the_last_byte(seed: int) -> None:
    told = [told_elsewhere(seed, "1", PLAIN), told_elsewhere(seed, "2", REMEMBERING)]
    assert told[0] == told[1]
    # The digest of a channel's head stands for every byte that was ever signed in it.
    assert "registrar.trust ends after" in told[0]
    assert told[0].splitlines() == [f"seed {seed}", *tell(seed).trace]

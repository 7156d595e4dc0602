"""A run of the fuzzer finds what is planted, keeps the input, and fails; where the fuzzer belongs and is missing it fails too."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.run import belongs_here

ROOT = Path(__file__).resolve().parents[2]
# It hides no missing fuzzer: where there is a release of it and it is not installed, the first two tests fail.
where_there_is_a_release = pytest.mark.skipif(
    not belongs_here(), reason="no release of atheris for this platform and version of Python"
)


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.run", "--folder", str(folder), "--seed", "7", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603  # our own module


def test_the_fuzzer_is_there_wherever_there_is_a_release_of_it() -> None:
    assert (find_spec("atheris") is not None) == belongs_here()


def test_where_the_fuzzer_belongs_and_is_missing_a_run_fails_and_says_what_to_do() -> None:
    program = "import sys; sys.modules['atheris'] = None; sys.argv = ['run']; from tests.fuzz.run import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603  # as above
    assert done.returncode == int(belongs_here())
    assert "nothing was fuzzed" in done.stderr


@where_there_is_a_release
@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("crash", "KeyError"),
        ("hang", "timeout"),
        ("memory", "one input made the process grow by"),
        ("growth", "more objects are kept"),
    ],
)
def test_a_planted_fault_is_found_kept_and_told(planted: str, told: str, tmp_path: Path) -> None:
    done = run(tmp_path, "--target", planted, "--runs", "100000", "--hang", "1" if planted == "hang" else "60")
    assert done.returncode == 1
    assert told in done.stdout
    (finding,) = (tmp_path / planted / "findings").iterdir()
    assert f"python -m tests.fuzz.replay {planted} {finding}" in done.stdout


@where_there_is_a_release
def test_a_run_without_a_finding_counts_what_it_did(tmp_path: Path) -> None:
    done = run(tmp_path, "--target", "events", "--runs", "300")
    assert done.returncode == 0, done.stdout
    row = next(line for line in done.stdout.splitlines() if "events" in line)
    _, inputs, *_, features, _, findings = [each.strip() for each in row.strip("│").split("│")]
    assert int(inputs) >= 300
    assert int(features) > 0
    assert int(findings) == 0

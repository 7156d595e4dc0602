"""The second reader: it knows nothing of ours, and says the same of every log, however that was harmed."""

from __future__ import annotations

import ast
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from examples import verify_log as second
from services.wire.issuing import pem
from tests.chains import ROOT
from tests.harms import harmed_world
from tests.verifying import verified_file
from tests.worlds import RECORD, World

TESTS: Final = Path(__file__).resolve().parents[1]
READER: Final = Path(second.__file__)
OURS: Final = ("services", "tests", "examples")
SEEDS: Final = 48
SHARES: Final = 3


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, and the names that it imports from them, dotted."""
    found = set()
    for each in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(each, ast.Import):
            found |= {name.name for name in each.names}
        if isinstance(each, ast.ImportFrom) and each.module:
            found |= {f"{each.module}.{name.name}" for name in each.names}
    return found


def test_it_needs_nothing_of_ours_and_two_packages() -> None:
    packages = {name.partition(".")[0] for name in imported(READER)} - set(sys.stdlib_module_names)
    assert packages == {"cryptography", "fastavro"}


def test_it_stays_short_enough_to_be_read_in_one_sitting() -> None:
    assert len(READER.read_text("utf-8").splitlines()) <= 500


def test_no_test_verifies_a_log_without_it() -> None:
    naming = [path for path in TESTS.rglob("*.py") if "verify_log" in path.read_text("utf-8")]
    alone = {path.relative_to(TESTS).as_posix() for path in naming if "services.audit.verify.verify_log" in imported(path)}
    # The benchmark measures ours alone; of the logs of the simulation a share is read by both, and the lab looks at places.
    assert alone - {"bench/reading.py"} == {"verifying.py", "simulation/invariants.py", "tamper/logs.py"}


@pytest.mark.parametrize("share", range(SHARES))
def test_both_say_the_same_of_logs_that_went_through_anything(tmp_path: Path, share: int) -> None:
    clean = 0
    for seed in range(share, SEEDS, SHARES):
        world = harmed_world(tmp_path, seed)
        # In pages of a few records, so that what comes late is judged as what came early.
        reports = [world.verified(threads=1, page=page) for page in (200, 1 + seed % 5)]
        assert reports[0].findings == reports[1].findings, seed
        clean += reports[0].is_clean
    assert 0 < clean < SEEDS // SHARES


def run(log: Path, root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(READER), str(log), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=log.parent)  # noqa: S603  # our own


def test_as_a_program_it_tells_each_channel_and_each_finding_and_leaves_with_4(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 3)
    world.verified()
    root = tmp_path / "root.pem"
    root.write_bytes(pem(ROOT.der))
    whole = run(tmp_path / "log.sqlite", root)
    assert (whole.returncode, whole.stdout.splitlines()[-1]) == (0, "0 findings")
    assert f"{RECORD}: 4 entries, reading, receipted to 0, head {world.pens[RECORD].previous.hex()}" in whole.stdout
    lost = world.records[RECORD].pop(2)
    finding = world.verified().findings[0]
    harmed = run(tmp_path / "log.sqlite", root)
    assert (harmed.returncode, harmed.stdout.splitlines()[-1]) == (4, "1 findings")
    assert f"{RECORD} at 0/3: an entry is missing\n  expected {finding.expected}\n  found    nothing\n" in harmed.stdout
    assert lost.hex() not in harmed.stdout


@pytest.mark.parametrize("name", ["CAST(x'fffe' AS TEXT)", "x'fffe'", "NULL", "7", "'x' || char(27) || '[2J.record'"])
def test_a_record_under_what_is_no_channels_name_hides_nothing_from_either_reader(name: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 3)
    world.verified()
    (tmp_path / "root.pem").write_bytes(pem(ROOT.der))
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        log.execute(f"INSERT INTO records VALUES ({name}, 0, 0, x'00')")  # noqa: S608  # our own words
    log.close()
    done = run(tmp_path / "log.sqlite", tmp_path / "root.pem")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 findings"), done.stderr
    report = verified_file(tmp_path / "log.sqlite", ROOT)
    assert report.is_clean
    assert f"{RECORD}: 4 entries, reading" in done.stdout
    assert "\x1b" not in done.stdout + str(report)


def test_called_wrongly_it_says_what_it_is_for(tmp_path: Path) -> None:
    said = subprocess.run([sys.executable, str(READER)], capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603  # our own
    assert said.returncode == 1
    assert said.stderr.startswith("Verify a log of Sarakste")


@pytest.mark.parametrize("program", ["verify_log.py", "check_proof.py"])
def test_what_is_not_there_is_a_sentence_and_no_traceback(tmp_path: Path, program: str) -> None:
    root, log, missing = tmp_path / "root.pem", tmp_path / "log.sqlite", tmp_path / "missing"
    root.write_bytes(pem(ROOT.der))
    World(tmp_path).verified()
    for given in ((missing, root), (log, missing), (log, log)):
        done = told(program, *given)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.startswith(f"{given[0]} or {given[1]} cannot be read: ")
        assert done.stderr.count("\n") == 1


def test_a_pipe_among_the_files_of_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    """As whoever made the folder may have put there."""
    root, channel = tmp_path / "root.pem", tmp_path / "folder/channels/registrar.trust"
    root.write_bytes(pem(ROOT.der))
    channel.mkdir(parents=True)
    os.mkfifo(channel / "2026-11.avro")
    assert told("verify_log.py", tmp_path / "folder", root).returncode == 4


def test_what_is_no_log_is_a_sentence_and_no_finding(tmp_path: Path) -> None:
    root, text, empty = tmp_path / "root.pem", tmp_path / "text", tmp_path / "empty"
    root.write_bytes(pem(ROOT.der))
    text.write_text("no log")
    empty.write_bytes(b"")
    assert [told("verify_log.py", each, root).returncode for each in (text, empty)] == [2, 2]


def test_a_stranger_puts_the_schemas_beside_it_as_the_docs_say_or_is_told_that_they_lack(tmp_path: Path) -> None:
    """Without them nothing can be read of an honest log, and whoever has it would be accused."""
    World(tmp_path).verified()
    root, alone = tmp_path / "root.pem", tmp_path / "far/away"
    root.write_bytes(pem(ROOT.der))
    alone.mkdir(parents=True)
    program = shutil.copy(READER, alone)
    lacking = told(program, tmp_path / "log.sqlite", root)
    assert (lacking.returncode, lacking.stdout) == (1, "")
    assert "the folder `schemas` beside this file" in lacking.stderr
    for place in (alone, alone.parent):
        schemas = shutil.copytree(READER.parents[1] / "schemas", place / "schemas")
        there = told(program, tmp_path / "log.sqlite", root)
        assert (there.returncode, there.stdout.splitlines()[-1]) == (0, "0 findings")
        shutil.rmtree(schemas)


def told(program: str | Path, *given: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(READER.parent / program), *map(str, given)]
    # Whatever it waits for never comes.
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  # our own

"""What the console consumer prints is taken whole or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from examples import read_kafka
from tests.integration.test_second_reader import imported

CHANNEL = "school-0099900011.record"


def taken(folder: Path, printed: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    call = [sys.executable, read_kafka.__file__, "log.sqlite", *arguments]
    return subprocess.run(call, input=printed, capture_output=True, check=False, cwd=folder)  # noqa: S603  # our own call


def rows(folder: Path) -> list[tuple[str, int, bytes]]:
    with closing(sqlite3.connect(folder / "log.sqlite")) as log:
        return log.execute("SELECT channel, position, value FROM records ORDER BY position").fetchall()


def test_each_line_is_a_record_at_its_position(tmp_path: Path) -> None:
    done = taken(tmp_path, b"Offset:4\t\\xC3\\x01L\\x5Cx00\nOffset:5\t\n", "-", CHANNEL, "6")
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path) == [(CHANNEL, 4, b"\xc3\x01L\\x00"), (CHANNEL, 5, b"")]


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (b"Offset:0\ta\n", b"ends at 2, and what came at 1"),
        (b"", b"ends at 2, and what came at 0"),
        (b"Offset:0\ta\nOffset:1\tb\nOffset:2\tc\n", b"ends at 2, and what came at 3"),
        (b"Offset:0\ta\nOffset:2\tb\n", b"after 0 comes 2"),
        (b"Offset:0\ta\nOffset:0\ta\n", b"after 0 comes 0"),
        (b"Offset:0\ta\n2026-11-26 WARN metadata\n", b"no record: b'2026-11-26 WARN"),
        (b"Offset:0\ta\nOffset:1\t\\xZZ\n", b"no record"),
        (b"Offset:0\ta\nOffset:1\t\\\n", b"no record"),
        (b"Offset:0\ta\nOffset:1\tb", b"no record"),
    ],
)
def test_less_more_or_something_else_is_copied_not_at_all(tmp_path: Path, printed: bytes, told: bytes) -> None:
    done = taken(tmp_path, printed, "-", CHANNEL, "2")
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
    assert rows(tmp_path) == []


def test_a_channel_that_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    taken(tmp_path, b"Offset:0\ta\n", "-", CHANNEL, "1")
    assert taken(tmp_path, b"Offset:0\tb\n", "-", CHANNEL, "1").returncode == 1
    assert rows(tmp_path) == [(CHANNEL, 0, b"a")]


@pytest.mark.parametrize("arguments", [(), ("-", CHANNEL), ("-", CHANNEL, "x"), ("reader.conf",)])
def test_called_wrongly_it_says_what_it_is_for(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = taken(tmp_path, b"", *arguments)
    assert (done.returncode, done.stderr[:13]) == (1, b"Copy channels")
    assert not (tmp_path / "log.sqlite").exists()


def test_it_needs_nothing_of_ours_and_one_package() -> None:
    packages = {name.partition(".")[0] for name in imported(Path(read_kafka.__file__))} - set(sys.stdlib_module_names)
    assert packages == {"confluent_kafka"}

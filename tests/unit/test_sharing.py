"""Tests on several processors: each is run once, by one process, and those of a file together."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.commands import ROOT
from tests.sharing import Sharing, made_once, share_of


def named(path: str, *fixtures: str) -> pytest.Item:
    return cast("pytest.Item", SimpleNamespace(nodeid=path, fixturenames=fixtures))


TESTS = [
    named("tests/unit/test_a.py::test_one"),
    named("tests/unit/test_a.py::test_two"),
    named("tests/unit/test_b.py::test_one"),
    named("tests/unit/test_b.py::test_over_a_broker", "broker_files", "broker"),
    named("tests/unit/test_c.py::test_over_a_broker", "broker_files"),
    named("tests/procedure/test_histories.py::test_many"),
]


def test_each_test_is_run_by_one_process_and_those_of_a_share_together(tmp_path: Path) -> None:
    first, second = Sharing(tmp_path).mine(TESTS), Sharing(tmp_path).mine(TESTS)
    ran = {1: [next(first)], 2: [next(second)]}
    ran[1] += first
    ran[2] += second
    assert sorted(each.nodeid for mine in ran.values() for each in mine) == sorted(each.nodeid for each in TESTS)
    begun = [name for mine in ran.values() for name, _ in groupby(map(share_of, mine))]
    assert len(begun) == len(set(begun)) == 4


def test_what_takes_longest_is_begun_first(tmp_path: Path) -> None:
    assert [share_of(each) for each in Sharing(tmp_path).mine(TESTS)][:3] == [
        "a broker",
        "a broker",
        "tests/procedure/test_histories.py",
    ]


@pytest.mark.parametrize(("body", "code"), [("assert True", 0), ("assert False", 1)])
def test_a_test_that_fails_in_any_process_fails_the_run(tmp_path: Path, body: str, code: int) -> None:
    for number in range(3):
        content = body if number == 1 else "assert True"
        (tmp_path / f"test_{number}.py").write_text(f"def test_it() -> None:\n    {content}\n")
    call = [sys.executable, "-m", "tests.sharing", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)  # noqa: S603
    assert done.returncode == code, done.stdout
    assert sum(done.stdout.count(f"{number} passed") * number for number in (1, 2, 3)) == 3 - code, done.stdout


def test_what_is_made_once_a_run_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARAKSTE_SHARES", str(tmp_path))
    made: list[Path] = []
    for _ in range(2):
        assert made_once("demo", made.append, lambda: tmp_path / "alone") == tmp_path / "demo"
    assert made == [tmp_path / "demo"]

"""Every register of expertise files keeps the contract; what is wrong with one is told without a code."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from services.commission.adapters.expertise_csv import CsvRegister
from services.commission.adapters.expertise_memory import MemoryRegister
from services.commission.adapters.expertise_sqlite import SqliteRegister
from services.commission.expertise import ExpertiseFile, ExpertiseRegister
from services.wire.errors import SettingsError
from tests.contract.expertise_suite import RegisterContract

_HEAD = "personal_code,opinion_on,opinion_until\n"


class TestMemoryRegister(RegisterContract):
    def register(self, folder: Path, files: Mapping[str, ExpertiseFile]) -> ExpertiseRegister:  # noqa: ARG002  # as the suite
        return MemoryRegister(files)


class TestCsvRegister(RegisterContract):
    def register(self, folder: Path, files: Mapping[str, ExpertiseFile]) -> ExpertiseRegister:
        path = folder / "files.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["personal_code", "opinion_on", "opinion_until"])
            for code, each in files.items():
                rows.writerow([f"{code[:6]}-{code[6:]}", each.opinion_on, each.opinion_until])
        return CsvRegister(path)


class TestSqliteRegister(RegisterContract):
    def register(self, folder: Path, files: Mapping[str, ExpertiseFile]) -> ExpertiseRegister:
        return SqliteRegister(_database(folder, {code: (each.opinion_on, each.opinion_until) for code, each in files.items()}))


def _database(folder: Path, rows: Mapping[str, tuple[object, object]]) -> Path:
    path = folder / "files.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE expertise_files (personal_code TEXT PRIMARY KEY, opinion_on TEXT, opinion_until TEXT)")
        for code, days in rows.items():
            texts = (str(day) if day is not None else None for day in days)
            database.execute("INSERT INTO expertise_files VALUES (?, ?, ?)", (code, *texts))
        database.commit()
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("personal_code,opinion\n", "line 1: the columns have to be personal_code, opinion_on, opinion_until"),
        (_HEAD + "03021829015,2024-02-03\n", "line 2: has not three values"),
        (_HEAD + "03021829015,2024-02-03,,x\n", "line 2: has not three values"),
        (_HEAD + "03021829015,03.02.2024.,\n", "line 2: a day is not written as YYYY-MM-DD"),
        (_HEAD + "03021829015,,2028-02-03\n", "line 2: opinion_until is not after opinion_on"),
        (_HEAD + "03021829015,2028-02-04,2028-02-03\n", "line 2: opinion_until is not after opinion_on"),
        (_HEAD + "03021829015,,\n030218-29015,,\n", "lines 2 and 3 are of one person"),
        (_HEAD + '"03021829015\n', "cannot be read as a register"),
        (_HEAD + "\udcff\n", "cannot be read as a register"),
    ],
)
def test_a_file_that_is_no_register_is_told_by_its_place(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "files.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match=said) as caught:
        CsvRegister(path).look_up("03021829015")
    assert "29015" not in str(caught.value)


def test_a_register_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"files.csv cannot be read"):
        CsvRegister(tmp_path / "files.csv").look_up("03021829015")
    with pytest.raises(SettingsError, match=r"files.sqlite cannot be read"):
        SqliteRegister(tmp_path / "files.sqlite").look_up("03021829015")
    # Looking makes no file.
    assert not list(tmp_path.iterdir())


def test_a_database_of_something_else_is_told_and_so_is_a_person_with_two_files(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"no database at all, and longer than its header of a hundred bytes" * 3)
    with pytest.raises(SettingsError, match="cannot be read as a register"):
        SqliteRegister(other).look_up("03021829015")
    twice = _database(tmp_path, {"03021829015": (None, None), "030218-29015": (None, None)})
    with pytest.raises(SettingsError, match="two rows are of one person"):
        SqliteRegister(twice).look_up("03021829015")

"""What somebody tries who may ask, and wants more than answers: files, other databases, the network, settings, cells that act."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from services.audit.bounds import MemoryLimitError, TimeLimitError, held_to
from services.audit.outputs import csv_rows, safe_text, sheet, write_answer
from services.audit.querying import QueryError, ask
from services.audit.tables import Tables
from services.desk.audit_source import file_for
from services.wire.errors import RefusedError, SettingsError

NOT_A_SELECT = [
    "COPY (SELECT 1) TO '{there}/out.csv'",
    "COPY events FROM '{there}/secret.csv'",
    "EXPORT DATABASE '{there}/out'",
    "ATTACH '{there}/out.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET disabled_filesystems",
    "PRAGMA enable_profiling",
    "CALL enable_logging()",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE MACRO mine() AS 1",
    "INSERT INTO events SELECT * FROM events",
    "UPDATE events SET standing = 'taken'",
    "DELETE FROM events",
    "DROP TABLE events",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE mine AS SELECT 1",
    "BEGIN",
    "SELECT 1; DROP TABLE events",
    "",
]
BEYOND_THE_LOG = [
    "SELECT * FROM read_csv('{there}/secret.csv')",
    "SELECT * FROM read_text('{there}/secret.csv')",
    "SELECT * FROM read_blob('{there}/secret.csv')",
    "SELECT * FROM read_json('{there}/secret.csv')",
    "SELECT * FROM read_parquet('{there}/secret.csv')",
    "SELECT * FROM '{there}/secret.csv'",
    "FROM '{there}/secret.csv'",
    "SELECT * FROM glob('{there}/*')",
    "SELECT * FROM sniff_csv('{there}/secret.csv')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{there}/out.csv''')",
    "SELECT * FROM query_table('{there}/secret.csv')",
    "SELECT * FROM read_csv('https://example.invalid/x.csv')",
    "SELECT * FROM read_parquet('s3://example/x.parquet')",
    "SELECT getenv('HOME')",
    "SELECT * FROM secret",
    "WITH x AS (SELECT * FROM read_text('{there}/secret.csv')) SELECT * FROM x",
]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with Tables() as tables:
        yield tables.locked()


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "secret.csv").write_text("name\nhidden-in-a-file\n")
    return tmp_path


@pytest.mark.parametrize("sql", NOT_A_SELECT)
def test_what_is_not_one_select_is_refused_and_changes_nothing(
    database: duckdb.DuckDBPyConnection, there: Path, sql: str
) -> None:
    before = sorted(there.iterdir())
    with pytest.raises(QueryError, match="a query is one SELECT"):
        list(ask(database, sql.format(there=there)).rows())
    assert sorted(there.iterdir()) == before
    assert list(ask(database, "SELECT count(*) FROM events").rows()) == [[0]]


def test_a_select_with_an_insert_inside_it_writes_nothing(database: duckdb.DuckDBPyConnection) -> None:
    inside = "WITH x AS (INSERT INTO events (channel) VALUES ('forged') RETURNING *) SELECT * FROM x"
    with pytest.raises(QueryError):
        list(ask(database, inside).rows())
    assert list(ask(database, "SELECT count(*) FROM events").rows()) == [[0]]
    # Nor does a question that failed, or was not read to its end, leave anything to the next one.
    ask(database, "SELECT * FROM range(100000)")
    assert list(ask(database, "SELECT 1").rows()) == [[1]]


@pytest.mark.parametrize("sql", BEYOND_THE_LOG)
def test_a_select_reaches_no_file_no_network_no_environment_and_no_variable_of_ours(
    database: duckdb.DuckDBPyConnection, there: Path, sql: str
) -> None:
    secret = there  # what DuckDB would find by its name among Python's variables, if it looked there
    assert secret.exists()
    with pytest.raises(QueryError) as told:
        list(ask(database, sql.format(there=there)).rows())
    assert "hidden-in-a-file" not in str(told.value)
    assert [each.name for each in there.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "sql", [each for each in NOT_A_SELECT if "{there}" in each or each.startswith(("SET", "RESET", "LOAD", "INSTALL"))]
)
def test_the_lock_of_the_database_holds_without_our_look_at_the_statement(
    database: duckdb.DuckDBPyConnection, there: Path, sql: str
) -> None:
    with pytest.raises(duckdb.Error):
        database.execute(sql.format(there=there))
    assert [each.name for each in there.iterdir()] == ["secret.csv"]


def test_nothing_is_ever_written_to_a_disk_for_want_of_memory(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(there)
    with Tables("64MB") as tables:
        database = tables.locked()
        with pytest.raises(MemoryLimitError, match="give more with --memory"):
            list(ask(database, "SELECT i, repeat('x', 200) || i AS s FROM range(5000000) r(i) ORDER BY s DESC").rows())
    assert [each.name for each in there.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 400000) FROM range(5000)",
        "SELECT range(1000000) FROM range(3000)",
        "SELECT length(repeat(range::VARCHAR, 9000000)) FROM range(3000)",
        "SELECT string_agg(repeat('x', 1000), '') FROM range(1000000)",
    ],
)
def test_a_few_rows_that_are_large_take_no_more_memory_than_many_small_ones(there: Path, sql: str) -> None:
    with pytest.raises(MemoryLimitError), held_to("100MB"), Tables("100MB") as tables, (there / "out").open("wb") as file:
        write_answer(ask(tables.locked(), sql), "csv", file, grounds={})


def test_a_sheet_that_is_made_whole_in_memory_is_held_to_the_same_limit(there: Path) -> None:
    sql = "SELECT range::VARCHAR || repeat('x', 20000) FROM range(100000)"
    with pytest.raises(MemoryLimitError), held_to("100MB"), Tables("100MB") as tables, (there / "out").open("wb") as file:
        write_answer(ask(tables.locked(), sql), "xlsx", file, grounds={"heads": ""})


def test_rows_without_end_go_out_as_they_come_and_none_is_kept(database: duckdb.DuckDBPyConnection) -> None:
    with held_to("100MB"):
        rows = ask(database, "SELECT range, md5(range::VARCHAR) FROM range(1000000000000)").rows()
        assert sum(1 for _, _ in zip(range(300_000), rows, strict=False)) == 300_000


def test_a_question_without_end_is_ended_and_the_next_one_is_answered(database: duckdb.DuckDBPyConnection) -> None:
    endless = "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 3"
    for sql in (endless, "SELECT range FROM range(1000000000000)"):
        with pytest.raises(TimeLimitError, match="give more with --seconds"):
            sum(1 for _ in ask(database, sql, seconds=0.2).rows())
    assert list(ask(database, "SELECT 1", seconds=60).rows()) == [[1]]


@pytest.mark.parametrize("memory", ["much", "-1GB", "1GB'; DROP TABLE events; --", "", "9999999999GB"])
def test_a_limit_of_memory_that_is_no_size_is_told(memory: str) -> None:
    with pytest.raises(RefusedError, match="no size of memory"), Tables(memory):
        pass
    with pytest.raises(RefusedError, match="no size of memory"), held_to(memory):
        pass


def test_the_largest_limit_of_memory_is_one() -> None:
    with held_to("999999GB"), Tables("999999GB") as tables:
        assert list(ask(tables.locked(), "SELECT 1").rows()) == [[1]]


@pytest.mark.parametrize("path", [".", "/", ""])
def test_what_names_no_file_is_told(path: str) -> None:
    with pytest.raises(SettingsError, match="names a folder"), file_for(Path(path)):
        pass


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "  =1+1", "\uff1d1+1", '=HYPERLINK("x")'],
)
def test_a_text_that_a_spreadsheet_would_obey_is_a_text_in_csv_and_in_a_sheet(text: str) -> None:
    out = io.BytesIO()
    csv_rows([text], [[text], [-5], [["=1"]]], out)
    head, cell, number, _ = list(csv.reader(io.StringIO(out.getvalue().decode(), newline="")))
    # Also behind a tabulator or an end of line at its beginning.
    told = f"'{text}" if text[0] not in "\t\r\n" else f"'{text[0]}'{text[1:]}"
    assert head == cell == [told]
    assert number == ["-5"]
    assert safe_text("Jānis") == "Jānis"
    out = io.BytesIO()
    sheet([text], [[text]], out)
    assert "<f>" not in cells(out)
    assert 't="s"' in cells(out)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Skola;=cmd|' /C calc'!A0", "Skola;'=cmd|' /C calc'!A0"),
        ("a; +1;\t-1", "a;' +1;\t'-1"),
        ("a\n=1\r\n@x", "a\n'=1\r\n'@x"),
        ("a;b-c=d\n\ne", "a;b-c=d\n\ne"),
    ],
)
def test_a_spreadsheet_that_parts_cells_at_semicolons_finds_no_formula_behind_one(text: str, told: str) -> None:
    """As in Latvia, where a comma parts decimals: a name in the middle of a line, quoted or not, begins a cell of its own."""
    assert safe_text(text) == told


def test_a_query_of_bytes_that_are_no_text_is_refused() -> None:
    with Tables("100MB") as tables, pytest.raises(QueryError, match="no text"):
        ask(tables.locked(), "SELECT '\udcc4'")


def cells(book: io.BytesIO) -> str:
    import zipfile  # noqa: PLC0415  # an XLSX is one

    with zipfile.ZipFile(io.BytesIO(book.getvalue())) as found:
        return found.read("xl/worksheets/sheet1.xml").decode()


def test_a_sheet_has_the_same_bytes_each_time_and_a_long_number_stays_what_it_is() -> None:
    def made() -> bytes:
        out = io.BytesIO()
        sheet(["a", "b"], [[2**60, float("nan")], [True, None]], out, about="heads")
        return out.getvalue()

    assert made() == made()
    assert 't="b"' in cells(io.BytesIO(made()))
    assert "1152921504606846976" not in cells(io.BytesIO(made())), "as a number it would be another one"


def test_what_a_sheet_cannot_hold_is_told_and_not_cut() -> None:
    with pytest.raises(QueryError, match="32767 characters"):
        sheet(["a"], [["x" * 32_768]], io.BytesIO())

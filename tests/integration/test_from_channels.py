"""The log is the truth: all cases are made once more from channels and keys, and are what the database lives by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from services.channel.embedded import EmbeddedChannel
from services.channel.reading_only import ReadingOnly
from services.post.history import New
from services.post.saving import save
from services.wire.channels import COMMISSION, TRUST_CHANNEL, from_commission, record_of, to_commission
from services.wire.errors import ChannelClosedError
from services.wire.events import ConfirmationGivenPersonal
from services.wire.hashing import Digest
from tests.commands import SCHOOL
from tests.folders import OTHER_SCHOOL, Folders
from tests.integration.test_restore_drills_log import two_copies
from tests.judged import YES

SIDES = (SCHOOL, OTHER_SCHOOL, COMMISSION)


def stood(folders: Folders, name: str) -> dict[str, bytes]:
    """Return what must not be touched: the files of a participant beside its database, and the log's records."""
    files = [path for path in folders.home(name).iterdir() if path.is_file() and "database" not in path.name]
    return {path.name: path.read_bytes() for path in files} | {"log": repr(in_log(folders, "SELECT * FROM records")).encode()}


def in_log(folders: Folders, sql: str, *parameters: object) -> list[object]:
    with closing(sqlite3.connect(folders.log)) as log, log:
        return log.execute(sql, parameters).fetchall()


def test_channels_and_keys_give_every_case_as_it_is_here(folders: Folders) -> None:
    for name in SIDES:
        before = stood(folders, name)
        cases = len(folders.states(name))
        told = folders.run(name, "rebuild", "--from-channels", "--json").json
        assert told["cases"] == cases > 0
        assert (told["different"], told["unsent"], told["behind"]) == ([], [], [])
        assert stood(folders, name) == before
        assert not list(folders.home(name).glob(".rebuild-*"))


def test_a_worker_may_go_on_meanwhile(folders: Folders) -> None:
    folders.everybody()
    assert folders.run(SCHOOL, "rebuild", "--from-channels", "--json").json["different"] == []
    folders.filed(31)
    folders.settle()
    told = folders.run(SCHOOL, "rebuild", "--from-channels", "--json").json
    assert (told["different"], told["unsent"]) == ([], [])


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE cases SET state = 'Granted' WHERE case_id = ?",
        "DELETE FROM stored_events WHERE originator_id = ? AND originator_version = 1",
        "UPDATE deadlines SET due_on = '2031-01-01' WHERE case_id = ?",
        "DELETE FROM people WHERE case_id = ?",
    ],
    ids=["a state", "an event", "a term", "whom it is about"],
)
def test_what_somebody_changed_in_the_database_is_not_what_the_channels_give(folders: Folders, harm: str) -> None:
    office = folders.office(SCHOOL)
    row = office.database.one("SELECT c.case_id FROM cases c JOIN deadlines d ON d.case_id = c.case_id LIMIT 1")
    assert row is not None
    assert office.database.run(harm, row["case_id"])
    office.database.close()
    answer = folders.run(SCHOOL, "rebuild", "--from-channels")
    assert answer.code == 4
    assert "1 are different here" in answer.out
    # As the list of cases and `show` have it.
    assert f"different: {UUID(row['case_id'])}" in answer.out.splitlines()
    assert str(UUID(row["case_id"])) in folders.states(SCHOOL)


def test_what_was_not_sent_yet_and_what_was_not_received_yet_is_no_difference(folders: Folders) -> None:
    folders.everybody()
    case = folders.filed(32)
    # Its worker has not signed it: the log cannot know.
    told = folders.run(SCHOOL, "rebuild", "--from-channels", "--json").json
    assert (told["different"], told["unsent"]) == ([], [case])
    folders.stop(COMMISSION)
    folders.run(SCHOOL, "request", case)
    folders.settle()
    told = folders.run(COMMISSION, "rebuild", "--from-channels", "--json").json
    assert (told["different"], told["unsent"], len(told["behind"])) == ([], [], 1)


def test_what_belongs_to_no_case_has_no_order_in_the_channels_and_is_no_difference(folders: Folders) -> None:
    """The school reports its money after it refused an answer in a case that nobody knows: no channel says which came first."""
    folders.everybody()
    commission = folders.running[COMMISSION].office
    with commission.database.transaction():
        lost = New(facts=YES, personal=ConfirmationGivenPersonal(official="Ilze Paraudziņa"), in_reply_to=Digest(bytes(32)))
        save(commission, uuid4(), (lost,), school=SCHOOL)
    folders.settle()
    money = folders.folder / "money.json"
    money.write_text(json.dumps({"month": "2026-10-01", "opening_cents": 0, "received_cents": 5, "used_cents": 1}))
    folders.run(SCHOOL, "report-money", money)
    folders.settle()
    office = folders.running[SCHOOL].office
    assert [each.topic for each in office.store.stream(office.own_stream).events][-3:] == [
        "ConfirmationGiven",
        "Rejected",
        "MoneyReported",
    ]
    assert folders.run(SCHOOL, "rebuild", "--from-channels", "--json").json["different"] == []
    # What came in meanwhile is more of it, and no difference either; what went is one.
    beside = "DELETE FROM stored_events WHERE originator_id = ? AND topic = ?"
    office.database.run(beside, office.own_stream.hex, "MoneyReported")
    told = folders.run(SCHOOL, "rebuild", "--from-channels", "--json").json
    assert (told["different"], told["behind"]) == ([], [str(office.own_stream)])
    office.database.run("UPDATE stored_events SET body_digest = ? WHERE originator_id = ?", bytes(32), office.own_stream.hex)
    assert folders.run(SCHOOL, "rebuild", "--from-channels").code == 4


def of_school(folders: Folders, school: str) -> set[str]:
    """Return the commission's cases of a school, as the command writes their numbers."""
    rows = folders.office(COMMISSION).database.all("SELECT case_id FROM cases WHERE school = ?", school)
    return {str(UUID(row["case_id"])) for row in rows}


def rebuilt(folders: Folders, name: str) -> dict[str, Any]:
    """Return what the command told, of an exchange in which something is not whole."""
    answer = folders.run(name, "rebuild", "--from-channels", "--json")
    assert answer.code == 4
    told: dict[str, Any] = json.loads(answer.out)
    return told


def named(told: dict[str, Any]) -> dict[str, str]:
    return {each["channel"]: each["what"] for each in told["damaged"]}


def spoiled(folders: Folders, channel: str, position: int) -> None:
    """Flip a byte in the middle of a record."""
    (record,) = in_log(folders, "SELECT value FROM records WHERE channel = ? AND position = ?", channel, position)
    value = bytearray(record[0])  # type: ignore[index]  # a row
    value[len(value) // 2] ^= 1
    in_log(folders, "UPDATE records SET value = ? WHERE channel = ? AND position = ?", bytes(value), channel, position)


HARMS: Final[dict[str, Callable[[Folders, str], object]]] = {
    "cut": lambda folders, channel: in_log(folders, "DELETE FROM records WHERE channel = ? AND position >= 3", channel),
    "spoiled": lambda folders, channel: spoiled(folders, channel, 3),
    "gone": lambda folders, channel: in_log(folders, "DELETE FROM records WHERE channel = ?", channel),
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("channel_of", [to_commission, from_commission], ids=["what a school wrote", "what was answered"])
def test_a_channel_that_is_damaged_is_named_and_holds_up_its_own_cases_alone(
    folders: Folders, harm: str, channel_of: Callable[[str], str]
) -> None:
    channel, touched = channel_of(SCHOOL), of_school(folders, SCHOOL)
    others = of_school(folders, OTHER_SCHOOL)
    assert touched
    assert others
    HARMS[harm](folders, channel)
    told = rebuilt(folders, COMMISSION)
    assert told["different"] == []
    assert set(told["unread"]) <= touched | {str(folders.office(COMMISSION).own_stream)}
    # Where a personal part alone is spoiled, the cases are as they were.
    assert set(told["unread"]) & touched or "personal part" in named(told)[channel]
    assert set(named(told)) == {channel}
    # A case of another school that somebody changed is found all the same.
    changed = min(others)
    folders.office(COMMISSION).database.run("UPDATE cases SET state = 'Closed' WHERE case_id = ?", UUID(changed).hex)
    assert rebuilt(folders, COMMISSION)["different"] == [changed]
    answer = folders.run(COMMISSION, "rebuild", "--from-channels")
    assert f"not whole: {channel}: " in answer.out
    assert ("give-back" if channel == to_commission(SCHOOL) else "it sends them again") in answer.out


def test_a_record_that_lost_its_end_holds_up_the_cases_that_go_on_there_and_no_others(folders: Folders) -> None:
    record = record_of(COMMISSION)
    last = "(SELECT max(position) FROM records WHERE channel = ?1)"
    in_log(folders, f"DELETE FROM records WHERE channel = ?1 AND position > {last} - 2", record)  # noqa: S608  # of a test
    told = rebuilt(folders, COMMISSION)
    assert told["different"] == []
    assert set(named(told)) == {record}
    assert 0 < len(told["unread"]) < told["cases"]


def test_without_the_registrars_word_nothing_is_said_of_any_case(folders: Folders) -> None:
    in_log(folders, "DELETE FROM records WHERE channel = ? AND position >= 2", TRUST_CHANNEL)
    told = rebuilt(folders, SCHOOL)
    assert told["different"] == []
    assert TRUST_CHANNEL in named(told)
    assert len(told["unread"]) == told["cases"]


def test_a_channel_that_contradicts_itself_is_named_by_who_reads_it_and_by_who_wrote_it(folders: Folders) -> None:
    """Two copies of a school have worked: the commission's other cases are made anew, and the school's that ended before."""
    others = of_school(folders, OTHER_SCHOOL)
    before = len(folders.states(SCHOOL))
    _, old = two_copies(folders)
    channel = to_commission(SCHOOL)
    told = rebuilt(folders, COMMISSION)
    assert told["different"] == []
    assert not set(told["unread"]) & others
    assert "forked" in named(told)[channel]
    old.rename(folders.home(SCHOOL))
    told = rebuilt(folders, SCHOOL)
    assert told["different"] == []
    assert len(told["unread"]) < before
    assert set(named(told)) >= {channel, record_of(SCHOOL)}
    assert all(each["advice"] for each in told["damaged"])


def test_a_log_that_is_only_read_takes_nothing(tmp_path: Path) -> None:
    log = EmbeddedChannel(tmp_path / "log.sqlite", clock=lambda: 0)
    log.append("a.record", [b"one"])
    only = ReadingOnly(log)
    with pytest.raises(ChannelClosedError):
        only.append("a.record", [b"two"])
    assert [each.value for each in only.poll({"a.record": 0}, timeout_seconds=0, limit=9)] == [b"one"]
    assert only.end("a.record") == log.end("a.record")
    only.close()
    with pytest.raises(RuntimeError):
        log.end("a.record")

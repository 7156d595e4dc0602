"""What happens by itself waits where a clerk would be told to wait, and keeps nobody from working meanwhile."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from services.post.firing import AT_ONCE as FIRED_AT_ONCE
from services.post.viewing import events
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.records import event_type, own_schemas
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import asked
from tests.people import another_pupil

_DAY = 86_400_000


def told(exchange: Exchange, case_id: object) -> list[str]:
    return [line.event for line in events(exchange.members[SCHOOL].office, case_id)]  # type: ignore[arg-type]  # a case's number


def test_a_term_is_not_recorded_in_a_case_that_is_not_whole_and_is_when_it_is(exchange: Exchange) -> None:
    """A timer would give the case a second history, where a clerk is refused."""
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    query = "INSERT INTO held (channel, kind, reason, case_id) VALUES (?, 'misplaced', 'what came before it is lost', ?)"
    office.database.run(query, f"{SCHOOL}.record", mine.hex)
    exchange.clock.now += 60 * _DAY
    exchange.settle()
    assert "DeadlinePassed" not in told(exchange, mine)
    assert any("waits in some case" in alarm for alarm in office.alarms)
    office.database.run("DELETE FROM held WHERE kind = 'misplaced'")
    # The pause is over, and then it happens.
    exchange.settle(seconds=120)
    exchange.settle()
    assert told(exchange, mine)[-1] == "DeadlinePassed"


def test_many_cases_that_are_not_whole_keep_no_other_from_what_is_due_in_it(exchange: Exchange) -> None:
    """A restore with a channel that stands still leaves as many as a school has; theirs are the oldest deadlines."""
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    for number in range(2 * FIRED_AT_ONCE):
        stuck = UUID(int=number).hex
        office.database.run("INSERT INTO cases VALUES (?, NULL, NULL, 'Received', NULL, NULL, NULL, 1)", stuck)
        office.database.run("INSERT INTO deadlines VALUES (?, 'Completion', '2026-01-01', NULL)", stuck)
        office.database.run("INSERT INTO deadlines VALUES (?, 'SchoolDecision', '2026-01-02', NULL)", stuck)
        query = "INSERT INTO held (channel, kind, reason, case_id) VALUES (?, 'misplaced', 'what came before it is lost', ?)"
        office.database.run(query, f"{SCHOOL}.record", stuck)
    exchange.clock.now += 60 * _DAY
    exchange.settle()
    exchange.settle()
    assert told(exchange, mine)[-1] == "DeadlinePassed"


def test_a_worker_goes_on_while_a_schema_of_a_newer_program_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual order of an upgrade: programs first, then the registrar publishes."""
    later = event_type("DeadlinePassed").schema
    monkeypatch.setattr("tests.exchange.own_schemas", lambda: {key: file for key, file in own_schemas().items() if key != later})
    exchange = two_sides(tmp_path)
    mine, _ = asked(exchange)
    exchange.clock.now += 60 * _DAY
    exchange.settle()
    assert "DeadlinePassed" not in told(exchange, mine)
    second, theirs = asked(exchange, pupil=another_pupil(3))
    assert theirs == commission_case(second, to_commission(SCHOOL))
    assert exchange.members[COMMISSION].state(theirs) == "Received"


def test_nothing_happens_by_itself_in_a_case_of_which_a_part_cannot_be_read_now(exchange: Exchange) -> None:
    """A yes that ended would be told to nobody while the request that it answers is not read."""
    _, theirs = asked(exchange)
    commission = exchange.members[COMMISSION]
    year = commission.office.today.year
    key = exchange.members[SCHOOL].office.ring.facts_key(to_commission(SCHOOL), year).key_id
    (row,) = commission.office.database.all("SELECT * FROM keys WHERE key_id = ?", key)
    commission.office.database.run("DELETE FROM keys WHERE key_id = ?", key)
    exchange.clock.now += 60 * _DAY
    for _ in range(3):
        commission.work()
    told_there = [line.event for line in events(commission.office, theirs)]
    assert "DeadlinePassed" not in told_there
    assert any("cannot be read here now" in alarm for alarm in commission.office.alarms)
    commission.office.database.run(f"INSERT INTO keys VALUES ({', '.join('?' * len(row))})", *row)  # noqa: S608  # marks
    exchange.settle(seconds=120)
    exchange.settle()
    assert [line.event for line in events(commission.office, theirs)][-1] == "DeadlinePassed"
    assert commission.state(theirs) == "Received"


def test_a_case_that_is_damaged_on_the_disk_keeps_no_worker_from_working(exchange: Exchange) -> None:
    """A flipped byte in one old event, and a term that ends: a person is told, and everything else goes on."""
    mine, _ = asked(exchange)
    second, _ = asked(exchange, pupil=another_pupil(3))
    office = exchange.members[SCHOOL].office
    (row,) = office.database.all("SELECT * FROM stored_events WHERE originator_id = ? AND originator_version = 1", mine.hex)
    damaged = bytes(row["state"][:-1]) + bytes([row["state"][-1] ^ 1])
    query = "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 1"
    office.database.run(query, damaged, mine.hex)
    exchange.clock.now += 60 * _DAY
    exchange.settle()
    exchange.settle()
    assert told(exchange, second)[-1] == "DeadlinePassed"
    assert [alarm for alarm in office.alarms if "what is due by itself waits in some case" in alarm]
    office.database.run(query, row["state"], mine.hex)
    exchange.settle(seconds=120)
    exchange.settle()
    assert told(exchange, mine)[-1] == "DeadlinePassed"

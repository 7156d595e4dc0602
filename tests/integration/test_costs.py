"""What receiving costs, in statements to the database: what is known is not asked for again. Who makes one cheaper lowers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.post.applying import redrive_channel
from services.wire.channels import COMMISSION, to_commission
from tests.chains import SCHOOL
from tests.exchange import Exchange, Member
from tests.people import REQUESTED_A2, REQUESTED_PERSONAL
from tests.troubles import asked_unread, raw_event, settled

TO = to_commission(SCHOOL)


@contextmanager
def statements_of(member: Member) -> Iterator[list[str]]:
    """Give what the database is asked meanwhile."""
    statements: list[str] = []
    member.office.database.connection.set_trace_callback(statements.append)
    yield statements
    member.office.database.connection.set_trace_callback(None)


def test_two_requests_that_come_at_once_are_taken_in_with_68_statements(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    asked_unread(exchange, 2)
    member.receiver.receive_once()
    asked = [asked_unread(exchange, pupil)[0] for pupil in (3, 4)]
    with statements_of(member) as statements:
        member.receiver.receive_once()
    assert [member.state(case_id) for case_id in asked] == ["Received", "Received"]
    # Five of each for whom it is about: its key and its part, the key of the look-up, and what is noted there.
    assert len(statements) <= 68, statements


def test_a_look_that_finds_nothing_asks_only_whether_the_registrar_said_more(exchange: Exchange) -> None:
    settled(exchange)
    with statements_of(exchange.members[COMMISSION]) as statements:
        assert exchange.members[COMMISSION].receiver.receive_once() == 0
    assert statements == ["SELECT max(sequence) FROM entries WHERE channel = 'registrar.trust'"]


def test_one_event_too_many_is_refused_with_29_statements_and_its_case_is_not_read(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = exchange.members[COMMISSION]
    _, mine = asked_unread(exchange, 2)
    settled(exchange)
    raw_event(exchange, SCHOOL, TO, REQUESTED_A2, REQUESTED_PERSONAL, case_id=mine.bytes)
    exchange.members[SCHOOL].work()
    monkeypatch.setattr("services.post.applying._EVENTS_A_CASE", 1)
    with statements_of(member) as statements:
        member.receiver.receive_once()
    assert member.held("refused") == ["TooMany"]
    assert len(statements) <= 29, statements


def test_two_parked_events_are_tried_again_with_14_statements(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    exchange.members[SCHOOL].office.database.run("DELETE FROM peers")
    for pupil in (2, 3):
        asked_unread(exchange, pupil)
    member.receiver.receive_once()
    with statements_of(member) as statements:
        assert redrive_channel(member.office, TO) == 0
    assert len(member.held("parked")) == 2
    assert len(statements) <= 14, statements


def test_a_step_that_finds_nothing_to_do_takes_no_lock_also_while_a_receipt_is_not_due_yet(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    settled(exchange)
    asked_unread(exchange, 2)
    member.work()
    assert member.office.database.one("SELECT 1 FROM channels WHERE news_since IS NOT NULL") is not None
    with statements_of(member) as statements:
        assert member.work() == 0
    assert "BEGIN IMMEDIATE" not in statements

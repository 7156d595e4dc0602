"""The receive step, where only a look into the database tells whether it did the right thing: standing, evidence, place."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from services.post.applying import entry_of, redrive_channel
from services.post.office import Office
from services.wire.channels import COMMISSION, from_commission, to_commission
from services.wire.entry import decode_entry
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Rejected, RejectedCode
from services.wire.hashing import Digest
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.integration.test_two_sides import asked, rogue_answer
from tests.troubles import asked_unread, raw_event, records, settled

TO, FROM = to_commission(SCHOOL), from_commission(SCHOOL)
NOTHING = Digest(bytes(32))


def failing(office: Office, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let this program fail on the first thing that it judges, so many times."""
    judge = office.domain.judge
    left = [times]

    def broken(history: object, incoming: object) -> object:
        if left[0]:
            left[0] -= 1
            raise KeyError("a bug")
        return judge(history, incoming)  # type: ignore[arg-type]  # what the caller gave

    monkeypatch.setattr(office.domain, "judge", broken)


def both_unread(exchange: Exchange) -> tuple[UUID, UUID]:
    return asked_unread(exchange, 2)[0], asked_unread(exchange, 3)[0]


def test_an_error_that_passes_parks_nothing_and_the_whole_batch_is_applied(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = exchange.members[COMMISSION]
    first, second = both_unread(exchange)
    # Once for the batch, four times alone: the fifth try succeeds.
    failing(reader.office, monkeypatch, 5)
    settled(exchange)
    assert reader.state(first) == reader.state(second) == "Received"
    assert reader.held("parked") == []
    assert not any("in this program" in alarm for alarm in reader.alarms)


def test_an_error_that_stays_parks_its_entry_and_leaves_its_neighbours_whole(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = exchange.members[COMMISSION]
    first, second = both_unread(exchange)
    failing(reader.office, monkeypatch, 6)
    settled(exchange)
    assert (reader.state(first), reader.state(second)) == ("", "Received")
    assert reader.held("parked") == ["internal-error"]
    (alarm,) = [alarm for alarm in reader.alarms if "in this program" in alarm]
    place = next(entry.sequence for entry in map(decode_entry, records(exchange, TO)) if entry.raw_facts is not None)
    assert alarm.endswith(f"{TO} at {place} is parked: KeyError in this program")


def test_what_is_applied_again_later_is_exactly_what_was_verified(exchange: Exchange) -> None:
    asked(exchange)
    whole = next(entry for entry in map(decode_entry, records(exchange, TO)) if entry.raw_facts is not None)
    row = exchange.members[COMMISSION].office.database.one("SELECT * FROM entries WHERE digest = ?", whole.digest)
    assert row is not None
    entry = entry_of(row)
    assert (entry.digest, entry.statement) == (whole.digest, whole.unverified_statement)
    assert (entry.statement_bytes, entry.signature, entry.facts) == (whole.statement_bytes, whole.signature, whole.raw_facts)


def test_a_refused_event_of_a_case_stands_in_it_and_is_answered_in_it(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    rogue_answer(exchange, theirs, NOTHING)
    office = exchange.members[SCHOOL].office
    row = office.database.one("SELECT case_id FROM held WHERE kind = 'refused'")
    assert row is not None
    assert row["case_id"] == mine.hex
    assert [event.topic for event in office.store.stream(mine).events][-2:] == ["ConfirmationGiven", "Rejected"]
    assert office.store.stream(office.own_stream).events == ()


def test_a_refused_event_of_no_case_stands_in_nobodys_and_is_told_where_it_stands(exchange: Exchange) -> None:
    asked(exchange)
    rogue_answer(exchange, UUID(int=77), NOTHING)
    office = exchange.members[SCHOOL].office
    row = office.database.one("SELECT case_id FROM held WHERE kind = 'refused'")
    assert row is not None
    assert row["case_id"] == office.own_stream.hex


def test_facts_that_open_and_say_nothing_readable_are_refused_as_unreadable_and_answered(exchange: Exchange) -> None:
    spoilt(exchange, lambda content: content + b"\x00")
    member = exchange.members[SCHOOL]
    assert member.held("refused") == ["Unreadable"]
    assert member.held("parked") == []
    office = member.office
    assert [event.topic for event in office.store.stream(office.own_stream).events] == ["ConfirmationGiven", "Rejected"]


def spoilt(exchange: Exchange, spoil: Callable[[bytes], bytes]) -> None:
    """Let the commission's worker sign an answer whose content is no answer."""
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=NOTHING)
    raw_event(
        exchange,
        COMMISSION,
        FROM,
        facts,
        ConfirmationGivenPersonal(official="Ilze Paraudziņa"),
        case_id=UUID(int=77).bytes,
        spoil_facts=spoil,
    )
    settled(exchange)


def test_a_refusal_of_a_refusal_is_never_answered(exchange: Exchange) -> None:
    raw_event(exchange, COMMISSION, FROM, Rejected(code=RejectedCode.WRONG_STATE), in_reply_to=NOTHING)
    before = exchange.log.end(TO)
    settled(exchange)
    member = exchange.members[SCHOOL]
    assert member.held("refused") == ["UnknownCase"]
    sealed = [entry for entry in map(decode_entry, records(exchange, TO)[before:]) if entry.raw_facts is not None]
    assert sealed == []


def test_applying_again_counts_what_was_applied_and_nothing_that_waits_on(exchange: Exchange) -> None:
    exchange.members[SCHOOL].office.database.run("DELETE FROM peers")
    asked(exchange)
    reader = exchange.members[COMMISSION]
    assert reader.held("parked") == ["the facts key is missing"]
    assert redrive_channel(reader.office, TO) == 0
    assert reader.held("parked") == ["the facts key is missing"]

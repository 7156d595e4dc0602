"""What could not be stored is received again, from what is stored, and nothing that was remembered outlives it."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest

from services.post.agreeing import agree
from services.post.applying import redrive_channel
from services.post.entering import enter_steps
from services.post.history import Recorded
from services.post.letterbook import Hint
from services.post.office import Office
from services.wire.channels import COMMISSION, Role, mailbox_of, to_commission
from services.wire.contents import KeyRevoked, ParticipantAdmitted, Reason, TrustConfirmed
from services.wire.errors import ConflictError, DatabaseBusyError
from services.wire.following import Follower
from services.wire.hashing import digest_of
from services.wire.paths import Pathfinder
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, Member
from tests.integration.test_lies_and_interruptions import OTHER, held_by_another_process, with_another_school
from tests.integration.test_receiving import failing
from tests.integration.test_two_sides import asked
from tests.people import another_pupil
from tests.troubles import asked_unread, closed_restart, epoch_after, raw_log, raw_row, records, said_by_registrar, settled

TO = to_commission(SCHOOL)


def hidden_and_ahead(exchange: Exchange) -> tuple[bytes, list[UUID]]:
    """Let the reader see an entry whose neighbour before it is not in the log; return that neighbour, and both cases."""
    position = exchange.log.end(TO)
    first, _ = asked_unread(exchange, 2)
    hidden = raw_row(exchange, TO, position)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position = ?", TO, position)
    second, _ = asked_unread(exchange, 3)
    del exchange.members[SCHOOL]
    exchange.members[COMMISSION].receiver.receive_once()
    return hidden, [first, second]


def state_of(member: Member) -> str:
    standing = member.office.letterbook.standing(TO)
    assert standing is not None
    return standing.state


def fails_to_receive(exchange: Exchange, member: Member) -> None:
    exchange.log.append(TO, [b"junk that has to be kept"])
    with held_by_another_process(member.office), pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()


def stores_the_registrars_word_alone(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be busy before anybody looks back under what the registrar has said."""

    def busy(*_: object) -> None:
        raise DatabaseBusyError("the database is busy")

    monkeypatch.setattr("services.post.receiving.compare_trust", busy)
    with pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    monkeypatch.undo()


def test_what_waits_for_an_entry_before_it_is_seen_again_after_something_could_not_be_stored(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    hidden, cases = hidden_and_ahead(exchange)
    fails_to_receive(exchange, member)
    exchange.log.append(TO, [hidden])
    member.receiver.receive_once()
    assert [member.state(case) for case in cases] == ["Received", "Received"]


def test_a_gap_is_not_told_of_before_it_is_seen_again(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    hidden_and_ahead(exchange)
    fails_to_receive(exchange, member)
    exchange.clock.now += 1_000_000
    member.receiver.receive_once()
    assert not any("an entry is missing" in alarm for alarm in member.alarms)
    exchange.clock.now += 1_000_000
    member.receiver.receive_once()
    assert any("an entry is missing" in alarm for alarm in member.alarms)


def test_a_gap_is_forgotten_with_its_channel_when_the_registrars_word_could_not_be_taken(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = exchange.members[COMMISSION]
    hidden_and_ahead(exchange)
    said_by_registrar(exchange, TrustConfirmed())
    stores_the_registrars_word_alone(member, monkeypatch)
    # A worker that waited for longer than a gap may stay untold must not end.
    exchange.clock.now += 1_000_000
    member.receiver.receive_once()
    exchange.clock.now += 1_000_000
    member.receiver.receive_once()
    assert any("an entry is missing" in alarm for alarm in member.alarms)


def test_a_state_that_could_not_be_noted_is_noted_later(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    said_by_registrar(exchange, KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.STOLEN))
    member.office.database.run(
        "CREATE TRIGGER broken BEFORE UPDATE OF state ON channels BEGIN SELECT RAISE(ABORT, 'a bad sector'); END"
    )
    with pytest.raises(ConflictError):
        member.receiver.receive_once()
    member.office.database.run("DROP TRIGGER broken")
    exchange.log.append(TO, [b"anything"])
    member.receiver.receive_once()
    assert state_of(member) == "waiting"
    assert any(f"{TO} stands still" in alarm for alarm in member.alarms)


def test_what_the_registrar_undid_stops_its_channel_later_where_the_database_was_busy_when_it_was_found(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(exchange)
    settled(exchange)
    member = exchange.members[COMMISSION]
    epoch_after(exchange, TO, SCHOOL, seal_of("stranger"), back=2)
    stores_the_registrars_word_alone(member, monkeypatch)
    fails_to_receive(exchange, member)
    assert state_of(member) == "reading"
    member.receiver.receive_once()
    assert state_of(member) == "off chain"


def test_what_a_person_agreed_to_and_could_not_be_done_is_done_later(exchange: Exchange) -> None:
    asked(exchange)
    epoch_after(exchange, TO, SCHOOL, seal_of("stranger"), back=2)
    settled(exchange)
    member = closed_restart(exchange, COMMISSION)
    agree(member.office, TO)
    # A worker waits while another process holds the database, and ends at any other error.
    with held_by_another_process(member.office), pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    assert state_of(member) == "off chain"
    member.receiver.receive_once()
    assert state_of(member) == "reading"


def test_letters_that_could_not_be_taken_in_are_taken_in_with_the_next(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    first, _ = asked_unread(exchange, 2)
    with held_by_another_process(member.office), pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    second, _ = asked_unread(exchange, 3)
    member.receiver.receive_once()
    assert [member.state(first), member.state(second)] == ["Received", "Received"]
    assert member.held("parked") == []


def test_a_letter_under_a_key_that_comes_with_it_is_taken_in_when_its_channel_is_read(exchange: Exchange) -> None:
    member = exchange.members.pop(COMMISSION)
    exchange.members[SCHOOL].signing.seals.append(seal_of("new"))
    settled(exchange)
    case_id, _ = asked_unread(exchange)
    member.receiver.receive_once()
    assert (member.state(case_id), member.held("parked"), member.held("skipped")) == ("Received", [], [])
    assert not any("letters were not taken in" in alarm for alarm in member.alarms)


def test_what_was_entered_before_is_not_entered_twice_and_the_place_to_look_on_is_noted_all_the_same(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    office = exchange.members[COMMISSION].office
    pathfinder = Pathfinder(channel=TO, root=office.root, trust=office.trust)
    follower, _ = Follower.at(pathfinder, load=tuple, holds=lambda _: False)
    steps = follower.offer(records(exchange, TO)).new
    before = office.store.version(theirs), office.letterbook.held_of(TO)
    hint = Hint(77, digest_of(b"what stands there"))
    enter_steps(office, TO, steps, hint=hint)
    assert (office.store.version(theirs), office.letterbook.held_of(TO)) == before
    standing = office.letterbook.standing(TO)
    assert standing is not None
    assert standing.hint == hint


def test_a_gap_that_was_filled_is_told_to_nobody(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    hidden, _ = hidden_and_ahead(exchange)
    exchange.log.append(TO, [hidden])
    member.receiver.receive_once()
    exchange.clock.now += 1_000_000
    member.receiver.receive_once()
    assert not any("an entry is missing" in alarm for alarm in member.alarms)


def test_where_to_look_on_is_noted_with_the_last_entry_and_no_earlier(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Later today nobody reads a channel whole for its own sake.
    exchange.clock.now += 86_400_000
    settled(exchange)
    member = exchange.members[COMMISSION]
    first, second = asked_unread(exchange, 2)[0], asked_unread(exchange, 3)[0]
    judge, judged = member.office.domain.judge, list[Recorded]()

    def busy(history: object, incoming: Recorded) -> object:
        judged.append(incoming)
        if len(judged) == 2:
            raise DatabaseBusyError("the database is busy")
        return judge(history, incoming)  # type: ignore[arg-type]  # what the caller gave

    monkeypatch.setattr("services.post.entering._AT_ONCE", 1)
    monkeypatch.setattr(member.office.domain, "judge", busy)
    with pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    monkeypatch.undo()
    assert [member.state(first), member.state(second)] == ["Received", ""]
    # As a process that was killed there and begins anew.
    member = closed_restart(exchange, COMMISSION)
    member.receiver.receive_once()
    assert member.state(second) == "Received"


@pytest.mark.parametrize("junk", [True, False])
def test_where_to_look_on_is_noted_also_where_nothing_was_entered_or_not_at_once(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, *, junk: bool
) -> None:
    member = exchange.members[COMMISSION]
    if junk:
        exchange.log.append(TO, [b"nothing to enter"])
    else:
        asked_unread(exchange)
        failing(member.office, monkeypatch, 2)
    member.receiver.receive_once()
    standing = member.office.letterbook.standing(TO)
    assert standing is not None
    assert standing.hint.position == exchange.log.end(TO)


def test_an_agreement_is_heard_whatever_other_channels_say_meanwhile(exchange: Exchange) -> None:
    with_another_school(exchange)
    asked(exchange)
    epoch_after(exchange, TO, SCHOOL, seal_of("stranger"), back=2)
    settled(exchange)
    member = closed_restart(exchange, COMMISSION)
    for channel in (TO, to_commission(OTHER)):
        exchange.log.append(channel, [b"anything"])
    for _ in range(2):
        member.receiver.receive_once()
    standing = member.office.letterbook.standing(TO)
    assert standing is not None
    assert (standing.state, standing.reason) == ("off chain", f"would go on after {standing.place.sequence - 2}")
    agree(member.office, TO)
    member.receiver.receive_once()
    assert state_of(member) == "reading"
    row = member.office.database.one("SELECT reason, agreeable, agreed FROM channels WHERE channel = ?", TO)
    assert row is not None
    assert tuple(row) == (None, None, None)


def test_a_channel_of_which_nothing_is_stored_yet_waits_for_the_database_like_any_other(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    said_by_registrar(
        exchange, ParticipantAdmitted(id=OTHER, role=Role.SCHOOL, organisation="NTRLV-90000000002", name="another school")
    )
    member.receiver.receive_once()
    exchange.log.append(to_commission(OTHER), [b"junk that has to be kept"])
    with held_by_another_process(member.office), pytest.raises(DatabaseBusyError):
        member.receiver.receive_once()
    member.receiver.receive_once()
    assert member.held("skipped") == ["a record does not begin as an entry"]


def test_what_a_new_key_opens_is_applied_though_the_database_was_busy_just_then(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter is taken in and no news any more; what waits for its key must be looked at all the same."""
    asked(exchange)
    reader = exchange.members[COMMISSION]
    reader.office.database.run("DELETE FROM keys WHERE key_use = 'FACTS' AND channel = ?", TO)
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", mailbox_of(COMMISSION))
    asked(exchange, pupil=another_pupil(2))
    assert reader.held("parked") == ["the facts key is missing"]
    busy = iter([True])

    def redrive(office: Office, name: str) -> int:
        if next(busy, False):
            raise DatabaseBusyError("held by another process")
        return redrive_channel(office, name)

    monkeypatch.setattr("services.post.receiving.redrive_channel", redrive)
    for _ in range(4):
        with suppress(DatabaseBusyError):
            settled(exchange)
        exchange.clock.now += 3_700_000
    assert next(busy, None) is None
    assert reader.held("parked") == []

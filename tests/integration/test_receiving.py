"""The receive step, where only a look into the database tells whether it did the right thing: standing, evidence, place."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from services.post.applying import entry_of, redrive_channel
from services.post.cases import history_of
from services.post.history import Recorded
from services.post.office import Office
from services.post.rebuilding import rebuild
from services.school.application import School
from services.wire.channels import COMMISSION, commission_case, from_commission, to_commission
from services.wire.contents import EncryptionKeyPublished, EpochOpened, ParticipantRemoved, TrustConfirmed
from services.wire.entry import Sealed, decode_entry, encode_entry
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Rejected, RejectedCode
from services.wire.grants import SUITE
from services.wire.hashing import Digest, digest_of
from services.wire.records import encode_event
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.people import REQUESTED_A2, REQUESTED_PERSONAL, another_pupil
from tests.troubles import asked_unread, pen_at, raw_event, raw_log, raw_row, records, said_by_registrar, settled

TO, FROM = to_commission(SCHOOL), from_commission(SCHOOL)
NOTHING = Digest(bytes(32))
_ANSWER = ConfirmationGiven(answer=Answer.YES, wording=1, basis=NOTHING)
_CONTENT = encode_event(_ANSWER, ConfirmationGivenPersonal(official="x")).facts


def failing(office: Office, monkeypatch: pytest.MonkeyPatch, times: int = 1_000) -> None:
    """Let this program fail so many times on the first event that it judges, and on no other."""
    judge = office.domain.judge
    failed: list[Digest] = []

    def broken(history: object, incoming: Recorded) -> object:
        if len(failed) < times and incoming.body == (failed or [incoming.body])[0]:
            failed.append(incoming.body)
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


def test_an_event_is_judged_as_what_its_case_says_of_it_later(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    office = exchange.members[COMMISSION].office
    judge, heard = office.domain.judge, list[Recorded]()

    def listening(history: object, incoming: Recorded) -> object:
        heard.append(incoming)
        return judge(history, incoming)  # type: ignore[arg-type]  # what the caller gave

    monkeypatch.setattr(office.domain, "judge", listening)
    _, theirs = asked(exchange)
    assert tuple(heard) == history_of(office, office.store.stream(theirs))


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


def test_word_that_an_event_of_no_case_there_was_refused_finds_the_case_by_the_event(exchange: Exchange) -> None:
    rogue_answer(exchange, UUID(int=77), NOTHING)
    settled(exchange)
    stream = exchange.members[COMMISSION].office.store.stream(UUID(int=77))
    assert [event.topic for event in stream.events] == ["ConfirmationGiven", "Rejected"]


def beyond_its_enum(plaintext: bytes) -> bytes:
    """Return facts whose content begins with a symbol that the schema does not have."""
    return plaintext.replace(_CONTENT, b"\x7e" + _CONTENT[1:])


@pytest.mark.parametrize(
    ("spoil", "topic"),
    [(lambda plaintext: plaintext + b"\x00", ""), (beyond_its_enum, "ConfirmationGiven")],
    ids=["facts", "content"],
)
def test_what_opens_and_says_nothing_readable_is_refused_and_answered_and_is_no_error_of_ours(
    exchange: Exchange, spoil: Callable[[bytes], bytes], topic: str
) -> None:
    nobodys = UUID(int=77).bytes
    raw_event(exchange, COMMISSION, FROM, _ANSWER, ConfirmationGivenPersonal(official="x"), case_id=nobodys, spoil_facts=spoil)
    settled(exchange)
    member = exchange.members[SCHOOL]
    assert (member.held("refused"), member.held("parked")) == (["Unreadable"], [])
    assert [event.topic for event in member.office.store.stream(member.office.own_stream).events] == [topic, "Rejected"]


def test_what_the_commission_refuses_it_answers_in_the_channel_to_that_school_and_its_list_is_as_if_made_anew(
    exchange: Exchange,
) -> None:
    mine, theirs = asked(exchange)
    raw_event(exchange, SCHOOL, TO, REQUESTED_A2, REQUESTED_PERSONAL, case_id=mine.bytes)
    settled(exchange)
    commission = exchange.members[COMMISSION]
    assert (commission.held("refused"), commission.held("parked")) == (["WrongState"], [])
    last = commission.office.store.stream(theirs).events[-1]
    assert (last.topic, last.channel) == ("Rejected", FROM)
    assert rebuild(commission.office) == (1, [])


def test_the_events_of_a_case_are_numbered_without_a_gap_whoever_wrote_them(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    rogue_answer(exchange, theirs, NOTHING)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    for name, case_id in ((SCHOOL, mine), (COMMISSION, theirs)):
        events = exchange.members[name].office.store.stream(case_id).events
        assert {event.channel in (TO, FROM) for event in events} == {True, False}
        assert [event.originator_version for event in events] == list(range(1, len(events) + 1))
    assert exchange.members[SCHOOL].held("refused") == ["WrongReply"]


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


def test_what_comes_after_a_parked_event_of_a_case_queues_behind_it_and_other_cases_go_on(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = asked(exchange)
    other, others = asked(exchange, pupil=another_pupil(2))
    member = exchange.members[SCHOOL]
    failing(member.office, monkeypatch)
    rogue_answer(exchange, theirs, request_of(member.office, mine))
    rogue_answer(exchange, theirs, NOTHING)
    rogue_answer(exchange, others, request_of(member.office, other))
    rows = member.office.database.all("SELECT reason, case_id FROM held WHERE kind = 'parked' ORDER BY id")
    assert [(row["reason"], row["case_id"]) for row in rows] == [
        ("internal-error", mine.hex),
        ("behind something that is parked", mine.hex),
    ]
    assert (member.state(mine), member.state(other)) == ("AwaitingCommission", "ReadyForDecision")
    monkeypatch.undo()
    assert redrive_channel(member.office, FROM) == 2
    assert (member.state(mine), member.held("parked"), member.held("refused")) == ("ReadyForDecision", [], ["WrongReply"])


def request_of(office: Office, case_id: UUID) -> Digest:
    request = School(office).case(case_id).request
    assert request is not None
    return request.body


def test_of_what_is_no_entry_the_bytes_are_kept_once_and_not_more_than_a_hundred(exchange: Exchange) -> None:
    reader = exchange.members[COMMISSION]
    exchange.log.append(TO, [b"junk", b"junk", b"other junk"])
    settled(exchange)
    query = "SELECT reason, event_id, digest, record FROM held WHERE kind = 'skipped' ORDER BY id"
    reason = "a record does not begin as an entry"
    assert [tuple(row) for row in reader.office.database.all(query)] == [
        (reason, None, digest_of(each), each) for each in (b"junk", b"other junk")
    ]
    for batch in range(2):
        exchange.log.append(TO, [b"flood %d %d" % (batch, number) for number in range(70)])
        settled(exchange)
    assert len(reader.office.database.all(query)) == 100
    assert any(f"{TO}: records were skipped: {reason}" in alarm for alarm in reader.alarms)


def test_of_a_refused_entry_its_digest_and_event_are_noted(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    rogue_answer(exchange, theirs, NOTHING)
    entry = [each for each in map(decode_entry, records(exchange, FROM)) if each.raw_facts is not None][-1]
    row = exchange.members[SCHOOL].office.database.one("SELECT event_id, digest, record FROM held WHERE kind = 'refused'")
    assert row is not None
    assert tuple(row) == (entry.unverified_statement.event_id, entry.digest, None)


def test_of_a_place_that_nobody_has_shown_anything_after_no_bytes_are_kept(exchange: Exchange) -> None:
    asked(exchange)
    reader = exchange.members[COMMISSION]
    place = pen_at(exchange, TO, SCHOOL, seal_of("old"), "")
    stranger = seal_of("stranger").certificate.digest
    said_by_registrar(
        exchange, EpochOpened(channel=TO, epoch=1, after_sequence=place.sequence + 2, after_digest=NOTHING, certificate=stranger)
    )
    for _ in range(2):
        settled(exchange)
        exchange.clock.now += 1_000_000
    row = reader.office.database.one("SELECT record, digest, fault FROM held WHERE kind = 'skipped'")
    assert row is not None
    assert tuple(row) == (b"", digest_of(b""), "MissingError")


def test_what_the_registrar_says_without_effect_is_told_once(exchange: Exchange) -> None:
    reader = exchange.members[COMMISSION]
    said_by_registrar(exchange, ParticipantRemoved(id="school-0000000099"))
    for _ in range(2):
        settled(exchange)
        exchange.clock.now += 86_400_000
        said_by_registrar(exchange, TrustConfirmed())
    settled(exchange)
    assert sum("nobody of this id is here to be removed" in alarm for alarm in reader.alarms) == 1


def test_whose_personal_part_cannot_be_opened_yet_is_noted_with_the_key_that_is_missing(exchange: Exchange) -> None:
    theirs, _ = asked_unread(exchange)
    reader = exchange.members[COMMISSION]
    query = "SELECT * FROM held WHERE kind = 'key'"
    reader.receiver.receive_once()
    assert reader.state(theirs) == "Received"
    assert reader.office.database.all(query) == []
    raw_event(exchange, SCHOOL, TO, REQUESTED_A2, REQUESTED_PERSONAL, case_id=bytes(16), personal_key=NOTHING)
    settled(exchange)
    (row,) = reader.office.database.all(query)
    assert (row["channel"], row["digest"]) == (TO, NOTHING)


def test_a_key_that_was_erased_is_not_asked_for(exchange: Exchange) -> None:
    reader = exchange.members[COMMISSION]
    reader.office.database.run(
        "INSERT INTO keys (key_id, key_use, channel, case_id, made_here, created_at, generation, superseded_at, erased_at,"
        " changed) VALUES (?, 'CASE', ?, ?, 0, 0, 1, 0, 0, 1000)",
        NOTHING,
        TO,
        bytes(16),
    )
    raw_event(exchange, SCHOOL, TO, REQUESTED_A2, REQUESTED_PERSONAL, case_id=bytes(16), personal_key=NOTHING)
    settled(exchange)
    assert reader.state(commission_case(UUID(int=0), TO)) == "Received"
    assert reader.office.database.all("SELECT * FROM held WHERE kind = 'key'") == []


def test_what_went_out_before_its_reader_could_be_written_to_is_granted_when_it_can_be_and_nobody_has_to_ask(
    exchange: Exchange,
) -> None:
    reader, writer = exchange.members[COMMISSION], exchange.members[SCHOOL]
    writer.office.database.run("DELETE FROM peers")
    theirs, _ = asked_unread(exchange)
    reader.receiver.receive_once()
    assert reader.held("parked") == ["the facts key is missing"]
    key = reader.office.ring.current_encryption_key()
    assert key is not None
    pen = pen_at(exchange, FROM, COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION), "")
    exchange.log.append(FROM, [pen.open(EncryptionKeyPublished(suite=SUITE, public_key=key.public_key))])
    writer.receiver.receive_once()
    reader.receiver.receive_once()
    assert reader.state(theirs) == "Received"


def test_a_personal_part_that_has_not_come_is_noted_and_kept_when_it_comes(exchange: Exchange) -> None:
    reader, position = exchange.members[COMMISSION], exchange.log.end(TO)
    theirs, _ = asked_unread(exchange)
    record = raw_row(exchange, TO, position)
    whole = decode_entry(record)
    bare = encode_entry(whole.statement_bytes, whole.signature, whole.raw_facts, None)
    raw_log(exchange, "UPDATE records SET value = ? WHERE channel = ? AND position = ?", bare, TO, position)
    reader.receiver.receive_once()
    assert (reader.state(theirs), reader.held("missing")) == ("Received", ["the personal part has not come"])
    people = "SELECT case_id FROM people"
    assert reader.office.database.all(people) == []
    exchange.log.append(TO, [record])
    reader.receiver.receive_once()
    query = "SELECT channel, event_id, digest, resolved_at FROM held WHERE kind = 'missing'"
    row = reader.office.database.one(query)
    assert row is not None
    assert tuple(row) == (TO, whole.unverified_statement.event_id, whole.digest, exchange.clock.now)
    body = whole.unverified_statement.body
    assert isinstance(body, Sealed)
    assert reader.office.letterbook.part(body.personal) == whole.raw_personal
    assert [row["case_id"] for row in reader.office.database.all(people)] == [theirs.hex], "it is found by its pupil now"
    exchange.clock.now += 1_000
    exchange.log.append(TO, [record])
    reader.receiver.receive_once()
    assert reader.office.database.one(query) == row, "what comes again later heals nothing"


def test_a_personal_part_that_is_here_is_not_missed_where_its_event_stands_again_without_it(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    entry = next(entry for entry in map(decode_entry, records(exchange, TO)) if entry.raw_facts is not None)
    pen = pen_at(exchange, TO, SCHOOL, seal_of("old"), "again")
    exchange.log.append(TO, [pen.write(entry.unverified_statement.body, entry.raw_facts, None)])
    reader = exchange.members[COMMISSION]
    reader.receiver.receive_once()
    standing = reader.office.letterbook.standing(TO)
    assert standing is not None
    assert (standing.place.digest, reader.held("missing")) == (pen.previous, [])

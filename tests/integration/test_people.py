"""Cases are found by the people that they are about, on both sides, and the table that finds them names nobody."""

from __future__ import annotations

import hmac
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from services.post.history import New
from services.post.office import Office
from services.post.people import cases_of, has_cases, note_case, note_codes, note_people, renew_look_up
from services.post.saving import act
from services.post.store import SealedEvent
from services.school.application import School
from services.wire.channels import COMMISSION, mailbox_of, to_commission
from services.wire.entry import decode_entry, encode_body, encode_entry
from services.wire.sealing import key_id
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import asked
from tests.people import FILED_A2, FILED_PERSONAL, PUPIL, REQUESTED_A2, REQUESTED_PERSONAL, another_pupil, application_form
from tests.troubles import asked_unread, raw_event, raw_log, raw_row, settled

TO = to_commission(SCHOOL)
CODE = PUPIL.personal_code
OTHER = "32000000002"  # of ``another_pupil(2)``


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


def both(exchange: Exchange) -> tuple[Office, Office]:
    return exchange.members[SCHOOL].office, exchange.members[COMMISSION].office


def table(office: Office) -> set[tuple[bytes, str]]:
    return {(row["code"], row["case_id"]) for row in office.database.all("SELECT code, case_id FROM people")}


def notes(office: Office) -> set[str]:
    return {row["name"] for row in office.database.all("SELECT name FROM said")}


def under(office: Office) -> str:
    return f"look-up under {key_id(office.ring.local_key('LOOKUP')).hex()}"


def test_each_side_finds_a_case_by_its_pupil_and_by_nobody_else(exchange: Exchange) -> None:
    school, commission = both(exchange)
    assert not any(has_cases(office, [CODE, OTHER]) for office in (school, commission))
    mine, theirs = asked(exchange)
    second, second_there = asked(exchange, pupil=another_pupil(2))
    third, _ = School(school).file(application_form(received_on="2026-08-18"))
    assert (cases_of(school, CODE), cases_of(school, OTHER)) == (sorted([mine, third], key=lambda each: each.hex), [second])
    assert (cases_of(commission, CODE), cases_of(commission, OTHER)) == ([theirs], [second_there])
    for office in (school, commission):
        assert cases_of(office, "32000000099") == []
        assert not has_cases(office, ["32000000099"])


def test_any_of_very_many_words_finds_somebody(exchange: Exchange) -> None:
    school, _ = both(exchange)
    asked(exchange)
    nobody = [f"nobody {number}" for number in range(250)]
    assert not has_cases(school, nobody)
    for place in (0, 1, 99, 100, 101, 199, 200, 250):
        assert has_cases(school, [*nobody[:place], CODE, *nobody[place:]])


def test_what_is_noted_is_a_digest_under_a_key_of_the_ring_and_no_code(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    for office in both(exchange):
        key = office.ring.local_key("LOOKUP")
        hidden = hmac.new(key, CODE.encode(), "sha256").digest()
        assert hidden in {code for code, _ in table(office)}
        assert all(len(code) == 32 for code, _ in table(office))
    assert table(both(exchange)[1]) == {(hidden, theirs.hex)}


def test_a_case_that_is_noted_twice_is_found_once(exchange: Exchange) -> None:
    asked(exchange)
    for office in both(exchange):
        before = office.database.all("SELECT * FROM people ORDER BY code, case_id")
        for _, case_id in table(office):
            note_case(office, UUID(hex=case_id))
        assert office.database.all("SELECT * FROM people ORDER BY code, case_id") == before


def test_an_event_that_names_nobody_notes_nobody(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    for office, case_id in zip(both(exchange), (mine, theirs), strict=True):
        events = office.store.stream(case_id).events
        whole = table(office)
        office.database.run("DELETE FROM people")
        for event in events:
            if event.topic not in office.domain.naming:
                note_people(office, event)
        assert table(office) == set()
        for event in events:
            note_people(office, event)
        assert table(office) == whole
        office.database.run("DELETE FROM people")
        note_codes(office, case_id, REQUESTED_A2)
        assert table(office) == set()


def test_a_personal_part_that_is_damaged_or_not_here_names_nobody_and_stops_nothing(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    _, commission = both(exchange)
    whole = table(commission)
    sealed = commission.database.all("SELECT digest, sealed FROM parts")
    commission.database.run("DELETE FROM people")
    commission.database.run("UPDATE parts SET sealed = ?", bytes(200))
    note_case(commission, theirs)
    assert table(commission) == set()
    commission.database.run("DELETE FROM parts")
    note_case(commission, theirs)
    assert table(commission) == set()
    for row in sealed:
        commission.database.run("INSERT INTO parts (digest, sealed) VALUES (?, ?)", row["digest"], row["sealed"])
    note_case(commission, theirs)
    assert table(commission) == whole


def test_what_was_refused_says_nothing_of_anybody(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    _, commission = both(exchange)
    foreign = replace(REQUESTED_PERSONAL, pupil=replace(REQUESTED_PERSONAL.pupil, personal_code=OTHER))
    raw_event(exchange, SCHOOL, to_commission(SCHOOL), REQUESTED_A2, foreign, case_id=mine.bytes)
    settled(exchange)
    assert len(exchange.members[COMMISSION].held("refused")) == 1
    assert [event.topic for event in commission.store.stream(theirs).events].count("InformationRequested") == 2
    assert cases_of(commission, OTHER) == []
    commission.database.run("DELETE FROM people")
    note_case(commission, theirs)
    assert (cases_of(commission, CODE), cases_of(commission, OTHER)) == ([theirs], [])


def test_a_case_of_which_only_another_part_is_held_as_something_else_is_found(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    _, commission = both(exchange)
    event = next(each for each in commission.store.stream(theirs).events if each.topic == "InformationRequested")
    held = "INSERT INTO held (channel, kind, reason, case_id, event_id) VALUES (?, ?, 'of something else', ?, ?)"
    commission.database.run(held, event.channel, "missing", theirs.hex, event.event_id)
    commission.database.run(held, "another.channel", "refused", theirs.hex, event.event_id)
    commission.database.run("DELETE FROM people")
    note_case(commission, theirs)
    assert cases_of(commission, CODE) == [theirs]


def test_a_look_up_under_another_key_is_made_anew_once_and_nothing_else_is_forgotten(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    second, _ = asked(exchange, pupil=another_pupil(2))
    school, _ = both(exchange)
    act(school, None, lambda _: (New(facts=FILED_A2, personal=FILED_PERSONAL),))
    whole = table(school)
    assert {case_id for _, case_id in whole} == {mine.hex, second.hex}, "what belongs to no case is about nobody"
    renew_look_up(school)
    assert table(school) == whole
    assert under(school) in notes(school)
    database = school.database
    database.run("DELETE FROM said WHERE name LIKE 'look-up under %'")
    database.run("INSERT INTO said VALUES ('look-up under 00', 5)")
    database.run("INSERT INTO said VALUES ('look-up of another kind', 6)")
    database.run("INSERT INTO people VALUES (?, ?)", bytes(32), mine.hex)
    others = notes(school) - {"look-up under 00"}
    renew_look_up(school)
    assert table(school) == whole, "and what stood under the key before is gone"
    assert notes(school) == others | {under(school)}
    row = database.one("SELECT * FROM said WHERE name = ?", under(school))
    assert row is not None
    assert tuple(row) == (under(school), exchange.clock.now)
    database.run("DELETE FROM people WHERE case_id = ?", second.hex)
    renew_look_up(school)
    assert cases_of(school, OTHER) == [], "once"


def bare(exchange: Exchange, position: int) -> bytes:
    """Take the personal part from an entry of the log, and return the record with it."""
    record = raw_row(exchange, TO, position)
    whole = decode_entry(record)
    without = encode_entry(whole.statement_bytes, whole.signature, whole.raw_facts, None)
    raw_log(exchange, "UPDATE records SET value = ? WHERE channel = ? AND position = ?", without, TO, position)
    return record


def test_personal_parts_of_several_cases_that_come_together_name_them_all(exchange: Exchange) -> None:
    _, commission = both(exchange)
    cases, records = [], []
    for number in (2, 3):
        position = exchange.log.end(TO)
        cases.append(asked_unread(exchange, number)[0])
        records.append(bare(exchange, position))
    settled(exchange)
    assert table(commission) == set()
    exchange.log.append(TO, records)
    settled(exchange)
    assert [cases_of(commission, f"3200000000{number}") for number in (2, 3)] == [[each] for each in cases]


def test_a_part_that_comes_while_its_entry_waits_names_nobody_and_stops_nothing(exchange: Exchange) -> None:
    _, commission = both(exchange)
    position = exchange.log.end(TO)
    theirs, _ = asked_unread(exchange)
    record = bare(exchange, position)
    mailbox = letters(exchange)
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", mailbox_of(COMMISSION))
    exchange.members[COMMISSION].receiver.receive_once()
    assert exchange.members[COMMISSION].held("parked") == ["the facts key is missing"]
    exchange.log.append(TO, [record])
    exchange.members[COMMISSION].receiver.receive_once()
    assert (table(commission), exchange.members[COMMISSION].held("missing")) == (set(), [])
    exchange.log.append(mailbox_of(COMMISSION), mailbox)
    settled(exchange)
    assert cases_of(commission, OTHER) == [theirs]


def letters(exchange: Exchange) -> list[bytes]:
    return [each.value for each in exchange.log.poll({mailbox_of(COMMISSION): 0}, timeout_seconds=0, limit=1000)]


def test_a_case_is_named_by_its_own_event_although_somebody_stored_a_copy_of_it_elsewhere(exchange: Exchange) -> None:
    _, commission = both(exchange)
    position = exchange.log.end(TO)
    theirs, _ = asked_unread(exchange)
    record = bare(exchange, position)
    statement = decode_entry(record).unverified_statement
    copy = SealedEvent(
        commission.own_stream,
        commission.store.version(commission.own_stream) + 1,
        "InformationRequested",
        to_commission("school-0000000002"),
        statement.event_id,
        encode_body(statement.body),
        decode_entry(record).raw_facts,
    )
    with commission.database.transaction():
        commission.store.append([copy])
    settled(exchange)
    exchange.log.append(TO, [record])
    settled(exchange)
    assert cases_of(commission, OTHER) == [theirs]

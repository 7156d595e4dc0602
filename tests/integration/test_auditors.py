"""Auditors: admitted, decided on by each participant for itself, and given keys of facts, never of what is personal."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from services.post.access import let_in
from services.post.agreeing import agree
from services.post.auditors import approve, auditors, refuse
from services.post.granting import _letters, _peers
from services.post.history import New
from services.post.office import Office
from services.post.saving import act
from services.school.application import School
from services.wire.channels import COMMISSION, mailbox_of, record_of
from services.wire.contents import EncryptionKeyPublished, ParticipantRemoved, decode_open
from services.wire.entry import Open, decode_entry
from services.wire.errors import RefusedError, RingError
from services.wire.events import AccessGranted, AccessPurpose, AccessScope
from tests.auditing import AUDITOR, AUDITOR_SEAL, CHANNELS, audited, opened_by, sealed_entries
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange
from tests.people import another_pupil, application_form
from tests.troubles import asked_unread, epoch_after, pen_at
from tests.vectors.samples import plain

DAY = 86_400_000
TO, BACK, RECORD, THEIRS = CHANNELS


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return audited(tmp_path)


def ask(exchange: Exchange, number: int = 1) -> None:
    """Let the school file an application and ask the commission, and the letters arrive."""
    school = School(exchange.members[SCHOOL].office)
    case, _ = school.file(application_form(pupil=another_pupil(number)))
    school.request(case)
    settle(exchange)


def answer(exchange: Exchange) -> None:
    """Let the commission register what came last, and say something in both its channels."""
    theirs = office(exchange, COMMISSION)
    case = UUID(theirs.database.all("SELECT case_id FROM cases")[-1]["case_id"])
    for name in ("RequestRegistered", "AttendanceRequired"):
        facts, personal = plain(name)
        said = New(facts=facts, personal=personal)
        act(theirs, case, lambda _, said=said: [said], school=SCHOOL)  # type: ignore[misc]  # mypy does not see the default
    settle(exchange)


def settle(exchange: Exchange) -> None:
    for _ in range(4):
        exchange.settle(seconds=6)


def office(exchange: Exchange, name: str) -> Office:
    return exchange.members[name].office


def test_an_auditor_that_nobody_has_decided_on_reads_all_channels_and_opens_nothing(exchange: Exchange) -> None:
    ask(exchange)
    auditor = office(exchange, AUDITOR)
    held = {row["channel"]: row["sequence"] for row in auditor.database.all("SELECT channel, sequence FROM channels")}
    assert held.keys() == {*CHANNELS, record_of(AUDITOR), "registrar.trust"}
    assert {each for each in CHANNELS if held[each] == exchange.log.end(each)} == set(CHANNELS)
    assert opened_by(exchange, AUDITOR) == {}
    assert [each.decision for each in auditors(office(exchange, SCHOOL))] == ["asks"]
    assert exchange.log.end(mailbox_of(AUDITOR)) == 0


def test_approved_by_a_school_it_opens_the_facts_of_what_that_school_writes_and_of_nobody_else(exchange: Exchange) -> None:
    ask(exchange)
    answer(exchange)
    approve(office(exchange, SCHOOL), AUDITOR)
    settle(exchange)
    assert opened_by(exchange, AUDITOR) == {
        # The school refuses an answer to nothing.
        TO: ["InformationRequested", "Rejected"],
        RECORD: ["ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen", "AccessGranted"],
    }
    line = auditors(office(exchange, SCHOOL))[0]
    assert (line.decision, line.keys) == ("approved", 2)
    assert auditors(office(exchange, COMMISSION))[0].decision == "asks"


def test_approved_by_both_sides_it_opens_all_facts_and_nothing_that_is_personal(exchange: Exchange) -> None:
    ask(exchange)
    for name in (SCHOOL, COMMISSION):
        approve(office(exchange, name), AUDITOR)
    settle(exchange)
    ask(exchange, 2)
    answer(exchange)
    opened = opened_by(exchange, AUDITOR)
    assert sum(map(len, opened.values())) == len(list(sealed_entries(exchange)))
    assert (opened[THEIRS][:2], opened[BACK]) == (["AccessGranted", "RequestRegistered"], ["AttendanceRequired"])


def test_an_auditor_keeps_nothing_of_what_is_personal_in_its_database(exchange: Exchange) -> None:
    approve(office(exchange, SCHOOL), AUDITOR)
    ask(exchange)
    auditor = office(exchange, AUDITOR)
    assert auditor.database.all("SELECT * FROM parts") == []
    assert auditor.database.all("SELECT * FROM cases") == []
    assert auditor.database.all("SELECT * FROM stored_events") == []
    assert exchange.members[AUDITOR].held("missing") == []


def test_a_key_is_missed_only_where_it_is_neither_here_nor_erased_and_where_its_row_does_not_open(exchange: Exchange) -> None:
    for name in (SCHOOL, COMMISSION):
        approve(office(exchange, name), AUDITOR)
    settle(exchange)
    ask(exchange)
    auditor = exchange.members[AUDITOR]
    assert auditor.held("key") == []
    key = office(exchange, SCHOOL).ring.facts_key(TO, office(exchange, SCHOOL).today.year).key_id
    database = auditor.office.database
    database.run("UPDATE keys SET wrapped = NULL, erased_at = 5 WHERE key_id = ?", key)
    assert auditor.office.ring.is_erased(key)
    ask(exchange, 2)
    assert auditor.held("key") == [], "what was erased is wanted by nobody"
    database.run("UPDATE keys SET wrapped = zeroblob(60), erased_at = NULL WHERE key_id = ?", key)
    with pytest.raises(RingError):
        auditor.office.ring.get(key)
    asked_unread(exchange, 3)
    auditor.receiver.receive_once()
    assert auditor.held("key") == ["a facts key is missing"]
    query = "SELECT channel, digest FROM held WHERE kind = 'key' AND resolved_at IS NULL"
    assert [tuple(row) for row in database.all(query)] == [(TO, key)]


def test_keys_of_cases_are_never_granted_and_never_taken_in_by_an_auditor(exchange: Exchange) -> None:
    for name in (SCHOOL, COMMISSION):
        approve(office(exchange, name), AUDITOR)
    ask(exchange)
    query = "SELECT k.key_use FROM grants g JOIN keys k USING (key_id) WHERE g.recipient = ?"
    given = office(exchange, SCHOOL).database.all(query, AUDITOR)
    assert {row["key_use"] for row in given} == {"FACTS"}
    held = {row.key_use for row in office(exchange, AUDITOR).ring.rows()}
    assert held == {"FACTS", "ENCRYPTION"}


def test_a_case_key_that_somebody_sends_to_an_auditor_all_the_same_is_not_taken_in(exchange: Exchange) -> None:
    approve(office(exchange, SCHOOL), AUDITOR)
    ask(exchange)
    school = office(exchange, SCHOOL)
    row = school.database.one("SELECT key_id FROM keys WHERE key_use = 'CASE' AND channel = ?", TO)
    assert row is not None
    key = school.ring.get(row["key_id"])
    assert key is not None
    [(_, letter)] = _letters(school, key, _peers(school, [AUDITOR]))
    exchange.log.append(mailbox_of(AUDITOR), [letter])
    settle(exchange)
    assert office(exchange, AUDITOR).ring.get(row["key_id"]) is None
    faults = office(exchange, AUDITOR).database.all("SELECT reason FROM held WHERE channel = ?", mailbox_of(AUDITOR))
    assert ["no keys but those of facts" in fault["reason"] for fault in faults] == [True]


def test_whoever_is_let_in_later_opens_the_years_before_and_each_new_one(exchange: Exchange) -> None:
    ask(exchange)
    exchange.clock.now += 365 * DAY
    ask(exchange, 2)
    approve(office(exchange, SCHOOL), AUDITOR)
    settle(exchange)
    exchange.clock.now += 365 * DAY
    ask(exchange, 3)
    assert opened_by(exchange, AUDITOR)[TO] == ["InformationRequested"] * 3


def test_a_year_whose_key_was_destroyed_before_stays_closed(exchange: Exchange) -> None:
    ask(exchange)
    exchange.clock.now += 365 * DAY
    school = office(exchange, SCHOOL)
    school.database.run("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE key_use = 'FACTS'", school.clock())
    ask(exchange, 2)
    approve(school, AUDITOR)
    settle(exchange)
    assert opened_by(exchange, AUDITOR)[TO] == ["InformationRequested"]


def test_one_that_is_refused_after_all_opens_nothing_that_is_sealed_from_then_on(exchange: Exchange) -> None:
    approve(office(exchange, SCHOOL), AUDITOR)
    ask(exchange)
    before = opened_by(exchange, AUDITOR)
    refuse(office(exchange, SCHOOL), AUDITOR)
    settle(exchange)
    ask(exchange, 2)
    after = opened_by(exchange, AUDITOR)
    assert after[TO] == before[TO]
    # It learns that it is refused, under the last key that it had.
    assert after[RECORD] == [*before[RECORD], "AccessEnded"]
    assert auditors(office(exchange, SCHOOL))[0].decision == "refused"


def test_one_that_the_registrar_has_removed_opens_nothing_that_is_sealed_from_then_on(exchange: Exchange) -> None:
    approve(office(exchange, SCHOOL), AUDITOR)
    ask(exchange)
    before = opened_by(exchange, AUDITOR)
    exchange.log.append("registrar.trust", [exchange.registrar.open(ParticipantRemoved(id=AUDITOR))])
    settle(exchange)
    ask(exchange, 2)
    assert opened_by(exchange, AUDITOR) == before
    with pytest.raises(RefusedError, match="was removed by the registrar"):
        approve(office(exchange, SCHOOL), AUDITOR)


@pytest.mark.parametrize("end", ["refused", "removed"])
def test_a_key_whose_letter_was_never_noted_seals_nothing_either_after_that(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    school = office(exchange, SCHOOL)
    approve(school, AUDITOR)

    def killed(_: Office, participant: str, __: object) -> None:
        if participant == AUDITOR:
            raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        # A worker that is killed after its letters went out, and before it notes whom it has given which keys.
        patch.setattr("services.post.unnoted.note_granted", killed)
        patch.setattr("services.post.granting.note_granted", killed)
        with pytest.raises(ConnectionAbortedError):
            settle(exchange)
    if end == "refused":
        refuse(school, AUDITOR)
    else:
        exchange.log.append("registrar.trust", [exchange.registrar.open(ParticipantRemoved(id=AUDITOR))])
    settle(exchange)
    before = opened_by(exchange, AUDITOR)
    assert before[RECORD]
    ask(exchange)
    assert opened_by(exchange, AUDITOR) == before


def test_by_a_setting_whoever_is_admitted_is_approved_and_that_is_recorded_too(exchange: Exchange) -> None:
    office(exchange, SCHOOL).approves_auditors = True
    ask(exchange)
    assert opened_by(exchange, AUDITOR)[TO] == ["InformationRequested"]
    refuse(office(exchange, SCHOOL), AUDITOR)
    settle(exchange)
    # A refusal of a person's is not undone by the setting.
    assert let_in(office(exchange, SCHOOL)) == ()


def test_a_decision_is_recorded_once_and_only_on_an_auditor_that_is_admitted(exchange: Exchange) -> None:
    school = office(exchange, SCHOOL)
    approve(school, AUDITOR)
    with pytest.raises(RefusedError, match="approved already"):
        approve(school, AUDITOR)
    for nobody in (COMMISSION, "auditor-nobody"):
        with pytest.raises(RefusedError, match="no auditor of this id is admitted"):
            approve(school, nobody)


def test_an_approval_that_the_counterpart_claims_in_its_own_channel_lets_nobody_in(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(exchange)
    school, theirs = office(exchange, SCHOOL), office(exchange, COMMISSION)
    admission = school.trust.participants[AUDITOR].admitted
    lie = New(facts=AccessGranted(auditor=admission, scope=AccessScope.FACTS, purpose=AccessPurpose.AUDIT, until=None))
    with monkeypatch.context() as patch:
        # The commission's own program would not write it there; a counterpart may run any program.
        patch.setattr("services.post.saving.channel_for", lambda *_, **__: BACK)
        act(theirs, None, lambda _: [lie], school=SCHOOL)
    settle(exchange)
    assert "NotYours" in exchange.members[SCHOOL].held("refused")
    assert let_in(school) == ()
    assert RECORD not in opened_by(exchange, AUDITOR)


def test_a_refusal_comes_back_with_a_database_that_is_older_than_it(exchange: Exchange, tmp_path: Path) -> None:
    school = office(exchange, SCHOOL)
    approve(school, AUDITOR)
    settle(exchange)
    copy = tmp_path / "copy.sqlite"
    school.database.connection.execute(f"VACUUM INTO '{copy}'")
    refuse(school, AUDITOR)
    settle(exchange)
    school.database.close()
    for each in (exchange.folder / SCHOOL).glob("database.sqlite*"):
        each.unlink()
    copy.rename(exchange.folder / SCHOOL / "database.sqlite")
    member = exchange.enter(SCHOOL, school.role, seal_of("old"))
    assert let_in(member.office) == (AUDITOR,)
    assert member.worker.start()
    assert let_in(member.office) == ()


def test_an_auditor_asks_for_what_is_missing_once_a_month_and_is_answered_by_those_who_let_it_in(exchange: Exchange) -> None:
    ask(exchange)
    for _ in range(20):
        exchange.clock.now += DAY
        exchange.settle()
    assert len(needs(exchange)) == 1
    approve(office(exchange, SCHOOL), AUDITOR)
    settle(exchange)
    auditor = office(exchange, AUDITOR)
    # Lost with its letter: only asking brings it back.
    auditor.database.run("DELETE FROM keys WHERE channel = ? AND key_use = 'FACTS'", TO)
    ask(exchange, 2)
    exchange.clock.now += 31 * DAY
    settle(exchange)
    assert len(needs(exchange)) == 2
    assert opened_by(exchange, AUDITOR)[TO] == ["InformationRequested"] * 2


def needs(exchange: Exchange) -> list[EncryptionKeyPublished]:
    found = []
    for record in exchange.log.poll({record_of(AUDITOR): 0}, timeout_seconds=0, limit=1000):
        body = decode_entry(record.value).unverified_statement.body
        content = decode_open(body) if isinstance(body, Open) else None
        if isinstance(content, EncryptionKeyPublished) and content.need:
            found.append(content)
    return found


def test_an_auditor_that_begins_again_has_what_it_had(exchange: Exchange) -> None:
    approve(office(exchange, SCHOOL), AUDITOR)
    ask(exchange)
    before = opened_by(exchange, AUDITOR)
    office(exchange, AUDITOR).database.close()
    member = exchange.enter(AUDITOR, office(exchange, AUDITOR).role, AUDITOR_SEAL)
    assert member.worker.start()
    ask(exchange, 2)
    assert opened_by(exchange, AUDITOR)[TO] == before[TO] * 2
    assert [each for each in member.alarms if "8 days" not in each] == []


@pytest.mark.parametrize("is_let_in", [True, False])
def test_a_key_that_only_a_thief_can_have_is_waited_for_no_more_once_an_epoch_has_undone_what_it_sealed(
    exchange: Exchange, *, is_let_in: bool
) -> None:
    ask(exchange)
    if is_let_in:
        approve(office(exchange, SCHOOL), AUDITOR)
        settle(exchange)
    auditor = exchange.members[AUDITOR]
    before = len(auditor.held("key"))
    thief = pen_at(exchange, RECORD, SCHOOL, seal_of("old"), "thief")
    # The school's worker would stop at the first look at it.
    school = exchange.members.pop(SCHOOL)
    exchange.log.append(RECORD, [thief.sealed()])
    settle(exchange)
    assert len(auditor.held("key")) == before + 1
    exchange.members[SCHOOL] = school
    epoch_after(exchange, RECORD, SCHOOL, seal_of("next"), back=0)
    del exchange.members[SCHOOL]
    settle(exchange)
    agree(auditor.office, RECORD)
    settle(exchange)
    # What the school itself sealed is waited for as before.
    assert len(auditor.held("key")) == before


@pytest.mark.parametrize("name", [SCHOOL, COMMISSION])
def test_a_lost_letter_with_a_key_of_an_auditors_record_is_asked_for_by_whoever_reads_it_and_comes_again(
    exchange: Exchange, name: str
) -> None:
    approve(office(exchange, name), AUDITOR)
    settle(exchange)
    reader = exchange.members.pop(name)
    issue(exchange)
    # Longer than a letter stays.
    exchange.clock.now += 31 * DAY
    exchange.members[name] = reader
    settle(exchange)
    exchange.clock.now += DAY
    settle(exchange)
    assert reader.held("key") == []


def issue(exchange: Exchange) -> None:
    """Let the auditor say in its record that a report was issued."""
    facts, personal = plain("ReportIssued")
    act(office(exchange, AUDITOR), None, lambda _: [New(facts=facts, personal=personal)])
    settle(exchange)

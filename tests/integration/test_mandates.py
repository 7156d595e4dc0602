"""Mandates: parts of one case, disclosed to one auditor for a purpose and up to a day, and recorded on both sides."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.audit.keys import Keys
from services.audit.leaving_out import without_personal
from services.audit.opening import Opening
from services.auditor import mandates as auditors_program
from services.auditor.disclosed import Disclosed
from services.auditor.mandates import EndingHeld, accept, held_mandates, note_use, open_mandate
from services.auditor.mandates import end as put_down
from services.commission.application import Commission
from services.commission.input import RegistrationInput
from services.post import mandates as program
from services.post.auditors import approve, auditors, end_facts, refuse
from services.post.console_mandates import mandate_lines
from services.post.mandate_uses import uses_of
from services.post.mandates import disclose, end, end_file, mandates_of
from services.post.saving import CaseIncompleteError
from services.school.application import School
from services.wire.channels import COMMISSION, Role, record_of
from services.wire.contents import KeyRevoked, ParticipantRemoved, Reason, SchemaPublished
from services.wire.errors import DisclosureError, RefusedError, SchemaError
from services.wire.events import AccessEnded, AccessGranted, AccessPurpose, AccessUse, AccessUsed
from services.wire.hashing import Digest, digest_of
from services.wire.records import SchemaBook, event_type
from tests.attacks.workshop import MemoryLog
from tests.audited import audited
from tests.auditing import AUDITOR, AUDITOR_SEAL, CHANNELS, opened_by
from tests.chains import SCHOOL, seal_of
from tests.mandates import Mandated, said_in
from tests.troubles import said_by_registrar

RECORD = f"{SCHOOL}.record"
FILED = {"ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen", "InformationRequested"}


@pytest.fixture
def exchange(tmp_path: Path) -> Mandated:
    return Mandated.new(tmp_path)


@pytest.fixture
def unapproved(tmp_path: Path) -> Mandated:
    return Mandated.new(tmp_path, approved=False)


def personal_of(exchange: Mandated, mandate: Disclosed | None) -> dict[str, str]:
    """Return how the personal parts of the log open, of each type in the school's cases; several of one type alike."""
    found = exchange.read(mandate)
    return {str(each.type): each.personal_opening.value for each in found if each.type in FILED}


def test_a_mandate_stands_in_both_records_with_purpose_and_end(exchange: Mandated) -> None:
    given = exchange.given()
    [granted] = said_in(exchange, RECORD, "AccessGranted")[1:]
    assert isinstance(granted, AccessGranted)
    assert (granted.purpose, granted.until, len(granted.parts)) == (AccessPurpose.COMPLAINT, given.until, 4)
    accept(exchange.office(AUDITOR), exchange.file(given))
    exchange.settle()
    told = AccessUsed(grant=given.name, purpose=AccessPurpose.COMPLAINT, until=given.until, use=AccessUse.ACCEPTED)
    assert said_in(exchange, record_of(AUDITOR), "AccessUsed") == [told]
    # By its digest alone: nothing in an auditor's record, which all read, says whose case it is.
    assert uses_of(exchange.office(SCHOOL)) == uses_of(exchange.office(COMMISSION)) == {(AUDITOR, given.name): 1}


def test_with_what_is_personal_it_opens_the_parts_of_that_case_and_of_no_other(exchange: Mandated) -> None:
    other = exchange.another_case()
    mandate = exchange.accepted(exchange.terms(personal=True))
    events = exchange.read(mandate)
    opened = [each for each in events if each.personal_opening is Opening.OPENED]
    assert {each.type for each in opened} == FILED
    assert {each.case_id for each in opened} == {exchange.case}
    filed = next(each for each in opened if each.type == "ApplicationFiled")
    assert filed.personal.application.pupil.family_name
    closed = [each for each in events if each.case_id == other]
    assert closed
    assert {each.personal_opening for each in closed} == {Opening.NO_KEY}


def test_a_log_that_is_kept_without_what_is_personal_is_read_with_the_parts_that_came_with_their_keys(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(personal=True))
    whole, archive = exchange.read(mandate), MemoryLog()
    for channel in ("registrar.trust", *CHANNELS, record_of(AUDITOR)):
        records = exchange.exchange.log.poll({channel: 0}, timeout_seconds=0, limit=1000)
        archive.append(channel, [without_personal(each.value) for each in records])
    keys = Keys.of(exchange.office(AUDITOR).ring.facts_keys())
    read = audited(archive, replace(keys, parts=mandate.keys), with_personal=True)
    assert [each.personal for each in read] == [each.personal for each in whole]
    assert sum(each.personal_opening is Opening.OPENED for each in read) == len(FILED)


def test_more_than_a_file_holds_is_told_before_anything_is_recorded(exchange: Mandated, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, told in (("KEYS_LIMIT", "one mandate names 3 at most"), ("SEALED_LIMIT_BYTES", "too large for one file")):
        with monkeypatch.context() as patch:
            patch.setattr(f"services.post.mandates.{limit}", 3)
            with pytest.raises(RefusedError, match=told):
                exchange.given(exchange.terms(personal=True))
    assert mandates_of(exchange.office(SCHOOL)) == []


def test_of_facts_alone_nothing_personal_opens(exchange: Mandated) -> None:
    assert set(personal_of(exchange, exchange.accepted()).values()) == {"no key"}


def test_of_one_type_of_events_the_others_stay_closed(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(personal=True, types=("ConsentRecorded",)))
    opened = personal_of(exchange, mandate)
    assert [name for name, said in opened.items() if said == "opened"] == ["ConsentRecorded"]


def test_an_auditor_that_holds_no_key_at_all_reads_what_the_mandate_names_and_the_mandate(unapproved: Mandated) -> None:
    assert {each.type for each in unapproved.read() if each.opening is Opening.OPENED} == set()
    mandate = unapproved.accepted(unapproved.terms(personal=True))
    opened = [each for each in unapproved.read(mandate) if each.opening is Opening.OPENED]
    assert {each.type for each in opened} == {*FILED, "AccessGranted", "AccessUsed"}
    assert opened_by(unapproved.exchange, AUDITOR) == {}


def test_the_commission_discloses_what_it_wrote_of_its_own_case(exchange: Mandated) -> None:
    theirs = exchange.office(COMMISSION)
    row = theirs.database.one("SELECT case_id FROM cases")
    assert row is not None
    case = UUID(row["case_id"])
    Commission(theirs).register(case, RegistrationInput(register_number="R-17", received_on=theirs.today))
    exchange.settle()
    given = exchange.given(exchange.terms(personal=True), case=case, writer=COMMISSION)
    mandate = accept(exchange.office(AUDITOR), exchange.file(given, writer=COMMISSION))
    opened = [each.type for each in exchange.read(mandate) if each.personal_opening is Opening.OPENED]
    assert opened == ["RequestRegistered"]


def test_a_use_is_recorded_each_time_and_its_writer_sees_it(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    for use in (AccessUse.TIMELINE, AccessUse.QUERY):
        note_use(exchange.office(AUDITOR), mandate, use)
    exchange.settle()
    said = said_in(exchange, record_of(AUDITOR), "AccessUsed")
    assert [each.use for each in said if isinstance(each, AccessUsed)] == [
        AccessUse.ACCEPTED,
        AccessUse.TIMELINE,
        AccessUse.QUERY,
    ]
    assert uses_of(exchange.office(SCHOOL))[AUDITOR, mandate.name] == 3
    [line] = held_mandates(exchange.office(AUDITOR))
    assert (line.uses, line.keys, line.writer, line.ended) == (2, True, SCHOOL, None)


def test_what_all_read_of_a_use_tells_the_counterpart_nothing_of_the_case(exchange: Mandated) -> None:
    case = exchange.another_case()
    mandate = accept(exchange.office(AUDITOR), exchange.file(exchange.given(case=case)))
    note_use(exchange.office(AUDITOR), mandate, AccessUse.SHOW)
    # The next event of the case says what stood before it: the mandate, which the commission cannot read.
    School(exchange.office(SCHOOL)).request(case)
    exchange.settle()
    used = {said.grant for said in said_in(exchange, record_of(AUDITOR), "AccessUsed") if isinstance(said, AccessUsed)}
    commission = exchange.exchange.members[COMMISSION].office
    read = audited(exchange.exchange.log, Keys.of(commission.ring.facts_keys()))
    sent = [each for each in read if each.channel == f"{SCHOOL}.to-commission" and each.after is not None]
    assert digest_of(mandates_of(exchange.office(SCHOOL))[0].event.body) in {each.after for each in sent}
    assert used == {mandate.name}
    known = {link for each in read for link in (each.digest, each.body, each.after, each.in_reply_to) if link is not None}
    assert not used & known


def test_when_its_day_is_over_both_record_the_end_once_and_the_keys_are_gone(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(days=2))
    exchange.days(2)
    assert mandates_of(exchange.office(SCHOOL))[0].ended_on is None
    exchange.days(1)
    exchange.days(1)
    for channel in (RECORD, record_of(AUDITOR)):
        [ended] = said_in(exchange, channel, "AccessEnded")
        assert isinstance(ended, AccessEnded)
        assert ended.grant == mandate.name
    assert exchange.office(AUDITOR).database.all("SELECT * FROM mandates") == []
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(exchange.office(AUDITOR), mandate.name.hex())
    with pytest.raises(RefusedError, match="has ended"):
        note_use(exchange.office(AUDITOR), mandate, AccessUse.SHOW)


def test_an_end_is_recorded_by_workers_that_were_begun_again_and_not_a_second_time(exchange: Mandated) -> None:
    exchange.accepted(exchange.terms(days=1))
    for _ in range(3):
        exchange.exchange.clock.now += 2 * 86_400_000
        for name, role, seal in ((SCHOOL, Role.SCHOOL, seal_of("old")), (AUDITOR, Role.AUDITOR, AUDITOR_SEAL)):
            exchange.office(name).database.close()
            assert exchange.exchange.enter(name, role, seal).worker.start()
        exchange.settle()
    for channel in (RECORD, record_of(AUDITOR)):
        assert len(said_in(exchange, channel, "AccessEnded")) == 1


def test_ended_early_by_its_writer_it_ends_at_the_auditor_as_soon_as_that_has_read_so(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    given = mandates_of(exchange.office(SCHOOL))[0]
    assert end(exchange.office(SCHOOL), given)
    assert end(exchange.office(SCHOOL), given) == ()
    # Not read yet: the auditor cannot know.
    open_mandate(exchange.office(AUDITOR), mandate.name.hex())
    exchange.settle()
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(exchange.office(AUDITOR), mandate.name.hex())
    [ended] = said_in(exchange, record_of(AUDITOR), "AccessEnded")
    assert isinstance(ended, AccessEnded)
    assert ended.grant == mandate.name


def test_an_auditor_without_keys_of_facts_is_told_of_an_early_end_by_a_file(unapproved: Mandated) -> None:
    mandate = unapproved.accepted()
    given = mandates_of(unapproved.office(SCHOOL))[0]
    with pytest.raises(RefusedError, match="has not ended"):
        end_file(unapproved.office(SCHOOL), given)
    end(unapproved.office(SCHOOL), given)
    unapproved.settle()
    assert open_mandate(unapproved.office(AUDITOR), mandate.name.hex()).name == mandate.name
    assert accept(unapproved.office(AUDITOR), end_file(unapproved.office(SCHOOL), given)).has_ended
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(unapproved.office(AUDITOR), mandate.name.hex())


def test_an_early_end_under_a_key_that_comes_after_it_ends_it_when_the_key_has_come(unapproved: Mandated) -> None:
    mandate = unapproved.accepted()
    end(unapproved.office(SCHOOL), mandates_of(unapproved.office(SCHOOL))[0])
    unapproved.settle()
    # Read, and not readable yet: letters come by another way than entries, and may come later.
    assert open_mandate(unapproved.office(AUDITOR), mandate.name.hex()).name == mandate.name
    approve(unapproved.office(SCHOOL), AUDITOR)
    unapproved.settle()
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(unapproved.office(AUDITOR), mandate.name.hex())
    assert len(said_in(unapproved, record_of(AUDITOR), "AccessEnded")) == 1


def test_an_early_end_under_a_schema_that_is_read_after_it_ends_it_when_that_is_read(
    exchange: Mandated, monkeypatch: pytest.MonkeyPatch
) -> None:
    mandate = exchange.accepted()
    auditor, schemas = exchange.office(AUDITOR), dict(exchange.office(AUDITOR).trust.schemas)
    end(exchange.office(SCHOOL), mandates_of(exchange.office(SCHOOL))[0])
    facts = SchemaBook.facts

    def of_a_newer_release(book: SchemaBook, name: str, schema: Digest, content: bytes) -> Any:
        if name == "AccessEnded" and len(auditor.trust.schemas) == len(schemas):
            raise SchemaError("an event is written with a schema that is not published")
        return facts(book, name, schema, content)

    monkeypatch.setattr(SchemaBook, "facts", of_a_newer_release)
    exchange.settle()
    assert [each.ended for each in held_mandates(auditor)] == [None]
    # The registrar's channel stood still here meanwhile.
    newer = SchemaPublished(name="AccessEnded", file=event_type("AccessEnded").file + b"\n")
    said_by_registrar(exchange.exchange, newer)
    exchange.settle()
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(auditor, mandate.name.hex())
    assert [each.ended is not None for each in held_mandates(auditor)] == [True]


def test_an_early_end_is_read_where_a_record_was_begun_anew_and_is_as_long_again(exchange: Mandated) -> None:
    mandate, auditor = exchange.accepted(), exchange.office(AUDITOR)
    # The auditor's commands and its worker stand still while all of this comes.
    auditor.besides = lambda _: 0
    end(exchange.office(SCHOOL), mandates_of(exchange.office(SCHOOL))[0])
    exchange.settle()
    standing = auditor.letterbook.standing(RECORD)
    assert standing is not None
    auditor.database.run("UPDATE mandates SET looked = ?", standing.place.sequence)
    auditor.database.run("UPDATE entries SET epoch = 1 WHERE channel = ? AND sequence > ?", RECORD, mandate.sequence)
    auditor.letterbook.note(RECORD, epoch=1)
    assert EndingHeld().end_once(auditor) == 1


def test_the_auditor_can_put_it_down_itself(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    assert put_down(exchange.office(AUDITOR), mandate.name)
    assert put_down(exchange.office(AUDITOR), mandate.name) == ()
    with pytest.raises(RefusedError, match="has ended"):
        accept(exchange.office(AUDITOR), exchange.file(mandates_of(exchange.office(SCHOOL))[0]))


def test_whoever_is_refused_loses_its_mandates_and_reads_of_that_and_is_given_none_again(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    refuse(exchange.office(SCHOOL), AUDITOR)
    exchange.settle()
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(exchange.office(AUDITOR), mandate.name.hex())
    with pytest.raises(RefusedError, match="was refused here"):
        exchange.given()


def test_a_mandate_that_cannot_be_ended_now_does_not_keep_an_auditor_from_being_refused(
    exchange: Mandated, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.accepted()
    school = exchange.office(SCHOOL)
    with monkeypatch.context() as patch:
        # As while something of that case has not come back after a restore.
        patch.setattr("services.post.auditors.end", refusing)
        with pytest.raises(RefusedError, match=r"is refused; .* could not be ended: Part of the case"):
            refuse(school, AUDITOR)
    assert [each.decision for each in auditors(school)] == ["refused"]
    assert mandates_of(school)[0].ended_on is None
    assert end(school, mandates_of(school)[0])


def test_of_a_mandate_and_a_refusal_at_one_moment_no_mandate_is_left(exchange: Mandated, monkeypatch: pytest.MonkeyPatch) -> None:
    school = exchange.office(SCHOOL)

    def given_before(*arguments: Any) -> Any:
        disclose(school, exchange.case, AUDITOR, exchange.terms())
        return end_facts(*arguments)

    def refused_before(*arguments: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr("services.post.mandates._public_key", public_key)
            patch.setattr("services.post.auditors.end_facts", given_before)
            refuse(school, AUDITOR)
        return public_key(*arguments)

    public_key = program._public_key  # noqa: SLF001  # what is done between looking and saving
    with monkeypatch.context() as patch:
        patch.setattr("services.post.mandates._public_key", refused_before)
        with pytest.raises(RefusedError, match="was refused here"):
            disclose(school, exchange.case, AUDITOR, exchange.terms())
    [given] = mandates_of(school)
    assert given.ended_on is not None


def refusing(*_: object) -> None:
    raise CaseIncompleteError(UUID(int=1))


def test_a_mandate_outlasts_an_access_to_all_facts_that_ends_before_it(tmp_path: Path) -> None:
    exchange = Mandated.new(tmp_path, approved=False)
    school = exchange.office(SCHOOL)
    approve(school, AUDITOR, until=school.today + timedelta(days=1))
    exchange.settle()
    mandate = exchange.accepted(exchange.terms(days=5))
    exchange.days(3)
    assert [each.decision for each in auditors(school)] == ["refused"]
    assert open_mandate(exchange.office(AUDITOR), mandate.name.hex()).name == mandate.name
    exchange.days(4)
    with pytest.raises(RefusedError, match="has ended"):
        open_mandate(exchange.office(AUDITOR), mandate.name.hex())
    assert mandates_of(school)[0].ended_on is not None


def test_with_an_auditor_that_is_removed_its_mandates_end(exchange: Mandated) -> None:
    exchange.accepted()
    registrar = exchange.exchange.registrar
    exchange.exchange.log.append("registrar.trust", [registrar.open(ParticipantRemoved(id=AUDITOR))])
    exchange.settle()
    assert mandates_of(exchange.office(SCHOOL))[0].ended_on is not None
    with pytest.raises(RefusedError, match="was removed by the registrar"):
        exchange.given()


def test_what_an_auditor_that_is_removed_had_looked_at_is_seen_and_so_is_its_end(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    # Seen first, and sent when all others know already that it is there no more.
    note_use(exchange.office(AUDITOR), mandate, AccessUse.SHOW)
    registrar = exchange.exchange.registrar
    exchange.exchange.log.append("registrar.trust", [registrar.open(ParticipantRemoved(id=AUDITOR))])
    exchange.settle()
    assert [type(each).__name__ for each in said_in(exchange, record_of(AUDITOR), "AccessUsed", "AccessEnded")] == [
        "AccessUsed",
        "AccessUsed",
        "AccessEnded",
    ]
    for name in (SCHOOL, COMMISSION):
        assert uses_of(exchange.office(name)) == {(AUDITOR, mandate.name): 2}
        standing = exchange.office(name).letterbook.standing(record_of(AUDITOR))
        assert standing is not None
        assert standing.place.sequence == exchange.exchange.log.end(record_of(AUDITOR))


NEW = "school-0099900022"


def read_of_auditor(exchange: Mandated, reader: str) -> list[str]:
    """Return what somebody else reads in the auditor's record, with the keys that it was granted."""
    said = said_in(exchange, record_of(AUDITOR), "AccessUsed", "AccessEnded", reader=reader)
    return [type(each).__name__ for each in said]


def keys_lacking(exchange: Mandated, name: str) -> list[str]:
    """Return in which channels somebody waits for a key."""
    rows = exchange.office(name).database.all("SELECT channel FROM held WHERE kind = 'key' AND resolved_at IS NULL")
    return [row["channel"] for row in rows]


def test_the_end_that_a_removed_auditor_records_opens_for_the_school_and_the_commission(exchange: Mandated) -> None:
    exchange.accepted()
    said_by_registrar(exchange.exchange, ParticipantRemoved(id=AUDITOR))
    exchange.settle()
    for name in (SCHOOL, COMMISSION):
        assert read_of_auditor(exchange, name) == ["AccessUsed", "AccessEnded"]
        assert keys_lacking(exchange, name) == []


def test_a_school_that_joins_after_the_removal_reads_the_record_of_who_was_removed(exchange: Mandated) -> None:
    exchange.accepted()
    said_by_registrar(exchange.exchange, ParticipantRemoved(id=AUDITOR))
    exchange.settle()
    exchange.exchange.admit(NEW, Role.SCHOOL, seal_of("new", organisation="NTRLV-90000000002"))
    exchange.settle()
    assert read_of_auditor(exchange, NEW) == ["AccessUsed", "AccessEnded"]
    assert keys_lacking(exchange, NEW) == []


def test_nobody_waits_for_good_for_the_keys_of_an_auditor_that_has_left(exchange: Mandated) -> None:
    exchange.accepted()
    said_by_registrar(exchange.exchange, ParticipantRemoved(id=AUDITOR))
    exchange.settle()
    # Its worker is stopped: a school that joins now is granted nothing.
    del exchange.exchange.members[AUDITOR]
    exchange.exchange.admit(NEW, Role.SCHOOL, seal_of("new", organisation="NTRLV-90000000002"))
    exchange.settle()
    # It was removed, and may grant still.
    assert set(keys_lacking(exchange, NEW)) == {record_of(AUDITOR)}
    said_by_registrar(exchange.exchange, KeyRevoked(key=AUDITOR_SEAL.certificate.key_digest, reason=Reason.LEFT))
    exchange.settle()
    assert keys_lacking(exchange, NEW) == []
    exchange.days(40)
    assert keys_lacking(exchange, NEW) == []


def pretends_that_nothing_ends(patch: pytest.MonkeyPatch) -> None:
    """Make an auditor's program that looks whether a mandate has ended no more."""
    patch.setattr(auditors_program, "_is_removed", lambda _: False)
    patch.setattr(auditors_program, "_is_ended", lambda *_: False)


def used(exchange: Mandated, name: str = SCHOOL) -> list[tuple[int, int]]:
    """Return the uses of each mandate as the list shows them, and how many of them were after its end."""
    exchange.settle()
    return [(each.uses, each.after_its_end) for each in mandate_lines(exchange.office(name))]


@pytest.mark.parametrize("end_of_it", ["ended early", "removed", "its day"])
def test_an_auditor_that_goes_on_after_the_end_of_its_mandate_is_told_in_the_list(
    exchange: Mandated, end_of_it: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mandate = exchange.accepted(exchange.terms(days=1 if end_of_it == "its day" else 10))
    note_use(exchange.office(AUDITOR), mandate, AccessUse.SHOW)
    assert used(exchange) == [(2, 0)]
    if end_of_it == "ended early":
        end(exchange.office(SCHOOL), mandates_of(exchange.office(SCHOOL))[0])
    elif end_of_it == "removed":
        said_by_registrar(exchange.exchange, ParticipantRemoved(id=AUDITOR))
    exchange.days(2)
    assert used(exchange) == [(2, 0)], "whoever keeps to it is told nothing of"
    pretends_that_nothing_ends(monkeypatch)
    late = replace(mandate, until=exchange.office(AUDITOR).today)
    for _ in range(3):
        note_use(exchange.office(AUDITOR), late, AccessUse.SHOW)
    assert used(exchange) == [(5, 3)]
    assert used(exchange, COMMISSION) == [], "the school's mandates are not the commission's"


def test_a_use_behind_the_end_in_its_own_record_is_late_on_the_same_day_too(
    exchange: Mandated, monkeypatch: pytest.MonkeyPatch
) -> None:
    mandate = exchange.accepted()
    put_down(exchange.office(AUDITOR), mandate.name)
    pretends_that_nothing_ends(monkeypatch)
    note_use(exchange.office(AUDITOR), mandate, AccessUse.SHOW)
    assert used(exchange) == [(2, 1)]


def test_a_clock_that_is_set_back_makes_no_mandate_last_longer(exchange: Mandated, monkeypatch: pytest.MonkeyPatch) -> None:
    mandate, auditor = exchange.accepted(exchange.terms(days=1)), exchange.office(AUDITOR)
    other = exchange.file(exchange.given(exchange.terms(days=10)))
    exchange.exchange.clock.now += 2 * 86_400_000
    accept(auditor, other)
    exchange.exchange.clock.now -= 2 * 86_400_000
    with pytest.raises(RefusedError, match="has ended"):
        note_use(auditor, mandate, AccessUse.SHOW)
    # Whoever does it all the same is told by the day that its own record says before.
    pretends_that_nothing_ends(monkeypatch)
    note_use(auditor, replace(mandate, until=exchange.office(SCHOOL).today + timedelta(days=10)), AccessUse.SHOW)
    assert sorted(used(exchange)) == [(1, 0), (2, 1)]


def test_an_auditor_that_was_removed_is_shown_nothing_for_what_it_records_may_reach_nobody(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    file = exchange.file(mandates_of(exchange.office(SCHOOL))[0])
    registrar = exchange.exchange.registrar
    exchange.exchange.log.append("registrar.trust", [registrar.open(ParticipantRemoved(id=AUDITOR))])
    exchange.settle()
    auditor = exchange.office(AUDITOR)
    for use in (
        lambda: open_mandate(auditor, mandate.name.hex()),
        lambda: note_use(auditor, mandate, AccessUse.SHOW),
        lambda: accept(auditor, file),
    ):
        with pytest.raises(RefusedError, match="has ended"):
            use()
    assert auditor.database.all("SELECT * FROM mandates") == []


def test_an_access_to_all_facts_that_ends_on_a_day_ends_with_the_keys_that_were_given(tmp_path: Path) -> None:
    exchange = Mandated.new(tmp_path, approved=False)
    school = exchange.office(SCHOOL)
    approve(school, AUDITOR, until=school.today + timedelta(days=1))
    exchange.settle()
    before = opened_by(exchange.exchange, AUDITOR)[RECORD]
    exchange.days(2)
    exchange.another_case()
    # The word of the end is the last that it reads, and what is sealed after it is sealed under keys it never had.
    assert opened_by(exchange.exchange, AUDITOR)[RECORD] == [*before, "AccessEnded"]
    assert [each.decision for each in auditors(school)] == ["refused"]
    with pytest.raises(RefusedError, match="is over"):
        approve(school, AUDITOR, until=school.today - timedelta(days=1))


def test_a_mandate_comes_back_with_a_database_that_was_lost_and_its_file_can_be_made_again(exchange: Mandated) -> None:
    given = exchange.given(exchange.terms(personal=True))
    exchange.office(SCHOOL).database.close()
    for each in (exchange.exchange.folder / SCHOOL).glob("database.sqlite*"):
        each.unlink()
    assert exchange.exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old")).worker.start()
    exchange.settle()
    [back] = mandates_of(exchange.office(SCHOOL))
    assert (back.name, back.until, back.parts) == (given.name, given.until, given.parts)
    # Facts and what the channels still have of the rest.
    assert accept(exchange.office(AUDITOR), exchange.file(back)).keys.keys() <= {*given.parts, back.event.sealed.facts}


def test_an_end_that_was_recorded_comes_back_at_the_auditor_with_a_database_that_was_lost(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(days=1))
    exchange.office(AUDITOR).database.close()
    for each in (exchange.exchange.folder / AUDITOR).glob("database.sqlite*"):
        each.unlink()
    assert exchange.exchange.enter(AUDITOR, Role.AUDITOR, AUDITOR_SEAL).worker.start()
    exchange.settle()
    [line] = held_mandates(exchange.office(AUDITOR))
    assert (line.mandate, line.keys, line.ended) == (mandate.name, False, None)
    # Its keys are gone with the database, and its end is due all the same.
    exchange.days(3)
    assert len(said_in(exchange, record_of(AUDITOR), "AccessEnded")) == 1


def test_keys_that_come_back_with_a_database_from_before_the_end_are_destroyed_again(exchange: Mandated, tmp_path: Path) -> None:
    exchange.accepted(exchange.terms(days=1))
    folder, copy = exchange.exchange.folder / AUDITOR, tmp_path / "copy"
    copy.mkdir()
    exchange.office(AUDITOR).database.close()
    for each in folder.glob("database.sqlite*"):
        shutil.copy(each, copy)
    assert exchange.exchange.enter(AUDITOR, Role.AUDITOR, AUDITOR_SEAL).worker.start()
    exchange.days(3)
    exchange.office(AUDITOR).database.close()
    for each in folder.glob("database.sqlite*"):
        each.unlink()
    for each in copy.iterdir():
        shutil.copy(each, folder)
    assert exchange.exchange.enter(AUDITOR, Role.AUDITOR, AUDITOR_SEAL).worker.start()
    assert len(exchange.office(AUDITOR).database.all("SELECT * FROM mandates")) == 1
    exchange.settle()
    assert exchange.office(AUDITOR).database.all("SELECT * FROM mandates") == []
    assert len(said_in(exchange, record_of(AUDITOR), "AccessEnded")) == 1


def test_a_file_that_is_made_again_opens_also_after_the_auditors_key_was_renewed(exchange: Mandated) -> None:
    given = exchange.given(exchange.terms(days=200))
    old = exchange.file(given)
    for _ in range(10):
        exchange.days(10)
    with pytest.raises(DisclosureError, match="is gone: let their writer make the file anew"):
        accept(exchange.office(AUDITOR), old)
    assert accept(exchange.office(AUDITOR), exchange.file(given)).name == given.name


def test_a_mandate_is_not_given_to_nobody_nor_for_nothing_nor_for_a_day_that_is_over_or_too_far(exchange: Mandated) -> None:
    school = exchange.office(SCHOOL)
    for days in (-1, 367):
        with pytest.raises(RefusedError, match="last day lies between"):
            disclose(school, exchange.case, AUDITOR, exchange.terms(days=days))
    with pytest.raises(RefusedError, match="no auditor of this id"):
        disclose(school, exchange.case, "auditor-nobody", exchange.terms())
    with pytest.raises(RefusedError, match="names no type of event"):
        disclose(school, exchange.case, AUDITOR, exchange.terms(types=("Meeting",)))
    with pytest.raises(RefusedError, match="nothing to disclose"):
        disclose(school, exchange.case, AUDITOR, exchange.terms(types=("AgreementConcluded",)))
    assert len(said_in(exchange, RECORD, "AccessGranted")) == 1


def test_what_was_erased_is_not_disclosed(exchange: Mandated) -> None:
    school = exchange.office(SCHOOL)
    now = school.clock()
    school.database.run("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE key_use = 'CASE' AND channel = ?", now, RECORD)
    opened = personal_of(exchange, exchange.accepted(exchange.terms(personal=True)))
    assert [name for name, said in opened.items() if said == "opened"] == ["InformationRequested"]


def test_nothing_is_shown_if_the_use_cannot_be_recorded(exchange: Mandated) -> None:
    mandate = exchange.accepted()
    auditor = exchange.office(AUDITOR)
    auditor.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", auditor.clock())
    with pytest.raises(RefusedError, match="The worker is starting"):
        note_use(auditor, mandate, AccessUse.SHOW)


def test_an_end_that_cannot_be_recorded_yet_is_recorded_later_and_nothing_is_shown_meanwhile(exchange: Mandated) -> None:
    mandate = exchange.accepted(exchange.terms(days=1))
    auditor = exchange.office(AUDITOR)
    auditor.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", auditor.clock())
    exchange.exchange.clock.now += 3 * 86_400_000
    assert EndingHeld().end_once(auditor) == 0
    assert any("the end of a mandate is not recorded yet" in each for each in auditor.alarms)
    auditor.database.run("DELETE FROM said WHERE name = 'starting'")
    with pytest.raises(RefusedError, match="has ended"):
        note_use(auditor, mandate, AccessUse.SHOW)
    assert EndingHeld().end_once(auditor) == 1
    assert EndingHeld().end_once(auditor) == 0

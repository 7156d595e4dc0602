"""Stories that contradict themselves: what the events of a case say of each other, held together by who may open both sides."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from random import Random
from uuid import UUID

import pytest

from services.audit.events import events_of
from services.audit.exploring import line_of
from services.audit.held import HeldSince
from services.audit.keys import Keys
from services.audit.report import Finding, Report
from services.audit.sequences import look_at_sequences
from services.audit.verify import examine_log
from services.channel.port import Channel
from services.commission.input import RegistrationInput, ReturnInput
from services.post.history import New
from services.post.saving import act
from services.school.domain.receiving import SchoolDomain
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import Held, Receipt
from services.wire.entry import YEAR_10000_MILLISECONDS, body_digest, decode_entry
from services.wire.errors import OrderError
from services.wire.events import (
    Answer,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    DeadlineName,
    DeadlinePassed,
    RecommendationExpired,
    ReminderSent,
    ReturnGround,
)
from services.wire.hashing import Digest, digest_of
from tests.attacks.test_bases import keys, outcome
from tests.attacks.workshop import FROM, OTHER, RECORD, SEALS, TO, MemoryLog, Workshop
from tests.chains import ROOT, SCHOOL, seal_of
from tests.integration.test_two_sides import answered, asked, commission, examined, recommended, school
from tests.people import CONSENT, CONSENT_PERSONAL, another_pupil
from tests.troubles import digest_at, epoch_after, raw_event, settled

NOWHERE = digest_of(b"an event that nobody wrote")
EXPIRED = RecommendationExpired(of=NOWHERE, on=date(2026, 11, 1))
SIGNED = ConfirmationGivenPersonal(official="nobody")


def look(shop: Workshop, *readers: str) -> Report:
    return looked(shop, keys(shop, *(readers or (COMMISSION, SCHOOL))), shop.log)


def looked(shop: Workshop, held: tuple[bytes, ...], log: Channel) -> Report:
    seen = examine_log(log, ROOT, threads=1, there=tuple(shop.there), facts_keys=held)
    look_at_sequences(seen, events_of(log, seen, Keys.of(held)))
    return seen.report


def found(shop: Workshop, *readers: str) -> list[Finding]:
    return [each for each in look(shop, *readers).findings if each.error == OrderError.__name__]


def notes(shop: Workshop, channel: str) -> str:
    report = look(shop)
    assert report.findings == []
    return "; ".join(report.of(channel).notes)


def collude(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the school take whatever the commission says."""
    monkeypatch.setattr(SchoolDomain, "judge", lambda *_: None)


def request_of(shop: Workshop, mine: UUID) -> Digest:
    request = school(shop).case(mine).request
    assert request is not None
    return request.body


def yes(shop: Workshop, theirs: UUID, reply: Digest | None, *, number: int = 1) -> None:
    """Let the commission answer what no clerk can."""
    facts = ConfirmationGiven(answer=Answer.YES, wording=number, basis=outcome(shop, theirs))
    act(shop.commission.office, theirs, lambda _: (New(facts=facts, personal=SIGNED, in_reply_to=reply),), school=SCHOOL)
    settled(shop)


def corrected(shop: Workshop, theirs: UUID, corrects: Digest, *, number: int = 1) -> None:
    facts = ConfirmationCorrected(answer=Answer.YES, wording=number, corrects=corrects, basis=outcome(shop, theirs))
    new = New(facts=facts, personal=ConfirmationCorrectedPersonal(official="nobody"))
    act(shop.commission.office, theirs, lambda _: (new,), school=SCHOOL)
    settled(shop)


def recommended_case(shop: Workshop, pupil: int = 1) -> tuple[UUID, UUID]:
    mine, theirs = asked(shop, pupil=another_pupil(pupil))
    examined(shop, theirs)
    recommended(shop, theirs)
    return mine, theirs


def last_body(shop: Workshop, channel: str) -> Digest:
    return body_digest(decode_entry(shop.there[channel][-1]).unverified_statement.body)


def test_an_honest_story_contradicts_nothing(shop: Workshop) -> None:
    for pupil in (1, 2, 3):
        mine, theirs = recommended_case(shop, pupil)
        answered(shop, theirs)
        settled(shop)
        assert shop.members[SCHOOL].state(mine) == "ReadyForDecision"
    report = look(shop, COMMISSION, SCHOOL, OTHER)
    assert report.findings == []
    assert [note for each in report.channels for note in each.notes] == []


@pytest.mark.shows("I6")
def test_two_events_of_one_case_that_follow_the_same_one(shop: Workshop) -> None:
    mine, _ = asked(shop)
    first = shop.members[SCHOOL].office.store.stream(mine).events[0]
    after = digest_of(first.body)
    assert found(shop) == []
    raw_event(shop, SCHOOL, RECORD, CONSENT, CONSENT_PERSONAL, case_id=mine.bytes, after=after)
    settled(shop)
    (finding,) = found(shop)
    assert (finding.channel, finding.sequence) == (RECORD, len(shop.there[RECORD]))
    assert finding.what == "ConsentRecorded names as the event before it in its case one that another of its events names already"
    assert finding.found == after.hex()
    # Who may not open the record sees nothing, and accuses nobody.
    assert found(shop, OTHER) == []


def test_a_case_that_begins_twice(shop: Workshop) -> None:
    mine, _ = asked(shop)
    raw_event(shop, SCHOOL, RECORD, CONSENT, CONSENT_PERSONAL, case_id=mine.bytes)
    settled(shop)
    (finding,) = found(shop)
    assert finding.found == "none before it"


def test_an_event_after_one_of_another_case_and_after_a_receipt(shop: Workshop) -> None:
    mine, _ = asked(shop)
    other, _ = asked(shop, pupil=another_pupil(2))
    settled(shop)
    end = digest_of(shop.members[SCHOOL].office.store.stream(other).events[-1].body)
    receipt = body_digest(decode_entry(shop.there[TO][-1]).unverified_statement.body)
    for after in (end, receipt):
        raw_event(shop, SCHOOL, RECORD, CONSENT, CONSENT_PERSONAL, case_id=mine.bytes, after=after)
    settled(shop)
    assert [each.found for each in found(shop)] == [end.hex(), receipt.hex()]
    assert {each.what for each in found(shop)} == {
        "ConsentRecorded names as the event before it in its case one that is not of its case"
    }


def test_an_event_after_one_that_nobody_wrote_and_after_one_that_an_epoch_may_have_overruled(shop: Workshop) -> None:
    mine, _ = asked(shop)
    raw_event(shop, SCHOOL, RECORD, CONSENT, CONSENT_PERSONAL, case_id=mine.bytes, after=NOWHERE)
    settled(shop)
    (finding,) = found(shop)
    assert (finding.expected, finding.found) == (NOWHERE.hex(), "nothing")
    assert "that stands nowhere" in finding.what
    epoch_after(shop, TO, SCHOOL, SEALS[SCHOOL][1], back=0)
    report = look(shop)
    assert [each for each in report.findings if each.error == OrderError.__name__] == []
    assert f"{TO} is not whole here, or an epoch overruled a part of it" in "; ".join(report.of(RECORD).notes)


def test_a_liar_that_puts_something_beside_its_chain_is_found_as_soon_as_it_writes_on(shop: Workshop) -> None:
    mine, _ = asked(shop)
    raw_event(shop, SCHOOL, RECORD, CONSENT, CONSENT_PERSONAL, case_id=mine.bytes, after=NOWHERE)
    settled(shop)
    # At the end of a channel it may be what is left of an entry, and nobody can tell.
    shop.there[TO].append(shop.pen(TO, seal=seal_of("stranger")).confirmed())
    assert found(shop) == []
    asked(shop, pupil=another_pupil(2))
    settled(shop)
    (finding,) = found(shop)
    assert finding.expected == NOWHERE.hex()


@pytest.mark.parametrize("left", [slice(0, -40), slice(1, None)])
def test_an_event_after_one_that_is_damaged_at_the_end_of_its_channel_convicts_nobody(shop: Workshop, left: slice) -> None:
    shop.asked()
    assert found(shop) == []
    shop.there[RECORD][-1] = shop.there[RECORD][-1][left]
    assert found(shop) == []
    assert f"one that stands nowhere; {RECORD} is not whole here" in "; ".join(look(shop).of(TO).notes)


def test_an_epoch_of_one_school_frees_the_commission_of_nothing_in_the_cases_of_another(shop: Workshop) -> None:
    _, theirs = asked(shop)
    raw_event(shop, COMMISSION, record_of(COMMISSION), EXPIRED, case_id=theirs.bytes, after=NOWHERE)
    raw_event(shop, COMMISSION, record_of(COMMISSION), EXPIRED, case_id=UUID(int=7).bytes, after=digest_of(b"nowhere else"))
    settled(shop)
    assert len(found(shop)) == 2
    epoch_after(shop, to_commission(OTHER), OTHER, SEALS[OTHER][1], back=0)
    settled(shop)
    # Of whom the second case is nobody can tell.
    (finding,) = found(shop)
    assert (finding.channel, finding.expected) == (record_of(COMMISSION), NOWHERE.hex())
    assert f"{to_commission(OTHER)} is not whole here" in "; ".join(look(shop).of(record_of(COMMISSION)).notes)


def test_what_is_missing_from_a_log_is_missed_once_and_not_by_each_that_names_it(shop: Workshop) -> None:
    _, theirs = recommended_case(shop)
    answered(shop, theirs)
    settled(shop)
    del shop.there[TO][-4:]
    report = look(shop)
    assert {each.error for each in report.findings} == {"MissingError"}


@pytest.mark.shows("I3")
def test_a_second_answer_to_one_request_that_its_reader_took(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    collude(monkeypatch)
    mine, theirs = recommended_case(shop)
    answered(shop, theirs)
    first = last_answer(shop)
    yes(shop, theirs, request_of(shop, mine), number=3)
    (finding,) = found(shop)
    assert finding.what == "ConfirmationGiven answers what another one answers already"
    assert (finding.expected, finding.found) == (first.hex(), last_answer(shop).hex())


class Growing(MemoryLog):
    """A log whose channel of requests had fewer entries when it was asked for first: the others came while all are asked."""

    first: int = 0

    def end(self, channel: str) -> int:
        known, self.first = self.first, self.first if channel != TO else 0
        return known if channel == TO and known else super().end(channel)


def test_an_answer_to_a_request_that_came_while_the_channels_were_being_read(shop: Workshop) -> None:
    mine, theirs = recommended_case(shop)
    request, before = request_of(shop, mine), len(shop.there[TO])
    answered(shop, theirs)
    settled(shop)
    log = Growing(shop.there)
    bodies = [body_digest(decode_entry(each).unverified_statement.body) for each in shop.there[TO]]
    log.first = bodies.index(request)
    assert log.first < before
    assert looked(shop, keys(shop, COMMISSION, SCHOOL), log).findings == []


def last_answer(shop: Workshop) -> Digest:
    """Return the body of the last sealed entry to the school."""
    entries = [decode_entry(each).unverified_statement for each in shop.there[FROM]]
    return body_digest([each.body for each in entries if not hasattr(each.body, "content")][-1])


def test_a_second_answer_that_its_reader_refused_is_no_second_story(shop: Workshop) -> None:
    mine, theirs = recommended_case(shop)
    answered(shop, theirs)
    yes(shop, theirs, request_of(shop, mine), number=3)
    assert len(shop.members[SCHOOL].held("refused")) == 1
    assert found(shop) == []


@pytest.mark.parametrize("how", ["under a key that is not held", "cut off", "overruled"])
def test_a_second_answer_whose_refusal_is_not_seen_is_no_second_story(shop: Workshop, how: str) -> None:
    mine, theirs = recommended_case(shop)
    answered(shop, theirs)
    settled(shop)
    before, held = len(shop.there[TO]), keys(shop, COMMISSION, SCHOOL)
    if how == "under a key that is not held":
        shop.members[SCHOOL].office.ring.supersede_all_facts_keys()
    yes(shop, theirs, request_of(shop, mine), number=3)
    assert len(shop.members[SCHOOL].held("refused")) == 1
    behind = len(shop.there[TO]) - before
    if how == "cut off":
        del shop.there[TO][before:]
    elif how == "overruled":
        epoch_after(shop, TO, SCHOOL, SEALS[SCHOOL][1], back=behind)
    report = looked(shop, held, shop.log)
    assert [each for each in report.findings if each.error == OrderError.__name__] == []
    told = "; ".join(report.of(FROM).notes)
    assert f"answers what another one answers already; whether one of them was refused cannot be told: {TO}" in told


@pytest.mark.parametrize("is_taken", [True, False])
def test_an_answer_to_a_request_that_nobody_made(shop: Workshop, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool) -> None:
    if is_taken:
        collude(monkeypatch)
    _, theirs = recommended_case(shop)
    yes(shop, theirs, NOWHERE)
    (finding,) = found(shop)
    assert (finding.what, finding.found) == ("ConfirmationGiven answers a request that stands nowhere", "nothing")


def test_a_reminder_of_a_request_that_nobody_made_and_of_one_of_another_case(shop: Workshop) -> None:
    mine, _ = asked(shop)
    other, _ = asked(shop, pupil=another_pupil(2))
    settled(shop)
    end = digest_of(shop.members[SCHOOL].office.store.stream(mine).events[-1].body)
    for number, reply in enumerate((NOWHERE, request := request_of(shop, other)), start=1):
        said = ReminderSent(number=number, due_on=date(2026, 12, 1))
        raw_event(shop, SCHOOL, TO, said, case_id=mine.bytes, after=end, in_reply_to=reply)
        settled(shop)
        end = last_request(shop)
    assert [(each.what, each.found) for each in found(shop)] == [
        ("ReminderSent answers one that is not of its case", request.hex()),
        ("ReminderSent answers one that stands nowhere", "nothing"),
    ]


def test_an_answer_to_nothing_to_another_case_and_to_what_is_no_request(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    collude(monkeypatch)
    _, first = recommended_case(shop, 1)
    other, second = recommended_case(shop, 2)
    yes(shop, first, None)
    yes(shop, first, request_of(shop, other), number=3)
    consent = next(each for each in shop.members[SCHOOL].office.store.stream(other).events if each.topic == "ConsentRecorded")
    yes(shop, second, digest_of(consent.body), number=4)
    assert [(each.what, each.found) for each in found(shop)] == [
        ("ConfirmationGiven answers nothing", "nothing"),
        ("ConfirmationGiven answers what is of another case or school", f"{second} in {FROM}"),
        ("ConfirmationGiven answers a request and names something else", digest_of(consent.body).hex()),
    ]


def test_a_correction_of_nothing_of_another_case_and_of_what_was_corrected_before(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    collude(monkeypatch)
    _, first = recommended_case(shop, 1)
    answered(shop, first)
    answer = last_answer(shop)
    _, second = recommended_case(shop, 2)
    corrected(shop, first, NOWHERE)
    corrected(shop, second, answer)
    corrected(shop, first, request := last_request(shop))
    assert found_in(shop) == [
        ("ConfirmationCorrected corrects an answer that stands nowhere", "nothing"),
        ("ConfirmationCorrected corrects what is of another case or school", f"{first} in {FROM}"),
        ("ConfirmationCorrected corrects an answer and names something else", request.hex()),
    ]
    corrected(shop, first, answer)
    assert len(found_in(shop)) == 3
    corrected(shop, first, answer, number=5)
    assert found_in(shop)[3][0] == "ConfirmationCorrected corrects what another one corrects already"


def last_request(shop: Workshop) -> Digest:
    entries = [decode_entry(each).unverified_statement for each in shop.there[TO]]
    return body_digest([each.body for each in entries if not hasattr(each.body, "content")][-1])


def found_in(shop: Workshop) -> list[tuple[str, str]]:
    return [(each.what, each.found) for each in found(shop)]


def days(shop: Workshop, count: int) -> None:
    shop.clock.now += count * 86_400_000


def test_an_answer_that_says_to_be_in_time_and_stands_behind_what_was_signed_after_the_term(shop: Workshop) -> None:
    mine, theirs = recommended_case(shop)
    request = school(shop).case(mine).request
    assert request is not None
    settled(shop)
    late = request.facts.due_on - shop.commission.office.today + timedelta(days=3)
    days(shop, late.days)
    settled(shop)
    assert notes(shop, FROM) == ""
    # The day that ``raw_event`` says is long before.
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=outcome(shop, theirs))
    after = digest_of(shop.commission.office.store.stream(theirs).events[-1].body)
    raw_event(shop, COMMISSION, FROM, facts, SIGNED, case_id=theirs.bytes, after=after, in_reply_to=request.body)
    settled(shop)
    told = notes(shop, FROM)
    assert f"an answer says that it was recorded on 2024-10-04, in the term until {request.facts.due_on}" in told
    assert f"what stands before it says {request.facts.due_on + timedelta(days=3)}" in told


def passes(shop: Workshop, mine: UUID, due_on: date) -> None:
    """Let the school say that the term for an answer has passed."""
    lie = DeadlinePassed(deadline=DeadlineName.COMMISSION_REPLY, due_on=due_on)
    act(shop.members[SCHOOL].office, mine, lambda _: (New(facts=lie),))
    settled(shop)


def term_of(shop: Workshop, mine: UUID) -> date:
    request = school(shop).case(mine).request
    assert request is not None
    return request.facts.due_on


def test_a_term_that_is_said_to_have_passed_although_a_receipt_holds_the_answer(shop: Workshop) -> None:
    mine, theirs = recommended_case(shop)
    answered(shop, theirs)
    settled(shop)
    receipted, due_on = shop.members[SCHOOL].office.today, term_of(shop, mine)
    days(shop, (due_on - receipted).days + 1)
    passes(shop, mine, due_on)
    assert f"is said to have passed; a receipt of its writer says that it held the answer on {receipted}" in notes(shop, RECORD)


def test_a_term_that_is_said_to_have_passed_before_its_end(shop: Workshop) -> None:
    mine, _ = recommended_case(shop)
    passes(shop, mine, due_on := term_of(shop, mine))
    told = f"the term for an answer until {due_on} is said to have passed; that is said on {shop.commission.office.today}"
    assert told in notes(shop, RECORD)


def test_a_term_that_is_said_to_have_passed_and_that_no_request_has(shop: Workshop) -> None:
    mine, _ = recommended_case(shop)
    passes(shop, mine, shop.commission.office.today - timedelta(days=1))
    assert "is said to have passed; no request of its case has that term" in notes(shop, RECORD)


def test_a_term_that_passed_is_not_told(shop: Workshop) -> None:
    mine, _ = recommended_case(shop)
    days(shop, (term_of(shop, mine) - shop.commission.office.today).days + 1)
    settled(shop)
    assert "DeadlinePassed" in [each.topic for each in shop.members[SCHOOL].office.store.stream(mine).events]
    assert notes(shop, RECORD) == ""


def test_a_request_that_is_said_to_have_come_later_than_a_receipt_holds_it(shop: Workshop) -> None:
    _, theirs = asked(shop)
    settled(shop)
    held = shop.commission.office.today
    days(shop, 4)
    said = shop.commission.office.today
    commission(shop).register(theirs, RegistrationInput(register_number="R-1", received_on=said))
    settled(shop)
    told = notes(shop, record_of(COMMISSION))
    assert f"a request is said to have come on {said}; a receipt of its writer says that it held it on {held}" in told


def test_a_request_that_is_said_to_have_come_when_it_came_is_not_told(shop: Workshop) -> None:
    _, theirs = asked(shop)
    settled(shop)
    held = shop.commission.office.today
    days(shop, 4)
    commission(shop).register(theirs, RegistrationInput(register_number="R-1", received_on=held))
    settled(shop)
    assert notes(shop, record_of(COMMISSION)) == ""


def test_a_case_that_is_asked_about_again_is_registered_anew_on_a_later_day(shop: Workshop) -> None:
    mine, theirs = asked(shop)
    settled(shop)
    desk = commission(shop)
    desk.register(theirs, RegistrationInput(register_number="R-1", received_on=shop.commission.office.today))
    days(shop, 4)
    desk.return_request(theirs, ReturnInput(grounds=(ReturnGround.NO_APPLICATION_COPY,)))
    settled(shop)
    school(shop).request(mine)
    settled(shop)
    desk.register(theirs, RegistrationInput(register_number="R-2", received_on=shop.commission.office.today))
    settled(shop)
    assert notes(shop, record_of(COMMISSION)) == ""


@pytest.mark.parametrize("seed", range(50))
def test_receipts_by_the_thousand_say_since_when_something_is_held_as_each_of_them_does(seed: int) -> None:
    draw = Random(seed)  # noqa: S311  # no secret
    held, lines = HeldSince(), list[tuple[tuple[int, int], date]]()
    for _ in range(20):
        upto, day = (draw.randrange(3), draw.randrange(8)), date(2026, 1, 1 + draw.randrange(8))
        held.add(upto, day)
        lines.append((upto, day))
        for place in product(range(3), range(9)):
            # What was held in an earlier epoch than the one of a place is not what stands there now.
            assert held.since(place) == min((day for upto, day in lines if upto >= place), default=None)


def test_a_receipt_of_the_last_hour_of_the_last_year_ends_no_look_and_no_list(shop: Workshop) -> None:
    pen = shop.pen(TO)
    pen.back = -(YEAR_10000_MILLISECONDS - 1_790_000_000_000 - 1_000)
    shop.there[TO].append(
        pen.open(Receipt(held=(Held(channel=FROM, epoch=0, sequence=1, digest=digest_at(shop, FROM, 1)),), record=None))
    )
    assert look(shop).findings == []
    seen = examine_log(shop.log, ROOT, threads=1)
    assert date.max.isoformat() in [line_of(each).on for each in events_of(shop.log, seen)]


def test_the_first_note_on_what_events_say_is_told_before_a_flood_of_junk_and_the_others_are_counted(shop: Workshop) -> None:
    cases = [asked(shop, pupil=another_pupil(number))[1] for number in (1, 2)]
    settled(shop)
    days(shop, 4)
    for theirs in cases:
        commission(shop).register(theirs, RegistrationInput(register_number="R-1", received_on=shop.commission.office.today))
    settled(shop)
    record = record_of(COMMISSION)
    shop.there[record] += [b"junk"] * 150
    report = look(shop).of(record)
    assert "a request is said to have come on" in report.notes[0]
    assert (report.notes_untold, report.notes[-1]) == (51, "and 51 more notes")
    assert [each for each in report.notes if "more notes" in each] == ["and 51 more notes"]
    assert sum("a request is said to have come on" in each for each in report.notes) == 1

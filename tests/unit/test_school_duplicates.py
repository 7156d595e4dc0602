"""Two applications about one pupil at one school: one goes on, the other is its duplicate, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.policy.calendar import birthday
from services.post.history import Deadline, New
from services.school.domain import completing, duplicates, leaving, refusals, refusals_completing, refusals_deciding
from services.school.domain.case import SchoolState, fold
from services.school.domain.finding import OF_AGE
from services.school.domain.folded import SchoolCase
from services.school.domain.parts import ENDED
from services.school.domain.receiving import SchoolDomain
from services.school.input import DuplicateInput, IncompleteInput, LeavingForm, ReopeningForm, SupplementInput, WithdrawalForm
from services.wire.events import (
    AddressKind,
    ApplicationFoundIncomplete,
    ApplicationWithdrawn,
    Authority,
    CaseClosed,
    ClosingCause,
    ConsentWithdrawn,
    DuplicateCause,
    DuplicateLinked,
    DuplicateReopened,
    DuplicateReopenedPersonal,
    EligibilityOutcome,
    LeavingCause,
    MissingItem,
    PupilCameOfAge,
    PupilCameOfAgePersonal,
    PupilLeftSchool,
    RepresentativeChanged,
)
from tests.given_when_then import Given, body, given
from tests.judged import EVALUATED, FILED_A1, GRANTED, REFUSED, SCREENED
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, FILED_B2, FILED_ELECTRONIC, FILED_PERSONAL, REQUESTED_A2

_DOMAIN = SchoolDomain(lambda _: None)
_TODAY = date(2026, 9, 1)
_LINKED = DuplicateLinked(primary=body(1), cause=DuplicateCause.OTHER_PARENT)
_SECOND = (FILED_A2, CONSENT, ADDRESS_CHOSEN, _LINKED)
_WITHDRAWN = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, ApplicationWithdrawn(received_on=date(2026, 8, 27)))
_NOT_COMPLETED = (FILED_A2, CaseClosed(on=date(2026, 8, 31), cause=ClosingCause.NOT_SUPPLEMENTED))
_STANDS = ReopeningForm.model_construct(received_on=date(2026, 8, 28), by="Zane Paraudziņa")
_REOPENED = New(facts=DuplicateReopened(received_on=date(2026, 8, 28)), personal=DuplicateReopenedPersonal(by="Zane Paraudziņa"))
_LEFT_ALONE = (
    "the application of which this one is a duplicate was withdrawn, or closed because it was not completed:"
    " ask its requester whether this one stands, and reopen or withdraw it"
)


def state(*events: object) -> SchoolState:
    return given(fold, *events).case.state


def reopen(case: SchoolCase, form: ReopeningForm, today: date = _TODAY, **personal: object) -> tuple[New, ...]:
    """Reopen on a day on which ``personal`` opens, by the numbers of the events: ``event_1`` is of the first."""
    opened = {body(int(name.removeprefix("event_"))): each for name, each in personal.items()}
    return duplicates.reopen_duplicate(case, form, today=today, opened=opened.get)


def seen(*events: object, other: tuple[object, ...]) -> Given[Any]:
    """Return a case's history, folded as it stands with the other case."""
    return given(lambda history: duplicates.seen_with(fold(history), given(fold, *other).case), *events)


@pytest.mark.shows("D5.5")
def test_duplicate_is_linked_to_the_case_that_goes_on() -> None:
    """Paper and electronic, both parents: one of them asks the commission."""
    primary = given(fold, FILED_A2).case
    form = DuplicateInput.model_construct(primary=None, cause=DuplicateCause.SAME_PUPIL, supersedes=None)
    linked = DuplicateLinked(primary=body(1), cause=DuplicateCause.SAME_PUPIL)
    named: Any = {"primary": primary, "is_itself": False, "is_same_pupil": True}
    given(fold, FILED_B2).when(duplicates.link_duplicate, form, **named).then(New(facts=linked))
    assert state(FILED_B2, linked) is SchoolState.DUPLICATE
    given(fold, FILED_B2, linked).when(duplicates.link_duplicate, form, **named).refused(refusals.CaseEndedError)
    asked = given(fold, FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
    asked.when(duplicates.link_duplicate, form, **named).refused(refusals.RequestOpenError)


@pytest.mark.shows("D5.5", "D5.19")
def test_what_a_duplicate_says_later_of_consent_and_address_is_never_lost_unasked() -> None:
    """It supersedes only if it is later, and the requester says so; the clerk is told what there is to ask about."""
    later = replace(ADDRESS_CHOSEN, confirmed_on=date(2026, 8, 19))
    other_kind = replace(ADDRESS_CHOSEN, address=AddressKind.SCHOOL)
    again, taken_back = replace(CONSENT, received_on=date(2026, 8, 19)), ConsentWithdrawn(received_on=date(2026, 8, 18))
    another = RepresentativeChanged(authority=Authority.GUARDIAN, from_on=date(2026, 8, 18))
    unsaid = DuplicateInput.model_construct(primary=None, cause=DuplicateCause.SAME_PUPIL, supersedes=None)
    for first, second, more in (
        ((FILED_A2,), (FILED_A2, CONSENT, ADDRESS_CHOSEN), (MissingItem.CONSENT, MissingItem.ADDRESS)),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN), (FILED_A2, CONSENT, later), (MissingItem.ADDRESS,)),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN), (FILED_A2, CONSENT, other_kind), (MissingItem.ADDRESS,)),
        ((FILED_A2, CONSENT, later), (FILED_A2, CONSENT, ADDRESS_CHOSEN), ()),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN), (FILED_A2, CONSENT, ADDRESS_CHOSEN), ()),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN), (FILED_A2,), ()),
        ((FILED_A1,), (FILED_A2, CONSENT, ADDRESS_CHOSEN), ()),
        ((FILED_A2, GRANTED), (FILED_A2, CONSENT), ()),
        # What was taken back since, or said by whom another represents the pupil instead, is not later.
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN, taken_back), (FILED_A2, CONSENT, ADDRESS_CHOSEN), ()),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN, taken_back), (FILED_A2, again), (MissingItem.CONSENT,)),
        ((FILED_A2, CONSENT, ADDRESS_CHOSEN, another), (FILED_A2, CONSENT, ADDRESS_CHOSEN), ()),
        ((FILED_A2, another), (FILED_A2, again, later), (MissingItem.CONSENT, MissingItem.ADDRESS)),
    ):
        primary = given(fold, *first).case
        named: Any = {"primary": primary, "is_itself": False, "is_same_pupil": True}
        assert duplicates.said_more(given(fold, *second).case, primary) == more
        when = given(fold, *second).when(duplicates.link_duplicate, unsaid, **named)
        if more:
            when.refused(refusals_completing.DuplicateSaysMoreError, "supersedes")
            left = unsaid.model_copy(update={"supersedes": False})
            assert duplicates.link_duplicate(given(fold, *second).case, left, **named)
        else:
            when.then(New(facts=DuplicateLinked(primary=body(1), cause=DuplicateCause.SAME_PUPIL)))


@pytest.mark.shows("D5.5")
def test_duplicate_is_of_another_case_that_goes_on_about_the_same_pupil() -> None:
    form = DuplicateInput.model_construct(primary=None, cause=DuplicateCause.OTHER_PARENT, supersedes=None)
    right: Any = {"primary": given(fold, FILED_A2).case, "is_itself": False, "is_same_pupil": True}
    ended = given(fold, FILED_A2, DuplicateLinked(primary=body(9), cause=DuplicateCause.SAME_PUPIL)).case
    assert ended.state in ENDED
    for wrong, error in (
        ({"is_itself": True}, refusals_completing.DuplicateOfItselfError),
        ({"is_same_pupil": False}, refusals_completing.OtherPupilError),
        ({"primary": ended}, refusals_completing.PrimaryEndedError),
        ({"primary": given(fold).case}, refusals_completing.PrimaryEndedError),
    ):
        given(fold, FILED_B2).when(duplicates.link_duplicate, form, **(right | wrong)).refused(error)


@pytest.mark.shows("D5.5", "D5.20")
def test_of_two_applications_the_first_that_is_valid_proceeds() -> None:
    """Where the first lacks something, or the other was asked about already, the other goes on."""
    form = DuplicateInput.model_construct(primary=None, cause=DuplicateCause.OTHER_PARENT, supersedes=False)
    whole = (FILED_A2, CONSENT, ADDRESS_CHOSEN)
    later = (replace(FILED_A2, received_on=date(2026, 8, 18)), CONSENT, ADDRESS_CHOSEN)

    def link(*events: object, primary: tuple[object, ...]) -> tuple[New, ...]:
        other = given(fold, *primary).case
        return duplicates.link_duplicate(given(fold, *events).case, form, primary=other, is_itself=False, is_same_pupil=True)

    linked = New(facts=_LINKED)
    with pytest.raises(refusals_completing.FirstProceedsError, match="came first"):
        link(*whole, primary=later)
    with pytest.raises(refusals_completing.FirstProceedsError):
        link(FILED_A1, primary=(replace(FILED_A1, received_on=date(2026, 8, 18)),))
    assert link(*later, primary=whole) == (linked,)
    assert link(*whole, primary=whole) == (linked,)
    assert link(*whole[:2], primary=later) == (linked,)
    assert link(FILED_ELECTRONIC, *whole[1:], primary=later) == (linked,)
    assert link(*whole, replace(SCREENED, outcome=EligibilityOutcome.INELIGIBLE), primary=later) == (linked,)
    assert link(*whole, primary=(*later, REQUESTED_A2)) == (linked,)
    assert link(*whole, primary=(*later, GRANTED)) == (linked,)


@pytest.mark.shows("D5.5", "D5.7", "D5.20")
@pytest.mark.parametrize(("other", "since"), [(_WITHDRAWN, date(2026, 8, 27)), (_NOT_COMPLETED, date(2026, 8, 31))])
def test_a_duplicate_whose_other_application_comes_to_nothing_is_due_and_its_requester_is_asked(
    other: tuple[object, ...], since: date
) -> None:
    """No parent has a veto: who steps back, or completes nothing, ends no claim of the other's."""
    mine, theirs = given(fold, *_SECOND).history, given(fold, *other).history
    row, outlook = _DOMAIN.row_with(mine, theirs), _DOMAIN.outlook_with(mine, theirs, _TODAY)
    assert (row.state, row.due_on) == ("Duplicate: LeftAlone", since)
    assert row.deadlines == (Deadline(name="DuplicateLeftAlone", due_on=since),)
    assert outlook.missing == (_LEFT_ALONE,)
    assert {each.act for each in outlook.allowed} == {"reopen", "withdraw", "leave"}
    # Of its own history alone, or once its day has passed, nothing happens by itself.
    assert (_DOMAIN.row(mine).state, _DOMAIN.row(mine).deadlines) == ("Duplicate", ())
    assert _DOMAIN.fire(mine, "DuplicateLeftAlone") == ()
    assert (_DOMAIN.rests_by, _DOMAIN.rests_on(mine), _DOMAIN.rests_on(mine[:3])) == ("DuplicateLinked", body(1), None)
    assert _DOMAIN.moves_others(theirs)
    assert not _DOMAIN.moves_others(mine)


@pytest.mark.shows("D5.5", "D5.20")
def test_a_duplicate_goes_on_from_where_it_stood_once_its_requester_says_that_it_stands() -> None:
    seen(*_SECOND, other=_WITHDRAWN).when(reopen, _STANDS).then(_REOPENED)
    again = given(fold, *_SECOND, _REOPENED.facts)
    assert again.case.state is SchoolState.READY_TO_REQUEST
    assert again.case.consent_body == body(2)
    assert _DOMAIN.rests_on(again.history) is None
    again.when(reopen, _STANDS).refused(refusals_completing.NoDuplicateError)
    early = _STANDS.model_copy(update={"received_on": date(2026, 8, 16)})
    seen(*_SECOND, other=_WITHDRAWN).when(reopen, early).refused(refusals_deciding.DateOrderError)
    # What can be decided is due from then on.
    whole = (FILED_A1, SCREENED, EVALUATED, _LINKED, _REOPENED.facts)
    assert [each.name for each in _DOMAIN.row(given(fold, *whole).history).deadlines] == ["SchoolDecision"]
    # Linked once more, to whatever goes on, it waits for that.
    assert state(*whole, _LINKED) is SchoolState.DUPLICATE


@pytest.mark.shows("D5.5", "D5.8", "D5.30")
@pytest.mark.parametrize("cause", [LeavingCause.TRANSFERRED, LeavingCause.DIED])
def test_a_pupil_who_goes_or_dies_ends_a_duplicate_that_was_left_alone_and_nobody_is_asked(cause: LeavingCause) -> None:
    """A family in mourning is not asked whether the application stands."""
    left = leaving.leave_school(seen(*_SECOND, other=_WITHDRAWN).case, LeavingForm.model_construct(on=_TODAY, cause=cause))
    closed = (CaseClosed(on=_TODAY, cause=ClosingCause.DIED),) if cause is LeavingCause.DIED else ()
    assert [new.facts for new in left] == [PupilLeftSchool(on=_TODAY, cause=cause), *closed]
    over = given(fold, *_SECOND, *(new.facts for new in left)).history
    row = _DOMAIN.row_with(over, given(fold, *_WITHDRAWN).history)
    assert (row.state, row.deadlines) == ("Closed" if closed else "Transferred", ())


@pytest.mark.shows("D5.1", "D5.5")
def test_a_term_to_complete_that_ran_while_a_duplicate_waited_closes_nothing_once_it_goes_on() -> None:
    """Nobody could supply anything meanwhile: what is lacking is told anew, with a term of its own."""
    told = ApplicationFoundIncomplete(missing=(MissingItem.CONSENT,), due_on=date(2026, 8, 26))
    again = given(fold, FILED_A2, ADDRESS_CHOSEN, told, _LINKED, _REOPENED.facts)
    assert again.case.state is SchoolState.INCOMPLETE
    assert _DOMAIN.row(again.history).deadlines == ()
    again.when(completing.close_unsupplemented, _TODAY).refused(refusals_completing.NotFoundIncompleteError)
    form = IncompleteInput.model_construct(missing=(MissingItem.CONSENT,), told_on=_TODAY, letter=None)
    (once_more,) = completing.find_incomplete(again.case, form)
    assert once_more.facts == replace(told, due_on=date(2026, 9, 15))


def test_whoever_acts_in_a_duplicate_that_was_left_alone_is_told_what_to_do_first() -> None:
    form = SupplementInput.model_construct(supplied=(MissingItem.IRP,), received_on=_TODAY)
    alone = seen(*_SECOND, other=_WITHDRAWN)
    alone.when(completing.supplement, form).refused(refusals.CaseEndedError, "reopen or withdraw it")
    leaving_form = LeavingForm.model_construct(on=_TODAY, cause=LeavingCause.OTHER)
    waiting = seen(*_SECOND, other=(FILED_A2,))
    waiting.when(leaving.leave_school, leaving_form).refused(refusals.CaseEndedError, "can apply anew")


@pytest.mark.shows("D5.5", "D5.21")
def test_a_pupil_who_came_of_age_while_the_duplicate_waited_is_the_requester_when_it_goes_on() -> None:
    """What happens by itself on a birthday finds no duplicate: it had ended."""
    case = seen(*_SECOND, other=_WITHDRAWN).case
    filed: Any = {"event_1": FILED_PERSONAL}
    assert reopen(case, _STANDS, birthday(FILED_PERSONAL.birth_date, OF_AGE) - timedelta(days=1), **filed) == (_REOPENED,)
    on = birthday(FILED_PERSONAL.birth_date, OF_AGE)
    came = New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=on))
    assert reopen(case, _STANDS, on, **filed) == (_REOPENED, came)
    again = given(fold, *_SECOND, _REOPENED.facts, came.facts).case
    assert again.state is SchoolState.INCOMPLETE
    assert again.consent_body is None


@pytest.mark.shows("D5.5", "D5.7")
def test_a_duplicate_whose_requester_steps_back_too_is_withdrawn() -> None:
    """One parent sent one application twice, and wants neither."""
    form = WithdrawalForm.model_construct(received_on=date(2026, 8, 28), by="Zane Paraudziņa")
    (made,) = leaving.withdraw_application(seen(*_SECOND, other=_WITHDRAWN).case, form)
    over = seen(*_SECOND, made.facts, other=_WITHDRAWN)
    assert over.case.state is SchoolState.WITHDRAWN
    assert over.case.left_alone_on is None
    over.when(leaving.withdraw_application, form).refused(refusals.CaseEndedError)
    over.when(reopen, _STANDS).refused(refusals_completing.NoDuplicateError)


@pytest.mark.shows("D5.5", "D5.8", "D5.30")
@pytest.mark.parametrize(
    "other",
    [
        (FILED_A2,),
        (FILED_A1, SCREENED, EVALUATED, GRANTED),
        (FILED_A2, REFUSED),
        (FILED_A2, PupilLeftSchool(on=date(2026, 8, 27), cause=LeavingCause.TRANSFERRED)),
        (
            FILED_A2,
            PupilLeftSchool(on=date(2026, 8, 27), cause=LeavingCause.DIED),
            CaseClosed(on=_TODAY, cause=ClosingCause.DIED),
        ),
        (FILED_A2, replace(_LINKED, primary=body(77))),
        (),
    ],
    ids=["open", "granted", "refused", "left", "died", "a duplicate itself", "not here"],
)
def test_nothing_is_reopened_while_the_other_application_goes_on_or_after_the_pupil_was_decided_about(
    other: tuple[object, ...],
) -> None:
    case = seen(*_SECOND, other=other)
    case.when(reopen, _STANDS).refused(refusals_completing.PrimaryGoesOnError)
    form = WithdrawalForm.model_construct(received_on=date(2026, 8, 28), by="Zane Paraudziņa")
    case.when(leaving.withdraw_application, form).refused(refusals.CaseEndedError)
    assert duplicates.seen_with(case.case, None) == case.case

"""What holds in every history (domain.md D.5, I1 to I8, and what follows from the rest), asked of the streams themselves.

Each check reads events, never what a domain folded of them: a fold that is wrong must not vouch for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from services.audit.claims import rests_on
from services.commission.domain.applying import fold as fold_commission
from services.post.history import Recorded, Standing
from services.school.domain.case import fold as fold_school
from services.wire.channels import ChannelKind, channel_kind, commission_case, to_commission
from services.wire.events import (
    AddressKind,
    Answer,
    ApplicationFiled,
    AssessmentLinked,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    ConsentRecorded,
    ConsentWithdrawn,
    CorrectedField,
    DeadlinePassed,
    Delivery,
    DeliveryAddressChanged,
    DocumentKind,
    DocumentsDispatched,
    EligibilityOutcome,
    EligibilityScreened,
    InformationRequested,
    Opinion,
    PupilCameOfAge,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    Redispatched,
    RefusalGround,
    Rejected,
    RejectedCode,
    RepresentativeChanged,
    RequestClosed,
    RequestCorrected,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    RevocationReason,
)
from services.wire.hashing import Digest
from tests.procedure.houses import Commission, House, School, World
from tests.procedure.people import MEDICAL

__all__ = ["EVENT_RULES", "check_agreement", "check_folds", "check_what_made_itself", "check_written"]

_MEDICAL_FACTS: Final = (Opinion, RefusalGround, RevocationReason, DocumentKind)
_BY_ITSELF: Final = (
    DeadlinePassed,
    RecommendationExpired,
    ConfirmationEnded,
    PupilCameOfAge,
    RequestCorrected,
    # Of a pupil who came of age: nothing goes to whoever represented them until they say where to.
    Delivery,
    DeliveryAddressChanged,
)
_ANSWERS: Final = (ConfirmationGiven, RequestReturned, RequestClosed, Rejected)


def check_written(world: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """Check an event when it has been written."""
    for check in EVENT_RULES.values():
        check(world, house, case_id, event)


def no_school_sees_anything_medical(world: World, _: House, __: UUID | None, event: Recorded) -> None:
    """I1: neither words nor codes of a diagnosis, an opinion or a reason go into what a school reads."""
    if channel_kind(event.channel) is not ChannelKind.FROM_COMMISSION:
        return
    assert MEDICAL not in repr((event.facts, world.commission.personal[event.body]))
    for value in (getattr(event.facts, each.name) for each in fields(event.facts)):
        parts = value if isinstance(value, tuple) else (value,)
        assert not any(isinstance(part, _MEDICAL_FACTS) for part in parts)


def no_request_without_consent(_: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """I2: the consent that a request names was recorded in its case, and stands; so does the address."""
    if case_id is None or not isinstance(event.facts, InformationRequested):
        return
    history = _before(house, case_id, event)
    place = next(number for number, each in enumerate(history) if each.body == event.facts.basis)
    assert isinstance(history[place].facts, ConsentRecorded)
    ends = (ConsentWithdrawn, RepresentativeChanged, PupilCameOfAge)
    assert not any(isinstance(each.facts, ends) for each in history[place:])
    applied = next(each for each in history if each.body == event.facts.application)
    assert isinstance(applied.facts, ApplicationFiled)


def one_open_request_at_a_time(_: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """I3: of one pupil, as far as the codes tell who that is, a school has one question open."""
    if case_id is None or not isinstance(house, School) or not isinstance(event.facts, InformationRequested):
        return
    codes = _codes(house, case_id)
    others = (each for each in house.cases if each == case_id or codes & _codes(house, each))
    assert [request for each in others for request in _open_requests(house.cases[each])] == [event.body]


def no_yes_without_a_recommendation(world: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """I4: a yes names a recommendation, a no a refusal or what took a recommendation back, earlier in the commission's record."""
    answer = event.facts
    if case_id is None or not isinstance(answer, ConfirmationGiven | ConfirmationCorrected):
        return
    commission = world.commission
    rests_on = commission.case_with(answer.basis)
    assert rests_on is not None
    if rests_on != case_id:
        linked = {getattr(each.facts, "primary", None) for each in house.cases[case_id]}
        assert linked.intersection(each.body for each in commission.cases[rests_on])
    # It is watched as soon as it is written: whatever is there is earlier, or was decided with it.
    basis = next(each for each in commission.cases[rests_on] if each.body == answer.basis)
    assert isinstance(basis.facts, RecommendationIssued) == (answer.answer is Answer.YES)
    if isinstance(answer, ConfirmationGiven) and answer.answer is Answer.NO:
        assert isinstance(basis.facts, RecommendationRefused) or basis.type == "RecommendationCorrected"


def letters_go_where_they_were_asked_to(world: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """I5 and I6: to the address of the request or the newest change of it; to a school only where that was chosen."""
    sent = event.facts
    if case_id is None or not isinstance(sent, DocumentsDispatched | Redispatched):
        return
    commission = world.commission
    says_where = (InformationRequested, RequestRegistered, DeliveryAddressChanged)
    told = [each for each in _before(house, case_id, event) if isinstance(each.facts, says_where)]
    chosen = [each for each in told if getattr(each.facts, "address", None) is not None][-1]
    assert sent.address_from == chosen.body
    assert sent.address is chosen.facts.address
    assert house.personal[event.body].address == house.personal[chosen.body].address
    assert not getattr(chosen.facts, "dispatch_on_hold", False)
    # Nobody was asked here: no form says address_confirmed_on.
    assert not commission.case(case_id).held_elsewhere
    # D.5, 19: nothing that others may open goes to an address that must not become known.
    assert sent.by is not Delivery.ORDINARY or not chosen.facts.address_protected
    assert sent.address is not AddressKind.SCHOOL or chosen.facts.address is AddressKind.SCHOOL


def nothing_is_asked_about_who_is_not_eligible(_: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """E10; D.5, 23: zero messages to the commission where the conditions, as they were evaluated last, are not met."""
    if case_id is None or not isinstance(event.facts, InformationRequested):
        return
    screened = [each.facts.outcome for each in _before(house, case_id, event) if isinstance(each.facts, EligibilityScreened)]
    assert not screened or screened[-1] is not EligibilityOutcome.INELIGIBLE


def what_was_written_is_kept(_: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """I7: what an event rests on by its place stands where it stood."""
    if case_id is None:
        return
    history = house.cases[case_id]
    place = next(number for number, each in enumerate(history) if each.body == event.body)
    assert event.after == (history[place - 1].body if place else None)


def it_rests_on_what_an_auditor_looks_for(_: World, house: House, case_id: UUID | None, event: Recorded) -> None:
    """No honest writer is convicted: a basis stands in its record before it, of the kind and the case that auditors ask for."""
    if case_id is None:
        return
    for what, basis, kinds in rests_on(event.facts):
        cases = {case_id}
        if isinstance(house, Commission):
            links = [each.facts.primary for each in house.cases[case_id] if isinstance(each.facts, AssessmentLinked)]
            cases.update(case for case in map(house.case_with, links) if case is not None)
        found = next((each for case in cases for each in house.cases[case] if each.body == basis), None)
        assert found is not None, f"{what} rests on nothing"
        assert isinstance(found.facts, kinds), f"{what} rests on {found.type}"
        assert channel_kind(found.channel) is ChannelKind.RECORD


EVENT_RULES: Final[dict[str, Callable[[World, House, UUID | None, Recorded], None]]] = {
    "I1": no_school_sees_anything_medical,
    "I2": no_request_without_consent,
    "I3": one_open_request_at_a_time,
    "I4": no_yes_without_a_recommendation,
    "I5, I6": letters_go_where_they_were_asked_to,
    "E10": nothing_is_asked_about_who_is_not_eligible,
    "I7": what_was_written_is_kept,
    "bases": it_rests_on_what_an_auditor_looks_for,
}
"""What is asked of each event when it is written, by what it shows."""


def check_what_made_itself(world: World) -> None:
    """Check that nothing was decided because time went by: a refusal is a person's (D.5, 15)."""
    for event in world.by_itself:
        assert isinstance(event.facts, _BY_ITSELF), f"{event.type} made itself"


def check_folds(world: World) -> None:
    """Check that looking, listing and folding anew change no stream, and give the same as folding event by event (I7)."""
    for house in world.houses:
        fold: Callable[[Sequence[Recorded]], Any] = fold_commission if isinstance(house, Commission) else fold_school
        for case_id, history in house.cases.items():
            bodies = [each.body for each in history]
            house.domain.row(history)
            house.domain.outlook(history, world.today)
            assert fold(history) == fold(history) == house.folded[case_id]
            assert [each.body for each in house.cases[case_id]] == bodies


def check_agreement(world: World) -> None:
    """Check that both sides say the same of each request, once everything has come (I8), and that nothing was refused.

    But where a school asked anew before it knew that the request that it had taken back was answered: that answer is the answer.
    """
    # Whatever crosses, each side takes: only honest houses write here, and no order of delivery is anybody's fault.
    refused = [(code.value, event.type) for code, event in world.refused if not _is_answered_by_the_first(world, code, event)]
    assert not refused
    for school in world.schools.values():
        for case_id in school.cases:
            _agree(world, school, case_id)


def _is_answered_by_the_first(world: World, code: RejectedCode, event: Recorded) -> bool:
    if code is not RejectedCode.WRONG_STATE or not isinstance(event.facts, InformationRequested):
        return False
    school = world.schools[event.writer]
    case_id = school.case_with(event.body)
    assert case_id is not None
    requests = school.case(case_id).requests
    asked_anew = next(number for number, each in enumerate(requests) if each.body == event.body)
    return any(each.is_withdrawn and each.answer is not None for each in requests[:asked_anew])


def _agree(world: World, school: School, case_id: UUID) -> None:
    theirs = world.commission.cases.get(commission_case(case_id, to_commission(school.name)), ())
    ours = school.cases[case_id]
    ids = [each.body for each in ours if channel_kind(each.channel) is not ChannelKind.RECORD and each.own]
    assert [each.body for each in theirs if not each.own] == ids
    heard = [each.body for each in ours if not each.own]
    assert [each.body for each in theirs if channel_kind(each.channel) is ChannelKind.FROM_COMMISSION] == heard
    if not theirs:
        return
    commission = world.commission.case(commission_case(case_id, to_commission(school.name)))
    assert commission.request is not None
    request = next(each for each in school.case(case_id).requests if each.body == commission.request.body)
    assert (request.answer, request.answer_body) == (commission.answer, commission.answer_body)
    assert request.is_withdrawn == commission.withdrawn
    assert request.is_returned == commission.returned
    assert request.reminders == commission.reminders
    assert request.not_matched == commission.not_matched
    assert request.rejected is None
    assert commission.answer_rejected is None
    assert (request.is_on_hold) == (commission.address is not None and commission.address.facts.dispatch_on_hold)
    if commission.closed is not None:
        # Whoever has no answer was told that none comes.
        assert request.answer is not None or request.is_closed or request.is_returned


def _before(house: House, case_id: UUID, event: Recorded) -> tuple[Recorded, ...]:
    history = house.cases[case_id]
    place = next(number for number, each in enumerate(history) if each.body == event.body)
    return tuple(each for each in history[:place] if each.standing is Standing.ACCEPTED)


def _codes(school: School, case_id: UUID) -> set[str]:
    """Return by which codes a case is known to be of its pupil."""
    found = set()
    for event in school.cases[case_id]:
        personal: Any = school.personal.get(event.body)
        if event.type == "ApplicationFiled":
            found.add(personal.application.pupil.personal_code)
        elif event.type == "PersonDataCorrected":
            old, new = personal.old.pupil.personal_code, personal.new.pupil.personal_code
            if CorrectedField.CODE in event.facts.changed:
                # Mistyped: another child's.
                found.discard(old)
            found.add(new)
    return found


def _open_requests(history: Sequence[Recorded]) -> Iterator[Digest]:
    """Yield the requests of a case that nobody answered, refused or took back."""
    accepted = [each for each in history if each.standing is Standing.ACCEPTED]
    over = {each.in_reply_to for each in accepted if isinstance(each.facts, (*_ANSWERS, RequestWithdrawn))}
    yield from (each.body for each in accepted if isinstance(each.facts, InformationRequested) and each.body not in over)

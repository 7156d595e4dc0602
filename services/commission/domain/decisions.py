"""What the commission may do on a school's request of variant a.2 or b.2: pure functions from a case to the events of the act.

Decides whether the procedure allows an act; every refusal is a leaf of ``refusals``. Nothing here reads a clock, a key or a
database: forms, rule sets and opened personal parts are arguments.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from services.commission.domain import refusals
from services.commission.domain.case import CommissionCase, Outcome, Request
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.policy.rules import Rules
from services.post.history import New
from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    Delivery,
    DocumentKind,
    DocumentsDispatched,
    DocumentsDispatchedPersonal,
    ExpertiseFileExamined,
    InformationRequestedPersonal,
    Intake,
    IrpIssued,
    IrpIssuedPersonal,
    Opinion,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRefused,
    RecommendationRefusedPersonal,
    RefusalGround,
    RequestRegistered,
    RequestRegisteredPersonal,
    Source,
)
from services.wire.wordings import wording_of

__all__ = [
    "answer",
    "dispatch_documents",
    "examine_file",
    "issue_irp",
    "issue_recommendation",
    "refuse_recommendation",
    "register_request",
]

# Which opinion the file must have shown for a ground; a ground that is not here needs an event which this release does not have.
_SHOWN_BY: Final = {
    RefusalGround.NEED_NOT_FOUND: (Opinion.VALID, Opinion.EXPIRED, Opinion.NONE),
    RefusalGround.NOT_ELIGIBLE: (Opinion.VALID, Opinion.EXPIRED, Opinion.NONE),
    RefusalGround.OPINION_MISSING: (Opinion.NONE,),
    RefusalGround.OPINION_EXPIRED: (Opinion.EXPIRED,),
}


def register_request(case: CommissionCase, form: RegistrationInput) -> tuple[New, ...]:
    """Return the event of a school's request entered in the register.

    Raises: NoRequestError, AlreadyRegisteredError.
    """
    request = _request_of(case)
    if case.registered is not None:
        raise refusals.AlreadyRegisteredError
    # The day on which the school says it wrote is not compared: a wrong clock there must not keep a request out here.
    facts = RequestRegistered(
        source=Source.SCHOOL, asks=request.facts.asks, intake=Intake.EXCHANGE, received_on=form.received_on, parts=()
    )
    return (New(facts=facts, personal=RequestRegisteredPersonal(register_number=form.register_number)),)


def examine_file(case: CommissionCase, form: ExaminationInput) -> tuple[New, ...]:
    """Return the event of an examination; before the outcome it may be repeated, the newest counts.

    Raises: NoRequestError, NotRegisteredError, AlreadyDecidedError, DateOrderError; ExaminedAlreadyError if it says the same.
    """
    _request_of(case)
    if case.registered is None:
        raise refusals.NotRegisteredError
    _undecided(case)
    _in_order(form.examined_on, "The examination", case.registered.received_on, "the receipt of the request")
    facts = ExpertiseFileExamined(
        file_found=form.file_found, opinion=form.opinion, opinion_until=form.opinion_until, examined_on=form.examined_on
    )
    # A command that was interrupted may have done its work although no list shows it yet; its repetition is not a second one.
    if facts == case.examination:
        raise refusals.ExaminedAlreadyError
    return (New(facts=facts),)


def issue_irp(case: CommissionCase, form: IrpInput) -> tuple[New, ...]:
    """Return the event of the rehabilitation plan that variant b.2 asks for.

    Raises: NoRequestError, IrpNotAskedError, NotExaminedError, NoFileError, AlreadyDecidedError, IrpIssuedError, DateOrderError.
    """
    if _request_of(case).facts.asks is not Asks.IRP_AND_RECOMMENDATION:
        raise refusals.IrpNotAskedError
    _undecided(case)
    if case.irp is not None:
        raise refusals.IrpIssuedError
    _examined(case, form.issued_on, needs_file=True)
    facts = IrpIssued(issued_on=form.issued_on, indicates_need=form.indicates_need)
    return (New(facts=facts, personal=IrpIssuedPersonal(number=form.number, text=form.text)),)


def issue_recommendation(case: CommissionCase, form: RecommendationInput) -> tuple[New, ...]:
    """Return the event of the recommendation; it goes to the family, never to the school.

    Raises: NoRequestError, NotExaminedError, NoFileError, AlreadyDecidedError, OpinionNotValidError, DateOrderError; for b.2
    also IrpMissingError, IrpWithoutNeedError.
    """
    request = _request_of(case)
    _undecided(case)
    examination = _examined(case, form.issued_on, needs_file=True)
    if examination.opinion is not Opinion.VALID or _ended(examination.opinion_until, form.issued_on):
        raise refusals.OpinionNotValidError
    _plan_supports_yes(case, request)
    if case.irp is not None:
        _in_order(form.issued_on, "The recommendation", case.irp.issued_on, "the rehabilitation plan")
    facts = RecommendationIssued(issued_on=form.issued_on, valid_from=form.valid_from, valid_until=form.valid_until, parts=())
    return (New(facts=facts, personal=RecommendationIssuedPersonal(number=form.number, text=form.text)),)


def refuse_recommendation(case: CommissionCase, form: RefusalInput) -> tuple[New, ...]:
    """Return the event of the recommendation refused; its grounds are for the family, the school learns only the no.

    Raises: NoRequestError, NotExaminedError, AlreadyDecidedError, GroundNotShownError, DateOrderError.
    """
    _request_of(case)
    _undecided(case)
    examination = _examined(case, form.issued_on, needs_file=False)
    for ground in form.grounds:
        if examination.opinion not in _SHOWN_BY.get(ground, ()):
            raise refusals.GroundNotShownError(ground.value)
    facts = RecommendationRefused(issued_on=form.issued_on, grounds=form.grounds)
    return (New(facts=facts, personal=RecommendationRefusedPersonal(text=form.text)),)


def dispatch_documents(
    case: CommissionCase, form: DispatchInput, rules: Rules, *, request: InformationRequestedPersonal
) -> tuple[New, ...]:
    """Return the event of the documents sent: those that were issued, to the address that the request states.

    ``request`` is the opened personal part of the request: no other address can be entered, and the school never receives
    what it is not to know. ``rules`` are those of ``form.sent_on``.
    Raises: NoRequestError, NothingToDispatchError, AlreadyDispatchedError, DispatchWayError, DateOrderError.
    """
    asked = _request_of(case)
    outcome = case.outcome
    if outcome is None:
        raise refusals.NothingToDispatchError
    if case.dispatch is not None:
        raise refusals.AlreadyDispatchedError
    _in_order(form.sent_on, "The day of sending", outcome.facts.issued_on, "the day of issue")
    facts = DocumentsDispatched(
        kinds=_kinds(case, outcome),
        by=_way(form.by, asked.facts.address),
        address=asked.facts.address,
        address_from=asked.body,
        sent_on=form.sent_on,
        notified_on=_notified_on(form, rules),
        duplicate=False,
    )
    return (New(facts=facts, personal=DocumentsDispatchedPersonal(number=form.number, address=request.address)),)


def answer(case: CommissionCase, form: AnswerInput) -> tuple[New, ...]:
    """Return the answer to the school: yes or no as the outcome says, never a cause; it does not wait for the dispatch.

    Raises: NoRequestError, AlreadyAnsweredError, NothingToAnswerError; for a yes in b.2 IrpMissingError, IrpWithoutNeedError.
    """
    request = _request_of(case)
    if case.answer is not None:
        raise refusals.AlreadyAnsweredError
    if case.outcome is None:
        raise refusals.NothingToAnswerError
    given = Answer.NO
    if isinstance(case.outcome.facts, RecommendationIssued):
        _plan_supports_yes(case, request)
        given = Answer.YES
    facts = ConfirmationGiven(answer=given, wording=wording_of(given), basis=case.outcome.body)
    return (New(facts=facts, personal=ConfirmationGivenPersonal(official=form.official), in_reply_to=request.body),)


def _request_of(case: CommissionCase) -> Request:
    if case.request is None:
        raise refusals.NoRequestError
    return case.request


def _undecided(case: CommissionCase) -> None:
    if case.outcome is not None:
        raise refusals.AlreadyDecidedError


def _examined(case: CommissionCase, on: date, *, needs_file: bool) -> ExpertiseFileExamined:
    if case.examination is None:
        raise refusals.NotExaminedError
    if needs_file and not case.examination.file_found:
        raise refusals.NoFileError
    _in_order(on, "The day of issue", case.examination.examined_on, "the examination")
    return case.examination


def _plan_supports_yes(case: CommissionCase, request: Request) -> None:
    if request.facts.asks is not Asks.IRP_AND_RECOMMENDATION:
        return
    if case.irp is None:
        raise refusals.IrpMissingError
    if not case.irp.indicates_need:
        raise refusals.IrpWithoutNeedError


def _kinds(case: CommissionCase, outcome: Outcome) -> tuple[DocumentKind, ...]:
    issued = isinstance(outcome.facts, RecommendationIssued)
    plan = (DocumentKind.IRP,) if case.irp is not None else ()
    return (*plan, DocumentKind.RECOMMENDATION if issued else DocumentKind.REFUSAL)


def _way(by: Delivery, address: AddressKind) -> Delivery:
    if by not in ((Delivery.E_ADDRESS,) if address is AddressKind.E_ADDRESS else (Delivery.REGISTERED, Delivery.ORDINARY)):
        raise refusals.DispatchWayError
    return by


def _notified_on(form: DispatchInput, rules: Rules) -> date:
    """Return the day on which the law takes the addressee to know: given for an e-address, by the rules for a letter."""
    if form.notified_on is not None:
        return form.notified_on
    days = rules.registered_days if form.by is Delivery.REGISTERED else rules.ordinary_days
    return form.sent_on + timedelta(days=days)


def _ended(until: date | None, on: date) -> bool:
    return until is not None and until < on


def _in_order(later: date, later_name: str, earlier: date, earlier_name: str) -> None:
    if later < earlier:
        raise refusals.DateOrderError(later_name, earlier_name)

"""What clerks do: the use cases of a school and of the commission, mostly what brings a case on, sometimes anything.

Each act comes with the refusals that would be right at that moment: a clerk who is told no otherwise is told wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final
from uuid import UUID

from services.commission.application import Commission
from services.commission.domain.case import CommissionCase
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.post.history import New
from services.post.office import Office, day_of
from services.post.opening import NotReadableError
from services.post.saving import Saved, StartingError, act
from services.school.application import School
from services.school.input import AddressForm, AddressSupplied, ApplicationInput, ConsentSupplied, SignatureInput
from services.wire.channels import Role
from services.wire.errors import ExchangeError
from services.wire.events import (
    AddressKind,
    Asks,
    Container,
    Delivery,
    Opinion,
    RefusalGround,
    ReportIssued,
    ReportName,
    SignatureLevel,
)
from services.wire.hashing import Digest
from tests.people import TODAY, another_pupil, application_form
from tests.simulation.forms import MEDICAL
from tests.simulation.further import FOR_ITS_FORM, FURTHER, describes, goes_on
from tests.simulation.rightful import DOMAINS, beyond, commission_refusals, elsewhere, school_refusals, unread_refusals
from tests.simulation.site import Process, Site
from tests.simulation.world import Kept, World

__all__ = ["MEDICAL", "Act", "clerk_acts", "commission_act", "do", "filing", "form", "issuing", "school_act"]

_PUPILS: Final = 6
_INTAKES: Final = ("InPerson", "InPerson", "SignedElectronic")
_NEXT: Final = 0.85
_IDLE: Final = 0.6
_DESCRIBES: Final = 0.2
_IN_ONE_SITTING: Final = (1, 1, 2, 3)
_DONE: Final = ("Answered", "AnswerRejected")


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a clerk; ``rightful`` tells the names of the refusals that would be right now: with none it has to be done."""

    name: str
    do: Callable[[], tuple[UUID | None, Sequence[Saved]]]
    rightful: Callable[[], set[str]]


def clerk_acts(world: World, site: Site) -> None:
    """Let a clerk of a site do a few things, in the process that runs at its desk."""
    for _ in range(world.rng.choice(_IN_ONE_SITTING)):
        process = site.at_desk()
        if process is None:
            return
        chosen = _going_on(world, process) if world.rng.random() < FURTHER else None
        if chosen is None:
            chosen = _OF[site.role](world, process)
        if chosen is None:
            return
        do(world, process, chosen)


def do(world: World, process: Process, what: Act) -> UUID | None:
    """Do one act, and return the case it was done in; None if it was not done, for whatever reason."""
    site, rightful = process.site, set[str]()

    def job() -> tuple[UUID | None, Sequence[Saved]]:
        rightful.update(what.rightful())
        return what.do()

    try:
        done = process.run(what.name, job)
    except ExchangeError as error:
        # Said in the trace: somebody at a desk was told why not.
        name = type(error).__name__
        if type(error).__module__.startswith(DOMAINS) and name not in rightful:
            world.wrong.append(f"{site.name}: {what.name} was refused wrongly: {name}, where {sorted(rightful)} would be right")
        if isinstance(error, NotReadableError) and name in rightful:
            # Its cause is known to the very letter: ``telling`` need not look for one among all that happened.
            site.raised.pop()
        if isinstance(error, StartingError) and site.has_begun_whole:
            world.wrong.append(f"{site.name}: {what.name} was refused for a start that is over")
        return None
    if done is None:
        return None
    case_id, events = done
    world.kept += [Kept(site.name, case_id, each) for each in events]
    world.say(f"{site.name} desk", f"{what.name}: {', '.join(each.type for each in events)}")
    return case_id


def filing(process: Process, form: ApplicationInput) -> Act:
    """Return the act of filing an application; the same one a second time is rightly refused."""
    filed, clerk = process.site.filed, School(process.office)
    # A consent is no part of it: whoever brings one later brings it to the case that is there.
    application = form.model_copy(update={"consent": None})
    is_there = application in filed
    filed.append(application)
    return Act("files an application", lambda: clerk.file(form), lambda: {"FiledAlreadyError"} if is_there else set())


def school_act(process: Process, case_id: UUID, name: str) -> Act:
    """Return an act of a school in a case, by its name."""
    clerk, today = School(process.office), day_of(process.site.now())
    acts: dict[str, Callable[[], Sequence[Saved]]] = {
        "asks the commission": lambda: clerk.request(case_id),
        "records a consent": lambda: clerk.consent(case_id, ConsentSupplied(received_on=today, by="Andris Izdomenieks")),
        "records an address": lambda: clerk.address(case_id, _address(today)),
        "checks the signature": lambda: clerk.signature(case_id, _signature(today)),
    }
    return _on(
        case_id,
        name,
        acts[name],
        lambda: {*school_refusals(process.office, case_id, name, today), *beyond(process.office, case_id)},
    )


def commission_act(process: Process, case_id: UUID, name: str, *, number: str = MEDICAL, opinion: Opinion = Opinion.VALID) -> Act:
    """Return an act of the commission in a case, by its name."""
    clerk, today = Commission(process.office), day_of(process.site.now())
    examination = ExaminationInput(file_found=True, opinion=opinion, examined_on=today)
    irp = IrpInput(number=number, text=MEDICAL, issued_on=today, indicates_need=True)
    recommendation = RecommendationInput(number=number, text=MEDICAL, issued_on=today, valid_from=today)
    refusal = RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text=MEDICAL)
    acts: dict[str, Callable[[], Sequence[Saved]]] = {
        "registers": lambda: clerk.register(case_id, RegistrationInput(register_number="R-17", received_on=today)),
        "examines": lambda: clerk.examine(case_id, examination),
        "issues a plan": lambda: clerk.issue_irp(case_id, irp),
        "recommends": lambda: clerk.recommend(case_id, recommendation),
        "refuses": lambda: clerk.refuse(case_id, refusal),
        "dispatches": lambda: clerk.dispatch(case_id, DispatchInput(number=number, by=Delivery.REGISTERED, sent_on=today)),
        "answers": lambda: clerk.answer(case_id, AnswerInput(official="Ilze Paraudziņa")),
    }

    def rightful() -> set[str]:
        found = commission_refusals(clerk.case(case_id), name, today, examination)
        unread = unread_refusals(process.office, case_id, name, process.site.world.log.expired)
        other = elsewhere(clerk, case_id, name)
        return {*found, *unread, *other, *beyond(process.office, case_id)}

    return _on(case_id, name, acts[name], rightful)


def _on(case_id: UUID, name: str, does: Callable[[], Sequence[Saved]], rightful: Callable[[], set[str]]) -> Act:
    return Act(f"{name} ({case_id.hex[-8:]})", lambda: (case_id, does()), rightful)


def _going_on(world: World, process: Process) -> Act | None:
    """Return an act that some case allows by its participant's own word: it may be refused for its form alone."""
    rows = process.office.database.all("SELECT case_id FROM cases ORDER BY case_id")
    if not rows:
        return None
    if process.site.role is Role.SCHOOL and world.rng.random() < _DESCRIBES:
        says = describes(process, world.rng)
        return Act("says what it is", lambda: (None, says()), lambda: {"DescribedAlreadyError"})
    case_id = UUID(world.rng.choice(rows)["case_id"])
    try:
        found = goes_on(process, world.rng, case_id)
    except ExchangeError:
        # Its keys are not here now; whoever tries to act will be told.
        return None
    if found is None:
        return None
    name, does = found
    expired = process.site.world.log.expired
    return _on(case_id, name, does, lambda: {*FOR_ITS_FORM, *unread_refusals(process.office, case_id, name, expired)})


def _of_school(world: World, process: Process) -> Act | None:
    rng = world.rng
    rows = process.office.database.all("SELECT case_id, state FROM cases ORDER BY case_id")
    ready = [row for row in rows if row["state"] in ("ReadyToRequest", "Received") or row["state"].startswith("RequestRejected")]
    if rows and not ready and rng.random() < _IDLE:
        return None
    if not rows or (rng.random() < _NEXT and rng.randrange(2 + len(ready)) < 2):
        lacks = rng.choice(("", "", "", "consent", "address"))
        pupil, variant, intake = rng.randrange(_PUPILS), rng.choice(("A2", "A2", "B2")), rng.choice(_INTAKES)
        return filing(process, form(pupil, variant, lacks, intake))
    is_next = bool(ready) and rng.random() < _NEXT
    row = rng.choice(ready if is_next else rows)
    names = ["asks the commission", "checks the signature", "records a consent", "records an address"]
    if is_next:
        names = names[1:] if row["state"] == "Received" else names[:2]
    return school_act(process, UUID(row["case_id"]), rng.choice(names))


def _of_commission(world: World, process: Process) -> Act | None:
    rng = world.rng
    rows = process.office.database.all("SELECT case_id, state FROM cases ORDER BY case_id")
    if not rows:
        return None
    under_way = [row for row in rows if not row["state"].startswith(_DONE)]
    row = rng.choice(under_way if under_way and rng.random() < _NEXT else rows)
    case_id = UUID(row["case_id"])
    names = _next_of(process.office, case_id) if rng.random() < _NEXT else ()
    every = ("registers", "examines", "issues a plan", "recommends", "refuses", "dispatches", "answers")
    opinion = rng.choice((Opinion.VALID, Opinion.VALID, Opinion.EXPIRED))
    return commission_act(
        process, case_id, rng.choice(names or every), number=f"{MEDICAL} {rng.randrange(1000)}", opinion=opinion
    )


def _next_of(office: Office, case_id: UUID) -> tuple[str, ...]:
    try:
        case = Commission(office).case(case_id)
    except ExchangeError:
        # Its keys are not here now; whoever tries to act will be told.
        return ()
    if case.request is None:
        return ()
    if case.registered is None:
        return ("registers",)
    if case.examination is None:
        return ("examines",)
    return _towards_outcome(case) if case.outcome is None else _after_outcome(case)


def _towards_outcome(case: CommissionCase) -> tuple[str, ...]:
    assert case.examination is not None
    assert case.request is not None
    if case.examination.opinion is not Opinion.VALID:
        return ("refuses", "refuses", "examines")
    lacks_plan = case.request.facts.asks is Asks.IRP_AND_RECOMMENDATION and case.irp is None
    return ("issues a plan",) if lacks_plan else ("recommends", "recommends", "refuses")


def _after_outcome(case: CommissionCase) -> tuple[str, ...]:
    answers = ("answers", "answers") if case.answer is None else ()
    return (*answers, "dispatches") if case.dispatch is None else answers


def issuing(world: World, process: Process) -> Act:
    """Return the act of issuing a report at an auditor's; what stands in it is nothing to the exchange."""
    office, today = process.office, day_of(process.site.now())
    result = Digest(world.rng.randbytes(32))
    said = New(facts=ReportIssued(report=ReportName.ANSWERS, from_on=today, until=today, result=result))
    return Act("issues a report", lambda: (None, act(office, None, lambda _: [said])), set)


_OF: Final[dict[Role, Callable[[World, Process], Act | None]]] = {
    Role.SCHOOL: _of_school,
    Role.COMMISSION: _of_commission,
    Role.AUDITOR: issuing,
}


@cache
def form(pupil: int, variant: str, lacks: str = "", intake: str = "InPerson") -> ApplicationInput:
    """Return an application about one of the pupils of a school, whole or without what ``lacks`` names."""
    changes: dict[str, Any] = {"pupil": another_pupil(pupil), "variant": variant, "intake": intake}  # JSON
    if variant == "B2":
        changes |= {"states_irp": False, "attachments": []}
    if lacks == "consent":
        changes["consent"] = {"given": False}
    elif lacks == "address":
        changes["address"] = None
    return application_form(**changes)


def _signature(today: date) -> SignatureInput:
    level, container, report = SignatureLevel.QUALIFIED, Container.ASIC_E, "Paraksts pārbaudīts"
    return SignatureInput(
        level=level, container=container, signer_matches=True, time_stamped=True, signed_on=today, report=report
    )


def _address(today: Any) -> AddressSupplied:
    place = AddressForm(text="Izdomu iela 9, Paraugpilsēta", postal_code="LV-1098")
    return AddressSupplied(choice=AddressKind.SCHOOL, protected=False, address=place, confirmed_on=max(today, TODAY))

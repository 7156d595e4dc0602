"""What clerks do: the use cases of a school and of the commission, mostly the one that comes next, sometimes any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from services.commission.application import Commission
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.post.office import day_of
from services.post.saving import Saved
from services.school.application import School
from services.school.input import AddressForm, AddressSupplied, ApplicationInput, ConsentSupplied
from services.wire.channels import Role
from services.wire.errors import ExchangeError
from services.wire.events import AddressKind, Delivery, Opinion, RefusalGround
from tests.people import TODAY, another_pupil, application_form
from tests.simulation.site import Process, Site
from tests.simulation.world import Kept, World

__all__ = ["MEDICAL", "clerk_acts"]

MEDICAL: Final = "Medicinisks"
"""Stands in every text that the commission writes about a child: it may reach no school."""

_PUPILS: Final = 6
_NEXT: Final = 0.85


def clerk_acts(world: World, site: Site) -> None:
    """Let a clerk of a site do one thing, in the process that runs at its desk."""
    process = site.at_desk()
    if process is None:
        return
    act = _school_act(world, process) if site.role is Role.SCHOOL else _commission_act(world, process)
    if act is None:
        return
    try:
        saved = process.run(act.name, act.do)
    except ExchangeError:
        # Said in the trace: somebody at a desk was told why not.
        return
    if saved is not None:
        case_id, events = saved
        world.kept += [Kept(site.name, case_id, each) for each in events]
        world.say(f"{site.name} desk", f"{act.name}: {', '.join(each.type for each in events)}")


@dataclass(frozen=True, slots=True)
class _Act:
    name: str
    do: Callable[[], tuple[UUID, Sequence[Saved]]]


def _school_act(world: World, process: Process) -> _Act | None:
    rng, clerk = world.rng, School(process.office)
    rows = process.office.database.all("SELECT case_id, state FROM cases ORDER BY case_id")
    if not rows or rng.random() < 0.3:
        form = _form(rng.randrange(_PUPILS), rng.choice(("A2", "A2", "B2")), rng.choice(("", "", "", "consent", "address")))
        return _Act("files an application", lambda: clerk.file(form))
    row = rng.choice(rows)
    case_id, today = UUID(row["case_id"]), day_of(process.site.now())
    acts: dict[str, Callable[[], Sequence[Saved]]] = {
        "asks the commission": lambda: clerk.request(case_id),
        "records a consent": lambda: clerk.consent(case_id, ConsentSupplied(received_on=today, by="Andris Izdomenieks")),
        "records an address": lambda: clerk.address(case_id, _address(today)),
    }
    if rng.random() < _NEXT and row["state"] == "ReadyToRequest":
        return _on(case_id, "asks the commission", acts)
    return _on(case_id, rng.choice(sorted(acts)), acts)


def _commission_act(world: World, process: Process) -> _Act | None:
    rng, clerk = world.rng, Commission(process.office)
    rows = process.office.database.all("SELECT case_id, state, variant FROM cases ORDER BY case_id")
    if not rows:
        return None
    row = rng.choice(rows)
    case_id, today, number = UUID(row["case_id"]), day_of(process.site.now()), f"{MEDICAL} {rng.randrange(1000)}"
    opinion = rng.choice((Opinion.VALID, Opinion.VALID, Opinion.EXPIRED))
    grounds = (RefusalGround.NEED_NOT_FOUND,)
    acts: dict[str, Callable[[], Sequence[Saved]]] = {
        "registers": lambda: clerk.register(case_id, RegistrationInput(register_number="R-17", received_on=today)),
        "examines": lambda: clerk.examine(case_id, ExaminationInput(file_found=True, opinion=opinion, examined_on=today)),
        "issues a plan": lambda: clerk.issue_irp(
            case_id, IrpInput(number=number, text=MEDICAL, issued_on=today, indicates_need=True)
        ),
        "recommends": lambda: clerk.recommend(
            case_id, RecommendationInput(number=number, text=MEDICAL, issued_on=today, valid_from=today)
        ),
        "refuses": lambda: clerk.refuse(case_id, RefusalInput(issued_on=today, grounds=grounds, text=MEDICAL)),
        "dispatches": lambda: clerk.dispatch(case_id, DispatchInput(number=number, by=Delivery.REGISTERED, sent_on=today)),
        "answers": lambda: clerk.answer(case_id, AnswerInput(official="Ilze Paraudziņa")),
    }
    next_ones = {
        "Received": ("registers",),
        "Registered": ("examines",),
        "FileChecked": ("issues a plan", "recommends", "refuses", "examines"),
        "Prepared": ("answers", "dispatches"),
        "Refused": ("answers", "dispatches"),
    }.get(row["state"], ())
    if next_ones and rng.random() < _NEXT:
        return _on(case_id, rng.choice(next_ones), acts)
    return _on(case_id, rng.choice(sorted(acts)), acts)


def _on(case_id: UUID, name: str, acts: dict[str, Callable[[], Sequence[Saved]]]) -> _Act:
    return _Act(f"{name} ({case_id.hex[-8:]})", lambda: (case_id, acts[name]()))


@cache
def _form(pupil: int, variant: str, lacks: str) -> ApplicationInput:
    changes: dict[str, Any] = {"pupil": another_pupil(pupil), "variant": variant}  # JSON
    if variant == "B2":
        changes |= {"states_irp": False, "attachments": []}
    if lacks == "consent":
        changes["consent"] = {"given": False}
    elif lacks == "address":
        changes["address"] = None
    return application_form(**changes)


def _address(today: Any) -> AddressSupplied:
    place = AddressForm(text="Izdomu iela 9, Paraugpilsēta", postal_code="LV-1098")
    return AddressSupplied(choice=AddressKind.SCHOOL, protected=False, address=place, confirmed_on=max(today, TODAY))

"""Lives: cases that clerks bring on where nothing goes wrong; there each act has to be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.policy.calendar import full_years
from services.policy.forms import Form
from services.policy.rules import RULES
from services.post.cases import history_of
from services.post.office import day_of
from services.school.input import ApplicationInput
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.events import AgreementConcluded, AssistantProposed
from tests.simulation.acts import Act, commission_act, do, filing, form, school_act
from tests.simulation.forms import Given, filled_in
from tests.simulation.further import describes, does
from tests.simulation.invariants import require
from tests.simulation.settling import settle
from tests.simulation.site import Process, Site
from tests.simulation.world import SCHOOLS, World

__all__ = ["live", "live_on"]

_ASKS: Final = "asks the commission"
_CHECKS: Final = "checks the signature"
_OF_SCHOOL: Final = (_CHECKS, _ASKS)
_SECOND: Final = 1_000
_PAUSES: Final = (2 * _SECOND, 10 * _SECOND, 3_700 * _SECOND, 3_700 * _SECOND)
"""Long enough for a letter with a key to be asked for, and to come."""

_YES: Final = ("registers", "examines", "recommends", "dispatches", "answers")
_YES_WITH_PLAN: Final = ("registers", "examines", "issues a plan", "recommends", "answers", "dispatches")
_NO: Final = ("registers", "examines", "refuses", "answers", "dispatches")
_NEW_PUPIL: Final = 90_000


def live(world: World, school: Site, application: ApplicationInput, acts: Sequence[str]) -> UUID:
    """Bring a case of a school from its filing through ``acts``, on both sides, and return its number.

    Raises: Broken if an act is not done, or what is to come to the other side does not come.
    """
    process = _desk(school)
    case_id = _done(world, process, filing(process, application))
    for name in acts:
        process = _desk(school if name in _OF_SCHOOL else world.sites[COMMISSION])
        theirs = commission_case(case_id, to_commission(school.name))
        act = school_act(process, case_id, name) if name in _OF_SCHOOL else commission_act(process, theirs, name)
        _done(world, process, act)
        if name == _ASKS:
            _wait(world, world.sites[COMMISSION], theirs, "Received")
    settle(world)
    return case_id


def live_on(world: World) -> None:
    """Let a family apply now, after all that happened, and bring its case to the commission's answer.

    Raises: Broken if it does not come there.
    """
    school, variant = world.sites[world.rng.choice(SCHOOLS)], world.rng.choice(("A2", "B2"))
    says_yes = world.rng.random() < 0.5
    acts = _NO if not says_yes else _YES if variant == "A2" else _YES_WITH_PLAN
    intake = world.rng.choice(("InPerson", "SignedElectronic"))
    application = form(_NEW_PUPIL, variant, intake=intake)
    first = (_CHECKS, _ASKS) if intake == "SignedElectronic" else (_ASKS,)
    case_id = live(world, school, application, (*first, *acts))
    _wait(world, school, case_id, "ReadyForDecision" if says_yes else "NegativeAnswer")
    world.happened_in_life("a case brought to its answer after quiet")
    filed_on = application.received_on
    # A clock of ten years later finds the pupil of age, who would be judged by a group that nobody knows.
    if full_years(application.pupil.birth_date, day_of(school.now())) >= RULES[0].adult_age:
        return
    _decide(world, school, case_id, filed_on, says_yes=says_yes, has_plan=variant == "A2")


def _decide(world: World, school: Site, case_id: UUID, filed_on: date, *, says_yes: bool, has_plan: bool) -> None:
    """Bring an answered case to its end: a service that is given, or a refusal that was sent."""
    # One the school may have said before; the same is refused, and no harm.
    process = _desk(school)
    says = describes(process, world.rng)
    do(world, process, Act("says what it is", lambda: (None, says()), lambda: {"DescribedAlreadyError"}))
    plan = {"kinds": ["Application", "DisabilityIrp", "CommissionAnswer"], "irp_indicates_need": True}
    bare = {"kinds": ["Application", "CommissionAnswer"], "irp_indicates_need": None}
    decision = {"outcome": "Granted" if says_yes else "Refused", "grounds": [] if says_yes else ["NoRecommendation"]}
    acts: list[tuple[str, dict[str, Any]]] = [
        ("screen", {"as_of": filed_on.isoformat(), "enrolled": "Here"}),
        ("evaluate", plan if has_plan else bare),
        ("decide", {**decision, "instruction": None if says_yes else "Viena mēneša laikā"}),
        ("notify", {}),
    ]
    if says_yes:
        acts += [("propose-assistant", {}), ("annex-cv", {"work_experience": True}), ("conclude", {})]
        # An hour fits into every month, also where the service began on its last day.
        acts += [("report-hours", {"minutes": 60})]
    for name, changes in acts:
        process = _desk(school)
        assistant, agreement = _numbers(process, case_id)
        given = Given(world.rng, day_of(process.site.now()), assistant=assistant, agreement=agreement)
        _done(world, process, _act(process, case_id, name, filled_in(school.name, name, given, **changes)))
    _wait(world, school, case_id, "Active" if says_yes else "Refused")
    world.happened_in_life(f"a case brought to its {'service' if says_yes else 'refusal'} after quiet")


def _act(process: Process, case_id: UUID, name: str, form: Form | None) -> Act:
    use_case = does(process, case_id, name, form)
    return Act(f"{name} ({case_id.hex[-8:]})", lambda: (case_id, use_case()), set)


def _numbers(process: Process, case_id: UUID) -> tuple[int, int]:
    """Return the running numbers that a form has to name: the newest assistant and agreement of a case."""
    history = history_of(process.office, process.office.store.stream(case_id))
    proposed = [event.facts.assistant for event in history if isinstance(event.facts, AssistantProposed)]
    agreed = [event.facts.agreement for event in history if isinstance(event.facts, AgreementConcluded)]
    return proposed[-1] if proposed else 1, agreed[-1] if agreed else 1


def _desk(site: Site) -> Process:
    process = site.at_desk()
    require(process is not None, f"nobody can act at {site.name}: {site.ended_by}")
    assert process is not None
    return process


def _done(world: World, process: Process, act: Act) -> UUID:
    case_id = do(world, process, act)
    require(case_id is not None, f"{process.site.name}: {act.name} is not done, and nothing is wrong")
    assert case_id is not None
    return case_id


def _wait(world: World, site: Site, case_id: UUID, state: str) -> None:
    found = None
    for pause in _PAUSES:
        settle(world)
        assert site.worker is not None
        row = site.worker.office.database.one("SELECT state FROM cases WHERE case_id = ?", case_id.hex)
        found = row["state"] if row else None
        if found == state:
            return
        world.clock += pause
    require(found == state, f"{site.name}: {case_id.hex[-8:]} is {found}, and has to become {state}")

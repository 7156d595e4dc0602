"""Applications: which variants there were, and which cases were open on a day, as it was known on a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from services.audit.event import Event
from services.audit.reports.figures import Figures, Scope, counted, month_of
from services.wire.events import (
    AgreementConcluded,
    ApplicationFiled,
    ApplicationWithdrawn,
    CaseClosed,
    ConfirmationGiven,
    DecisionOutcome,
    DuplicateLinked,
    DuplicateReopened,
    InformationRequested,
    PupilLeftSchool,
    SchoolDecisionMade,
    ServiceEnded,
    VariantChosen,
)

__all__ = ["OpenCases", "Variants"]

_CLOSED: Final = "Closed"
_LINKED: Final = "Linked"
_REOPENED: Final = "Reopened"


@dataclass(slots=True)
class Variants:
    """Applications that were received in the period: by variant, by the way in which they came, by month.

    The variant is the one that the requester chose last, as far as that is known.
    """

    scope: Scope
    filed: list[tuple[UUID | None, str]] = field(default_factory=list)
    chosen: dict[UUID | None, str] = field(default_factory=dict)
    intakes: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """See one event."""
        facts = event.facts
        if isinstance(facts, ApplicationFiled) and self.scope.holds(facts.received_on):
            self.filed.append((event.common_case, facts.variant.value))
            self.intakes[facts.intake.value] += 1
            self.months[month_of(facts.received_on)] += 1
        elif isinstance(facts, VariantChosen):
            self.chosen[event.common_case] = facts.variant.value

    def tables(self) -> Figures:
        """Tell the figures."""
        variants = Counter(self.chosen.get(case_id, variant) for case_id, variant in self.filed)
        return (
            counted("variants", "Applications by variant", "variant", "applications", variants),
            counted("intakes", "Applications by the way in which they came", "way", "applications", self.intakes),
            counted("months", "Applications by month", "month", "applications", self.months),
        )


@dataclass(slots=True)
class _Case:
    variants: list[tuple[date, str]]
    stages: list[tuple[date, str]]

    def variant(self, as_of: date) -> str:
        """Return the variant that was chosen last by a day, on which the application was there."""
        return [variant for day, variant in self.variants if day <= as_of][-1]


@dataclass(slots=True)
class OpenCases:
    """Cases that were open at the end of a day, by the stage that each had reached.

    A case is open from the day on which its application was received to the day on which it was withdrawn, closed, linked to
    another one, refused, or its service or the pupil's time at the school ended; one that was linked is open again from the day
    on which it was reopened, at the stage that it had. A refusal that is contested stays one.
    """

    scope: Scope
    cases: dict[UUID, _Case] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """See one event."""
        if event.common_case is None or event.recorded_on is None:
            return
        if isinstance(event.facts, ApplicationFiled):
            filed = (event.facts.received_on, "Filed")
            chosen = (event.facts.received_on, event.facts.variant.value)
            self.cases.setdefault(event.common_case, _Case([chosen], [filed]))
        elif isinstance(event.facts, VariantChosen) and event.common_case in self.cases:
            self.cases[event.common_case].variants.append((event.facts.received_on, event.facts.variant.value))
        reached = _reached(event, event.recorded_on) or _closed(event, event.recorded_on)
        if reached is not None and event.common_case in self.cases:
            self.cases[event.common_case].stages.append(reached)

    def tables(self) -> Figures:
        """Tell the figures."""
        stages, variants = self._open(self.scope.as_of)
        left = self._left(variants)
        told = counted("stages", "Open cases by the stage that they had reached", "stage", "cases", stages)
        return (
            replace(told, beside=(sum(left.values()),)),
            replace(
                counted("variants", "Open cases by variant", "variant", "cases", variants),
                beside=(sum(left.values()), *left.values()),
            ),
        )

    def _open(self, as_of: date) -> tuple[Counter[str], Counter[str]]:
        """Return how many cases were open at the end of a day, by stage and by variant."""
        stages: Counter[str] = Counter()
        variants: Counter[str] = Counter()
        for case in self.cases.values():
            reached = [stage for day, stage in case.stages if day <= as_of]
            is_linked = reached.count(_LINKED) > reached.count(_REOPENED)
            # What was received later was not open yet; what is closed stays so, whatever comes after it.
            if case.stages[0][0] <= as_of and _CLOSED not in reached and not is_linked:
                stages[[stage for stage in reached if stage not in (_LINKED, _REOPENED)][-1]] += 1
                variants[case.variant(as_of)] += 1
        return stages, variants

    def _left(self, variants: Counter[str]) -> dict[str, int]:
        """Return how many cases of each variant are open no longer: open before and filed since, less those open now."""
        _, found = self._open(self.scope.since - timedelta(days=1)) if self.scope.since > date.min else (None, Counter[str]())
        filed = (case for case in self.cases.values() if self.scope.holds(case.stages[0][0]))
        found.update(case.variant(self.scope.as_of) for case in filed)
        return {each: found[each] - variants[each] for each in found}


def _reached(event: Event, recorded_on: date) -> tuple[date, str] | None:
    match event.facts:
        case InformationRequested():
            return recorded_on, "Asked"
        case ConfirmationGiven():
            return recorded_on, "Answered"
        case SchoolDecisionMade(outcome=DecisionOutcome.GRANTED, decided_on=day):
            return day, "Granted"
        case AgreementConcluded(concluded_on=day):
            return day, "Agreed"
        case _:
            return None


def _closed(event: Event, recorded_on: date) -> tuple[date, str] | None:
    match event.facts:
        case SchoolDecisionMade(decided_on=day) | ApplicationWithdrawn(received_on=day):
            return day, _CLOSED
        case CaseClosed(on=day) | ServiceEnded(on=day) | PupilLeftSchool(on=day):
            return day, _CLOSED
        case DuplicateLinked():
            return recorded_on, _LINKED
        case DuplicateReopened():
            return recorded_on, _REOPENED
        case _:
            return None

"""Refusals by ground, wherever somebody is refused: at the screening, by the commission, by the school, at the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Final

from services.audit.event import Event
from services.audit.reports.figures import Figures, Scope, Table, counted
from services.wire.events import (
    CaseClosed,
    DecisionOutcome,
    EligibilityOutcome,
    EligibilityScreened,
    RecommendationRefused,
    RequestReturned,
    SchoolDecisionMade,
)

__all__ = ["Refusals"]

_TITLES: Final = {
    "screenings": "Applications found ineligible, by reason",
    "recommendations": "Recommendations refused by the commission, by ground",
    "decisions": "Services refused by schools, by ground",
    "returns": "Requests that the commission returned, by ground",
    "closings": "Cases closed without a decision, by cause",
}


@dataclass(slots=True)
class Refusals:
    """Refusals of the period, by ground. One refusal may have several grounds, and is counted under each: no sum is told.

    ``events`` has how many refusals there were of each kind.
    """

    scope: Scope
    grounds: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _TITLES})
    events: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """See one event."""
        found = _refusal(event)
        if found is not None and self.scope.holds(found[1]):
            name, _, grounds = found
            self.grounds[name].update(sorted({each.value for each in grounds}))
            self.events[name] += 1

    def tables(self) -> Figures:
        """Tell the figures."""
        kinds = counted("events", "Refusals by kind", "kind", "refusals", self.events, is_whole=False)
        return (kinds, *(self._table(name) for name in _TITLES))

    def _table(self, name: str) -> Table:
        made = counted(name, _TITLES[name], "ground", "refusals", self.grounds[name], is_whole=False)
        return replace(made, parent=("events", name))


def _refusal(event: Event) -> tuple[str, date, Iterable[Enum]] | None:
    on = event.recorded_on
    match event.facts:
        case EligibilityScreened(outcome=EligibilityOutcome.INELIGIBLE, as_of=day, reasons=reasons):
            return "screenings", day, reasons
        case RecommendationRefused(issued_on=day, grounds=refusals):
            return "recommendations", day, refusals
        case SchoolDecisionMade(outcome=DecisionOutcome.REFUSED, decided_on=day, grounds=decided):
            return "decisions", day, decided
        case RequestReturned(grounds=returned) if on is not None:
            return "returns", on, returned
        case CaseClosed(on=day, cause=cause):
            return "closings", day, (cause,)
        case _:
            return None

"""Happening: the day on which an event happened, by which a report tells as of a day.

That is the day which its facts name for what it tells; where they name none, the day on which its writer recorded it. Hours and
money happen from the first day of their month, terms on the day on which they run out.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from services.audit.event import Event
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    ApplicationFiled,
    ApplicationSupplemented,
    ApplicationWithdrawn,
    CaseClosed,
    DeadlinePassed,
    EligibilityScreened,
    HoursReported,
    MoneyReported,
    PupilLeftSchool,
    RecommendationRefused,
    SchoolDecisionMade,
    SchoolDescribed,
    ServiceEnded,
    VariantChosen,
)

__all__ = ["happened_on"]

_DAYS: Final[dict[type, str]] = {
    AgreementAmended: "concluded_on",
    AgreementConcluded: "concluded_on",
    ApplicationFiled: "received_on",
    ApplicationSupplemented: "received_on",
    ApplicationWithdrawn: "received_on",
    CaseClosed: "on",
    DeadlinePassed: "due_on",
    EligibilityScreened: "as_of",
    HoursReported: "month",
    MoneyReported: "month",
    PupilLeftSchool: "on",
    RecommendationRefused: "issued_on",
    SchoolDecisionMade: "decided_on",
    SchoolDescribed: "from_on",
    ServiceEnded: "on",
    VariantChosen: "received_on",
}


def happened_on(event: Event) -> date | None:
    """Return the day on which an event happened; None if nobody recorded it, as of an open entry."""
    name = _DAYS.get(type(event.facts))
    return event.recorded_on if name is None else getattr(event.facts, name)

"""The service as a case's history makes it: assistants, agreements, pauses, hours and closed letters.

Folding is total; every refusal is made before, in ``assistants``, ``agreements``, ``reports`` and ``letters``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.policy.hours import Agreed
from services.post.history import Recorded
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    AssistantCvAnnexed,
    AssistantProposed,
    HoursReported,
    SealedItemHandedOver,
    SealedItemReceived,
    ServiceEnded,
    ServiceResumed,
    ServiceSuspended,
)
from services.wire.hashing import Digest

__all__ = ["Agreement", "Assistance", "Letter", "Pause", "Proposal", "evolve_service"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A person proposed as assistant, and the newest CV of theirs; the bodies name the events that say who and what it is."""

    body: Digest
    facts: AssistantProposed
    cv: AssistantCvAnnexed | None = None
    cv_body: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement in its versions, the newest last; each holds from its ``from_on`` on."""

    versions: tuple[AgreementConcluded | AgreementAmended, ...]

    @property
    def number(self) -> int:
        """The school's running number of the agreement."""
        return self.versions[0].agreement

    @property
    def newest(self) -> AgreementConcluded | AgreementAmended:
        """The version that was written last."""
        return self.versions[-1]

    def agreed(self) -> Iterator[Agreed]:
        """Yield the hours a week of each version, with the days on which it holds."""
        for place, version in enumerate(self.versions):
            later = [each.from_on - _DAY for each in self.versions[place + 1 :]]
            last = min([*later, *([version.until_on] if version.until_on else [])], default=None)
            # Whatever was amended from an earlier day on never held.
            if last is None or version.from_on <= last:
                yield Agreed(hours_per_week=version.hours_per_week, valid_from=version.from_on, valid_until=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Days on which the service stands still; ``until`` is the day on which it goes on, None while it does not."""

    on: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether the service stands still on a day."""
        return self.on <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter of the commission for the requester that came to the school, closed; ``handed_on`` when it was handed over."""

    body: Digest
    received_on: date
    handed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistance:
    """The folded service of a case: facts only."""

    proposals: tuple[Proposal, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    pauses: tuple[Pause, ...] = ()
    ended_on: date | None = None
    reports: tuple[HoursReported, ...] = ()
    letters: tuple[Letter, ...] = ()

    @property
    def is_suspended(self) -> bool:
        """Tell whether the service stands still."""
        return bool(self.pauses) and self.pauses[-1].until is None

    @property
    def agreed(self) -> tuple[Agreed, ...]:
        """The hours of all agreements with the days on which they hold; none of them longer than the service."""
        return self.agreed_but(None)

    def agreed_but(self, number: int | None) -> tuple[Agreed, ...]:
        """Return the same without the agreement ``number``."""
        found = (each for agreement in self.agreements if agreement.number != number for each in agreement.agreed())
        if self.ended_on is None:
            return tuple(found)
        return tuple(
            replace(each, valid_until=min(self.ended_on, each.valid_until or self.ended_on))
            for each in found
            if each.valid_from <= self.ended_on
        )

    def agreement(self, number: int) -> Agreement | None:
        """Return an agreement by its number, None if there is none."""
        return next((each for each in self.agreements if each.number == number), None)

    def proposal(self, assistant: int) -> Proposal | None:
        """Return the newest proposal of an assistant by the school's number, None if there is none."""
        return next((each for each in reversed(self.proposals) if each.facts.assistant == assistant), None)

    def reported(self, month: date) -> dict[int, int]:
        """Return the minutes of a month by agreement; the newest report of each counts."""
        return {each.agreement: each.minutes for each in self.reports if each.month == month}


def evolve_service(service: Assistance, event: Recorded) -> Assistance:  # noqa: C901, PLR0911  # one return an event
    """Return the service after one accepted event; an event that means nothing to it leaves it as it is."""
    match event.facts:
        case AssistantProposed() as facts:
            return replace(service, proposals=(*service.proposals, _proposed(service, facts, event.body)))
        case AssistantCvAnnexed() as facts:
            return replace(service, proposals=tuple(_with_cv(each, facts, event.body) for each in service.proposals))
        case AgreementConcluded() as facts:
            return replace(service, agreements=(*service.agreements, Agreement(versions=(facts,))))
        case AgreementAmended() as facts:
            return replace(service, agreements=tuple(_amended(each, facts) for each in service.agreements))
        case ServiceSuspended() as facts:
            return replace(service, pauses=(*service.pauses, Pause(on=facts.on)))
        case ServiceResumed() as facts:
            return replace(service, pauses=tuple(_resumed(each, facts.on) for each in service.pauses))
        case ServiceEnded() as facts:
            return replace(service, ended_on=facts.on)
        case HoursReported() as facts:
            return replace(service, reports=(*service.reports, facts))
        case SealedItemReceived() as facts:
            return replace(service, letters=(*service.letters, Letter(body=event.body, received_on=facts.on)))
        case SealedItemHandedOver() as facts:
            handed = (replace(each, handed_on=facts.on) if each.body == facts.of else each for each in service.letters)
            return replace(service, letters=tuple(handed))
        case _:
            return service


def _proposed(service: Assistance, facts: AssistantProposed, body: Digest) -> Proposal:
    # Proposed again, under another name or background, a person keeps the CV.
    earlier = service.proposal(facts.assistant)
    return replace(earlier, body=body, facts=facts) if earlier else Proposal(body=body, facts=facts)


def _with_cv(proposal: Proposal, facts: AssistantCvAnnexed, body: Digest) -> Proposal:
    return replace(proposal, cv=facts, cv_body=body) if proposal.facts.assistant == facts.assistant else proposal


def _amended(agreement: Agreement, facts: AgreementAmended) -> Agreement:
    if agreement.number != facts.agreement:
        return agreement
    return Agreement(versions=(*agreement.versions, facts))


def _resumed(pause: Pause, on: date) -> Pause:
    return replace(pause, until=on) if pause.until is None else pause

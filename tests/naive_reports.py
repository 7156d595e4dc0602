"""The figures of reports once more, as slowly and plainly as they can be had: each one asked of the whole list of events.

Nothing here is kept while reading, nothing is folded; it shares with the reports the events alone.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from services.audit.event import Event
from services.audit.reports.figures import Scope

__all__ = ["is_known", "naive"]

Figures = dict[str, dict[tuple[str, ...], tuple[int, ...]]]


def naive(name: str, events: Sequence[Event], scope: Scope) -> Figures:
    """Return the figures of a report by table and row."""
    known = [each for each in events if is_known(each, scope)]
    makers: dict[str, Callable[[list[Event], Scope], Figures]] = {
        "variants": variants,
        "answers": answers,
        "deadlines": deadlines,
        "refusals": refusals,
        "service": service,
        "open-cases": open_cases,
    }
    return makers[name](known, scope)


def is_known(event: Event, scope: Scope) -> bool:
    """Tell whether an event counts, was recorded by the one day and happened by the other."""
    if not event.counts or event.recorded_on is None or event.recorded_on > scope.known_at:
        return False
    by_name = {
        "received_on": ("ApplicationFiled", "ApplicationSupplemented", "ApplicationWithdrawn", "VariantChosen"),
        "on": ("CaseClosed", "PupilLeftSchool", "ServiceEnded"),
        "concluded_on": ("AgreementConcluded", "AgreementAmended"),
        "month": ("HoursReported", "MoneyReported"),
        "as_of": ("EligibilityScreened",),
        "due_on": ("DeadlinePassed",),
        "decided_on": ("SchoolDecisionMade",),
        "issued_on": ("RecommendationRefused",),
        "from_on": ("SchoolDescribed",),
    }
    days = [getattr(event.facts, name) for name, types in by_name.items() if event.type in types]
    return bool((days or [event.recorded_on])[0] <= scope.as_of)


def tally(values: Iterable[str]) -> dict[tuple[str, ...], tuple[int, ...]]:
    found = list(values)
    return {(each,): (found.count(each),) for each in set(found)}


def of(events: Iterable[Event], *names: str) -> list[Event]:
    return [each for each in events if each.type in names]


def within(day: date, scope: Scope) -> bool:
    return scope.since <= day <= scope.until


def variants(events: list[Event], scope: Scope) -> Figures:
    came = [each for each in of(events, "ApplicationFiled") if within(each.facts.received_on, scope)]
    filed = [each.facts for each in came]
    return {
        "variants": tally(route(events, each, date.max) for each in came),
        "intakes": tally(each.intake.value for each in filed),
        "months": tally(each.received_on.isoformat()[:7] for each in filed),
    }


def route(events: list[Event], filed: Event, until: date) -> str:
    """Return the variant that was chosen last for an application."""
    chosen = [each.facts for each in of(events, "VariantChosen") if each.common_case == filed.common_case]
    return str(next((each.variant.value for each in reversed(chosen) if each.received_on <= until), filed.facts.variant.value))


def reply_to(events: list[Event], request: Event) -> Event | None:
    replies = of(events, "ConfirmationGiven", "RequestReturned", "RequestClosed", "RequestWithdrawn")
    return next((each for each in replies if each.in_reply_to == request.body), None)


def outcome(events: list[Event], request: Event) -> str:
    reply = reply_to(events, request)
    if reply is None:
        return "Open"
    return str(reply.facts.answer.value) if reply.type == "ConfirmationGiven" else str(reply.type).removeprefix("Request")


def step(events: list[Event], request: Event, name: str) -> date | None:
    """Return the day of a step of a request: the first that is named so, before the next request of its case."""
    if name == "asked":
        return request.recorded_on
    if name == "answered":
        given = [each for each in of(events, "ConfirmationGiven") if each.in_reply_to == request.body]
        return given[0].recorded_on if given else None
    types = {
        "registered": ["RequestRegistered"],
        "assessed": ["RecommendationIssued", "RecommendationRefused"],
        "dispatched": ["DocumentsDispatched"],
    }[name]
    place = events.index(request)
    mine = [each for each in events[place + 1 :] if each.common_case == request.common_case]
    again = next((index for index, each in enumerate(mine) if each.type == "InformationRequested"), len(mine))
    return next((each.recorded_on for each in mine[:again] if each.type in types), None)


def duration(first: date | None, then: date | None) -> str:
    if first is None or then is None:
        return "not recorded, or not opened"
    days = (then - first).days
    if days <= 0:
        return "0 days"
    if days <= 7:
        return "1 to 7 days"
    if days <= 14:
        return "8 to 14 days"
    return "15 to 31 days" if days <= 31 else "32 days and more"


def answers(events: list[Event], scope: Scope) -> Figures:
    asked = [each for each in of(events, "InformationRequested") if within(each.recorded_on or date.min, scope)]
    answered = [each for each in asked if outcome(events, each) in ("Yes", "No")]
    found = {
        "outcomes": tally("Answered" if each in answered else outcome(events, each) for each in asked),
        "months": tally(str(each.recorded_on)[:7] for each in asked),
        "answers": tally(outcome(events, each) for each in answered),
        "changed": tally(
            {"ConfirmationCorrected": "Corrected", "ConfirmationEnded": "Ended"}[str(each.type)]
            for each in of(events, "ConfirmationCorrected", "ConfirmationEnded")
            if within(each.recorded_on or date.min, scope)
        ),
    }
    steps = ["asked", "registered", "assessed", "dispatched", "answered"]
    for first, then in [("asked", "answered"), *pairwise(steps)]:
        found[f"{first}-{then}"] = tally(duration(step(events, each, first), step(events, each, then)) for each in answered)
    return found


def term(due: date, ended: date | None, as_of: date, *, withdrawn: bool = False) -> str:
    in_time = ended is not None and ended <= due and ended <= as_of
    if in_time:
        return "Lapsed" if withdrawn else "Kept"
    return "Missed" if due < as_of else "Running"


def deadlines(events: list[Event], scope: Scope) -> Figures:
    asked = [each for each in of(events, "InformationRequested") if within(each.facts.due_on, scope)]
    found = []
    for each in asked:
        reply = reply_to(events, each)
        ended = reply.recorded_on if reply is not None else None
        found.append(term(each.facts.due_on, ended, scope.as_of, withdrawn=outcome(events, each) == "Withdrawn"))
    completed = []
    for place, each in enumerate(events):
        if each.type != "ApplicationFoundIncomplete" or not within(each.facts.due_on, scope):
            continue
        later = [other for other in events[place + 1 :] if other.common_case == each.common_case]
        turns = [other for other in later if other.type in ("ApplicationFoundIncomplete", "ApplicationSupplemented")]
        came = turns[0].facts.received_on if turns and turns[0].type == "ApplicationSupplemented" else None
        completed.append(term(each.facts.due_on, came, scope.as_of))
    passed = [each.facts for each in of(events, "DeadlinePassed") if within(each.facts.due_on, scope)]
    extended = [each.facts for each in of(events, "TermExtended") if within(each.recorded_on or date.min, scope)]
    return {
        "answers": tally(found),
        "completions": tally(completed),
        "passed": tally(each.deadline.value for each in passed),
        "extended": tally(each.cause.value for each in extended),
    }


def refusals(events: list[Event], scope: Scope) -> Figures:
    def grounds(
        name: str, day: Callable[[Event], date], said: Callable[[Any], Iterable[Any]], is_one: Callable[[Any], bool]
    ) -> list[set[str]]:
        mine = [each for each in of(events, name) if is_one(each.facts) and within(day(each), scope)]
        return [{ground.value for ground in said(each.facts)} for each in mine]

    kinds = {
        "screenings": grounds(
            "EligibilityScreened", lambda e: e.facts.as_of, lambda f: f.reasons, lambda f: f.outcome.value == "Ineligible"
        ),
        "recommendations": grounds("RecommendationRefused", lambda e: e.facts.issued_on, lambda f: f.grounds, lambda _: True),
        "decisions": grounds(
            "SchoolDecisionMade", lambda e: e.facts.decided_on, lambda f: f.grounds, lambda f: f.outcome.value == "Refused"
        ),
        "returns": grounds("RequestReturned", lambda e: e.recorded_on or date.min, lambda f: f.grounds, lambda _: True),
        "closings": grounds("CaseClosed", lambda e: e.facts.on, lambda f: [f.cause], lambda _: True),
    }
    found = {name: tally(ground for each in sets for ground in each) for name, sets in kinds.items()}
    found["events"] = {(name,): (len(sets),) for name, sets in kinds.items() if sets}
    return found


def service(events: list[Event], scope: Scope) -> Figures:
    reports = [each for each in of(events, "HoursReported", "MoneyReported") if within(each.facts.month, scope)]
    places: dict[tuple[str, ...], list[tuple[str, date, date]]] = {}
    for school in sorted({each.channel.partition(".")[0] for each in reports}):
        mine = [each for each in events if each.channel.partition(".")[0] == school]
        for month in sorted({each.facts.month for each in reports if each in mine}):
            last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
            places.setdefault((month.isoformat()[:7], founder(mine, last)), []).append((school, month, last))
    return {"months": {key: summed(events, each) for key, each in places.items()}}


def founder(mine: list[Event], last: date) -> str:
    said = [each.facts for each in of(mine, "SchoolDescribed") if each.facts.from_on <= last]
    newest = max((each.from_on for each in said), default=None)
    return next((str(each.founder.value) for each in reversed(said) if each.from_on == newest), "Unknown")


def summed(events: list[Event], places: Iterable[tuple[str, date, date]]) -> tuple[int, ...]:
    pupils, assistants = set[Any](), set[Any]()
    minutes = opening = received = used = 0
    for school, month, last in places:
        mine = [each for each in events if each.channel.partition(".")[0] == school]
        reports = [each for each in of(mine, "HoursReported") if each.facts.month == month]
        for number in {each.facts.agreement for each in reports}:
            report = [each for each in reports if each.facts.agreement == number][-1]
            if not report.facts.minutes:
                continue
            minutes += report.facts.minutes
            filed = [each for each in of(mine, "ApplicationFiled") if each.common_case == report.common_case]
            pupils.add((school, filed[-1].facts.pupil if filed else None))
            texts = [each.facts for each in of(mine, "AgreementConcluded", "AgreementAmended") if each.facts.agreement == number]
            for place, text in enumerate(texts):
                # Who was replaced by a text that holds from before him, or from before the month, did not work in it.
                after = [
                    other
                    for index, other in enumerate(texts)
                    if (other.from_on, index) > (text.from_on, place) and other.from_on <= max(month, text.from_on)
                ]
                if text.from_on <= last and not after:
                    assistants.add((school, text.assistant))
        money = [each.facts for each in of(mine, "MoneyReported") if each.facts.month == month]
        if money:
            opening += money[-1].opening_cents
            received += money[-1].received_cents
            used += money[-1].used_cents
    return len(pupils), len(assistants), minutes, opening, received, used, opening + received - used


CLOSING = {
    "ApplicationWithdrawn": "received_on",
    "CaseClosed": "on",
    "ServiceEnded": "on",
    "PupilLeftSchool": "on",
}


def open_cases(events: list[Event], scope: Scope) -> Figures:
    stages, kinds = [], []
    for filed in of(events, "ApplicationFiled"):
        mine = [each for each in events if each.common_case == filed.common_case]
        reached = [
            (day, stage) for each in mine if (found := stage_of(each)) is not None for day, stage in [found] if day <= scope.as_of
        ]
        links = [
            each
            for each in mine
            if each.type in ("DuplicateLinked", "DuplicateReopened") and (each.recorded_on or date.min) <= scope.as_of
        ]
        is_linked = bool(links) and links[-1].type == "DuplicateLinked"
        if filed.facts.received_on <= scope.as_of and not is_linked and all(stage != "Closed" for _, stage in reached):
            stages.append(reached[-1][1])
            kinds.append(route(events, filed, scope.as_of))
    return {"stages": tally(stages), "variants": tally(kinds)}


def stage_of(event: Event) -> tuple[date, str] | None:
    recorded = event.recorded_on or date.min
    if event.type in CLOSING:
        return getattr(event.facts, CLOSING[event.type]), "Closed"
    if event.type == "SchoolDecisionMade":
        return event.facts.decided_on, "Granted" if event.facts.outcome.value == "Granted" else "Closed"
    names = {
        "ApplicationFiled": "Filed",
        "InformationRequested": "Asked",
        "ConfirmationGiven": "Answered",
        "AgreementConcluded": "Agreed",
    }
    days = {"ApplicationFiled": "received_on", "AgreementConcluded": "concluded_on"}
    if event.type not in names:
        return None
    return getattr(event.facts, days.get(event.type, ""), recorded), names[event.type]

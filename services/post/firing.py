"""Firing: deadlines whose day is over, each once, and days on which something happens, by the same way as a clerk's act.

What a deadline or a day means is for the domain; a deadline that makes no event is marked, so that people see that it has passed.
A deadline stands in clear, so its day follows from facts. A day that is personal, as a birthday, stands nowhere: each day its
cases are looked up by a keyed hash (docs/adr/0026).
Source: design.md section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, partial
from typing import Final, TypeGuard
from uuid import UUID

from services.post.cases import history_of
from services.post.history import Daily, Domain, New, Recorded, Sharing, Standing
from services.post.office import Office, is_over
from services.post.opening import opener
from services.post.people import cases_of, has_cases
from services.post.rows import rests_in
from services.post.saving import CaseIncompleteError, KeysAwaitedError, NotReadyError, require_whole, save
from services.wire.errors import MalformedError, RefusedError, SchemaError, SealError

__all__ = ["AT_ONCE", "fire_day_once", "fire_due_once"]

AT_ONCE: Final = 100
_PAUSE: Final = 60_000
"""How long a case is left alone in which nothing can happen by itself yet, in milliseconds."""

_MOST_IN_A_CASE: Final = 12
"""More deadlines than any case has at a time: each has one of a name."""

_DAMAGED: Final = (SealError, MalformedError, SchemaError)
"""What a stored event says that was damaged since: its case is for a person, who finds it by looking at it or by a restore."""

_DAY_DONE: Final = "day done"
_LOOK_BACK_DAYS: Final = 60
"""So long after its day a case may still be entered whose day it was; for longer ones there is an act of a clerk's."""
_LONGEST_STOP_DAYS: Final = 366


class CaseNotReadableError(RefusedError):
    """Something of a case cannot be read now; what happened by itself would rest on a part of it."""

    def __init__(self) -> None:
        super().__init__("Part of this case cannot be read here now: its key was asked for, or a newer program has to read it.")


def fire_due_once(office: Office) -> int:
    """Fire the deadlines that are due, the oldest first, and return how many those were; each in a transaction of its own."""
    now = office.clock()
    for case_id in [each for each, tried in office.put_off.items() if is_over(now, tried, _PAUSE)]:
        del office.put_off[case_id]
    rows = office.database.all(
        "SELECT case_id, name FROM deadlines WHERE fired_at IS NULL AND due_on < ? ORDER BY due_on LIMIT ?",
        office.today.isoformat(),
        # So many more: however much waits in cases that are left alone, it must not hide what is due in the others.
        AT_ONCE + _MOST_IN_A_CASE * len(office.put_off),
    )
    due = [(UUID(row["case_id"]), row["name"]) for row in rows]
    ready = [(case_id, name) for case_id, name in due if case_id not in office.put_off][:AT_ONCE]
    return sum(_if_ready(office, case_id, partial(_fire, office, case_id.hex, name)) for case_id, name in ready)


def _if_ready(office: Office, case_id: UUID, happens: Callable[[], int]) -> int:
    """Return what happened in a case; nothing in one that is damaged or not whole after a restore, or has no schema yet.

    It is as due afterwards, and tried again. A clerk is refused there too: a timer would give the case two histories, and what a
    worker meets here must not keep it from sending and receiving.
    """
    now = office.clock()
    tried = office.put_off.get(case_id)
    if tried is not None and not is_over(now, tried, _PAUSE):
        return 0
    try:
        done = happens()
    except (CaseIncompleteError, CaseNotReadableError, KeysAwaitedError, NotReadyError, *_DAMAGED) as error:
        office.put_off[case_id] = now
        office.tell(f"what is due by itself waits in some case: {error}")
        return 0
    office.put_off.pop(case_id, None)
    return done


def _fire(office: Office, case_hex: str, name: str) -> int:
    with office.database.transaction():
        row = office.database.one(
            "SELECT c.school FROM deadlines d JOIN cases c ON c.case_id = d.case_id"
            " WHERE d.case_id = ? AND d.name = ? AND d.fired_at IS NULL AND d.due_on < ?",
            case_hex,
            name,
            office.today.isoformat(),
        )
        # Somebody acted since the list was read, and nothing is due any more.
        if row is None:
            return 0
        require_whole(office, UUID(case_hex), row["school"])
        office.database.run("UPDATE deadlines SET fired_at = ? WHERE case_id = ? AND name = ?", office.clock(), case_hex, name)
        stream = office.store.stream(UUID(case_hex))
        history = _readable(history_of(office, stream))
        save(office, stream.id, _fired(office, history, name), school=row["school"], history=history)
        return 1


def _fired(office: Office, history: Sequence[Recorded], name: str) -> Sequence[New]:
    """Return what a deadline makes in a case; one that is due by another on which it rests, with that one, whole too."""
    domain, other = office.domain, rests_in(office, history)
    # A term of its own passes whatever the other lacks.
    if not isinstance(domain, Sharing) or other is None or name in {each.name for each in domain.row(history).deadlines}:
        return domain.fire(history, name)
    row = office.database.one("SELECT school FROM cases WHERE case_id = ?", other.hex)
    require_whole(office, other, row["school"] if row else None)
    return domain.fire_among(history, _readable(history_of(office, office.store.stream(other))), name)


def _readable(history: Sequence[Recorded]) -> Sequence[Recorded]:
    """Return a history all of which is readable now. Raises: CaseNotReadableError.

    A yes that ended would be told to nobody, where the request that it answers cannot be read.
    """
    if any(event.standing is Standing.PARKED for event in history):
        raise CaseNotReadableError
    return history


def fire_day_once(office: Office) -> int:
    """Let days up to today happen that did not yet, in each case that stands under them, and return how much was done.

    Whoever was stopped for long catches up, in order and a hundred days at once. A case that does not open yet is found again
    while its day is not long past, or by a clerk.
    """
    domain, today = office.domain, office.today
    if not _is_daily(domain):
        return 0
    row = office.database.one("SELECT at FROM said WHERE name = ?", _DAY_DONE)
    if row is not None and row["at"] == today.toordinal():
        return 0
    recent = today.toordinal() - _LOOK_BACK_DAYS
    # A day done that has not come yet, or is years ago, was one of a clock that went wrong, or is: nothing happens in its years.
    is_near = row is not None and 0 < today.toordinal() - row["at"] <= _LONGEST_STOP_DAYS
    first = min(recent, row["at"] + 1) if row is not None and is_near else recent
    days = range(first, today.toordinal() + 1)[:AT_ONCE]
    dates = [date.fromordinal(number) for number in days]
    # Of many days at once hardly any is somebody's: one look for all of them, and where it finds none none is looked at alone.
    is_any = has_cases(office, [word for day in dates for word in domain.words_of(day)])
    happened = sum(_happen_in_all(office, domain, day) for day in dates) if is_any else 0
    query = "INSERT INTO said VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"
    office.database.run(query, _DAY_DONE, days[-1])
    return happened + (days[-1] < today.toordinal())


def _is_daily(domain: Domain) -> TypeGuard[Daily]:
    return _are_daily(type(domain))


@cache
def _are_daily(domains: type) -> bool:
    # Asked with each step of a worker, and a protocol's own look at an object takes as long as many queries.
    return issubclass(domains, Daily)


def _happen_in_all(office: Office, domain: Daily, day: date) -> int:
    found = (case_id for word in domain.words_of(day) for case_id in cases_of(office, word))
    return sum(_if_ready(office, case_id, partial(_happen, office, domain, case_id, day)) for case_id in found)


def _happen(office: Office, domain: Daily, case_id: UUID, day: date) -> int:
    with office.database.transaction():
        row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
        require_whole(office, case_id, row["school"] if row else None)
        stream = office.store.stream(case_id)
        news = domain.on_day(_readable(history_of(office, stream)), day, opener(office, case_id))
        save(office, case_id, news, school=row["school"] if row else None)
    return 1 if news else 0

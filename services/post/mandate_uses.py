"""Uses of mandates, as auditors tell them in their records, which all may read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.post.cases import open_facts
from services.post.letterbook import ON_CHAIN, statement_of
from services.post.mandates import Mandate
from services.post.office import Office
from services.wire.channels import Role, record_of, writer_of
from services.wire.entry import Sealed
from services.wire.errors import RingError, VerificationError
from services.wire.events import AccessEnded, AccessUsed
from services.wire.hashing import Digest

__all__ = ["uses_after_end", "uses_of"]

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    auditor: str
    mandate: Digest
    on: date
    ended_before: bool


def uses_of(office: Office) -> Counter[tuple[str, Digest]]:
    """Return how often each auditor has said that it took in or used a mandate, by the name of the mandate.

    Anybody can name any mandate by its digest: whose it is, the caller knows. What does not open here yet is not counted: the key
    of an auditor's record comes with its first use.
    """
    return Counter((each.auditor, each.mandate) for each in _uses(office))


def uses_after_end(office: Office, mandates: Iterable[Mandate]) -> Counter[tuple[str, Digest]]:
    """Return how many of the uses of these mandates were after their end.

    That is on a day after the last one, or after the day of the end that its writer recorded; or behind the end in the auditor's
    own record. Days are those that each wrote down, and no earlier than those that stand before it in the same record: a clock
    may be set back. Of the day of an early end itself nobody can tell.
    """
    last = {each.name: min(each.until, each.ended_on or each.until) for each in mandates}
    return Counter(
        (each.auditor, each.mandate)
        for each in _uses(office)
        if each.mandate in last and (each.ended_before or each.on > last[each.mandate])
    )


def _uses(office: Office) -> Iterator[_Use]:
    ended: set[tuple[str, Digest]] = set()
    days: dict[str, date] = {}
    for auditor, day, said in _said(office):
        on = days[auditor] = max(day, days.get(auditor, day))
        match said:
            case AccessUsed(grant=mandate):
                yield _Use(auditor=auditor, mandate=mandate, on=on, ended_before=(auditor, mandate) in ended)
            case AccessEnded(grant=mandate) if mandate is not None:
                ended.add((auditor, mandate))
            case _:
                pass


def _said(office: Office) -> Iterator[tuple[str, date, object]]:
    """Yield what opens in the records of auditors, each record in its order: the auditor, the day, and what is said."""
    query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.facts IS NOT NULL AND {ON_CHAIN} ORDER BY e.epoch, e.sequence"  # noqa: S608  # own text
    auditors = [each.id for each in office.trust.participants.values() if each.role is Role.AUDITOR]
    for row in (row for auditor in auditors for row in office.database.all(query, record_of(auditor))):
        statement = statement_of(row)
        if not isinstance(statement.body, Sealed):
            continue
        try:
            frame = open_facts(office, statement.channel, statement.event_id, statement.body.facts_key, row["facts"])
            said = None if frame is None else office.book.facts(frame.type, frame.schema, frame.content)
        except (RingError, VerificationError):
            # An auditor that seals nonsense is its own witness; the list of mandates is shown all the same.
            continue
        if frame is not None:
            yield writer_of(statement.channel), _EPOCH + timedelta(days=frame.recorded_on), said

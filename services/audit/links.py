"""Links: which cases of one pupil the commission linked, and what the given keys leave unknown of that.

A link names the first event of the earlier case, which may stand in a school's channel or in the commission's record. Decides
nothing about what rests on it: see ``bases``.
Source: events.md (``AssessmentLinked``); domain.md D.6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from services.audit.claims import Closed, Look
from services.wire.candidates import Candidate
from services.wire.channels import COMMISSION, ChannelKind, channel_kind, commission_case, record_of
from services.wire.entry import body_digest
from services.wire.events import AssessmentLinked
from services.wire.hashing import Digest

__all__ = ["First", "Links", "began_in"]


@dataclass(slots=True)
class First:
    """What is known of events that links name: the commission's cases that they are of, and the keys that would tell.

    ``is_nowhere`` says that one of them stands nowhere.
    """

    cases: set[bytes] = field(default_factory=set)
    lacking: set[Digest] = field(default_factory=set)
    is_nowhere: bool = False


@dataclass(slots=True)
class Links:
    """The links that open; ``unopened`` counts what does not open of the commission's record, by the key that it lacks."""

    unopened: Counter[Digest] = field(default_factory=Counter)
    _named: dict[bytes, set[Digest]] = field(default_factory=dict)
    _firsts: dict[Digest, First] = field(default_factory=dict)
    _linked: dict[bytes, First] = field(default_factory=dict)

    @classmethod
    def of(cls, look: Look, channels: Iterable[str], entries: Callable[[str], Iterator[Candidate]]) -> Self:
        """Return the links of the commission and what they name, as far as that stands in some channels."""
        links = cls()
        for candidate in entries(record_of(COMMISSION)):
            if candidate.is_sealed:
                links._add(look, candidate)
        named = set[Digest]().union(*links._named.values())
        for channel in channels if named else ():
            for candidate in entries(channel):
                body = body_digest(candidate.unverified_statement.body)
                if body in named:
                    _learn(links._firsts.setdefault(body, First()), look, channel, candidate)
        return links

    def linked(self, case: bytes) -> First:
        """Return what is known of all events that links of a case name."""
        if case not in self._linked:
            firsts = [self._firsts.get(each) for each in self._named.get(case, ())]
            found = [each for each in firsts if each is not None]
            cases, lacking = (
                set[bytes]().union(*(each.cases for each in found)),
                set[Digest]().union(*(each.lacking for each in found)),
            )
            # Kept: a case may have many links and many answers, and each answer asks.
            self._linked[case] = First(cases, lacking, is_nowhere=None in firsts)
        return self._linked[case]

    def _add(self, look: Look, candidate: Candidate) -> None:
        facts = look.facts(candidate)
        if isinstance(facts, Closed):
            self.unopened.update({facts.key} if facts.key is not None else ())
            return
        said = look.said(facts) if facts.type == AssessmentLinked.__name__ else None
        if said is not None and facts.case_id is not None:
            # One that stood by itself again may be linked anew; what it heard before rests on the case linked to it then.
            self._named.setdefault(facts.case_id, set()).add(said.primary)


def began_in(look: Look, channels: Iterable[str], entries: Callable[[str], Iterator[Candidate]]) -> dict[bytes, str]:
    """Return in which of some channels of schools each of the commission's cases began, as far as that opens."""
    found: dict[bytes, str] = {}
    for channel in channels:
        opened = (look.facts(each) for each in entries(channel) if each.is_sealed)
        cases = {each.case_id for each in opened if not isinstance(each, Closed) and each.case_id is not None}
        found |= {commission_case(UUID(bytes=each), channel).bytes: channel for each in cases}
    return found


def _learn(first: First, look: Look, channel: str, candidate: Candidate) -> None:
    """Learn of which case an event is; of an open entry, which is of none, there is nothing to learn."""
    facts = look.facts(candidate) if candidate.is_sealed else Closed(None)
    if isinstance(facts, Closed):
        first.lacking.update({facts.key} if facts.key is not None else ())
    elif facts.case_id is not None:
        # A school's own number of a case is not the commission's, which follows from it.
        is_schools = channel_kind(channel) is ChannelKind.TO_COMMISSION
        first.cases.add(commission_case(UUID(bytes=facts.case_id), channel).bytes if is_schools else facts.case_id)

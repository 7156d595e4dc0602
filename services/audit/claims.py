"""Claims: what an event says that it rests on, as far as its facts open with the keys that somebody gave.

Decides nothing about whether that is there: see ``bases``.
Source: design.md section 5 (``basis``); events.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from services.audit.judged import Judged
from services.wire.candidates import Candidate
from services.wire.contents import Facts, decode_facts
from services.wire.entry import Sealed, Statement
from services.wire.errors import VerificationError
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ApplicationWithdrawn,
    AssessmentClosed,
    AttendanceRequested,
    AttendanceRequired,
    CaseClosed,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    ConsentRecorded,
    DeliveryAddressChanged,
    DeliveryAddressChosen,
    IdentityNotMatched,
    InformationRequested,
    PersonDataCorrected,
    PupilCameOfAge,
    PupilLeftSchool,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RecommendationRevoked,
    RepresentativeChanged,
    RequestClosed,
    RequestCorrected,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    SchoolDecisionMade,
)
from services.wire.hashing import Digest, digest_of
from services.wire.records import SchemaBook
from services.wire.sealing import Part, open_part

__all__ = ["Claim", "Closed", "Look", "rests_on", "rules"]

_JUDGES: Final = ("bases.py", "claims.py", "judged.py", "links.py", "overruled.py")
"""The files that decide what is found of claims; see ``rules``."""

# What each event may rest on, and what people call it; a yes and a no are told apart below.
_RESTS_ON: Final[Mapping[type, tuple[str, tuple[type, ...]]]] = {
    ConfirmationEnded: ("the end of a yes", (RecommendationRevoked, RecommendationExpired)),
    AttendanceRequired: ("a word of attendance", (AttendanceRequested,)),
    IdentityNotMatched: ("a word that nobody was found", (RequestRegistered,)),
    RequestReturned: ("a return", (RequestRegistered,)),
    RequestClosed: ("a closing", (AssessmentClosed,)),
    InformationRequested: ("a request", (ConsentRecorded,)),
    # Also where the school refused, or closed what was not completed, while the commission owed its answer (D.5, 7).
    RequestWithdrawn: ("a withdrawal", (ApplicationWithdrawn, PupilLeftSchool, SchoolDecisionMade, CaseClosed)),
    RequestCorrected: ("a correction", (PersonDataCorrected, RepresentativeChanged, PupilCameOfAge)),
    # Of a pupil who died or left the country nothing is sent any more (D.5, 30).
    DeliveryAddressChanged: (
        "a change of address",
        (DeliveryAddressChosen, RepresentativeChanged, PupilCameOfAge, PupilLeftSchool),
    ),
}
# A no may have been a yes that was corrected; a yes has always a recommendation before it.
_YES: Final = (RecommendationIssued,)
_NO: Final = (RecommendationRefused, RecommendationCorrected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An event at a place says that it rests on another, of one of some types and of its own case."""

    statement: Statement
    what: str
    basis: Digest
    types: tuple[str, ...]
    case: bytes | None


@dataclass(frozen=True, slots=True)
class Closed:
    """Facts that do not open: under the key that is not held, or, with None, although it is."""

    key: Digest | None


@dataclass(frozen=True, slots=True)
class Look:
    """Opens facts with what keys there are."""

    keys: Mapping[Digest, bytes]
    book: SchemaBook

    def claims(self, candidate: Candidate, judged: Judged) -> Iterator[Claim]:
        """Yield what a sealed event claims; one that does not open, or says nothing that can be read here, is noted."""
        facts = self.facts(candidate)
        said = None if isinstance(facts, Closed) else self.said(facts)
        if isinstance(facts, Closed) or said is None:
            judged.unopened += 1
            judged.lacks(facts.key if isinstance(facts, Closed) else None)
            return
        for what, basis, kinds in rests_on(said):
            types = tuple(kind.__name__ for kind in kinds)
            yield Claim(statement=candidate.unverified_statement, what=what, basis=basis, types=types, case=facts.case_id)

    def facts(self, candidate: Candidate) -> Facts | Closed:
        """Return the facts of a sealed event. Raises: ValueError if it is an open one (a caller's bug)."""
        statement = candidate.unverified_statement
        body, channel = statement.body, statement.channel
        if not isinstance(body, Sealed):
            raise ValueError("an open entry has no facts")  # noqa: TRY004  # the caller's bug
        key = self.keys.get(body.facts_key)
        if key is None:
            return Closed(body.facts_key)
        try:
            return decode_facts(open_part(key, Part.FACTS, candidate.facts or b"", channel=channel, event_id=statement.event_id))
        except VerificationError:
            # Its reader refuses it as unreadable; here it shows nothing of what it rests on.
            return Closed(None)

    def said(self, facts: Facts) -> Any:
        """Return what facts say, None if this release cannot read them: their reader refuses them, or waits for a newer one."""
        try:
            return self.book.facts(facts.type, facts.schema, facts.content)
        except VerificationError:
            return None


@cache
def rules() -> str:
    """Return the digest of the program that judges claims here: what was judged by another one is judged again.

    Whatever changes in it may change what is found; to look once more after an update costs less than to miss a lie for good.
    """
    folder = files("services.audit")
    return digest_of(b"".join((folder / name).read_bytes() for name in _JUDGES)).hex()


def rests_on(said: Any) -> list[tuple[str, Digest, tuple[type, ...]]]:
    """Return what an event says that it rests on: what people call it, the body named, and the types that it may be of."""
    if isinstance(said, ConfirmationGiven | ConfirmationCorrected):
        word = "a corrected" if isinstance(said, ConfirmationCorrected) else "a"
        kinds = {Answer.YES: _YES, Answer.NO: _NO}.get(said.answer)
        return [(f"{word} {said.answer.value.lower()}", said.basis, kinds)] if kinds else []
    what, types = _RESTS_ON.get(type(said), ("", ()))
    found = [(what, said.basis, types)] if types else []
    if isinstance(said, InformationRequested):
        found.append((what, said.application, (ApplicationFiled,)))
    return found

"""Opening: what the parts of a taken entry say, with the keys that somebody holds and the schemas that the log publishes.

Decides nothing about what is taken. Facts and personal part are opened apart, and each that does not open says why.
Source: design.md sections 4 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from services.audit.keys import Keys
from services.wire.audience import AUDIENCE
from services.wire.candidates import Candidate
from services.wire.contents import Facts, decode_facts, decode_personal
from services.wire.disclosures import DisclosedKey, part_digest
from services.wire.entry import Sealed, Statement
from services.wire.errors import VerificationError
from services.wire.records import SchemaBook, event_type
from services.wire.sealing import Part, open_part, open_with_part_key

__all__ = ["Opener", "Opening"]


class Opening(Enum):
    """Whether a part opens here, or why not.

    ``OPEN``: it was never sealed. ``NO_KEY``: its key is not among those held. ``ERASED``: its key was held and is destroyed.
    ``MISSING``: the part is not in the log. ``UNREADABLE``: it opens, or should, and is not what its schema says, or that schema
    is not published. ``UNKNOWN``: its event is of a type that this release does not know: its facts are shown as the published
    schema has them, and count for nothing. ``NOTHING``: nothing is personal about the event. ``UNASKED``: nobody asked for what
    is personal.
    """

    OPEN = "open"
    OPENED = "opened"
    NO_KEY = "no key"
    ERASED = "erased"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown type"
    NOTHING = "nothing"
    UNASKED = "not asked for"


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens parts with ``keys``; what is personal only where it was asked for."""

    keys: Keys
    book: SchemaBook
    with_personal: bool = False

    def plain(self, statement: Statement, sealed: bytes | None) -> bytes | Opening:
        """Return the facts part of a sealed entry, opened, or why it does not open: nothing of it is decoded."""
        body = statement.body
        if not isinstance(body, Sealed) or sealed is None:
            return Opening.MISSING
        try:
            plain = self._opened(self.keys.facts.get(body.facts_key), statement, Part.FACTS, sealed)
        except VerificationError:
            return Opening.UNREADABLE
        return plain if plain is not None else self._without_key(body.facts_key)

    def facts(self, plain: bytes | Opening) -> tuple[Opening, Facts | None, Any]:
        """Return how a facts part opens, its frame and what it says; None for what is not known.

        What opens and cannot be read keeps its frame: its case and its links still stand for something.
        """
        if not isinstance(plain, bytes):
            return plain, None, None
        try:
            frame = decode_facts(plain)
        except VerificationError:
            return Opening.UNREADABLE, None, None
        try:
            if frame.type not in AUDIENCE:
                return Opening.UNKNOWN, frame, self.book.unknown_facts(frame.type, frame.schema, frame.content)
            return Opening.OPENED, frame, self.book.facts(frame.type, frame.schema, frame.content)
        except VerificationError:
            return Opening.UNREADABLE, frame, None

    def personal(self, entry: Candidate | None, frame: Facts) -> tuple[Opening, Any]:
        """Return how the personal part of an entry opens whose facts did, and what it says.

        The entry is None where nobody asks for that.
        """
        if frame.type not in AUDIENCE:
            # What may be personal about it is for a release that knows it.
            return Opening.UNKNOWN, None
        try:
            if event_type(frame.type).personal_class is None:
                return Opening.NOTHING, None
            if entry is None or not self.with_personal:
                return Opening.UNASKED, None
            return self._personal(entry.unverified_statement, frame, entry.personal)
        except VerificationError:
            return Opening.UNREADABLE, None

    def _personal(self, statement: Statement, frame: Facts, sealed: bytes | None) -> tuple[Opening, Any]:
        identity, keys = frame.personal_key, self.keys.cases
        if identity is None and isinstance(statement.body, Sealed):
            # Where there is no case, the facts key seals both parts.
            identity, keys = statement.body.facts_key, self.keys.facts
        key = keys.get(identity) if identity is not None else None
        disclosed = self._disclosed(statement, Part.PERSONAL)
        if sealed is None and disclosed is not None:
            # Where a log is kept without what is personal, the part came with its key.
            sealed = disclosed.sealed
        if sealed is None and (key is not None or disclosed is not None):
            return Opening.MISSING, None
        plain = self._opened(key, statement, Part.PERSONAL, sealed) if sealed is not None else None
        if plain is None:
            return self._without_key(identity), None
        return Opening.OPENED, self.book.personal(frame.type, frame.schema, decode_personal(plain).content)

    def _opened(self, key: bytes | None, statement: Statement, part: Part, sealed: bytes) -> bytes | None:
        """Return what a part says, with a key of many or with its own; None where neither is held. Raises: SealError."""
        if key is not None:
            return open_part(key, part, sealed, channel=statement.channel, event_id=statement.event_id)
        disclosed = self._disclosed(statement, part)
        return open_with_part_key(disclosed.key, part, sealed) if disclosed is not None else None

    def _disclosed(self, statement: Statement, part: Part) -> DisclosedKey | None:
        """Return the key that was disclosed for just this part."""
        digest = part_digest(statement, part)
        found = self.keys.parts.get(digest) if digest is not None else None
        # A writer can copy a sealed part of somebody else's into a channel of its own: there it is another part.
        place = (statement.channel, statement.event_id, part)
        return found if found is not None and (found.channel, found.event_id, found.part) == place else None

    def _without_key(self, identity: bytes | None) -> Opening:
        return Opening.ERASED if identity in self.keys.erased else Opening.NO_KEY

"""Kept: what an auditor proves from, as its own letterbook has it: exact statements and signatures, digests, its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.audit.proving import Checkpointed, NotProvableError, Taken, named
from services.auditor.vouching import digests_of, heads_in
from services.post.database import Row
from services.post.letterbook import ON_CHAIN
from services.post.office import Office
from services.wire.channels import record_of
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["Kept"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The letterbook of an auditor, as a ledger of proofs."""

    office: Office

    @property
    def auditor(self) -> str:
        """Whose letterbook it is."""
        return self.office.participant

    @property
    def trust(self) -> Trust:
        """Whom the registrar's channel, as far as it was read here, has admitted."""
        return self.office.trust

    def newest(self) -> Checkpointed:
        """Return the newest checkpoint that was signed here. Raises: NotProvableError if there is none."""
        row = self.office.database.one(
            f"SELECT e.*, c.heads FROM checkpoints c JOIN entries e ON e.channel = ? AND e.event_id = c.event_id AND {ON_CHAIN}"  # noqa: S608  # own text
            " ORDER BY e.sequence DESC LIMIT 1",
            record_of(self.office.participant),
        )
        if row is None:
            raise NotProvableError("This auditor has signed no checkpoint yet; its worker makes one a day.")
        return Checkpointed(entry=self._taken(row), heads=heads_in(row))

    def entry(self, name: str) -> Taken:
        """Return a taken entry by its place or its digest; see ``Ledger``."""
        wanted = named(name)
        if isinstance(wanted, str):
            query = f"SELECT * FROM entries e WHERE hex(e.digest) LIKE ? AND {ON_CHAIN} LIMIT 2"  # noqa: S608  # own text
            found = self.office.database.all(query, f"{wanted}%")
        else:
            query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.sequence = ? AND {ON_CHAIN}"  # noqa: S608  # own text
            found = self.office.database.all(query, *wanted)
        if not found:
            raise NotProvableError("There is no such entry among those that are taken here.")
        if len(found) > 1:
            raise NotProvableError("Several entries begin with these digits; give more of them.")
        return self._taken(found[0])

    def digests(self, channel: str, upto: int) -> list[Digest]:
        """Return the digests of the first entries of a channel."""
        return digests_of(self.office, channel, upto=upto)

    def open_entries(self, channel: str) -> Iterator[Taken]:
        """Return the open entries of a channel."""
        query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.facts IS NULL AND {ON_CHAIN} ORDER BY e.sequence"  # noqa: S608  # own text
        return map(self._taken, self.office.database.all(query, channel))

    def _taken(self, row: Row) -> Taken:
        personal = self.office.letterbook.part(row["personal"]) if row["facts"] is not None else None
        return Taken(statement=row["statement"], signature=row["signature"], facts=row["facts"], personal=personal)

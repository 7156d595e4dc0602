"""Uses of mandates, as auditors tell them in their records, which all may read."""

from __future__ import annotations

from collections import Counter

from services.post.cases import open_facts
from services.post.letterbook import ON_CHAIN, statement_of
from services.post.office import Office
from services.wire.channels import Role, record_of, writer_of
from services.wire.entry import Sealed
from services.wire.errors import RingError, VerificationError
from services.wire.events import AccessUsed
from services.wire.hashing import Digest

__all__ = ["uses_of"]


def uses_of(office: Office) -> Counter[tuple[str, Digest]]:
    """Return how often each auditor has said that it took in or used a mandate, by the name of the mandate.

    Anybody can name any mandate by its digest: whose it is, the caller knows. What does not open here yet is not counted: the key
    of an auditor's record comes with its first use.
    """
    found: Counter[tuple[str, Digest]] = Counter()
    query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.facts IS NOT NULL AND {ON_CHAIN}"  # noqa: S608  # own text
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
        if isinstance(said, AccessUsed):
            found[writer_of(statement.channel), said.grant] += 1
    return found

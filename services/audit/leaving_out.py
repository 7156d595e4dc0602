"""Leaving out: a record without its personal part, as an auditor keeps it.

Who may hold a personal part follows from keys that an auditor is not given (design.md section 5), and without those keys nobody
can tell for which part an exception was granted. So an archive keeps none. An entry's identity and signature do not change by
that: its statement names the digest of the part, whoever keeps it.

A part that is not the one that was signed is a finding of whoever verifies, and has to stay one: in its place stands its SHA-256,
which does not match either. What is no entry at all is kept as it is: nobody can say which of its bytes are what.
"""

from __future__ import annotations

from services.wire.entry import PERSONAL_LIMIT_BYTES, SEALING_OVERHEAD_BYTES, Open, decode_statement, encode_entry, split_entry
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, digest_of

__all__ = ["without_personal"]


def without_personal(record: bytes) -> bytes:
    """Return a record whose personal part is left out, or is its digest alone if it is not the one that was signed."""
    try:
        statement, signature, facts, personal = split_entry(record)
    except MalformedError:
        return record
    if personal is None:
        return record
    return encode_entry(statement, signature, facts, None if _is_right(statement, personal) else _shown(personal))


def _is_right(statement: bytes, personal: bytes) -> bool:
    try:
        body = decode_statement(statement).body
    except MalformedError:
        return False
    if isinstance(body, Open):
        return False
    return len(personal) <= PERSONAL_LIMIT_BYTES + SEALING_OVERHEAD_BYTES and digest_of(personal) == body.personal


def _shown(personal: bytes) -> Digest:
    # What is no longer than a digest is one already, or shows nothing: kept twice it has to stay the same record.
    return Digest(personal) if len(personal) <= len(digest_of(b"")) else digest_of(personal)

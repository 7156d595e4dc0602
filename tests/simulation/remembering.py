"""Remembering what is pure and costs time: a seed reads the same records again and again, and all read the same schemas.

The functions stay the product's own; only asking them twice is saved. A seed gives the same trace without it, to the byte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from services.wire import paths
from services.wire.candidates import Candidate, candidate_of
from services.wire.certificates import Certificate, Root, verify_path
from services.wire.contents import decode_facts, decode_open
from services.wire.entry import body_digest, decode_statement, encode_entry
from services.wire.foreign_schema import check_schema
from services.wire.grants import EncryptionKey
from services.wire.hashing import Digest
from services.wire.reading import Reading, read_trust
from services.wire.records import EventType, SchemaBook
from services.wire.sealing import open_part
from services.wire.trust import Trust

__all__ = ["remember"]

_LIMIT: Final = 4096
"""Far more than the records of one seed: what is older goes."""

_LIMIT_OF_TRUST: Final = 256
"""Each holds all that the registrar said until then."""


def remember() -> None:
    """Let this process remember, for good: it is for processes that do nothing but run seeds."""
    _put(check_schema, cache(check_schema))
    verified = cache(verify_path)

    def verified_path(certificates: Sequence[bytes], root: Root, *, policy: str) -> Certificate:
        return verified(tuple(certificates), root, policy=policy)

    _put(verify_path, verified_path)
    trusted = lru_cache(_LIMIT_OF_TRUST)(read_trust)

    def trusted_by(records: Iterable[bytes], root: Root) -> tuple[Reading, Trust]:
        return trusted(tuple(records), root)

    _put(read_trust, trusted_by)
    for each in (body_digest, candidate_of, decode_statement, decode_open, decode_facts, encode_entry, open_part):
        _put(each, lru_cache(_LIMIT)(each))
    EncryptionKey.decrypt = lru_cache(_LIMIT)(EncryptionKey.decrypt)  # type: ignore[method-assign]
    SchemaBook._read = _remembered_content(SchemaBook._read)  # type: ignore[method-assign]  # noqa: SLF001  # frozen values
    _put(paths._valid_signature, _remembered(paths._valid_signature))  # noqa: SLF001  # where the product asks for one


def _remembered_content(read: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[str, Digest, bytes, int], Any] = {}

    def _read(book: SchemaBook, kind: EventType, schema: Digest, content: bytes, target: type, *, part: int) -> Any:
        key = (kind.name, schema, content, part)
        # A schema is the same file in every book that has it. What is refused is asked for again, of the book that refuses it.
        if key not in known or schema not in book._published:  # noqa: SLF001  # as the function itself
            if len(known) >= _LIMIT:
                known.clear()
            known[key] = read(book, kind, schema, content, target, part=part)
        return known[key]

    return _read


def _remembered(found: Callable[[Candidate, Certificate], bytes | None]) -> Callable[[Candidate, Certificate], bytes | None]:
    known: dict[tuple[bytes, ...], bytes | None] = {}

    def valid_signature(candidate: Candidate, certificate: Certificate) -> bytes | None:
        key = (certificate.digest, candidate.digest, *candidate.signatures)
        if key not in known:
            if len(known) >= _LIMIT:
                known.clear()
            known[key] = found(candidate, certificate)
        return known[key]

    return valid_signature


def _put(function: Callable[..., Any], remembering: Callable[..., Any]) -> None:  # whatever each takes and gives
    """Put a remembering function wherever a module has taken the plain one in."""
    for module in [each for name, each in sys.modules.items() if name.startswith(("services.", "tests."))]:
        for name, found in list(vars(module).items()):
            if found is function and module.__name__ != __name__:
                setattr(module, name, remembering)

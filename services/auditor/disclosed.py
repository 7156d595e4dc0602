"""Disclosed keys, held against the log: whether they are those of a mandate for me, of its writer, its case and its parts.

Nobody vouches for a file of keys: the mandate in its writer's record does, which names each part by its digest. What counts is
what this auditor's post has taken by the reading rule. Personal parts are not kept here, so they come with their keys.
Source: schemas/README.md, "Disclosures".
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.post.cases import open_facts
from services.post.database import Row
from services.post.letterbook import ON_CHAIN, statement_of
from services.post.office import Office
from services.wire.channels import Role, writer_of
from services.wire.contents import Facts, decode_facts
from services.wire.disclosures import DisclosedKey, part_digest
from services.wire.entry import Sealed
from services.wire.errors import DisclosureError, Evidence, RingError, VerificationError
from services.wire.events import AccessEnded, AccessGranted, AccessPurpose, AccessScope
from services.wire.hashing import Digest, Id, digest_of
from services.wire.sealing import Part, open_with_part_key

__all__ = ["Disclosed", "Looked", "checked", "look_for_end"]

_WRITERS: Final = (Role.SCHOOL, Role.COMMISSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A mandate for me, as its writer's record says it, and the keys under it by the digests of their parts.

    ``name`` is its own, ``channel`` is the record in which it stands, at ``sequence``. ``case_id`` is its writer's number of the
    case. ``has_ended`` where the file brought word of that.
    """

    name: Digest
    channel: str
    sequence: int
    case_id: UUID
    purpose: AccessPurpose
    until: date
    keys: Mapping[Digest, DisclosedKey]
    has_ended: bool


def checked(office: Office, channel: str, mandate: Digest, keys: Sequence[DisclosedKey]) -> Disclosed:
    """Return a mandate with its keys, each held against the entry that it is for.

    Raises: DisclosureError if the mandate does not stand in ``channel`` as it is read here, is for somebody else or for no case;
    if a key is for a channel of another writer, another case, a part that the mandate does not name, or does not fit its part.
    """
    row, frame, granted = _mandate(office, channel, mandate, keys)
    # Its own facts stand beside the parts that it names: by them whoever holds no facts key here reads what it is for.
    named = {*granted.parts, mandate}
    found: dict[Digest, DisclosedKey] = {}
    has_ended = False
    for key in keys:
        if _says_end(office, channel, mandate, key):
            has_ended = True
        else:
            found[_part_of(office, channel, named, key)] = key
            _require_case(office, frame, key, keys)
    return Disclosed(
        name=mandate,
        channel=channel,
        sequence=row["sequence"],
        case_id=UUID(bytes=frame.case_id),
        purpose=granted.purpose,
        until=granted.until or date.min,
        keys=found,
        has_ended=has_ended,
    )


class Looked(NamedTuple):
    """Whether a record says that a mandate has ended, and up to which place it need not be looked through again."""

    has_ended: bool
    upto: int


def look_for_end(office: Office, channel: str, mandate: Digest, since: int) -> Looked:
    """Look behind a place of a record for the end of a mandate, as far as its facts open here.

    What does not open here, or is written under a schema that was not read yet, is looked at again: the key, or the schema, may
    come later than the entry, with the end in it.
    """
    query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.sequence > ? AND {ON_CHAIN} ORDER BY e.sequence"  # noqa: S608  # own text
    upto, is_whole = since, True
    for row in office.database.all(query, channel, since):
        opened = list(_opened(office, row))
        if any(_ends(said, mandate) for _, said in opened):
            return Looked(has_ended=True, upto=upto)
        is_whole = is_whole and (bool(opened) or not isinstance(statement_of(row).body, Sealed))
        upto = row["sequence"] if is_whole else upto
    return Looked(has_ended=False, upto=upto)


def _mandate(office: Office, channel: str, mandate: Digest, keys: Iterable[DisclosedKey]) -> tuple[Row, Facts, AccessGranted]:
    me = office.trust.participants.get(office.participant)
    writer = office.trust.participants.get(writer_of(channel))
    if me is None or writer is None or writer.role not in _WRITERS:
        raise DisclosureError(
            "a mandate is given by a school or the commission", Evidence(expected="a record of theirs", found=channel)
        )
    for key in (each for each in keys if each.channel == channel and each.part is Part.FACTS):
        for row in _rows(office, key):
            if part_digest(statement_of(row), Part.FACTS) != mandate:
                continue
            frame, said = _read(office, key, row)
            # A mandate for somebody else that was sealed to me anew: its keys are none of mine.
            if not isinstance(said, AccessGranted) or said.scope is not AccessScope.PART or said.auditor != me.admitted:
                evidence = Evidence(channel=channel, expected=f"a mandate for {office.participant}", found=frame.type)
                raise DisclosureError("what these keys name as their mandate is none for this auditor", evidence)
            if frame.case_id is None or said.until is None:
                raise DisclosureError(
                    "a mandate is for one case, up to a day", Evidence(channel=channel, expected="a case", found="none")
                )
            return row, frame, said
    evidence = Evidence(channel=channel, expected=mandate.hex(), found="nothing")
    raise DisclosureError(
        f"the mandate of these keys does not stand in {channel} as it is read here; if it was given just now, let both workers"
        " run, and repeat this",
        evidence,
    )


def _part_of(office: Office, channel: str, named: Container[Digest], key: DisclosedKey) -> Digest:
    """Return the digest of the part that a key is for, if the mandate names it and the key fits."""
    if writer_of(key.channel) != writer_of(channel):
        evidence = Evidence(channel=key.channel, expected=writer_of(channel), found=writer_of(key.channel))
        raise DisclosureError("a key is for a channel that the mandate's writer does not write", evidence)
    for row in _rows(office, key):
        digest = part_digest(statement_of(row), key.part)
        if digest is not None and digest in named:
            if key.part is Part.FACTS:
                _read(office, key, row)
            else:
                _require_fit(key, digest)
            return digest
    evidence = Evidence(channel=key.channel, expected="a part that the mandate names", found=key.event_id.hex())
    raise DisclosureError("a key is for a part that its mandate does not name, or that is not read here yet", evidence)


def _require_case(office: Office, mandate: Facts, key: DisclosedKey, keys: Sequence[DisclosedKey]) -> None:
    """Return if the event of a part belongs to the case of the mandate, by its facts, which have to open for that."""
    own = [each for each in keys if (each.channel, each.event_id, each.part) == (key.channel, key.event_id, Part.FACTS)]
    for row in _rows(office, key):
        opened = [_read(office, each, row) for each in own] or list(_opened(office, row))
        if opened and all(frame.case_id == mandate.case_id for frame, _ in opened):
            continue
        # A writer that names parts of several cases in one mandate has no word for what it gave them for.
        found = opened[0][0].case_id if opened else None
        expected = (mandate.case_id or b"").hex()
        evidence = Evidence(channel=key.channel, expected=expected, found=found.hex() if found else "facts that do not open")
        raise DisclosureError("a key is for a part of another case than its mandate's", evidence)


def _says_end(office: Office, channel: str, mandate: Digest, key: DisclosedKey) -> bool:
    if key.channel != channel or key.part is not Part.FACTS:
        return False
    rows = [row for row in _rows(office, key) if row["facts"] is not None]
    return any(_ends(_read(office, key, row)[1], mandate) for row in rows)


def _ends(said: Any, mandate: Digest) -> bool:
    return isinstance(said, AccessEnded) and said.scope is AccessScope.PART and said.grant == mandate


def _rows(office: Office, key: DisclosedKey) -> list[Row]:
    query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.event_id = ? AND {ON_CHAIN}"  # noqa: S608  # own text
    return office.database.all(query, key.channel, Id(key.event_id))


def _read(office: Office, key: DisclosedKey, row: Row) -> tuple[Facts, Any]:
    """Return what the facts of an entry say, opened with the key of just this part."""
    try:
        frame = decode_facts(open_with_part_key(key.key, Part.FACTS, row["facts"] or b""))
        return frame, office.book.facts(frame.type, frame.schema, frame.content)
    except VerificationError as error:
        raise DisclosureError(f"a key does not fit the part that it is for: {error.message}", error.evidence) from error


def _require_fit(key: DisclosedKey, digest: Digest) -> None:
    """Return if a personal part that came with its key is the one that the mandate names, and opens with it."""
    if key.sealed is None:
        # Nothing here shows whether it fits: a key that nobody made would take the place of the right one.
        evidence = Evidence(channel=key.channel, expected=digest.hex(), found="a key alone")
        raise DisclosureError("a key of a personal part came without that part: let their writer make the file anew", evidence)
    sealed = key.sealed
    if digest_of(sealed) != digest:
        evidence = Evidence(channel=key.channel, expected=digest.hex(), found=digest_of(sealed).hex())
        raise DisclosureError("a personal part is not the one that its mandate names", evidence)
    try:
        open_with_part_key(key.key, Part.PERSONAL, sealed)
    except VerificationError as error:
        raise DisclosureError(f"a key does not fit the part that it is for: {error.message}", error.evidence) from error


def _opened(office: Office, row: Row) -> Iterator[tuple[Facts, Any]]:
    """Yield what the facts of an entry say, if they open with a facts key that is held here."""
    statement = statement_of(row)
    if not isinstance(statement.body, Sealed):
        return
    try:
        frame = open_facts(office, statement.channel, statement.event_id, statement.body.facts_key, row["facts"] or b"")
        if frame is not None:
            yield frame, office.book.facts(frame.type, frame.schema, frame.content)
    except (RingError, VerificationError):
        return

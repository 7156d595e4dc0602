"""Drafts: what is typed before it is an event, sealed, and gone when it is saved or after 30 days.

A draft is nobody's word yet: it has no case, no signature, and never leaves this database.
Source: design.md section 8, table ``drafts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.post.office import Office
from services.wire.errors import RefusedError, RingError

__all__ = [
    "DRAFT_DAYS",
    "DraftLine",
    "DraftMissingError",
    "DraftTooLargeError",
    "drafts",
    "drop_draft",
    "expire_drafts_once",
    "keep_draft",
    "open_draft",
]

DRAFT_DAYS: Final = 30
_DAY: Final = 86_400_000
_NONCE_BYTES: Final = 12
_LIMIT_BYTES: Final = 256 * 1024


class DraftMissingError(RefusedError):
    """There is no such draft."""

    def __init__(self) -> None:
        super().__init__(f"There is no draft of this number here. Drafts are kept for {DRAFT_DAYS} days.")


class DraftTooLargeError(RefusedError):
    """No form is that large."""

    def __init__(self) -> None:
        super().__init__(f"A draft has at most {_LIMIT_BYTES // 1024} KiB.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A draft in the list; times are in milliseconds since 1970."""

    draft: int
    kind: str
    saved_at: int
    gone_at: int


def keep_draft(office: Office, kind: str, content: bytes, *, number: int | None = None) -> int:
    """Keep a draft of a kind of form, in the place of draft ``number`` if that is given, and return its number.

    Raises: DraftMissingError if there is no draft ``number`` of this kind; DraftTooLargeError.
    """
    if len(content) > _LIMIT_BYTES:
        raise DraftTooLargeError
    nonce = office.random(_NONCE_BYTES)
    with office.database.transaction() as connection:
        sealed = nonce + AESGCM(office.ring.local_key("DRAFTS")).encrypt(nonce, content, kind.encode())
        if number is None:
            found = connection.execute(
                "INSERT INTO drafts (kind, saved_at, sealed) VALUES (?, ?, ?)", (kind, office.clock(), sealed)
            )
            return int(found.lastrowid or 0)
        query = "UPDATE drafts SET saved_at = ?, sealed = ? WHERE id = ? AND kind = ?"
        if not office.database.run(query, office.clock(), sealed, number, kind):
            raise DraftMissingError
        return number


def open_draft(office: Office, kind: str, number: int) -> bytes:
    """Return what a draft holds.

    Raises: DraftMissingError if there is none of this kind; RingError if its key is gone.
    """
    row = office.database.one("SELECT sealed FROM drafts WHERE id = ? AND kind = ?", number, kind)
    if row is None:
        raise DraftMissingError
    sealed: bytes = row["sealed"]
    try:
        return AESGCM(office.ring.local_key("DRAFTS")).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], kind.encode())
    except InvalidTag as error:
        raise RingError(f"draft {number} does not open: the key that sealed it is gone") from error


def drop_draft(office: Office, number: int) -> None:
    """Delete a draft, in the open transaction if there is one."""
    office.database.run("DELETE FROM drafts WHERE id = ?", number)


def drafts(office: Office) -> list[DraftLine]:
    """Return the drafts, the newest first."""
    rows = office.database.all("SELECT id, kind, saved_at FROM drafts ORDER BY id DESC")
    return [
        DraftLine(draft=row["id"], kind=row["kind"], saved_at=row["saved_at"], gone_at=row["saved_at"] + DRAFT_DAYS * _DAY)
        for row in rows
    ]


def expire_drafts_once(office: Office) -> int:
    """Delete the drafts whose time is over and return how many those were."""
    oldest = office.clock() - DRAFT_DAYS * _DAY
    # Looked for first: an idle worker writes nothing.
    if office.database.one("SELECT 1 FROM drafts WHERE saved_at < ? LIMIT 1", oldest) is None:
        return 0
    return office.database.run("DELETE FROM drafts WHERE saved_at < ?", oldest)

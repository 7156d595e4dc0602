"""The auditor's use cases: what it may open of whom. Called by every entrypoint alike.

What it reads, and the keys that come to it, are the worker's; nothing here decides anything about a case, for it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.post.office import Office
from services.post.renewing import ask_again

__all__ = ["Auditor", "KeysLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysLine:
    """A channel that is read: up to which entry, how many facts keys of it are here, and how many are known to be missing.

    A missing one was not granted: its writer has not approved this auditor, or the key was gone when it did.
    """

    channel: str
    entries: int
    keys: int
    missing: int


@dataclass(frozen=True, slots=True)
class Auditor:
    """The acts of an auditor's people."""

    office: Office

    def keys(self) -> list[KeysLine]:
        """Return the channels that are read here, by name, and what of each can be opened."""
        held = "SELECT count(*) FROM keys k WHERE k.channel = c.channel AND k.key_use = 'FACTS' AND k.wrapped IS NOT NULL"
        missing = "SELECT count(*) FROM held h WHERE h.channel = c.channel AND h.kind = 'key' AND h.resolved_at IS NULL"
        rows = self.office.database.all(
            f"SELECT channel, sequence, ({held}) AS held, ({missing}) AS missing FROM channels c ORDER BY channel"  # noqa: S608  # own text
        )
        return [
            KeysLine(channel=row["channel"], entries=row["sequence"], keys=row["held"], missing=row["missing"]) for row in rows
        ]

    def ask(self) -> int:
        """Let the worker ask now for the facts keys that are missing, and return how many those are."""
        return ask_again(self.office)

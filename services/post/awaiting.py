"""Awaiting: whether what came has to wait, because own events are missing with which it would be judged.

After a restore, or once keys are lost, own events may still come back. Whatever is judged without them is refused or accepted
wrongly, and stands in the log for ever. So it is parked; a start, which alone takes own events back, has it judged.
Source: design.md section 6, "A start"; docs/adr/0037-what-comes-waits-for-own-events.md.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.post.agreeing import is_behind
from services.post.lost_keys import CLOSED, is_awaited
from services.post.office import Office, is_over
from services.post.saving import is_misplaced, misplaced_cases
from services.wire.channels import Role, commission_case, paired_channel
from services.wire.contents import Facts
from services.wire.entry import VerifiedEntry

__all__ = ["OWN_AWAITED", "OWN_BEHIND", "OWN_MISPLACED", "case_to_come", "case_waits", "pair_waits", "start_again_once"]

OWN_AWAITED: Final = "own events of this pair wait for their keys"
OWN_BEHIND: Final = "own events of this pair are missing, and its channel of mine is stopped"
OWN_MISPLACED: Final = "own events of this case wait for what came before them"

_START_AGAIN: Final = 3_600_000
# With each event that comes, so in one look; both are hardly ever there.
_PAIR: Final = (
    "SELECT EXISTS (SELECT 1 FROM held WHERE channel = ?1 AND kind = ?2 AND resolved_at IS NULL) AS closed,"
    " EXISTS (SELECT 1 FROM channels WHERE channel = ?1 AND state = 'stopped') AS stopped"
)


def start_again_once(office: Office) -> None:
    """Ask for another start, hourly, while events wait because own ones are missing: these may have come since.

    Not for each that comes: whoever goes on writing in such a case must not keep everybody else waiting for starts.
    """
    if office.start_asked_at is None or not is_over(office.clock(), office.start_asked_at, _START_AGAIN):
        return
    office.start_asked_at = None
    query = "SELECT 1 FROM held WHERE kind = 'parked' AND reason IN (?, ?) AND resolved_at IS NULL"
    if office.database.one(query, OWN_MISPLACED, OWN_BEHIND) is not None:
        _ask_start(office)


def _ask_start(office: Office) -> None:
    office.start_asked_at = office.clock()
    office.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", office.start_asked_at)


def pair_waits(office: Office, channel: str) -> str | None:
    """Return why nothing of a channel may be judged now, None if it may: my half of its pair is not all here."""
    mine = paired_channel(channel)
    row = office.database.one(_PAIR, mine, CLOSED)
    if mine is None or row is None:
        return None
    if row["closed"] and is_awaited(office, mine):
        return OWN_AWAITED
    if row["stopped"] and is_behind(office, mine):
        # A start after the registrar's word looks again.
        office.start_asked_at = office.clock() if office.start_asked_at is None else office.start_asked_at
        return OWN_BEHIND
    return None


def case_waits(office: Office, entry: VerifiedEntry, facts: Facts, case_id: UUID) -> str | None:
    """Return why an event may not be applied in its case now, None if it may.

    During a start what it names of mine is placed before it.
    """
    back = office.returning
    if back is not None:
        back.place(office, case_id, (facts.after, facts.in_reply_to))
        if back.was_judged(office, case_id, entry) is None:
            # Where own events of the case have no place yet nobody knows on which side of it they stand.
            return OWN_MISPLACED
    if office.has_misplaced and is_misplaced(office, case_id):
        # Own events of this case came back without what stood before them, and this may be it. Only a start places them, and
        # judges what stands between them as it was judged then.
        if office.start_asked_at is None:
            _ask_start(office)
        return OWN_MISPLACED
    return None


def case_to_come(office: Office, found: UUID, channel: str) -> UUID:
    """Return the case of mine that the commission's number is of, where nothing of it has its place yet after a restore."""
    paired, back = paired_channel(channel), office.returning
    if office.role is not Role.SCHOOL or paired is None or not (office.has_misplaced or (back is not None and back.waiting)):
        return found
    coming = misplaced_cases(office) | (set(back.waiting) if back is not None else set())
    return next((each for each in coming if each is not None and commission_case(each, paired) == found), found)

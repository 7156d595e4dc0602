"""Comparing: what a counterpart's receipt says of my channels and of the registrar's, against what I hold myself.

Decides who has to stop. Source: design.md sections 4 and 6.
"""

from __future__ import annotations

from services.post.epochs import is_settled
from services.post.holding import keep_contradiction
from services.post.office import Office
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import Held, Receipt
from services.wire.entry import VerifiedEntry
from services.wire.errors import Evidence, FacesError, ForkError, StoreBehindError

__all__ = ["compare_receipt", "compare_trust"]


def compare_receipt(office: Office, entry: VerifiedEntry, receipt: Receipt) -> None:
    """Compare the receipt that an entry is with what I wrote, and note how far my channels are receipted.

    While a worker runs, a line that cannot be true of my channel stops that channel alone: nobody can stop the others by
    a lie. During a start it ends the start, for then it may as well be this database that is wrong.
    Raises: StoreBehindError or ForkError, during a start.
    """
    mine = office.own_channels
    for line in receipt.held:
        if line.channel == TRUST_CHANNEL:
            _note_trust(office, entry, line)
        elif line.channel in mine:
            _compare_line(office, entry, line)
    compare_trust(office)


def compare_trust(office: Office) -> None:
    """Compare what others last said of the registrar's channel with mine, where I have read that far: it has one face."""
    standing = office.letterbook.standing(TRUST_CHANNEL)
    if standing is None:
        return
    rows = office.database.all("SELECT * FROM trust_claims WHERE sequence <= ?", standing.place.sequence)
    for row in rows:
        found = office.letterbook.digest_at(TRUST_CHANNEL, row["sequence"])
        office.database.run(
            "DELETE FROM trust_claims WHERE sequence = ? AND digest = ? AND channel = ?",
            row["sequence"],
            row["digest"],
            row["channel"],
        )
        if found is not None and found[1] != row["digest"]:
            evidence = Evidence(
                channel=TRUST_CHANNEL,
                epoch=found[0],
                sequence=row["sequence"],
                expected=found[1].hex(),
                found=row["digest"].hex(),
            )
            error = FacesError(f"the registrar shows two faces: {row['channel']} has a receipt of another entry", evidence)
            office.tell(str(error))
            keep_contradiction(office, row["channel"], row["receipt"], error)


def _note_trust(office: Office, entry: VerifiedEntry, line: Held) -> None:
    channel = entry.statement.channel
    query = "INSERT OR IGNORE INTO trust_claims (channel, sequence, digest, receipt) VALUES (?, ?, ?, ?)"
    office.database.run(query, channel, line.sequence, line.digest, entry.digest)


def _compare_line(office: Office, entry: VerifiedEntry, line: Held) -> None:
    there = office.letterbook.digests_at(line.channel, line.epoch, line.sequence)
    if line.digest in there:
        office.database.run(
            "UPDATE channels SET receipted_sequence = max(receipted_sequence, min(?, sequence)) WHERE channel = ?",
            line.sequence,
            line.channel,
        )
        return
    # Also of a rival that was taken and receipted before the registrar decided for the other one.
    if is_settled(office, line.channel, line.epoch, line.sequence):
        return
    found = next(iter(there)).hex() if there else "nothing"
    evidence = Evidence(channel=line.channel, epoch=line.epoch, sequence=line.sequence, expected=line.digest.hex(), found=found)
    error = (
        ForkError("a counterpart holds another entry of mine at this place", evidence)
        if there
        else StoreBehindError("a counterpart holds entries of mine that this database lacks", evidence)
    )
    standing, back = office.letterbook.standing(line.channel), office.returning
    if back is not None and line.channel not in back.given_up and (standing is None or standing.state != "stopped"):
        raise error
    office.tell(f"{line.channel} is stopped: {error}")
    keep_contradiction(office, entry.statement.channel, entry.digest, error)
    office.letterbook.note(line.channel, state="stopped", reason=str(error), read_at=0)

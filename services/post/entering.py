"""Entering: one taken entry goes into the letterbook with its position, and what it says is applied, in one transaction.

A batch shares a transaction; if anything in it fails, its entries are entered one by one, and one that fails five times by
itself is parked, so that an error of ours never holds a channel.
Source: design.md sections 3 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.post.agreeing import fold_again
from services.post.applying import KEY_MISSING, apply_sealed, held_kinds
from services.post.comparing import compare_receipt
from services.post.granting import grant_missed, grant_needed, note_peer
from services.post.holding import hold, keep_contradiction
from services.post.letterbook import Hint
from services.post.office import Office
from services.post.people import note_case
from services.wire.candidates import Candidate
from services.wire.channels import TRUST_CHANNEL, Role, paired_channel, writer_of
from services.wire.contents import EncryptionKeyPublished, Receipt
from services.wire.entry import Open, Sealed, body_digest
from services.wire.errors import ForkError, LeaseError, RingError, StoreBehindError, TransportError
from services.wire.paths import Step

__all__ = ["enter_steps", "heal"]

_TRIES: Final = 5
_AT_ONCE: Final = 100
# Never parked: the log or the disk is away, another worker is at work, or this database itself is what is wrong.
_NOT_OURS: Final = (TransportError, LeaseError, StoreBehindError, ForkError)


def enter_steps(office: Office, name: str, steps: Sequence[Step], *, hint: Hint | None = None) -> None:
    """Enter taken entries of a channel in their order; ``hint`` is where to look on in the log afterwards, if that moved.

    Raises: TransportError if the database does not answer; during a start StoreBehindError or ForkError.
    """
    noted = False
    if office.returning is not None:
        office.returning.ahead = {step.entry.body_digest for step in steps}
    for start in range(0, len(steps), _AT_ONCE):
        batch = steps[start : start + _AT_ONCE]
        try:
            with office.database.transaction():
                for step in batch:
                    # The hint with the last of them: one durable commit, not two.
                    noted = _enter(office, name, step, hint=hint if step is steps[-1] else None)
        except _NOT_OURS:
            raise
        except Exception:  # whatever it was, it is met again below, alone  # noqa: BLE001
            noted = False
            for step in batch:
                _enter_alone(office, name, step)
        # After the commit: a log that does not answer must not hold what is stored. Who lacks a key asks again.
        for step in batch:
            if isinstance(step.content, EncryptionKeyPublished):
                grant_needed(office, writer_of(name), step.content.need)
                grant_missed(office, writer_of(name))
    if hint is not None and not noted:
        office.letterbook.note_hint(name, hint)


def heal(office: Office, name: str, healed: Sequence[Candidate]) -> None:
    """Keep the personal parts of entries that I hold and that came again with what was lacking then."""
    if office.role is Role.AUDITOR:
        return
    book = office.letterbook
    found = ((each.digest, each.unverified_statement.body, each.personal) for each in healed)
    lacking = [
        (entry, body, sealed)
        for entry, body, sealed in found
        if not isinstance(body, Open) and sealed is not None and book.part(body.personal) is None
    ]
    if not lacking:
        return
    cases: set[UUID] = set()
    with office.database.transaction():
        for entry, body, sealed in lacking:
            book.keep_part(body.personal, sealed)
            case_id = office.store.case_with(body_digest(body), channel=name)
            cases |= {case_id} if case_id is not None else set()
            office.database.run(
                "UPDATE held SET resolved_at = ? WHERE channel = ? AND kind = 'missing' AND digest = ?",
                office.clock(),
                name,
                entry,
            )
        # Each once, however many parts of it came.
        for case_id in cases - {office.own_stream}:
            note_case(office, case_id)


def _enter_alone(office: Office, name: str, step: Step) -> None:
    reason = "internal-error"
    for left in reversed(range(_TRIES)):
        try:
            with office.database.transaction():
                _enter(office, name, step)
        except _NOT_OURS:
            raise
        except RingError:
            # A key whose row is here and opens under no ring key is as good as missing: its channel waits, and it is asked for.
            reason = KEY_MISSING
            break
        except Exception as error:  # an error of ours, a conflict too, must not hold a channel; it is parked and told  # noqa: BLE001
            if not left:
                office.tell(f"{name} at {step.place.sequence} is parked: {type(error).__name__} in this program")
                break
        else:
            return
    with office.database.transaction():
        _enter(office, name, step, park=reason)


def _enter(office: Office, name: str, step: Step, *, hint: Hint | None = None, park: str | None = None) -> bool:
    """Enter one entry in the open transaction; return False if it was entered before."""
    # An auditor holds no key of what is personal, and keeps none of it.
    is_auditor = office.role is Role.AUDITOR
    entry = step.entry._replace(personal=None) if is_auditor else step.entry
    statement = entry.statement
    if not office.store.track(f"{name}#{statement.epoch}", statement.sequence):
        return False
    office.letterbook.enter(entry, own=False)
    # Not receipted at once: two sides that receipt each other's receipts would never stop.
    news_since = None if isinstance(step.content, Receipt) else office.clock()
    office.letterbook.move(name, step.place, hint=hint, news_since=news_since)
    held = held_kinds(office, name)
    if "off chain" in held:
        fold_again(office, entry)
    is_letter = paired_channel(name) is not None or name == TRUST_CHANNEL
    if not isinstance(statement.body, Open) and (is_auditor or not is_letter):
        # What is no letter to me is kept, and does nothing here: no case of mine hears of it. A sealed word of the registrar's,
        # who has none to say, is refused as any other that its writer may not write.
        _note_lacking(office, name, statement.body)
    elif not isinstance(statement.body, Open):
        if entry.personal is None and office.letterbook.part(statement.body.personal) is None:
            hold(office, name, "missing", "the personal part has not come", entry=entry)
        apply_sealed(office, entry, park=park, is_blocked=None if "parked" in held else _nothing_blocks)
    elif park is None:
        _open(office, name, step)
    return True


def _note_lacking(office: Office, name: str, body: Sealed) -> None:
    """Note the facts key that opens an entry, if it is not here: it may come, and an auditor asks for it."""
    try:
        is_here = office.ring.get(body.facts_key) is not None or office.ring.is_erased(body.facts_key)
    except RingError:
        # Its row is here and opens under no ring key: a letter may mend that.
        is_here = False
    if not is_here:
        hold_key = "INSERT OR IGNORE INTO held (channel, kind, reason, digest) VALUES (?, 'key', 'a facts key is missing', ?)"
        office.database.run(hold_key, name, body.facts_key)


def _nothing_blocks(_: UUID | None) -> bool:
    return False


def _open(office: Office, name: str, step: Step) -> None:
    if step.fault is not None:
        office.tell(f"{name}: {step.fault.message}")
        keep_contradiction(office, name, step.entry.digest, step.fault)
    if isinstance(step.content, EncryptionKeyPublished):
        note_peer(office, writer_of(name), step.content)
    elif isinstance(step.content, Receipt):
        compare_receipt(office, step.entry, step.content)

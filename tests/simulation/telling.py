"""What people were told: nothing without a cause, nothing that was wrong in the program itself, and every harm by its name."""

from __future__ import annotations

import re
from typing import Final

from services.wire.candidates import Junk, candidate_of
from services.wire.channels import (
    REGISTRAR,
    TRUST_CHANNEL,
    Role,
    channels_of,
    from_commission,
    mailbox_of,
    record_of,
    to_commission,
    writer_of,
)
from services.wire.entry import decode_entry
from services.wire.hashing import digest_of
from tests.simulation.invariants import Channels, require
from tests.simulation.rightful import REFUSALS
from tests.simulation.site import Site
from tests.simulation.world import AUDITOR, SCHOOLS, WITH_AUDITOR, World

__all__ = ["check_told"]

_CHANNELS: Final = tuple(channel for name, role in WITH_AUDITOR.items() for channel in channels_of(name, role, SCHOOLS))

_TIME: Final = ("",)
"""Time alone: it passes in every seed."""

_NO: Final = (
    *sorted(REFUSALS),
    "StartingError",
    "StoppingError",
    "WithoutEffectError",
)
"""A start is waited for, and the registrar is told what would have no effect."""

_LOSSES: Final = ("log truncated", "log rolled back")
_LATE: Final = ("append", "answer", "records reordered", "poll", "killed", "disk full")
_THEFT: Final = ("forked by a thief", "epoch opened", "registrar robbed")
_KEYS: Final = ("ring key of an older generation", "database restored", "a key is lost")
_CAUSES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"^waiting: .*does not answer", ("append", "answer", "poll")),
    (r"^waiting: .*is held by another process|^waiting: .*disk is full", ("two workers", "a second worker began", "disk full")),
    (r"has said nothing for 8 days", _TIME),
    (r"events are parked since", _TIME),
    # Terms and days wait as a clerk has to: for keys, and for what comes back after a restore.
    (
        r"what is due by itself waits in some case",
        ("facts key late", "away", "append", "answer", "poll", "database restored", *_LOSSES, *_KEYS, *_THEFT),
    ),
    (r"nobody has receipted", _TIME),
    (r"the certificate of .* ends on|with a certificate that ended", ("ten years pass", "clock jumps ten years")),
    # Encryption keys end after a month, so time alone makes old letters useless; and so do new certificates.
    (
        r"letters were not taken in",
        (
            "junk",
            "away",
            "ten years pass",
            "clock jumps ten years",
            "foreign",
            "certificate rotated",
            "database restored",
            *_THEFT,
        ),
    ),
    (r"the log lacks \d+ entries or parts of mine", _LOSSES),
    (r"the log lacks what was signed last", ("database restored",)),
    (r"the log does not show any more what it showed", _LOSSES),
    (r"an entry is missing; whoever wrote or holds it", (*_LOSSES, *_LATE, *_THEFT)),
    (r"records were skipped", ("junk", "foreign")),
    (r"stands still after", (*_LOSSES, *_THEFT, "certificate rotated")),
    (r"is stopped: a counterpart holds", (*_LOSSES, *_THEFT, "database restored")),
    (r"set aside: an entry under a certificate that", ("foreign", "certificate rotated", "junk", *_LOSSES, *_LATE, *_THEFT)),
    (r"set aside: a signed entry at a place where another one is taken", _THEFT),
    (r"set aside: a signature is not by the certificate", ("junk", "foreign", *_THEFT)),
    (r"set aside: an entry that names another place", (*_LOSSES, *_LATE, *_THEFT)),
    (r"set aside: a personal part", ("junk",)),
    (r"set aside: ", ("junk", "foreign", "certificate rotated", *_LOSSES, *_LATE, *_THEFT)),
    (r"own events wait for keys that its reader was asked for", (*_KEYS, *_THEFT)),
    (r"an event is refused: ", _THEFT),
    (r"of which the ring file knows nothing", _THEFT),
    (r"own entries were taken back", ("database restored", *_THEFT)),
    (r"taken back without its", ("database restored", *_THEFT)),
    (r"what came before (it|them) in (its|their) case", ("database restored", *_THEFT)),
    (r"entries are undone, as a person agreed", _THEFT),
    (r"not signed, (its|their) keys are not on the ring", _KEYS),
    (r"opens neither from the database nor from the ring file", _KEYS),
    (r"epoch \d+ is open and its", _THEFT),
    (r"no key goes to", ("certificate rotated", "database restored", *_THEFT)),
    (r"TrustConfirmed", _THEFT),
    (r"^(ForkError)", (*_THEFT, "database restored")),
    (r"^(StoreBehindError)", (*_LOSSES, *_THEFT, "database restored", "append late", "append refused")),
    (r"^(RingError)", (*_KEYS, *_THEFT)),
    (r"^(OrderError)", (*_LOSSES, *_THEFT, "database restored")),
    (r"^(DatabaseError): .*disk is full", ("disk full",)),
    (r"^(ConflictError)", ("two workers",)),
    (r"^(LeaseError)", ("two workers", "a second worker began")),
    (r"^(CaseIncompleteError)", ("database restored",)),
    # The key of a case comes by letter, and nobody waits for it but who looks at what is personal.
    # A clock that jumped is no cause here: whether it kept that very letter from its reader is looked at with each act.
    (r"^(NotReadableError)", ("facts key late", "away", "append", "answer", "poll", *_LOSSES, *_KEYS, *_THEFT)),
    (rf"^({'|'.join(_NO)}): ", _TIME),
)
"""What may be said, and what must have happened for it: an alarm without its cause sends people after nothing.

The last line is for what the procedure refuses, whatever happens to the exchange: whether it does so rightly is looked at with
each act (``rightful``). Nothing else may end an act.
"""


def check_told(world: World, channels: Channels) -> None:
    """Check what the programs of all sites said, against what really happened."""
    for site in world.sites.values():
        for text in (*site.told, *site.raised):
            _check_cause(world, site, text)
        _check_junk_is_kept(world, site)
    _check_thefts(world, channels)
    if world.is_robbed:
        _check_robbery(world, channels)
    for name, behind in sorted(world.to_be_told.items()):
        # What the registrar began anew at that very place has nothing more behind it that could come back.
        if all(world.begun_after.get(channel, sequence + 1) <= sequence for channel, sequence in behind.items()):
            continue
        told = "\n".join((*world.sites[name].told, *world.sites[name].raised))
        holds = "own entries were taken back" in told or "StoreBehindError" in told
        require(holds, f"{name} was restored from an older copy, and nobody was told since when something may be lost")


def _check_cause(world: World, site: Site, text: str) -> None:
    require("in this program" not in text, f"{site.name} failed inside: {text}")
    causes = next((causes for pattern, causes in _CAUSES if re.search(pattern, text)), None)
    require(causes is not None, f"{site.name} told what is in no list: {text}")
    assert causes is not None
    if causes == _TIME:
        return
    near = _near(world, site, text)
    happened = any(name.startswith(causes) and near & places for name, places in world.places.items())
    require(happened, f"{site.name} told this without a cause: {text}")


def _near(world: World, site: Site, text: str) -> set[str]:
    """Return where the cause of what a site says has to be: there, in what it names, or at whoever writes that."""
    named = {each for each in _CHANNELS if each in text}
    if text.startswith(("letters ", "NotReadableError", "what is due by itself")):
        # Who may write letters to it: whoever it reads. To which key they are sealed stands in its own channels.
        named |= {mailbox_of(site.name), *_read_by(world, site), *channels_of(site.name, site.role, SCHOOLS)}
    return {site.name, *named, *(each.partition(".")[0] if each.endswith(".mailbox") else writer_of(each) for each in named)}


def _check_junk_is_kept(world: World, site: Site) -> None:
    if site.worker is None:
        # A registrar that was robbed; it reads nobody.
        return
    for channel in _read_by(world, site):
        rows = site.worker.office.database.all("SELECT digest FROM held WHERE kind = 'skipped' AND channel = ?", channel)
        kept = {row["digest"] for row in rows}
        junk = {digest_of(each) for each in world.log.records(channel) if isinstance(candidate_of(each, channel), Junk)}
        require(junk <= kept or len(kept) >= 100, f"{site.name} kept {len(kept)} of {len(junk)} records of junk in {channel}")


def _read_by(world: World, site: Site) -> list[str]:
    vouched = [record_of(AUDITOR)] if world.is_audited else []
    match site.role:
        case Role.SCHOOL:
            return [TRUST_CHANNEL, from_commission(site.name), *vouched]
        case Role.COMMISSION:
            return [TRUST_CHANNEL, *map(to_commission, SCHOOLS), *vouched]
        case Role.AUDITOR:
            return [channel for channel in _CHANNELS if channel not in vouched]
        case _:
            return []


def _check_thefts(world: World, channels: Channels) -> None:
    said = "\n".join(text for site in world.sites.values() for text in (*site.told, *site.raised))
    for channel, records in world.thefts:
        if not set(records) & set(world.log.records(channel)):
            continue
        if not channels.trust.epochs.get(channel) and _is_settled(channels, channel, records[0]):
            continue
        name = re.escape(channel)
        ways = (
            rf"{name} stands still after \d+: (forked|off chain|stopped)",
            rf"{name} is stopped",
            rf"{name} from \d+ on: .* of which the ring file knows nothing",
            rf"{name} at \d+: the channel contradicts",
            rf"Error: .*{name}",
        )
        pattern = "|".join(ways)
        require(re.search(pattern, said), f"a thief wrote in {channel}, and nobody was told")


def _check_robbery(world: World, channels: Channels) -> None:
    """A stolen registrar key has no cure: so its owner has to be called, and, where the theft shows, everybody."""
    ways = rf"Error: .*{TRUST_CHANNEL}|{TRUST_CHANNEL} from \d+ on: .* of which the ring file knows nothing"
    for name, site in world.sites.items():
        said = "\n".join((*site.told, *site.raised))
        if name == REGISTRAR:
            require(re.search(ways, said), "a thief wrote as the registrar, and nobody was told there")
        elif channels.is_hopeless:
            told = re.search(rf"{TRUST_CHANNEL} stands still after \d+: (forked|off chain)", said)
            require(told, f"a thief wrote as the registrar, and {name} was not told")


def _is_settled(channels: Channels, channel: str, stolen: bytes) -> bool:
    """Tell whether a rotation of the writer's alone put a thief's entry beside the chain.

    An entry under an old key at an old place convicts nobody (design.md section 6, rule 6): so nobody is called.
    """
    current = channels.readings[channel].place.certificate
    return current is not None and current.digest != decode_entry(stolen).unverified_statement.certificate

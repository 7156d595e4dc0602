"""What holds after quiet, whatever happened before: of the log, of each letterbook, of every event that anybody saved.

What is right is computed from the log by the reading rule and from what clerks were told, never from the databases judged.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from services.audit.report import OF_WHAT_IS_SAID, Finding
from services.audit.verify import Examined, verify_log
from services.post.letterbook import statement_of
from services.post.office import Office
from services.wire.channels import REGISTRAR, TRUST_CHANNEL, Role, channels_of, paired_channel, record_of, writer_of
from services.wire.entry import Open, VerifiedEntry
from services.wire.errors import ForkError
from services.wire.reading import Reading, ReadingState, read_channel, read_trust
from services.wire.trust import Trust
from tests.chains import ROOT
from tests.simulation.auditing import looked_at
from tests.simulation.site import Site
from tests.simulation.world import AUDITOR, SCHOOLS, World
from tests.verifying import verified

__all__ = ["Broken", "Channels", "check_log", "check_site", "require"]

_READ_TWICE = 0.25
_ON_CHAIN = "NOT EXISTS (SELECT 1 FROM held h WHERE h.channel = e.channel AND h.kind = 'off chain' AND h.digest = e.digest)"
_OPEN_KINDS = ("skipped", "refused", "off chain", "voided")


class Broken(AssertionError):  # noqa: N818  # an invariant that is broken
    """Something that has to hold does not."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise Broken(what)


@dataclass
class Channels:
    """What the log says by the reading rule, whoever wrote or read what."""

    world: World

    @cached_property
    def _trust(self) -> tuple[Reading, Trust]:
        return read_trust(self.world.log.records(TRUST_CHANNEL), ROOT)

    @cached_property
    def is_hopeless(self) -> bool:
        """Tell whether a thief and the registrar contradict each other: only a new root would mend that."""
        return self.world.is_robbed and self._trust[0].state is ReadingState.FORKED

    @property
    def trust(self) -> Trust:
        return self._trust[1]

    @cached_property
    def readings(self) -> dict[str, Reading]:
        found = {TRUST_CHANNEL: self._trust[0]}
        for name, role in self.world.roles.items():
            for channel in channels_of(name, role, SCHOOLS):
                if channel != TRUST_CHANNEL:
                    found[channel] = read_channel(channel, self.world.log.records(channel), ROOT, self.trust)
        return found

    @cached_property
    def examined(self) -> Examined:
        """What a verification by the auditor finds, with all facts keys that it holds."""
        worker = self.world.sites[AUDITOR].worker
        keys = worker.office.ring.facts_keys() if worker is not None else ()
        return looked_at(self.world, keys)

    def taken(self, channel: str) -> tuple[VerifiedEntry, ...]:
        return self.readings[channel].taken

    def sealed(self, channel: str) -> list[VerifiedEntry]:
        return [each for each in self.taken(channel) if not isinstance(each.statement.body, Open)]


def check_log(world: World, channels: Channels) -> None:
    """Check the log itself: every channel goes on, nobody signed twice, nothing that was saved is missing or stands twice."""
    for (channel, epoch, sequence), digests in sorted(world.log.given.items()):
        require(len(digests) == 1, f"{len(digests)} statements were signed for {channel} at {epoch}/{sequence}")
    for channel, reading in channels.readings.items():
        if channels.is_hopeless and channel == TRUST_CHANNEL:
            continue
        require(reading.state is ReadingState.READING, f"{channel} is {reading.state.value} after {reading.place.sequence}")
        require(reading.only_epoch is None, f"{channel} never began the epoch that the registrar opened")
        require(reading.gap is None, f"{channel} has a gap at {reading.gap}")
    bodies = Counter(entry.body_digest for channel in channels.readings for entry in channels.sealed(channel))
    twice = [body.hex()[:16] for body, count in bodies.items() if count > 1]
    require(not twice, f"events stand twice: {twice}")
    for kept in world.kept:
        if kept.event.body not in bodies:
            where = kept.case_id.hex[-8:] if kept.case_id else "no case"
            what = f"{kept.event.type} of {kept.site} in {kept.event.channel} ({where}) was saved and is gone"
            require(kept.event.body in world.excused, what)
    # The second reader costs as much as everything else here.
    verify = verified if world.rng.random() < _READ_TWICE else verify_log
    findings = verify(world.log.real, ROOT, threads=1).findings
    if world.is_audited:
        findings += [each for each in channels.examined.report.findings if not _is_explained(channels, each)]
    if channels.is_hopeless:
        findings = [each for each in findings if each.channel != TRUST_CHANNEL]
    require(not findings, f"verify finds {findings}")


def _is_explained(channels: Channels, finding: Finding) -> bool:
    """Tell whether what somebody said past the rules is what an auditor finds: that it rests on, or answers, what it cannot."""
    if finding.error not in OF_WHAT_IS_SAID:
        return False
    is_careless = channels.taken(finding.channel)[finding.sequence - 1].body_digest in channels.world.careless
    channels.world.happened_in_life("said past the rules, and found by an auditor", is_careless)
    return is_careless


def check_site(channels: Channels, site: Site) -> None:
    """Check one site: its letterbook is the log, its stored events are the log's, nothing waits, nothing stands still."""
    if channels.world.is_robbed and site.role is Role.REGISTRAR:
        # A start takes what a thief wrote for its own, and says so; else it ends. Both are looked at where what is told is.
        require(site.worker or isinstance(site.ended_by, ForkError), f"the registrar ended otherwise: {site.ended_by}")
        return
    require(site.worker is not None, f"{site.name} does not work: {site.ended_by}")
    assert site.worker is not None
    office = site.worker.office
    expected: Counter[tuple[str, bytes, bytes]] = Counter()
    for channel in _known_to(site):
        if channels.is_hopeless and channel == TRUST_CHANNEL:
            continue
        _check_letterbook(office, site, channel, channels.taken(channel))
        for entry in channels.sealed(channel):
            expected[channel, entry.statement.event_id, entry.body_digest] = 1
            require(office.letterbook.part(entry.statement.body.personal), f"{site.name} lacks a personal part of {channel}")  # type: ignore[union-attr]  # a sealed body
    for channel in _kept_by(channels.world, site):
        _check_letterbook(office, site, channel, channels.taken(channel))
    rows = office.database.all("SELECT channel, event_id, body_digest FROM stored_events")
    stored = Counter((row["channel"], row["event_id"], row["body_digest"]) for row in rows)
    missing, beyond = expected - stored, stored - expected
    require(not missing, f"{site.name} lacks {len(missing)} events: {_named(missing)}")
    require(not beyond, f"{site.name} holds {len(beyond)} events that stand in no channel: {_named(beyond)}")
    _check_nothing_waits(office, site, but=TRUST_CHANNEL if channels.is_hopeless else "")


def _known_to(site: Site) -> list[str]:
    mine = channels_of(site.name, site.role, SCHOOLS)
    paired = [each for channel in mine if (each := paired_channel(channel)) is not None]
    trust = [] if site.role is Role.REGISTRAR else [TRUST_CHANNEL]
    return [*mine, *paired, *trust]


def _kept_by(world: World, site: Site) -> list[str]:
    """Return the channels of which a site keeps the entries and applies none: what auditors say, and all that one reads."""
    if not world.is_audited or site.role is Role.REGISTRAR:
        return []
    if site.role is not Role.AUDITOR:
        return [record_of(AUDITOR)]
    others = {name: role for name, role in world.roles.items() if name not in (AUDITOR, REGISTRAR)}
    return [channel for name, role in others.items() for channel in channels_of(name, role, SCHOOLS)]


def _check_letterbook(office: Office, site: Site, channel: str, taken: tuple[VerifiedEntry, ...]) -> None:
    rows = office.database.all(f"SELECT * FROM entries e WHERE channel = ? AND {_ON_CHAIN} ORDER BY sequence", channel)  # noqa: S608  # own text
    mine, theirs = [row["digest"] for row in rows], [entry.digest for entry in taken]
    if mine == theirs:
        return
    pairs = enumerate(zip(mine, theirs, strict=False), start=1)
    at = next((place for place, (one, other) in pairs if one != other), min(len(mine), len(theirs)) + 1)
    whose = {True: "its own", False: "another's"}[any(row["own"] for row in rows)]
    sequences = [statement_of(row).sequence for row in rows[-3:]]
    text = f"{site.name} holds {len(mine)} entries of {channel} ({whose}; last {sequences}), the log shows {len(theirs)}"
    raise Broken(f"{text}; they differ at {at}")


def _check_nothing_waits(office: Office, site: Site, *, but: str) -> None:
    database = office.database
    marks = ", ".join("?" * len(_OPEN_KINDS))
    query = f"SELECT channel, kind, reason FROM held WHERE resolved_at IS NULL AND kind NOT IN ({marks})"  # noqa: S608  # marks
    rows = database.all(query, *_OPEN_KINDS)
    # Who may have which key of or for an auditor is looked at with the auditor.
    held = [tuple(row) for row in rows if row["kind"] != "key" or AUDITOR not in (site.name, writer_of(row["channel"]))]
    require(not held, f"{site.name} still holds {held}")
    voided = database.all("SELECT channel FROM held WHERE kind = 'voided' AND resolved_at IS NULL")
    require(not voided, f"{site.name} does not count {len(voided)} events that stand in their channels")
    waiting = [tuple(row) for row in database.all("SELECT channel, lost FROM outgoing")]
    require(not waiting, f"{site.name} has not signed {waiting}")
    unsent = [(row["channel"], row["sequence"]) for row in office.letterbook.unsent(100)]
    require(not unsent, f"{site.name} has not sent {unsent}")
    query = "SELECT channel, state, reason FROM channels WHERE state <> 'reading' AND channel <> ?"
    still = [tuple(row) for row in database.all(query, but)]
    require(not still, f"{site.name} stands still: {still}")
    require(database.one("SELECT 1 FROM said WHERE name = 'starting'") is None, f"{site.name} is starting for ever")


def _named(events: Counter[tuple[str, bytes, bytes]]) -> str:
    return ", ".join(f"{channel} {event_id.hex()[:8]}" for channel, event_id, _ in sorted(events)[:5])

"""What people do who are told by the alarms: they start what ended, bring back what is lost, agree, and let the registrar act.

Nothing here looks at what really happened: only at what the programs say and show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from services.post.agreeing import agree
from services.post.database import Database
from services.post.letterbook import Letterbook
from services.post.ring import write_durably
from services.post.saving import StartingError
from services.registrar.application import Registrar
from services.wire.candidates import Candidate, candidate_of
from services.wire.channels import REGISTRAR, TRUST_CHANNEL, channels_of, writer_of
from services.wire.contents import Reason
from services.wire.errors import ExchangeError, ForkError, RingError, StoreBehindError
from services.wire.hashing import Digest
from tests.simulation.site import Site
from tests.simulation.world import SCHOOLS, World, seal_for

__all__ = ["mend", "registrar_acts"]

_PATIENCE = 3
"""How often people look again before they begin the same channels anew once more."""


def mend(world: World) -> None:
    """Do once whatever the alarms ask for."""
    world.mended += 1
    for site in world.sites.values():
        if not site.is_away:
            _mend_site(world, site)
    for site in world.sites.values():
        if site.worker is not None:
            _mend_channels(world, site)
    registrar_acts(world)


def registrar_acts(world: World) -> None:
    """Let the registrar revoke the keys that a rotation left behind, as soon as that stops nobody."""
    process = world.sites[REGISTRAR].at_desk()
    if process is None:
        return
    for name, site in world.sites.items():
        for seal in site.signing.seals[:-1]:
            reason = Reason.STOLEN if name in world.stolen else Reason.SUPERSEDED
            try:
                process.run("revokes", partial(Registrar(process.office).revoke, seal.certificate, reason))
                world.say(REGISTRAR, f"revokes the key before of {name}: {reason.value}")
            except ExchangeError:
                continue


def _mend_site(world: World, site: Site) -> None:
    error = site.ended_by
    if isinstance(error, RingError) and site.ring_keys is not None:
        # Whoever began under the older one holds it still.
        site.end_all()
        write_durably(site.home / "ring.key", site.ring_keys.encode("ascii"))
        world.say(site.name, "the newest ring key is put back")
    if isinstance(error, RingError) and "does not open" in str(error) and world.mended % 2 == 0:
        # The newest ring key and file are in their places already.
        begin_anew(world, site)
    if isinstance(error, (StoreBehindError, ForkError)):
        _mend_chain(world, site, error)
    if site.worker is None:
        site.start_worker()


def _mend_chain(world: World, site: Site, error: StoreBehindError | ForkError) -> None:
    channel = error.evidence.channel
    if channel is None:
        return
    if isinstance(error, StoreBehindError):
        # All its channels, before any is begun anew: what somebody holds need not be lost.
        back = [bring_back(world, each) for each in channels_of(site.name, site.role, SCHOOLS)]
        if any(back):
            return
    if channel != TRUST_CHANNEL:
        begin_anew(world, site)


def _mend_channels(world: World, site: Site) -> None:
    assert site.worker is not None
    if any(StartingError.__name__ in each for each in site.raised):
        # A clerk was told that a start ended in the middle, and to start it.
        site.raised = [each for each in site.raised if StartingError.__name__ not in each]
        site.worker.end()
        site.start_worker()
        return
    rows = site.worker.office.database.all("SELECT channel, state FROM channels WHERE state <> 'reading' ORDER BY channel")
    for row in rows:
        channel, state = row["channel"], row["state"]
        if state == "off chain":
            process = site.at_desk()
            if process is not None:
                process.run("agrees", partial(agree, process.office, channel))
                world.say(site.name, f"somebody agrees to what would be undone in {channel}")
        elif state in ("forked", "stopped") and channel != TRUST_CHANNEL:
            begin_anew(world, world.sites[writer_of(channel)])
        elif state == "waiting":
            bring_back(world, channel)


def bring_back(world: World, channel: str) -> int:
    """Put into the log what any letterbook holds of a channel and the log does not show; return how many entries that was."""
    shown = {each.digest for record in world.log.records(channel) if isinstance(each := candidate_of(record, channel), Candidate)}
    missing: dict[Digest, bytes] = {}
    for site in world.sites.values():
        with _letterbook(site) as book:
            for record in book.records(channel):
                found = candidate_of(record, channel)
                assert isinstance(found, Candidate)
                if found.digest not in shown:
                    missing.setdefault(found.digest, record)
    if missing:
        world.log.put(channel, list(missing.values()))
        world.say("people", f"bring {len(missing)} entries of {channel} back from letterbooks")
    return len(missing)


def begin_anew(world: World, site: Site) -> None:
    """Let the registrar open an epoch of each channel of a participant, for a new key, and revoke the old one."""
    registrar = world.sites[REGISTRAR].at_desk()
    if registrar is None or world.mended - world.begun_anew.get(site.name, -_PATIENCE) < _PATIENCE:
        return
    world.begun_anew[site.name] = world.mended
    site.seals += 1
    seal = seal_for(site.name, site.seals)
    site.signing.seals.append(seal)
    world.stolen.add(site.name)
    for channel in channels_of(site.name, site.role, SCHOOLS):
        sequence, digest = _last_good(world, site, channel)

        def opened(channel: str = channel, sequence: int = sequence, digest: Digest = digest) -> int:
            after = digest if sequence else None
            return Registrar(registrar.office).open_epoch(channel, sequence, after, (seal.certificate.der,))

        try:
            epoch = registrar.run("opens an epoch", opened)
        except ExchangeError as error:
            world.say(REGISTRAR, f"opens no epoch of {channel}: {error}")
            continue
        world.happened("epoch opened", site.name, channel)
        world.begun_after[channel] = sequence
        world.say(REGISTRAR, f"opens epoch {epoch} of {channel} after {sequence}")


def _last_good(world: World, site: Site, channel: str) -> tuple[int, Digest]:
    """Return the last entry of a channel that its writer knows for its own, and that stands in the log with all before it."""
    shown = {each.digest for record in world.log.records(channel) if isinstance(each := candidate_of(record, channel), Candidate)}
    good = (0, Digest(bytes(32)))
    with _letterbook(site) as book:
        for row in book.own_after(channel, 0):
            if row["digest"] not in shown:
                break
            good = (row["sequence"], row["digest"])
    return good


@contextmanager
def _letterbook(site: Site) -> Iterator[Letterbook]:
    if site.worker is not None:
        yield site.worker.office.letterbook
        return
    database = Database(site.home / "database.sqlite")
    try:
        yield Letterbook(database)
    finally:
        database.close()

"""Faults of processes and of what stands in a channel: killed at any port call, old records again, junk, foreign records."""

from __future__ import annotations

from typing import Final

from services.wire.channels import TRUST_CHANNEL, channels_of
from tests.chains import Pen, seal_of
from tests.simulation.acts import clerk_acts
from tests.simulation.ports import MOMENTS, Fuse
from tests.simulation.site import Site
from tests.simulation.world import SCHOOLS, World
from tests.stories import damaged

__all__ = ["any_channel", "any_site", "foreign", "junk", "kill", "kill_at_work", "kill_start", "repeat"]


_AT_ONE: Final = 0.4
_DELICATE: Final = (
    "a poll",
    "a signing key is asked for",
    "after an append",
    "after the ring file is written",
    "before an append",
    "before the ring file is written",
    "randomness is asked for",
)


def any_site(world: World) -> Site:
    return world.rng.choice(list(world.sites.values()))


def any_channel(world: World) -> str:
    name = world.rng.choice(list(world.roles))
    return world.rng.choice(channels_of(name, world.roles[name], SCHOOLS))


def kill(world: World) -> None:
    """Let a process be killed at a port call that lies ahead: soon, or in the middle of something long."""
    processes = any_site(world).processes()
    if processes:
        _arm(world, world.rng.choice(processes).fuse)


def _arm(world: World, fuse: Fuse) -> None:
    """Choose a moment: some call from now, or one of the next of one kind, for the rare ones are the delicate ones."""
    fuse.only = world.rng.choice(MOMENTS) if world.rng.random() < 0.7 else None
    fuse.left = world.rng.randint(1, 4) if fuse.only else int(2 ** world.rng.uniform(0, 8))


def kill_start(world: World) -> None:
    """End a worker, and kill the next one in the middle of its start."""
    site = any_site(world)
    if site.is_away:
        return
    if site.worker is not None:
        site.worker.end()
    world.say(site.name, "the worker is ended, and begins again")
    killed = site.killed
    only = world.rng.choice(_DELICATE) if world.rng.random() < _AT_ONE else None
    site.start_worker(fuse=1 if only else int(2 ** world.rng.uniform(1, 8)), only=only)
    if site.killed > killed:
        world.happened("killed in a start", site.name)
    elif site.worker is not None:
        site.worker.fuse.left = site.worker.fuse.only = None


def kill_at_work(world: World) -> None:
    """Let a clerk do something, and kill the worker at one of the delicate moments of bringing that into the log."""
    site = world.sites[world.rng.choice(world.admitted)]
    if site.is_away:
        return
    clerk_acts(world, site)
    if site.worker is not None:
        site.worker.fuse.only = world.rng.choice(_DELICATE)
        # One of the next: the first may be one of letters.
        site.worker.fuse.left = world.rng.choice((1, 1, 2))
        site.worker.run("works", site.worker.step)
    if site.worker is None and world.rng.random() < 0.5:
        site.start_worker()


def repeat(world: World) -> None:
    channel = any_channel(world)
    records = world.log.records(channel)
    if records:
        chosen = world.rng.choices(records, k=world.rng.randint(1, 5))
        world.log.put(channel, chosen)
        world.happened("old records come again", channel)
        world.say("log", f"{len(chosen)} old records of {channel} stand there again")


def junk(world: World) -> None:
    channel = world.rng.choice([any_channel(world), f"{world.rng.choice(list(world.roles))}.mailbox"])
    records = [record for record in world.log.records(channel) if record]
    made = [world.rng.randbytes(world.rng.randint(0, 60))]
    if channel.endswith(".mailbox"):
        # A letter is sealed with randomness of the library's own: only its beginning is the same in every run.
        records = [record[:100] for record in records]
    if records:
        made.append(damaged(world.rng, records))
        made.append(world.rng.choice(records)[: world.rng.randint(1, 400)])
    world.log.put(channel, [world.rng.choice(made)])
    world.happened("junk", channel)
    world.say("log", f"junk in {channel}")


def foreign(world: World) -> None:
    """Put what is whole and belongs elsewhere into a channel or a mailbox: of another channel, or under a stranger's key."""
    channel = world.rng.choice([any_channel(world), f"{world.rng.choice(list(world.roles))}.mailbox"])
    other = world.rng.choice([any_channel(world), f"{world.rng.choice(list(world.roles))}.mailbox"])
    records = world.log.records(other)
    made = [world.rng.choice(records)] if records and other != channel else []
    if not channel.endswith(".mailbox") and channel != TRUST_CHANNEL:
        stranger = Pen(channel, seal_of("stranger", organisation="NTRLV-90000000066"), sequence=world.rng.randint(0, 9))
        made.append(world.rng.choice([stranger.opened, stranger.sealed, stranger.confirmed])())
    if made:
        world.log.put(channel, [world.rng.choice(made)])
        world.happened("foreign records", channel)
        world.say("log", f"a foreign record in {channel}")

"""Faults of the log itself: it loses its newest records, or is put back to what it was."""

from __future__ import annotations

from services.wire.channels import TRUST_CHANNEL
from tests.simulation.faults import any_channel
from tests.simulation.faults_disk import excuse_what_is_gone
from tests.simulation.ports import END_ASKED_FOR
from tests.simulation.world import World

__all__ = ["roll_back", "truncate"]


_DOOMED = 0.3


def truncate(world: World) -> None:
    """Let a channel lose its newest records; their positions are not given again."""
    channel = any_channel(world)
    end = world.log.ends().get(channel, 0)
    first = max(0, end - world.rng.randint(1, 6))
    gone = world.log.cut(channel, first, gives_positions_again=False)
    if gone:
        world.happened("log truncated", channel)
        world.say("log", f"{channel} loses its last {gone} records")
        _excuse(world)
        if world.rng.random() < _DOOMED:
            # Whoever looks for what it has read there, and finds nothing, asks where the channel ends.
            for site in world.sites.values():
                site.doomed = site.doomed or END_ASKED_FOR


def roll_back(world: World) -> None:
    """Note how long the log is, or put all of it back to what was noted: then positions are given again."""
    if world.log_noted is None or world.rng.random() < 0.3:
        world.log_noted = world.log.ends()
        world.say("log", "a copy of the log is made")
        return
    gone: dict[str, int] = {}
    for channel in world.log.ends():
        if channel == TRUST_CHANNEL and world.rng.random() < 0.5:
            continue
        gone[channel] = world.log.cut(channel, world.log_noted.get(channel, 0), gives_positions_again=True)
    number = sum(gone.values())
    if number:
        world.happened("log rolled back", *(channel for channel, records in gone.items() if records))
        world.say("log", f"is put back to its copy: {number} records are gone, and their positions are given again")
        _excuse(world)


def _excuse(world: World) -> None:
    """Excuse what stood in the log alone, because the database that had it was restored and has not taken it back yet."""
    for name in sorted(world.places["database restored"]):
        excuse_what_is_gone(world, world.sites[name])

"""What happens to keys and people: letters late, a participant away, a certificate rotated, a thief who forks a channel."""

from __future__ import annotations

from typing import Final

from services.post.applying import KEY_MISSING
from services.registrar.application import Registrar
from services.wire.channels import REGISTRAR, TRUST_CHANNEL, channels_of, mailbox_of
from services.wire.errors import ExchangeError
from tests.chains import Pen
from tests.simulation.acts import clerk_acts
from tests.simulation.ports import DESTRUCTION
from tests.simulation.site import Site
from tests.simulation.world import SCHOOLS, World, seal_for

__all__ = ["fork", "key_late", "letters_arrive", "rob_registrar", "rotate", "stay_away"]

_DAY: Final = 86_400_000
_WEEKS_AWAY: Final = 10
_DOOMED: Final = 0.5


def key_late(world: World) -> None:
    """Hold a mailbox back for days: what is sealed under a key in it cannot be opened until then."""
    site = world.sites[world.rng.choice(world.admitted)]
    mailbox = mailbox_of(site.name)
    if mailbox not in world.log.held_back:
        world.log.held_back[mailbox] = world.clock + world.rng.randint(2, 9) * _DAY
        # Counted when something really waits for it; until then it is a cause for who looks at what is personal.
        world.places["facts key late"].add(site.name)
        world.say("log", f"{mailbox} shows no letter for days")


def letters_arrive(world: World, *, at_once: bool = False) -> None:
    """Let mailboxes show their letters again whose days are over."""
    for mailbox, until in list(world.log.held_back.items()):
        if not at_once and world.clock < until:
            continue
        del world.log.held_back[mailbox]
        world.say("log", f"{mailbox} shows its letters again")
        site = world.sites[mailbox.partition(".")[0]]
        query = "SELECT 1 FROM held WHERE kind = 'parked' AND reason = ? AND resolved_at IS NULL"
        if site.worker is not None and site.worker.office.database.one(query, KEY_MISSING) is not None:
            world.happened("facts key late by days", site.name)


def stay_away(world: World) -> None:
    """Let a participant be away for ten weeks, while the others go on: its mailbox expires."""
    site = world.sites[world.rng.choice(world.admitted)]
    if site.is_away or world.counts["away for ten weeks"]:
        return
    site.end_all()
    site.is_away = True
    world.happened("away for ten weeks", site.name)
    world.say(site.name, "nobody is there for ten weeks")
    others = [each for each in world.sites.values() if each is not site]
    for _ in range(_WEEKS_AWAY):
        world.clock += 7 * _DAY
        for other in others:
            if other.name != REGISTRAR and world.rng.random() < 0.5:
                clerk_acts(world, other)
            if other.worker is not None:
                other.worker.run("works", other.worker.step)
    site.is_away = False
    world.say(site.name, "somebody is there again")


def rotate(world: World) -> None:
    """Give a participant its next certificate while entries of its wait to be signed or sent."""
    site = world.sites[world.rng.choice([*world.admitted, REGISTRAR])]
    if len(site.signing.seals) > 1 or site.is_away:
        return
    if site.name == REGISTRAR:
        registrar_confirms(world)
    else:
        for _ in range(3):
            clerk_acts(world, site)
    if not _has_unsent(site):
        return
    if site.worker is not None and world.rng.random() < 0.5:
        # Signed under the old key, and not sent: the log refuses.
        world.log.refuses_once = True
        site.worker.run("works", site.worker.step)
        world.log.refuses_once = False
    site.seals += 1
    site.signing.seals.append(seal_for(site.name, site.seals))
    world.happened("certificate rotated amid unsent entries", site.name)
    world.say(site.name, f"is given its certificate number {site.seals}")
    if world.rng.random() < _DOOMED:
        site.doomed = world.rng.choice(DESTRUCTION)


def registrar_confirms(world: World) -> None:
    """Let the registrar say that there is nothing new."""
    process = world.sites[REGISTRAR].at_desk()
    if process is None:
        return
    try:
        process.run("confirms", lambda: Registrar(process.office).confirm())
    except ExchangeError:
        # Said in the trace: its operator was told why not.
        return


def rob_registrar(world: World) -> None:
    """Let a thief with the registrar's key write where the registrar writes next; there is no cure for that but a new root."""
    site = world.sites[REGISTRAR]
    if site.worker is None or world.is_robbed:
        return
    standing = site.worker.office.letterbook.standing(TRUST_CHANNEL)
    assert standing is not None
    place, seal = standing.place, site.signing.seals[-1]
    thief = Pen(TRUST_CHANNEL, seal, place.epoch, place.sequence, place.digest, f"thief {world.seed}")
    world.log.put(TRUST_CHANNEL, [thief.confirmed() for _ in range(world.rng.randint(1, 2))])
    world.is_robbed = True
    world.happened("registrar robbed", REGISTRAR, TRUST_CHANNEL)
    world.say("thief", f"writes after {place.sequence} in {TRUST_CHANNEL} under the registrar's key")
    if world.rng.random() < 0.5:
        # What it says next stands beside what the thief wrote: the fork shows to everybody.
        registrar_confirms(world)
        if site.worker is not None:
            site.worker.run("works", site.worker.step)


def _has_unsent(site: Site) -> bool:
    process = site.worker or site.desk
    if process is None or process.database is None:
        return False
    database = process.database
    return bool(database.one("SELECT 1 FROM outgoing") or process.office.letterbook.unsent(1))


def fork(world: World) -> None:
    """Let a thief with a participant's current key write where the participant writes, or has written."""
    site = world.sites[world.rng.choice(world.admitted)]
    process = site.worker
    if process is None or site.name in world.stolen:
        return
    channel = world.rng.choice(channels_of(site.name, site.role, SCHOOLS))
    standing = process.office.letterbook.standing(channel)
    current = standing.place.certificate if standing is not None else None
    seal = next((each for each in site.signing.seals if current is not None and each.certificate.digest == current.digest), None)
    if standing is None or seal is None:
        return
    sequence = max(1, standing.place.sequence - world.rng.randint(0, 2))
    found = process.office.letterbook.digest_at(channel, sequence)
    assert found is not None
    thief = Pen(channel, seal, found[0], sequence, found[1], f"thief {world.seed}")
    if found[0] != standing.place.epoch:
        return
    world.stolen.add(site.name)
    made = [world.rng.choice([thief.sealed, thief.confirmed])() for _ in range(world.rng.randint(1, 3))]
    world.log.put(channel, made)
    world.thefts.append((channel, made))
    world.happened("forked by a thief", site.name, channel)
    world.say("thief", f"writes {len(made)} after {sequence} in {channel} under the key of {site.name}")

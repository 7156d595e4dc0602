"""What people do about the auditor: they let it in, refuse it, remove it; it verifies, issues, asks for keys that it lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from services.audit.events import events_of
from services.audit.keys import Keys
from services.audit.remembering import Memory
from services.audit.sequences import look_at_sequences
from services.audit.signatures import Signatures
from services.audit.verify import Examined, examine_log
from services.auditor.application import Auditor
from services.post.access import Decision, decisions_of
from services.post.auditors import approve, refuse
from services.post.office import day_of
from services.post.saving import Saved
from services.registrar.application import Registrar
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import ExchangeError
from tests.chains import ROOT
from tests.simulation.acts import Act, do, issuing
from tests.simulation.site import Process
from tests.simulation.world import AUDITOR, SCHOOLS, World

__all__ = ["ask_for_keys", "audit", "let_in_by_all", "verify_again"]

_REFUSES: Final = 0.35
_DAYS: Final = (None, None, None, 0, 1, 3)
"""For how many days more an auditor is let in; None is for good."""


def let_in_by_all(world: World) -> None:
    """Let both schools and the commission approve the auditor."""
    for name in (*SCHOOLS, COMMISSION):
        process = world.sites[name].at_desk()
        assert process is not None
        _decide(world, process, is_refused=False, days=None)


def audit(world: World) -> None:
    """Let somebody do something about the auditor, or at its desk."""
    acts: tuple[Callable[[World], object], ...] = (_decides, verify_again, _issues, ask_for_keys, _removes)
    world.rng.choices(acts, (40, 30, 15, 10, 5))[0](world)


def ask_for_keys(world: World) -> None:
    """Let the auditor's people ask for the keys that it lacks."""
    process = world.sites[AUDITOR].at_desk()
    if process is not None:
        try:
            number = process.run("asks for keys", Auditor(process.office).ask)
        except ExchangeError:
            # Said in the trace: they were told why not.
            return
        world.say(f"{AUDITOR} desk", f"asks for {number} keys")


def looked_at(world: World, keys: Sequence[bytes], memory: Memory | None = None) -> Examined:
    """Verify the log as it stands, and with keys look at what its events say of each other, as the command does."""
    examined = examine_log(world.log.real, ROOT, threads=1, facts_keys=keys, memory=memory)
    if keys:
        look_at_sequences(examined, events_of(world.log.real, examined, Keys.of(keys)))
    return examined


def verify_again(world: World) -> Examined | None:
    """Let the auditor verify the log as it stands, with all keys that it holds now and what it remembers of the last time."""
    process = world.sites[AUDITOR].worker
    if process is None:
        return None
    path, exchange = world.folder / "verified", ROOT.digest.hex()
    memory = Memory.load(path, exchange) or Memory(exchange)
    memory.ready_for(Signatures.EACH)
    examined = looked_at(world, process.office.ring.facts_keys(), memory)
    memory.save(path)
    world.say(AUDITOR, f"verifies, with {examined.report.counted}")
    return examined


def _decides(world: World) -> None:
    process = world.sites[world.rng.choice((*SCHOOLS, COMMISSION))].at_desk()
    if process is not None:
        _decide(world, process, is_refused=world.rng.random() < _REFUSES, days=world.rng.choice(_DAYS))


def _decide(world: World, process: Process, *, is_refused: bool, days: int | None) -> None:
    office = process.office
    until = day_of(process.site.now()) + timedelta(days=days) if days is not None else None
    decides: Callable[[], tuple[Saved, ...]] = (
        partial(refuse, office, AUDITOR) if is_refused else partial(approve, office, AUDITOR, until=until)
    )
    name = "refuses the auditor" if is_refused else "lets the auditor in"
    wanted = Decision.REFUSED if is_refused else Decision.APPROVED
    admitted = office.trust.participants.get(AUDITOR)
    decided = decisions_of(office).get(admitted.admitted) if admitted is not None else None
    is_there = admitted is not None and not admitted.removed
    is_decided = decided is not None and decided.decision is wanted
    said = len(process.site.raised)
    do(world, process, Act(name, lambda: (None, decides()), set))
    rightly = "AlreadyDecidedError" if is_decided and is_there else "RefusedError" if not is_there else None
    if rightly is not None and [each.partition(": ")[0] for each in process.site.raised[said:]] == [rightly]:
        # ``telling`` need not look for a cause.
        process.site.raised.pop()


def _issues(world: World) -> None:
    process = world.sites[AUDITOR].at_desk()
    if process is not None:
        do(world, process, issuing(world, process))


def _removes(world: World) -> None:
    """Let the registrar remove the auditor, which goes on reading."""
    process = world.sites[REGISTRAR].at_desk()
    if process is None or world.counts["auditor removed"]:
        return

    def removes() -> bool:
        Registrar(process.office).remove(AUDITOR)
        return True

    try:
        is_done = process.run("removes the auditor", removes)
    except ExchangeError:
        # Said in the trace: its operator was told why not.
        return
    if is_done:
        world.happened("auditor removed", AUDITOR)
        world.say(REGISTRAR, "removes the auditor")

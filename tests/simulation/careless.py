"""Careless programs: a participant's software, another maker's perhaps, saves and sends what its counterpart has to refuse.

Each such event has to be refused, with the right code, answered once; and nothing else may be refused, but what a thief wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.commission.domain.applying import fold
from services.post.cases import Opened, history_of, open_personal
from services.post.history import New, Recorded, RejectionCode, Standing
from services.post.letterbook import statement_of
from services.post.office import Office
from services.post.saving import act
from services.wire.candidates import Candidate, candidate_of
from services.wire.channels import COMMISSION
from services.wire.entry import body_digest
from services.wire.errors import ExchangeError
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    InformationRequested,
    InformationRequestedPersonal,
    Rejected,
)
from services.wire.hashing import Digest
from tests.simulation.invariants import Channels, require
from tests.simulation.world import SCHOOLS, Kept, World

__all__ = ["SAYINGS", "careless", "check_refusals"]


SAYINGS: Final = ("a request without a consent", "a second answer", "a second request", "an answer to nothing")
_WITHOUT_CONSENT: Final = 0.75


@dataclass(frozen=True, slots=True)
class _Say:
    """What is said past the rules: in which case, of which school, and with which code it has to be refused."""

    what: str
    case_id: UUID
    school: str | None
    new: New
    code: RejectionCode


def careless(world: World) -> None:
    """Let a program save what has to be refused, if there is a case for it."""
    site = world.sites[world.rng.choice([*SCHOOLS, COMMISSION, COMMISSION])]
    process = site.at_desk()
    if process is None:
        return
    # Whoever is killed here has perhaps saved it, and nobody would know what has to be refused.
    fuse, process.fuse.left = process.fuse.left, None
    find = _from_commission if site.name == COMMISSION else _from_school
    found: list[_Say] = []

    def job() -> Any:  # Saved events
        found.extend(find(world, process.office))
        if not found:
            return ()
        say = found[0]
        return act(process.office, say.case_id, lambda _: (say.new,), school=say.school)

    try:
        saved = process.run("says what must be refused", job)
    except ExchangeError:
        return
    process.fuse.left = fuse
    for each in saved or ():
        say = found[0]
        world.careless[each.body] = say.code
        world.kept.append(Kept(site.name, say.case_id, each))
        world.happened(f"said past the rules: {say.what}", site.name)
        world.say(f"{site.name} desk", f"a careless program says {say.what} in {say.case_id.hex[-8:]}")


def _from_school(world: World, office: Office) -> Sequence[_Say]:
    histories = _histories(office)
    asked = [(case_id, event) for case_id, history in histories for event in history if _is_request(world, event)]
    if not asked:
        return ()
    case_id, event = world.rng.choice(asked)
    personal = _personal(office, case_id, event)
    if personal is None:
        return ()
    again = New(facts=event.facts, personal=personal)
    twice = _Say("a second request", case_id, None, again, RejectionCode.WRONG_STATE)
    unasked = [each for each, history in histories if not any(isinstance(one.facts, InformationRequested) for one in history)]
    if unasked and world.rng.random() < _WITHOUT_CONSENT:
        other = world.rng.choice(unasked)
        own = _own_request(office, other, personal)
        if own is None:
            return ()
        without = New(facts=replace(event.facts, consent_given=False), personal=own)
        return [_Say("a request without a consent", other, None, without, RejectionCode.WRONG_STATE)]
    return [twice]


def _from_commission(world: World, office: Office) -> Sequence[_Say]:
    answered = [
        (case_id, event)
        for case_id, history in _histories(office)
        for event in history
        if isinstance(event.facts, ConfirmationGiven) and event.body not in world.careless and event.standing is Standing.ACCEPTED
    ]
    if not answered:
        return ()
    case_id, event = world.rng.choice(answered)
    row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
    other = Answer.NO if event.facts.answer is Answer.YES else Answer.YES
    personal = ConfirmationGivenPersonal(official="Ilze Paraudziņa")
    facts = replace(event.facts, answer=other)
    if world.rng.random() < 0.5:
        new = New(facts=facts, personal=personal, in_reply_to=event.in_reply_to)
        return [_Say("a second answer", case_id, row["school"] if row else None, new, RejectionCode.WRONG_STATE)]
    new = New(facts=facts, personal=personal, in_reply_to=Digest(world.rng.randbytes(32)))
    return [_Say("an answer to nothing", case_id, row["school"] if row else None, new, RejectionCode.WRONG_REPLY)]


def _histories(office: Office) -> list[tuple[UUID, tuple[Recorded, ...]]]:
    rows = office.database.all("SELECT case_id FROM cases ORDER BY case_id")
    return [(UUID(row["case_id"]), history_of(office, office.store.stream(UUID(row["case_id"])))) for row in rows]


def _is_request(world: World, event: Recorded) -> bool:
    is_genuine = event.own and event.body not in world.careless and event.standing is Standing.ACCEPTED
    return isinstance(event.facts, InformationRequested) and is_genuine


def _own_request(office: Office, case_id: UUID, pattern: InformationRequestedPersonal) -> InformationRequestedPersonal | None:
    """Return what is personal of a request about the pupil of a case itself, None if its application does not open.

    A program that forgets the consent does not take one child for another: who is asked about counts at its own desk.
    """
    history = history_of(office, office.store.stream(case_id))
    filed = next((event for event in history if isinstance(event.facts, ApplicationFiled)), None)
    opened = _personal(office, case_id, filed) if filed is not None else None
    if opened is None:
        return None
    copy = opened.application
    return replace(pattern, pupil=copy.pupil, representative=copy.representative, application=copy)


def _personal(office: Office, case_id: UUID, event: Recorded) -> Any:
    stream = office.store.stream(case_id)
    place = next(place for place, each in enumerate(history_of(office, stream)) if each.body == event.body)
    opened = open_personal(office, stream.events[place])
    return opened.content if isinstance(opened, Opened) else None


def check_refusals(world: World, channels: Channels) -> None:
    """Check that what had to be refused is refused and answered once, by the right code, and that nothing genuine is.

    Raises: Broken.
    """
    offices = {name: process.office for name, site in world.sites.items() if (process := site.worker) is not None}
    stolen = {
        body_digest(found.unverified_statement.body)
        for channel, records in world.thefts
        for record in records
        if isinstance(found := candidate_of(record, channel), Candidate)
    }
    refused = {name: _refused(office) for name, office in offices.items()}
    for name, bodies in refused.items():
        genuine = {body for body in bodies if body not in world.careless} - stolen
        genuine = {body for body in genuine if not _follows_refused_request(world, body)}
        require(not genuine, f"{name} refused {len(genuine)} events that nothing is wrong with")
    answers = {name: list(_rejections(office)) for name, office in offices.items()}
    for channel in channels.readings:
        for entry in channels.sealed(channel):
            code = world.careless.get(entry.body_digest)
            if code is None:
                continue
            writer, reader = _sides(channel)
            if entry.body_digest not in refused[reader] and _was_over(offices[reader], entry.body_digest):
                # Said past the rules at its desk, and right where it arrived: the request before it was over there already.
                continue
            require(entry.body_digest in refused[reader], f"{reader} took what {writer} may not say in {channel}")
            told = [each for body, each in answers[writer] if body == entry.body_digest]
            require(told == [code.value], f"{writer} was told {told} of what had to be refused as {code.value}")
            world.happened_in_life("an event refused, and its writer told why")


def _was_over(office: Office, body: Digest) -> bool:
    """Tell whether a request came to a case of the commission's in which the request before it was over."""
    if office.participant != COMMISSION:
        return False
    for _, history in _histories(office):
        place = next((place for place, event in enumerate(history) if event.body == body), None)
        if place is not None:
            return fold(history[:place]).is_request_over
    return False


def _follows_refused_request(world: World, body: Digest) -> bool:
    """Tell whether all that was asked before an event in its case had to be refused: its desk thinks that it asked."""
    place = next((place for place, each in enumerate(world.kept) if each.event.body == body), None)
    if place is None:
        return False
    earlier = [each.event for each in world.kept[:place] if each.case_id == world.kept[place].case_id]
    asked = [event.body for event in earlier if event.type == InformationRequested.__name__]
    return bool(asked) and all(each in world.careless for each in asked)


def _sides(channel: str) -> tuple[str, str]:
    school = channel.partition(".")[0]
    return (COMMISSION, school) if channel.endswith(".from-commission") else (school, COMMISSION)


def _refused(office: Office) -> set[Digest]:
    rows = office.database.all(
        "SELECT e.statement FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.kind = 'refused' AND h.event_id IS NOT NULL"
    )
    return {body_digest(statement_of(row).body) for row in rows}


def _rejections(office: Office) -> Sequence[tuple[Digest | None, str]]:
    """Return what this office was told is refused: what that names, and the code."""
    rows = office.database.all("SELECT DISTINCT originator_id FROM stored_events")
    events = (each for row in rows for each in history_of(office, office.store.stream(UUID(row["originator_id"]))))
    return [
        (event.in_reply_to, event.facts.code.value)
        for event in events
        if isinstance(event.facts, Rejected) and not event.own and event.standing is Standing.ACCEPTED
    ]

"""What holds of the procedure after quiet: I1 to I8 of the domain, and that every case is in the state its events give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from services.commission.domain import applying as theirs
from services.post.cases import Opened, history_of, open_personal
from services.post.history import Recorded, Standing
from services.post.office import Office
from services.post.rebuilding import rebuild
from services.school.domain import case as ours
from services.wire.audience import may_write
from services.wire.channels import COMMISSION, commission_case, from_commission, record_of, to_commission
from services.wire.events import (
    Answer,
    ApplicationFiled,
    AssessmentLinked,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    ConsentRecorded,
    DeliveryAddressChanged,
    DocumentsDispatched,
    InformationRequested,
    RecommendationIssued,
    Redispatched,
    Rejected,
)
from services.wire.hashing import Digest
from tests.simulation.acts import MEDICAL
from tests.simulation.invariants import require
from tests.simulation.world import SCHOOLS, World

__all__ = ["check_procedure"]

History = tuple[Recorded, ...]


def check_procedure(world: World) -> None:
    """Check every case of every site, and what the two sides of each say of each other."""
    offices = {name: process.office for name, site in world.sites.items() if (process := site.worker) is not None}
    for name, office in offices.items():
        _check_rows(name, office)
    commission = offices[COMMISSION]
    for name in SCHOOLS:
        _check_school_learns_no_cause(name, offices[name])
        histories = dict(_histories(offices[name]))
        begun = {case_id for case_id, history in histories.items() if _has_its_beginning(name, offices[name], history)}
        _check_one_open_request_a_pupil(world, name, [histories[case_id] for case_id in begun])
        for case_id, history in histories.items():
            if case_id in begun:
                _check_consent_before_request(world, name, history)
            other = history_of(commission, commission.store.stream(commission_case(case_id, to_commission(name))))
            _check_both_sides_agree(world, name, history, other)
            _count_lives(world, history, other)
    for case_id, history in _histories(commission):
        _check_yes_rests_on_recommendation(world, commission, case_id, history)
        _check_dispatch(commission, case_id, history)


def _histories(office: Office) -> Iterator[tuple[UUID, History]]:
    rows = office.database.all("SELECT DISTINCT originator_id FROM stored_events WHERE originator_id <> ?", office.own_stream.hex)
    for row in rows:
        stream = office.store.stream(UUID(row["originator_id"]))
        yield stream.id, history_of(office, stream)


def _check_rows(name: str, office: Office) -> None:
    """Every case is in the state that its events give, and making the rows anew changes no event (I7)."""
    before = [tuple(row) for row in office.database.all("SELECT * FROM stored_events ORDER BY 1, 2")]
    number, different = rebuild(office)
    after = [tuple(row) for row in office.database.all("SELECT * FROM stored_events ORDER BY 1, 2")]
    require(before == after, f"I7: a rebuild at {name} changed stored events")
    require(not different, f"{len(different)} of {number} cases of {name} are shown otherwise than their events say: {different}")


def _check_school_learns_no_cause(name: str, office: Office) -> None:
    """I1: nothing medical is in anything that a school holds or can open."""
    require(
        not office.database.all("SELECT 1 FROM keys WHERE channel = ?", record_of(COMMISSION)),
        f"I1: {name} holds a key of the commission's record",
    )
    rows = office.database.all(
        "SELECT originator_id, originator_version FROM stored_events WHERE channel = ?", from_commission(name)
    )
    for row in rows:
        event = office.store.stream(UUID(row["originator_id"])).events[row["originator_version"] - 1]
        opened = open_personal(office, event)
        require(isinstance(opened, Opened), f"{name} cannot open {event.topic}: {opened}")
        assert isinstance(opened, Opened)
        require(may_write(event.topic, from_commission(name)), f"I1: {name} is told {event.topic}")
        fits = opened.content is None or isinstance(opened.content, ConfirmationGivenPersonal | ConfirmationCorrectedPersonal)
        require(fits and MEDICAL not in repr(opened.content), f"I1: {name} reads a cause in {event.topic}")


def _check_consent_before_request(world: World, name: str, history: History) -> None:
    """I2: no request without a consent before it, and it rests on that one."""
    consents: set[Digest] = set()
    for event in history:
        if isinstance(event.facts, ConsentRecorded):
            consents.add(event.body)
        if isinstance(event.facts, InformationRequested) and event.own and event.body not in world.careless:
            require(event.facts.consent_given and event.facts.basis in consents, f"I2: {name} asked without a consent")


def _has_its_beginning(name: str, office: Office, history: History) -> bool:
    """Tell whether a case has its application; where not, it is lost to all with a record that was begun anew."""
    if any(isinstance(event.facts, ApplicationFiled) for event in history):
        return True
    require(bool(office.trust.epochs.get(record_of(name))), f"{name} has a case without its application")
    return False


def _check_one_open_request_a_pupil(world: World, name: str, histories: Iterable[History]) -> None:
    """I3: at most one open request a case and a pupil."""
    asked: dict[int, int] = {}
    for history in histories:
        case = ours.fold(history)
        open_ones = sum(request.is_open for request in case.requests if request.body not in world.careless)
        filed = next(event.facts for event in history if isinstance(event.facts, ApplicationFiled))
        asked[filed.pupil] = asked.get(filed.pupil, 0) + open_ones
    require(all(number <= 1 for number in asked.values()), f"I3: {name} has asked twice about a pupil: {asked}")


def _check_yes_rests_on_recommendation(world: World, office: Office, case_id: UUID, history: History) -> None:
    """I4: a yes names a recommendation before it, of its own case or of the one that it is linked to (D.5, 6)."""
    issued: set[Digest] = set()
    for event in history:
        if isinstance(event.facts, AssessmentLinked):
            primary = office.store.case_with(event.facts.primary)
            assert primary is not None
            earlier = history_of(office, office.store.stream(primary))
            issued.update(each.body for each in earlier if isinstance(each.facts, RecommendationIssued))
        if isinstance(event.facts, RecommendationIssued):
            issued.add(event.body)
        is_answer = isinstance(event.facts, ConfirmationGiven | ConfirmationCorrected)
        is_yes = is_answer and event.facts.answer is Answer.YES
        if is_yes and event.body not in world.careless:
            require(event.facts.basis in issued, f"I4: a yes in {case_id.hex[-8:]} without a recommendation")


def _check_dispatch(office: Office, case_id: UUID, history: History) -> None:
    """I5, I6: documents go to the address that the request states, or a later change of it; to a school only if chosen."""
    stream = office.store.stream(case_id)
    chosen: tuple[Recorded, Opened] | None = None
    for event, stored in zip(history, stream.events, strict=True):
        if event.standing is not Standing.ACCEPTED:
            continue
        if isinstance(event.facts, InformationRequested | DeliveryAddressChanged):
            opened = open_personal(office, stored)
            chosen = (event, opened) if isinstance(opened, Opened) else chosen
        if isinstance(event.facts, DocumentsDispatched | Redispatched):
            sent = open_personal(office, stored)
            assert chosen is not None
            assert isinstance(sent, Opened), sent
            asked, said = chosen
            require(sent.content.address == said.content.address, f"I5: {case_id.hex[-8:]} went to another address")
            fits = event.facts.address is asked.facts.address and event.facts.address_from == asked.body
            require(fits, f"I6: {case_id.hex[-8:]} was sent to {event.facts.address.value}, asked {asked.facts.address.value}")


def _check_both_sides_agree(world: World, name: str, history: History, other: History) -> None:
    """I8: the school's case and the commission's are projections of one log."""
    # What the commission's program said past the rules counts on its own side alone: the school has refused it.
    here, there = ours.fold(history), theirs.fold([event for event in other if event.body not in world.careless])
    mine = [event for event in history if event.own and isinstance(event.facts, InformationRequested | Rejected)]
    known: dict[Digest, Any] = {event.body: event for event in other}
    # What has to be refused stands in no case of the commission's, if it knew none then.
    sent = [event for event in mine if event.channel == to_commission(name) and event.body not in world.careless]
    require(all(event.body in known for event in sent), f"the commission lacks what {name} wrote in a case")
    answers = [event for event in other if event.own and event.channel == from_commission(name)]
    at_school = {event.body: event for event in history}
    require(all(event.body in at_school for event in answers), f"{name} lacks what the commission wrote in a case")
    if there.request is None:
        return
    request = next((each for each in here.requests if each.body == there.request.body), None)
    if request is None:
        return
    require(request.answer is there.answer, f"{name} reads {request.answer}, the commission wrote {there.answer}")
    if request.rejected is not None:
        require(
            any(event.own and isinstance(event.facts, Rejected) and event.in_reply_to == request.body for event in other),
            f"{name} reads a refusal that the commission did not write",
        )


def _count_lives(world: World, history: History, other: History) -> None:
    """Count what became of a case since the seed began: what its own side did, and what came there from the other."""
    for event in (*history, *other):
        if event.body in world.inherited or event.standing is not Standing.ACCEPTED or event.body in world.careless:
            continue
        came = "" if event.own else ", at its reader"
        answer = f" {event.facts.answer.value}" if isinstance(event.facts, ConfirmationGiven) else ""
        world.happened_in_life(f"{event.type}{answer}{came}")

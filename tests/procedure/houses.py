"""Two schools and the commission as the domains see them: histories in memory, and messages on their way between them.

No key, no database, no clock of its own. What is saved has the links that ``services.post.saving`` gives it, what comes is
judged as ``services.post.applying`` lets it be judged, deadlines and days happen as in ``services.post.firing``. A channel keeps
its order; how long something is on its way is for whoever delivers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial, reduce
from typing import Any, Final
from uuid import UUID

from services.commission.domain.answering import pass_on
from services.commission.domain.applying import evolve as evolve_commission
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.linking import is_of_one_pupil, on_the_way, seen_among, seen_with
from services.commission.domain.naming import codes_among
from services.commission.domain.receiving import CommissionDomain
from services.commission.domain.terms import deadlines_of as commission_deadlines
from services.post.history import BEFORE, Deadline, New, Recorded, Standing
from services.school.domain.case import evolve as evolve_school
from services.school.domain.deadlines import deadlines_of as school_deadlines
from services.school.domain.duplicates import seen_with as seen_with_primary
from services.school.domain.folded import SchoolCase
from services.school.domain.receiving import SchoolDomain
from services.wire.audience import channel_for, may_write
from services.wire.channels import (
    COMMISSION,
    ChannelKind,
    channel_kind,
    commission_case,
    from_commission,
    school_of,
    to_commission,
)
from services.wire.events import (
    AttendanceRequested,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    RecommendationExpired,
    RecommendationRevoked,
    Rejected,
    RejectedCode,
    TermExtended,
)
from services.wire.hashing import Digest, digest_of

__all__ = ["SCHOOLS", "TODAY", "Commission", "House", "Letter", "School", "World"]

SCHOOLS: Final = ("school-0099900011", "school-0099900022")
TODAY: Final = date(2026, 8, 17)
_PAIRS: Final = (ChannelKind.TO_COMMISSION, ChannelKind.FROM_COMMISSION)
_ON_THE_WAY: Final = (AttendanceRequested, TermExtended)
_ENDS_AN_ANSWER: Final = (ConfirmationCorrected, RecommendationExpired, RecommendationRevoked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An event on its way; ``case_id`` is its writer's number of the case, None where it belongs to none."""

    case_id: UUID | None
    event: Recorded
    personal: Any


@dataclass(slots=True)
class House:
    """One participant: its cases and what belongs to none, what is personal about its events, and what is due.

    ``folded`` are the cases as they stand, kept up event by event: that folding anew gives the same is for the invariants.
    """

    name: str
    domain: Any
    evolve: Callable[[Any, Recorded], Any]
    begin: Callable[[], Any]
    due: Callable[[Any], Iterable[Deadline]]
    cases: dict[UUID, tuple[Recorded, ...]] = field(default_factory=dict)
    folded: dict[UUID, Any] = field(default_factory=dict)
    own: tuple[Recorded, ...] = ()
    personal: dict[Digest, Any] = field(default_factory=dict)
    found_by: dict[str, list[UUID]] = field(default_factory=dict)
    deadlines: dict[UUID, dict[str, tuple[date, bool]]] = field(default_factory=dict)

    def cases_of(self, word: str) -> list[UUID]:
        """Return the cases that are found by a word, the earliest first."""
        return self.found_by.get(word, [])

    def case_with(self, body: Digest) -> UUID | None:
        """Return the case in which an event stands."""
        return next((case for case, events in self.cases.items() if any(each.body == body for each in events)), None)

    def note(self, case_id: UUID, personal: Any) -> None:
        """Note by which words a case is found."""
        for word in self.domain.codes_of(personal):
            found = self.found_by.setdefault(word, [])
            if case_id not in found:
                found.append(case_id)

    def append(self, case_id: UUID, *events: Recorded) -> None:
        """Add events at the end of a case; what was fired stays so while its day is the same."""
        self.cases[case_id] = (*self.cases.get(case_id, ()), *events)
        accepted = (event for event in events if event.standing is Standing.ACCEPTED)
        case = reduce(self.evolve, accepted, self.folded.get(case_id) or self.begin())
        self.folded[case_id], before = case, self.deadlines.get(case_id, {})
        self.deadlines[case_id] = {
            each.name: (each.due_on, before.get(each.name) == (each.due_on, True)) for each in self.due(case)
        }


@dataclass(slots=True)
class School(House):
    """A school."""

    def case(self, case_id: UUID) -> SchoolCase:
        """Return a case, folded; a duplicate as it stands with the one that it was linked to."""
        case: SchoolCase = self.folded[case_id]
        primary = self.case_with(case.duplicate_of) if case.duplicate_of is not None else None
        return seen_with_primary(case, self.folded[primary] if primary is not None else None)


@dataclass(slots=True)
class Commission(House):
    """The commission; ``asked_by`` says whose case each is, None of a direct application."""

    asked_by: dict[UUID, str | None] = field(default_factory=dict)

    def case(self, case_id: UUID) -> CommissionCase:
        """Return a case as it stands with the one that it is linked to, those that are linked to it, and others of its pupil."""
        case: CommissionCase = self.folded[case_id]
        primary = self.case_with(case.linked) if case.linked is not None else None
        kin, others = (
            [Kin(number=each, case=self.folded[each]) for each in found]
            for found in (self.linked_to(case), self.same_pupil(case_id))
        )
        return seen_among(seen_with(case, self.folded[primary] if primary is not None else None), kin, others)

    def codes_of_pupil(self, case_id: UUID) -> tuple[str, ...]:
        """Return the codes that name the pupil of a case, as ``services.commission.kinship`` reads them."""
        return codes_among(self.folded[case_id], self.personal.get)

    def linked_to(self, case: CommissionCase) -> list[UUID]:
        """Return the cases that are linked to a case."""
        return [each for each in self.cases if self._is_linked(self.folded[each], case)]

    def _is_linked(self, linked: CommissionCase, case: CommissionCase) -> bool:
        if linked.linked is None or case.first is None or not is_of_one_pupil(linked, case):
            return False
        return self.case_with(linked.linked) == self.case_with(case.first)

    def same_pupil(self, case_id: UUID) -> list[UUID]:
        """Return the other cases of the pupil of a case, the earliest first."""
        codes = set(self.codes_of_pupil(case_id))
        found = {each: None for code in codes for each in self.cases_of(code) if each != case_id}
        return [each for each in found if codes.intersection(self.codes_of_pupil(each))]


@dataclass(slots=True)
class World:
    """Two schools, the commission, the day, and what is on its way.

    ``by_itself`` is what nobody did, ``refused`` what a reader refused, and why. ``watch`` is called with each event when it was
    saved, with its house and case.
    """

    today: date = TODAY
    schools: dict[str, School] = field(default_factory=dict)
    commission: Commission = field(init=False)
    on_the_way: dict[str, deque[Letter]] = field(default_factory=dict)
    by_itself: list[Recorded] = field(default_factory=list)
    refused: list[tuple[RejectedCode, Recorded]] = field(default_factory=list)
    watch: Callable[[World, House, UUID | None, Recorded], None] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def __post_init__(self) -> None:
        """Found the houses."""
        self.commission = Commission(COMMISSION, CommissionDomain(), evolve_commission, CommissionCase, commission_deadlines)
        for name in SCHOOLS:
            domain = SchoolDomain(partial(self._own_case, name))
            self.schools[name] = School(name, domain, evolve_school, SchoolCase, school_deadlines)
            self.on_the_way[to_commission(name)] = deque()
            self.on_the_way[from_commission(name)] = deque()

    @property
    def houses(self) -> tuple[House, ...]:
        """Return all three."""
        return (*self.schools.values(), self.commission)

    def new_case(self) -> UUID:
        """Return a number for a case."""
        return UUID(int=next(self._numbers))

    def save(self, house: House, case_id: UUID | None, news: Sequence[New], *, school: str | None = None) -> tuple[Recorded, ...]:
        """Save what a decision made at the end of a case (None: of what belongs to none); ``school`` is whose case it is."""
        history = house.own if case_id is None else house.cases.get(case_id, ())
        saved: list[Recorded] = []
        for new in news:
            event = self._recorded(house, new, school, saved, history[-1].body if case_id is not None and history else None)
            history = (*history, event)
            saved.append(event)
            house.personal[event.body] = new.personal
            if case_id is not None:
                house.note(case_id, new.personal)
            if channel_kind(event.channel) in _PAIRS:
                self.on_the_way[event.channel].append(Letter(case_id=case_id, event=event, personal=new.personal))
        if case_id is None:
            house.own = history
        elif news:
            house.append(case_id, *saved)
            if house is self.commission:
                self.commission.asked_by.setdefault(case_id, school)
                self._follow(case_id, news)
        if self.watch is not None:
            for event in saved:
                self.watch(self, house, case_id, event)
        return tuple(saved)

    def deliver(self, channel: str) -> Recorded:
        """Let what is first in a channel come in, be judged and be answered, and return it as its reader keeps it."""
        letter = self.on_the_way[channel].popleft()
        is_to_commission = channel_kind(channel) is ChannelKind.TO_COMMISSION
        house: House = self.commission if is_to_commission else self.schools[school_of(channel)]
        incoming = replace(letter.event, own=False)
        case_id = self._case_for(house, letter, channel)
        assert may_write(incoming.type, channel)
        assert not house.domain.must_park(incoming.facts)
        history = house.cases.get(case_id, ()) if case_id is not None else ()
        code = house.domain.judge(history, incoming)
        if code is None and case_id is not None:
            house.append(case_id, incoming)
            house.personal[incoming.body] = letter.personal
            if house is self.commission:
                self.commission.asked_by.setdefault(case_id, school_of(channel))
            house.note(case_id, letter.personal)
            return incoming
        return self._refuse(house, case_id if history else None, incoming, RejectedCode(code.value if code else "UnknownCase"))

    def fire(self) -> int:
        """Fire the deadlines that are due, each once, the oldest first, and return how many those were."""
        due = [
            (due_on, number, case_id, name)
            for number, house in enumerate(self.houses)
            for case_id, kept in house.deadlines.items()
            for name, (due_on, is_fired) in kept.items()
            if not is_fired and due_on < self.today
        ]
        for _, number, case_id, name in sorted(due):
            house = self.houses[number]
            due_on, is_fired = house.deadlines[case_id].get(name, (self.today, True))
            # Somebody acted since the list was read, and nothing is due any more.
            if is_fired or due_on >= self.today:
                continue
            house.deadlines[case_id][name] = (due_on, True)
            self._by_itself(house, case_id, house.domain.fire(house.cases[case_id], name))
        return len(due)

    def pass_days(self, days: int) -> None:
        """Let days go by; on each what is personal to a day happens, and what is due fires at the end, until nothing is left."""
        for _ in range(days):
            self.today += timedelta(days=1)
            for school in self.schools.values():
                for word in school.domain.words_of(self.today):
                    for case_id in school.cases_of(word):
                        opened: Callable[[Digest], Any] = school.personal.get
                        self._by_itself(school, case_id, school.domain.on_day(school.cases[case_id], self.today, opened))
        while self.fire():
            pass

    def settle(self) -> None:
        """Deliver until nothing is on its way."""
        while waiting := [channel for channel, letters in self.on_the_way.items() if letters]:
            self.deliver(waiting[0])

    def _by_itself(self, house: House, case_id: UUID, news: Sequence[New]) -> None:
        school = self.commission.asked_by.get(case_id) if house is self.commission else None
        self.by_itself += self.save(house, case_id, news, school=school)

    def _recorded(self, house: House, new: New, school: str | None, saved: Sequence[Recorded], after: Digest | None) -> Recorded:
        facts, kind = new.facts, type(new.facts).__name__
        if getattr(facts, "basis", None) == BEFORE:
            record = (each.body for each in reversed(saved) if channel_kind(each.channel) is ChannelKind.RECORD)
            facts = replace(facts, basis=next(record))
        return Recorded(
            facts=facts,
            type=kind,
            body=digest_of(f"{house.name} {next(self._numbers)}".encode()),
            channel=channel_for(kind, writer=house.name, school=school),
            writer=house.name,
            own=True,
            after=after,
            in_reply_to=new.in_reply_to,
            recorded_on=self.today,
            standing=Standing.ACCEPTED,
        )

    def _refuse(self, house: House, known: UUID | None, incoming: Recorded, code: RejectedCode) -> Recorded:
        kept = replace(incoming, facts=None, standing=Standing.REFUSED)
        if known is None:
            house.own = (*house.own, kept)
        else:
            house.append(known, kept)
        self.refused.append((code, incoming))
        # Two sides that refuse each other's refusals would never stop.
        if incoming.type != Rejected.__name__:
            answer = New(facts=Rejected(code=code), in_reply_to=incoming.body)
            self.save(house, known, (answer,), school=school_of(incoming.channel) if house is self.commission else None)
        return kept

    def _case_for(self, house: House, letter: Letter, channel: str) -> UUID | None:
        if letter.case_id is not None:
            found: UUID = house.domain.case_of(letter.case_id, channel=channel)
            return found
        answered = letter.event.in_reply_to
        return next((case for case, events in house.cases.items() if any(each.body == answered for each in events)), None)

    def _own_case(self, name: str, case_id: UUID) -> UUID | None:
        own = self.schools[name].cases
        return next((each for each in own if commission_case(each, to_commission(name)) == case_id), None)

    def _follow(self, case_id: UUID, news: Sequence[New]) -> None:
        """Tell linked cases of what changed, as ``services.commission.kinship.follow`` does in the same transaction."""
        if any(isinstance(new.facts, _ON_THE_WAY) for new in news):
            self._in_linked(case_id, on_the_way)
        if not any(isinstance(new.facts, _ENDS_AN_ANSWER) for new in news):
            return
        signed = [new.personal.official for new in news if isinstance(new.personal, ConfirmationCorrectedPersonal)]
        self.tell_linked(case_id, signed[0] if signed else None)

    def tell_linked(self, case_id: UUID, official: str | None) -> None:
        """Tell linked cases of an answer that is another now, as ``services.commission.kinship.tell_linked`` does."""
        self._in_linked(case_id, lambda case: pass_on(case, official))

    def _in_linked(self, case_id: UUID, follows: Callable[[CommissionCase], Sequence[New]]) -> None:
        house, case = self.commission, self.commission.case(case_id)
        for linked in house.linked_to(case):
            self.save(house, linked, follows(seen_with(house.folded[linked], case)), school=house.asked_by[linked])

"""Sequences: whether the events of a case follow each other, by what their writers say themselves.

Of a case its writer says with each event which one stood before it (``after``), of an answer which request it answers, of a
correction which answer it corrects. Its reader sees its half of that, and only while it reads; whoever holds the facts keys of
both sides sees all of it, later. What contradicts itself is found. A time is only somebody's word, and a clock may be wrong:
where a term that is said to be kept, or to have passed, does not agree with what stands before it, or with a receipt, it is a
note.
What may be in a channel that is not whole here, does not open, or was overruled by an epoch, convicts nobody.
Source: design.md sections 4 (``after``) and 6; domain.md D.5, 15 and 16; docs/adr/0044-sequences-are-looked-at-whole.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.audit.days import day_in_riga
from services.audit.event import Event, Standing
from services.audit.held import HeldSince
from services.audit.opening import Opening
from services.audit.packed import DigestSet
from services.audit.report import OF_WHAT_IS_SAID, Finding
from services.audit.verify import Examined
from services.wire.channels import (
    COMMISSION,
    TRUST_CHANNEL,
    from_commission,
    paired_channel,
    record_of,
    school_of,
    to_commission,
    writer_of,
)
from services.wire.contents import Receipt
from services.wire.errors import OrderError
from services.wire.events import (
    ConfirmationCorrected,
    ConfirmationGiven,
    DeadlineName,
    DeadlinePassed,
    InformationRequested,
    RequestRegistered,
    Source,
)
from services.wire.hashing import Digest, digest_of
from services.wire.reading import ReadingState

__all__ = ["look_at_sequences"]

_IN_ITS_CHANNEL: Final = (Standing.TAKEN, Standing.REFUSED)
_FOLLOWS: Final = "names as the event before it in its case one"
_ANSWERS: Final = "answers one"
_READ: Final = (Opening.OPEN, Opening.OPENED)


def look_at_sequences(examined: Examined, events: Iterable[Event]) -> None:
    """Put to the report of a log that was examined what its ``events``, in their one order, contradict."""
    look = _Sequences(examined)
    for event in events:
        look.add(event)
    look.conclude()


class _Asked(NamedTuple):
    """A request, where it stands."""

    channel: str
    epoch: int
    sequence: int
    case: UUID | None
    due_on: date


class _Said(NamedTuple):
    """An answer, or a correction of one: where it stands, what it answers or corrects, and how late its channel was by then."""

    event: Event
    link: Digest | None
    behind: date | None


@dataclass(slots=True)
class _Sequences:
    """A fold over all events, in their one order; what may come later is judged when all have been seen."""

    examined: Examined
    bodies: DigestSet = field(default_factory=DigestSet)
    placed: DigestSet = field(default_factory=DigestSet)
    caseless: DigestSet = field(default_factory=DigestSet)
    followed: DigestSet = field(default_factory=DigestSet)
    nowhere: list[tuple[Event, Digest, str]] = field(default_factory=list)
    requests: dict[Digest, _Asked] = field(default_factory=dict)
    answers: dict[Digest, _Said] = field(default_factory=dict)
    first: dict[tuple[str, Digest], Digest] = field(default_factory=dict)
    receipts: dict[tuple[str, str], HeldSince] = field(default_factory=dict)
    terms: list[Event] = field(default_factory=list)
    asked_last: dict[UUID | None, _Asked] = field(default_factory=dict)
    registered: list[tuple[Event, _Asked]] = field(default_factory=list)
    latest: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    broken: dict[str, bool] = field(default_factory=dict)
    broken_of_all: list[str] | None = None
    at_fault: frozenset[str] = frozenset()
    noted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Know which channels are at fault by what stands in them, whatever that says."""
        found = (each for each in self.examined.report.findings if each.error not in OF_WHAT_IS_SAID)
        self.at_fault = frozenset(each.channel for each in found)

    def add(self, event: Event) -> None:
        """See one event."""
        self.bodies.add(event.body)
        if event.common_case is not None:
            self.placed.add(_in_case(event.common_case, event.body))
        elif event.opening is not Opening.OPEN:
            self.caseless.add(event.body)
        before = self.latest.get(event.channel, 0)
        self.latest[event.channel] = max(before, event.written_at)
        if event.opening not in _READ:
            self.closed.add(event.channel)
        elif event.standing in _IN_ITS_CHANNEL:
            # What came while the channels were being read is not judged, but may be what another one rightly names.
            self._see(event, before)
            if self._is_settled(event):
                self._chain(event)
                self._reply(event)

    def conclude(self) -> None:
        """Judge what could not be judged before everything was seen."""
        for event, link, how in self.nowhere:
            if link in self.bodies:
                self._same_case(event, link, how)
            else:
                self._miss(event, f"{how} that stands nowhere", link)
        for said in (each for each in self.answers.values() if self._is_settled(each.event)):
            self._judge(said)
        self._note_late_answers()
        self._note_terms()
        self._note_registrations()
        for each in self.examined.report.channels:
            each.tell_untold()

    def _chain(self, event: Event) -> None:
        """Find a second event of one writer after the same one: of a case there is one story, whoever tells it."""
        if event.case_id is None:
            return
        self._names(event, event.after, _FOLLOWS)
        # A body is of one case, so the case is asked for only where nothing stands before.
        link = event.after if event.after is not None else Digest(digest_of(event.case_id.bytes))
        place = digest_of(writer_of(event.channel).encode() + b"\x00" + link)
        if place in self.followed:
            what = "names as the event before it in its case one that another of its events names already"
            self._find(event, what, "the last one of its case", link.hex() if event.after is not None else "none before it")
        self.followed.add(place)

    def _reply(self, event: Event) -> None:
        """Find an event that answers nothing that was said in its case; what an answer to a request names is judged apart."""
        if paired_channel(event.channel) is not None and not isinstance(event.facts, ConfirmationGiven):
            self._names(event, event.in_reply_to, _ANSWERS)

    def _names(self, event: Event, link: Digest | None, how: str) -> None:
        if link is not None and link in self.bodies:
            self._same_case(event, link, how)
        elif link is not None:
            self.nowhere.append((event, link, how))

    def _same_case(self, event: Event, link: Digest, how: str) -> None:
        """Find an event that names one of another case; what does not open, or says of no case, may be of any."""
        case = event.common_case
        if case is not None and link not in self.caseless and _in_case(case, link) not in self.placed:
            self._find(event, f"{how} that is not of its case", f"one of {_of(event.channel, case)}", link.hex())

    def _see(self, event: Event, before: int) -> None:
        match event.facts:
            case InformationRequested(due_on=due_on):
                asked = _Asked(event.channel, event.epoch, event.sequence, event.common_case, due_on)
                self.requests.setdefault(event.body, asked)
                if event.standing is Standing.TAKEN:
                    self.asked_last[event.common_case] = asked
            case ConfirmationGiven():
                self.answers.setdefault(event.body, _Said(event, event.in_reply_to, day_in_riga(before) if before else None))
            case ConfirmationCorrected(corrects=corrects):
                self.answers.setdefault(event.body, _Said(event, corrects, None))
            case Receipt(held=held):
                day, writer = day_in_riga(event.written_at), writer_of(event.channel)
                for line in held:
                    self.receipts.setdefault((writer, line.channel), HeldSince()).add((line.epoch, line.sequence), day)
            case DeadlinePassed(deadline=DeadlineName.COMMISSION_REPLY) if event.standing is Standing.TAKEN:
                self.terms.append(event)
            case RequestRegistered(source=Source.SCHOOL) if event.standing is Standing.TAKEN:
                # A case may be asked about again, and is registered anew then.
                if event.common_case in self.asked_last:
                    self.registered.append((event, self.asked_last[event.common_case]))

    def _judge(self, said: _Said) -> None:
        """Hold an answer against the request that it answers, or the answer that it corrects."""
        event, link = said.event, said.link
        is_answer = isinstance(event.facts, ConfirmationGiven)
        what = "answers" if is_answer else "corrects"
        named = self._named(said)
        if link is None:
            self._find(event, f"{what} nothing", "a request" if is_answer else "an answer", "nothing")
        elif named is None:
            self._unnamed(event, link, is_answer=is_answer)
        elif named != (event.channel, event.common_case):
            self._find(event, f"{what} what is of another case or school", _of(event.channel, event.common_case), _of(*named))
        # Whoever was refused may say it again, and rightly then.
        elif event.standing is Standing.TAKEN and self.first.setdefault((what, link), event.body) != event.body:
            self._twice(event, f"{what} what another one {what} already", self.first[what, link])

    def _twice(self, event: Event, what: str, other: Digest) -> None:
        """Find a second answer, or correction of one, unless its reader may have refused one of the two unseen."""
        reader = paired_channel(event.channel) or ""
        if not self._is_open(reader):
            self._note(event, f"{what}; whether one of them was refused cannot be told: {reader} is not open and whole here")
        else:
            self._find(event, what, other.hex(), event.body.hex())

    def _named(self, said: _Said) -> tuple[str, UUID | None] | None:
        """Return the channel of the answers and the case of what an answer names, None if it is nothing that can be named."""
        if said.link is None:
            return None
        if isinstance(said.event.facts, ConfirmationGiven):
            asked = self.requests.get(said.link)
            return (paired_channel(asked.channel) or "", asked.case) if asked is not None else None
        earlier = self.answers.get(said.link)
        return (earlier.event.channel, earlier.event.common_case) if earlier is not None else None

    def _unnamed(self, event: Event, link: Digest, *, is_answer: bool) -> None:
        channel = (paired_channel(event.channel) or "") if is_answer else event.channel
        what = "answers a request" if is_answer else "corrects an answer"
        if link not in self.bodies:
            self._miss(event, f"{what} that stands nowhere", link)
        elif self._is_open(channel):
            self._find(event, f"{what} and names something else", f"one of {channel}", link.hex())

    def _note_late_answers(self) -> None:
        """Tell answers that say to be of a day within the term, and stand behind what was signed after it."""
        for event, link, behind in self.answers.values():
            asked, said_on = self.requests.get(link) if link is not None else None, event.recorded_on
            if asked is None or behind is None or said_on is None or not isinstance(event.facts, ConfirmationGiven):
                continue
            if said_on <= asked.due_on < behind:
                told = f"an answer says that it was recorded on {said_on}, in the term until {asked.due_on}"
                self._note(event, f"{told}; what stands before it says {behind}")

    def _note_terms(self) -> None:
        """Tell terms for an answer that are said to have passed, and had not by what else is said.

        By the day of the event itself they still ran, no request of the case has that term, or by its end a receipt of who says
        so holds the answer.
        """
        answered: dict[tuple[UUID | None, date], Event] = {}
        for event, link, _ in self.answers.values():
            asked = self.requests.get(link) if link is not None else None
            if asked is not None and event.standing is Standing.TAKEN:
                answered.setdefault((asked.case, asked.due_on), event)
        terms = {(each.case, each.due_on) for each in self.requests.values()}
        for event in self.terms:
            due_on, case, said_on = event.facts.due_on, event.common_case, event.recorded_on
            told, writer = f"the term for an answer until {due_on} is said to have passed", writer_of(event.channel)
            answer = answered.get((case, due_on))
            held = self._first_held(writer, answer) if answer is not None else None
            if said_on is not None and said_on <= due_on:
                self._note(event, f"{told}; that is said on {said_on}")
            elif held is not None and held <= due_on:
                self._note(event, f"{told}; a receipt of its writer says that it held the answer on {held}")
            elif writer != COMMISSION and (case, due_on) not in terms and self._is_open(to_commission(writer)):
                self._note(event, f"{told}; no request of its case has that term")

    def _note_registrations(self) -> None:
        """Tell requests that the commission says came on a day behind its own receipt: its term is counted from that day."""
        for event, asked in self.registered:
            said, held = event.facts.received_on, self._first_held(COMMISSION, asked)
            if held is not None and said > held:
                self._note(
                    event, f"a request is said to have come on {said}; a receipt of its writer says that it held it on {held}"
                )

    def _note(self, event: Event, told: str) -> None:
        report, text = self.examined.watches[event.channel].report, f"at {event.sequence}: {told}"
        # The first of a channel before all that anybody can have noted there with junk.
        (report.note if event.channel in self.noted else report.conclude)(text)
        self.noted.add(event.channel)

    def _first_held(self, writer: str, what: Event | _Asked) -> date | None:
        """Return the earliest day on which somebody says in a receipt to hold something, None if nobody can tell."""
        held = self.receipts.get((writer, what.channel))
        return held.since((what.epoch, what.sequence)) if held is not None else None

    def _miss(self, event: Event, what: str, link: Digest) -> None:
        """Find what is named and stands nowhere, if everything is here in which it could stand."""
        broken = self._excuse(event)
        if broken is not None:
            self._note(event, f"{what}; {broken} is not whole here, or an epoch overruled a part of it")
        else:
            self._find(event, what, link.hex(), "nothing")

    def _excuse(self, event: Event) -> str | None:
        """Return a channel that is not whole, and in which that can stand what a writer knows of the case of its event."""
        writer, asked = writer_of(event.channel), self.asked_last.get(event.common_case)
        if writer != COMMISSION or paired_channel(event.channel) is not None:
            school = school_of(event.channel)
        elif asked is not None:
            school = school_of(asked.channel)
        else:
            # Whose case it is cannot be told.
            return next(iter(self._all_broken()), None)
        return next(filter(self._is_broken, (record_of(writer), to_commission(school), from_commission(school))), None)

    def _all_broken(self) -> list[str]:
        """Return all channels in which the commission may know something and that are not whole; looked for once."""
        if self.broken_of_all is None:
            channels = (each for each in self.examined.watches if paired_channel(each) or writer_of(each) == COMMISSION)
            self.broken_of_all = [each for each in channels if self._is_broken(each)]
        return self.broken_of_all

    def _is_open(self, channel: str) -> bool:
        """Tell whether all that stood in a channel is known, and opens."""
        return channel not in self.closed and not self._is_broken(channel)

    def _is_broken(self, channel: str) -> bool:
        """Tell whether something that stood in a channel may not be known here; looked at once, however many lies ask for it."""
        if channel not in self.broken:
            self.broken[channel] = self._is_lacking(channel)
        return self.broken[channel]

    def _is_lacking(self, channel: str) -> bool:
        watches, trust = self.examined.watches, self.examined.trust
        if channel not in watches or channel in self.at_fault or trust.epochs.get(channel):
            return True
        watch, follower = watches[channel], self.examined.followers[channel]
        if watch.report.state != ReadingState.READING.value or follower.is_overflowing:
            return True
        # What cannot be read, or nobody signed, at the end may be what stood there. Before the end everything is known, and
        # whoever puts something beside its chain must not be free to lie for good.
        claimed = {each.sequence for each in watch.damages} | {each.sequence for each in follower.remembered}
        return len(watch.digests) + 1 in claimed

    def _is_settled(self, event: Event) -> bool:
        return event.channel == TRUST_CHANNEL or self.examined.watches[event.channel].is_settled(event.sequence)

    def _find(self, event: Event, what: str, expected: str, found: str) -> None:
        kind = event.type or "an event"
        self.examined.report.find(
            Finding(
                channel=event.channel,
                epoch=event.epoch,
                sequence=event.sequence,
                error=OrderError.__name__,
                what=f"{kind} {what}",
                expected=expected,
                found=found,
            )
        )


def _in_case(case: UUID, body: Digest) -> Digest:
    return digest_of(case.bytes + body)


def _of(channel: str, case: UUID | None) -> str:
    return f"{case or 'no case'} in {channel}"

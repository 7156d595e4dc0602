"""Words that cross: what a school and the commission write before they know of each other's, and how each pair ends.

Every pair is played three ways: both are on their way at once, the school's comes before the commission decides, or the other way
round. ``docs/crossings.md`` holds the table that ``table`` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from services.commission.domain.outlook import outlook_of as commission_outlook
from services.school.domain.outlook import outlook_of as school_outlook
from services.wire.channels import commission_case, from_commission, to_commission
from services.wire.errors import RefusedError
from services.wire.events import LeavingCause
from tests.procedure.invariants import check_agreement, check_folds, check_written
from tests.procedure.picks import Picks
from tests.procedure.play import Play
from tests.procedure.ways_on import check_ways_on

__all__ = ["COMMISSION_WORDS", "ELSEWHERE", "ORDERS", "SCHOOL_WORDS", "Scene", "end_of", "pairs", "table"]

ELSEWHERE: Final = 5 * 3
"""How an evaluation is picked by which the pupil goes to another school."""

_DIED: Final = list(LeavingCause).index(LeavingCause.DIED) - 1

_ASKED: Final = ("request", "deliver", "register")
_YES: Final = (*_ASKED, "examine", "recommend")
_ANSWERED: Final = (*_YES, "dispatch", "answer", "deliver")
_REFUSED: Final = (*_ASKED, "examine", "refuse", "dispatch", "answer", "deliver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An act by which one side says something to the other, how its form is picked, and how far the case has to be for it.

    ``days`` go by then; ``is_still``: while the school's worker stands still, so that nothing happens by itself. ``after`` are
    acts of its own side that come last, each with how its form is picked. ``pupil`` is of whom the case is.
    """

    act: str
    picks: int = 0
    before: tuple[str, ...] = ()
    after: tuple[tuple[str, int], ...] = ()
    days: int = 0
    is_still: bool = False
    pupil: int = 0


SCHOOL_WORDS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "withdrawal": Word(act="withdraw"),
        "correction": Word(act="correct", picks=2),
        "address change": Word(act="address"),
        "reminder": Word(act="remind", days=40),
        "refusal while waiting": Word(act="decide", after=(("screen", ELSEWHERE),)),
        "pupil left": Word(act="leave"),
        "pupil died": Word(act="leave", picks=_DIED),
        "pupil came of age": Word(act="came-of-age", pupil=1, days=46, is_still=True),
        "representative changed": Word(act="change-representative"),
    }
)
COMMISSION_WORDS: Final[Mapping[str, Word]] = MappingProxyType(
    {
        "yes": Word(act="answer", before=_YES),
        "no": Word(act="answer", before=(*_ASKED, "examine", "refuse")),
        "attendance required": Word(act="require-attendance", before=(*_ASKED, "examine none")),
        "not matched": Word(act="not-matched", before=_ASKED),
        "returned": Word(act="return-request", before=_ASKED),
        "closed": Word(act="attendance-lapsed", before=(*_ASKED, "examine none", "require-attendance", "deliver")),
        "corrected answer": Word(act="correct-recommendation", picks=1, before=_ANSWERED),
        "corrected to yes": Word(act="correct-recommendation", picks=1, before=_REFUSED),
        "confirmation ended": Word(act="revoke", before=_ANSWERED),
    }
)

Step = Literal["school decides", "commission decides", "school is heard", "commission is heard"]
_STEPS: Final[tuple[Step, ...]] = ("school decides", "school is heard", "commission decides", "commission is heard")


def _orders() -> Iterator[tuple[Step, ...]]:
    for order in permutations(_STEPS):
        school = order.index("school decides") < order.index("school is heard")
        if school and order.index("commission decides") < order.index("commission is heard"):
            yield order


ORDERS: Final = tuple(_orders())
"""Every order in which two words are written and come in."""


def crosses(order: tuple[Step, ...]) -> bool:
    """Tell whether neither side knew the other's word when it wrote its own."""
    return set(order[:2]) == {"school decides", "commission decides"}


@dataclass(slots=True)
class Scene:
    """A case in which both sides are about to say something; ``refused`` is the rule by which the later word was refused."""

    school_word: Word
    commission_word: Word
    play: Play = field(default_factory=Play)
    case_id: UUID = field(init=False)
    refused: str = ""

    def __post_init__(self) -> None:
        """Come as far as both words need."""
        self.play.world.watch = check_written
        self.case_id = self.play.file(0, self.school_word.pupil, 0)
        self.play.go(self.commission_word.before, self.case_id)
        if self.school_word.is_still:
            self.play.world.today += timedelta(days=self.school_word.days)
        else:
            self.play.world.pass_days(self.school_word.days)
        for act, picks in self.school_word.after:
            self.play.do_at_school(act, self.case_id, Picks(picks))

    @property
    def theirs(self) -> UUID:
        """Return the commission's number of the case."""
        return commission_case(self.case_id, to_commission(self.play.schools[0].school.name))

    @property
    def is_said(self) -> bool:
        """Tell whether a word of the school is on its way."""
        return bool(self.play.world.on_the_way[to_commission(self.play.schools[0].school.name)])

    def step(self, step: Step) -> None:
        """Let one side write its word, or hear the other's."""
        school = self.play.schools[0].school.name
        match step:
            case "school decides":
                self._try(lambda: self.play.do_at_school(self.school_word.act, self.case_id, Picks(self.school_word.picks)))
            case "commission decides":
                picks = Picks(self.commission_word.picks)
                self._try(lambda: self.play.do_at_commission(self.commission_word.act, self.theirs, picks))
            case "school is heard":
                self._hear(to_commission(school))
            case "commission is heard":
                self._hear(from_commission(school))

    def end(self) -> tuple[str, str, str]:
        """Return where both sides stand, and what people are told: flags of the list, and what is missing.

        Both agree, nothing was refused by its reader, and each case has a way on.
        """
        world = self.play.world
        world.settle()
        check_folds(world)
        check_agreement(world)
        check_ways_on(world)
        school, commission = self.play.schools[0].school, world.commission
        ours, theirs = school.case(self.case_id), commission.case(self.theirs)
        kept = [f"the {ours.request.answer.value.lower()} is kept"] if ours.request is not None and ours.request.answer else []
        told = {
            "school": [*kept, *school_outlook(ours, world.today).missing],
            "commission": commission_outlook(theirs, world.today).missing,
        }
        seen = {side: "; ".join(each for each in found if each not in _STANDING) for side, found in told.items()}
        told_to = ". ".join(f"*{side}*: {sentence}" for side, sentence in seen.items() if sentence)
        return ours.state.value, theirs.state.value, told_to

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except RefusedError as refusal:
            self.refused = type(refusal).__name__.removesuffix("Error")

    def _hear(self, channel: str) -> None:
        while self.play.world.on_the_way[channel]:
            self.play.world.deliver(channel)


_STANDING: Final = frozenset(
    {
        "all documents are to be evaluated",
        "the conditions are to be evaluated as of the day of the application",
        "what was issued has not been sent",
        "the school has not been answered",
    }
)
"""What is told in any case that is so far, whatever crossed."""


def pairs() -> Iterator[tuple[str, str]]:
    """Yield every pair that can cross: where the school has nothing to write to the commission, it is none."""
    for said in SCHOOL_WORDS:
        for heard in COMMISSION_WORDS:
            scene = Scene(SCHOOL_WORDS[said], COMMISSION_WORDS[heard])
            scene.step("school decides")
            if not scene.refused and scene.is_said:
                yield said, heard


def end_of(said: str, heard: str, order: tuple[Step, ...]) -> tuple[str, str, str, str]:
    """Return how a pair ends in an order: as ``Scene.end``, and the rule by which the later word was refused, if it was."""
    scene = Scene(SCHOOL_WORDS[said], COMMISSION_WORDS[heard])
    for step in order:
        scene.step(step)
    return *scene.end(), scene.refused


def table() -> str:
    """Return the table of all pairs as Markdown."""
    crossed = next(order for order in ORDERS if crosses(order))
    school_first, commission_first = _STEPS, (*_STEPS[2:], *_STEPS[:2])
    lines = [
        "| school | commission | school ends | commission ends | people see | school's known | commission's known |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for said, heard in pairs():
        ours, theirs, told, _ = end_of(said, heard, crossed)
        later = (_later(end_of(said, heard, order)) for order in (school_first, commission_first))
        lines.append(f"| {' | '.join((said, heard, ours, theirs, told or '-', *later))} |")
    return "\n".join(lines)


def _later(end: tuple[str, str, str, str]) -> str:
    ours, theirs, _, refused = end
    return f"{ours}, {theirs}{f' (refused: {refused})' if refused else ''}"

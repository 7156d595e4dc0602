"""Playing a script: its acts in order, refusals as it writes them, and what must be true after each step.

Decides whether a story goes as it is written. Who really acts, this process or others, is the company's: a rehearsal and the
demonstration differ in nothing else.
Source: docs/rehearsals.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from services.desk.ground import Ground
from services.desk.script import Script, Step, is_in_case, on_day, with_cases
from services.desk.sight import sights
from services.post.office import Office
from services.post.viewing import cases, contents, events
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.errors import ExchangeError

__all__ = ["Company", "NotAsWrittenError", "Outcome", "Played", "Playing"]


class NotAsWrittenError(ExchangeError):
    """What a script says must be true is not; the message names the step, what was expected and what was found."""

    exit_code: ClassVar[int] = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an act: the case of an application, or the rule that refused it (its error's name) and its sentence."""

    case_id: UUID | None = None
    refused: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A step that was played; ``refused`` is the rule that said no, as the script says it has to, ``why`` its sentence."""

    number: int
    day: date
    who: str
    act: str
    case: str
    refused: str | None = None
    why: str = ""

    def __str__(self) -> str:
        said = f" — refused: {self.refused}: {self.why}" if self.refused else ""
        return f"{self.number:>3}. {self.day} {self.who}: {self.act} {self.case}{said}"


class Company(Protocol):
    """Who plays: one exchange, its participants' offices to look into, and the ways to act and to let time pass."""

    @property
    def ground(self) -> Ground:
        """What the log stands on."""
        ...

    @property
    def offices(self) -> Mapping[str, Office]:
        """The offices of the registrar, the commission and the schools, by their names."""
        ...

    @property
    def patience_seconds(self) -> float:
        """How long to wait for what must be true; 0 where ``settle`` leaves nothing undone."""
        ...

    def move(self, at: datetime, where: str) -> None:
        """Put the clock to a time. Raises: ScriptError that begins with ``where`` if that cannot be."""
        ...

    def act(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        """Let a participant act; ``case_id`` is its number of the case, None for a new one; ``form`` is JSON."""
        ...

    def rest(self, names: Collection[str], where: str) -> None:
        """Let these, and nobody else, stand still from now on. Raises: ScriptError that begins with ``where`` if they cannot."""
        ...

    def settle(self) -> None:
        """Return when everybody has done their work who does not stand still."""
        ...


@dataclass(slots=True)
class Playing:
    """One script, played by one company; ``numbers`` is which school and which number each of its cases has."""

    script: Script
    company: Company
    numbers: dict[str, tuple[str, UUID]] = field(default_factory=dict)

    def play(self) -> Iterator[Played]:
        """Play the story and yield each step.

        Raises: NotAsWrittenError at the first thing that is not as the script says; ScriptError for a time that cannot be.
        """
        for number, step in enumerate(self.script.steps, start=1):
            self.company.rest(step.asleep, f"step {number}: asleep:")
            if step.at is not None:
                self.company.move(step.at, f"step {number}: at:")
            day = self.company.offices[step.who].today
            outcome = self._act(step, number, day)
            self.company.settle()
            self._expect(step, number)
            yield Played(
                number=number,
                day=day,
                who=step.who,
                act=step.act,
                case=step.case,
                refused=outcome.refused,
                why=outcome.why,
            )

    def case_id(self, name: str, who: str) -> UUID:
        """Return the number that a participant has for a case of the script.

        Raises: KeyError if it was not filed.
        """
        owner, number = self.numbers[name]
        # What began at the commission has one number; what began at a school has another one at the commission.
        return commission_case(number, to_commission(owner)) if who == COMMISSION != owner else number

    def _act(self, step: Step, number: int, day: date) -> Outcome:
        numbers = {name: self.case_id(name, step.who) for name in self.numbers}
        form = json.dumps(with_cases(on_day(step.form or {}, day), numbers), default=str, ensure_ascii=False).encode()
        outcome = self.company.act(step, self.case_id(step.case, step.who) if is_in_case(step.who, step.act) else None, form)
        if outcome.case_id is not None:
            self.numbers[step.case] = (step.who, outcome.case_id)
        if outcome.refused == step.refused:
            return outcome
        if step.refused is None:
            raise NotAsWrittenError(f"step {number}: {step.who}: {step.act} was refused by {outcome.refused}: {outcome.why}")
        raise _unlike(number, "refused by", step.refused, outcome.refused or "nobody refused it")

    def _expect(self, step: Step, number: int) -> None:
        until = time.monotonic() + self.company.patience_seconds
        while True:
            try:
                return self._check(step, number)
            except NotAsWrittenError:
                if time.monotonic() >= until:
                    raise
            self.company.settle()

    def _check(self, step: Step, number: int) -> None:
        offices = self.company.offices
        for who, state in step.then.states.items():
            case_id = str(self.case_id(step.case, who))
            found = next((line.state for line in cases(offices[who]) if line.case == case_id), "no case")
            if found != state:
                raise _unlike(number, f"the case of {who} is", state, found)
        for who, expected in step.then.events.items():
            there = [line.event for line in events(offices[who], self.case_id(step.case, who))]
            if there != expected:
                raise _unlike(number, f"the events of {who} are", ", ".join(expected), ", ".join(there))
        for who, sayings in step.then.says.items():
            self._check_saying(step, number, who, sayings)
        if step.then.reads or step.then.cannot_read:
            self._check_reading(step, number)

    def _check_saying(self, step: Step, number: int, who: str, sayings: Mapping[str, Mapping[str, Any]]) -> None:
        there = contents(self.company.offices[who], self.case_id(step.case, who))
        for kind, expected in sayings.items():
            newest = next((each for each in reversed(there) if each.event == kind), None)
            if newest is None:
                raise _unlike(number, f"the case of {who} has", kind, "no such event")
            said = {**(newest.facts or {}), **(newest.personal or {})}
            for place, value, found in _different(expected, said, kind):
                raise _unlike(number, f"{place} of {who} is", value, found)

    def _check_reading(self, step: Step, number: int) -> None:
        readers: dict[str, set[str]] = {}
        with self.company.ground.look() as log:
            there = sights(log, self.company.offices)
        for each in there:
            if each.event is not None:
                readers.setdefault(each.event, set()).update(each.facts)
        for who, kinds in step.then.reads.items():
            for kind in kinds:
                if who not in readers.get(kind, set()):
                    raise _unlike(number, f"{who} reads {kind}", "yes", "no")
        for who, kinds in step.then.cannot_read.items():
            for kind in kinds:
                if kind not in readers:
                    raise _unlike(number, f"{kind}, which {who} cannot read, is in the log", "yes", "no")
                if who in readers[kind]:
                    raise _unlike(number, f"{who} reads {kind}", "no", "yes")


def _different(expected: Any, said: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield place, expected and found where something is said otherwise; what is not expected may be said as it likes."""
    if not isinstance(expected, Mapping):
        if _plain(expected) != said:
            yield place, _text(expected), _text(said)
        return
    for name, value in expected.items():
        if not isinstance(said, Mapping) or name not in said:
            yield f"{place}.{name}", _text(value), "nothing"
        else:
            yield from _different(value, said[name], f"{place}.{name}")


def _plain(value: Any) -> Any:
    """Return a value of a script as an event says it: days as YYYY-MM-DD."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _text(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _unlike(number: int, what: str, expected: str, found: str) -> NotAsWrittenError:
    return NotAsWrittenError(f"step {number}: {what}: expected {expected}, found {found}")

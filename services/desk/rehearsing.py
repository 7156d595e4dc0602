"""Rehearsals: a scripted story played through the real services on a throw-away exchange with a clock of its own.

Clerks are trained with it, and scenarios tested. Everything is real but the clock and the processes: the log, the
databases, keys, signatures, workers' steps, and the acts are those of the commands.
Source: docs/rehearsals.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.commission import input as commission_forms
from services.commission.application import Commission
from services.commission.bootstrap import build as build_commission
from services.desk.founding import found_exchange
from services.desk.script import Script, ScriptError, Step
from services.post.cases import open_facts
from services.post.office import Office
from services.post.viewing import cases, events
from services.post.worker import Worker
from services.school import input as school_forms
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.wire.channels import COMMISSION, commission_case, from_commission, record_of, to_commission
from services.wire.entry import Open, decode_entry
from services.wire.errors import ExchangeError, MalformedError, RefusedError

__all__ = ["NotAsWrittenError", "Rehearsal"]

_RIGA: Final = ZoneInfo("Europe/Riga")
_RECEIPT_MILLISECONDS: Final = 2000
_ROUNDS: Final = 50

_COMMISSION_ACTS: Final[Mapping[str, tuple[str, type[Any]]]] = {
    "register": ("register", commission_forms.RegistrationInput),
    "examine": ("examine", commission_forms.ExaminationInput),
    "issue-irp": ("issue_irp", commission_forms.IrpInput),
    "recommend": ("recommend", commission_forms.RecommendationInput),
    "refuse": ("refuse", commission_forms.RefusalInput),
    "dispatch": ("dispatch", commission_forms.DispatchInput),
    "answer": ("answer", commission_forms.AnswerInput),
}
_SCHOOL_FORMS: Final[Mapping[str, Callable[..., Any]]] = {
    "consent": school_forms.read_consent,
    "address": school_forms.read_address,
}


class NotAsWrittenError(ExchangeError):
    """What a script says must be true is not; the message names the step, what was expected and what was found."""

    exit_code: ClassVar[int] = 10


@dataclass(slots=True)
class Rehearsal:
    """One script on one throw-away exchange in ``folder``."""

    script: Script
    folder: Path
    now: int = 0
    schools: dict[str, School] = field(default_factory=dict)
    commission: Commission = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    numbers: dict[str, tuple[str, UUID]] = field(default_factory=dict)

    def play(self) -> Iterator[str]:
        """Play the story and yield a line for each step.

        Raises: NotAsWrittenError at the first thing that is not as the script says; ScriptError for an act that is none.
        """
        self.now = _milliseconds(self.script.begins)
        self._found()
        for number, step in enumerate(self.script.steps, start=1):
            self._move(step.at, number)
            said = self._act(step, number)
            self._settle()
            self._check(step, number)
            yield f"{number:>3}. {self._today()} {step.who}: {step.act} {step.case}{said}"

    def _found(self) -> None:
        list(found_exchange(self.folder, self.script.schools, clock=self._clock))
        for number in self.script.schools:
            name = f"school-{number}"
            self.schools[name] = build_school(self.folder / name / "sarakste.toml", working=True, clock=self._clock)
        self.commission = build_commission(self.folder / COMMISSION / "sarakste.toml", working=True, clock=self._clock)
        offices = [*(school.office for school in self.schools.values()), self.commission.office]
        self.workers = [Worker(office) for office in offices]
        for worker in self.workers:
            worker.start()
        self._settle()

    def _clock(self) -> int:
        return self.now

    def _today(self) -> date:
        return self.commission.office.today

    def _move(self, at: datetime | None, number: int) -> None:
        if at is None:
            return
        then = _milliseconds(at)
        if then < self.now:
            raise ScriptError(f"step {number}: at: lies before the step before it; the clock never goes back")
        self.now = then

    def _act(self, step: Step, number: int) -> str:
        try:
            self._do(step, number)
        except RefusedError as refusal:
            rule = type(refusal).__name__.removesuffix("Error")
            if step.refused is None:
                raise NotAsWrittenError(f"step {number}: {step.who}: {step.act} was refused by {rule}: {refusal}") from refusal
            if rule != step.refused:
                raise _unlike(number, "refused by", step.refused, rule) from refusal
            return f" — refused: {rule}"
        if step.refused is not None:
            raise _unlike(number, "refused by", step.refused, "nobody refused it")
        return ""

    def _do(self, step: Step, number: int) -> None:
        data = json.dumps(step.form or {}, default=str).encode()
        if step.who == COMMISSION:
            if step.act not in _COMMISSION_ACTS:
                raise _no_act(step, number, _COMMISSION_ACTS)
            method, form = _COMMISSION_ACTS[step.act]
            read = commission_forms.read_form(form, data, today=self._today())
            getattr(self.commission, method)(self._number(step, number), read)
            return
        school = self.schools.get(step.who)
        if school is None:
            raise ScriptError(f"step {number}: who: {step.who} is not among the schools of this script")
        if step.act == "file":
            read = school_forms.read_application(data, today=self._today())
            self.numbers[step.case] = (step.who, school.file(read)[0])
        elif step.act == "request":
            school.request(self._number(step, number))
        elif step.act in _SCHOOL_FORMS:
            getattr(school, step.act)(self._number(step, number), _SCHOOL_FORMS[step.act](data, today=self._today()))
        else:
            raise _no_act(step, number, ("file", "request", *_SCHOOL_FORMS))

    def _number(self, step: Step, number: int, who: str | None = None) -> UUID:
        if step.case not in self.numbers:
            raise ScriptError(f"step {number}: case: {step.case} has not been filed yet")
        school, case_id = self.numbers[step.case]
        return commission_case(case_id, to_commission(school)) if (who or step.who) == COMMISSION else case_id

    def _settle(self) -> None:
        for _ in range(_ROUNDS):
            if not sum(worker.step() for worker in self.workers):
                break
        self.now += _RECEIPT_MILLISECONDS
        for worker in self.workers:
            worker.step()

    def _check(self, step: Step, number: int) -> None:
        for who, state in step.then.states.items():
            case_id = str(self._number(step, number, who))
            found = next((line.state for line in cases(self._office(who, number)) if line.case == case_id), "no case")
            if found != state:
                raise _unlike(number, f"the case of {who} is", state, found)
        for who, expected in step.then.events.items():
            there = [line.event for line in events(self._office(who, number), self._number(step, number, who))]
            if there != expected:
                raise _unlike(number, f"the events of {who} are", ", ".join(expected), ", ".join(there))
        if step.then.reads or step.then.cannot_read:
            self._check_reading(step, number)

    def _check_reading(self, step: Step, number: int) -> None:
        readers = self._readers()
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

    def _office(self, who: str, number: int) -> Office:
        if who != COMMISSION and who not in self.schools:
            raise ScriptError(f"step {number}: then: {who} is not among the schools of this script")
        return self.commission.office if who == COMMISSION else self.schools[who].office

    def _readers(self) -> dict[str, set[str]]:
        """Return who can open which type of event, by trying everybody's keys on every sealed entry of the log."""
        offices = {COMMISSION: self.commission.office, **{name: school.office for name, school in self.schools.items()}}
        channels = [record_of(COMMISSION)]
        channels += [each(name) for name in self.schools for each in (to_commission, from_commission, record_of)]
        readers: dict[str, set[str]] = {}
        for channel in channels:
            for record in _all_records(self.commission.office, channel):
                for name, office in offices.items():
                    kind = _type_of(office, record)
                    if kind is not None:
                        readers.setdefault(kind, set()).add(name)
        return readers


def _all_records(office: Office, channel: str) -> Iterator[bytes]:
    position = 0
    while office.channel and (found := office.channel.poll({channel: position}, timeout_seconds=0, limit=500)):
        position = found[-1].position + 1
        yield from (record.value for record in found)


def _type_of(office: Office, record: bytes) -> str | None:
    try:
        entry = decode_entry(record)
    except MalformedError:
        return None
    body = entry.unverified_statement.body
    if isinstance(body, Open) or entry.raw_facts is None:
        return None
    facts = open_facts(office, entry.channel, entry.unverified_statement.event_id, body.facts_key, entry.raw_facts)
    return facts.type if facts else None


def _milliseconds(at: datetime) -> int:
    return int((at if at.tzinfo else at.replace(tzinfo=_RIGA)).timestamp() * 1000)


def _no_act(step: Step, number: int, known: Any) -> ScriptError:
    return ScriptError(f"step {number}: act: {step.who} has no act {step.act}; it has {', '.join(known)}")


def _unlike(number: int, what: str, expected: str, found: str) -> NotAsWrittenError:
    return NotAsWrittenError(f"step {number}: {what}: expected {expected}, found {found}")

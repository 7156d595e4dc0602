"""The script of a rehearsal: what a YAML file may say, and where it is wrong.

Decides about the file alone; playing it is for ``playing``. A wrong file gets line, field and reason.
Source: docs/rehearsals.md.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from services.commission.acts import ACTS as COMMISSION_ACTS
from services.desk.forming import faults_of, form_of
from services.policy.fields import fault
from services.post.acts import Act
from services.post.settings import SchoolSettings
from services.school.acts import EVERY_ACT as SCHOOL_ACTS
from services.school.acts import OWN_ACTS
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import SettingsError

__all__ = ["Script", "ScriptError", "Step", "Then", "acts_of", "begins", "is_in_case", "on_day", "read_script", "with_cases"]

_SIZE_LIMIT_BYTES: Final = 256 * 1024
# A story of 500 steps with whole forms has fewer; aliases of aliases can make a few lines into more than any memory holds.
_VALUE_LIMIT: Final = 100_000
# Further off, certificates would be valid beyond the last year that can be written.
_YEARS: Final = range(1971, 3000)
_FIELD: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_RIGA: Final = ZoneInfo("Europe/Riga")
_CASE: Final = re.compile(r"case ([a-z][a-z0-9_-]{0,39})")
_DAY: Final = re.compile(r"today(?: ([+-]) ([0-9]{1,5}) days?)?")

_Fault = tuple[tuple[int | str, ...], str]

Participant = Annotated[str, StringConstraints(pattern=r"^(commission|school-[0-9]{10})$")]
SchoolName = Annotated[str, StringConstraints(pattern=r"^school-[0-9]{10}$")]
Reader = Annotated[str, StringConstraints(pattern=r"^(commission|registrar|school-[0-9]{10})$")]


def _clock_time(at: datetime) -> datetime:
    if at.year not in _YEARS:
        raise fault("clock_time", f"lies outside the years {_YEARS[0]} to {_YEARS[-1]}; write the right year")
    return at


ClockTime = Annotated[datetime, AfterValidator(_clock_time)]


class ScriptError(SettingsError):
    """A rehearsal's file is wrong; the message has a line for each fault: line, field, reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Then(_Part):
    """What must be true once everybody has done their work after a step; each line names a participant."""

    states: dict[Participant, str] = Field(default_factory=dict, description="The state of the step's case.")
    events: dict[Participant, list[str]] = Field(default_factory=dict, description="The events of the step's case, in order.")
    reads: dict[Reader, list[str]] = Field(default_factory=dict, description="Types of events that it can open.")
    cannot_read: dict[Reader, list[str]] = Field(default_factory=dict, description="Types of events that it cannot open.")
    says: dict[Participant, dict[str, dict[str, Any]]] = Field(
        default_factory=dict,
        description="What the newest event of a type says in the step's case: some of its fields, as far as it opens there.",
    )


class Step(_Part):
    """One act of one participant, with the name and the form of its command; ``case`` is a name of the script's own."""

    at: ClockTime | None = Field(default=None, description="When it happens, in Latvian time; the clock never goes back.")
    who: Participant
    act: str = Field(description="The name of a command of the participant: file, request, decide …; register, answer …")
    case: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    form: dict[str, Any] | None = Field(
        default=None,
        description=(
            "What the command's JSON file holds; a day may be written as today, today + 30 days, today - 1 day,"
            " the number of a case of the script as case NAME."
        ),
    )
    asleep: list[Participant] = Field(
        default_factory=list, description="Whose workers stand still: what they wrote waits, and so does what comes for them."
    )
    refused: str | None = Field(default=None, description="The rule that says no: the name of its error, without Error.")
    then: Then = Then()


class Script(_Part):
    """A story: title, the schools that take part beside the commission, when it begins, and its steps."""

    title: str
    about: str = ""
    begins: ClockTime | None = Field(default=None, description="When the clock starts, in Latvian time; left out, now.")
    schools: Annotated[list[Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]], Field(min_length=1, max_length=10)]
    settings: dict[SchoolName, SchoolSettings] = Field(
        default_factory=dict, description="What a school settles for itself: its table school in sarakste.toml."
    )
    shows: list[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9.]{1,7}$")]] = Field(
        default_factory=list, description="Items of the requirement that the story shows; nobody acts on them."
    )
    steps: Annotated[list[Step], Field(min_length=1, max_length=500)]


def read_script(path: Path) -> Script:
    """Return the script in a YAML file.

    Raises: ScriptError if it cannot be read, is no YAML, or says something that no script can.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > _SIZE_LIMIT_BYTES:
        raise ScriptError(f"{path.name} is larger than 256 KiB")
    tree = _tree(path.name, text)
    faults: list[_Fault]
    try:
        script = Script.model_validate(_plain(tree, path.name, iter(range(_VALUE_LIMIT))))
    except ValidationError as error:
        faults = [(each["loc"], each["msg"]) for each in error.errors(include_input=False, include_url=False)]
    else:
        faults = [*_faults(script), *_timed_faults(script)]
        if not faults:
            return script
    lines = (f"{path.name}: line {_line(tree, at)}: {_name(at)}: {what}" for at, what in faults)
    raise ScriptError("\n".join(lines))


def acts_of(who: str) -> tuple[str, ...]:
    """Return the names of the acts that a participant has."""
    return tuple(_table(who))


def begins(who: str, act: str) -> bool:
    """Tell whether an act of a participant makes a case, and does not act in one."""
    return _table(who)[act].begins


def is_in_case(who: str, act: str) -> bool:
    """Tell whether an act of a participant is one in a case: it neither begins one nor belongs to none."""
    return not begins(who, act) and (who == COMMISSION or act not in OWN_ACTS)


def on_day(form: Any, today: date) -> Any:
    """Return a form with every ``today``, ``today + 30 days`` and ``today - 1 day`` as the day that it means."""
    if isinstance(form, dict):
        return {name: on_day(value, today) for name, value in form.items()}
    if isinstance(form, list):
        return [on_day(each, today) for each in form]
    found = _DAY.fullmatch(form) if isinstance(form, str) else None
    if found is None:
        return form
    return (today + timedelta(days=int(f"{found[1] or ''}{found[2] or 0}"))).isoformat()


def with_cases(form: Any, numbers: Mapping[str, UUID]) -> Any:
    """Return a form with every ``case anna`` as the number of the case that the script calls so. Raises: KeyError."""
    if isinstance(form, dict):
        return {name: with_cases(value, numbers) for name, value in form.items()}
    if isinstance(form, list):
        return [with_cases(each, numbers) for each in form]
    found = _CASE.fullmatch(form) if isinstance(form, str) else None
    return form if found is None else str(numbers[found[1]])


def _table(who: str) -> Mapping[str, Act]:
    return COMMISSION_ACTS if who == COMMISSION else SCHOOL_ACTS


def _tree(name: str, data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScriptError(f"{name}: line {line}: the file: is no text in UTF-8; save it as UTF-8") from None
    try:
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        # The library's own sentence repeats both values.
        raise ScriptError(f"{name}: line {error.problem_mark.line + 1}: the file: names a field twice; keep one") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError(f"{name}: line {line}: the file: {error.problem}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScriptError(f"{name}: line {line}: the file: holds a character that no text has; remove it") from None
    except Exception as error:  # whatever else a parser says of what somebody wrote
        raise ScriptError(f"{name}: line 1: the file: is no YAML") from error
    if tree is None:
        raise ScriptError(f"{name}: line 1: the file: is empty; write title, schools and steps")
    return tree


def _name(at: tuple[int | str, ...]) -> str:
    """Return the name of a field as people count: the first step is steps.1, as in every other message."""
    # Only what looks like a field's name is repeated: a pasted name or code may stand where a field's name should.
    parts = (str(part + 1) if isinstance(part, int) else part if _FIELD.fullmatch(part) else "(unknown field)" for part in at)
    return ".".join(parts) or "the file"


def _faults(script: Script) -> Iterator[_Fault]:
    """Yield what no exchange could play: somebody who is not there, an act that is none, a case that nobody filed."""
    here = {COMMISSION, REGISTRAR, *(f"school-{number}" for number in script.schools)}
    yield from _strangers(script, here)
    filed: dict[str, str] = {}
    for number, step in enumerate(script.steps):
        at = ("steps", number)
        if step.who not in here:
            yield (*at, "who"), f"{step.who} is not among the schools of this script"
        elif step.act not in acts_of(step.who):
            yield (*at, "act"), f"{step.who} has no act {step.act}; it has {', '.join(acts_of(step.who))}"
        elif (wrong := _case_fault(step, filed)) is not None:
            yield (*at, "case"), wrong
        elif begins(step.who, step.act) and step.refused is None:
            filed[step.case] = step.who


def _strangers(script: Script, here: Container[str]) -> Iterator[_Fault]:
    """Yield whoever is named beside an act and is not there, and schools that are named twice."""
    for number, school in enumerate(script.schools):
        if school in script.schools[:number]:
            yield ("schools", number), "is named already; name each school once"
    named: list[tuple[tuple[int | str, ...], str]] = [(("settings", who), who) for who in script.settings]
    for number, step in enumerate(script.steps):
        at = ("steps", number)
        named += (((*at, "asleep", place), who) for place, who in enumerate(step.asleep))
        for name in ("states", "events", "reads", "cannot_read", "says"):
            named += (((*at, "then", name, who), who) for who in getattr(step.then, name))
    for place, who in named:
        if who not in here:
            yield place, f"{who} is not among the schools of this script"


def _case_fault(step: Step, filed: Mapping[str, str]) -> str | None:
    # What belongs to no case is done under whatever name.
    if not begins(step.who, step.act) and not is_in_case(step.who, step.act):
        return None
    if step.who != COMMISSION and filed.get(step.case) == COMMISSION:
        return f"{step.case} began at the commission; no school has a part in it"
    if begins(step.who, step.act) != (step.case in filed):
        return None
    return f"{step.case} has been filed already" if step.case in filed else f"{step.case} has not been filed yet"


def _timed_faults(script: Script) -> Iterator[_Fault]:
    """Yield what is wrong by the clock of the story: a step before the step before it, and forms, each read on its day."""
    now = _moment(script.begins or datetime.now(_RIGA))
    for number, step in enumerate(script.steps):
        at = ("steps", number)
        if step.at is not None and _moment(step.at) < now:
            yield (*at, "at"), "lies before the step before it; the clock never goes back"
        elif step.at is not None:
            now = _moment(step.at)
        for place, what in _form_faults(step, now.date()):
            yield (*at, "form", *place), what


def _form_faults(step: Step, day: date) -> Iterator[_Fault]:
    # A form that is to be refused as a form is left to the playing, and an act that is none has been told already.
    if step.act not in acts_of(step.who) or step.refused == "FormRefused":
        return
    if (step.form is None) != (form_of(step.who, step.act) is None):
        yield (), f"{step.act} takes no form; leave it out" if step.form is not None else f"is missing; {step.act} takes one"
    elif step.form is not None:
        # Which number a case will have is not known yet; that it is filed before is told by its own complaint.
        numbered = with_cases(on_day(step.form, day), defaultdict(lambda: UUID(int=0)))
        form = json.dumps(numbered, default=str, ensure_ascii=False).encode()
        yield from faults_of(step.who, step.act, form, today=day)


def _moment(at: datetime) -> datetime:
    return at.astimezone(_RIGA) if at.tzinfo else at.replace(tzinfo=_RIGA)


def _plain(node: Any, name: str, budget: Iterator[int]) -> Any:
    """Return a tree without the parser's types and with every alias written out, as long as the budget lasts."""
    if next(budget, None) is None:
        raise ScriptError(f"{name}: line 1: the file: says more than {_VALUE_LIMIT} values by its aliases; write them out")
    if isinstance(node, dict):
        return {str(key): _plain(value, name, budget) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(each, name, budget) for each in node]
    return node


def _line(tree: Any, location: tuple[int | str, ...]) -> int:
    """Return the line of the deepest part of the file that a complaint is about."""
    node: Any = tree
    line = 1
    for part in location:
        try:
            line = _place(node, part) + 1
            node = node[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


def _place(node: Any, part: int | str) -> int:
    line: int = (node.lc.item(part) if isinstance(part, int) else node.lc.key(part))[0]
    return line

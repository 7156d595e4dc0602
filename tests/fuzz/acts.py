"""Every act of both sides, by the tables of acts: a byte that names the act, one that names how far cases have come, and JSON.

The form of each row is read, and what it says is decided in a case of that moment; what is decided is encoded. So a row that is
added is fuzzed by itself: a form for it is filled in by whoever adds it to the histories of ``tests/procedure``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from typing import Any, Final
from uuid import UUID

from services.commission import acts as commission_acts
from services.commission import input as commission_input
from services.commission.domain.case import CommissionCase
from services.commission.domain.decisions import register_direct
from services.commission.domain.outlook import outlook_of as commission_outlook
from services.policy.forms import Form
from services.policy.rules import rules_on
from services.post.acts import Act
from services.post.history import New
from services.school import acts as school_acts
from services.school import input as school_input
from services.school.domain.decisions import file_application
from services.school.domain.outlook import outlook_of as school_outlook
from services.school.domain.reports import describe_school, report_money
from services.wire.channels import to_commission
from services.wire.errors import RefusedError
from services.wire.records import encode_event
from tests.fuzz.events import BOOK
from tests.fuzz.json_mutator import changed_json
from tests.fuzz.target import Raw, Target, require
from tests.procedure.commission_desk import COMMISSION_ACTS, CommissionDesk
from tests.procedure.commission_forms import COMMISSION_FORMS, direct_application
from tests.procedure.people import HOMES, MEDICAL, PUPILS
from tests.procedure.picks import Picks
from tests.procedure.play import ROADS, Play
from tests.procedure.school_desk import SCHOOL_ACTS, SchoolDesk
from tests.procedure.school_forms import SCHOOL_FORMS, application, description

__all__ = ["ACTS", "ROWS", "decided", "form_of"]

_SCHOOL, _COMMISSION = "school", "commission"
ROWS: Final[tuple[tuple[str, str, Act], ...]] = tuple(
    (side, name, act)
    for side, table in ((_SCHOOL, school_acts.EVERY_ACT), (_COMMISSION, commission_acts.ACTS))
    for name, act in table.items()
    if act.form is not None
)
"""Each act of both sides that takes a form."""

_REFUSED: Final = ROADS[1]
_ROADS: Final = (
    (*ROADS[0], "suspend"),
    (*_REFUSED, "set-aside"),
    (*_REFUSED[:6], "dispatch", "contest at the commission", "set-aside at the commission"),
    *ROADS[2:],
)
_NO_FIELD: Final = re.compile(r"^[a-z_.0-9]+(?=: is not a field of this form)", re.MULTILINE)
_TYPED: Final = (MEDICAL, *HOMES, *(word for pupil in PUPILS for word in (*pupil.name, *pupil.codes, *pupil.represented_by[0])))
_SOME_MOMENTS: Final = 4
_SOME_FILLINGS: Final = (0, 1, 7, 1023)
_DAYS: Final = ("2026-08-17", "2026-08-18", "2027-02-29", "1899-12-31", "9999-12-31", "2026-08-17T00:00:00", "2012-07-31")
_STRANGE: Final = ("", " ", "é", "\u200b", "\x1f", "a" * 10_001, "32000000044", "030218-29015", "LV-1099", 40, 41, -1, 1e308)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A pupil's case at the school and, if it was asked by then, at the commission, as far as they have come."""

    play: Play
    at_school: UUID
    at_commission: UUID | None

    @property
    def today(self) -> date:
        return self.play.world.today

    def offered(self, side: str) -> frozenset[str]:
        """Return what the outlook offers."""
        if side == _SCHOOL:
            outlook = school_outlook(self.school.school.case(self.at_school), self.today)
        elif self.at_commission is not None:
            outlook = commission_outlook(self.play.world.commission.case(self.at_commission), self.today)
        else:
            return frozenset()
        return frozenset(each.act for each in outlook.allowed)

    @property
    def school(self) -> SchoolDesk:
        return self.play.schools[0]

    @property
    def commission(self) -> CommissionDesk:
        return self.play.commission


@cache
def _moments() -> tuple[_Moment, ...]:
    """Return each road after each of its steps; on every second one the pupil has applied twice."""
    return tuple(_moment(road[:steps], steps) for road in _ROADS for steps in range(len(road) + 1))


def _moment(steps: Sequence[str], number: int) -> _Moment:
    play = Play()
    case_id = play.file(0, 0, 0)
    if number % 2:
        play.file(0, 0, 0)
    for step in steps:
        act, _, at_commission = step.partition(" at the ")
        if at_commission:
            play.do_at_commission(act, _theirs(play, case_id), Picks())
        else:
            play.go((step,), case_id)
    play.world.settle()
    theirs = _theirs(play, case_id)
    return _Moment(play, case_id, theirs if theirs in play.world.commission.cases else None)


def _theirs(play: Play, case_id: UUID) -> UUID:
    found: UUID = play.world.commission.domain.case_of(case_id, channel=to_commission(play.schools[0].school.name))
    return found


def form_of(side: str, act: Act) -> type[Form]:
    """Return the class of an act's form."""
    found: type[Form] = getattr(school_input if side == _SCHOOL else commission_input, str(act.form))
    return found


def _filled_in(side: str, name: str, moment: _Moment, picks: Picks) -> Form | None:
    """Return the form as somebody would fill it in then; None for what only a look at a register or at others gives."""
    beginnings: dict[str, Callable[[], Any]] = {
        "file": lambda: application(PUPILS[0], moment.today, picks),
        "describe": lambda: description(moment.today),
        "register-direct": lambda: direct_application(PUPILS[1], moment.today, picks),
        "report-money": lambda: school_input.MoneyForm.model_validate(_MONEY),
        "look-up": lambda: commission_input.LookUpInput(examined_on=moment.today),
        "link": commission_input.LinkInput,
    }
    if name in beginnings:
        return beginnings[name]()  # type: ignore[no-any-return]  # a form
    if side == _SCHOOL:
        return SCHOOL_FORMS[name](moment.play.occasion(moment.school, moment.at_school), picks)  # type: ignore[no-any-return]  # as above
    if moment.at_commission is None:
        return None
    case = moment.play.world.commission.case(moment.at_commission)
    return COMMISSION_FORMS[name](case, moment.today, picks)  # type: ignore[no-any-return]  # as above


_MONEY: Final = {"month": date(2026, 7, 1), "opening_cents": 0, "received_cents": 10_000, "used_cents": 9_000}


def _seeds() -> list[bytes]:
    seeds = []
    for row, (side, name, _) in enumerate(ROWS):
        offered = [at for at, moment in enumerate(_moments()) if name in moment.offered(side)]
        # Where it is offered at none of these moments, its form is all that is fuzzed.
        for at in offered[:_SOME_MOMENTS] or [len(_moments()) - 1]:
            for filling in _SOME_FILLINGS:
                form = _filled_in(side, name, _moments()[at], Picks(filling))
                if form is not None:
                    seeds.append(bytes([row, at]) + form.model_dump_json(exclude_none=True).encode())
    return list(dict.fromkeys(seeds))


def _check(data: bytes) -> bool:
    if len(data) < 2:  # the two bytes before the form
        return False
    side, name, act = ROWS[data[0] % len(ROWS)]
    moment = _moments()[data[1] % len(_moments())]
    read = school_input.read_form if side == _SCHOOL else commission_input.read_form
    try:
        form = read(form_of(side, act), data[2:], today=moment.today)
    except RefusedError as error:
        return _told(error)
    require(read(form_of(side, act), form.model_dump_json().encode(), today=moment.today) == form, "a form is read as another")
    try:
        news = decided(side, name, moment, form)
    except RefusedError as error:
        return _told(error)
    for new in news:
        encoded = encode_event(new.facts, new.personal)
        require(BOOK.facts(encoded.type, encoded.schema, encoded.facts) == new.facts, "facts are read as others")
        if new.personal is not None:
            require(BOOK.personal(encoded.type, encoded.schema, encoded.personal) == new.personal, "a person is read as another")
    return True


def decided(side: str, name: str, moment: _Moment, form: Any) -> Sequence[New]:
    """Return what an act makes at a moment, saving nothing. Raises: the rule that refuses it."""
    own = moment.school.school.own
    beginnings: dict[str, Callable[[], Sequence[New]]] = {
        "file": lambda: file_application(form, pupil=1, rules=rules_on(form.received_on)),
        "describe": lambda: describe_school(own, form),
        "report-money": lambda: report_money(own, form),
        "register-direct": lambda: register_direct(CommissionCase(), form),
        # What the register of files says is an examination, and there is no register here.
        "look-up": lambda: (),
    }
    if name in beginnings:
        return beginnings[name]()
    if side == _SCHOOL:
        if name == "link-duplicate" and form.primary not in moment.school.school.cases:
            return ()
        school_case = moment.school.school.case(moment.at_school)
        return SCHOOL_ACTS[name](moment.school, moment.at_school, school_case, form)
    if moment.at_commission is None:
        return ()
    case = moment.play.world.commission.case(moment.at_commission)
    return COMMISSION_ACTS[name](moment.commission, moment.at_commission, case, form)


def _told(error: RefusedError) -> bool:
    """Return False, if what is told names nobody and commands no terminal."""
    # A field that no form has is named, so that it can be mended: small letters, whatever word they make.
    said = _NO_FIELD.sub("", str(error))
    require(not any(each in said for each in _TYPED), "a complaint repeats what was typed")
    require(all(line.isprintable() for line in str(error).splitlines()), "a complaint tells what a terminal would obey")
    return False


@cache
def _words() -> tuple[Any, ...]:
    """Return every field and symbol that any form knows, and what is strange to all of them."""
    found = {word for side, _, act in ROWS for word in _in_schema(form_of(side, act).model_json_schema())}
    return (*sorted(found), *_DAYS, *_STRANGE)


def _in_schema(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", ())
        yield from (each for each in node.get("enum", ()) if isinstance(each, str))
        for part in node.values():
            yield from _in_schema(part)
    elif isinstance(node, list):
        for part in node:
            yield from _in_schema(part)


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    chance = rng.random()
    if chance < 0.1:  # now and then whatever comes
        return raw(data, len(data) + 64)
    if chance < 0.3:  # the same form when the case has come further, or not so far
        return data[:1] + bytes([rng.randrange(len(_moments()))]) + data[2:]
    return data[:2] + changed_json(data[2:], _words(), rng, raw)


ACTS: Final = Target(
    name="acts",
    about="every act of both sides, read and decided",
    seeds=_seeds,
    check=_check,
    mutate=_mutate,
    limit_bytes=24 * 1024,
)

"""Delivery changes nothing: whatever comes in which batch, how often, in which order, over which restarts."""

from __future__ import annotations

import random
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.commission.application import Commission
from services.commission.input import IrpInput, RefusalInput
from services.post.cases import history_of
from services.post.office import Office
from services.post.rows import row_of
from services.wire.channels import COMMISSION
from services.wire.events import RefusalGround
from services.wire.hashing import Digest
from tests.chains import ROOT, SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.people import another_pupil
from tests.shaken import ShakenExchange, shaken_sides
from tests.verifying import verified

Life = dict[tuple[str, UUID, int], tuple[Any, ...]]
"""What people saw of a case, by participant, case and number of events."""


def lived(exchange: Exchange) -> list[tuple[UUID, UUID]]:
    """Play three cases: a yes, a no, and one with a plan in which an answer is refused first; return their numbers."""
    plan = {"variant": "B2", "states_irp": False, "attachments": []}
    pupils = (another_pupil(number) for number in (1, 2, 3))
    cases = [asked(exchange, pupil=pupil, **form) for pupil, form in zip(pupils, ({}, {}, plan), strict=True)]
    clerk, today = Commission(exchange.members[COMMISSION].office), exchange.members[COMMISSION].office.today
    for _, theirs in cases:
        examined(exchange, theirs)
    exchange.settle()
    recommended(exchange, cases[0][1])
    answered(exchange, cases[0][1])
    clerk = Commission(exchange.members[COMMISSION].office)
    clerk.refuse(cases[1][1], RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Iemesls"))
    answered(exchange, cases[1][1])
    rogue_answer(exchange, cases[2][1], Digest(bytes(32)))
    exchange.settle()
    clerk = Commission(exchange.members[COMMISSION].office)
    clerk.issue_irp(cases[2][1], IrpInput(number="P-1", text="Plāns", issued_on=today, indicates_need=True))
    recommended(exchange, cases[2][1])
    for _ in range(3):
        exchange.settle()
    return cases


def seen(exchange: Exchange, cases: list[tuple[UUID, UUID]]) -> dict[str, Any]:
    """Return all cases of both sides, with a name for each event in place of its digest."""
    streams = {
        f"{name} {number}": (member.office, member.office.store.stream(case[side]))
        for side, (name, member) in enumerate(exchange.members.items())
        for number, case in enumerate(cases)
    }
    names: dict[bytes, str] = {}
    told: dict[str, Any] = {}
    for name, (office, stream) in streams.items():
        history = history_of(office, stream)
        for number, each in enumerate(history):
            names.setdefault(each.body, f"{name}/{number}")
        row = office.database.one("SELECT state, variant, opened_on, due_on, version FROM cases WHERE case_id = ?", stream.id.hex)
        told[name] = [tuple(row) if row else None, [asdict(each) | {"type": each.type} for each in history]]
    return {name: [row, [named(each, names) for each in history]] for name, (row, history) in told.items()}


def named(value: Any, names: dict[bytes, str]) -> Any:
    if isinstance(value, dict):
        return {name: named(each, names) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [named(each, names) for each in value]
    return names.get(value, "none of these cases") if isinstance(value, bytes) else value


@cache
def plain() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        exchange = two_sides(Path(folder))
        return seen(exchange, lived(exchange))


@pytest.mark.shows("D5.5", "I8")
@settings(max_examples=7, deadline=None)
@given(st.integers(0, 2**32))
def test_any_batching_repeat_order_junk_and_restart_gives_the_same_cases(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        exchange = shaken_sides(Path(folder), random.Random(seed))  # noqa: S311  # an order, no secret
        assert seen(exchange, lived(exchange)) == plain()
        assert verified(exchange.log, ROOT).findings == []


class WatchedExchange(ShakenExchange):
    """A shaken exchange that remembers what people saw after each of its steps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.life: Life = {}

    def settle(self, *, seconds: int = 2) -> None:
        self.watch()
        super().settle(seconds=seconds)
        self.watch()

    def watch(self) -> None:
        for name, member in self.members.items():
            for row in member.office.database.all("SELECT * FROM cases"):
                self.life[name, UUID(row["case_id"]), row["version"]] = tuple(
                    row[each] for each in ("state", "variant", "opened_on", "due_on")
                )


def replayed(office: Office, case_id: UUID, version: int) -> tuple[Any, ...]:
    history = history_of(office, office.store.stream(case_id))[:version]
    row = row_of(office, history)
    days = (each.isoformat() if each else None for each in (row.opened_on, row.due_on))
    return (row.state, row.variant, *days)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_replaying_a_case_to_any_of_its_events_shows_what_was_seen_then(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rng = random.Random(seed)  # noqa: S311  # an order, no secret
        exchange = WatchedExchange(Path(folder), rng=rng)
        exchange.begin()
        cases = lived(exchange)
        assert {case for _, case, _ in exchange.life} == {each for case in cases for each in case}
        assert len(exchange.life) > 3 * len(cases)
        for (name, case_id, version), then in exchange.life.items():
            office = exchange.members[name].office
            # One that rests on another is seen with that one as it stands now (docs/adr/0027).
            is_linked = any(event.topic == "AssessmentLinked" for event in office.store.stream(case_id).events)
            if not is_linked or version == office.store.version(case_id):
                assert replayed(office, case_id, version) == then, (name, version)


def test_the_school_and_the_commission_are_the_two_sides() -> None:
    assert {name.partition(" ")[0] for name in plain()} == {SCHOOL, COMMISSION}

"""A history of the procedure as an auditor reads it: every event of both sides, as the events of a log are given."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.audit.event import Event, Standing
from services.audit.opening import Opening
from services.post.history import New, Recorded
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.events import MoneyReported
from tests.procedure.houses import SCHOOLS, House, World
from tests.procedure.picks import PICKS
from tests.procedure.play import ROADS, Play

__all__ = ["lived"]

_SLOWLY: Final = 0.2
_SERVED: Final = ("report-hours", "amend", "report-hours")
_ASIDE: Final = (
    _SERVED,
    _SERVED,
    (*_SERVED, "end-service"),
    (),
    ("withdraw", "deliver"),
    ("return-request", "deliver"),
    ("link-duplicate",),
    ("close",),
    ("deliver",),
)


def lived(seed: int, *, applications: int = 4, acts: int = 40) -> list[Event]:
    """Live a history at random, and return its events in the order in which they were written; refused ones do not count."""
    rng, play, found = random.Random(seed), Play(), list[Event]()  # noqa: S311  # the same history in every run

    def note(world: World, house: House, case_id: UUID | None, event: Recorded) -> None:
        found.append(_event(world, house, case_id, event, len(found) + 1))

    for school in play.world.schools.values():
        for described in school.own:
            note(play.world, school, None, described)
    play.world.watch = note
    for _ in range(applications):
        # Mostly the most ordinary form, with which most is possible; what is unusual comes with the acts below.
        case = play.file(rng.randrange(2), rng.randrange(2), rng.choice((0, 0, rng.randrange(PICKS))))
        road = ROADS[rng.randrange(len(ROADS))]
        far = rng.choice((len(road), rng.randrange(len(road) + 1)))
        for step in (*road[:far], *_ASIDE[rng.randrange(len(_ASIDE))]):
            play.go((step,), case)
            if rng.random() < _SLOWLY:
                play.pass_days(rng.randrange(PICKS))
    often = (play.at_school, play.at_commission)
    steps: tuple[Callable[[int], None], ...] = (*often, *often, play.deliver, play.pass_days, play.file_again, play.step_back)
    for _ in range(acts):
        rng.choice(steps)(rng.randrange(PICKS))
        if rng.random() < _SLOWLY:
            _report_money(rng, play.world)
    refused = {event.body for _, event in play.world.refused}
    return [each._replace(standing=Standing.REFUSED) if each.body in refused else each for each in found]


def _report_money(rng: random.Random, world: World) -> None:
    school, month = world.schools[rng.choice(SCHOOLS)], world.today.replace(day=1)
    opening, received, used = (rng.randrange(10_000) for _ in range(3))
    money = MoneyReported(month=month, opening_cents=opening, received_cents=received, used_cents=used)
    world.save(school, None, (New(facts=money),))


def _event(world: World, house: House, case_id: UUID | None, event: Recorded, number: int) -> Event:
    common = case_id if case_id is None or house.name == COMMISSION else commission_case(case_id, to_commission(house.name))
    written_at = int(datetime(world.today.year, world.today.month, world.today.day, 10, tzinfo=UTC).timestamp()) * 1000 + number
    return Event(
        channel=event.channel,
        epoch=0,
        sequence=number,
        digest=event.body,
        body=event.body,
        written_at=written_at,
        standing=Standing.TAKEN,
        opening=Opening.OPENED,
        type=event.type,
        case_id=case_id,
        common_case=common,
        after=event.after,
        in_reply_to=event.in_reply_to,
        recorded_on=event.recorded_on,
        facts=event.facts,
    )

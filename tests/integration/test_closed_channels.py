"""One channel of the log takes or gives nothing: it waits, a person is told, and no other channel waits with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from services.channel.port import Channel, Record, Until
from services.school.application import School
from services.wire.channels import COMMISSION, commission_case, from_commission, mailbox_of, record_of, to_commission
from services.wire.errors import ChannelClosedError, ChannelForbiddenError, ChannelMissingError, ChannelUnavailableError
from tests.chains import SCHOOL
from tests.exchange import Exchange, Member
from tests.integration.test_two_sides import asked
from tests.people import another_pupil, application_form
from tests.troubles import clean, closed_restart, records, settled

PAUSE = 31_000


@dataclass
class Doors:
    """A log some of whose channels are closed, as a broker's are where a topic or a right is missing."""

    log: Channel
    closed: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        self.tried.append(channel)
        if channel in self.closed:
            raise ChannelForbiddenError(f"{channel} may not be written")
        self.log.append(channel, values)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        there = {channel: position for channel, position in positions.items() if channel not in self.closed}
        if len(positions) == 1 and not there:
            raise ChannelMissingError(f"there is no {next(iter(positions))}")
        return self.log.poll(there, timeout_seconds=timeout_seconds, limit=limit, until=until) if there else []

    def end(self, channel: str) -> int:
        if channel in self.closed:
            raise ChannelMissingError(f"there is no {channel}")
        return self.log.end(channel)

    def close(self) -> None:
        self.log.close()


def doors(member: Member, *closed: str) -> Doors:
    assert member.office.channel is not None
    member.office.channel = found = Doors(member.office.channel, set(closed))
    return found


def at_commission(exchange: Exchange, case: UUID) -> str:
    return exchange.members[COMMISSION].state(commission_case(case, to_commission(SCHOOL)))


def later(exchange: Exchange) -> None:
    exchange.clock.now += PAUSE
    settled(exchange)


def test_a_closed_record_holds_no_request_and_goes_on_where_it_stopped(exchange: Exchange) -> None:
    school, mine = exchange.members[SCHOOL], record_of(SCHOOL)
    before = len(records(exchange, mine))
    way = doors(school, mine)
    case, _ = asked(exchange)
    assert at_commission(exchange, case) == "Received"
    assert len(records(exchange, mine)) == before
    assert f"{mine} may not be written" in school.alarms
    way.closed.clear()
    later(exchange)
    assert len(records(exchange, mine)) > before
    clean(exchange)


def test_what_waits_for_a_closed_channel_fills_no_batch_of_the_others(exchange: Exchange) -> None:
    school = exchange.members[SCHOOL]
    doors(school, record_of(SCHOOL))
    desk = School(school.office)
    for number in range(80):
        desk.file(application_form(pupil=another_pupil(number)))
    settled(exchange)
    waiting = school.office.letterbook.unsent(1000)
    assert len(waiting) > 200
    assert {row["channel"] for row in waiting} == {record_of(SCHOOL)}
    case, _ = asked(exchange, pupil=another_pupil(99))
    assert at_commission(exchange, case) == "Received"


def test_a_closed_channel_is_tried_again_after_a_while_and_not_at_each_step(exchange: Exchange) -> None:
    school, mine = exchange.members[SCHOOL], record_of(SCHOOL)
    way = doors(school, mine)
    asked(exchange)
    for _ in range(10):
        school.work()
    assert way.tried.count(mine) == 1
    later(exchange)
    assert way.tried.count(mine) == 2


def test_a_closed_mailbox_holds_no_entry_and_its_owner_asks_for_the_key(exchange: Exchange) -> None:
    way = doors(exchange.members[SCHOOL], mailbox_of(COMMISSION))
    case, _ = asked(exchange)
    # It is there and cannot be opened yet.
    assert at_commission(exchange, case) == ""
    assert exchange.members[COMMISSION].held("parked") == ["the facts key is missing"]
    way.closed.clear()
    for _ in range(5):
        exchange.clock.now += 3_700_000
        settled(exchange)
    assert at_commission(exchange, case) == "Received"
    clean(exchange)


def test_what_cannot_be_read_holds_nothing_else_that_is_read(exchange: Exchange) -> None:
    commission = exchange.members[COMMISSION]
    way = doors(commission, to_commission(SCHOOL))
    case, _ = asked(exchange)
    assert at_commission(exchange, case) == ""
    # Hourly looks at what was read before do not stumble over it either.
    exchange.clock.now += 3_700_000
    settled(exchange)
    assert not [alarm for alarm in commission.alarms if "does not show any more" in alarm]
    way.closed.clear()
    later(exchange)
    assert at_commission(exchange, case) == "Received"
    clean(exchange)


def test_a_start_does_not_take_the_silence_of_its_own_channel_for_its_end(exchange: Exchange) -> None:
    """It would give places away that are taken, if it had lost its database too."""
    asked(exchange)
    settled(exchange)
    member = closed_restart(exchange, SCHOOL)
    way = doors(member, to_commission(SCHOOL))
    with pytest.raises(ChannelClosedError):
        member.worker.start()
    way.closed.clear()
    assert member.worker.start()
    asked(exchange, pupil=another_pupil(3))
    clean(exchange)


def test_an_own_channel_that_cannot_be_looked_at_holds_no_other(exchange: Exchange) -> None:
    commission = exchange.members[COMMISSION]
    doors(commission, from_commission(SCHOOL))
    exchange.clock.now += 3_700_000
    settled(exchange)
    assert f"there is no {from_commission(SCHOOL)}" in commission.alarms
    case, _ = asked(exchange, pupil=another_pupil(5))
    assert at_commission(exchange, case) == "Received"


class Narrow(Doors):
    """A log over a way through which so many bytes fit and then nothing."""

    left: int = 0

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        size = sum(map(len, values))
        if size > self.left:
            raise ChannelUnavailableError("no broker answered in time")
        self.left -= size
        self.log.append(channel, values)


def test_what_waits_goes_through_a_narrow_way_piece_by_piece_and_none_of_it_again(exchange: Exchange) -> None:
    member, channel = exchange.members[SCHOOL], record_of(SCHOOL)
    clerk = School(member.office)
    before = len(records(exchange, channel))
    for number in range(2, 102):
        clerk.file(application_form(pupil=another_pupil(number)))
    assert member.office.channel is not None
    member.office.channel = way = Narrow(member.office.channel)
    # Less fits through in the time of a step than is sent at once.
    fits = 270_000
    for number in range(10):
        # All of it is signed before anything can be sent.
        way.left = fits if number > 4 else 0
        with suppress(ChannelUnavailableError):
            member.work()
    sent = records(exchange, channel)
    assert sum(map(len, sent)) * 200 // len(sent) > fits
    assert len(sent) == len(set(sent)) == before + 300
    clean(exchange)


@dataclass
class OneAway(Doors):
    """A log one of whose brokers this client cannot reach: with others its channels are left out, and alone nobody answers."""

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        if channel in self.closed:
            raise ChannelUnavailableError("no broker answers")
        self.log.append(channel, values)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        if positions and self.closed >= positions.keys():
            raise ChannelUnavailableError("no broker answers")
        return super().poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)

    def end(self, channel: str) -> int:
        if channel in self.closed:
            raise ChannelUnavailableError("no broker answers")
        return self.log.end(channel)


def test_letters_for_what_is_not_taken_go_out_once_however_often_it_is_tried(exchange: Exchange) -> None:
    school = exchange.members[SCHOOL]
    way = school.office.channel = OneAway(exchange.log, {to_commission(SCHOOL), record_of(SCHOOL)})
    desk, before = School(school.office), exchange.log.end(mailbox_of(COMMISSION))
    case, _ = desk.file(application_form())
    desk.request(case)
    for _ in range(10):
        with suppress(ChannelUnavailableError):
            school.work()
    # One with the key to the facts of the year, one with that of the case.
    assert exchange.log.end(mailbox_of(COMMISSION)) - before == 2
    way.closed.clear()
    later(exchange)
    assert at_commission(exchange, case) == "Received"
    clean(exchange)


def test_what_only_a_broker_has_that_is_out_of_reach_holds_nothing_else_that_is_read(exchange: Exchange) -> None:
    commission = exchange.members[COMMISSION]
    settled(exchange)
    commission.office.channel = OneAway(exchange.log, {to_commission(SCHOOL)})
    for _ in range(2):
        exchange.clock.now += 3_700_000
        while commission.receiver.receive_once():
            pass
    assert not [alarm for alarm in commission.alarms if "does not show any more" in alarm]

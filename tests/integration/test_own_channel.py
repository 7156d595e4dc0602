"""My own channel, read back while I write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.channel.port import Record
from services.post.worker import Worker
from services.wire.channels import COMMISSION, from_commission, record_of, to_commission
from services.wire.contents import (
    EpochOpened,
)
from services.wire.errors import ChannelUnavailableError, StoreBehindError
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange
from tests.integration.test_two_sides import asked, backed_up, restored
from tests.people import another_pupil
from tests.troubles import (
    clean,
    closed_restart,
    digest_at,
    pen_at,
    raw_log,
    records,
    said_by_registrar,
    settled,
    types,
)

_DAY = 86_400_000


def test_a_log_that_was_rolled_back_gets_again_what_it_lost(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel = to_commission(SCHOOL)
    before = records(exchange, channel)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= 2", channel)
    raw_log(exchange, "UPDATE ends SET position = 2 WHERE channel = ?", channel)
    assert len(records(exchange, channel)) == 2
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert set(before) <= set(records(exchange, channel))
    clean(exchange)


def test_a_database_and_a_log_that_both_lost_their_ends_are_not_written_to_again(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, theirs = asked(exchange)
    channel = record_of(SCHOOL)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= 1", channel)
    raw_log(exchange, "UPDATE ends SET position = 1 WHERE channel = ?", channel)
    restored(exchange, SCHOOL, backup)
    with pytest.raises(StoreBehindError, match="older than the ring file"):
        Worker(exchange.members[SCHOOL].office).start()
    # All have lost these entries: only the registrar can begin anew.
    said_by_registrar(
        exchange,
        EpochOpened(
            channel=channel,
            epoch=1,
            after_sequence=1,
            after_digest=digest_at(exchange, channel, 1),
            certificate=seal_of("old").certificate.digest,
        ),
    )
    restored(exchange, SCHOOL, backup)
    exchange.members[SCHOOL].worker.start()
    settled(exchange)
    again, _ = asked(exchange, pupil=another_pupil(2))
    assert exchange.members[SCHOOL].state(again) == "AwaitingCommission"
    # Its application is lost to all: the case begins with the request, which the commission holds too.
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    assert exchange.members[SCHOOL].held("misplaced") == []
    assert exchange.members[COMMISSION].state(theirs) == "Received"


def test_a_log_that_was_emptied_and_written_to_again_gets_everything_again(exchange: Exchange) -> None:
    asked(exchange)
    exchange.clock.now += 3_600_000
    settled(exchange)
    channel = record_of(SCHOOL)
    before = records(exchange, channel)
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", channel)
    raw_log(exchange, "UPDATE ends SET position = 0 WHERE channel = ?", channel)
    asked(exchange, pupil=another_pupil(2))
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert set(before) <= set(records(exchange, channel))
    clean(exchange)


def test_a_damaged_record_and_a_part_that_was_cut_out_are_sent_again(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channel = to_commission(SCHOOL)
    whole = records(exchange, channel)
    place = types(exchange, channel).index("sealed")
    raw_log(exchange, "UPDATE records SET value = ? WHERE channel = ? AND position = ?", whole[place][:-7000], channel, place)
    exchange.clock.now += 3_600_000
    settled(exchange, 8)
    assert whole[place] in records(exchange, channel)
    assert any("sent again" in alarm for alarm in exchange.members[SCHOOL].alarms)


def test_reading_back_sends_nothing_where_nothing_is_missing(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    channels = (to_commission(SCHOOL), record_of(SCHOOL), from_commission(SCHOOL), record_of(COMMISSION))
    before = {channel: len(records(exchange, channel)) for channel in channels}
    for _ in range(3):
        exchange.clock.now += 3_600_000
        settled(exchange)
    assert {channel: len(records(exchange, channel)) for channel in channels} == before


def test_junk_and_forgeries_in_my_channel_convict_nobody(exchange: Exchange) -> None:
    stranger = pen_at(exchange, record_of(SCHOOL), SCHOOL, seal_of("stranger"), "forged")
    exchange.log.append(record_of(SCHOOL), [stranger.confirmed(), b"junk"])
    exchange.clock.now += 3_600_000
    settled(exchange)
    clean(exchange)


def test_what_a_thief_wrote_before_a_start_is_told_although_it_follows(exchange: Exchange) -> None:
    settled(exchange)
    channel = record_of(SCHOOL)
    exchange.log.append(channel, [pen_at(exchange, channel, SCHOOL, seal_of("old"), "thief").confirmed()])
    member = closed_restart(exchange, SCHOOL)
    member.worker.start()
    assert any(
        f"{channel} from 2 on: 1 entries are taken back of which the ring file knows nothing" in alarm for alarm in member.alarms
    )


def ended_start(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a school's start take back what is its own, and end before it has read what others wrote, or told anybody."""
    member = exchange.members[SCHOOL]
    poll, theirs = exchange.log.poll, from_commission(SCHOOL)

    def silent(positions: Mapping[str, int], *, timeout_seconds: float, limit: int) -> list[Record]:
        if theirs in positions:
            raise ChannelUnavailableError("the log does not answer")
        return poll(positions, timeout_seconds=timeout_seconds, limit=limit)

    with monkeypatch.context() as patch:
        patch.setattr(exchange.log, "poll", silent)
        with pytest.raises(ChannelUnavailableError):
            member.worker.start()
    # What it had to say was heard by nobody: the process was killed.
    closed_restart(exchange, SCHOOL)


def test_a_thief_is_told_of_also_by_the_start_after_the_one_that_met_it(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(exchange)
    channel = record_of(SCHOOL)
    exchange.log.append(channel, [pen_at(exchange, channel, SCHOOL, seal_of("old"), "thief").confirmed()])
    closed_restart(exchange, SCHOOL)
    ended_start(exchange, monkeypatch)
    exchange.members[SCHOOL].worker.start()
    told = f"{channel} from 2 on: 1 entries are taken back of which the ring file knows nothing"
    assert [each.startswith(told) for each in exchange.members[SCHOOL].alarms].count(True) == 1


def test_what_a_restore_lost_is_told_although_the_start_that_found_it_ended(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    asked(exchange)
    settled(exchange)
    restored(exchange, SCHOOL, backup)
    ended_start(exchange, monkeypatch)
    member = exchange.members[SCHOOL]
    member.worker.start()
    assert [each for each in member.alarms if "own entries were taken back from the log: this database ended at" in each]
    # It is told until the first step is over; then a start has nothing more to say of it.
    for _ in range(2):
        member.work()
    member = closed_restart(exchange, SCHOOL)
    member.worker.start()
    assert member.alarms == []

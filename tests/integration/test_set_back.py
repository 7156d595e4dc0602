"""A log that was cut or put back, and a clock that was set back: what waits for a position or a time must not wait for ever."""

from __future__ import annotations

from pathlib import Path

from services.wire.channels import COMMISSION, TRUST_CHANNEL, commission_case, from_commission, record_of, to_commission
from services.wire.contents import TrustConfirmed
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import asked, school
from tests.people import another_pupil, application_form
from tests.troubles import asked_unread, clean, closed_restart, raw_log, records, said_by_registrar, settled, types

_HOUR = 3_600_000
_TEN_YEARS = 87_672 * _HOUR


def put_back(exchange: Exchange, channel: str, position: int) -> None:
    """Put one channel of the log back to what it was; its positions are given again."""
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= ?", channel, position)
    raw_log(exchange, "UPDATE ends SET position = ? WHERE channel = ?", position, channel)


def test_a_log_that_lost_its_end_gets_it_again_although_it_gives_no_position_twice(exchange: Exchange) -> None:
    asked(exchange)
    exchange.clock.now += _HOUR
    settled(exchange)
    channel = record_of(SCHOOL)
    before = records(exchange, channel)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position >= ?", channel, len(before) - 1)
    exchange.clock.now += _HOUR
    settled(exchange, 8)
    assert set(before) <= set(records(exchange, channel))
    assert any("lacks 1 entries" in alarm for alarm in exchange.members[SCHOOL].alarms)
    clean(exchange)


def read_far_and_put_back(exchange: Exchange, channel: str, reader: str) -> None:
    """Let a reader read copies far on in a channel, and put the log back to what it was before them."""
    settled(exchange)
    again = "INSERT INTO records SELECT channel, position + 100, appended_at, value FROM records WHERE channel = ?"
    before = len(records(exchange, channel))
    raw_log(exchange, again, channel)
    exchange.members[reader].work()
    put_back(exchange, channel, before)


def test_what_is_written_where_a_reader_has_been_before_the_log_was_put_back_is_read(exchange: Exchange) -> None:
    asked(exchange)
    read_far_and_put_back(exchange, to_commission(SCHOOL), COMMISSION)
    theirs, _ = asked_unread(exchange)
    exchange.members[COMMISSION].work()
    assert exchange.members[COMMISSION].state(theirs) == ""
    exchange.clock.now += _HOUR
    settled(exchange)
    assert exchange.members[COMMISSION].state(theirs) == "Received"
    assert any("does not show any more" in alarm for alarm in exchange.members[COMMISSION].alarms)


def test_a_start_reads_what_the_registrar_said_after_its_log_was_put_back(exchange: Exchange) -> None:
    read_far_and_put_back(exchange, TRUST_CHANNEL, SCHOOL)
    before = exchange.members[SCHOOL].office.trust.sequence
    said_by_registrar(exchange, TrustConfirmed())
    member = closed_restart(exchange, SCHOOL)
    member.worker.start()
    assert member.office.trust.sequence == before + 1


def test_what_a_log_put_back_hides_behind_the_same_record_is_found_within_a_day(exchange: Exchange) -> None:
    channel = to_commission(SCHOOL)
    asked(exchange)
    settled(exchange)
    exchange.clock.now += _HOUR
    settled(exchange)
    before = records(exchange, channel)
    # The log forgets an old record, the school writes a new one in its place, and all others stand where they stood.
    put_back(exchange, channel, 1)
    theirs, _ = asked_unread(exchange)
    new = records(exchange, channel)[1]
    put_back(exchange, channel, 1)
    exchange.log.append(channel, [new, *before[2:]])
    for _ in range(3):
        exchange.members[COMMISSION].work()
    assert exchange.members[COMMISSION].state(theirs) == ""
    exchange.clock.now += 25 * _HOUR
    settled(exchange, 8)
    assert exchange.members[COMMISSION].state(theirs) == "Received"
    assert set(before) <= set(records(exchange, channel))
    clean(exchange)


def test_whoever_lacks_a_key_asks_for_it_although_the_clock_was_ten_years_ahead(tmp_path: Path) -> None:
    exchange = two_sides(tmp_path)
    exchange.clock.now += _TEN_YEARS
    mine, _ = school(exchange).file(application_form())
    school(exchange).request(mine)
    exchange.members[SCHOOL].work()
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", "commission.mailbox")
    commission = exchange.members[COMMISSION]
    for _ in range(3):
        commission.work()
    assert commission.held("parked") == ["the facts key is missing"]
    exchange.clock.now -= _TEN_YEARS
    for _ in range(3):
        exchange.clock.now += _HOUR
        settled(exchange)
    assert commission.held("parked") == []
    assert commission.state(commission_case(mine, to_commission(SCHOOL))) == "Received"


def test_receipts_go_on_and_own_channels_are_read_although_the_clock_was_ten_years_ahead(exchange: Exchange) -> None:
    exchange.clock.now += _TEN_YEARS
    asked(exchange)
    exchange.clock.now -= _TEN_YEARS
    asked(exchange, pupil=another_pupil(2))
    before = types(exchange, from_commission(SCHOOL)).count("Receipt")
    asked(exchange, pupil=another_pupil(3))
    settled(exchange)
    assert types(exchange, from_commission(SCHOOL)).count("Receipt") > before
    channel = record_of(SCHOOL)
    whole = records(exchange, channel)
    put_back(exchange, channel, 2)
    exchange.clock.now += _HOUR
    settled(exchange, 8)
    assert set(whole) <= set(records(exchange, channel))


def test_an_encryption_key_of_ten_years_ahead_is_renewed_once_and_not_for_ever(exchange: Exchange) -> None:
    def made() -> int:
        return len(exchange.members[SCHOOL].office.database.all("SELECT 1 FROM keys WHERE key_use = 'ENCRYPTION'"))

    exchange.clock.now += _TEN_YEARS
    settled(exchange)
    before = made()
    exchange.clock.now -= _TEN_YEARS
    settled(exchange)
    assert made() == before + 1
    settled(exchange, 8)
    assert made() == before + 1

"""What every adapter of the channel port must do; an adapter's test class inherits it and gives ``open_log``."""

from __future__ import annotations

import os
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping

import pytest

from services.channel.port import RECORD_LIMIT_BYTES, Channel, Record
from services.wire.errors import RecordTooLargeError

SCHOOL = "school-0099900011.record"
OTHER = "school-0099900022.record"


def read(log: Channel, positions: Mapping[str, int], limit: int = 100) -> list[Record]:
    return log.poll(positions, timeout_seconds=0, limit=limit)


def values(log: Channel, channel: str, position: int = 0, limit: int = 100) -> list[bytes]:
    return [record.value for record in read(log, {channel: position}, limit)]


class Better:
    """Something better to do than to wait, of which nobody tells unless there is a descriptor."""

    def __init__(self, is_so: Callable[[], bool], descriptor: int = -1) -> None:
        self.is_so, self.descriptor = is_so, descriptor

    def __call__(self) -> bool:
        if self.descriptor >= 0:
            os.read(self.descriptor, 100)
        return self.is_so()

    def fileno(self) -> int:
        return self.descriptor


class ChannelContract:
    @abstractmethod
    def open_log(self) -> Channel:
        """Open another handle on the one log of this test."""

    def test_exact_bytes_come_back_in_order(self) -> None:
        log = self.open_log()
        log.append(SCHOOL, [b"", b"\x00\xff", b"three"])
        log.append(SCHOOL, [b"four"])
        assert values(log, SCHOOL) == [b"", b"\x00\xff", b"three", b"four"]

    def test_a_second_handle_sees_what_the_first_appended(self) -> None:
        self.open_log().append(SCHOOL, [b"one"])
        assert values(self.open_log(), SCHOOL) == [b"one"]

    def test_reading_goes_on_after_the_last_position(self) -> None:
        log = self.open_log()
        log.append(SCHOOL, [b"one", b"two", b"three"])
        first = read(log, {SCHOOL: 0}, limit=2)
        assert [record.value for record in first] == [b"one", b"two"]
        assert values(log, SCHOOL, first[-1].position + 1) == [b"three"]

    def test_an_empty_channel_and_a_position_beyond_the_end_give_nothing(self) -> None:
        log = self.open_log()
        log.append(SCHOOL, [b"one"])
        assert (values(log, OTHER), values(log, SCHOOL, 99)) == ([], [])

    def test_the_end_is_after_the_last_record(self) -> None:
        log = self.open_log()
        assert log.end(SCHOOL) == 0
        log.append(SCHOOL, [b"one", b"two"])
        assert log.end(SCHOOL) == read(log, {SCHOOL: 0})[-1].position + 1

    def test_a_flood_in_one_channel_does_not_hold_the_others(self) -> None:
        log = self.open_log()
        log.append(SCHOOL, [b"flood"] * 50)
        log.append(OTHER, [b"urgent"])
        assert b"urgent" in [record.value for record in read(log, {SCHOOL: 0, OTHER: 0}, limit=10)]

    def test_what_other_channels_leave_is_for_those_that_have_more(self) -> None:
        log = self.open_log()
        log.append(SCHOOL, [b"much"] * 50)
        log.append(OTHER, [b"one"])
        found = [record.value for record in read(log, {SCHOOL: 0, OTHER: 0}, limit=20)]
        assert (len(found), found.count(b"one")) == (20, 1)

    def test_a_limit_that_would_starve_a_channel_is_the_callers_bug(self) -> None:
        with pytest.raises(ValueError, match="at least one record a channel"):
            read(self.open_log(), {SCHOOL: 0, OTHER: 0}, limit=1)

    def test_two_waiting_readers_of_one_handle_both_wake_up(self) -> None:
        log = self.open_log()
        found: list[list[bytes]] = []

        def wait() -> None:
            found.append([record.value for record in log.poll({SCHOOL: 0}, timeout_seconds=30, limit=1)])

        readers = [threading.Thread(target=wait) for _ in range(2)]
        for reader in readers:
            reader.start()
        log.append(SCHOOL, [b"one"])
        for reader in readers:
            reader.join(timeout=25)
        assert found == [[b"one"], [b"one"]]

    def test_a_batch_with_one_record_that_is_too_large_stores_nothing(self) -> None:
        log = self.open_log()
        with pytest.raises(RecordTooLargeError, match="655360"):
            log.append(SCHOOL, [b"one", bytes(RECORD_LIMIT_BYTES + 1)])
        assert values(log, SCHOOL) == []
        log.append(SCHOOL, [bytes(RECORD_LIMIT_BYTES)])

    def test_a_waiting_reader_wakes_up_for_another_handles_record(self) -> None:
        reader, writer = self.open_log(), self.open_log()
        later = threading.Timer(0.1, lambda: writer.append(SCHOOL, [b"one"]))
        later.start()
        assert [record.value for record in reader.poll({SCHOOL: 0}, timeout_seconds=30, limit=1)] == [b"one"]
        later.join()

    def test_a_waiting_reader_wakes_up_for_its_own_handles_record(self) -> None:
        log = self.open_log()
        later = threading.Timer(0.1, lambda: log.append(SCHOOL, [b"one"]))
        later.start()
        assert [record.value for record in log.poll({SCHOOL: 0}, timeout_seconds=30, limit=1)] == [b"one"]
        later.join()

    def test_a_waiting_reader_leaves_for_what_is_better_to_do_and_misses_nothing(self) -> None:
        reader, writer = self.open_log(), self.open_log()
        looks = iter([False, False, True, True])
        assert reader.poll({SCHOOL: 0, OTHER: 0}, timeout_seconds=600, limit=10, until=Better(lambda: next(looks))) == []
        assert reader.poll({SCHOOL: 0, OTHER: 0}, timeout_seconds=600, limit=10, until=Better(lambda: next(looks))) == []
        writer.append(SCHOOL, [b"one"])
        found = reader.poll({SCHOOL: 0, OTHER: 0}, timeout_seconds=30, limit=10, until=Better(lambda: False))
        assert [record.value for record in found] == [b"one"]

    def test_a_waiting_reader_is_called_away_by_a_descriptor_and_comes_back_for_what_was_written(self) -> None:
        reader, writer = self.open_log(), self.open_log()
        called, caller = os.pipe()
        better = Better(iter([False, True, False]).__next__, called)
        try:
            later = [threading.Timer(seconds, os.write, (caller, b"x")) for seconds in (0.2, 0.4)]
            for each in later:
                each.start()
            began = time.monotonic()
            # Called once for nothing; the second time there is something.
            reader_of = {SCHOOL: 0, OTHER: 0}
            assert reader.poll(reader_of, timeout_seconds=600, limit=10, until=better) == []
            assert 0.3 < time.monotonic() - began < 60
            writer.append(SCHOOL, [b"one"])
            os.write(caller, b"x")
            found = reader.poll(reader_of, timeout_seconds=30, limit=10, until=better)
            assert [record.value for record in found] == [b"one"]
        finally:
            os.close(called)
            os.close(caller)

    def test_a_reader_that_always_has_better_to_do_reads_all_the_same(self) -> None:
        self.open_log().append(SCHOOL, [b"one"])
        reader, found = self.open_log(), list[Record]()
        for _ in range(1000):
            found = found or reader.poll({SCHOOL: 0, OTHER: 0}, timeout_seconds=600, limit=10, until=Better(lambda: True))
        assert [record.value for record in found] == [b"one"]

    def test_a_closed_log_is_not_used_again(self) -> None:
        log = self.open_log()
        log.close()
        with pytest.raises(RuntimeError, match="closed"):
            log.end(SCHOOL)

"""Letters with keys go out while the ring file is written: neither waits for the other, and an entry waits for both."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.post.beside import Beside, InThread, in_turn
from services.post.ring import KeyRow
from services.post.ring_file import Head, RingFile
from services.school.application import School
from services.wire.channels import COMMISSION, Role, mailbox_of, to_commission
from services.wire.errors import ChannelUnavailableError, DiskError
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, Member, two_sides
from tests.integration.test_closed_channels import Doors
from tests.integration.test_two_sides import backed_up, restored
from tests.people import another_pupil, application_form
from tests.simulation.ports import put_off
from tests.troubles import clean, settled

LETTERS, ENTRIES = mailbox_of(COMMISSION), to_commission(SCHOOL)
SECONDS = 20
KEYS = 2
"""The year's for facts, and the case's."""


@dataclass
class Meeting(Doors):
    """A log that keeps letters waiting until the ring file is written, which waits until letters are on their way."""

    under_way: threading.Event = field(default_factory=threading.Event)
    written: threading.Event = field(default_factory=threading.Event)
    fails: bool = False

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        if channel == LETTERS:
            self.under_way.set()
            assert self.written.wait(SECONDS)
            if self.fails:
                raise ChannelUnavailableError("no broker answers")
        super().append(channel, values)


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Member:
    """A school that has asked, and sends with letters beside the ring file."""
    exchange = two_sides(tmp_path)
    member = exchange.members[SCHOOL]
    case_id, _ = School(member.office).file(application_form())
    School(member.office).request(case_id)
    assert member.office.channel is not None
    log = Meeting(member.office.channel)
    member.office.channel, member.office.beside = log, InThread()
    whole = RingFile.add

    def add(file: RingFile, keys: Iterable[KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...]) -> None:
        if file is member.office.ring_file and not log.written.is_set():
            assert log.under_way.wait(SECONDS)
            log.written.set()
        whole(file, keys, heads, unsent)

    monkeypatch.setattr(RingFile, "add", add)
    return member


def log_of(member: Member) -> Meeting:
    assert isinstance(member.office.channel, Meeting)
    return member.office.channel


def granted(member: Member) -> int:
    return len(member.office.database.all("SELECT 1 FROM grants WHERE recipient = ?", COMMISSION))


def test_letters_and_ring_file_wait_for_no_other_and_entries_for_both(member: Member) -> None:
    before = granted(member)
    member.work()
    assert log_of(member).tried.index(LETTERS) < log_of(member).tried.index(ENTRIES)
    assert granted(member) == before + KEYS


def test_without_its_letters_no_entry_goes_out(member: Member) -> None:
    log, before = log_of(member), granted(member)
    log.fails = True
    with pytest.raises(ChannelUnavailableError):
        member.work()
    assert ENTRIES not in log.tried
    assert granted(member) == before
    log.fails = False
    member.work()
    assert log.tried.index(LETTERS) < log.tried.index(ENTRIES)


def test_without_the_ring_file_no_entry_goes_out_and_letters_that_did_do_not_go_again(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, before = log_of(member), granted(member)
    waiting = RingFile.add

    def full(file: RingFile, keys: Iterable[KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...]) -> None:
        waiting(file, keys, heads, unsent)
        raise DiskError("ring.file cannot be written")

    with monkeypatch.context() as disk:
        disk.setattr(RingFile, "add", full)
        with pytest.raises(DiskError):
            member.work()
    assert (log.tried, granted(member)) == ([LETTERS], before + KEYS)
    member.work()
    assert log.tried.count(LETTERS) == 1
    assert ENTRIES in log.tried


@dataclass
class Away(Doors):
    """A log that shows what it has, and takes nothing."""

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        self.tried.append(channel)
        raise ChannelUnavailableError(f"no broker answers for {len(values)}")


def test_a_log_that_takes_nothing_is_ahead_of_no_restore(exchange: Exchange, tmp_path: Path) -> None:
    """The ring file claims nothing that no log ever got: a backup would be refused for it, where nothing is missing."""
    settled(exchange)
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    exchange.members[SCHOOL].office.database.close()
    member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    member.worker.start()
    before = dict(member.office.ring_file.heads)
    member.office.beside, member.office.channel = InThread(), (log := Away(exchange.log))
    case_id, _ = School(member.office).file(application_form())
    School(member.office).request(case_id)
    for tries in range(1, 4):
        with pytest.raises(ChannelUnavailableError):
            member.work()
        assert log.tried == [LETTERS] * tries
    assert RingFile.load(exchange.folder / SCHOOL / "ring.file").heads == before
    restored(exchange, SCHOOL, backup)
    exchange.members[SCHOOL].worker.start()
    settled(exchange)
    clean(exchange)


def test_a_log_that_went_away_is_not_waited_for_beside_the_ring_file_again(member: Member) -> None:
    log = log_of(member)
    log.fails = True
    file = member.office.ring_file.path
    with pytest.raises(ChannelUnavailableError):
        member.work()
    once = file.read_bytes()
    School(member.office).file(application_form(pupil=another_pupil(1)))
    with pytest.raises(ChannelUnavailableError):
        member.work()
    assert file.read_bytes() == once


@dataclass
class Ending(Doors):
    """A log that is gone after so many appends."""

    left: int = 1

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        if not self.left:
            raise ChannelUnavailableError("no broker answers")
        self.left -= 1
        super().append(channel, values)


@pytest.mark.parametrize("beside", [in_turn, put_off, InThread()])
def test_letters_that_went_out_before_one_that_failed_do_not_go_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    settled(exchange)
    member = exchange.members[SCHOOL]
    case_id, _ = School(member.office).file(application_form())
    School(member.office).request(case_id)
    before = granted(member)
    # Each letter in an append of its own.
    monkeypatch.setattr("services.post.publishing.pieces", lambda _, whole: ([each] for each in whole))
    member.office.channel, member.office.beside = (log := Ending(exchange.log)), beside
    with pytest.raises(ChannelUnavailableError):
        member.work()
    assert (log.tried, granted(member)) == ([LETTERS], before + 1)
    log.left = 1_000
    member.work()
    assert (log.tried.count(LETTERS), granted(member)) == (KEYS, before + KEYS)


def test_an_exchange_whose_letters_go_beside_ends_as_any_other(tmp_path: Path) -> None:
    exchange: Exchange = two_sides(tmp_path)
    for each in exchange.members.values():
        each.office.beside = InThread()
    School(exchange.members[SCHOOL].office).file(application_form())
    settled(exchange)
    clean(exchange)

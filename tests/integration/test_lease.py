"""A worker from which another one took over, although the lock should have kept that one out: it writes nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from services.post.database import Database
from services.post.publishing import save_ring
from services.post.ring import KeyRow
from services.post.ring_file import Head, RingFile
from services.wire.channels import Role
from services.wire.errors import DatabaseBusyError, LeaseError
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, Member
from tests.integration.test_two_sides import asked, backed_up, restored
from tests.people import another_pupil
from tests.troubles import clean, settled


@pytest.fixture
def first(exchange: Exchange) -> Member:
    """Return a school's worker that another one has taken over from, after which a case went on."""
    member = exchange.members[SCHOOL]
    member.worker.start()
    exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old")).worker.start()
    asked(exchange)
    settled(exchange)
    return member


def test_a_worker_that_lost_its_lease_writes_no_older_ring_file_over_the_newer_one(first: Member) -> None:
    # Without this, the head of a channel went back in it, and a restore would have given places away a second time.
    file = first.office.ring_file.path
    newer = file.read_bytes()
    rows = first.office.database.all("SELECT * FROM entries WHERE channel LIKE '%.record'")
    with pytest.raises(LeaseError, match="another worker is at work"):
        save_ring(first.office, rows)
    assert file.read_bytes() == newer


def test_a_worker_that_lost_its_lease_signs_sends_and_receives_nothing(exchange: Exchange, first: Member) -> None:
    rows = first.office.database.all("SELECT count(*) FROM entries")
    with pytest.raises(LeaseError):
        first.work()
    assert first.office.database.all("SELECT count(*) FROM entries") == rows
    asked(exchange, pupil=another_pupil(2))
    settled(exchange)
    clean(exchange)


def test_a_worker_that_lost_its_lease_and_has_nothing_to_do_ends(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    member.worker.start()
    settled(exchange)
    assert member.work() == 0
    exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old")).worker.start()
    settled(exchange)
    with pytest.raises(LeaseError, match="another worker is at work"):
        member.work()


def test_a_look_at_the_lease_waits_for_nobody_who_writes(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    member.worker.start()
    settled(exchange)
    clerk = Database(member.office.database.path)
    with clerk.transaction():
        member.office.database.connection.execute("PRAGMA busy_timeout = 10")
        member.office.database.require()


def test_a_worker_under_which_its_database_is_put_back_ends(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    member = exchange.members[SCHOOL]
    member.worker.start()
    # What the older database does not say.
    member.office.database.run("DELETE FROM said WHERE name LIKE 'worker %'")
    with pytest.raises(LeaseError, match="put back meanwhile"):
        member.work()
    restored(exchange, SCHOOL, backup)
    exchange.members[SCHOOL].worker.start()
    settled(exchange)
    clean(exchange)


def test_nobody_takes_over_while_a_start_writes_the_ring_file(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(exchange)
    exchange.members[SCHOOL].office.database.close()
    first = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    second = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    second.office.database.connection.execute("PRAGMA busy_timeout = 10")
    whole, tried = RingFile.save, list[str]()

    def save(file: RingFile, keys: Iterable[KeyRow], heads: Mapping[str, Head]) -> None:
        if file is first.office.ring_file and not tried:
            tried.append("to take over")
            with pytest.raises(DatabaseBusyError):
                second.worker.start()
        whole(file, keys, heads)

    monkeypatch.setattr(RingFile, "save", save)
    first.worker.start()
    assert tried

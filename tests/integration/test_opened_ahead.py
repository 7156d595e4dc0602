"""What another process opens ahead makes the same events; nor does it change anything who opens it, or that nobody does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.audit.archive import Archive
from services.audit.archive_reading import ArchiveChannel
from services.audit.event import Event, Standing
from services.audit.events import events_of
from services.audit.keys import NO_KEYS, Keys
from services.audit.leaving_out import without_personal
from services.audit.opened_ahead import OpenedAhead
from services.audit.opening import Opening
from services.audit.workers import Workers
from services.channel.port import Channel
from services.wire.channels import COMMISSION, record_of
from services.wire.disclosures import DisclosedKey
from services.wire.hashing import Digest, Id
from services.wire.sealing import Part, PartKey
from tests.archives import NOVEMBER
from tests.audited import audited, examined_log, keys_of, mixed_up
from tests.bench.sealed_log import KEYS, LARGEST, archive_of_events
from tests.chains import ROOT, SCHOOL
from tests.exchange import Exchange
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.troubles import settled


class Here(Executor):
    """Does what it is given at once; ``done`` is how often, and from ``last`` on somebody ended it."""

    def __init__(self, last: int = 1_000_000) -> None:
        self.done, self.last = 0, last

    def begun(self, first: Callable[..., None], args: tuple[Any, ...]) -> Executor:
        first(*args)
        return self

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.done += 1
        future: Future[Any] = Future()
        if self.done > self.last:
            future.set_exception(BrokenExecutor(fn))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.fixture
def whole(exchange: Exchange) -> Exchange:
    """Let one case be answered."""
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    return exchange


def archive_of(log: Channel, folder: Path) -> Path:
    """Write an archive of a log, three records a block."""
    channels = [each.channel for each in examined_log(log).report.channels]
    with Archive.open(folder, ROOT.digest, lambda _: None) as archive:
        for channel in channels:
            records = [each.value for each in log.poll({channel: 0}, timeout_seconds=0, limit=1000)]
            placed = [(without_personal(each), place) for place, each in enumerate(records)]
            for at in range(0, len(placed), 3):
                archive.append(channel, placed[at : at + 3], taken_at=NOVEMBER)
    return folder


def opened_by(archive: Path, keys: Keys, here: Here, *, with_personal: bool = False) -> list[Event]:
    log = ArchiveChannel(archive)
    with OpenedAhead(archive, keys, processors=2, least=0, records=3, worker=here.begun) as ahead:
        return list(events_of(log, examined_log(log), keys, with_personal=with_personal, ahead=ahead))


def opened_here(archive: Path, keys: Keys, *, with_personal: bool = False) -> list[Event]:
    return audited(ArchiveChannel(archive), keys, with_personal=with_personal)


def test_what_others_opened_makes_the_same_events(whole: Exchange, tmp_path: Path) -> None:
    keys, here, archive = keys_of(whole, SCHOOL, COMMISSION), Here(), archive_of(whole.log, tmp_path / "archive")
    events = opened_by(archive, keys, here)
    assert events == opened_here(archive, keys)
    assert sum(each.opening is Opening.OPENED for each in events) == 9
    assert here.done > 9


def test_an_answer_that_its_reader_refused_is_refused_whoever_opened_the_refusal(exchange: Exchange, tmp_path: Path) -> None:
    _, theirs = asked(exchange)
    rogue_answer(exchange, theirs, Digest(bytes(32)))
    settled(exchange)
    keys, archive = keys_of(exchange, SCHOOL, COMMISSION), archive_of(exchange.log, tmp_path / "archive")
    events = opened_by(archive, keys, Here())
    assert events == opened_here(archive, keys)
    assert [each.refused_as for each in events if each.standing is Standing.REFUSED] == ["WrongReply"]


@pytest.mark.parametrize("seed", range(3))
def test_an_archive_in_any_order_with_repeats_and_junk_has_the_same_events(whole: Exchange, tmp_path: Path, seed: int) -> None:
    keys, channels = keys_of(whole, SCHOOL, COMMISSION), [each.channel for each in examined_log(whole.log).report.channels]
    archive = archive_of(mixed_up(whole.log, channels, seed), tmp_path / "archive")
    assert opened_by(archive, keys, Here()) == opened_here(archive, keys)


def test_whoever_ends_a_worker_at_whatever_moment_changes_nothing(whole: Exchange, tmp_path: Path) -> None:
    keys, archive, all_done = keys_of(whole, SCHOOL, COMMISSION), archive_of(whole.log, tmp_path / "archive"), Here()
    events = opened_by(archive, keys, all_done)
    for last in range(all_done.done):
        assert opened_by(archive, keys, Here(last)) == events


def test_a_piece_that_cannot_be_read_there_is_read_where_it_was_asked_for(whole: Exchange, tmp_path: Path) -> None:
    keys, archive = keys_of(whole, SCHOOL, COMMISSION), archive_of(whole.log, tmp_path / "archive")

    class Elsewhere(Here):
        def begun(self, first: Callable[..., None], args: tuple[Any, ...]) -> Executor:
            """Look into an archive that has nothing of it."""
            with Archive.open(tmp_path / "empty", ROOT.digest, lambda _: None):
                pass
            return super().begun(first, (tmp_path / "empty", *args[1:]))

    assert opened_by(archive, keys, Elsewhere()) == opened_here(archive, keys)


def test_what_does_not_open_says_why_whoever_tried(whole: Exchange, tmp_path: Path) -> None:
    held, archive = keys_of(whole, SCHOOL), archive_of(whole.log, tmp_path / "archive")
    some = Keys(facts=held.facts, erased=frozenset(keys_of(whole, COMMISSION).facts.keys() - held.facts.keys()))
    events = opened_by(archive, some, Here())
    assert events == opened_here(archive, some)
    assert {each.opening for each in events if each.channel == record_of(COMMISSION)} == {Opening.OPEN, Opening.ERASED}


def test_nobody_else_opens_what_is_personal_or_is_given_a_key_of_it(whole: Exchange, tmp_path: Path) -> None:
    keys, archive = keys_of(whole, SCHOOL, COMMISSION, cases=True), archive_of(whole.log, tmp_path / "archive")
    given = list[Any]()

    class Watching(Here):
        def begun(self, first: Callable[..., None], args: tuple[Any, ...]) -> Executor:
            given.extend(args)
            return super().begun(first, args)

    here = Watching()
    assert opened_by(archive, keys, here, with_personal=True) == opened_here(archive, keys, with_personal=True)
    assert here.done == 0
    opened_by(archive, keys, here)
    assert here.done > 9
    assert [each.cases for each in given if isinstance(each, Keys)] == [{}]


def test_of_a_small_archive_nothing_is_opened_ahead(whole: Exchange, tmp_path: Path) -> None:
    here, archive = Here(), archive_of(whole.log, tmp_path / "archive")
    log, keys = ArchiveChannel(archive), keys_of(whole, SCHOOL, COMMISSION)
    with OpenedAhead(archive, keys, processors=2, worker=here.begun) as ahead:
        assert list(events_of(log, examined_log(log), keys, ahead=ahead)) == opened_here(archive, keys)
    assert here.done == 0


def test_who_holds_no_key_starts_nothing(whole: Exchange, tmp_path: Path) -> None:
    here, archive = Here(), archive_of(whole.log, tmp_path / "archive")
    assert opened_by(archive, NO_KEYS, here) == opened_here(archive, NO_KEYS)
    assert here.done == 0


def test_a_real_process_opens_the_same(tmp_path: Path) -> None:
    archive = archive_of_events(tmp_path, 400)
    log = ArchiveChannel(archive)
    with OpenedAhead(archive, KEYS, processors=2, least=0, records=40) as ahead:
        events = list(events_of(log, examined_log(log), KEYS, ahead=ahead))
    assert events == opened_here(archive, KEYS)
    assert sum(each.counts for each in events) == 400


def test_an_archive_that_is_gone_when_a_process_begins_is_told_by_nobody_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    archive = archive_of_events(tmp_path, 50)

    def begun(first: Callable[..., None], args: tuple[Any, ...]) -> Executor:
        return Workers(1, first, (tmp_path / "gone", *args[1:]))

    with OpenedAhead(archive, KEYS, processors=2, least=0, worker=begun) as ahead:
        assert list(ahead.pages(LARGEST)) == []
    assert capfd.readouterr().err == ""


def disclosed(part: Part) -> DisclosedKey:
    return DisclosedKey(channel="a.record", event_id=Id(bytes(16)), part=part, key=PartKey(bytes(32)), sealed=b"sealed")


def test_the_other_process_gets_no_key_of_what_is_personal(tmp_path: Path) -> None:
    given: list[Keys] = []

    def begun(_: Callable[..., None], args: tuple[Any, ...]) -> Executor:
        given.append(args[1])
        raise OSError("no process can be started")

    facts, personal = (disclosed(part) for part in (Part.FACTS, Part.PERSONAL))
    keys = replace(KEYS, cases={Digest(bytes(32)): bytes(32)}, parts={Digest(bytes(32)): facts, Digest(b"1" * 32): personal})
    with OpenedAhead(archive_of_events(tmp_path, 50), keys, processors=2, least=0, worker=begun) as ahead:
        assert list(ahead.pages(LARGEST)) == []
    (there,) = given
    assert there.cases == {}
    assert list(there.parts.values()) == [facts]

"""Encryption keys: made anew each month; the one before opens letters until all that can be sealed to it has expired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from services.commission.application import Commission
from services.commission.input import AnswerInput
from services.post.cases import Opened, open_personal
from services.post.saving import queue_open
from services.wire.channels import COMMISSION, from_commission, to_commission
from services.wire.contents import EncryptionKeyPublished
from services.wire.errors import ChannelUnavailableError
from services.wire.grants import SUITE
from services.wire.hashing import Digest
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.integration.test_two_sides import asked, examined, recommended
from tests.people import another_pupil

DAY = 86_400_000


@contextmanager
def refusing(exchange: Exchange, name: str) -> Iterator[None]:
    """Let the log take nothing for the channels of a participant; what it writes to others comes."""
    own, append = exchange.members[name].office.own_channels, exchange.log.append

    def refuses(channel: str, records: Sequence[bytes]) -> None:
        if channel in own:
            raise ChannelUnavailableError("the log does not answer")
        append(channel, records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange.log, "append", refuses)
        yield


def worked(exchange: Exchange, name: str) -> None:
    """Let a participant work for whom the log takes nothing."""
    with pytest.raises(ChannelUnavailableError):
        exchange.members[name].work()


def keys_of(exchange: Exchange, name: str) -> set[Digest]:
    return set(exchange.members[name].office.ring.encryption_keys())


def test_encryption_keys_are_renewed_monthly_and_old_ones_destroyed_a_month_later(exchange: Exchange) -> None:
    office = exchange.members[COMMISSION].office
    first = set(office.ring.encryption_keys())
    month = 30 * 86_400_000
    exchange.clock.now += month
    exchange.settle()
    both = set(office.ring.encryption_keys())
    assert len(both) == 2
    assert first < both
    asked(exchange)
    exchange.clock.now += month
    exchange.settle()
    after = set(office.ring.encryption_keys())
    assert len(after) == 2
    assert not first & after
    office.ring_file.save(office.ring.rows(), office.ring_file.heads)
    office.ring.start(office.ring_file)
    assert set(office.ring.encryption_keys()) == after
    _, theirs = asked(exchange, pupil=another_pupil(2))
    assert exchange.members[COMMISSION].state(theirs) == "Received"


def test_an_old_key_opens_letters_until_a_month_after_the_new_one_is_in_the_log(exchange: Exchange) -> None:
    """For two months the log takes nothing of the school's, so the commission cannot know where to seal its letters to."""
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    exchange.settle()
    first = keys_of(exchange, SCHOOL)
    with refusing(exchange, SCHOOL):
        for _ in range(3):
            exchange.clock.now += 30 * DAY
            worked(exchange, SCHOOL)
        Commission(exchange.members[COMMISSION].office).answer(theirs, AnswerInput(official="Ilze Paraudziņa"))
        while exchange.members[COMMISSION].work():
            pass
        worked(exchange, SCHOOL)
    office = exchange.members[SCHOOL].office
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert isinstance(open_personal(office, office.store.stream(mine).events[-1]), Opened)
    exchange.settle()
    exchange.clock.now += 29 * DAY
    exchange.settle()
    assert first < keys_of(exchange, SCHOOL)
    exchange.clock.now += DAY
    exchange.settle()
    assert not first & keys_of(exchange, SCHOOL)


def test_a_key_before_the_last_one_keeps_its_day_while_the_newest_waits(exchange: Exchange) -> None:
    first = keys_of(exchange, SCHOOL)
    exchange.clock.now += 30 * DAY
    exchange.settle()
    second = keys_of(exchange, SCHOOL) - first
    exchange.clock.now += 30 * DAY - 2_000
    with refusing(exchange, SCHOOL):
        worked(exchange, SCHOOL)
        assert not first & keys_of(exchange, SCHOOL)
        exchange.clock.now += 31 * DAY
        worked(exchange, SCHOOL)
        assert second < keys_of(exchange, SCHOOL)


def test_a_channel_that_is_stopped_keeps_no_old_key(exchange: Exchange) -> None:
    office, first = exchange.members[COMMISSION].office, keys_of(exchange, COMMISSION)
    office.letterbook.note(from_commission(SCHOOL), state="stopped")
    for _ in range(2):
        exchange.clock.now += 30 * DAY
        exchange.members[COMMISSION].work()
    assert not first & keys_of(exchange, COMMISSION)


def test_asking_for_keys_keeps_no_old_one(exchange: Exchange) -> None:
    first = keys_of(exchange, SCHOOL)
    exchange.clock.now += 30 * DAY
    exchange.settle()
    with refusing(exchange, SCHOOL):
        asks(exchange, times=1)
        exchange.clock.now += 29 * DAY
        worked(exchange, SCHOOL)
        assert first < keys_of(exchange, SCHOOL)
        exchange.clock.now += DAY
        worked(exchange, SCHOOL)
        assert not first & keys_of(exchange, SCHOOL)


def test_a_key_whose_next_one_waits_behind_much_else_is_kept(exchange: Exchange) -> None:
    first = keys_of(exchange, SCHOOL)
    with refusing(exchange, SCHOOL):
        asks(exchange, times=250)
        for _ in range(3):
            worked(exchange, SCHOOL)
        for _ in range(3):
            exchange.clock.now += 30 * DAY
            worked(exchange, SCHOOL)
            assert first <= keys_of(exchange, SCHOOL)
    exchange.settle()
    assert first < keys_of(exchange, SCHOOL)


def asks(exchange: Exchange, *, times: int) -> None:
    office = exchange.members[SCHOOL].office
    current = office.ring.current_encryption_key()
    assert current is not None
    content = EncryptionKeyPublished(suite=SUITE, public_key=current.public_key, need=(Digest(bytes(32)),))
    for _ in range(times):
        queue_open(office, to_commission(SCHOOL), content)

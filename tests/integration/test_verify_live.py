"""A log that others write on while it is verified: whoever reads one channel after the other must accuse nobody of that."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.audit.remembering import Memory
from services.audit.report import Report
from services.channel.port import Record
from services.wire.channels import COMMISSION
from tests.attacks.test_bases import keys
from tests.attacks.workshop import OTHER, MemoryLog, Workshop
from tests.chains import ROOT, SCHOOL
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.people import another_pupil
from tests.verifying import comparable, verified_by

EVERYBODY = (COMMISSION, SCHOOL, OTHER)


@dataclass
class Live(MemoryLog):
    """A log on which somebody works whenever anybody looks at it, with a chance of ``often``."""

    dice: random.Random = field(default_factory=random.Random)
    often: float = 0.0
    work: Callable[[], object] = lambda: None
    is_working: bool = False

    def poll(self, *given: object, **named: object) -> list[Record]:
        self.wake()
        return super().poll(*given, **named)  # type: ignore[arg-type]  # as the port

    def end(self, channel: str) -> int:
        self.wake()
        return super().end(channel)

    def wake(self) -> None:
        if not self.is_working and self.dice.random() < self.often:
            self.is_working = True
            self.work()
            self.is_working = False


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.founded(tmp_path_factory.mktemp("workshop"))


@pytest.mark.parametrize("seed", range(6))
def test_an_exchange_that_goes_on_while_it_is_verified_is_accused_of_nothing(
    founded: Workshop, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311  # when somebody works, no secret
    shop = founded.copied(tmp_path)
    steps = work_of(shop, dice)
    live = Live(shop.there, dice, 0.2, lambda: next(steps))
    memory = Memory(ROOT.digest.hex())
    before = sum(map(len, shop.there.values()))
    for _ in range(5):
        assert look(shop, live, None).findings == []
        assert look(shop, live, memory).findings == []
    assert sum(map(len, shop.there.values())) > before, "nobody worked"
    # When all rest, nothing of it was left out.
    live.often = 0.0
    assert comparable(look(shop, live, memory)) == comparable(look(shop, live, None))
    ends = {each.channel: each.entries for each in look(shop, live, None).channels}
    assert ends == {name: len(shop.there[name]) for name in ends}


def look(shop: Workshop, live: Live, memory: Memory | None) -> Report:
    return verified_by(live, ROOT, threads=1, page=7, facts_keys=keys(shop, *EVERYBODY), memory=memory)


def work_of(shop: Workshop, dice: random.Random) -> Iterator[None]:
    """Let cases come and be decided, a bit each time."""
    for number in range(1, 1000):
        _, theirs = asked(shop, pupil=another_pupil(number))
        yield from moved(shop, dice)
        examined(shop, theirs)
        yield from moved(shop, dice)
        recommended(shop, theirs)
        yield from moved(shop, dice)
        answered(shop, theirs)
        yield from moved(shop, dice)


def moved(shop: Workshop, dice: random.Random) -> Iterator[None]:
    for _ in range(3):
        for name in dice.sample(sorted(shop.members), len(shop.members)):
            shop.members[name].work()
            yield

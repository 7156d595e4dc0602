"""Running many seeds, on all processors, with a count of what really happened."""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from tests.simulation import founding
from tests.simulation.plan import ALL_FAULTS, ALL_LIVES
from tests.simulation.remembering import remember
from tests.simulation.story import Told, tell

__all__ = ["MANY", "SEEDS_FILE", "Outcome", "kept_seeds", "run_seeds"]

SEEDS_FILE: Final = Path(__file__).with_name("seeds.txt")
"""Seeds that once found something: number, then what it was."""

MANY: Final = 1_000
"""In so many seeds everything has to have happened."""

_AT_ONCE: Final = 10
_WAITING: Final = 4


@dataclass
class Outcome:
    """How many seeds were run, how often each fault happened in them, and the seeds in which something is broken."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    lived: Counter[str] = field(default_factory=Counter)
    broken: list[Told] = field(default_factory=list)

    @property
    def never(self) -> list[str]:
        """What never happened, although that many seeds were run that it has to; a fault that never strikes tests nothing."""
        if self.seeds < MANY:
            return []
        return [*(each for each in ALL_FAULTS if not self.counts[each]), *(each for each in ALL_LIVES if not self.lived[each])]

    def add(self, told: Told) -> None:
        self.seeds += 1
        self.counts.update(told.counts)
        self.lived.update(told.lived)
        if told.broken is not None:
            self.broken.append(told)


def run_seeds(seeds: Iterable[int], *, jobs: int, tell_more: Callable[[int], None] = lambda _: None) -> Outcome:
    """Run seeds in ``jobs`` processes; ``tell_more`` is told how many were done since it was told last."""
    outcome, left = Outcome(), iter(seeds)
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=founding.ram()) as folder:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(folder,)) as pool:
            running: set[Future[list[Told]]] = set()
            while True:
                running |= {pool.submit(_told, chunk) for chunk in islice(_chunks(left), _WAITING * jobs - len(running))}
                if not running:
                    return outcome
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    found = each.result()
                    for told in found:
                        outcome.add(told)
                    tell_more(len(found))


def kept_seeds() -> list[int]:
    """Return the seeds that once found something."""
    return [int(line.split()[0]) for line in SEEDS_FILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def _begin(folder: str) -> None:
    founding.keep_in(folder)
    remember()
    # A seed leaves little behind, and is looked through when it is over: nothing of it is alive then that would be kept warm.
    gc.freeze()
    gc.disable()


def _chunks(seeds: Iterator[int]) -> Iterator[list[int]]:
    while chunk := list(islice(seeds, _AT_ONCE)):
        yield chunk


def _told(seeds: list[int]) -> list[Told]:
    # What went well needs no trace: a long run would carry all of them from process to process.
    found = []
    for seed in seeds:
        told = tell(seed)
        found.append(told if told.broken is not None else Told(told.seed, (), told.counts, told.lived, None))
        gc.collect(0)
    return found

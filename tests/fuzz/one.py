"""Fuzzes one target in this process: `python -m tests.fuzz.one TARGET FOLDER [options of libFuzzer]`.

The product is imported under instrumentation, so that the fuzzer sees which inputs reach further. In FOLDER
stand `corpus/`, into which the seeds are put first, `findings/`, and `tally`, a file of two numbers: inputs, and how many of
them were taken. Whoever started this reads it while it runs, since the process ends without a word to Python.
"""

from __future__ import annotations

import gc
import mmap
import resource
import struct
import sys
from hashlib import sha1, sha256
from pathlib import Path
from random import Random
from typing import Final

import atheris
from atheris.import_hook import instrument_imports

with instrument_imports(include=["services", "fastavro"]):
    from tests.fuzz.target import FindingError, Target
    from tests.fuzz.targets import load_target

    TARGET: Final = load_target(sys.argv[1])

__all__ = ["TALLY"]

TALLY: Final = struct.Struct("<QQ")
_WARM_UP: Final = 2_000
_PEAK_KIB: Final = 64 * 1024
_LOOK_EVERY: Final = 20_000
_GROWTH_BLOCKS: Final = 20_000
_FROM_A_SEED: Final = 0.25


class Watch:
    """Runs one target's check on input after input, counts, and watches what the process keeps and asks for."""

    def __init__(self, target: Target, tally: mmap.mmap, findings: Path) -> None:
        self.target, self.tally, self.findings = target, tally, findings
        self.inputs = self.taken = 0
        self.peak_kib = self.blocks = 0

    def run(self, data: bytes) -> None:
        """Check one input; the fuzzer's entrance."""
        try:
            self.taken += self.target.check(data)
            self.inputs += 1
            TALLY.pack_into(self.tally, 0, self.inputs, self.taken)
            self._watch_peak()
            if self.inputs % _LOOK_EVERY == 0:
                self._watch_growth()
        except BaseException:
            # The fuzzer writes the same file, under the same name, while the process ends; its alarm clock can cut that short.
            (self.findings / f"crash-{sha1(data, usedforsecurity=False).hexdigest()}").write_bytes(data)
            raise

    def _watch_peak(self) -> None:
        # The limit of libFuzzer on one allocation needs a sanitizer, which Python has not; the peak of the process shows it.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if self.peak_kib and self.inputs > _WARM_UP and peak - self.peak_kib > _PEAK_KIB:
            raise FindingError(f"one input made the process grow by {(peak - self.peak_kib) // 1024} MiB")
        self.peak_kib = peak

    def _watch_growth(self) -> None:
        # What Python itself holds: the corpus of the fuzzer, which grows by nature, is not among it.
        gc.collect()
        blocks = sys.getallocatedblocks()
        if not self.blocks:
            self.blocks = blocks
        elif blocks - self.blocks > _GROWTH_BLOCKS:
            raise FindingError(f"{blocks - self.blocks} more objects are kept than after {_LOOK_EVERY} inputs")


def main() -> None:
    """Fuzz until the fuzzer's options say that it is enough; does not return."""
    folder, options = Path(sys.argv[2]), sys.argv[3:]
    corpus, findings, tally = folder / "corpus", folder / "findings", folder / "tally"
    for each in (corpus, findings):
        each.mkdir(parents=True, exist_ok=True)
    seeds = TARGET.seeds()
    for seed in seeds:
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    tally.write_bytes(bytes(TALLY.size))
    with tally.open("r+b") as file:
        watch = Watch(TARGET, mmap.mmap(file.fileno(), TALLY.size), findings)

    def raw(data: bytes, limit: int) -> bytes:
        # Looked up each time: the set-up below puts another one in its place.
        return atheris.Mutate(data, limit)

    def mutate(data: bytes, limit: int, number: int) -> bytes:
        rng = Random(number)  # noqa: S311  # nothing is kept secret by it
        # What the fuzzer keeps is mostly refused early; from a seed a single change is more often taken.
        begun = rng.choice(seeds) if rng.random() < _FROM_A_SEED else data
        return TARGET.mutate(begun, rng, raw)[:limit]

    options += [f"-max_len={TARGET.limit_bytes}", f"-artifact_prefix={findings}/", str(corpus)]
    atheris.Setup([sys.argv[0], *options], watch.run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""What a run shows: a bar while it lasts, and in the end the table of which processes were killed, and where in their work."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import Final

from tests.kills.watching import Phase

__all__ = ["Bar", "table"]

_WIDTH: Final = 40


@dataclass(slots=True)
class Bar:
    """A bar of progress on a terminal, else a line each twentieth. Without a thread, unlike the command's: this process forks."""

    whole: int
    done: int = 0
    _shown: int = -1

    def add(self, number: int) -> None:
        """Show that so many more are done."""
        self.done += number
        is_terminal = sys.stderr.isatty()
        parts = min(self.done, self.whole) * (_WIDTH if is_terminal else 20) // self.whole
        if parts == self._shown and not is_terminal:
            return
        self._shown = parts
        if is_terminal:
            bar = "#" * parts + "." * (_WIDTH - parts)
            sys.stderr.write(f"\rKilling [{bar}] {self.done}/{self.whole}" + ("\n" if self.done >= self.whole else ""))
        else:
            sys.stderr.write(f"{self.done} of {self.whole} kills\n")
        sys.stderr.flush()


def table(tally: Counter[tuple[str, Phase]]) -> str:
    """Return the kills, a line a kind of process, a column a phase."""
    kinds = sorted({kind for kind, _ in tally})
    width = max([len(kind) for kind in kinds] + [10])
    heads = [phase.value for phase in Phase]
    lines = [" " * width + "  " + "  ".join(heads)]
    for kind in [*kinds, "all"]:
        numbers = [_sum(tally, kind, phase) for phase in Phase]
        cells = "  ".join(f"{number:>{len(head)}}" for number, head in zip(numbers, heads, strict=True))
        lines.append(f"{kind:<{width}}  {cells}")
    return "\n".join(lines)


def _sum(tally: Counter[tuple[str, Phase]], kind: str, phase: Phase) -> int:
    return sum(number for (each, where), number in tally.items() if where is phase and kind in (each, "all"))

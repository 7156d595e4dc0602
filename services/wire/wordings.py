"""The official sentences of the commission's answer to a school, by number.

The yes is the exact sentence of the published procedure and must never change under its number; a new sentence gets a new
number. The procedure gives no sentence for the no: ours is a proposal until the commission confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.wire.events import Answer

__all__ = ["WORDINGS", "Wording", "wording_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One official sentence, without quotation marks, and the answer that it gives."""

    answer: Answer
    text: str


WORDINGS: Final[Mapping[int, Wording]] = MappingProxyType(
    {
        1: Wording(answer=Answer.YES, text="Jā, skolēnam ir sniegts ieteikums par asistenta pakalpojuma nepieciešamību"),
        2: Wording(answer=Answer.NO, text="Nē, skolēnam nav sniegts ieteikums par asistenta pakalpojuma nepieciešamību"),
    }
)


def wording_of(answer: Answer) -> int:
    """Return the number of the sentence that gives ``answer`` now.

    Raises: ValueError for ``Answer.UNKNOWN``, which nobody gives.
    """
    for number, wording in WORDINGS.items():
        if wording.answer is answer:
            return number
    raise ValueError("only a yes and a no have a wording")

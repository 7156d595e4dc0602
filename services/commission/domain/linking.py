"""A case that rests on an earlier one of the same pupil, as it stands with that one: it follows what is decided there.

Two requests about one pupil have one assessment and one recommendation, and an answer each.
Source: domain.md D.5, 6; E13.
"""

from __future__ import annotations

from dataclasses import replace

from services.commission.domain.case import CommissionCase

__all__ = ["seen_with"]


def seen_with(case: CommissionCase, primary: CommissionCase | None) -> CommissionCase:
    """Return a case as it stands with the one that ``case.linked`` names; None where that is not here.

    One that is not answered stands by itself where nothing comes of the earlier one any more: that was withdrawn, returned or
    closed without an outcome, or nobody was found there. Else its school would wait for ever (D.5, 6 and 7).
    """
    if case.linked is None:
        return case
    if case.answer is None and (primary is None or not primary.may_answer_linked):
        return replace(case, linked=None)
    return replace(case, primary=primary)

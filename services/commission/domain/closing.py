"""The end of an assessment, in the one order in which it is written: the record first, then the word to the school that waits."""

from __future__ import annotations

from services.commission.domain.case import CommissionCase
from services.post.history import BEFORE, New
from services.wire.events import AssessmentCause, AssessmentClosed, RequestClosed

__all__ = ["closed_with_word"]


def closed_with_word(case: CommissionCase, cause: AssessmentCause) -> tuple[New, ...]:
    """Return the events of an assessment that is closed; a school that waits for an answer is told that none will come (D.3).

    The word to the school rests on the closing, whatever closed it.
    """
    closed = New(facts=AssessmentClosed(cause=cause))
    if case.request is None or case.answer is not None:
        return (closed,)
    return (closed, New(facts=RequestClosed(basis=BEFORE), in_reply_to=case.request.body))

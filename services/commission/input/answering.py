"""The forms of answers: to the school, their corrections, revocations, and the contest of a refusal."""

from __future__ import annotations

from typing import Annotated

from services.commission.input.deciding import RecommendationInput
from services.policy.fields import ActDay, FullText, Name, PastDay
from services.policy.forms import Form, known
from services.wire.events import RevocationReason

__all__ = ["AnswerInput", "ContestInput", "CorrectionInput", "HeadDecisionInput", "RevocationInput"]


class AnswerInput(Form):
    """Who answers the school; what the answer is follows from the case."""

    official: Name


class CorrectionInput(Form):
    """A correction of what was issued or refused: its text, and whether yes and no change by it.

    ``recommendation`` is filled in exactly where a refusal becomes a yes. Who signs the corrected answer is ``official``.
    """

    text: FullText
    answer_changed: bool
    official: Name
    recommendation: RecommendationInput | None = None


class RevocationInput(Form):
    """A recommendation that holds no longer from ``effective_on``; reason and words are for the family alone.

    Until a day that is still to come it would hold on, and be sent, answered and expire: it is revoked when that day has come.
    """

    effective_on: PastDay
    reason: Annotated[RevocationReason, known(RevocationReason)]
    text: FullText


class ContestInput(Form):
    """The commission's refusal contested; ``term_restored``: it was late, and the term was restored on reasons (L-8)."""

    on: ActDay
    text: FullText
    term_restored: bool = False


class HeadDecisionInput(Form):
    """What the head of the commission decided on a contest."""

    on: ActDay
    text: FullText

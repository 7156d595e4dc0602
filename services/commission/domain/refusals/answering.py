"""What refuses an answer, its correction, a revocation and a contest; each leaf names the broken rule."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "AlreadyAnsweredError",
    "AlreadyContestedError",
    "ContestedError",
    "CorrectedAlreadyError",
    "LateContestError",
    "NoRefusalError",
    "NotContestedError",
    "NothingToAnswerError",
    "NothingToCorrectError",
    "NothingToRevokeError",
    "RecommendationNeededError",
    "RecommendationNotNeededError",
]


class NothingToAnswerError(RefusedError):
    """No yes without a recommendation issued, no no without one refused."""

    def __init__(self) -> None:
        super().__init__("The recommendation is neither issued nor refused yet, so there is no answer to give.")


class AlreadyAnsweredError(RefusedError):
    """A request is answered once."""

    def __init__(self) -> None:
        super().__init__("The school has its answer already. A changed answer is a correction, not a second answer.")


class NothingToCorrectError(RefusedError):
    """Only a recommendation or a refusal that stands is corrected."""

    def __init__(self) -> None:
        super().__init__("There is neither a recommendation nor a refusal here that stands, so there is nothing to correct.")


class RecommendationNeededError(RefusedError):
    """A yes rests on a recommendation that was issued (D.3, I4)."""

    def __init__(self) -> None:
        super().__init__("A refusal becomes a yes only with a recommendation: fill in recommendation, and answer_changed.")


class RecommendationNotNeededError(RefusedError):
    """A correction that does not make a yes out of a no issues nothing (D.5, 13 and 17)."""

    def __init__(self) -> None:
        super().__init__("Nothing is issued by this correction. Leave recommendation out.")


class CorrectedAlreadyError(RefusedError):
    """The same correction is made once."""

    def __init__(self) -> None:
        super().__init__("This correction is recorded already. Nothing more is needed.")


class NothingToRevokeError(RefusedError):
    """Only a recommendation that holds is revoked (D.5, 13)."""

    def __init__(self) -> None:
        super().__init__("There is no recommendation in this case that holds, so there is nothing to revoke.")


class NoRefusalError(RefusedError):
    """Only the commission's own refusal is contested here (L-8); a school's decision is contested elsewhere."""

    def __init__(self) -> None:
        super().__init__("The commission has refused nothing in this case, so there is nothing to contest.")


class AlreadyContestedError(RefusedError):
    """A refusal is contested once."""

    def __init__(self) -> None:
        super().__init__("This refusal is contested already, or that was decided.")


class NotContestedError(RefusedError):
    """Only what was contested is upheld or set aside."""

    def __init__(self) -> None:
        super().__init__("The refusal is not contested, or that was decided already.")


class LateContestError(RefusedError):
    """A refusal is contested within one month from its notification; a missed term may be restored (L-8)."""

    def __init__(self) -> None:
        super().__init__("The month from the notification is over. If the term was restored on reasons, say so in term_restored.")


class ContestedError(RefusedError):
    """While a refusal is contested, its head decides and nobody else."""

    def __init__(self) -> None:
        super().__init__("The refusal is contested: first it has to be upheld or set aside.")

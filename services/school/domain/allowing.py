"""What has to be true of a case before any act in it: asked first by every act, and by the outlook that lists what is allowed."""

from __future__ import annotations

from services.school.domain import refusals, refusals_serving
from services.school.domain.folded import SchoolCase
from services.school.domain.parts import ENDED, Decision
from services.wire.events import ApplicationFiled
from services.wire.hashing import Digest

__all__ = ["require_application", "require_going_on", "require_granted", "require_undecided"]


def require_application(case: SchoolCase) -> tuple[ApplicationFiled, Digest]:
    """Return the application and the body of its event. Raises: NoApplicationError."""
    if case.application is None or case.application_body is None:
        raise refusals.NoApplicationError
    return case.application, case.application_body


def require_going_on(case: SchoolCase) -> ApplicationFiled:
    """Return the application of a case that has not ended. Raises: NoApplicationError; CaseEndedError (domain.md D.2)."""
    filed, _ = require_application(case)
    if case.state in ENDED:
        raise refusals.CaseEndedError(case.state.value, is_left_alone=case.left_alone_on is not None)
    return filed


def require_granted(case: SchoolCase) -> Decision:
    """Return the decision that grants the service. Raises: NotGrantedError; as ``require_going_on``."""
    require_going_on(case)
    # A3.4, A3.5: granting and agreeing are two acts, in this order.
    if case.decision is None or case.decision.is_refusal:
        raise refusals_serving.NotGrantedError
    return case.decision


def require_undecided(case: SchoolCase) -> ApplicationFiled:
    """Return the application of a case in which no decision stands. Raises: DecidedAlreadyError; as ``require_going_on``."""
    filed = require_going_on(case)
    if case.decision is not None:
        raise refusals.DecidedAlreadyError
    return filed

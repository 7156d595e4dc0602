"""Assistants: who is proposed, and the CV that shows experience with people with disability (A3.1 to A3.3, A3.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.policy.providing import Experience, may_assist
from services.policy.rules import Rules
from services.post.history import New
from services.school.domain import refusals_serving
from services.school.domain.allowing import require_granted
from services.school.domain.folded import SchoolCase
from services.school.domain.service import Proposal
from services.school.input import AssistantForm, CvForm
from services.wire.events import (
    Assistant,
    AssistantCvAnnexed,
    AssistantCvAnnexedPersonal,
    AssistantProposed,
    AssistantProposedPersonal,
    Background,
)

__all__ = ["GUARDS", "annex_cv", "propose_assistant", "require_evidence"]

_QUALIFIED: Final = (Background.TEACHER, Background.MEDICAL_PRACTITIONER)


def propose_assistant(
    case: SchoolCase, form: AssistantForm, *, assistant: int, standing: AssistantProposedPersonal | None = None
) -> tuple[New, ...]:
    """Return the event of a person proposed; ``assistant`` is the school's number of this person, whatever the case.

    ``standing`` is what was opened of the newest proposal of this person in this case, None if there is none.
    Raises: as ``require_granted``; ProposedAlreadyError.
    """
    require_granted(case)
    facts = AssistantProposed(assistant=assistant, background=form.background)
    person = Assistant(given_name=form.given_name, family_name=form.family_name, personal_code=form.personal_code)
    personal = AssistantProposedPersonal(person=person)
    earlier = case.service.proposal(assistant)
    if earlier is not None and earlier.facts == facts and standing == personal:
        raise refusals_serving.ProposedAlreadyError(assistant)
    return (New(facts=facts, personal=personal),)


def annex_cv(case: SchoolCase, form: CvForm, *, standing: AssistantCvAnnexedPersonal | None = None) -> tuple[New, ...]:
    """Return the event of a CV annexed, whatever it shows: what it lacks is asked when an agreement is concluded.

    ``standing`` is what was opened of the CV that is there, None if there is none.
    Raises: as ``require_granted``; NobodyProposedError; AssistantUnknownError; CvAnnexedError.
    """
    _may_annex(case)
    proposal = require_proposed(case, form.assistant)
    facts = AssistantCvAnnexed(
        assistant=form.assistant,
        work_experience=form.work_experience,
        contact_experience=form.contact_experience,
        training_hours=form.training_hours,
        parts=(),
    )
    personal = AssistantCvAnnexedPersonal(cv=form.cv)
    if proposal.cv == facts and standing == personal:
        raise refusals_serving.CvAnnexedError(form.assistant)
    return (New(facts=facts, personal=personal),)


def _may_annex(case: SchoolCase) -> None:
    require_granted(case)
    if not case.service.proposals:
        raise refusals_serving.NobodyProposedError


def require_proposed(case: SchoolCase, assistant: int) -> Proposal:
    """Return the proposal of an assistant.

    Raises: AssistantUnknownError.
    """
    proposal = case.service.proposal(assistant)
    # A3.3: naming somebody is free, but an agreement is with somebody who was named.
    if proposal is None:
        raise refusals_serving.AssistantUnknownError(assistant)
    return proposal


def require_evidence(case: SchoolCase, assistant: int, rules: Rules, *, strict_experience: bool) -> None:
    """Return if the CV of an assistant is annexed and shows what is asked for.

    Work or contact experience by default, for that is what the CV has to show (A3.7); both where ``strict_experience`` reads
    the requirement on the person as it is written (A3.1).
    Raises: AssistantUnknownError; CvMissingError; CvWithoutEvidenceError.
    """
    proposal = require_proposed(case, assistant)
    # A3.7: the CV is annexed to the agreement.
    if proposal.cv is None:
        raise refusals_serving.CvMissingError(assistant)
    experience = Experience(
        work=proposal.cv.work_experience,
        contact=proposal.cv.contact_experience,
        qualification=proposal.facts.background in _QUALIFIED,
    )
    # D.5, 27: no agreement without evidence; the decision to grant is not touched.
    if not may_assist(rules, experience, strict_experience=strict_experience):
        raise refusals_serving.CvWithoutEvidenceError(assistant)


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "propose-assistant": lambda case, _: require_granted(case),
    "annex-cv": lambda case, _: _may_annex(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""

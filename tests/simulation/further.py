"""What people do where the first answer ends: any act that a case allows, by the participant's own word.

What a case says that it allows has to be done: it may be refused only for what its form says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final
from uuid import UUID

from services.commission.acts import ACTS as COMMISSION_ACTS
from services.commission.application import Commission
from services.policy.forms import Form
from services.post.cases import history_of
from services.post.history import Recorded
from services.post.office import day_of
from services.post.opening import NotReadableError
from services.post.rows import outlook_of
from services.post.saving import Saved
from services.school.acts import ACTS as SCHOOL_ACTS
from services.school.application import School
from services.school.domain.refusals import NoApplicationError
from services.school.input import SchoolForm
from services.wire.channels import Role
from services.wire.events import AgreementConcluded, ApplicationFiled, AssistantProposed
from tests.simulation.forms import Given, filled_in
from tests.simulation.site import Process

__all__ = ["FOR_ITS_FORM", "FURTHER", "describes", "does", "goes_on"]

FURTHER: Final = 0.4
"""How often people look what a case allows, and do that."""

_OF_WHAT_WAS_TYPED: Final = (
    "AddressUnchangedError",
    "AgreementBeforeDecisionError",
    "AgreementStandsError",
    "AgreementUnknownError",
    "AssistantUnknownError",
    "BasisLostError",
    "BeforeServiceError",
    "CloseCauseError",
    "CorrectedAlreadyError",
    "CvAnnexedError",
    "CvMissingError",
    "CvWithoutEvidenceError",
    "DateOrderError",
    "DispatchWayError",
    "DocumentMissingError",
    "EvaluatedAlreadyError",
    "ExaminedAlreadyError",
    "FoundIncompleteAlreadyError",
    "GroundNotFoundError",
    "GroundNotShownError",
    "HandedBeforeReceivedError",
    "HoursOutsideAgreementError",
    "HoursReportedAlreadyError",
    "InstructionMissingError",
    "LeftBeforeFiledError",
    "LetterReceivedError",
    "LetterUnknownError",
    "MonthCapError",
    "NotAskedForError",
    "NotMissingError",
    "NotSentError",
    "NothingChangedError",
    "NothingToHoldError",
    "NoRepresentativeError",
    "OfAgeRepresentedError",
    "OpposedAlreadyError",
    "OtherRepresentativeError",
    "ProposedAlreadyError",
    "ProtectedAddressError",
    "RecommendationNeededError",
    "RepresentativeStandsError",
    "ResumedBeforeSuspendedError",
    "ReturnGroundError",
    "RulesNotInForceError",
    "ScreenedAlreadyError",
    "SignatureOnPaperError",
    "SignatureRecordedError",
    "SuppliedAlreadyError",
    "TermNotLongerError",
    "TermTooLongError",
    "TooManyHoursError",
    "VariantStandsError",
    "WithdrawnBeforeFiledError",
)
_OF_WHAT_STANDS_ELSEWHERE: Final = (
    "AlreadyAnsweredError",
    "DecidedElsewhereError",
    "DuplicateOfItselfError",
    "DuplicateSaysMoreError",
    "FirstProceedsError",
    "LinkAsksError",
    "LinkOrderError",
    "NothingToAnswerError",
    "NotSamePupilError",
    "OtherPupilError",
    "PrimaryEndedError",
    "PupilAskedAboutError",
    "RegisterMissingError",
    "SchoolNotDescribedError",
    "NotOfAgeError",
)
"""In other cases, in the school's own stream, in a register, or in what is personal."""

_OF_A_GRANT: Final = (
    "BasisEndedError",
    "IrpCopyOutstandingError",
    "NotEligibleError",
    "NotEvaluatedError",
    "NotScreenedError",
    "RecommendationMissingError",
    "SignatureNotValidatedError",
)
"""A grant asks for more than a refusal does."""

FOR_ITS_FORM: Final = frozenset((*_OF_WHAT_WAS_TYPED, *_OF_WHAT_STANDS_ELSEWHERE, *_OF_A_GRANT))
"""The rules that are asked when the form is known; what a case does not allow at all is no more than a list's mistake."""

_MOSTLY: Final = 0.75
_FORWARD: Final = (
    "signature",
    "screen",
    "evaluate",
    "decide",
    "notify",
    "propose-assistant",
    "annex-cv",
    "conclude",
    "report-hours",
    "issue-opinion",
    "attended",
    "reopen",
)
"""What brings a case to its service; all else is done as well, and seldom leads anywhere."""

_ONE_GOES_ON: Final = 0.3
"""How often a clerk who sees two cases of a pupil makes one the duplicate of the other."""

_LEFT_OUT: Final = ("look-up",)
"""What needs a register of files that nobody has here."""


def goes_on(process: Process, rng: Random, case_id: UUID) -> tuple[str, Callable[[], Sequence[Saved]]] | None:
    """Return one of the acts that a case allows now, as its participant says; None if there is none."""
    office = process.office
    history = history_of(office, office.store.stream(case_id))
    # By the machine's clock: asking the office's port for it is a moment at which a process may be killed.
    allowed = outlook_of(office, case_id, history, day_of(process.site.now())).allowed
    names = [each.act for each in allowed if each.act not in _LEFT_OUT]
    if not names:
        return None
    others = _of_one_pupil(process, case_id) if "link-duplicate" in names else ()
    forward = [each for each in names if each in _FORWARD]
    name = rng.choice(forward if forward and rng.random() < _MOSTLY else names)
    if len(others) > 1 and rng.random() < _ONE_GOES_ON:
        name = "link-duplicate"
    return name, does(process, case_id, name, filled_in(office.participant, name, _given(process, rng, history, others)))


def _of_one_pupil(process: Process, case_id: UUID) -> Sequence[str]:
    """Return the cases of a case's pupil at a school, itself too, as a clerk finds them; itself alone where it does not open."""
    clerk = School(process.office)
    try:
        others = clerk.others_of(case_id, clerk.codes(case_id, clerk.case(case_id)))
    except (NoApplicationError, NotReadableError):
        others = []
    return [each.hex for each in (case_id, *others)]


def does(process: Process, case_id: UUID, name: str, form: Form | None) -> Callable[[], Sequence[Saved]]:
    """Return the use case of an act in a case, with its form."""
    office = process.office
    acts = COMMISSION_ACTS if office.role is Role.COMMISSION else SCHOOL_ACTS
    clerk = Commission(office) if office.role is Role.COMMISSION else School(office)
    arguments = (case_id,) if form is None else (case_id, form)
    return lambda: getattr(clerk, acts[name].method)(*arguments)


def describes(process: Process, rng: Random) -> Callable[[], Sequence[Saved]]:
    """Return the act by which a school says what it is; it belongs to no case."""
    form = filled_in(process.office.participant, "describe", Given(rng, day_of(process.site.now())))
    assert isinstance(form, SchoolForm)
    return lambda: School(process.office).describe(form)


def _given(process: Process, rng: Random, history: Sequence[Recorded], cases: Sequence[str]) -> Given:
    proposed = [event.facts.assistant for event in history if isinstance(event.facts, AssistantProposed)]
    agreed = [event.facts.agreement for event in history if isinstance(event.facts, AgreementConcluded)]
    filed = [event.facts.received_on for event in history if isinstance(event.facts, ApplicationFiled)]
    return Given(
        rng,
        day_of(process.site.now()),
        filed_on=filed[0] if filed else None,
        assistant=rng.choice(proposed) if proposed else 1,
        agreement=rng.choice(agreed) if agreed else 1,
        cases=cases,
    )

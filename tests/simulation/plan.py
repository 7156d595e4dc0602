"""The plan of a seed: which kinds of faults it draws, of all that there are.

A fault is counted when it has really happened, never when it was merely prepared.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.simulation import careless, faults, faults_disk, faults_log, faults_people
from tests.simulation.lasting import LASTING
from tests.simulation.ports import MOMENTS, RARE
from tests.simulation.world import World

__all__ = ["ALL_FAULTS", "ALL_LIVES", "FAULTS", "LOG_WAYS", "Plan"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault, and how it strikes."""

    name: str
    strike: Callable[[World], None]


LOG_WAYS: Final = (
    "append refused",
    "append late",
    "answer of an append lost",
    "records reordered",
    "records repeated",
    "poll without an answer",
    "poll cut short",
)
"""Ways in which a single call of the log goes wrong: by a rate, at whatever moment it is made."""

FAULTS: Final = (
    Fault("killed", faults.kill),
    Fault("killed in a start", faults.kill_start),
    Fault("killed at work", faults.kill_at_work),
    Fault("old records come again", faults.repeat),
    Fault("junk", faults.junk),
    Fault("foreign records", faults.foreign),
    Fault("log truncated", faults_log.truncate),
    Fault("log rolled back", faults_log.roll_back),
    Fault("database restored", faults_disk.restore),
    Fault("ring key of an older generation", faults_disk.ring_key_of_old),
    Fault("disk full", faults_disk.disk_full),
    Fault("two workers", faults_disk.two_workers),
    Fault("clock jumps", faults_disk.skew_clock),
    Fault("ten years pass", faults_disk.age),
    Fault("facts key late", faults_people.key_late),
    Fault("away", faults_people.stay_away),
    Fault("rotation", faults_people.rotate),
    Fault("fork", faults_people.fork),
    Fault("registrar robbed", faults_people.rob_registrar),
    Fault("what must be refused", careless.careless),
)

ALL_FAULTS: Final = (
    *LOG_WAYS,
    *(f"killed: {moment}" for moment in (*MOMENTS, *RARE)),
    *(f"said past the rules: {each}" for each in careless.SAYINGS),
    "a key is lost",
    "a second worker began",
    "auditor removed",
    "away for ten weeks",
    "certificate rotated amid unsent entries",
    "clock jumps an hour back",
    "clock jumps an hour forward",
    "clock jumps ten years back",
    "clock jumps ten years forward",
    "database restored",
    "database restored, keys made since",
    "disk full at commit",
    "epoch opened",
    "facts key late by days",
    "foreign records",
    "forked by a thief",
    "junk",
    "killed in a start",
    "log rolled back",
    "log truncated",
    "old records come again",
    "registrar robbed",
    "ring key of an older generation",
    "ten years pass",
    "two workers",
)
"""Everything that is counted when it goes wrong: each has to have happened in a long run."""

ALL_LIVES: Final = (
    "AgreementConcluded",
    "ApplicationFiled",
    "ApplicationFoundIncomplete",
    "ApplicationWithdrawn",
    "AssessmentClosed",
    "AssistantCvAnnexed",
    "AssistantProposed",
    "CaseClosed",
    "ConfirmationCorrected",
    "ConfirmationCorrected, at its reader",
    "ConfirmationEnded",
    "ConfirmationEnded, at its reader",
    "ConfirmationGiven No",
    "ConfirmationGiven No, at its reader",
    "ConfirmationGiven Yes",
    "ConfirmationGiven Yes, at its reader",
    "ConsentRecorded",
    "ConsentWithdrawn",
    "DeadlinePassed",
    "DecisionNotified",
    "DeliveryAddressChanged",
    "DeliveryAddressChanged, at its reader",
    "DeliveryAddressChosen",
    "DeliveryConfirmed",
    "DeliveryFailed",
    "DocumentsDispatched",
    "DocumentsEvaluated",
    "DuplicateLinked",
    "EligibilityScreened",
    "ExpertiseFileExamined",
    "HoursReported",
    "IdentityNotMatched",
    "IdentityNotMatched, at its reader",
    "InformationRequested",
    "InformationRequested, at its reader",
    "IrpIssued",
    "OpposingStatementRecorded",
    "PersonDataCorrected",
    "PupilLeftSchool",
    "RecommendationCorrected",
    "RecommendationIssued",
    "RecommendationRefused",
    "RecommendationRevoked",
    "RefusalContested",
    "Rejected",
    "Rejected, at its reader",
    "RepresentativeChanged",
    "RequestClosed",
    "RequestClosed, at its reader",
    "RequestCorrected",
    "RequestCorrected, at its reader",
    "RequestRegistered",
    "RequestReturned",
    "RequestReturned, at its reader",
    "RequestWithdrawn",
    "RequestWithdrawn, at its reader",
    "SchoolDecisionMade",
    "SignatureValidated",
    "TermExtended",
    "a case brought to its answer after quiet",
    "a case brought to its refusal after quiet",
    "a case brought to its service after quiet",
    "a checkpoint that the log bears out",
    "an entry proved from the log alone",
    "an entry proved under a checkpoint",
    "an event refused, and its writer told why",
    "facts closed after an auditor's access had ended",
    "facts that an auditor opens",
    "facts that nobody let an auditor open",
    "said past the rules, and found by an auditor",
    *(f"lasted, and was told: {each}" for each in LASTING),
)
"""What people have to have lived through in a long run."""

_HOPELESS: Final = "registrar robbed"
_BESIDE_IT: Final = ("killed", "old records come again", "disk full", "facts key late", "what must be refused")

_RATES: Final = (0.02, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Plan:
    """What may go wrong in a seed: few kinds, so that many seeds see each pair of them, and none hides behind another."""

    rates: dict[str, float]
    faults: tuple[Fault, ...]
    is_meddled_with: bool

    @classmethod
    def drawn(cls, rng: random.Random, only: tuple[str, ...] = ()) -> Plan:
        """Return the plan that a seed draws; ``only`` makes it these kinds, for whoever looks for something."""
        if only:
            return cls({}, tuple(fault for fault in FAULTS if fault.name in only), is_meddled_with=False)
        ways = rng.sample(LOG_WAYS, rng.choice((0, 0, 1, 2, 3)))
        kinds = rng.sample(FAULTS, rng.choice((0, 1, 2, 2, 3, 4)))
        if any(fault.name == _HOPELESS for fault in kinds):
            # Nothing that needs the registrar afterwards, or that would hide behind it.
            kinds = [fault for fault in kinds if fault.name in (_HOPELESS, *_BESIDE_IT)]
        return cls({way: rng.choice(_RATES) for way in ways}, tuple(kinds), rng.random() < 0.5)

    def __str__(self) -> str:
        meddled = ["others go on during a call"] if self.is_meddled_with else []
        return ", ".join([*self.rates, *(fault.name for fault in self.faults), *meddled]) or "nothing"

"""Which rules may still refuse what the outlook offered: by what the form says, what is personal, or another case of the house.

The outlook sees none of the three. A rule that it could have known of its case and its day stands in no line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["FORM_RULES"]

FORM_RULES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        name: frozenset(rules.split())
        for name, rules in {
            "commission close": "CloseCause NotSent",
            "commission contest": "LateContest",
            "commission correct-recommendation": "CorrectedAlready DateOrder IrpMissing IrpWithoutNeed OpinionNotValid",
            "commission dispatch": "DispatchWay ProtectedAddress",
            "commission examine": "ExaminedAlready",
            "commission extend-term": "TermTooLong TermNotLonger",
            "commission link": "LinkAsks LinkOrder NotSamePupil",
            "commission recommend": "DateOrder OpinionNotValid",
            "commission redispatch": "DispatchWay ProtectedAddress",
            "commission refuse": "GroundNotShown",
            "commission return-request": "ReturnGround",
            "school address": "AddressUnchanged NothingToHold",
            "school amend": "AgreementStands AssistantUnknown CvMissing CvWithoutEvidence SignaturesMissing TooManyHours",
            "school annex-cv": "AssistantUnknown CvAnnexed",
            "school came-of-age": "NotOfAge",
            "school change-variant": "VariantStands",
            "school change-representative": "OfAgeRepresented RepresentativeStands",
            "school conclude": "AgreementStands AssistantUnknown BasisLost CvMissing CvWithoutEvidence SignaturesMissing"
            " TooManyHours",
            "school contest": "ContestLate",
            "school correct": "NewCodeFormat NoNewCode NothingChanged",
            # A grant has more guards than a refusal, and a refusal needs its ground: which it is to be, the form says.
            "school decide": "BasisEnded GroundNotFound NotEligible NotEvaluated NotScreened RecommendationMissing"
            " SignatureNotValidated",
            "school evaluate": "EvaluatedAlready",
            "school hand-over": "LetterUnknown",
            "school incomplete": "FoundIncompleteAlready NotMissing",
            "school link-duplicate": "DuplicateOfItself DuplicateSaysMore FirstProceeds OtherPupil PrimaryEnded",
            "school notify": "ProtectedAddress",
            "school oppose": "OpposedAlready",
            "school propose-assistant": "ProposedAlready",
            "school receive-sealed": "LetterReceived",
            "school report-hours": "HoursOutsideAgreement HoursReportedAlready",
            # The pupil may be asked about in another case.
            "school request": "PupilAskedAbout",
            "school screen": "ScreenedAlready",
            "school signature": "SignatureRecorded",
            "school supplement": "NotAskedFor SuppliedAlready",
        }.items()
    }
)
"""By side and act."""

"""The audience table: which event is written to which channel, and so who may know it. The privacy rule as code.

One event, one channel. Nothing else decides who reads what: no copies, no filters, no exceptions for a field.
Source: design.md section 5; events.md, whose tables this repeats for the events that exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.wire.channels import (
    COMMISSION,
    ChannelKind,
    channel_kind,
    from_commission,
    record_of,
    to_commission,
    writer_of,
)

__all__ = ["AUDIENCE", "channel_for", "may_write"]

_SCHOOL_RECORD: Final = ("school", ChannelKind.RECORD)
_COMMISSION_RECORD: Final = (COMMISSION, ChannelKind.RECORD)
_AUDITOR_RECORD: Final = ("auditor", ChannelKind.RECORD)
_TO_COMMISSION: Final = ("school", ChannelKind.TO_COMMISSION)
_FROM_COMMISSION: Final = (COMMISSION, ChannelKind.FROM_COMMISSION)

AUDIENCE: Final[Mapping[str, tuple[tuple[str, ChannelKind], ...]]] = MappingProxyType(
    {
        "ApplicationFiled": (_SCHOOL_RECORD,),
        "ConsentRecorded": (_SCHOOL_RECORD,),
        "VariantChosen": (_SCHOOL_RECORD,),
        "DeliveryAddressChosen": (_SCHOOL_RECORD,),
        "SchoolDescribed": (_SCHOOL_RECORD,),
        "SignatureValidated": (_SCHOOL_RECORD,),
        "SignatureRejected": (_SCHOOL_RECORD,),
        "ApplicationFoundIncomplete": (_SCHOOL_RECORD,),
        "ApplicationSupplemented": (_SCHOOL_RECORD,),
        "ConsentWithdrawn": (_SCHOOL_RECORD,),
        "EligibilityScreened": (_SCHOOL_RECORD,),
        "DuplicateLinked": (_SCHOOL_RECORD,),
        "DuplicateReopened": (_SCHOOL_RECORD,),
        "DocumentsEvaluated": (_SCHOOL_RECORD,),
        "SchoolDecisionMade": (_SCHOOL_RECORD,),
        "DecisionNotified": (_SCHOOL_RECORD,),
        "AssistantProposed": (_SCHOOL_RECORD,),
        "AssistantCvAnnexed": (_SCHOOL_RECORD,),
        "AgreementConcluded": (_SCHOOL_RECORD,),
        "AgreementAmended": (_SCHOOL_RECORD,),
        "ServiceSuspended": (_SCHOOL_RECORD,),
        "ServiceResumed": (_SCHOOL_RECORD,),
        "ServiceEnded": (_SCHOOL_RECORD,),
        "HoursReported": (_SCHOOL_RECORD,),
        "MoneyReported": (_SCHOOL_RECORD,),
        "PersonDataCorrected": (_SCHOOL_RECORD,),
        "RepresentativeChanged": (_SCHOOL_RECORD,),
        "PupilCameOfAge": (_SCHOOL_RECORD,),
        "PupilLeftSchool": (_SCHOOL_RECORD,),
        "ApplicationWithdrawn": (_SCHOOL_RECORD,),
        "OpposingStatementRecorded": (_SCHOOL_RECORD,),
        "CaseClosed": (_SCHOOL_RECORD,),
        "SealedItemReceived": (_SCHOOL_RECORD,),
        "SealedItemHandedOver": (_SCHOOL_RECORD,),
        "InformationRequested": (_TO_COMMISSION,),
        "RequestCorrected": (_TO_COMMISSION,),
        "RequestWithdrawn": (_TO_COMMISSION,),
        "DeliveryAddressChanged": (_TO_COMMISSION,),
        "ReminderSent": (_TO_COMMISSION,),
        "RequestRegistered": (_COMMISSION_RECORD,),
        "ExpertiseFileExamined": (_COMMISSION_RECORD,),
        "IrpIssued": (_COMMISSION_RECORD,),
        "RecommendationIssued": (_COMMISSION_RECORD,),
        "RecommendationRefused": (_COMMISSION_RECORD,),
        "DocumentsDispatched": (_COMMISSION_RECORD,),
        "AssessmentLinked": (_COMMISSION_RECORD,),
        "TermExtended": (_COMMISSION_RECORD,),
        "AttendanceRequested": (_COMMISSION_RECORD,),
        "PupilAttended": (_COMMISSION_RECORD,),
        "AttendanceLapsed": (_COMMISSION_RECORD,),
        "OpinionIssued": (_COMMISSION_RECORD,),
        "Redispatched": (_COMMISSION_RECORD,),
        "DeliveryConfirmed": (_COMMISSION_RECORD,),
        "DeliveryFailed": (_COMMISSION_RECORD,),
        "RecommendationCorrected": (_COMMISSION_RECORD,),
        "RecommendationRevoked": (_COMMISSION_RECORD,),
        "RecommendationExpired": (_COMMISSION_RECORD,),
        "AssessmentClosed": (_COMMISSION_RECORD,),
        "ConfirmationGiven": (_FROM_COMMISSION,),
        "ConfirmationCorrected": (_FROM_COMMISSION,),
        "ConfirmationEnded": (_FROM_COMMISSION,),
        "AttendanceRequired": (_FROM_COMMISSION,),
        "IdentityNotMatched": (_FROM_COMMISSION,),
        "RequestReturned": (_FROM_COMMISSION,),
        "RequestClosed": (_FROM_COMMISSION,),
        "Rejected": (_TO_COMMISSION, _FROM_COMMISSION),
        "DeadlinePassed": (_SCHOOL_RECORD, _COMMISSION_RECORD),
        "RefusalContested": (_SCHOOL_RECORD, _COMMISSION_RECORD),
        "RefusalUpheld": (_SCHOOL_RECORD, _COMMISSION_RECORD),
        "RefusalSetAside": (_SCHOOL_RECORD, _COMMISSION_RECORD),
        "AccessGranted": (_SCHOOL_RECORD, _COMMISSION_RECORD),
        "AccessEnded": (_SCHOOL_RECORD, _COMMISSION_RECORD, _AUDITOR_RECORD),
        "AccessUsed": (_AUDITOR_RECORD,),
        "ReportIssued": (_AUDITOR_RECORD,),
        "ReplayRun": (_AUDITOR_RECORD,),
    }
)
"""For each event who writes it (a school, the commission or an auditor) and in which kind of channel."""


def may_write(event_type: str, channel: str) -> bool:
    """Tell whether an event of this type stands rightly in ``channel``; an unknown type stands nowhere."""
    return (_side(writer_of(channel)), channel_kind(channel)) in AUDIENCE.get(event_type, ())


def channel_for(event_type: str, *, writer: str, school: str | None = None) -> str:
    """Return the channel into which ``writer`` writes an event; ``school`` names the pair where the commission writes.

    Raises: ValueError if this writer never writes such an event, or the commission's pair is not named.
    """
    for side, kind in AUDIENCE.get(event_type, ()):
        if side != _side(writer):
            continue
        if kind is ChannelKind.RECORD:
            return record_of(writer)
        if kind is ChannelKind.TO_COMMISSION:
            return to_commission(writer)
        if school is not None:
            return from_commission(school)
    raise ValueError(f"{writer} writes no {event_type} here")


def _side(writer: str) -> str:
    return COMMISSION if writer == COMMISSION else writer.partition("-")[0]

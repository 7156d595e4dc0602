"""Words that the commission's facts are made of."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "AssessmentCause",
    "DeliveryCause",
    "DocumentKind",
    "ExtensionCause",
    "IrpKind",
    "Opinion",
    "RefusalGround",
    "ReturnGround",
    "RevocationReason",
    "Source",
]


class Source(Enum):
    """From whom the commission has a request."""

    UNKNOWN = "Unknown"
    REQUESTER = "Requester"
    SCHOOL = "School"


class Opinion(Enum):
    """What the expertise file says about an opinion on special care (A5.3)."""

    UNKNOWN = "Unknown"
    VALID = "Valid"
    EXPIRED = "Expired"
    NONE = "None"


class RefusalGround(Enum):
    """Why the commission issues no recommendation; never told to a school."""

    UNKNOWN = "Unknown"
    NEED_NOT_FOUND = "NeedNotFound"
    OPINION_MISSING = "OpinionMissing"
    OPINION_EXPIRED = "OpinionExpired"
    ATTENDANCE_LAPSED = "AttendanceLapsed"
    NOT_ELIGIBLE = "NotEligible"


class DocumentKind(Enum):
    """Which documents of the commission a dispatch holds; ``REFUSAL`` is the letter with the reasons."""

    UNKNOWN = "Unknown"
    RECOMMENDATION = "Recommendation"
    IRP = "Irp"
    REFUSAL = "Refusal"


class ReturnGround(Enum):
    """Why the commission returns a request."""

    UNKNOWN = "Unknown"
    UNSIGNED = "Unsigned"
    NOT_LATVIAN = "NotLatvian"
    NO_APPLICATION_COPY = "NoApplicationCopy"
    NO_CONSENT = "NoConsent"
    NO_ADDRESS = "NoAddress"


class ExtensionCause(Enum):
    """Why the commission's term is extended."""

    UNKNOWN = "Unknown"
    DOCUMENTS_AWAITED = "DocumentsAwaited"
    EXPERTISE_AWAITED = "ExpertiseAwaited"


class DeliveryCause(Enum):
    """How it is known that a letter came, or did not."""

    UNKNOWN = "Unknown"
    RECEIPT_SIGNED = "ReceiptSigned"
    HANDED_OVER = "HandedOver"
    OPENED = "Opened"
    RETURNED = "Returned"
    REPORTED_MISSING = "ReportedMissing"
    WRONG_ADDRESS = "WrongAddress"
    E_ADDRESS_INACTIVE = "EAddressInactive"


class RevocationReason(Enum):
    """Why a recommendation is revoked; never told to a school."""

    UNKNOWN = "Unknown"
    ISSUED_IN_ERROR = "IssuedInError"
    CIRCUMSTANCES_CHANGED = "CircumstancesChanged"
    OPINION_REVOKED = "OpinionRevoked"
    SET_ASIDE = "SetAside"


class AssessmentCause(Enum):
    """Why an assessment is closed."""

    UNKNOWN = "Unknown"
    ANSWERED = "Answered"
    DISPATCHED = "Dispatched"
    WITHDRAWN = "Withdrawn"
    ATTENDANCE_LAPSED = "AttendanceLapsed"
    RETURNED = "Returned"
    NOT_IDENTIFIED = "NotIdentified"
    DIED = "Died"


class IrpKind(Enum):
    """Which of the two kinds a rehabilitation plan is (A4.2, A4.3)."""

    UNKNOWN = "Unknown"
    SOCIAL_REHABILITATION = "SocialRehabilitation"
    DISABILITY = "Disability"

"""Words that facts of a school and of the commission are made of."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "AccessPurpose",
    "AccessScope",
    "AccessUse",
    "AddressKind",
    "Answer",
    "Asks",
    "ContactKind",
    "DeadlineName",
    "Delivery",
    "Intake",
    "RejectedCode",
    "ReportName",
    "Requester",
    "Variant",
]


class Variant(Enum):
    """Which of the four routes of domain item A5.1 the requester chose, or direct filing."""

    UNKNOWN = "Unknown"
    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    DIRECT = "Direct"


class Requester(Enum):
    """Who applies: a legal representative, or the pupil who is of age (A2.1)."""

    UNKNOWN = "Unknown"
    REPRESENTATIVE = "Representative"
    ADULT_PUPIL = "AdultPupil"


class Asks(Enum):
    """What the school asks the commission to prepare."""

    UNKNOWN = "Unknown"
    RECOMMENDATION = "Recommendation"
    IRP_AND_RECOMMENDATION = "IrpAndRecommendation"


class AddressKind(Enum):
    """Which address the family chose for the commission's letters."""

    UNKNOWN = "Unknown"
    HOME = "Home"
    SCHOOL = "School"
    E_ADDRESS = "EAddress"


class Intake(Enum):
    """How a document came in (A2.10); ``EXCHANGE`` is this exchange itself."""

    UNKNOWN = "Unknown"
    IN_PERSON = "InPerson"
    SIGNED_ELECTRONIC = "SignedElectronic"
    POST = "Post"
    EXCHANGE = "Exchange"


class ContactKind(Enum):
    """How the requester wants to be reached (A2.7)."""

    UNKNOWN = "Unknown"
    PHONE = "Phone"
    EMAIL = "Email"
    ADDRESS = "Address"


class Delivery(Enum):
    """By which way a letter went out."""

    UNKNOWN = "Unknown"
    REGISTERED = "Registered"
    ORDINARY = "Ordinary"
    IN_PERSON = "InPerson"
    E_ADDRESS = "EAddress"


class Answer(Enum):
    """The commission's answer to a school: yes or no, never a cause."""

    UNKNOWN = "Unknown"
    YES = "Yes"
    NO = "No"


class RejectedCode(Enum):
    """Why a received event was refused; a closed list."""

    UNKNOWN = "Unknown"
    UNKNOWN_CASE = "UnknownCase"
    WRONG_STATE = "WrongState"
    NOT_YOURS = "NotYours"
    WRONG_REPLY = "WrongReply"
    UNREADABLE = "Unreadable"
    DOCUMENT_INCOMPLETE = "DocumentIncomplete"
    TOO_MANY = "TooMany"


class DeadlineName(Enum):
    """Which term has passed."""

    UNKNOWN = "Unknown"
    COMMISSION_REPLY = "CommissionReply"
    COMPLETION = "Completion"
    SCHOOL_DECISION = "SchoolDecision"
    CONTEST = "Contest"
    RECOMMENDATION_EXPIRY = "RecommendationExpiry"
    COMMISSION_TERM = "CommissionTerm"
    ATTENDANCE = "Attendance"


class AccessScope(Enum):
    """What an auditor is given: the keys of all facts, or those of single parts."""

    UNKNOWN = "Unknown"
    FACTS = "Facts"
    PART = "Part"


class AccessPurpose(Enum):
    """What for an auditor is given keys."""

    UNKNOWN = "Unknown"
    AUDIT = "Audit"
    COMPLAINT = "Complaint"


class AccessUse(Enum):
    """What an auditor did with keys of a mandate: took them in, or looked at something with them."""

    UNKNOWN = "Unknown"
    ACCEPTED = "Accepted"
    TIMELINE = "Timeline"
    SEARCH = "Search"
    SHOW = "Show"
    QUERY = "Query"


class ReportName(Enum):
    """Which report an auditor issued."""

    UNKNOWN = "Unknown"
    ANSWERS = "Answers"
    DEADLINES = "Deadlines"
    OPEN_CASES = "OpenCases"
    REFUSALS = "Refusals"
    SERVICE = "Service"
    VARIANTS = "Variants"

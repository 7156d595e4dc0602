"""Words that only a school's facts are made of, but for corrections, which go to the commission too."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "Attachment",
    "Authority",
    "Background",
    "ClosingCause",
    "Container",
    "CorrectedField",
    "DecisionGround",
    "DecisionOutcome",
    "DisabilityGroup",
    "DuplicateCause",
    "Duty",
    "EligibilityOutcome",
    "EligibilityReason",
    "Enrolment",
    "EvaluatedKind",
    "Founder",
    "Known",
    "LeavingCause",
    "MissingItem",
    "Party",
    "SchoolKind",
    "ServiceCause",
    "SignatureFault",
    "SignatureLevel",
]


class Attachment(Enum):
    """What was filed with an application."""

    UNKNOWN = "Unknown"
    IRP = "Irp"
    RECOMMENDATION_COPY = "RecommendationCopy"
    OTHER = "Other"


class SchoolKind(Enum):
    """What kind of institution a school is."""

    UNKNOWN = "Unknown"
    PRESCHOOL = "Preschool"
    GENERAL = "General"
    VOCATIONAL = "Vocational"
    SPECIAL = "Special"


class Founder(Enum):
    """Who founded a school."""

    UNKNOWN = "Unknown"
    MUNICIPALITY = "Municipality"
    STATE = "State"
    PRIVATE = "Private"


class SignatureLevel(Enum):
    """How strong an electronic signature is."""

    UNKNOWN = "Unknown"
    QUALIFIED = "Qualified"
    ADVANCED = "Advanced"
    SIMPLE = "Simple"


class Container(Enum):
    """In what a signed document came."""

    UNKNOWN = "Unknown"
    ASIC_E = "AsicE"
    PDF = "Pdf"
    XML = "Xml"
    OTHER = "Other"


class SignatureFault(Enum):
    """Why a document counts as not signed (domain.md D.5, 25)."""

    UNKNOWN = "Unknown"
    UNSIGNED = "Unsigned"
    BROKEN = "Broken"
    NOT_QUALIFIED = "NotQualified"
    NO_TIME_STAMP = "NoTimeStamp"
    OLD_CONTAINER = "OldContainer"
    OTHER_SIGNER = "OtherSigner"
    CERTIFICATE_REVOKED = "CertificateRevoked"
    CERTIFICATE_EXPIRED = "CertificateExpired"


class MissingItem(Enum):
    """What an application lacks, and what was supplied."""

    UNKNOWN = "Unknown"
    SIGNATURE = "Signature"
    PERSON_DATA = "PersonData"
    REPRESENTATION = "Representation"
    CONSENT = "Consent"
    ADDRESS = "Address"
    EXCEPTION_DECLARATION = "ExceptionDeclaration"
    OPINION_STATEMENT = "OpinionStatement"
    IRP_STATEMENT = "IrpStatement"
    IRP = "Irp"
    IRP_INDICATION = "IrpIndication"
    RECOMMENDATION_COPY = "RecommendationCopy"
    VALID_RECOMMENDATION = "ValidRecommendation"
    IDENTITY = "Identity"
    LANGUAGE = "Language"


class EligibilityOutcome(Enum):
    """What the conditions say of a pupil, as far as they are known."""

    UNKNOWN = "Unknown"
    ELIGIBLE = "Eligible"
    INELIGIBLE = "Ineligible"
    UNDETERMINED = "Undetermined"


class EligibilityReason(Enum):
    """Which condition decides, or which fact is missing."""

    UNKNOWN = "Unknown"
    TOO_YOUNG = "TooYoung"
    NOT_A_DISABLED_CHILD = "NotADisabledChild"
    GROUP_NOT_I_OR_II = "GroupNotIOrII"
    BENEFIT_NOT_AWARDED = "BenefitNotAwarded"
    OPINION_MISSING = "OpinionMissing"
    NOT_ENROLLED = "NotEnrolled"
    ENROLLED_ELSEWHERE = "EnrolledElsewhere"
    KIND_NOT_COVERED = "KindNotCovered"
    STATE_FUNDED_SPECIAL_INSTITUTION = "StateFundedSpecialInstitution"
    MISSING_BIRTH_DATE = "MissingBirthDate"
    MISSING_GROUP = "MissingGroup"
    MISSING_BENEFIT = "MissingBenefit"
    MISSING_ENROLMENT = "MissingEnrolment"
    MISSING_DISABILITY = "MissingDisability"
    MISSING_OPINION = "MissingOpinion"
    MISSING_INSTITUTION = "MissingInstitution"


class DisabilityGroup(Enum):
    """The disability group of a person of full age."""

    UNKNOWN = "Unknown"
    NONE = "None"
    FIRST = "I"
    SECOND = "II"
    THIRD = "III"
    NOT_KNOWN = "NotKnown"


class Known(Enum):
    """A yes or no that may not be known; not known is never a no."""

    UNKNOWN = "Unknown"
    YES = "Yes"
    NO = "No"
    NOT_KNOWN = "NotKnown"


class Enrolment(Enum):
    """Where a pupil is enrolled, as the state register of education says."""

    UNKNOWN = "Unknown"
    HERE = "Here"
    ELSEWHERE = "Elsewhere"
    NOWHERE = "Nowhere"
    NOT_KNOWN = "NotKnown"


class DuplicateCause(Enum):
    """Why an application is a duplicate."""

    UNKNOWN = "Unknown"
    SAME_APPLICATION = "SameApplication"
    SAME_PUPIL = "SamePupil"
    OTHER_PARENT = "OtherParent"


class EvaluatedKind(Enum):
    """Which documents a school evaluated; both kinds of plan count (A4.4)."""

    UNKNOWN = "Unknown"
    APPLICATION = "Application"
    SOCIAL_REHABILITATION_PLAN = "SocialRehabilitationPlan"
    DISABILITY_IRP = "DisabilityIrp"
    RECOMMENDATION_COPY = "RecommendationCopy"
    COMMISSION_ANSWER = "CommissionAnswer"


class DecisionOutcome(Enum):
    """What a school decided."""

    UNKNOWN = "Unknown"
    GRANTED = "Granted"
    REFUSED = "Refused"


class DecisionGround(Enum):
    """Why a school refused: conditions that are not met (A3.6), never a medical reason."""

    UNKNOWN = "Unknown"
    TOO_YOUNG = "TooYoung"
    NOT_A_DISABLED_CHILD = "NotADisabledChild"
    GROUP_NOT_I_OR_II = "GroupNotIOrII"
    BENEFIT_NOT_AWARDED = "BenefitNotAwarded"
    OPINION_MISSING = "OpinionMissing"
    NOT_ENROLLED = "NotEnrolled"
    ENROLLED_ELSEWHERE = "EnrolledElsewhere"
    KIND_NOT_COVERED = "KindNotCovered"
    STATE_FUNDED_SPECIAL_INSTITUTION = "StateFundedSpecialInstitution"
    NO_RECOMMENDATION = "NoRecommendation"


class Background(Enum):
    """Where an assistant's experience is from (A3.2)."""

    UNKNOWN = "Unknown"
    TEACHER = "Teacher"
    MEDICAL_PRACTITIONER = "MedicalPractitioner"
    RELATIVE = "Relative"
    OTHER = "Other"


class Duty(Enum):
    """What an assistant does for a pupil, by the letters of the guidance (A6.a to A6.g)."""

    UNKNOWN = "Unknown"
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"


class Party(Enum):
    """Who signs the trilateral agreement (A3.5)."""

    UNKNOWN = "Unknown"
    REQUESTER = "Requester"
    ASSISTANT = "Assistant"
    SCHOOL = "School"


class ServiceCause(Enum):
    """Why a service stands still, goes on or ends."""

    UNKNOWN = "Unknown"
    PUPIL_ABSENT = "PupilAbsent"
    ASSISTANT_ABSENT = "AssistantAbsent"
    SCHOOL_CLOSED = "SchoolClosed"
    BASIS_EXPIRED = "BasisExpired"
    BASIS_REVOKED = "BasisRevoked"
    CAUSE_ENDED = "CauseEnded"
    REQUESTER_ASKED = "RequesterAsked"
    ASSISTANT_LEFT = "AssistantLeft"
    TERM_ENDED = "TermEnded"
    PUPIL_LEFT_SCHOOL = "PupilLeftSchool"
    DIED = "Died"
    OTHER = "Other"


class Authority(Enum):
    """By what a legal representative represents."""

    UNKNOWN = "Unknown"
    PARENT = "Parent"
    GUARDIAN = "Guardian"
    OTHER = "Other"


class LeavingCause(Enum):
    """Why a pupil left a school."""

    UNKNOWN = "Unknown"
    TRANSFERRED = "Transferred"
    FINISHED = "Finished"
    LEFT_COUNTRY = "LeftCountry"
    DIED = "Died"
    OTHER = "Other"


class ClosingCause(Enum):
    """Why a case was closed without a decision."""

    UNKNOWN = "Unknown"
    NOT_SUPPLEMENTED = "NotSupplemented"
    WITHDRAWN = "Withdrawn"
    TRANSFERRED = "Transferred"
    LEFT_COUNTRY = "LeftCountry"
    DIED = "Died"
    DUPLICATE = "Duplicate"


class CorrectedField(Enum):
    """What of the particulars changed; after ``NEW_CODE`` both codes name the pupil (domain.md D.5, 11)."""

    UNKNOWN = "Unknown"
    NAME = "Name"
    CODE = "Code"
    NEW_CODE = "NewCode"
    REQUESTER = "Requester"
    CONTACT = "Contact"
    BIRTH_DATE = "BirthDate"
    ADDRESS = "Address"

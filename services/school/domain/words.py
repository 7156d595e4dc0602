"""What people are told a case lacks, item by item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.wire.events import EligibilityReason, MissingItem

__all__ = ["ITEMS", "items_in_words", "reasons_in_words"]

ITEMS: Final = {
    MissingItem.UNKNOWN: "something that only a newer release has a word for",
    MissingItem.SIGNATURE: "a valid signature",
    MissingItem.PERSON_DATA: "whole particulars of the persons",
    MissingItem.REPRESENTATION: "what shows that the requester represents the pupil",
    MissingItem.CONSENT: "the consent that the school asks the commission",
    MissingItem.ADDRESS: "the choice of where the commission sends its letters",
    MissingItem.EXCEPTION_DECLARATION: "the statement that applying to the commission oneself is too hard",
    MissingItem.OPINION_STATEMENT: "the statement that there is an opinion on the need of special care",
    MissingItem.IRP_STATEMENT: "the statement that the rehabilitation plan is there",
    MissingItem.IRP: "a copy of the rehabilitation plan",
    MissingItem.IRP_INDICATION: "a rehabilitation plan that says that an assistant is needed",
    MissingItem.RECOMMENDATION_COPY: "a copy of the commission's recommendation",
    MissingItem.VALID_RECOMMENDATION: "a recommendation that is not over",
    MissingItem.IDENTITY: "particulars by which the commission finds the pupil",
    MissingItem.LANGUAGE: "an application in Latvian",
}

_REASONS: Final = {
    EligibilityReason.UNKNOWN: "for a reason that only a newer release has a word for",
    EligibilityReason.TOO_YOUNG: "the pupil is too young",
    EligibilityReason.NOT_A_DISABLED_CHILD: "the pupil is no child with disability",
    EligibilityReason.GROUP_NOT_I_OR_II: "a pupil of age needs disability group I or II",
    EligibilityReason.BENEFIT_NOT_AWARDED: "the special-care benefit has not been awarded",
    EligibilityReason.OPINION_MISSING: "there is no opinion on the need of special care",
    EligibilityReason.NOT_ENROLLED: "the pupil is not enrolled",
    EligibilityReason.ENROLLED_ELSEWHERE: "the pupil is enrolled at another school",
    EligibilityReason.KIND_NOT_COVERED: "schools of this kind are not covered",
    EligibilityReason.STATE_FUNDED_SPECIAL_INSTITUTION: "the school is a special institution that the state's budget maintains",
    EligibilityReason.MISSING_BIRTH_DATE: "the birth date is not known",
    EligibilityReason.MISSING_GROUP: "the disability group is not known",
    EligibilityReason.MISSING_BENEFIT: "whether the special-care benefit has been awarded is not known",
    EligibilityReason.MISSING_ENROLMENT: "where the pupil is enrolled is not known",
    EligibilityReason.MISSING_DISABILITY: "whether the pupil is a child with disability is not known",
    EligibilityReason.MISSING_OPINION: "whether there is an opinion on the need of special care is not known",
    EligibilityReason.MISSING_INSTITUTION: "what kind of school this is has not been described",
}


def items_in_words(items: Iterable[MissingItem]) -> str:
    """Return items as a part of a sentence."""
    return ", ".join(ITEMS[item] for item in items)


def reasons_in_words(reasons: Iterable[EligibilityReason]) -> str:
    """Return what stands against eligibility, or what is not known, as a part of a sentence."""
    return "; ".join(_REASONS[reason] for reason in reasons)

"""Whether somebody may be an assistant.

Decides about experience and education as they are stated; what shows them (the curriculum vitae) is for the school to look at.
Source: the guidance of August 2012, section 3: work **and** contact experience in its text, work **or** contact experience where
it says what the curriculum vitae is to show; Regulation No. 695, point 3, says or as well. Or is the default.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.policy.kleene import Truth, all_of, any_of
from services.policy.rules import Rules

__all__ = ["Experience", "may_assist"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """What is known of somebody who is to assist; None is what nobody knows.

    ``work`` with, and ``contact`` with people with disability (a relative's counts); ``qualification``: education or work in
    pedagogy, psychology, medicine, health or social work.
    """

    work: bool | None = None
    contact: bool | None = None
    qualification: bool | None = None


def may_assist(rules: Rules, experience: Experience, *, strict_experience: bool = False) -> Truth:
    """Return whether somebody may assist; ``strict_experience`` is the reading that asks for both kinds of experience."""
    kinds = (experience.work, experience.contact)
    experienced = all_of(kinds) if strict_experience else any_of(kinds)
    if not rules.parameters.qualification_suffices.value:
        return experienced
    return any_of((experienced, experience.qualification))

"""Who may assist: anybody who was proposed and whose CV shows work or contact experience with people with disability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.policy.rules import RULES, rules_named
from services.post.history import New
from services.school.domain import refusals, refusals_serving
from services.school.domain.agreements import conclude_agreement
from services.school.domain.assistants import annex_cv, propose_assistant
from services.school.domain.case import fold
from services.school.domain.parts import SchoolState
from services.school.input import AssistantForm, CvForm
from services.wire.events import (
    ApplicationWithdrawn,
    Assistant,
    AssistantCvAnnexedPersonal,
    AssistantProposed,
    AssistantProposedPersonal,
    Background,
)
from tests.given_when_then import given
from tests.serving import AGREED, AGREED_PERSONAL, ASKED, CONDITIONS, CV, GRANTED, PENDING, PROPOSED, REFUSED, agreement, form_of

_MAIJA = Assistant(given_name="Maija", family_name="Palīdze", personal_code="32000000211")
_PERSONAL = AssistantProposedPersonal(person=_MAIJA)
_CV_PERSONAL = AssistantCvAnnexedPersonal(cv="Skolotāja, desmit gadi speciālajā klasē")


def proposal(**changes: Any) -> AssistantForm:
    fields = {"given_name": "Maija", "family_name": "Palīdze", "personal_code": "320000-00211", "background": "Teacher"}
    return form_of(AssistantForm, fields | changes)


def cv(**changes: Any) -> CvForm:
    fields = {"assistant": 1, "work_experience": True, "contact_experience": True, "cv": _CV_PERSONAL.cv}
    return form_of(CvForm, fields | changes)


@pytest.mark.shows("A3.2", "A3.3")
@pytest.mark.parametrize("background", [each for each in Background if each is not Background.UNKNOWN])
def test_a_teacher_a_medical_practitioner_a_relative_or_anybody_else_may_be_proposed(background: Background) -> None:
    made = New(facts=AssistantProposed(assistant=1, background=background), personal=_PERSONAL)
    given(fold, *GRANTED).when(propose_assistant, proposal(background=background.value), assistant=1).then(made)


def test_the_case_waits_for_the_agreement_once_somebody_is_proposed() -> None:
    assert given(fold, *GRANTED).case.state is SchoolState.GRANTED
    assert given(fold, *GRANTED, PROPOSED).case.state is SchoolState.AGREEMENT_PENDING


@pytest.mark.parametrize("events", [ASKED, (*GRANTED[:-1], REFUSED)])
@pytest.mark.shows("A3.4", "A3.6")
def test_nobody_is_proposed_before_the_service_is_granted(events: tuple[object, ...]) -> None:
    given(fold, *events).when(propose_assistant, proposal(), assistant=1).refused(refusals_serving.NotGrantedError)


def test_nobody_is_proposed_in_a_case_that_has_ended_or_holds_nothing() -> None:
    withdrawn = ApplicationWithdrawn(received_on=AGREED.concluded_on)
    given(fold, *GRANTED, withdrawn).when(propose_assistant, proposal(), assistant=1).refused(refusals.CaseEndedError)
    given(fold).when(propose_assistant, proposal(), assistant=1).refused(refusals.NoApplicationError)


def test_the_same_proposal_repeated_makes_no_second_event_but_another_name_or_background_does() -> None:
    told = given(fold, *GRANTED, PROPOSED)
    told.when(propose_assistant, proposal(), assistant=1, standing=_PERSONAL).refused(refusals_serving.ProposedAlreadyError, "1")
    married = replace(_MAIJA, family_name="Palīga")
    made = New(facts=PROPOSED, personal=AssistantProposedPersonal(person=married))
    told.when(propose_assistant, proposal(family_name="Palīga"), assistant=1, standing=_PERSONAL).then(made)
    other = New(facts=replace(PROPOSED, background=Background.OTHER), personal=_PERSONAL)
    told.when(propose_assistant, proposal(background="Other"), assistant=1, standing=_PERSONAL).then(other)


@pytest.mark.shows("A3.7")
def test_a_cv_is_annexed_to_whoever_was_proposed() -> None:
    given(fold, *GRANTED, PROPOSED).when(annex_cv, cv()).then(New(facts=CV, personal=_CV_PERSONAL))
    given(fold, *GRANTED).when(annex_cv, cv()).refused(refusals_serving.NobodyProposedError)
    given(fold, *GRANTED, PROPOSED).when(annex_cv, cv(assistant=2)).refused(refusals_serving.AssistantUnknownError, "2")


def test_the_same_cv_repeated_makes_no_second_event_but_a_newer_one_does() -> None:
    told = given(fold, *PENDING)
    told.when(annex_cv, cv(), standing=_CV_PERSONAL).refused(refusals_serving.CvAnnexedError)
    newer = New(facts=replace(CV, training_hours=16), personal=_CV_PERSONAL)
    told.when(annex_cv, cv(training_hours=16), standing=_CV_PERSONAL).then(newer)


def test_who_is_proposed_again_keeps_the_cv() -> None:
    case = given(fold, *PENDING, replace(PROPOSED, background=Background.OTHER)).case
    found = case.service.proposal(1)
    assert found is not None
    assert (found.facts.background, found.cv) == (Background.OTHER, CV)


@pytest.mark.shows("A3.1", "A3.7", "D5.27")
@pytest.mark.parametrize(
    ("work", "contact", "by_default", "strictly"),
    [(True, True, True, True), (True, False, True, False), (False, True, True, False), (False, False, False, False)],
)
def test_work_or_contact_experience_is_enough_and_both_where_the_setting_reads_the_rule_strictly(
    *, work: bool, contact: bool, by_default: bool, strictly: bool
) -> None:
    """E23: a grandmother with ten years of contact experience assists by the default, and not by the strict reading."""
    told = given(fold, *GRANTED, PROPOSED, replace(CV, work_experience=work, contact_experience=contact))
    for conditions, is_enough in ((CONDITIONS, by_default), (replace(CONDITIONS, strict_experience=True), strictly)):
        concluding = told.when(conclude_agreement, agreement(), conditions, number=1)
        if is_enough:
            concluding.then(New(facts=AGREED, personal=AGREED_PERSONAL))
        else:
            concluding.refused(refusals_serving.CvWithoutEvidenceError, "grant stands")


@pytest.mark.shows("D5.27")
def test_after_a_cv_without_evidence_the_grant_stands_and_another_person_can_be_proposed() -> None:
    """E23."""
    without = replace(CV, work_experience=False, contact_experience=False)
    told = given(fold, *GRANTED, PROPOSED, without)
    assert told.case.state is SchoolState.AGREEMENT_PENDING
    other = New(facts=replace(PROPOSED, assistant=2), personal=_PERSONAL)
    told.when(propose_assistant, proposal(), assistant=2).then(other)
    again = given(fold, *GRANTED, PROPOSED, without, replace(PROPOSED, assistant=2), replace(CV, assistant=2))
    made = New(facts=replace(AGREED, assistant=2), personal=AGREED_PERSONAL)
    again.when(conclude_agreement, agreement(assistant=2), CONDITIONS, number=1).then(made)


def test_a_later_rule_set_takes_a_suitable_profession_instead_of_experience() -> None:
    """MK 695, point 3: a teacher or a medical practitioner may assist without experience; not so by the guidance."""
    without = replace(CV, work_experience=False, contact_experience=False)
    later = replace(CONDITIONS, rules=rules_named("mk695-2012-10"))
    made = New(facts=AGREED, personal=AGREED_PERSONAL)
    given(fold, *GRANTED, PROPOSED, without).when(conclude_agreement, agreement(), later, number=1).then(made)
    relative = replace(PROPOSED, background=Background.RELATIVE)
    told = given(fold, *GRANTED, relative, without)
    told.when(conclude_agreement, agreement(), later, number=1).refused(refusals_serving.CvWithoutEvidenceError)
    assert RULES[0].parameters.qualification_suffices.value is False


@pytest.mark.shows("A3.7")
def test_no_agreement_without_a_cv_and_none_with_somebody_who_was_not_proposed() -> None:
    told = given(fold, *GRANTED, PROPOSED)
    told.when(conclude_agreement, agreement(), CONDITIONS, number=1).refused(refusals_serving.CvMissingError)
    told.when(conclude_agreement, agreement(assistant=7), CONDITIONS, number=1).refused(refusals_serving.AssistantUnknownError)

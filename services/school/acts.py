"""What people at a school can do: the form is a class of ``services.school.input``, the method one of ``School``."""

from __future__ import annotations

from typing import Final

from services.post.acts import Act

__all__ = ["ACTS", "EVERY_ACT", "OWN_ACTS"]

ACTS: Final = {
    "file": Act("ApplicationInput", "file", "File an application, and consent and address if stated.", "clerk", begins=True),
    "signature": Act("SignatureInput", "signature", "Record what the check of an electronic signature found.", "clerk"),
    "consent": Act("ConsentSupplied", "consent", "Record the consent that the school asks the commission.", "clerk"),
    "withdraw-consent": Act("ConsentSupplied", "withdraw_consent", "Record that the consent is withdrawn.", "clerk"),
    "address": Act("AddressSupplied", "address", "Record to which address the commission sends its letters.", "clerk"),
    "incomplete": Act("IncompleteInput", "incomplete", "Tell the requester what the application lacks.", "clerk"),
    "supplement": Act("SupplementInput", "supplement", "Record what was supplied later.", "clerk"),
    "change-variant": Act("VariantForm", "change_variant", "Record that the requester chose another route.", "clerk"),
    "close": Act(None, "close", "Close an application that was not completed in its term, without examining it.", "clerk"),
    "link-duplicate": Act("DuplicateInput", "link_duplicate", "Record that an application is the duplicate of another.", "clerk"),
    "reopen": Act("ReopeningForm", "reopen", "Take up a duplicate again where the other application came to nothing.", "clerk"),
    "screen": Act("ScreeningInput", "screen", "Evaluate the conditions on the facts that are known.", "clerk"),
    "request": Act(None, "request", "Ask the commission; a copy of the application goes with it, and nothing else.", "clerk"),
    "remind": Act(None, "remind", "Remind the commission of a request whose term is over.", "clerk"),
    "evaluate": Act("EvaluationInput", "evaluate", "Record which documents were evaluated.", "clerk"),
    "decide": Act("DecisionInput", "decide", "Grant or refuse the service.", "head"),
    "notify": Act("NotificationInput", "notify", "Record how and when the decision was sent.", "clerk"),
    "contest": Act("ContestInput", "contest", "Record that a refusal is contested.", "clerk"),
    "uphold": Act("RulingInput", "uphold", "Record that a contested refusal stands.", "head"),
    "set-aside": Act("RulingInput", "set_aside", "Record that a contested refusal was set aside.", "head"),
    "propose-assistant": Act("AssistantForm", "propose_assistant", "Propose a person as assistant.", "clerk"),
    "annex-cv": Act("CvForm", "annex_cv", "Annex an assistant's CV, and what it shows.", "clerk"),
    "conclude": Act("AgreementForm", "conclude", "Conclude the agreement of requester, assistant and school.", "head"),
    "amend": Act("AmendmentForm", "amend", "Amend an agreement, also by another assistant.", "head"),
    "suspend": Act("ServiceForm", "suspend", "Record that the service stands still.", "clerk"),
    "resume": Act("ServiceForm", "resume", "Record that the service goes on.", "clerk"),
    "end-service": Act("ServiceForm", "end_service", "Record that the service ends.", "head"),
    "report-hours": Act("HoursForm", "report_hours", "Report what an assistant worked in a month.", "clerk"),
    "receive-sealed": Act("SealedItemForm", "receive_sealed", "Take in a closed letter of the commission.", "clerk"),
    "hand-over": Act("HandOverForm", "hand_over", "Hand a closed letter over to the requester, unopened.", "clerk"),
    "withdraw": Act("WithdrawalForm", "withdraw", "Record that the requester withdraws the application.", "clerk"),
    "leave": Act("LeavingForm", "leave", "Record that the pupil is no longer at this school.", "clerk"),
    "correct": Act("CorrectionForm", "correct", "Correct particulars; what stood before is kept.", "clerk"),
    "change-representative": Act(
        "RepresentativeForm", "change_representative", "Record that somebody else represents the pupil.", "clerk"
    ),
    "came-of-age": Act(None, "came_of_age", "Record that the pupil came of age, and is the requester now.", "clerk"),
    "oppose": Act("OpposingForm", "oppose", "Record a statement of the other parent; it stops nothing.", "clerk"),
}

OWN_ACTS: Final = {
    "describe": Act("SchoolForm", "describe", "Say what the school is, from a day on.", "head"),
    "report-money": Act("MoneyForm", "report_money", "Report what the school received and used in a month.", "clerk"),
}
"""What belongs to no case: the command takes a form alone."""

EVERY_ACT: Final = {**ACTS, **OWN_ACTS}
"""Both."""

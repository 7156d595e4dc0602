"""What people at the commission can do: forms are classes of ``services.commission.input``, methods those of ``Commission``."""

from __future__ import annotations

from typing import Final

from services.post.acts import Act

__all__ = ["ACTS"]

ACTS: Final = {
    "register": Act("RegistrationInput", "register", "Enter a school's request in the register.", "clerk"),
    "register-direct": Act(
        "DirectInput", "register_direct", "Enter a requester's own application (a.1, b.1): a new case.", "clerk", begins=True
    ),
    "return-request": Act("ReturnInput", "return_request", "Return what cannot be taken up, with grounds.", "clerk"),
    "not-matched": Act(None, "not_matched", "Tell the school that nobody was found by its request.", "clerk"),
    "link": Act("LinkInput", "link", "Link the case to an earlier one of the same pupil: one assessment for both.", "clerk"),
    "extend-term": Act("ExtensionInput", "extend_term", "Extend the term, to four months at most.", "official"),
    "examine": Act("ExaminationInput", "examine", "Record what the expertise file shows.", "doctor"),
    "look-up": Act("LookUpInput", "look_up", "Record what the register of expertise files says.", "doctor"),
    "require-attendance": Act("AttendanceInput", "require_attendance", "Ask the pupil to come.", "doctor"),
    "attended": Act("AttendedInput", "attended", "Record that the pupil came.", "clerk"),
    "attendance-lapsed": Act("LapseInput", "attendance_lapsed", "Record that the pupil did not come.", "clerk"),
    "issue-opinion": Act("OpinionInput", "issue_opinion", "Record the opinion on the need of special care.", "doctor"),
    "issue-irp": Act("IrpInput", "issue_irp", "Issue the individual rehabilitation plan (b.1, b.2).", "doctor"),
    "recommend": Act("RecommendationInput", "recommend", "Issue the recommendation.", "doctor"),
    "refuse": Act("RefusalInput", "refuse", "Refuse the recommendation; the grounds are for the family.", "doctor"),
    "dispatch": Act("DispatchInput", "dispatch", "Record that the documents were sent to the chosen address.", "clerk"),
    "deliver-confirmed": Act("DeliveryInput", "deliver_confirmed", "Record that the letter came.", "clerk"),
    "delivery-failed": Act("DeliveryFailureInput", "delivery_failed", "Record that the letter did not come.", "clerk"),
    "redispatch": Act("RedispatchInput", "redispatch", "Record that the same documents were sent again.", "clerk"),
    "answer": Act("AnswerInput", "answer", "Answer the school: yes or no, as the outcome says.", "official"),
    "correct-recommendation": Act("CorrectionInput", "correct_recommendation", "Correct what was issued or refused.", "doctor"),
    "revoke": Act("RevocationInput", "revoke", "Revoke the recommendation.", "doctor"),
    "contest": Act("ContestInput", "contest", "Record that the commission's refusal is contested.", "clerk"),
    "uphold": Act("HeadDecisionInput", "uphold", "Record that the contested refusal stands.", "head"),
    "set-aside": Act("HeadDecisionInput", "set_aside", "Record that the contested refusal was set aside.", "head"),
    "close": Act("ClosingInput", "close", "Close the assessment.", "clerk"),
}

"""What the commission may do, act by act: pure functions from a case to the events of the act.

Decide whether the procedure allows an act; every refusal is a leaf of ``refusals``. Nothing here reads a clock, a key or a
database: forms, rule sets and opened personal parts are arguments.
"""

from services.commission.domain.answering import (
    answer,
    contest_refusal,
    correct_recommendation,
    revoke_recommendation,
    set_refusal_aside,
    uphold_refusal,
)
from services.commission.domain.assessing import (
    ask_to_come,
    examine_file,
    issue_irp,
    issue_opinion,
    issue_recommendation,
    note_attendance,
    note_lapse,
    refuse_recommendation,
)
from services.commission.domain.registering import (
    close_assessment,
    extend_term,
    is_decided_elsewhere,
    link_assessment,
    register_direct,
    register_request,
    return_request,
    say_not_matched,
)
from services.commission.domain.sending import (
    address_body,
    confirm_delivery,
    dispatch_documents,
    note_failure,
    redispatch_documents,
    said_by,
)

__all__ = [
    "address_body",
    "answer",
    "ask_to_come",
    "close_assessment",
    "confirm_delivery",
    "contest_refusal",
    "correct_recommendation",
    "dispatch_documents",
    "examine_file",
    "extend_term",
    "is_decided_elsewhere",
    "issue_irp",
    "issue_opinion",
    "issue_recommendation",
    "link_assessment",
    "note_attendance",
    "note_failure",
    "note_lapse",
    "redispatch_documents",
    "refuse_recommendation",
    "register_direct",
    "register_request",
    "return_request",
    "revoke_recommendation",
    "said_by",
    "say_not_matched",
    "set_refusal_aside",
    "uphold_refusal",
]

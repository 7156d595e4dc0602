"""Facts of a service, for the tests of what follows a decision: Roberts Izdomenieks' grant, his assistants, his agreement.

The histories are numbered as ``given_when_then`` counts them: the grant is the sixth event of ``GRANTED``.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final, TypeVar

from services.policy.forms import Form, parse_form
from services.policy.rules import RULES, InstitutionKind
from services.school.domain.agreements import Conditions
from services.school.input import AgreementForm, AmendmentForm
from services.wire.events import (
    AgreementConcluded,
    AgreementConcludedPersonal,
    Answer,
    AssistantCvAnnexed,
    AssistantProposed,
    Background,
    ConfirmationGiven,
    DecisionOutcome,
    Duty,
    Party,
    SchoolDecisionMade,
)
from tests.given_when_then import body, received
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, REQUESTED_A2

__all__ = [
    "ACTIVE",
    "AGREED",
    "AGREED_PERSONAL",
    "ASKED",
    "CONDITIONS",
    "CV",
    "GRANT",
    "GRANTED",
    "PENDING",
    "PROPOSED",
    "REFUSED",
    "agreement",
    "amendment",
    "form_of",
]

AnyForm = TypeVar("AnyForm", bound=Form)

_TODAY: Final = date(2027, 6, 30)
_DECIDED: Final = date(2026, 8, 28)

ASKED: Final = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
GRANT: Final = SchoolDecisionMade(
    outcome=DecisionOutcome.GRANTED,
    grounds=(),
    rule_set=RULES[0].number,
    rule_set_version=RULES[0].version,
    decided_on=_DECIDED,
    basis=body(5),
)
GRANTED: Final = (*ASKED, received(ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99)), answers=4), GRANT)
REFUSED: Final = SchoolDecisionMade(
    outcome=DecisionOutcome.REFUSED,
    grounds=(),
    rule_set=RULES[0].number,
    rule_set_version=RULES[0].version,
    decided_on=_DECIDED,
    basis=body(5),
)
PROPOSED: Final = AssistantProposed(assistant=1, background=Background.TEACHER)
CV: Final = AssistantCvAnnexed(assistant=1, work_experience=True, contact_experience=True, training_hours=None, parts=())
PENDING: Final = (*GRANTED, PROPOSED, CV)
AGREED: Final = AgreementConcluded(
    agreement=1,
    assistant=1,
    hours_per_week=30,
    duties=(Duty.A, Duty.B, Duty.D),
    other_duties=False,
    from_on=date(2026, 9, 1),
    until_on=date(2027, 5, 31),
    signed_by=(Party.REQUESTER, Party.ASSISTANT, Party.SCHOOL),
    concluded_on=date(2026, 8, 31),
    parts=(),
)
AGREED_PERSONAL: Final = AgreementConcludedPersonal(text="Vienošanās")
ACTIVE: Final = (*PENDING, AGREED)
CONDITIONS: Final = Conditions(rules=RULES[0], kind=InstitutionKind.GENERAL)


def form_of(form: type[AnyForm], fields: dict[str, Any], *, today: date = _TODAY) -> AnyForm:  # JSON
    """Return a form as if it had been typed."""
    return parse_form(form, json.dumps(fields).encode(), today=today)


def agreement(**changes: Any) -> AgreementForm:  # JSON
    """Return the form of ``AGREED``, with whole fields changed; None as a value removes one."""
    return form_of(AgreementForm, _agreed(changes))


def amendment(**changes: Any) -> AmendmentForm:  # JSON
    """Return the form of an amendment that says what stands, with whole fields changed."""
    return form_of(AmendmentForm, _agreed({"agreement": 1} | changes))


def _agreed(changes: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "assistant": 1,
        "hours_per_week": 30,
        "duties": ["A", "B", "D"],
        "from_on": "2026-09-01",
        "until_on": "2027-05-31",
        "signed_by": ["Requester", "Assistant", "School"],
        "concluded_on": "2026-08-31",
        "text": "Vienošanās",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}

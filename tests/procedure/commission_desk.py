"""What the commission's people do, act by act, as ``services.commission.application`` does it, on histories in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from services.commission.domain import decisions, guards, refusals
from services.commission.domain.case import CommissionCase
from services.policy.rules import rules_on
from services.post.history import New, Recorded
from services.wire.events import Address
from tests.procedure.houses import Commission, World

__all__ = ["COMMISSION_ACTS", "CommissionDesk"]


class CommissionDesk:
    """The commission at work on one day; each act returns what it saved."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def house(self) -> Commission:
        """Return the commission's cases."""
        return self.world.commission

    def register_direct(self, form: Any) -> UUID:
        """Enter a requester's own application as a new case."""
        case_id = self.world.new_case()
        self.world.save(self.house, case_id, decisions.register_direct(CommissionCase(), form))
        return case_id

    def act(self, name: str, case_id: UUID, form: Any) -> tuple[Recorded, ...]:
        """Do an act of the table in a case. Raises: the rule that refuses it."""
        news = COMMISSION_ACTS[name](self, case_id, self.house.case(case_id), form)
        saved = self.world.save(self.house, case_id, news, school=self.house.asked_by.get(case_id))
        if name == "correct-recommendation":
            self.world.tell_linked(case_id, form.official)
        return saved

    def address(self, case: CommissionCase) -> Address:
        """Return where letters go."""
        address: Address = self.house.personal[decisions.address_body(case)].address
        return address


def _register(desk: CommissionDesk, _: UUID, case: CommissionCase, form: Any) -> Sequence[New]:
    pupil = desk.house.personal[case.request.body].pupil if case.request is not None else None
    return decisions.register_request(case, form, pupil=pupil)


def _link(desk: CommissionDesk, case_id: UUID, case: CommissionCase, _: Any) -> Sequence[New]:
    guards.may_link(case)
    if desk.house.linked_to(case):
        raise refusals.LinkOrderError
    others: list[CommissionCase] = [desk.house.folded[each] for each in desk.house.same_pupil(case_id)]
    earlier = [each for each in others if each.linked is None and each.registered is not None]
    if not earlier:
        raise refusals.NotSamePupilError
    primary = min(earlier, key=lambda each: each.registered.received_on if each.registered else desk.world.today)
    return decisions.link_assessment(case, primary=primary)


def _redispatch(desk: CommissionDesk, _: UUID, case: CommissionCase, form: Any) -> Sequence[New]:
    number = desk.house.personal[guards.may_redispatch(case).first].number
    rules, address = rules_on(form.sent_on), desk.address(case)
    return decisions.redispatch_documents(case, form, rules, address=address, number=number)


def _correct(desk: CommissionDesk, _: UUID, case: CommissionCase, form: Any) -> Sequence[New]:
    said = desk.house.personal[case.correction].text if case.correction is not None else None
    return decisions.correct_recommendation(case, form, said=said)


Decide = Callable[[CommissionDesk, UUID, CommissionCase, Any], Sequence[New]]
"""A decision of the commission on a case, with a form."""

COMMISSION_ACTS: Final[Mapping[str, Decide]] = MappingProxyType(
    {
        "register": _register,
        "return-request": lambda _, __, case, form: decisions.return_request(case, form),
        "not-matched": lambda _, __, case, ___: decisions.say_not_matched(case),
        "link": _link,
        "extend-term": lambda _, __, case, form: decisions.extend_term(case, form),
        "examine": lambda _, __, case, form: decisions.examine_file(case, form),
        "require-attendance": lambda _, __, case, form: decisions.ask_to_come(case, form),
        "attended": lambda _, __, case, form: decisions.note_attendance(case, form),
        "attendance-lapsed": lambda _, __, case, form: decisions.note_lapse(case, form),
        "issue-opinion": lambda _, __, case, form: decisions.issue_opinion(case, form),
        "issue-irp": lambda _, __, case, form: decisions.issue_irp(case, form),
        "recommend": lambda _, __, case, form: decisions.issue_recommendation(case, form),
        "refuse": lambda _, __, case, form: decisions.refuse_recommendation(case, form),
        "dispatch": lambda desk, _, case, form: decisions.dispatch_documents(
            case, form, rules_on(form.sent_on), address=desk.address(case)
        ),
        "deliver-confirmed": lambda _, __, case, form: decisions.confirm_delivery(case, form),
        "delivery-failed": lambda _, __, case, form: decisions.note_failure(case, form),
        "redispatch": _redispatch,
        "answer": lambda _, __, case, form: decisions.answer(case, form),
        "correct-recommendation": _correct,
        "revoke": lambda _, __, case, form: decisions.revoke_recommendation(case, form),
        "contest": lambda _, __, case, form: decisions.contest_refusal(case, form),
        "uphold": lambda _, __, case, form: decisions.uphold_refusal(case, form),
        "set-aside": lambda _, __, case, form: decisions.set_refusal_aside(case, form),
        "close": lambda _, __, case, form: decisions.close_assessment(case, form),
    }
)
"""Each act in a case, by the name of its command; what the register of files says is an examination like any other."""

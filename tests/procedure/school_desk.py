"""What a school's people do, act by act, as ``services.school.application`` does it, on histories in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from services.policy.rules import RULES, Rules, rules_on
from services.post.history import New, Recorded
from services.school.domain import (
    agreements,
    assistants,
    changing,
    choosing,
    completing,
    deciding,
    decisions,
    duplicates,
    judging,
    leaving,
    letters,
    refusals,
    reports,
)
from services.school.domain.agreements import Conditions
from services.school.domain.allowing import require_application
from services.school.domain.changes import codes_after, particulars_after
from services.school.domain.deciding import Bench
from services.school.domain.finding import assistant_word
from services.school.domain.folded import SchoolCase
from services.school.input import AddressForm, AddressSupplied, ConsentSupplied
from services.wire.events import Address, MissingItem, Particulars, PersonDataCorrectedPersonal
from services.wire.hashing import Digest
from tests.procedure.houses import School, World

__all__ = ["SCHOOL_ACTS", "SchoolDesk"]

_INSTRUCTION: Final = "Lēmumu var apstrīdēt mēneša laikā."


class SchoolDesk:
    """A school at work on one day; each act returns what it saved."""

    def __init__(self, world: World, school: School) -> None:
        self.world = world
        self.school = school

    def file(self, form: Any) -> UUID:
        """File an application as a new case."""
        code, case_id = form.pupil.personal_code, self.world.new_case()
        rules = rules_on(form.received_on)
        self.world.save(self.school, case_id, decisions.file_application(form, pupil=self._pupil_number(code), rules=rules))
        return case_id

    def describe(self, form: Any) -> None:
        """Say what the school is."""
        self.world.save(self.school, None, reports.describe_school(self.school.own, form))

    def act(self, name: str, case_id: UUID, form: Any) -> tuple[Recorded, ...]:
        """Do an act of the table in a case. Raises: the rule that refuses it."""
        made = SCHOOL_ACTS[name](self, case_id, self.school.case(case_id), form)
        if name == "link-duplicate" and form.supersedes:
            self._supersede(self.school.case(case_id), form.primary)
        return self.world.save(self.school, case_id, made)

    def _supersede(self, case: SchoolCase, primary: UUID) -> None:
        """Let another case take over what a duplicate says of consent and address, as ``School.link_duplicate`` does."""
        more = duplicates.said_more(case, self.school.case(primary))
        if MissingItem.CONSENT in more:
            by = self.opened(case.consent_body).by
            self.act("consent", primary, ConsentSupplied.model_construct(received_on=case.consented_on, by=by))
        if MissingItem.ADDRESS in more and case.address is not None:
            chosen, place = case.address, self.opened(case.address.body).address
            form = AddressSupplied.model_construct(
                choice=chosen.kind,
                protected=chosen.protected,
                address=AddressForm.model_construct(text=place.text, postal_code=place.postal_code, varis_code=place.varis_code),
                confirmed_on=chosen.confirmed_on,
                dispatch_on_hold=False,
            )
            with suppress(refusals.AddressUnchangedError):
                self.act("address", primary, form)

    def opened(self, body: Digest | None) -> Any:
        """Return what is personal about an event."""
        return None if body is None else self.school.personal[body]

    def particulars(self, case: SchoolCase) -> Particulars:
        """Return who a case is about now."""
        _, body = require_application(case)
        return particulars_after(self.opened(body).application, [self.opened(each) for each in case.changes.particulars])

    def born_on(self, case: SchoolCase) -> date:
        """Return the pupil's birth date, as it was corrected last."""
        _, body = require_application(case)
        found: date = self.opened(body).birth_date
        for each in case.changes.particulars:
            change = self.opened(each)
            if isinstance(change, PersonDataCorrectedPersonal) and change.new_birth_date is not None:
                found = change.new_birth_date
        return found

    def address_asked(self, case: SchoolCase) -> Address | None:
        """Return where the commission was asked to send its letters, None if it was not asked."""
        request = case.request
        if request is None:
            return None
        address: Address = self.opened(request.address_told or request.body).address
        return address

    def codes(self, case: SchoolCase) -> frozenset[str]:
        """Return the codes that name a case's pupil now."""
        _, body = require_application(case)
        return codes_after(self.opened(body).application, case.changes, [self.opened(each) for each in case.changes.particulars])

    def cases_under(self, code: str) -> list[UUID]:
        """Return the cases that say now that their pupil has a code."""
        return [each for each in self.school.cases_of(code) if code in self.codes(self.school.case(each))]

    def others_of(self, case_id: UUID, case: SchoolCase) -> list[UUID]:
        """Return the pupil's other cases here, under whichever code."""
        codes, found, is_growing = self.codes(case), set[UUID](), True
        while is_growing:
            new = {each for code in codes for each in self.cases_under(code)} - found - {case_id}
            found, is_growing = found | new, bool(new)
            codes = codes.union(*(self.codes(self.school.case(each)) for each in new))
        return sorted(found)

    def other_cases(self, case_id: UUID, case: SchoolCase) -> Iterator[SchoolCase]:
        """Yield the same, folded."""
        yield from (self.school.case(each) for each in self.others_of(case_id, case))

    def rules(self, case: SchoolCase, day: date) -> Rules:
        """Return the rules that a case is judged by."""
        if case.rule_set is None:
            return rules_on(day)
        return next(rules for rules in RULES if rules.number == case.rule_set)

    def bench(self, case: SchoolCase, day: date) -> Bench:
        """Return by what a case is judged on a day."""
        return Bench(
            rules=self.rules(case, day),
            birth_date=self.born_on(case),
            school=judging.description_on(self.school.own, day),
            instruction=_INSTRUCTION,
        )

    def conditions(self, case_id: UUID, case: SchoolCase, form: Any) -> Conditions:
        """Return what an agreement is held against."""
        return Conditions(
            rules=self.rules(case, form.concluded_on),
            kind=judging.institution_kind(judging.description_on(self.school.own, form.from_on)),
            others=tuple(agreed for other in self.other_cases(case_id, case) for agreed in other.service.agreed),
        )

    def count(self, kind: str) -> int:
        """Return how many events of a kind this school made."""
        return sum(event.own and event.type == kind for events in self.school.cases.values() for event in events)

    def _pupil_number(self, code: str) -> int:
        for earlier in self.cases_under(code):
            filed = self.school.case(earlier).application
            if filed is not None:
                return filed.pupil
        return len(self.school.cases) + 1


def _address(desk: SchoolDesk, _: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    return decisions.choose_address(case, form, standing=desk.opened(case.address.body if case.address else None))


def _link_duplicate(desk: SchoolDesk, case_id: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    return duplicates.link_duplicate(
        case,
        form,
        primary=desk.school.case(form.primary),
        is_itself=form.primary == case_id,
        is_same_pupil=form.primary in desk.others_of(case_id, case),
    )


def _screen(desk: SchoolDesk, _: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    bench = desk.bench(case, form.as_of)
    return judging.screen(case, form, rules=bench.rules, birth_date=bench.birth_date, school=bench.school)


def _request(desk: SchoolDesk, case_id: UUID, case: SchoolCase, _: Any) -> Sequence[New]:
    today = desk.world.today
    _, body, _, chosen = decisions.may_request(case, today)
    others = (other.request for other in desk.other_cases(case_id, case))
    bench = desk.bench(case, today)
    return decisions.request_information(
        case,
        today,
        rules_on(today),
        application=desk.opened(body),
        address=desk.opened(chosen.body),
        standing=desk.particulars(case),
        is_asked_elsewhere=any(request is not None and request.is_open for request in others),
        is_excluded=judging.excluded(today, rules=bench.rules, birth_date=bench.birth_date, school=bench.school),
    )


def _propose(desk: SchoolDesk, _: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    number = desk.count("AssistantProposed") + 1
    for each in desk.school.cases_of(assistant_word(form.personal_code)):
        for proposal in desk.school.case(each).service.proposals:
            if desk.opened(proposal.body).person.personal_code == form.personal_code:
                number = proposal.facts.assistant
    opened = (desk.opened(proposal.body) for proposal in reversed(case.service.proposals))
    standing = next((each for each in opened if each.person.personal_code == form.personal_code), None)
    return assistants.propose_assistant(case, form, assistant=number, standing=standing)


def _annex_cv(desk: SchoolDesk, _: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    proposal = case.service.proposal(form.assistant)
    return assistants.annex_cv(case, form, standing=desk.opened(proposal.cv_body if proposal is not None else None))


def _report_hours(desk: SchoolDesk, case_id: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    elsewhere = sum(sum(other.service.reported(form.month).values()) for other in desk.other_cases(case_id, case))
    return reports.report_hours(case, form, desk.rules(case, form.month), elsewhere=elsewhere)


def _numbers(desk: SchoolDesk, case: SchoolCase) -> dict[Digest, str]:
    return {each.body: desk.opened(each.body).number for each in case.service.letters}


def _represent(desk: SchoolDesk, _: UUID, case: SchoolCase, form: Any) -> Sequence[New]:
    return changing.change_representative(case, form, standing=desk.particulars(case), address=desk.address_asked(case))


Decide = Callable[[SchoolDesk, UUID, SchoolCase, Any], Sequence[New]]
"""A decision of a school on a case, with a form."""

SCHOOL_ACTS: Final[Mapping[str, Decide]] = MappingProxyType(
    {
        "signature": lambda _, __, case, form: completing.record_signature(case, form),
        "consent": lambda _, __, case, form: decisions.record_consent(case, form),
        "withdraw-consent": lambda _, __, case, form: decisions.withdraw_consent(case, form),
        "address": _address,
        "incomplete": lambda _, __, case, form: completing.find_incomplete(case, form),
        "supplement": lambda _, __, case, form: completing.supplement(case, form),
        "change-variant": lambda _, __, case, form: choosing.choose_variant(case, form),
        "close": lambda desk, _, case, __: completing.close_unsupplemented(case, desk.world.today),
        "link-duplicate": _link_duplicate,
        "reopen": lambda desk, _, case, form: duplicates.reopen_duplicate(
            case, form, today=desk.world.today, opened=desk.school.personal.get
        ),
        "screen": _screen,
        "request": _request,
        "remind": lambda desk, _, case, __: decisions.remind(case, desk.world.today),
        "evaluate": lambda _, __, case, form: judging.evaluate_documents(case, form),
        "decide": lambda desk, _, case, form: deciding.decide(case, form, desk.bench(case, form.decided_on)),
        "notify": lambda _, __, case, form: deciding.notify(case, form),
        "contest": lambda _, __, case, form: deciding.contest(case, form),
        "uphold": lambda _, __, case, form: deciding.uphold(case, form),
        "set-aside": lambda _, __, case, form: deciding.set_aside(case, form),
        "propose-assistant": _propose,
        "annex-cv": _annex_cv,
        "conclude": lambda desk, number, case, form: agreements.conclude_agreement(
            case, form, desk.conditions(number, case, form), number=desk.count("AgreementConcluded") + 1
        ),
        "amend": lambda desk, number, case, form: agreements.amend_agreement(case, form, desk.conditions(number, case, form)),
        "suspend": lambda _, __, case, form: agreements.suspend_service(case, form),
        "resume": lambda _, __, case, form: agreements.resume_service(case, form),
        "end-service": lambda _, __, case, form: agreements.end_service(case, form),
        "report-hours": _report_hours,
        "receive-sealed": lambda desk, _, case, form: letters.receive_letter(case, form, _numbers(desk, case)),
        "hand-over": lambda desk, _, case, form: letters.hand_over_letter(case, form, _numbers(desk, case)),
        "withdraw": lambda _, __, case, form: leaving.withdraw_application(case, form),
        "leave": lambda desk, _, case, form: leaving.leave_school(case, form, address=desk.address_asked(case)),
        "correct": lambda desk, _, case, form: changing.correct_particulars(
            case, form, standing=desk.particulars(case), born_on=desk.born_on(case)
        ),
        "change-representative": _represent,
        "came-of-age": lambda desk, _, case, __: changing.come_of_age(
            case,
            desk.world.today,
            born_on=desk.born_on(case),
            standing=desk.particulars(case),
            address=desk.address_asked(case),
        ),
        "oppose": lambda _, __, case, form: changing.record_opposition(case, form),
    }
)
"""Each act in a case, by the name of its command."""

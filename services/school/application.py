"""The school's use cases: get the case, act, save. Called by every entrypoint alike.

A form is read and checked before (``input``), a decision is taken by the domain; here personal parts are opened where a
decision needs them, and the clock says what day it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.post.cases import Missing, open_personal
from services.post.drafts import drop_draft, keep_draft, open_draft
from services.post.history import New
from services.post.opening import event_with, new_case_id, opener
from services.post.people import cases_of
from services.post.saving import Saved, act
from services.school.changing import Changing
from services.school.domain import choosing, completing, deciding, decisions, duplicates, judging, refusals
from services.school.domain.case import SchoolCase
from services.school.domain.deciding import Bench
from services.school.input import (
    AddressForm,
    AddressSupplied,
    ApplicationInput,
    ConsentSupplied,
    ContestInput,
    DecisionInput,
    DuplicateInput,
    EvaluationInput,
    IncompleteInput,
    NotificationInput,
    ReopeningForm,
    RulingInput,
    ScreeningInput,
    SignatureInput,
    SupplementInput,
    VariantForm,
)
from services.school.serving import Serving
from services.wire.events import DeliveryAddressChosenPersonal, MissingItem

__all__ = ["School"]

_DRAFT: Final = "application"


@dataclass(frozen=True, slots=True)
class School(Serving, Changing):
    """The acts of a school's people; here those up to the decision and its contest."""

    def file(self, form: ApplicationInput, *, draft: int | None = None) -> tuple[UUID, tuple[Saved, ...]]:
        """File an application and return the new case; the draft that it was is gone with the same transaction.

        Raises: FiledAlreadyError if the same application is a case already; what ``file_application`` raises.
        """
        case_id = new_case_id(self.office)
        rules = self.rules(None, form.received_on)
        code = form.pupil.personal_code
        return case_id, act(
            self.office,
            case_id,
            lambda _: self._new(code, decisions.file_application(form, pupil=self._pupil_number(code), rules=rules)),
            also=None if draft is None else lambda: drop_draft(self.office, draft),
        )

    def draft(self, content: bytes, *, number: int | None = None) -> int:
        """Keep a form that is not complete yet, in the place of an earlier draft if that is given; return its number."""
        return keep_draft(self.office, _DRAFT, content, number=number)

    def drafted(self, number: int) -> bytes:
        """Return the form that a draft holds.

        Raises: DraftMissingError.
        """
        return open_draft(self.office, _DRAFT, number)

    def signature(self, case_id: UUID, form: SignatureInput) -> tuple[Saved, ...]:
        """Record what the check of an electronic signature found."""
        return self._act(case_id, completing.record_signature, form)

    def consent(self, case_id: UUID, form: ConsentSupplied) -> tuple[Saved, ...]:
        """Record a consent that came after the application."""
        return self._act(case_id, decisions.record_consent, form)

    def withdraw_consent(self, case_id: UUID, form: ConsentSupplied) -> tuple[Saved, ...]:
        """Record that the requester no longer agrees."""
        return self._act(case_id, decisions.withdraw_consent, form)

    def address(self, case_id: UUID, form: AddressSupplied) -> tuple[Saved, ...]:
        """Record the address that the requester chose, and tell the commission where it was asked already."""
        return self.decided(
            case_id, lambda case: decisions.choose_address(case, form, standing=self._chosen_address(case_id, case))
        )

    def incomplete(self, case_id: UUID, form: IncompleteInput) -> tuple[Saved, ...]:
        """Tell the requester what the application lacks."""
        return self._act(case_id, completing.find_incomplete, form)

    def supplement(self, case_id: UUID, form: SupplementInput) -> tuple[Saved, ...]:
        """Record what was supplied."""
        return self._act(case_id, completing.supplement, form)

    def change_variant(self, case_id: UUID, form: VariantForm) -> tuple[Saved, ...]:
        """Record that the requester chose another route."""
        return self._act(case_id, choosing.choose_variant, form)

    def close(self, case_id: UUID) -> tuple[Saved, ...]:
        """Close an application that was not completed in its term."""
        return self._act(case_id, completing.close_unsupplemented, self.office.today)

    def link_duplicate(self, case_id: UUID, form: DuplicateInput) -> tuple[Saved, ...]:
        """Record that an application is the duplicate of another case's, whose consent and address may be superseded before.

        Killed between both, it is repeated: what the other case has taken over it is not asked to take twice.
        """

        def linked(case: SchoolCase) -> tuple[New, ...]:
            return duplicates.link_duplicate(
                case,
                form,
                primary=self.case(form.primary),
                is_itself=form.primary == case_id,
                is_same_pupil=form.primary in self._of_this_pupil(case_id, case),
            )

        taken = self._superseded(case_id, form.primary, linked) if form.supersedes else ()
        return (*taken, *self.decided(case_id, linked))

    def reopen(self, case_id: UUID, form: ReopeningForm) -> tuple[Saved, ...]:
        """Take up a duplicate again whose other application came to nothing."""
        today, opened = self.office.today, opener(self.office, case_id)
        return self.decided(case_id, lambda case: duplicates.reopen_duplicate(case, form, today=today, opened=opened))

    def screen(self, case_id: UUID, form: ScreeningInput) -> tuple[Saved, ...]:
        """Evaluate the conditions on what is known."""

        def screened(case: SchoolCase) -> tuple[New, ...]:
            bench = self._bench(case_id, case, form.as_of)
            return judging.screen(case, form, rules=bench.rules, birth_date=bench.birth_date, school=bench.school)

        return self.decided(case_id, screened)

    def request(self, case_id: UUID) -> tuple[Saved, ...]:
        """Ask the commission."""
        return self.decided(case_id, lambda case: self._asking(case_id, case, self.office.today))

    def remind(self, case_id: UUID) -> tuple[Saved, ...]:
        """Remind the commission of a request whose term is over."""
        return self._act(case_id, decisions.remind, self.office.today)

    def evaluate(self, case_id: UUID, form: EvaluationInput) -> tuple[Saved, ...]:
        """Record which documents were evaluated."""
        return self._act(case_id, judging.evaluate_documents, form)

    def decide(self, case_id: UUID, form: DecisionInput) -> tuple[Saved, ...]:
        """Grant or refuse the service."""
        return self.decided(case_id, lambda case: deciding.decide(case, form, self._bench(case_id, case, form.decided_on)))

    def notify(self, case_id: UUID, form: NotificationInput) -> tuple[Saved, ...]:
        """Record how and when the decision was sent."""
        return self._act(case_id, deciding.notify, form)

    def contest(self, case_id: UUID, form: ContestInput) -> tuple[Saved, ...]:
        """Record that a refusal is contested."""
        return self._act(case_id, deciding.contest, form)

    def uphold(self, case_id: UUID, form: RulingInput) -> tuple[Saved, ...]:
        """Record that a contested refusal stands."""
        return self._act(case_id, deciding.uphold, form)

    def set_aside(self, case_id: UUID, form: RulingInput) -> tuple[Saved, ...]:
        """Record that a contested refusal was set aside."""
        return self._act(case_id, deciding.set_aside, form)

    def _superseded(self, case_id: UUID, primary: UUID, linked: Callable[[SchoolCase], object]) -> tuple[Saved, ...]:
        """Let another case take over what a duplicate says of consent and address (D.5, 5); nothing if it is none."""
        case = self.case(case_id)
        linked(case)
        more, taken = duplicates.said_more(case, self.case(primary)), list[Saved]()
        if MissingItem.CONSENT in more:
            by = self.opened(case_id, case.consent_body).by
            taken += self.consent(primary, ConsentSupplied.model_construct(received_on=case.consented_on, by=by))
        if MissingItem.ADDRESS in more and case.address is not None:
            chosen = case.address
            place = self.opened(case_id, chosen.body).address
            form = AddressSupplied.model_construct(
                choice=chosen.kind,
                protected=chosen.protected,
                address=AddressForm.model_construct(text=place.text, postal_code=place.postal_code, varis_code=place.varis_code),
                confirmed_on=chosen.confirmed_on,
                dispatch_on_hold=False,
            )
            # The same address, confirmed later: nothing is to be told to anybody.
            with suppress(refusals.AddressUnchangedError):
                taken += self.address(primary, form)
        return tuple(taken)

    def _act(self, case_id: UUID, decide: Callable[..., tuple[New, ...]], *given: Any) -> tuple[Saved, ...]:
        return self.decided(case_id, lambda case: decide(case, *given))

    def _of_this_pupil(self, case_id: UUID, case: SchoolCase) -> list[UUID]:
        """Return the other cases of the pupil of a case. Raises: NoApplicationError; NotReadableError."""
        return self.others_of(case_id, self.codes(case_id, case))

    def _asking(self, case_id: UUID, case: SchoolCase, today: date) -> tuple[New, ...]:
        """Return the request; facts and personal parts are of one state of the case, the one that is decided on."""
        _, body, _, chosen = decisions.may_request(case, today)
        bench = self._bench(case_id, case, today)
        return decisions.request_information(
            case,
            today,
            self.rules(None, today),
            application=self.opened(case_id, body),
            address=self.opened(case_id, chosen.body),
            standing=self.particulars(case_id, case),
            is_asked_elsewhere=self._is_asked_elsewhere(case_id, case),
            is_excluded=judging.excluded(today, rules=bench.rules, birth_date=bench.birth_date, school=bench.school),
        )

    def _chosen_address(self, case_id: UUID, case: SchoolCase) -> DeliveryAddressChosenPersonal | None:
        """Return the address that stands, to see whether it is chosen again; None, so another one, where it does not open."""
        if case.address is None:
            return None
        opened = open_personal(self.office, event_with(self.office, case_id, case.address.body))
        return None if isinstance(opened, Missing) else opened.content

    def _bench(self, case_id: UUID, case: SchoolCase, day: date) -> Bench:
        """Return by what a case is judged on a day."""
        return Bench(
            rules=self.rules(case, day),
            birth_date=self.born_on(case_id, case),
            school=judging.description_on(self.own_history(), day),
            instruction=self.settings.contest_instruction,
            irp_copy_required=self.settings.require_irp_copy_before_decision,
        )

    def _new(self, code: str, news: tuple[New, ...]) -> tuple[New, ...]:
        # Whoever was killed inside a commit may have done its work although no list shows it yet: SQLite finds it at the next
        # recovery. The clerk looks, sees nothing and repeats; the second must not become a case of its own.
        filed = news[0]
        for earlier in cases_of(self.office, code):
            case = self.case(earlier)
            if case.application != filed.facts or case.application_body is None:
                continue
            opened = open_personal(self.office, event_with(self.office, earlier, case.application_body))
            if not isinstance(opened, Missing) and opened.content == filed.personal:
                raise refusals.FiledAlreadyError(earlier)
        return news

    def _pupil_number(self, code: str) -> int:
        """Return the school's running number of a pupil: that of an earlier case, else the next one."""
        for earlier in self.cases_under(code):
            filed = self.case(earlier).application
            if filed is not None:
                return filed.pupil
        row = self.office.database.one("SELECT count(*) FROM cases")
        return (row[0] if row else 0) + 1

    def _is_asked_elsewhere(self, case_id: UUID, case: SchoolCase) -> bool:
        others = (other.request for other in self.other_cases(case_id, case))
        return any(request is not None and request.is_open for request in others)

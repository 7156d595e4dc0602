"""The school's use cases: get the case, act, save. Called by every entrypoint alike.

A form is read and checked before (``input``), a decision is taken by the domain; here personal parts are opened where a
decision needs them, and the clock says what day it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.policy.rules import rules_on
from services.post.cases import Missing, history_of, open_personal
from services.post.drafts import drop_draft, keep_draft, open_draft
from services.post.history import New
from services.post.office import Office
from services.post.people import cases_of
from services.post.saving import Saved, act
from services.post.store import SealedEvent
from services.school.domain import decisions, refusals
from services.school.domain.case import SchoolCase, fold
from services.school.input import AddressSupplied, ApplicationInput, ConsentSupplied
from services.wire.errors import RefusedError
from services.wire.hashing import Digest, digest_of

__all__ = ["CaseMissingError", "NotReadableError", "School", "new_case_id"]

_DRAFT: Final = "application"
_VERSION_7: Final = 0x7000
_VARIANT: Final = 0x8000000000000000


class CaseMissingError(RefusedError):
    """There is no such case."""

    def __init__(self) -> None:
        super().__init__("There is no case of this number here. Check the number against the list of cases.")


class NotReadableError(RefusedError):
    """What is personal about an event cannot be opened, so nothing can be built on it."""

    def __init__(self, why: Missing) -> None:
        super().__init__(f"What the family wrote cannot be opened here ({why.value}), so this cannot be done.")


@dataclass(frozen=True, slots=True)
class School:
    """The acts of a school's clerk."""

    office: Office

    def file(self, form: ApplicationInput, *, draft: int | None = None) -> tuple[UUID, tuple[Saved, ...]]:
        """File an application and return the new case; the draft that it was is gone with the same transaction.

        Raises: FiledAlreadyError if the same application is a case already; what ``file_application`` raises.
        """
        case_id = new_case_id(self.office.clock(), self.office.random)
        rules = rules_on(form.received_on)
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

    def consent(self, case_id: UUID, form: ConsentSupplied) -> tuple[Saved, ...]:
        """Record a consent that came after the application."""
        self._require(case_id)
        return act(self.office, case_id, lambda history: decisions.record_consent(fold(history), form))

    def address(self, case_id: UUID, form: AddressSupplied) -> tuple[Saved, ...]:
        """Record the address that the requester chose."""
        self._require(case_id)
        return act(self.office, case_id, lambda history: decisions.choose_address(fold(history), form))

    def request(self, case_id: UUID) -> tuple[Saved, ...]:
        """Ask the commission."""
        case = self.case(case_id)
        if case.consent_body is None:
            raise refusals.ConsentMissingError
        if case.address is None or case.application_body is None:
            raise refusals.AddressMissingError
        today = self.office.today
        application = self._personal(case_id, case.application_body)
        code = application.application.pupil.personal_code
        address = self._personal(case_id, case.address.body)
        return act(
            self.office,
            case_id,
            lambda history: decisions.request_information(
                fold(history),
                today,
                rules_on(today),
                application=application,
                address=address,
                is_asked_elsewhere=self._is_asked_elsewhere(case_id, code),
            ),
        )

    def case(self, case_id: UUID) -> SchoolCase:
        """Return a case, folded from its events.

        Raises: CaseMissingError.
        """
        self._require(case_id)
        return fold(history_of(self.office, self.office.store.stream(case_id)))

    def _require(self, case_id: UUID) -> None:
        if not self.office.store.stream(case_id).events or case_id == self.office.own_stream:
            raise CaseMissingError

    def _personal(self, case_id: UUID, body: Digest) -> Any:
        opened = open_personal(self.office, self._event(case_id, body))
        if isinstance(opened, Missing):
            raise NotReadableError(opened)
        return opened.content

    def _event(self, case_id: UUID, body: Digest) -> SealedEvent:
        return next(each for each in self.office.store.stream(case_id).events if digest_of(each.body) == body)

    def _new(self, code: str, news: tuple[New, ...]) -> tuple[New, ...]:
        # Whoever was killed inside a commit may have done its work although no list shows it yet: SQLite finds it at the next
        # recovery. The clerk looks, sees nothing and repeats; the second must not become a case of its own.
        filed = news[0]
        for earlier in cases_of(self.office, code):
            case = self.case(earlier)
            if case.application != filed.facts or case.application_body is None:
                continue
            opened = open_personal(self.office, self._event(earlier, case.application_body))
            if not isinstance(opened, Missing) and opened.content == filed.personal:
                raise refusals.FiledAlreadyError(earlier)
        return news

    def _pupil_number(self, code: str) -> int:
        """Return the school's running number of a pupil: that of an earlier case, else the next one."""
        for earlier in cases_of(self.office, code):
            filed = self.case(earlier).application
            if filed is not None:
                return filed.pupil
        row = self.office.database.one("SELECT count(*) FROM cases")
        return (row[0] if row else 0) + 1

    def _is_asked_elsewhere(self, case_id: UUID, code: str) -> bool:
        others = (self.case(each).request for each in cases_of(self.office, code) if each != case_id)
        return any(request is not None and request.is_open for request in others)


def new_case_id(milliseconds: int, random: Callable[[int], bytes]) -> UUID:
    """Return a UUIDv7 (RFC 9562): 48 bits of time, 74 of randomness."""
    drawn = int.from_bytes(random(10), "big")
    high = (milliseconds << 16) | _VERSION_7 | (drawn >> 64 & 0x0FFF)
    low = _VARIANT | (drawn & (2**62 - 1))
    return UUID(int=(high << 64) | low)

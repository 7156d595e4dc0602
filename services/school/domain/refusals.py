"""What a school's clerk can be told no for; each leaf names the broken rule, its message says what would be right."""

from __future__ import annotations

from uuid import UUID

from services.wire.errors import RefusedError

__all__ = [
    "AddressFixedError",
    "AddressMissingError",
    "ConsentMissingError",
    "ConsentRecordedError",
    "ExceptionNotDeclaredError",
    "FiledAlreadyError",
    "FormRefusedError",
    "IrpMissingError",
    "NoApplicationError",
    "OpinionNotStatedError",
    "PupilAskedAboutError",
    "RequestBeforeApplicationError",
    "RequestOpenError",
    "UnderageRequesterError",
    "VariantNotHandledError",
]


class FormRefusedError(RefusedError):
    """A form has faults; ``lines`` tells them one by one, without what was typed."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class UnderageRequesterError(RefusedError):
    """Only a pupil of full age applies alone (guidance, section 2)."""

    def __init__(self, adult_age: int) -> None:
        super().__init__(f"The pupil is not {adult_age} yet on the day of receipt: a legal representative has to apply.")


class FiledAlreadyError(RefusedError):
    """The same application, word for word, is a case already."""

    def __init__(self, case_id: UUID) -> None:
        super().__init__(f"This application is filed already: it is case {case_id}. Go on there.")


class NoApplicationError(RefusedError):
    """The case holds no application."""

    def __init__(self) -> None:
        super().__init__("There is no application in this case. Enter the application first, or check the case number.")


class ConsentRecordedError(RefusedError):
    """The consent is there already."""

    def __init__(self) -> None:
        super().__init__("The consent is recorded already. Nothing more is needed.")


class AddressFixedError(RefusedError):
    """The address is in a request that the commission holds; from then on this form no longer changes it."""

    def __init__(self) -> None:
        super().__init__("The address has gone to the commission with the request and cannot be chosen anew here.")


class ConsentMissingError(RefusedError):
    """The commission is never asked without the requester's consent (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__("The requester has not agreed that the school asks the commission. Record a signed consent first.")


class AddressMissingError(RefusedError):
    """The commission is never asked before the requester chose where its documents go (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The requester has not chosen where the commission sends its documents. Record the choice: home, school or e-address."
        )


class VariantNotHandledError(RefusedError):
    """Only the ways through the school ask the commission: a.2 and b.2."""

    def __init__(self) -> None:
        super().__init__("The school asks the commission in variants a.2 and b.2 only; this case has another one.")


class ExceptionNotDeclaredError(RefusedError):
    """The way through the school is open in the exceptional case only (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The application does not say that applying to the commission oneself is too hard. "
            "Ask the requester, or let them apply to the commission."
        )


class OpinionNotStatedError(RefusedError):
    """Both ways through the school state that there is an opinion on the need of special care (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "The application does not state that there is an opinion on the need of special care. Ask the requester."
        )


class IrpMissingError(RefusedError):
    """Variant a.2 states that the rehabilitation plan is there, and its copy is attached (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__(
            "Variant a.2 needs the individual rehabilitation plan: stated in the application, with a copy for the school. "
            "Without a plan the variant is b.2."
        )


class RequestOpenError(RefusedError):
    """At most one request of a case is before the commission, and an answered one is not asked again."""

    def __init__(self) -> None:
        super().__init__("The commission has been asked in this case already. Wait for its answer, or read the answer that came.")


class PupilAskedAboutError(RefusedError):
    """At most one request about a pupil is before the commission, whatever the number of applications (invariant I3)."""

    def __init__(self) -> None:
        super().__init__(
            "The commission has been asked about this pupil in another case and has not answered yet. Wait for that answer."
        )


class RequestBeforeApplicationError(RefusedError):
    """A request is not older than what it rests on."""

    def __init__(self) -> None:
        super().__init__("The request would be dated before the application was received. Check the day of receipt.")

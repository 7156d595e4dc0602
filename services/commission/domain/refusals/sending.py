"""What refuses sending letters and noting what became of them; each leaf names the broken rule."""

from __future__ import annotations

from services.wire.errors import RefusedError

__all__ = [
    "AlreadyDispatchedError",
    "DeliveryNotedError",
    "DiedElsewhereError",
    "DispatchOnHoldError",
    "DispatchWayError",
    "NoSuchAddressError",
    "NotDispatchedError",
    "NothingToDispatchError",
    "NothingToRepeatError",
    "ProtectedAddressError",
]


class NothingToDispatchError(RefusedError):
    """Only what was issued is sent."""

    def __init__(self) -> None:
        super().__init__("Nothing has been issued in this case yet, so there is nothing to send.")


class AlreadyDispatchedError(RefusedError):
    """The documents of a case are sent once; sending them again is another act."""

    def __init__(self) -> None:
        super().__init__("The documents of this case have been sent already.")


class DispatchWayError(RefusedError):
    """Documents go to the address that the application chose, and by a way that leads there (guidance, section 5)."""

    def __init__(self) -> None:
        super().__init__("The way does not lead to the chosen address: an e-address takes EAddress, home and school a letter.")


class ProtectedAddressError(RefusedError):
    """What goes to a protected address is given to the addressee alone (domain.md C3, special risk; D.5, 19)."""

    def __init__(self) -> None:
        super().__init__(
            "The address is protected, and an ordinary letter may be opened by others: send it registered, by e-address,"
            " or hand it to the author of the application."
        )


class DispatchOnHoldError(RefusedError):
    """Nothing is sent while the requester, or the school of another case of the pupil, asks so (D.5, 19 and 30; E13)."""

    def __init__(self, *, is_elsewhere: bool = False, may_have_died: bool = False) -> None:
        if may_have_died:
            text = (
                "Another case was closed because its pupil died, who may be this one; `show` says which. Ask the family: close"
                " this case, or write the day on which the requester confirmed where the letter goes as address_confirmed_on."
            )
        elif is_elsewhere:
            text = (
                "The school of another case of this pupil asks to send nothing for now; `show` says which. Wait until it tells"
                " the new address, or confirm with the requester where the letter goes, and write that day as"
                " address_confirmed_on."
            )
        else:
            text = "The requester has asked to send nothing for now. Wait until the school tells the new address."
        super().__init__(text)


class DiedElsewhereError(RefusedError):
    """Nothing is sent about a pupil who died, whichever request told of it (D.5, 30)."""

    def __init__(self) -> None:
        super().__init__("A linked case of this pupil was closed because the pupil died; `show` says which. Close this one too.")


class NoSuchAddressError(RefusedError):
    """A letter goes where this case says, or one that is linked to it, and never where a school holds it (I5; D.5, 19; E13)."""

    def __init__(self) -> None:
        super().__init__(
            "address_of names no case that is linked to this one and whose address may be written to. Copy the number from"
            " `show`, or leave it out; while its school asks to send nothing, nothing goes to the address there."
        )


class NotDispatchedError(RefusedError):
    """Only of what was sent can be known whether it came."""

    def __init__(self) -> None:
        super().__init__("Nothing has been sent yet in this case.")


class DeliveryNotedError(RefusedError):
    """What is known of a letter is recorded once."""

    def __init__(self) -> None:
        super().__init__("This is recorded already of the letter that was sent last.")


class NothingToRepeatError(RefusedError):
    """A letter is sent again when it did not come, or another address was told since (D.5, 17; E13)."""

    def __init__(self, *, is_told_elsewhere: bool = False) -> None:
        super().__init__(
            "The school of a linked case told another address since; `show` says which. Ask the requester where the letter goes,"
            " and write that day as address_confirmed_on."
            if is_told_elsewhere
            else "Nobody has reported that the letter did not come, and no other address was told since. Record the failed"
            " delivery first."
        )

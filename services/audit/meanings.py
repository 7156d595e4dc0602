"""Meanings: what each kind of finding means, in a sentence for a person who has to do something about it."""

from __future__ import annotations

from typing import Final

from services.audit.report import Finding
from services.wire.errors import (
    ArchiveError,
    BasisError,
    FacesError,
    ForkError,
    HiddenChannelError,
    MalformedError,
    MissingError,
    OrderError,
    PartError,
    PlaceError,
    RootError,
    SignatureError,
)

__all__ = ["MEANINGS", "meaning_of"]

MEANINGS: Final[dict[str, str]] = {
    MalformedError.__name__: (
        "What stands here is no entry, and something later shows that one stood here: it was damaged or overwritten. The writer's"
        " database or another copy still has it."
    ),
    PlaceError.__name__: (
        "Another entry stands here than the one that what comes after it names: it was exchanged, or what its writer signed was"
        " changed afterwards."
    ),
    PartError.__name__: (
        "The statement is genuine, and a sealed part of it is not the one that was signed: the part was damaged or exchanged, and"
        " what it holds must not be believed."
    ),
    SignatureError.__name__: (
        "The statement is the right one and its signature is not: it was damaged, or somebody else's was put in its place. From"
        " here on nothing of the channel is taken."
    ),
    MissingError.__name__: (
        "An entry that existed is not here: it was deleted, cut off, or hidden from whoever made this copy. Ask its writer and"
        " its counterpart for it; signed bytes need no trust."
    ),
    ForkError.__name__: (
        "Two signed entries stand at one place, or a counterpart holds another one: the writer's key is in two hands, or the"
        " writer tells two stories. The two entries are proof; call the registrar."
    ),
    FacesError.__name__: (
        "The registrar has told two participants two things at one place of its channel: nothing that rests on what came after"
        " may be trusted. Keep both, and compare with other auditors."
    ),
    RootError.__name__: (
        "This log and this root certificate are of two exchanges, or the beginning of the registrar's channel was exchanged. Hold"
        " the log against the root certificate that its exchange gave you by another way."
    ),
    HiddenChannelError.__name__: (
        "A channel was opened under this root and the registrar's channel does not admit its writer: the admission was cut off,"
        " or somebody writes where nobody reads."
    ),
    BasisError.__name__: (
        "An event says that it rests on another which is not there, is of another kind or case, or was written later: an answer"
        " without its recommendation, or a request without its consent. Its writer has to explain it; or what it names was cut"
        " off where nobody had receipted it."
    ),
    OrderError.__name__: (
        "By what its events say themselves a case has no one sequence: two follow the same one, or an answer answers or corrects"
        " what it cannot. Its writer tells two stories of the case, or one that did not happen, and has to explain it; or what it"
        " names was cut off where nobody had receipted it."
    ),
    ArchiveError.__name__: (
        "A file of this copy was changed after it was written. The exchange itself may be whole: compare with another copy, or"
        " mirror anew."
    ),
}


def meaning_of(finding: Finding) -> str:
    """Return what a finding means, in a sentence or two."""
    return MEANINGS.get(finding.error, "Something is not what was signed.")

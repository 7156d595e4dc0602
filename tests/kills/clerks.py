"""The people of an exchange: each a generator that gives the next command, and looks what became of it.

A command that was killed did its work or did nothing of it: the clerk looks into the list, and repeats what is not done, as a
person would. What a command said it did must be there. (Killed inside its commit it may have done its work unseen, until SQLite
recovers the file; then what is repeated is refused.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.post.building import milliseconds
from services.post.office import day_of
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import TransportError
from tests.kills.forking import Child, Order
from tests.kills.logs import BrokerLog, FileLog
from tests.kills.looking import Sight
from tests.people import another_pupil, application_json

__all__ = ["Clerk", "Desk", "WrongError", "commission_clerk", "joining", "registrar_clerk", "rotation", "school_clerk"]

Clerk = Generator[Order | None, Child | None, None]
"""Gives the next command, or None to be asked again a little later; is sent the command when it has ended."""

# What passes by itself: another process is starting or held the database; the clerk repeats the command.
_AGAIN: Final = ("Starting", "NotReady", "DatabaseBusy", "Conflict", "ChannelUnavailable")
_YES: Final = {"register": "RequestRegistered", "examine": "ExpertiseFileExamined", "recommend": "RecommendationIssued"}
_NO: Final = {"register": "RequestRegistered", "examine": "ExpertiseFileExamined", "refuse": "RecommendationRefused"}
_ANSWER: Final = {"answer": "ConfirmationGiven"}


class WrongError(AssertionError):
    """Something was lost, doubled or refused that must not be."""


@dataclass(slots=True)
class Desk:
    """What all clerks share: the exchange, where their forms and answers lie, what they were told, and whether to begin more."""

    sight: Sight
    papers: Path
    is_open: bool = True
    begun: int = 0
    filed: dict[UUID, str] = field(default_factory=dict)
    confirmed: int = 0
    killed_confirming: int = 0
    _number: int = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def order(self, who: str, act: str, *arguments: object) -> Order:
        """Return the order for a command of a participant."""
        place = self.papers / f"{self.number():06}"
        group = who.partition("-")[0]
        config = ("--config", str(self.sight.folder / who / "sarakste.toml"))
        json_too = () if act == "worker" else ("--json",)
        return Order(
            kind=f"{group} {act}",
            arguments=(group, *act.split(), *map(str, arguments), *config, *json_too),
            out=place.with_suffix(".out"),
            err=place.with_suffix(".err"),
        )

    def form(self, content: dict[str, Any]) -> Path:
        path = self.papers / f"{self.number():06}.json"
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        return path


def path_of(case_id: UUID) -> dict[str, str]:
    """Return what the commission does in one of its cases: some are answered no."""
    return (_NO if case_id.int & 3 == 0 else _YES) | _ANSWER


def _until(make: Callable[[], Order], is_done: Callable[[], bool], *, patient: tuple[str, ...] = ()) -> Clerk:
    """Repeat a command until it has done its work; ``patient`` names refusals that pass by themselves."""
    while not is_done():
        ended = yield make()
        if ended is None or ended.is_killed or is_done():
            continue
        if ended.code == 0:
            raise WrongError(f"{ended.order.kind} said it was done, and it is not: {ended.order.out}")
        if _error(ended) not in (*_AGAIN, *patient):
            raise WrongError(f"{ended.order.kind} ended with {ended.code}: {ended.order.err.read_text('utf-8')[-2000:]}")
        yield None


def _error(child: Child) -> str:
    lines = child.order.err.read_text("utf-8").splitlines()
    try:
        return str(json.loads(lines[-1])["error"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


def _is_whole(pem: Path) -> bool:
    """Tell whether a file was written to its end: a killed command may leave the beginning of one."""
    return pem.exists() and pem.read_bytes().rstrip().endswith(b"-----")


def _today() -> str:
    return day_of(milliseconds()).isoformat()


def school_clerk(desk: Desk, school: str, pupils: Callable[[], int]) -> Clerk:
    """File applications one after the other, and ask the commission about each."""
    while desk.is_open:
        desk.begun += 1
        today = _today()
        form = application_json(received_on=today, pupil=another_pupil(pupils()))
        form["consent"]["received_on"] = today
        paper = desk.form(form)
        known = set(desk.sight.cases(school))
        yield from _until(
            lambda paper=paper: desk.order(school, "file", paper),  # type: ignore[misc]  # bound now
            lambda known=known: set(desk.sight.cases(school)) > known,  # type: ignore[misc]
        )
        (case_id,) = set(desk.sight.cases(school)) - known
        desk.filed[case_id] = school
        yield from _until(
            lambda case_id=case_id: desk.order(school, "request", case_id),  # type: ignore[misc]
            lambda case_id=case_id: "InformationRequested" in desk.sight.events(school, case_id),  # type: ignore[misc]
        )


def commission_clerk(desk: Desk, *, is_late: bool) -> Clerk:
    """Do what is next in each case, until everything that was asked is answered; of two clerks one begins with the newest."""
    while not _is_over(desk):
        waiting = sorted(_unanswered(desk), reverse=is_late)
        if not waiting:
            yield None
            continue
        case_id, done = waiting[0], desk.sight.events(COMMISSION, waiting[0])
        for act, event in path_of(case_id).items():
            if event not in done:
                yield from _until(
                    lambda act=act, case_id=case_id: _decide(desk, act, case_id),  # type: ignore[misc]
                    lambda event=event, case_id=case_id: event in desk.sight.events(COMMISSION, case_id),  # type: ignore[misc]
                )


def _is_over(desk: Desk) -> bool:
    if desk.is_open or desk.begun > len(desk.filed):
        return False
    states = desk.sight.cases(COMMISSION)
    return all(states.get(desk.sight.other_side(school, case_id)) == "Answered" for case_id, school in desk.filed.items())


def _unanswered(desk: Desk) -> list[UUID]:
    return [case_id for case_id, state in desk.sight.cases(COMMISSION).items() if state != "Answered"]


def _decide(desk: Desk, act: str, case_id: UUID) -> Order:
    today = _today()
    forms: dict[str, dict[str, Any]] = {
        "register": {"register_number": "R-17", "received_on": today},
        "examine": {"file_found": True, "opinion": "Valid", "examined_on": today},
        "recommend": {"number": "I-1", "text": "Ieteikums", "issued_on": today, "valid_from": today},
        "refuse": {"issued_on": today, "grounds": ["NeedNotFound"], "text": "Iemesls"},
        "answer": {"official": "Ilze Paraudziņa"},
    }
    return desk.order(COMMISSION, act, case_id, desk.form(forms[act]))


def registrar_clerk(desk: Desk, errands: list[Clerk]) -> Clerk:
    """See new schools in and new keys through, one after the other; between them say that there is nothing new."""
    waiting = list(errands)
    while desk.is_open:
        queued = desk.sight.queued(REGISTRAR)
        ended = yield desk.order(REGISTRAR, "confirm")
        if desk.sight.queued(REGISTRAR) > queued:
            desk.confirmed += 1
        elif ended is not None and ended.code == 0:
            raise WrongError("registrar confirm said it was done, and it is not")
        else:
            # Not seen yet; killed in its commit, it may show when SQLite next recovers the file.
            desk.killed_confirming += 1
        if waiting:
            yield from waiting.pop(0)
        for _ in range(10):
            yield None


def joining(desk: Desk, log: FileLog | BrokerLog, number: str, on_joined: Callable[[str], None]) -> Clerk:
    """Let a school join the exchange, by commands that are killed like all others."""
    folder, name = desk.sight.folder, f"school-{number}"
    home, certificate = folder / name, desk.papers / f"{number}-certificate.pem"
    options = ("--number", number, "--organisation", f"NTRLV-{number}", "--name", "Jauna skola")
    where = (*log.way(name), "--root", str(folder / "root.pem"), "--json")

    def init() -> Order:
        order = desk.order(name, "init")
        return replace(order, arguments=("school", "init", str(home), *options, *where))

    yield from _until(init, (home / "sarakste.toml").exists)
    yield from _until(lambda: desk.order(REGISTRAR, "issue", home / "request.pem", certificate), lambda: _is_whole(certificate))
    queued = desk.sight.queued(REGISTRAR)
    yield from _until(
        lambda: desk.order(REGISTRAR, "admit", name, "School", f"NTRLV-{number}", "Jauna skola"),
        lambda: desk.sight.queued(REGISTRAR) > queued,
    )
    if log.provisioning:
        yield from _provisioned(desk, log.provisioning)
    yield from _until(lambda: desk.order(name, "certificate", certificate), (home / "certificate.pem").exists)
    on_joined(name)


def _provisioned(desk: Desk, options: tuple[str, ...]) -> Clerk:
    """Give a newcomer its channels on the brokers; what a killed command did of it stays, and the next one does the rest."""
    while True:
        ended = yield desk.order(REGISTRAR, "provision", *options)
        if ended is not None and ended.code == 0:
            return
        if ended is not None and not ended.is_killed and ended.code != TransportError.exit_code:
            raise WrongError(f"registrar provision ended with {ended.code}: {ended.order.out}, {ended.order.err}")
        yield None


def rotation(desk: Desk, name: str) -> Clerk:
    """Bring a new signing key into a participant's channels, and let the registrar revoke the old one."""
    number = desk.number()
    request, certificate, old = (desk.papers / f"{number:06}-{each}.pem" for each in ("request", "certificate", "old"))
    home = desk.sight.folder / name
    old.write_bytes((home / "certificate.pem").read_bytes())
    yield from _until(lambda: desk.order(name, "rotate", "--request", request), lambda: _is_whole(request))
    yield from _until(lambda: desk.order(REGISTRAR, "issue", request, certificate), lambda: _is_whole(certificate))
    yield from _until(
        lambda: desk.order(name, "rotate", certificate),
        lambda: (home / "certificate.pem").read_bytes() == certificate.read_bytes(),
    )
    queued = desk.sight.queued(REGISTRAR)
    # Refused until the worker has brought the new key into every channel.
    yield from _until(
        lambda: desk.order(REGISTRAR, "revoke", old, "Superseded"),
        lambda: desk.sight.queued(REGISTRAR) > queued,
        patient=("Stopping",),
    )
    while (home / "signing-old.key").exists():
        yield None

"""Acts of both sides at random, mostly such as the outlook offers, with messages that take any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from services.commission.domain.outlook import outlook_of as commission_outlook
from services.school.domain.folded import SchoolCase
from services.school.domain.outlook import outlook_of as school_outlook
from services.school.input import DuplicateInput
from services.wire.channels import to_commission
from services.wire.errors import RefusedError
from services.wire.events import Asks, DuplicateCause
from tests.procedure.commission_desk import COMMISSION_ACTS, CommissionDesk
from tests.procedure.commission_forms import COMMISSION_FORMS, direct_application
from tests.procedure.form_rules import FORM_RULES
from tests.procedure.houses import SCHOOLS, World
from tests.procedure.people import PUPILS, Pupil
from tests.procedure.picks import PICKS, Picks
from tests.procedure.school_desk import SCHOOL_ACTS, SchoolDesk
from tests.procedure.school_forms import SCHOOL_FORMS, Occasion, application, description

__all__ = ["ROADS", "Play"]

_YES: Final = ("request", "deliver", "register", "examine", "issue-irp", "recommend", "dispatch", "answer", "deliver")
_SERVICE: Final = ("screen", "evaluate", "decide", "notify", "propose-assistant", "annex-cv", "conclude")
ROADS: Final = (
    (*_YES, *_SERVICE),
    ("request", "deliver", "register", "examine", "refuse", "answer", "deliver", "screen", "decide", "notify", "contest"),
    ("request", "deliver", "register", "examine none", "require-attendance", "deliver", "attended", "issue-opinion"),
    ("request", "deliver", "register", "not-matched", "deliver", "correct", "deliver", "examine", "recommend"),
)
"""Ways that are mostly gone, act by act; a history may begin some way along one."""


_ENDING: Final = frozenset(
    {"withdraw", "leave", "close", "link-duplicate", "return-request", "revoke", "attendance-lapsed", "end-service"}
)
_BESIDE: Final = frozenset({"oppose", "correct", "change-representative", "came-of-age", "withdraw-consent", "extend-term"})


def _mostly_going_on(allowed: Sequence[str], picks: Picks) -> Sequence[str]:
    """Return the acts that lead on; a history in which most cases are withdrawn soon shows little."""
    on = [each for each in allowed if each not in _ENDING | _BESIDE]
    return allowed if not on or picks.rarely() else on


class Play:
    """One history as it goes on; ``refusals`` counts the rules that refused what the outlook had offered."""

    def __init__(self) -> None:
        self.world = World()
        self.commission = CommissionDesk(self.world)
        self.schools = [SchoolDesk(self.world, self.world.schools[name]) for name in SCHOOLS]
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.pupils: dict[UUID, Pupil] = {}
        for desk in self.schools:
            desk.describe(description(self.world.today))

    def file(self, school: int, pupil: int, number: int) -> UUID:
        """File an application."""
        case_id = self.schools[school].file(application(PUPILS[pupil], self.world.today, Picks(number)))
        self.pupils[case_id] = PUPILS[pupil]
        return case_id

    def file_again(self, number: int) -> None:
        """File an application about a pupil who has one at the same school, and link it to that one, if that goes on."""
        picks = Picks(number)
        desk = picks.among([desk for desk in self.schools if desk.school.cases] or self.schools)
        if not desk.school.cases:
            return
        primary, supersedes = picks.among(tuple(desk.school.cases)), picks.among((True, False, None))
        pupil = self.pupils[primary]
        form = DuplicateInput(primary=primary, cause=DuplicateCause.OTHER_PARENT, supersedes=supersedes)
        again = self.file(self.schools.index(desk), PUPILS.index(pupil), picks.among(range(PICKS)))
        # Of a pupil whose code was mistyped in one of both, nobody can tell that they are one; what has ended is no primary.
        with suppress(RefusedError):
            desk.act("link-duplicate", again, form)

    def step_back(self, number: int) -> None:
        """Let whoever applied first withdraw an application to which another one was linked."""
        duplicates = [(desk, case.duplicate_of) for desk in self.schools for case in desk.school.folded.values()]
        linked = [(desk, body) for desk, body in duplicates if body is not None]
        if not linked:
            return
        desk, body = Picks(number).among(linked)
        primary = desk.school.case_with(body)
        assert primary is not None
        with suppress(RefusedError):
            self.do_at_school("withdraw", primary, Picks())

    def apply_directly(self, pupil: int, number: int) -> None:
        """Let a requester apply to the commission."""
        self.commission.register_direct(direct_application(PUPILS[pupil], self.world.today, Picks(number)))

    def go_along(self, road: int, steps: int, case_id: UUID) -> None:
        """Go some steps of a way that is mostly gone, as far as this case allows it."""
        self.go(ROADS[road][:steps], case_id)

    def go(self, steps: Sequence[str], case_id: UUID) -> None:
        """Do some acts of both sides in a case, with the most ordinary forms; ``deliver`` lets everything come in."""
        for step in steps:
            if step == "deliver":
                self.world.settle()
                continue
            act, _, how = step.partition(" ")
            self._do(act, case_id, Picks(2 if how else 0))

    def at_school(self, number: int, *, anything: bool = False) -> None:
        """Let a school do something in one of its cases."""
        picks = Picks(number)
        desk = picks.among([desk for desk in self.schools if desk.school.cases] or self.schools)
        if not desk.school.cases:
            return
        case_id = picks.among(tuple(desk.school.cases))
        allowed = [each.act for each in school_outlook(desk.school.case(case_id), self.world.today).allowed]
        act = picks.among(tuple(SCHOOL_ACTS) if anything or not allowed else _mostly_going_on(allowed, picks))
        self._at_school(act, case_id, picks, is_offered=act in allowed)

    def at_commission(self, number: int, *, anything: bool = False) -> None:
        """Let the commission do something in one of its cases."""
        picks, house = Picks(number), self.world.commission
        if not house.cases:
            return
        case_id = picks.among(tuple(house.cases))
        offered = [each.act for each in commission_outlook(house.case(case_id), self.world.today).allowed]
        allowed = [each for each in offered if each in COMMISSION_ACTS]
        act = picks.among(tuple(COMMISSION_ACTS) if anything or not allowed else _mostly_going_on(allowed, picks))
        self._at_commission(act, case_id, picks, is_offered=act in allowed)

    def deliver(self, number: int) -> None:
        """Let something come in, if anything is on its way."""
        waiting = [channel for channel, letters in self.world.on_the_way.items() if letters]
        if waiting:
            self.world.deliver(Picks(number).among(waiting))

    def pass_days(self, number: int) -> None:
        """Let days go by."""
        self.world.pass_days(Picks(number).of(1, 5, 15, 35))

    def _do(self, act: str, case_id: UUID, picks: Picks) -> None:
        desk = next(desk for desk in self.schools if case_id in desk.school.cases)
        channel = to_commission(desk.school.name)
        theirs = self.world.commission.domain.case_of(case_id, channel=channel)
        if act in SCHOOL_ACTS and (act not in COMMISSION_ACTS or act == "contest"):
            self._at_school(act, case_id, picks, is_offered=False)
        elif theirs in self.world.commission.cases:
            if act == "issue-irp" and self.world.commission.case(theirs).asks is not Asks.IRP_AND_RECOMMENDATION:
                return
            self._at_commission(act, theirs, picks, is_offered=False)

    def do_at_school(self, act: str, case_id: UUID, picks: Picks) -> None:
        """Let a school do an act. Raises: the rule that refuses it."""
        desk = next(desk for desk in self.schools if case_id in desk.school.cases)
        desk.act(act, case_id, SCHOOL_FORMS[act](self.occasion(desk, case_id), picks) if act in SCHOOL_FORMS else None)

    def do_at_commission(self, act: str, case_id: UUID, picks: Picks) -> None:
        """Let the commission do an act. Raises: the rule that refuses it."""
        case, today = self.world.commission.case(case_id), self.world.today
        self.commission.act(act, case_id, COMMISSION_FORMS[act](case, today, picks) if act in COMMISSION_FORMS else None)

    def _at_school(self, act: str, case_id: UUID, picks: Picks, *, is_offered: bool) -> None:
        try:
            self.do_at_school(act, case_id, picks)
        except RefusedError as refusal:
            self._refused("school", act, refusal, is_offered=is_offered)

    def _at_commission(self, act: str, case_id: UUID, picks: Picks, *, is_offered: bool) -> None:
        try:
            self.do_at_commission(act, case_id, picks)
        except RefusedError as refusal:
            self._refused("commission", act, refusal, is_offered=is_offered)

    def _refused(self, side: str, act: str, refusal: RefusedError, *, is_offered: bool) -> None:
        rule = type(refusal).__name__.removesuffix("Error")
        if not is_offered:
            return
        self.refusals[f"{side} {act}", rule] += 1
        # What is offered is refused only for what the form says, or for what is personal: the outlook sees neither.
        assert rule in FORM_RULES.get(f"{side} {act}", ()), f"{side}: {act} was offered, and refused by {rule}"

    def occasion(self, desk: SchoolDesk, case_id: UUID) -> Occasion:
        """Return on what occasion somebody of a school fills in a form now."""
        case: SchoolCase = desk.school.case(case_id)
        return Occasion(
            today=self.world.today,
            case=case,
            pupil=self.pupils[case_id],
            cases=tuple(desk.school.cases),
            code=desk.particulars(case).pupil.personal_code,
            letters=tuple(desk.opened(each.body).number for each in case.service.letters),
        )

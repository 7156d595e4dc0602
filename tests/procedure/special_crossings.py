"""Crossings that are more than a pair of words: a letter that goes out, two requests for one pupil, an agreement.

Each is told as a story that ends in states and in what people see; the table of ``docs/crossings.md`` is made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from services.commission.domain.outlook import outlook_of as commission_outlook
from services.school.domain.outlook import outlook_of as school_outlook
from services.wire.channels import commission_case, to_commission
from services.wire.events import Answer, DocumentsDispatched, Redispatched
from tests.procedure.crossings import ELSEWHERE
from tests.procedure.invariants import check_agreement, check_folds, check_written
from tests.procedure.picks import Picks
from tests.procedure.play import ROADS, Play
from tests.procedure.ways_on import check_ways_on

__all__ = ["STORIES", "special_table"]

_UP_TO_YES: Final = ("request", "deliver", "register", "examine", "recommend")
_UP_TO_CV: Final = ROADS[0][: ROADS[0].index("conclude")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What crosses, in words, and how it is played: returns what both sides show at the end."""

    school: str
    commission: str
    tell: Callable[[], tuple[str, str, str]]


def _begun(steps: tuple[str, ...]) -> tuple[Play, UUID]:
    play = Play()
    play.world.watch = check_written
    case_id = play.file(0, 0, 0)
    play.go(steps, case_id)
    return play, case_id


def _theirs(play: Play, case_id: UUID) -> UUID:
    school = next(desk.school for desk in play.schools if case_id in desk.school.cases)
    return commission_case(case_id, to_commission(school.name))


def _settled(play: Play) -> None:
    play.world.settle()
    check_folds(play.world)
    check_agreement(play.world)
    check_ways_on(play.world)


def _shown(play: Play, case_id: UUID) -> tuple[str, str]:
    school = next(desk.school for desk in play.schools if case_id in desk.school.cases)
    return school.case(case_id).state.value, play.world.commission.case(_theirs(play, case_id)).state.value


def _address_and_dispatch() -> tuple[str, str, str]:
    play, case_id = _begun(_UP_TO_YES)
    play.do_at_school("address", case_id, Picks())
    play.do_at_commission("dispatch", _theirs(play, case_id), Picks())
    _settled(play)
    missing = commission_outlook(play.world.commission.case(_theirs(play, case_id)), play.world.today).missing
    seen = next(each for each in missing if "address" in each)
    play.do_at_commission("redispatch", _theirs(play, case_id), Picks())
    _settled(play)
    house = play.world.commission
    sent = [each for each in house.cases[_theirs(play, case_id)] if isinstance(each.facts, DocumentsDispatched | Redispatched)]
    first, again = (house.personal[each.body] for each in sent)
    assert first.number == again.number
    assert first.address != again.address
    return *_shown(play, case_id), f"*commission*: {seen}; then `Redispatched` under the same number to the new address"


def _held_and_dispatch() -> tuple[str, str, str]:
    play, case_id = _begun(_UP_TO_YES)
    play.do_at_school("change-representative", case_id, Picks())
    play.do_at_commission("dispatch", _theirs(play, case_id), Picks())
    _settled(play)
    seen = commission_outlook(play.world.commission.case(_theirs(play, case_id)), play.world.today).missing
    assert "the requester asks to send nothing for now" in seen
    play.do_at_school("address", case_id, Picks())
    _settled(play)
    play.do_at_commission("redispatch", _theirs(play, case_id), Picks())
    _settled(play)
    told = "*commission*: the requester asks to send nothing for now; once an address is confirmed, `Redispatched` to it"
    return *_shown(play, case_id), told


def _two_schools(*, late: bool) -> tuple[str, str, str]:
    """Let two schools ask about one pupil; ``late``: the second comes when the first has its yes."""
    play = Play()
    play.world.watch = check_written
    cases = [play.file(school, 0, 0) for school in (0, 1)]
    play.go(("request",), cases[0])
    if not late:
        play.go(("request",), cases[1])
    play.world.settle()
    first, second = (_theirs(play, each) for each in cases)
    for act in ("register", "examine", "recommend", *(("dispatch", "answer") if late else ())):
        play.do_at_commission(act, first, Picks())
    if late:
        play.go(("request", "deliver"), cases[1])
    for act in ("register", "link", "answer"):
        play.do_at_commission(act, second, Picks())
    if not late:
        for act in ("answer", "dispatch"):
            play.do_at_commission(act, first, Picks())
    _settled(play)
    kinds = [each.type for each in (*play.world.commission.cases[first], *play.world.commission.cases[second])]
    assert kinds.count("RecommendationIssued") == kinds.count("DocumentsDispatched") == 1
    play.do_at_commission("revoke", first, Picks())
    _settled(play)
    ended = [each.type for case in cases for desk in play.schools for each in desk.school.cases.get(case, ())]
    assert ended.count("ConfirmationEnded") == 2
    states = [_shown(play, each) for each in cases]
    assert states[0][0] == states[1][0]
    told = "one assessment, one recommendation, one letter; each school has a yes of its own, and both hear when it ends"
    return states[0][0], f"{states[0][1]}, and {states[1][1]} (linked)", told


def _two_schools_to_come() -> tuple[str, str, str]:
    """Let the pupil about whom two schools ask be asked to come, while the other school tells another address."""
    play = Play()
    play.world.watch = check_written
    cases = [play.file(school, 0, 0) for school in (0, 1)]
    for case_id in cases:
        play.go(("request", "deliver", "register"), case_id)
    first, second = (_theirs(play, each) for each in cases)
    play.do_at_commission("link", second, Picks())
    play.do_at_commission("examine", first, Picks(2))
    play.do_at_school("address", cases[1], Picks())
    play.do_at_commission("require-attendance", first, Picks())
    _settled(play)
    heard = [each.type for case in cases for desk in play.schools for each in desk.school.cases.get(case, ()) if not each.own]
    assert heard == ["AttendanceRequired", "AttendanceRequired"]
    states = [_shown(play, each) for each in cases]
    told = "both hear that the pupil is asked to come, neither of the other; the address is that of the later request alone"
    return f"{states[0][0]}, and {states[1][0]}", f"{states[0][1]}, and {states[1][1]}", told


def _withdrawn_and_linked() -> tuple[str, str, str]:
    play = Play()
    play.world.watch = check_written
    cases = [play.file(school, 0, 0) for school in (0, 1)]
    for case_id in cases:
        play.go(("request", "deliver", "register"), case_id)
    first, second = (_theirs(play, each) for each in cases)
    play.do_at_commission("examine", first, Picks())
    play.do_at_school("withdraw", cases[0], Picks())
    play.do_at_commission("link", second, Picks())
    _settled(play)
    states = [_shown(play, each) for each in cases]
    told = "the assessment to which the later case was linked is withdrawn: its file is examined, and it is assessed by itself"
    return f"{states[0][0]}, and {states[1][0]}", f"{states[0][1]}, and {states[1][1]}", told


def _revocation_and_agreement() -> tuple[str, str, str]:
    play, case_id = _begun(_UP_TO_CV)
    play.do_at_commission("revoke", _theirs(play, case_id), Picks())
    play.do_at_school("conclude", case_id, Picks())
    _settled(play)
    school = play.schools[0].school.case(case_id)
    assert school.flags == ("BasisEnded",)
    return *_shown(play, case_id), f"*school*: {school_outlook(school, play.world.today).missing[-1]}"


def _no_and_agreement() -> tuple[str, str, str]:
    play, case_id = _begun(_UP_TO_CV)
    play.do_at_commission("correct-recommendation", _theirs(play, case_id), Picks(1))
    play.do_at_school("conclude", case_id, Picks())
    _settled(play)
    school = play.schools[0].school.case(case_id)
    assert school.flags == ("AnswerCorrected",)
    return *_shown(play, case_id), f"*school*: {school_outlook(school, play.world.today).missing[-1]}"


def _yes_and_refusal() -> tuple[str, str, str]:
    play, case_id = _begun(("request", "deliver", "register", "examine", "refuse", "answer", "deliver", "screen"))
    play.do_at_school("decide", case_id, Picks())
    play.do_at_commission("correct-recommendation", _theirs(play, case_id), Picks(1))
    _settled(play)
    return *_shown(play, case_id), "*school*: the refusal rests on an answer that no longer stands; it is decided anew"


def _asked_anew_and_yes() -> tuple[str, str, str]:
    """Refuse while the answer is awaited, have that set aside and ask anew, while the commission answers the first request."""
    play, case_id = _begun(_UP_TO_YES)
    for act, picks in (("screen", ELSEWHERE), ("decide", 0), ("notify", 0), ("contest", 0), ("set-aside", 0), ("screen", 0)):
        play.do_at_school(act, case_id, Picks(picks))
    play.do_at_school("request", case_id, Picks())
    play.do_at_commission("answer", _theirs(play, case_id), Picks())
    _settled(play)
    assert [(code.value, event.type) for code, event in play.world.refused] == [("WrongState", "InformationRequested")]
    assert [each.answer for each in play.schools[0].school.case(case_id).requests] == [Answer.YES, None]
    told = "the yes to the request that was taken back is the answer; the second request is refused (WrongState)"
    return *_shown(play, case_id), told


STORIES: Final[Mapping[str, Story]] = MappingProxyType(
    {
        "address and letter": Story(school="address change", commission="dispatch", tell=_address_and_dispatch),
        "hold and letter": Story(school="representative changed", commission="dispatch", tell=_held_and_dispatch),
        "two at once": Story(
            school="two schools ask about one pupil at once", commission="-", tell=lambda: _two_schools(late=False)
        ),
        "two, one late": Story(
            school="another school asks about the pupil", commission="yes to the first", tell=lambda: _two_schools(late=True)
        ),
        "two, to come": Story(
            school="address change of the later request", commission="attendance required", tell=_two_schools_to_come
        ),
        "withdrawn and linked": Story(
            school="withdrawal of the earlier request", commission="link of the later", tell=_withdrawn_and_linked
        ),
        "asked anew and yes": Story(
            school="refusal while waiting, set aside, and asked anew", commission="yes", tell=_asked_anew_and_yes
        ),
        "revocation and agreement": Story(
            school="agreement concluded", commission="confirmation ended", tell=_revocation_and_agreement
        ),
        "no and agreement": Story(school="agreement concluded", commission="corrected to no", tell=_no_and_agreement),
        "yes and refusal": Story(school="refusal decided", commission="corrected to yes", tell=_yes_and_refusal),
    }
)
"""By name."""


def special_table() -> str:
    """Return the table of these stories as Markdown."""
    lines = ["| school | commission | school ends | commission ends | what comes of it |", "| --- | --- | --- | --- | --- |"]
    rows = (" | ".join((story.school, story.commission, *story.tell())) for story in STORIES.values())
    return "\n".join([*lines, *(f"| {row} |" for row in rows)])

"""E11, one log: what was recorded once is judged by every rule set, from the log alone, and nothing in any case changes by it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from services.desk.rehearsing import Rehearsal
from services.desk.script import read_script
from services.policy import eligibility as policy
from services.policy.rules import RULES, Group, Rules, rules_named
from services.post.cases import history_of
from services.post.history import Recorded
from services.post.office import Office
from services.school.domain.judging import description_on, institution_kind
from services.wire.events import DisabilityGroup, EligibilityScreened, Enrolment, Known, SchoolDecisionMade, SchoolKind

_HERE: Final = Path(__file__).parent
_SCHOOL: Final = "school-0099900011"
_GUIDANCE, _REGULATION = rules_named("lm-2012-08"), rules_named("mk695-2012-10")
_TRUTHS: Final = {Known.YES: True, Known.NO: False}
_GROUPS: Final = {DisabilityGroup.FIRST: Group.ONE, DisabilityGroup.SECOND: Group.TWO, DisabilityGroup.THIRD: Group.THREE}
_ENROLLED: Final = {Enrolment.HERE: policy.Enrolment.YES, Enrolment.ELSEWHERE: policy.Enrolment.ELSEWHERE}


@pytest.fixture(params=["E11", "E11-mk695"])
def lived(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    """The school's office after one application was filed, judged and decided by the rules of its setting."""
    rehearsal = Rehearsal(read_script(_HERE / f"{request.param}.yaml"), tmp_path / "exchange")
    assert list(rehearsal.play())
    return rehearsal.schools[_SCHOOL].office


def _case(office: Office) -> UUID:
    (row,) = office.database.all("SELECT case_id FROM cases")
    return UUID(row["case_id"])


def _history(office: Office, stream: UUID) -> tuple[Recorded, ...]:
    return history_of(office, office.store.stream(stream))


def _everything(office: Office) -> list[Any]:
    """Return every byte of every stream, every entry that went out, and what people see."""
    tables = ("stored_events", "entries", "outgoing", "cases", "deadlines")
    return [[tuple(row) for row in office.database.all(f"SELECT * FROM {table}")] for table in tables]  # noqa: S608  # ours


def _facts(screened: EligibilityScreened, own_stream: tuple[Recorded, ...]) -> policy.Facts:
    """Return what stands in the log in clear of a pupil on a day: an age, no birth date, and what the school was."""
    described = description_on(own_stream, screened.as_of)
    assert described is not None
    return policy.Facts(
        age=screened.age,
        child_with_disability=_TRUTHS.get(screened.child_with_disability),
        group=_GROUPS.get(screened.group),
        benefit_awarded=_TRUTHS.get(screened.benefit),
        opinion_valid=_TRUTHS.get(screened.opinion),
        enrolment=_ENROLLED.get(screened.enrolled),
        institution_kind=institution_kind(described),
        special=described.kind is SchoolKind.SPECIAL,
        state_maintained=described.state_maintained,
        technical_staff_financed=described.technical_staff_financed,
    )


def _replayed(office: Office, rules: Rules, day: date) -> policy.Verdict:
    """Return what a rule set says of what was recorded first for a day."""
    said = (event.facts for event in _history(office, _case(office)) if isinstance(event.facts, EligibilityScreened))
    screened = next(each for each in said if each.as_of == day)
    return policy.evaluate(rules, _facts(screened, _history(office, office.own_stream)), day)


@pytest.mark.shows("A1.1", "D5.22", "I7", "B4.7")
def test_one_log_answers_under_both_rule_sets_each_with_its_source(lived: Office) -> None:
    day, before = date(2026, 8, 24), _everything(lived)
    young, eligible = _replayed(lived, _GUIDANCE, day), _replayed(lived, _REGULATION, day)
    assert [(each.code.value, each.citation.rule) for each in young.reasons] == [("TooYoung", "A1.1")]
    assert "Guidance of the Ministry of Welfare, August 2012, section 1" in young.reasons[0].citation.source
    assert eligible.outcome is policy.Outcome.ELIGIBLE
    assert any(each.source.startswith("Disability Law, section 12(2.1)") for each in eligible.met if each.rule == "DL 12(2.1)")
    assert _everything(lived) == before


@pytest.mark.shows("D5.22", "I7")
def test_a_replay_under_any_rule_set_changes_no_case_which_keeps_the_rules_that_it_was_decided_by(lived: Office) -> None:
    """The same rules say again what was recorded; others say something else, and the case is what it was."""
    before, case_id = _everything(lived), _case(lived)
    (decided,) = (event.facts for event in _history(lived, case_id) if isinstance(event.facts, SchoolDecisionMade))
    screenings = [event.facts for event in _history(lived, case_id) if isinstance(event.facts, EligibilityScreened)]
    for screened in screenings:
        by = {rules.number: _replayed(lived, rules, screened.as_of) for rules in RULES}
        assert {verdict.outcome for verdict in by.values()} <= set(policy.Outcome)
        assert by[screened.rule_set].outcome.value == screened.outcome.value
        assert [each.code.value for each in by[screened.rule_set].reasons] == [each.value for each in screened.reasons]
    assert {decided.rule_set} == {each.rule_set for each in screenings}
    assert lived.domain.row(_history(lived, case_id)).state == "Granted"
    assert _everything(lived) == before

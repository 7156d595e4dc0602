"""Replay: what a policy model would have said of the applications of a period, by what the log says of them and an overlay adds.

It changes nothing, in no log and in no database, and is no decision about anybody. Most of what the models ask for no school may
ask: where nobody adds it, the answer is that it is not known, and what would have to be known is counted.
Source: domain.md B.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from services.audit.event import Event
from services.audit.reports.figures import Figures, Row, Scope, Table, counted
from services.audit.reports.overlay import NO_OVERLAY, Overlay
from services.policy.eligibility import Outcome
from services.policy.models import Model, ModelFacts, ModelVerdict, ask_model
from services.policy.rules import Group
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    ApplicationFiled,
    AssistantCvAnnexed,
    AssistantProposed,
    Background,
    DecisionOutcome,
    DisabilityGroup,
    EligibilityScreened,
    ExpertiseFileExamined,
    Known,
    Opinion,
    SchoolDecisionMade,
)

__all__ = ["Replay", "facts_of"]

_TRUTHS: Final = {Known.YES: True, Known.NO: False}
_GROUPS: Final[Mapping[DisabilityGroup, Group]] = {
    DisabilityGroup.NONE: Group.NONE,
    DisabilityGroup.FIRST: Group.ONE,
    DisabilityGroup.SECOND: Group.TWO,
    DisabilityGroup.THIRD: Group.THREE,
}
_UNDECIDED: Final = "not decided"
# All seven duties of an agreement are done where the pupil is, and the service is one of schools (A6.a to A6.g).
_AT_SCHOOL: Final = ModelFacts(at_home=False, accompanying=False)


@dataclass(slots=True)
class _Case:
    facts: ModelFacts = _AT_SCHOOL
    is_filed: bool = False
    decided: str = _UNDECIDED
    assistant: int | None = None
    relatives: dict[int, bool] = field(default_factory=dict)
    training: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Replay:
    """Applications that were received in the period at a school, under a model."""

    scope: Scope
    model: Model
    overlay: Overlay = NO_OVERLAY
    cases: dict[UUID, _Case] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """See one event."""
        if event.common_case is None:
            return
        case, facts = self.cases.setdefault(event.common_case, _Case()), event.facts
        if isinstance(facts, ApplicationFiled):
            case.is_filed = self.scope.holds(facts.received_on)
        elif isinstance(facts, SchoolDecisionMade):
            case.decided = "granted" if facts.outcome is DecisionOutcome.GRANTED else "refused"
        else:
            _learn(case, facts)

    def tables(self) -> Figures:
        """Tell the figures."""
        asked = {case_id: (case, self._verdict(case_id, case)) for case_id, case in self.cases.items() if case.is_filed}
        verdicts = [verdict for _, verdict in asked.values()]
        outcomes = Counter(verdict.outcome.value for verdict in verdicts)
        missing = Counter(name for verdict in verdicts for name in verdict.missing)
        against = Counter(citation.rule for verdict in verdicts for citation in verdict.against)
        beside = Counter((case.decided, verdict.outcome.value) for case, verdict in asked.values())
        return (
            counted("outcomes", "What the model says of the applications", "outcome", "applications", outcomes),
            _crossed(beside),
            # Of those whose outcome it is alone: mostly one fact lacks of all of them, which tells how many they are.
            replace(
                counted("missing", "What would have to be known", "fact", "applications", missing, is_whole=False),
                parent=("outcomes", Outcome.UNDETERMINED.value),
            ),
            replace(
                counted("against", "What stands against it", "rule", "applications", against, is_whole=False),
                parent=("outcomes", Outcome.INELIGIBLE.value),
            ),
            _checks(verdicts),
            _by_case(asked),
        )

    def _verdict(self, case_id: UUID, case: _Case) -> ModelVerdict:
        return ask_model(self.model, facts_of(case.facts, self.overlay.facts.get(case_id, {})))


def facts_of(known: ModelFacts, added: Mapping[str, Any]) -> ModelFacts:
    """Return what is known together with what was added where nothing is known: the log is never overruled."""
    return replace(known, **{name: value for name, value in added.items() if getattr(known, name) is None})


def _learn(case: _Case, facts: Any) -> None:
    match facts:
        case EligibilityScreened(age=age, child_with_disability=child, opinion=opinion, group=group):
            said: dict[str, Any] = {
                "age": age,
                "child_with_disability": _TRUTHS.get(child),
                "special_care": _TRUTHS.get(opinion),
                "group": _GROUPS.get(group),
            }
            case.facts = replace(case.facts, **{name: value for name, value in said.items() if value is not None})
        case ExpertiseFileExamined(opinion=Opinion.VALID):
            # Who has no opinion, or none that is valid, may need special care all the same: then nobody knows.
            case.facts = replace(case.facts, special_care=True)
        case AssistantProposed(assistant=number, background=background):
            case.relatives[number] = background is Background.RELATIVE
        case AssistantCvAnnexed(assistant=number, training_hours=hours) if hours is not None:
            case.training[number] = hours
        case (
            AgreementConcluded(assistant=number, hours_per_week=hours) | AgreementAmended(assistant=number, hours_per_week=hours)
        ):
            case.facts = replace(
                case.facts,
                hours_per_week=hours,
                relative=case.relatives.get(number),
                training_hours=case.training.get(number),
            )
        case _:
            pass


def _crossed(beside: Counter[tuple[str, str]]) -> Table:
    return Table(
        name="decisions",
        title="What the schools decided, and what the model says",
        keys=("decided", "outcome"),
        measures=("applications",),
        rows=tuple(Row(keys, (count,)) for keys, count in sorted(beside.items())),
        total=sum(beside.values()),
        # Of two dimensions: the other tables have the sums of its rows and columns.
        is_internal=True,
    )


def _checks(verdicts: list[ModelVerdict]) -> Table:
    words = {True: "holds", False: "does not hold", None: "not known"}
    found = Counter((check.name, words[check.holds]) for verdict in verdicts for check in verdict.checks)
    return Table(
        name="checks",
        title="What the model asks of the service and of who provides it",
        keys=("check", "result"),
        measures=("applications",),
        rows=tuple(Row(keys, (count,)) for keys, count in sorted(found.items())),
        is_whole=False,
        # Each check is of all applications, so that one result is their sum less the others.
        is_internal=True,
    )


def _by_case(asked: Mapping[UUID, tuple[_Case, ModelVerdict]]) -> Table:
    """Return each case by the commission's number, for who looks into single ones; it is never published."""
    rows = (
        (str(case_id), case.decided, verdict.outcome.value, ", ".join(verdict.missing), _rules(verdict))
        for case_id, (case, verdict) in sorted(asked.items())
    )
    return Table(
        name="cases",
        title="Case by case",
        keys=("case", "decided", "outcome", "missing", "against"),
        measures=("applications",),
        rows=tuple(Row(keys, (1,)) for keys in rows),
        total=len(asked),
        is_internal=True,
    )


def _rules(verdict: ModelVerdict) -> str:
    return ", ".join(dict.fromkeys(citation.rule for citation in verdict.against))

"""Issuing: an auditor says in its record that a report, or a replay, left its house, and which bytes those were.

Nothing is issued by being made or looked at: whoever issues says so. What was issued is recorded once, however often it is made
again; anybody who holds the file finds it in the log by its digest, with the period or the model, and when.
Source: schemas/README.md, "Issued reports".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.audit.reports.making import Report
from services.policy.models import Model, policy_bytes
from services.post.history import New, Recorded
from services.post.office import Office
from services.post.saving import Saved, act
from services.wire.errors import RefusedError
from services.wire.events import ReplayRun, ReportIssued, ReportName
from services.wire.hashing import Digest, digest_of

__all__ = ["issue_replay", "issue_report"]

_NAMES: Final = {
    "answers": ReportName.ANSWERS,
    "deadlines": ReportName.DEADLINES,
    "open-cases": ReportName.OPEN_CASES,
    "refusals": ReportName.REFUSALS,
    "service": ReportName.SERVICE,
    "variants": ReportName.VARIANTS,
}


class NotIssuedError(RefusedError):
    """Nothing is issued that stands on a log in which a verification finds something."""

    def __init__(self) -> None:
        super().__init__("Nothing is issued of a log in which a verification finds something: see `sarakste audit verify`.")


class OtherExchangeError(RefusedError):
    """An auditor issues what stands on the log of its own exchange."""

    def __init__(self) -> None:
        super().__init__("This log is of another exchange than the auditor that --config names: it is not issued there.")


def issue_report(office: Office, made: Report, file: bytes) -> tuple[Saved, ...]:
    """Record that a report was issued, as these bytes; nothing if these very bytes were recorded before.

    Raises: NotIssuedError; OtherExchangeError; what ``act`` raises.
    """
    result = digest_of(file)
    scope = made.scope
    return _issue(office, made, ReportIssued(report=_NAMES[made.name], from_on=scope.since, until=scope.until, result=result))


def issue_replay(office: Office, made: Report, model: Model, file: bytes) -> tuple[Saved, ...]:
    """Record that a replay under a model was issued, as these bytes; as ``issue_report``."""
    heads = (Digest(bytes.fromhex(made.grounds.heads)),)
    policy = digest_of(policy_bytes(model))
    return _issue(office, made, ReplayRun(rule_set=model.number, policy=policy, heads=heads, result=digest_of(file)))


def _issue(office: Office, made: Report, said: ReportIssued | ReplayRun) -> tuple[Saved, ...]:
    if not made.grounds.is_clean:
        raise NotIssuedError
    # Its record is read by those of its own exchange: they would take it for what was said of their log.
    if made.grounds.exchange != office.root.digest.hex():
        raise OtherExchangeError

    def decide(history: Sequence[Recorded]) -> Sequence[New]:
        return [] if any(each.own and each.facts == said for each in history) else [New(facts=said)]

    return act(office, None, decide)

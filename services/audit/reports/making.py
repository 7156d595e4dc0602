"""Making a report: a fold over what is known, its figures, and what they stand on.

A report names the heads of the log, the code and the rule sets of the decisions it counts; the same of these, and the same scope,
give the same report, byte for byte: nothing here asks a clock. The published form has one fixed period, a calendar year as it was
known on 31 January after it: whoever could choose periods could subtract one from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Final

from services.audit.collecting import collected_seldom
from services.audit.days import day_in_riga
from services.audit.event import Event, Standing
from services.audit.grounds import Grounds
from services.audit.opening import Opening
from services.audit.reports.applications import OpenCases, Variants
from services.audit.reports.figures import Figures, Fold, Scope
from services.audit.reports.happening import happened_on
from services.audit.reports.overlay import Overlay
from services.audit.reports.refusals import Refusals
from services.audit.reports.replay import Replay
from services.audit.reports.requests import Answers, Deadlines
from services.audit.reports.service import Service
from services.audit.reports.suppression import published
from services.policy.models import Model
from services.policy.rules import RULES
from services.wire.channels import TRUST_CHANNEL, paired_channel, writer_of
from services.wire.errors import RefusedError
from services.wire.events import EligibilityScreened, SchoolDecisionMade
from services.wire.hashing import digest_of

__all__ = ["REPORTS", "Report", "make_replay", "make_report", "year_scope"]

_SOURCES: Final = (".py", ".toml")
_BESIDE: Final = (Standing.WAITS, Standing.VOIDED)
_READ: Final = (Opening.OPEN, Opening.OPENED)


@dataclass(frozen=True, slots=True)
class Kind:
    """A report that can be made: its title, and its fold."""

    title: str
    fold: Callable[[Scope], Fold]


REPORTS: Final[Mapping[str, Kind]] = {
    "answers": Kind("Requests and answers, with durations", Answers),
    "deadlines": Kind("Deadlines kept and missed", Deadlines),
    "open-cases": Kind("Open cases as of a day", OpenCases),
    "refusals": Kind("Refusals by ground", Refusals),
    "service": Kind("Pupils, assistants and hours", Service),
    "variants": Kind("Applications by variant", Variants),
}
"""The reports by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures and what they stand on. ``sealed`` is how many entries did not open: what they say is in no figure.

    ``code`` is the program's version and the digest of what makes reports; ``rule_sets`` are those of the decisions and
    screenings that were known, with their versions.
    """

    name: str
    title: str
    scope: Scope
    is_published: bool
    tables: Figures
    grounds: Grounds
    code: str
    rule_sets: tuple[str, ...]
    sealed: int


def year_scope(year: int) -> Scope:
    """Return the scope of a calendar year, as of its end and as known on 31 January after it: the only one that is published."""
    return Scope(since=date(year, 1, 1), until=date(year, 12, 31), as_of=date(year, 12, 31), known_at=date(year + 1, 1, 31))


def make_report(name: str, events: Iterable[Event], scope: Scope, grounds: Grounds, *, is_published: bool = False) -> Report:
    """Return a report over the events of a log.

    Raises: RefusedError if there is no report of that name, or it is to be published and is of no whole year, of one that the log
    does not reach the end of, of a log with findings, or of cases whose entries do not all open with the keys that are held.
    """
    if name not in REPORTS:
        raise RefusedError(f"There is no report {name[:40]}; there are {', '.join(REPORTS)}.")
    kind = REPORTS[name]
    return _made(name, kind.title, kind.fold(scope), events, scope, grounds, is_published=is_published)


def make_replay(
    model: Model, overlay: Overlay, events: Iterable[Event], scope: Scope, grounds: Grounds, *, is_published: bool = False
) -> Report:
    """Return what a policy model would have said of the applications of a period; errors as ``make_report``."""
    added = f", with the overlay {overlay.digest}" if overlay.digest else ""
    title = f"Replay under {model.name} version {model.version}{added}"
    return _made("replay", title, Replay(scope, model, overlay), events, scope, grounds, is_published=is_published)


def _made(  # what a report is made of
    name: str, title: str, fold: Fold, events: Iterable[Event], scope: Scope, grounds: Grounds, *, is_published: bool
) -> Report:
    if is_published and scope != year_scope(scope.since.year):
        raise RefusedError("What is published is of a calendar year, as known on 31 January after it: give --year alone.")
    if is_published and not grounds.is_clean:
        raise RefusedError("Nothing is published of a log in which a verification finds something: see `sarakste audit verify`.")
    watch = _Watch(scope)
    with collected_seldom():
        for event in watch.known(events):
            fold.add(event)
        tables = fold.tables()
    if is_published and watch.latest <= scope.known_at:
        raise RefusedError(f"The log does not go beyond {scope.known_at}, so what is known by then may not be all: wait.")
    if is_published and (unopened := watch.unopened):
        raise RefusedError(
            f"Entries of {', '.join(unopened)} do not open with these keys, and nothing is published without them:"
            " whoever holds more keys would see by the difference what is theirs."
        )
    return Report(
        name=name,
        title=title,
        scope=scope,
        is_published=is_published,
        tables=published(tables) if is_published else tables,
        grounds=grounds,
        code=code_version(),
        rule_sets=tuple(sorted(watch.rule_sets)),
        sealed=watch.sealed,
    )


@dataclass(slots=True)
class _Watch:
    """Lets through what counts and is known, and notes on the way what a report has to say of its grounds."""

    scope: Scope
    rule_sets: set[str]
    written_at: int
    sealed: int
    writers: set[str]
    closed: set[str]

    def __init__(self, scope: Scope) -> None:
        self.scope, self.rule_sets, self.written_at, self.sealed = scope, set(), 0, 0
        self.writers, self.closed = set(), set()

    @property
    def unopened(self) -> list[str]:
        """Those who write of cases, and of whom an entry does not open for want of a key; what auditors seal counts nowhere."""
        return sorted(self.writers & self.closed)

    @property
    def latest(self) -> date:
        """The day, in Riga, of the latest time that an entry says."""
        return day_in_riga(self.written_at)

    def known(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield what counts, was recorded by the day at which the report knows, and had happened as of its day."""
        known_at, as_of = self.scope.known_at, self.scope.as_of
        for event in events:
            if event.standing in _BESIDE:
                continue
            self.written_at = max(self.written_at, event.written_at)
            self.sealed += event.opening not in _READ
            self._note_writer(event)
            if not event.counts or event.recorded_on is None or event.recorded_on > known_at:
                continue
            happened = happened_on(event)
            if happened is not None and happened <= as_of:
                if isinstance(event.facts, EligibilityScreened | SchoolDecisionMade):
                    self.rule_sets.add(_rule_set(event.facts))
                yield event

    def _note_writer(self, event: Event) -> None:
        if event.channel == TRUST_CHANNEL:
            return
        writer = writer_of(event.channel)
        if paired_channel(event.channel) is not None:
            self.writers.add(writer)
        if event.opening is Opening.NO_KEY:
            self.closed.add(writer)


def _rule_set(facts: EligibilityScreened | SchoolDecisionMade) -> str:
    name = next((each.name for each in RULES if each.number == facts.rule_set), f"rule set {facts.rule_set}")
    return f"{name} version {facts.rule_set_version}"


def code_version() -> str:
    """Return the version of the program, and H of the files that make reports and models, so that a changed one is another."""
    folders = (files("services.audit.reports"), files("services.policy"), files("services.policy") / "models")
    sources = [(each.name, each.read_bytes()) for folder in folders for each in folder.iterdir() if each.name.endswith(_SOURCES)]
    digest = digest_of(b"".join(name.encode() + b"\x00" + source for name, source in sorted(sources)))
    try:
        return f"{version('sarakste')} {digest.hex()[:16]}"
    except PackageNotFoundError:
        # From a folder that nobody installed.
        return digest.hex()[:16]

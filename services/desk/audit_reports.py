"""`sarakste audit report`: figures over a verified log, for inside or in the form that may be published."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.desk.audit_source import Config, KeysOf, Root_, SourceFile, auditor_of, file_for, opened
from services.post.console import Json, read_file, say
from services.wire.errors import SettingsError

if TYPE_CHECKING:
    from services.audit.reports.figures import Scope
    from services.audit.reports.making import Report
    from services.post.office import Office

__all__ = ["register"]

_DAY: Final = "%Y-%m-%d"


class ReportForm(Enum):
    """The forms of a report."""

    CSV = "csv"
    HTML = "html"
    JSON = "json"
    SVG = "svg"
    XLSX = "xlsx"


Year = Annotated[int | None, typer.Option("--year", min=2000, max=9998, help="A calendar year, known on 31 January.")]
Since = Annotated[datetime | None, typer.Option("--from", formats=[_DAY], help="The period's first day.")]
Until = Annotated[datetime | None, typer.Option("--until", formats=[_DAY], help="Its last day.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", formats=[_DAY], help="As of this day; else the period's last.")]
KnownAt = Annotated[
    datetime | None, typer.Option("--known-at", formats=[_DAY], help="As it was known on this day; else as known now.")
]
Published = Annotated[bool, typer.Option("--published", help="With small figures hidden: of a whole year, and nothing else.")]
Out = Annotated[Path | None, typer.Option("--out", help="Into this file, which only you can read.")]
Issue = Annotated[
    bool, typer.Option("--issue", help="Record that this file was issued, in the record of the auditor that --config names.")
]
Form = Annotated[ReportForm, typer.Option("--format", help="The form of the report.")]


def register(app: typer.Typer) -> None:
    """Add the commands that make reports."""
    _add_replay(app)

    @app.command()
    def report(  # noqa: PLR0913, PLR0917  # each is an option of the command
        name: Annotated[str, typer.Argument(help="answers, deadlines, open-cases, refusals, service or variants.")],
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        year: Year = None,
        since: Since = None,
        until: Until = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        published: Published = False,
        form: Form = ReportForm.CSV,
        out: Out = None,
        issue: Issue = False,
        as_json: Json = False,
    ) -> None:
        """Make a report over a verified log; the same log and period give the same bytes. Issued it is with --issue alone."""
        from services.audit.reports.making import make_report
        from services.auditor.issuing import issue_report

        form, issuer = _form(form, out, as_json=as_json), _issuer(source, config, out, is_issued=issue)
        scope = _scope(year, *(None if each is None else each.date() for each in (since, until, as_of, known_at)))
        with opened(source, root, config, keys_of) as found:
            made = found.reported(lambda events, on: make_report(name, events, scope, on, is_published=published))
            _give(made, form, out, issuer, lambda by, file: issue_report(by, made, file))
            found.tell(as_json=form is ReportForm.JSON and out is None)


def _add_replay(app: typer.Typer) -> None:
    @app.command()
    def replay(  # noqa: PLR0913, PLR0917  # each is an option of the command
        under: Annotated[str, typer.Option("--under", help="lm-2016-m1, lm-2016-m2, lm-2016-m3 or lm-2016-merged.")],
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        overlay: Annotated[
            Path | None, typer.Option("--overlay", help="Facts that no log has, as CSV with the columns case,fact,value.")
        ] = None,
        year: Year = None,
        since: Since = None,
        until: Until = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        published: Published = False,
        form: Form = ReportForm.CSV,
        out: Out = None,
        issue: Issue = False,
        as_json: Json = False,
    ) -> None:
        """Ask what a policy model would have said of a period's applications; nothing is changed by it."""
        from services.audit.reports.making import make_replay
        from services.audit.reports.overlay import NO_OVERLAY, read_overlay
        from services.auditor.issuing import issue_replay
        from services.policy.models import model_named

        form, issuer = _form(form, out, as_json=as_json), _issuer(source, config, out, is_issued=issue)
        scope = _scope(year, *(None if each is None else each.date() for each in (since, until, as_of, known_at)))
        try:
            model = model_named(under)
        except LookupError as error:
            raise SettingsError(f"--under: {error.args[0]}") from None
        added = read_overlay(read_file(overlay)) if overlay is not None else NO_OVERLAY
        with opened(source, root, config, keys_of) as found:
            made = found.reported(lambda events, on: make_replay(model, added, events, scope, on, is_published=published))
            _give(made, form, out, issuer, lambda by, file: issue_replay(by, made, model, file))
            found.tell(as_json=form is ReportForm.JSON and out is None)


def _form(form: ReportForm, out: Path | None, *, as_json: bool) -> ReportForm:
    form = ReportForm.JSON if as_json else form
    if form is ReportForm.XLSX and out is None:
        raise SettingsError("xlsx is for a file: name it with --out")
    return form


def _issuer(source: Path | None, config: Path | None, out: Path | None, *, is_issued: bool) -> Office | None:
    """Return the auditor in whose record it is said that something was issued; None where nothing is.

    Raises: SettingsError if options say so by half, or the settings are no auditor's.
    """
    if not is_issued:
        if source is not None and config is not None:
            raise SettingsError("--config names the auditor that issues: say so with --issue, or leave it out")
        return None
    if out is None:
        raise SettingsError("what is issued is a file: name it with --out")
    return auditor_of(config, "--issue is recorded by the auditor that issues")


def _give(
    made: Report, form: ReportForm, out: Path | None, issuer: Office | None, issue: Callable[[Office, bytes], object]
) -> None:
    from services.audit.reports.writing import write_report

    text = io.BytesIO()
    write_report(made, form.value, text)
    if out is None:
        sys.stdout.write(text.getvalue().decode())
        return
    with file_for(out) as file:
        file.write(text.getvalue())
        if issuer is not None:
            # Before the file is there, since what could not be recorded was not issued; and when its bytes are on the disk, since
            # all would read in the record that something was issued which could not be written.
            file.flush()
            issue(issuer, text.getvalue())
    issued = f", issued by {issuer.participant}, whose worker signs that" if issuer is not None else ""
    say(f"report {made.name} in {out.name}{issued}", as_json=False)


def _scope(year: int | None, since: date | None, until: date | None, as_of: date | None, known_at: date | None) -> Scope:
    """Return what a report is about, from the options.

    Raises: SettingsError if they say no period, or two.
    """
    from services.audit.reports.figures import Scope
    from services.audit.reports.making import year_scope

    if year is not None:
        if any((since, until, as_of, known_at)):
            raise SettingsError("--year says the whole period, and as of when it is known: give it alone")
        return year_scope(year)
    if since is None or until is None:
        raise SettingsError("a report is of a period: give --year, or --from and --until")
    if since > until:
        raise SettingsError("--from lies after --until: a period begins with its first day")
    return Scope(since=since, until=until, as_of=as_of or until, known_at=known_at or date.max)

"""The commands that show cases: lists by state and due day, one case with its events, what is due.

Nothing personal is printed unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.post.console import Config, Json, Limit, as_text, case_number, in_words, print_json, show
from services.wire.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.post.viewing import Content, EventLine

    OfficeOf = Callable[[Path | None, bool], Office]

__all__ = ["add_cases"]

Personal = Annotated[bool, typer.Option("--personal", help="Also print what is personal: names, codes, addresses, texts.")]

_DAY: Final = ["%Y-%m-%d"]
_DUE_BY: Final = "Only cases in which something is due by this day, the soonest first."


def add_cases(app: typer.Typer, office_of: OfficeOf, states: Callable[[], Sequence[str]]) -> None:
    """Add the commands that show cases; ``states`` gives the states that a case can have here."""
    _add_lists(app, office_of, states)
    _add_show(app, office_of)


def _add_lists(app: typer.Typer, office_of: OfficeOf, states: Callable[[], Sequence[str]]) -> None:
    @app.command()
    def cases(
        config: Config = None,
        state: Annotated[str | None, typer.Option("--state", help="Only cases of this state.")] = None,
        due_by: Annotated[datetime | None, typer.Option("--due-by", formats=_DAY, help=_DUE_BY)] = None,
        overdue: Annotated[bool, typer.Option("--overdue", help="Only cases in which a term has passed.")] = False,
        limit: Limit = 100,
        as_json: Json = False,
    ) -> None:
        """List cases: state and dates, never a name."""
        from services.post.viewing import cases as listed

        if state is not None and state not in states():
            raise SettingsError(f"--state is no state of a case here; give one of {', '.join(states())}")
        day = due_by.date() if due_by else None
        found = listed(office_of(config, False), limit=limit, state=state, due_by=day, overdue=overdue)
        show(found, as_json=as_json, title="Cases")

    @app.command()
    def due(
        config: Config = None,
        until: Annotated[datetime | None, typer.Option("--until", formats=_DAY, help="Only what is due by this day.")] = None,
        limit: Limit = 100,
        as_json: Json = False,
    ) -> None:
        """List what is due in all cases, the soonest first."""
        from services.post.viewing import due as listed

        found = listed(office_of(config, False), limit=limit, until=until.date() if until else None)
        show(found, as_json=as_json, title="Due")


def _add_show(app: typer.Typer, office_of: OfficeOf) -> None:
    @app.command("show")
    def show_case(case: str, config: Config = None, personal: Personal = False, as_json: Json = False) -> None:
        """Show the events of a case in their order, what was refused, what is missing, and what may be done next and by whom."""
        from services.post.office import when_of
        from services.post.refused_acts import refused_acts
        from services.post.viewing import contents, events, outlook

        office = office_of(config, False)
        found = events(office, case_number(case))
        if not found:
            raise RefusedError("There is no case of this number here. Check the number against the list of cases.")
        said = contents(office, case_number(case)) if personal else []
        ahead, refused = outlook(office, case_number(case)), refused_acts(office, case_number(case))
        if as_json:
            tried = [asdict(each) for each in refused]
            print_json({"events": _with_contents(found, said), **asdict(ahead), "refused": tried})
            return
        columns = ("number", "on", "event", "writer", "channel", "sequence", "digest", "standing", "personal")
        show(found, as_json=False, title="Events", columns=columns)
        for line in found:
            if line.sentence is not None:
                typer.echo(f"{line.number} {line.event}: {line.sentence}")
        for content in said:
            typer.echo("\n".join(_content_lines(content)))
        for each in refused:
            typer.echo(as_text(f"Refused: {each.act} at {when_of(each.at)}, by {each.entered_by}: {each.rule}"))
        typer.echo(f"Missing: {'; '.join(ahead.missing) or 'nothing'}")
        typer.echo(f"May be done next: {', '.join(f'{each.act} ({each.by})' for each in ahead.allowed) or 'nothing'}")


def _with_contents(lines: Sequence[EventLine], said: Sequence[Content]) -> list[dict[str, Any]]:
    rows = [asdict(line) for line in lines]
    for row, content in zip(rows, said, strict=False):
        said_of = ("facts", "personal", "entered_by", "missing")
        row["content"] = {name: getattr(content, name) for name in said_of}
    return rows


def _content_lines(content: Content) -> Iterator[str]:
    yield f"\n{content.number} {content.event}"
    for title, part in (("facts", content.facts), ("personal", content.personal)):
        for name, value in _flat(part or {}):
            lines = [as_text(line) for line in str(value).splitlines()]
            yield f"  {title:<8} {name}: " + "\n             ".join(lines)
    if content.entered_by is not None:
        yield f"  entered by: {content.entered_by}"
    if content.missing is not None:
        yield f"  personal is not shown: {content.missing}"


def _flat(part: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield f"{before}{name}", ", ".join(map(str, value)) or "none"
        elif value is not None:
            yield f"{before}{name}", in_words(value)

"""`sarakste audit timeline`, `search`, `show`: looking at single cases, events and entries of a verified log."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.desk.audit_source import Config, KeysOf, Mandate, Personal, Root_, Source, SourceFile, opened, under
from services.post.console import Json, as_text, print_json
from services.post.console import show as show_rows
from services.wire.errors import SettingsError, VerificationError

if TYPE_CHECKING:
    from services.audit.checks import Shown
    from services.audit.exploring import EventLine

__all__ = ["register"]

_DAY: Final = "%Y-%m-%d"


def register(app: typer.Typer) -> None:
    """Add the commands that look at single things."""
    _add_timeline(app)
    _add_search(app)
    _add_show(app)


def _add_timeline(app: typer.Typer) -> None:
    @app.command()
    def timeline(
        case: Annotated[str, typer.Argument(help="A case, by its number at the school or at the commission.")],
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        mandate: Mandate = None,
        as_json: Json = False,
    ) -> None:
        """Show one case from its beginning, both sides of it, as far as the keys open it."""
        from services.audit.exploring import line_of
        from services.audit.exploring import timeline as found_in
        from services.post.console import case_number
        from services.wire.events import AccessUse

        wanted, reading = case_number(case), under(mandate, source, config, AccessUse.TIMELINE)
        with opened(source, root, config, keys_of, mandate=reading) as found:
            lines = [line_of(each) for each in found_in(found.events(), wanted)]
            _show_lines(lines, f"Case {wanted}", found, as_json=as_json)


def _add_search(app: typer.Typer) -> None:
    @app.command()
    def search(  # noqa: PLR0913, PLR0917  # each is an option of the command
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        kind: Annotated[str | None, typer.Option("--type", help="Events of this type.")] = None,
        school: Annotated[str | None, typer.Option("--school", help="Events of this school's channels and cases.")] = None,
        since: Annotated[datetime | None, typer.Option("--from", formats=[_DAY], help="From this day on.")] = None,
        until: Annotated[datetime | None, typer.Option("--until", formats=[_DAY], help="Up to this day.")] = None,
        mandate: Mandate = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most so many, the first.")] = 1_000,
        as_json: Json = False,
    ) -> None:
        """Find events by type, school and the days on which they were recorded."""
        from itertools import islice

        from services.audit.exploring import Wanted, line_of, require_known
        from services.audit.exploring import search as found_in
        from services.wire.events import AccessUse

        if since is not None and until is not None and since > until:
            raise SettingsError("--from lies after --until: nothing is in between")
        days = [None if each is None else each.date() for each in (since, until)]
        wanted = Wanted(type=kind, school=school, since=days[0], until=days[1])
        reading = under(mandate, source, config, AccessUse.SEARCH)
        with opened(source, root, config, keys_of, mandate=reading) as found:
            require_known(wanted, found.examined.trust, found.unknown_types())
            matching = found_in(found.events(), wanted)
            lines = [line_of(each) for each in islice(matching, limit)]
            # To the end: a log that lost meanwhile what was verified shows it there.
            more = sum(1 for _ in matching)
            _show_lines(lines, "Events", found, as_json=as_json, more=more)


def _add_show(app: typer.Typer) -> None:
    @app.command()
    def show(  # noqa: PLR0913, PLR0917  # each is an option of the command
        entry: Annotated[str, typer.Argument(help="CHANNEL:EPOCH/SEQUENCE, CHANNEL/SEQUENCE, or how its digest begins.")],
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        mandate: Mandate = None,
        personal: Personal = False,
        as_json: Json = False,
    ) -> None:
        """Show one entry, each check of it with what came out, and what its facts say."""
        from services.audit.checks import Outcome, show_entry
        from services.audit.exploring import line_of
        from services.wire.events import AccessUse

        reading = under(mandate, source, config, AccessUse.SHOW)
        with opened(source, root, config, keys_of, with_personal=personal, mandate=reading) as found:
            shown = show_entry(found.log, found.examined, found.keys, entry, with_personal=personal)
            checks = [{"check": each.check, "outcome": each.outcome.value, "said": each.said} for each in shown.checks]
            if as_json:
                event = asdict(line_of(shown.event)) if shown.event is not None else None
                place = {"channel": shown.channel, "epoch": shown.epoch, "sequence": shown.sequence, "digest": shown.digest}
                said = {"beside": shown.beside, "event": event, "facts": shown.facts, "checks": checks}
                more = {"personal": shown.personal} if personal else {}
                print_json(place | said | more | {"grounds": asdict(found.grounds)})
            else:
                _print_entry(shown, checks, with_personal=personal)
            found.tell(as_json=as_json)
            if any(each.outcome is Outcome.FAILS for each in shown.checks):
                raise typer.Exit(VerificationError.exit_code)


def _show_lines(lines: list[EventLine], title: str, found: Source, *, as_json: bool, more: int | None = None) -> None:
    if as_json:
        said = {"events": [asdict(each) for each in lines], "grounds": asdict(found.grounds)}
        print_json(said if more is None else said | {"more": more > 0})
    else:
        columns = ("on", "event", "channel", "epoch", "sequence", "standing", "opening", "digest")
        show_rows(lines, as_json=False, title=title, columns=columns)
        if more:
            typer.echo(f"the first {len(lines)}; there are {more} more: --limit says how many are shown")
    found.tell(as_json=as_json)


def _print_entry(shown: Shown, checks: list[dict[str, str]], *, with_personal: bool) -> None:
    typer.echo(as_text(f"{shown.channel} {shown.epoch}/{shown.sequence} {shown.digest}".rstrip()))
    if shown.beside:
        typer.echo(f"  beside it {shown.beside} other records claim this place")
    for each in checks:
        typer.echo(as_text(f"  {each['outcome']:>9}  {each['check']}: {each['said']}"))
    for name, value in (shown.facts or {}).items():
        typer.echo(as_text(f"  {name} = {value}"))
    for name, value in (shown.personal or {}).items() if with_personal else ():
        typer.echo(as_text(f"  personal: {name} = {value}"))
    if with_personal and shown.event is not None and shown.personal is None:
        typer.echo(f"  personal: {shown.event.personal_opening.value}")

"""The command status: how a participant's post stands, for a person or for a program that asks each morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from services.post.console import Config, Json, as_text, print_json

if TYPE_CHECKING:
    from services.post.attention import Attention
    from services.post.office import Office
    from services.post.status import Status

__all__ = ["WANTS_A_PERSON", "add_status"]

WANTS_A_PERSON: Final = 11
"""The exit code of status where something wants a person; no error's."""

_DAY: Final = 86_400_000


def add_status(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    """Add the command status."""

    @app.command()
    def status(config: Config = None, as_json: Json = False) -> None:
        """Show how the post stands, and what wants a person: then it leaves with 11."""
        from services.post.attention import attention
        from services.post.auditors import asking_auditors
        from services.post.lease import LEASE
        from services.post.settings import load_settings
        from services.post.status import look

        office = office_of(config, False)
        settings = load_settings(config)
        lease = settings.folder / LEASE
        found = look(office.database, office.participant, now=office.clock(), lease=lease, tls=settings.tls)
        wanted, asking = attention(found), asking_auditors(office)
        if as_json:
            print_json(_as_json(found, wanted) | {"auditors_asking": asking})
        else:
            typer.echo("\n".join(as_text(line) for line in _lines(found, wanted)))
            if asking:
                typer.echo(as_text(f"auditors that nobody has decided on: {', '.join(asking)} (see auditors)"))
        if wanted:
            raise typer.Exit(WANTS_A_PERSON)


def _as_json(status: Status, wanted: list[Attention]) -> dict[str, Any]:
    whole = asdict(status) | {name: getattr(status, name) for name in _TIMES}
    return whole | {
        "attention": [asdict(each) | {"trouble": each.trouble.value, "urgency": each.trouble.urgency.value} for each in wanted]
    }


_TIMES: Final = ("outgoing_since", "unsent_since", "unreceipted_since", "verified_at", "certificate_ends")


def _lines(status: Status, wanted: list[Attention]) -> Iterator[str]:
    from services.post.office import day_of, when_of

    def since(at: int | None) -> str:
        return f", the oldest since {when_of(at)}" if at is not None else ""

    number = f" as process {status.lease.process}" if status.lease.process is not None else ""
    begun = f" since {when_of(status.lease.since)}" if status.lease.since is not None else ""
    yield f"{status.participant} at {when_of(status.at)}"
    yield f"  worker        {f'works{number}{begun}' if status.lease.held else 'none'}"
    if status.starting_since is not None:
        yield f"  start         not over, begun {when_of(status.starting_since)}"
    own = list(status.own)
    still = sum(each.state not in ("reading", "not opened") for each in status.channels)
    yield f"  channels      {len(status.channels)}, {len(own)} of them written here; {still} stand still"
    yield f"  to be signed  {sum(each.outgoing for each in own)}{since(status.outgoing_since)}"
    yield f"  to be sent    in {sum(each.unsent_since is not None for each in own)} channels{since(status.unsent_since)}"
    receipts = sum(each.unreceipted_since is not None for each in own)
    yield f"  no receipt    in {receipts} channels{since(status.unreceipted_since)}"
    yield f"  held          {', '.join(f'{kind} {count}' for kind, count in status.held.items() if count) or 'nothing'}"
    yield f"  verified      {f'all since {when_of(status.verified_at)}' if status.verified_at is not None else 'not yet'}"
    if status.trust_at is not None:
        yield f"  registrar     heard of on {day_of(status.trust_at)}"
    if (ends := status.certificate_ends) is not None:
        yield f"  certificate   ends on {day_of(ends)}, in {(ends - status.at) // _DAY} days"
    if (ends := status.tls_ends) is not None:
        yield f"  for brokers   ends on {day_of(ends)}, in {(ends - status.at) // _DAY} days"
    for each in wanted:
        yield f"{'NOW' if each.trouble.urgency.value == 'now' else 'TODAY'} {each.trouble.value}: {each.text}"
    if not wanted:
        yield "nothing wants a person"

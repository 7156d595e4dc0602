"""Commands about auditors, alike for schools and the commission: the list of them, and the decision on each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.post.console import Config, Json, show

if TYPE_CHECKING:
    from services.post.office import Office

__all__ = ["add_auditors"]

_COLUMNS: Final = ("auditor", "name", "organisation", "decision", "on", "keys", "removed")
_DAY: Final = ["%Y-%m-%d"]
Until = Annotated[datetime | None, typer.Option("--until", formats=_DAY, help="The last day; else there is none.")]
Id = Annotated[str, typer.Argument(help="The auditor's id, as auditors lists it.")]


def add_auditors(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    """Add the commands auditors, approve and refuse."""

    @app.command()
    def auditors(config: Config = None, as_json: Json = False) -> None:
        """List the auditors that the registrar has admitted, and what was decided of each here."""
        from services.post.auditors import auditors as listed

        show(listed(office_of(config, False)), as_json=as_json, title="Auditors", columns=_COLUMNS)

    @app.command()
    def approve(auditor: Id, until: Until = None, config: Config = None, as_json: Json = False) -> None:
        """Let an auditor have the keys of facts, and never those of what is personal; the worker grants them."""
        from services.post.auditors import approve as approved

        show(approved(office_of(config, False), auditor, until=until.date() if until else None), as_json=as_json, title="Saved")

    @app.command()
    def refuse(auditor: Id, config: Config = None, as_json: Json = False) -> None:
        """Give an auditor no keys, or no more: what is sealed from now on it cannot open."""
        from services.post.auditors import refuse as refused

        show(refused(office_of(config, False), auditor), as_json=as_json, title="Saved")

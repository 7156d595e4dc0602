"""Commands about mandates, alike for schools and the commission: disclose parts of one case to one auditor, and end that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.post.console import Config, Json, case_number, say, show, write_file
from services.wire.errors import SettingsError

if TYPE_CHECKING:
    from services.post.mandates import Mandate
    from services.post.office import Office
    from services.wire.hashing import Digest

__all__ = ["MandateLine", "add_mandates", "mandate_lines"]

_Uses = Mapping[tuple[str, "Digest"], int]
OfficeOf = Callable[[Path | None, bool], "Office"]

_DAY: Final = ["%Y-%m-%d"]
_HEAD: Final = "head"
_SHOWN_DIGITS: Final = 16
Named = Annotated[str, typer.Argument(help="The mandate, by how its digest begins; mandates lists them.")]
Out = Annotated[Path, typer.Option("--out", help="The file for the auditor; nobody else can open it.")]


class Purpose(Enum):
    """What for a case is disclosed."""

    AUDIT = "audit"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateLine:
    """A mandate in the list; ``uses`` is how often its auditor has said so far, in its record, that it was taken in or used.

    ``after_its_end`` says how many of these were after the mandate's end.
    """

    mandate: str
    auditor: str
    case: str
    purpose: str
    on: date
    until: date
    parts: int
    uses: int
    after_its_end: int
    ended: date | None


def add_mandates(app: typer.Typer, office_of: OfficeOf) -> None:
    """Add the commands disclose, mandates, mandate-file and end-mandate."""
    _add_disclose(app, office_of)
    _add_list(app, office_of)
    _add_file(app, office_of)
    _add_end(app, office_of)


def _add_disclose(app: typer.Typer, office_of: OfficeOf) -> None:
    @app.command()
    def disclose(  # noqa: PLR0913, PLR0917  # one option each
        case: Annotated[str, typer.Argument(help="The case number.")],
        auditor: Annotated[str, typer.Option("--to", help="The auditor's id, as auditors lists it.")],
        purpose: Annotated[Purpose, typer.Option("--purpose", help="What for.")],
        until: Annotated[datetime, typer.Option("--until", formats=_DAY, help="The last day on which it may be used.")],
        out: Out,
        personal: Annotated[bool, typer.Option("--personal", help="Also what is personal; else facts alone.")] = False,
        types: Annotated[
            list[str] | None, typer.Option("--type", help="Only events of this type; give it once a type. Else all of the case.")
        ] = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Give an auditor a mandate to read what was written here in one case, and write the keys for it into a file."""
        from services.post.mandates import Terms, mandate_file
        from services.post.mandates import disclose as disclosed
        from services.wire.events import AccessPurpose

        office = _acting(office_of, config)
        meant = AccessPurpose[purpose.name]
        terms = Terms(purpose=meant, until=until.date(), with_personal=personal, types=tuple(types or ()))
        mandate = disclosed(office, case_number(case), auditor, terms)
        name = mandate.name.hex()[:_SHOWN_DIGITS]
        try:
            write_file(out, mandate_file(office, mandate))
        except SettingsError as error:
            # What is recorded stays recorded.
            raise SettingsError(f"{error}; the mandate {name} stands: write its file with mandate-file") from error
        text = f"mandate {name} for {len(mandate.parts)} parts until {mandate.until}; {out.name} is for {auditor} alone"
        say(text, as_json=as_json, mandate=mandate.name.hex(), parts=len(mandate.parts), until=str(mandate.until), made=out.name)


def _add_list(app: typer.Typer, office_of: OfficeOf) -> None:
    @app.command()
    def mandates(config: Config = None, as_json: Json = False) -> None:
        """List the mandates that were given to auditors here, what they are for, and how often they were used."""
        show(mandate_lines(office_of(config, False)), as_json=as_json, title="Mandates")


def _add_file(app: typer.Typer, office_of: OfficeOf) -> None:
    @app.command()
    def mandate_file(mandate: Named, out: Out, config: Config = None, as_json: Json = False) -> None:
        """Write the file of a mandate once more: where it was lost, or the auditor's encryption key is another one since."""
        from services.post.mandates import mandate_file as made
        from services.post.mandates import mandate_named

        office = office_of(config, False)
        write_file(out, made(office, mandate_named(office, mandate)))
        say(f"{out.name} is made", as_json=as_json, made=out.name)


def _add_end(app: typer.Typer, office_of: OfficeOf) -> None:
    @app.command()
    def end_mandate(
        mandate: Named,
        out: Annotated[
            Path | None, typer.Option("--out", help="Word of the end as a file, for an auditor that holds no keys of facts here.")
        ] = None,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """End a mandate before its last day: the auditor's program uses it no more, once it has read so."""
        from services.post.mandates import end, end_file, mandate_named

        office = _acting(office_of, config)
        found = mandate_named(office, mandate)
        saved = end(office, found)
        if out is not None:
            write_file(out, end_file(office, found))
        name = found.name.hex()
        text = f"mandate {name[:_SHOWN_DIGITS]} {'has ended' if saved else 'had ended before'}"
        say(text, as_json=as_json, mandate=name, recorded=bool(saved))


def _acting(office_of: OfficeOf, config: Path | None) -> Office:
    office = office_of(config, False)
    office.entered_by = office.clerk or _HEAD
    return office


def mandate_lines(office: Office) -> list[MandateLine]:
    """Return the list of mandates that were given here, as it is shown."""
    from services.post.mandate_uses import uses_after_end, uses_of
    from services.post.mandates import mandates_of

    found = mandates_of(office)
    uses, late = uses_of(office), uses_after_end(office, found)
    return [_line(office, each, uses, late) for each in found]


def _line(office: Office, mandate: Mandate, uses: _Uses, late: _Uses) -> MandateLine:
    names = {each.admitted: each.id for each in office.trust.participants.values()}
    auditor = names.get(mandate.auditor, mandate.auditor.hex())
    return MandateLine(
        mandate=mandate.name.hex(),
        auditor=auditor,
        case=str(mandate.case_id),
        purpose=mandate.purpose.value,
        on=mandate.granted_on,
        until=mandate.until,
        parts=len(mandate.parts),
        uses=uses.get((auditor, mandate.name), 0),
        after_its_end=late.get((auditor, mandate.name), 0),
        ended=mandate.ended_on,
    )

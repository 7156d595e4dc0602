"""`sarakste auditor`: what an auditor's people and operator can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.post.console import (
    Authority,
    Client,
    Config,
    Json,
    Log,
    Servers,
    add_certificate,
    add_common,
    say,
    show,
    write_file,
)

if TYPE_CHECKING:
    from services.auditor.application import Auditor
    from services.post.office import Office

__all__ = ["app"]

app = typer.Typer(help="What an auditor does: read all channels, open the facts of those who let it in.", no_args_is_help=True)


def _auditor(config: Path | None, *, working: bool = False) -> Auditor:
    from services.auditor.bootstrap import build

    return build(config, working=working)


def _office(config: Path | None, working: bool) -> Office:
    return _auditor(config, working=working).office


add_common(app, _office, has_cases=False)
add_certificate(app)


@app.command()
def init(  # noqa: PLR0913, PLR0917  # one option each
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    participant: Annotated[str, typer.Option("--id", help="The auditor's id: auditor- and a short name.")],
    organisation: Annotated[str, typer.Option("--organisation", help="Its organizationIdentifier, as NTRLV-90000000001.")],
    name: Annotated[str, typer.Option("--name", help="Its name, as the certificate is to say it.")],
    root: Annotated[Path, typer.Option("--root", help="The exchange's root certificate.")],
    log: Log = None,
    servers: Servers = None,
    authority: Authority = None,
    certificate: Client = None,
    request: Annotated[Path | None, typer.Option("--request", help="Write the request here too.")] = None,
    as_json: Json = False,
) -> None:
    """Join an exchange that is there: make FOLDER with keys, database, settings and a certificate request."""
    from services.auditor.bootstrap import join
    from services.post.joining import log_of, next_steps, say_joined
    from services.wire.channels import Role

    place = log_of(log, servers, authority, certificate)
    made = join(folder, participant, log=place, root=root, organisation=organisation, name=name)
    if request is not None:
        write_file(request, made)
    where = request or folder / "request.pem"
    steps = next_steps(folder, participant, Role.AUDITOR, request=where, organisation=organisation, name=name)
    say_joined(folder, participant, steps, as_json=as_json)


@app.command()
def keys(config: Config = None, as_json: Json = False) -> None:
    """List the channels that are read, and how many keys of their facts are here and are missing."""
    show(_auditor(config).keys(), as_json=as_json, title="Keys")


@app.command()
def ask(config: Config = None, as_json: Json = False) -> None:
    """Ask now for facts keys that are missing; by itself the worker asks once a month."""
    number = _auditor(config).ask()
    text = f"{number} keys are missing; the worker asks for them" if number else "no key is missing"
    say(text, as_json=as_json, missing=number)


@app.command()
def accept(
    file: Annotated[Path, typer.Argument(help="What a school or the commission made by disclose.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take in the keys of single parts that were disclosed under a mandate; that is recorded."""
    from services.auditor.mandates import accept as accepted
    from services.post.console import read_file

    found = accepted(_office(config, False), read_file(file))
    name, writer = found.name.hex(), found.channel.partition(".")[0]
    if found.has_ended:
        say(f"mandate {name[:16]} of {writer} has ended", as_json=as_json, mandate=name, ended=True)
        return
    text = f"mandate {name[:16]} of {writer}: {len(found.keys)} keys, until {found.until}; each use is recorded"
    told = {"writer": writer, "keys": len(found.keys), "purpose": found.purpose.value, "until": str(found.until)}
    say(text, as_json=as_json, mandate=name, ended=False, **told)


@app.command()
def mandates(config: Config = None, as_json: Json = False) -> None:
    """List the mandates that were taken in here, until when they hold, and how often they were used."""
    from services.auditor.mandates import held_mandates

    show(held_mandates(_office(config, False)), as_json=as_json, title="Mandates")


@app.command()
def end_mandate(
    mandate: Annotated[str, typer.Argument(help="The mandate, by how its digest begins; mandates lists them.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Use a mandate no more: its keys are destroyed here, and that is recorded."""
    from services.auditor.mandates import end, mandate_held

    office = _office(config, False)
    found = mandate_held(office, mandate)
    end(office, found)
    say(f"mandate {found.hex()[:16]} has ended", as_json=as_json, mandate=found.hex())

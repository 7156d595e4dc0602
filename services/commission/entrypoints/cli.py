"""`sarakste commission`: what the commission's clerks, doctors and operator can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.commission.acts import ACTS
from services.post.acts import Act, enter_as
from services.post.console import (
    Authority,
    Client,
    Config,
    Json,
    Log,
    Servers,
    add_common,
    case_number,
    print_json,
    read_file,
    say,
    show,
    write_file,
)

if TYPE_CHECKING:
    from services.commission.application import Commission
    from services.post.office import Office

__all__ = ["app"]

app = typer.Typer(help="What the commission does: register, examine, recommend or refuse, answer.", no_args_is_help=True)

Form = Annotated[Path, typer.Argument(help="The form as a JSON file.")]
Case = Annotated[str, typer.Argument(help="The case number.")]


def _commission(config: Path | None, *, working: bool = False) -> Commission:
    from services.commission.bootstrap import build

    return build(config, working=working)


def _entering(config: Path | None, act: Act) -> Commission:
    commission = _commission(config)
    enter_as(commission.office, act)
    return commission


def _office(config: Path | None, working: bool) -> Office:
    return _commission(config, working=working).office


def _again(config: Path | None, elsewhere: Path) -> Office:
    from services.commission.bootstrap import build

    return build(config, working=True, elsewhere=elsewhere).office


def _states() -> list[str]:
    from services.commission.domain.parts import CommissionState

    return [state.value for state in CommissionState]


def _add(name: str, act: Act) -> None:
    if act.begins:
        app.command(name, help=act.help)(_beginning(act))
    else:
        app.command(name, help=act.help)(_formless(name, act) if act.form is None else _formed(name, act))


def _read(commission: Commission, act: Act, form: Path) -> Any:
    from services.commission import input as forms

    kind: Any = getattr(forms, act.form or "")
    return forms.read_form(kind, read_file(form), today=commission.office.today)


def _formed(name: str, act: Act) -> Callable[..., None]:
    def command(case: Case, form: Form, config: Config = None, as_json: Json = False) -> None:
        from services.post.refused_acts import noting

        commission, number = _entering(config, act), case_number(case)
        read = _read(commission, act, form)
        with noting(commission.office, number, name):
            saved = getattr(commission, act.method)(number, read)
        show(saved, as_json=as_json, title="Saved")

    return command


def _formless(name: str, act: Act) -> Callable[..., None]:
    def command(case: Case, config: Config = None, as_json: Json = False) -> None:
        from services.post.refused_acts import noting

        commission, number = _entering(config, act), case_number(case)
        with noting(commission.office, number, name):
            saved = getattr(commission, act.method)(number)
        show(saved, as_json=as_json, title="Saved")

    return command


def _beginning(act: Act) -> Callable[..., None]:
    def command(form: Form, config: Config = None, as_json: Json = False) -> None:
        commission = _entering(config, act)
        case_id, saved = getattr(commission, act.method)(_read(commission, act, form))
        if as_json:
            print_json({"case": str(case_id), "saved": [asdict(each) | {"body": each.body.hex()} for each in saved]})
            return
        typer.echo(f"case {case_id}")
        show(saved, as_json=False, title="Saved")

    return command


@app.command("same-pupil")
def same_pupil(case: Case, config: Config = None, as_json: Json = False) -> None:
    """List the numbers of the other cases of the same pupil."""
    found = _commission(config).same_pupil(case_number(case))
    say("\n".join(map(str, found)) or "no other case", as_json=as_json, cases=[str(each) for each in found])


@app.command()
def init(  # noqa: PLR0913, PLR0917  # one option each
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
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
    from services.commission.bootstrap import join
    from services.post.joining import log_of, next_steps, say_joined
    from services.wire.channels import Role

    place = log_of(log, servers, authority, certificate)
    participant, made = join(folder, log=place, root=root, organisation=organisation, name=name)
    if request is not None:
        write_file(request, made)
    where = request or folder / "request.pem"
    steps = next_steps(folder, participant, Role.COMMISSION, request=where, organisation=organisation, name=name)
    say_joined(folder, participant, steps, as_json=as_json)


add_common(app, _office, states=_states, again=_again)
for _name, _act in ACTS.items():
    _add(_name, _act)

"""`sarakste school`: what a school's clerk and operator can do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from services.school.acts import ACTS, OWN_ACTS
from services.wire.errors import RefusedError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.school.application import School

__all__ = ["app"]

app = typer.Typer(
    help="What a school does: file applications, ask the commission, read its answers, decide.", no_args_is_help=True
)

Form = Annotated[Path, typer.Argument(help="The form as a JSON file.")]
Case = Annotated[str, typer.Argument(help="The case number.")]


def _school(config: Path | None, *, working: bool = False) -> School:
    from services.school.bootstrap import build

    return build(config, working=working)


def _entering(config: Path | None, act: Act) -> School:
    school = _school(config)
    enter_as(school.office, act)
    return school


def _office(config: Path | None, working: bool) -> Office:
    return _school(config, working=working).office


def _again(config: Path | None, elsewhere: Path) -> Office:
    from services.school.bootstrap import build

    return build(config, working=True, elsewhere=elsewhere).office


def _states() -> list[str]:
    from services.school.domain.case import SchoolState

    return [state.value for state in SchoolState]


add_common(app, _office, states=_states, again=_again)


@app.command()
def init(  # noqa: PLR0913, PLR0917  # one option each
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    number: Annotated[str, typer.Option("--number", help="The school's ten digits.")],
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
    from services.post.joining import log_of, next_steps, say_joined
    from services.school.bootstrap import join
    from services.wire.channels import Role

    place = log_of(log, servers, authority, certificate)
    participant, made = join(folder, number, log=place, root=root, organisation=organisation, name=name)
    if request is not None:
        write_file(request, made)
    where = request or folder / "request.pem"
    steps = next_steps(folder, participant, Role.SCHOOL, request=where, organisation=organisation, name=name)
    say_joined(folder, participant, steps, as_json=as_json)


@app.command()
def file(
    form: Annotated[Path | None, typer.Argument(help="The form as a JSON file; or give --draft.")] = None,
    draft: Annotated[int | None, typer.Option("--draft", help="File this draft; it is gone afterwards.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """File an application, with consent and address where the form states them."""
    from services.school.input import read_application

    school = _entering(config, ACTS["file"])
    if (form is None) == (draft is None):
        raise RefusedError("Give either a form as a JSON file, or a draft with --draft.")
    content = read_file(form) if form is not None else school.drafted(draft or 0)
    case_id, saved = school.file(read_application(content, today=school.office.today), draft=draft)
    if as_json:
        print_json({"case": str(case_id), "saved": [asdict(each) | {"body": each.body.hex()} for each in saved]})
        return
    typer.echo(f"case {case_id}")
    show(saved, as_json=False, title="Saved")


@app.command()
def draft(
    form: Form,
    replace: Annotated[int | None, typer.Option("--replace", help="Put it in the place of this draft.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Keep an application that is not complete yet, sealed, for 30 days."""
    number = _school(config).draft(read_file(form), number=replace)
    say(f"draft {number}", as_json=as_json, draft=number)


@app.command()
def drafts(config: Config = None, as_json: Json = False) -> None:
    """List drafts: numbers and times, never a name."""
    from services.post.viewing import draft_times

    found = draft_times(_school(config).office)
    show(found, as_json=as_json, title="Drafts", columns=("draft", "kind", "saved", "gone"))


def _add(name: str, act: Act) -> None:
    if act.form is None:

        def formless(case: Case, config: Config = None, as_json: Json = False) -> None:
            from services.post.refused_acts import noting

            school, number = _entering(config, act), case_number(case)
            with noting(school.office, number, name):
                saved = getattr(school, act.method)(number)
            show(saved, as_json=as_json, title="Saved")

        app.command(name, help=act.help)(formless)
        return
    form_name = act.form

    def command(case: Case, form: Form, config: Config = None, as_json: Json = False) -> None:
        from services.post.refused_acts import noting
        from services.school import input as forms

        school, number = _entering(config, act), case_number(case)
        kind: Any = getattr(forms, form_name)
        read = forms.read_form(kind, read_file(form), today=school.office.today)
        with noting(school.office, number, name):
            saved = getattr(school, act.method)(number, read)
        show(saved, as_json=as_json, title="Saved")

    app.command(name, help=act.help)(command)


def _add_own(name: str, act: Act) -> None:
    def own(form: Form, config: Config = None, as_json: Json = False) -> None:
        from services.school import input as forms

        school = _entering(config, act)
        read = forms.read_form(getattr(forms, act.form or ""), read_file(form), today=school.office.today)
        show(getattr(school, act.method)(read), as_json=as_json, title="Saved")

    app.command(name, help=act.help)(own)


for _name, _act in OWN_ACTS.items():
    _add_own(_name, _act)
for _name, _act in ACTS.items():
    # Filing makes the case, and may take a draft: it has a command of its own.
    if _name != "file":
        _add(_name, _act)

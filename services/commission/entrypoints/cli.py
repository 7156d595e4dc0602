"""`sarakste commission`: what the commission's clerks, doctors and operator can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from services.post.console import (
    Authority,
    Client,
    Config,
    Json,
    Log,
    Servers,
    add_common,
    case_number,
    read_file,
    show,
    write_file,
)

if TYPE_CHECKING:
    from services.commission.application import Commission
    from services.post.office import Office

__all__ = ["ACTS", "Act", "app"]

app = typer.Typer(help="What the commission does: register, examine, recommend or refuse, answer.", no_args_is_help=True)

Form = Annotated[Path, typer.Argument(help="The form as a JSON file.")]
Case = Annotated[str, typer.Argument(help="The case number.")]


class Act(NamedTuple):
    """A command of the commission's: its form and its use case by their names (so that nothing is imported), and its help."""

    form: str
    method: str
    help: str


ACTS: Final = {
    "register": Act("RegistrationInput", "register", "Enter a school's request in the register."),
    "examine": Act("ExaminationInput", "examine", "Record what the expertise file shows."),
    "issue-irp": Act("IrpInput", "issue_irp", "Issue the individual rehabilitation plan (b.2)."),
    "recommend": Act("RecommendationInput", "recommend", "Issue the recommendation."),
    "refuse": Act("RefusalInput", "refuse", "Refuse the recommendation; the grounds are for the family."),
    "dispatch": Act("DispatchInput", "dispatch", "Record that the documents were sent to the chosen address."),
    "answer": Act("AnswerInput", "answer", "Answer the school: yes or no, as the outcome says."),
}


def _commission(config: Path | None, *, working: bool = False) -> Commission:
    from services.commission.bootstrap import build

    return build(config, working=working)


def _office(config: Path | None, working: bool) -> Office:
    return _commission(config, working=working).office


def _states() -> list[str]:
    from services.commission.domain.case import CommissionState

    return [state.value for state in CommissionState]


def _add(name: str, act: Act) -> None:
    def command(case: Case, form: Form, config: Config = None, as_json: Json = False) -> None:
        from services.commission import input as forms

        commission = _commission(config)
        kind: Any = getattr(forms, act.form)
        read = forms.read_form(kind, read_file(form), today=commission.office.today)
        show(getattr(commission, act.method)(case_number(case), read), as_json=as_json, title="Saved")

    app.command(name, help=act.help)(command)


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


add_common(app, _office, states=_states)
for _name, _act in ACTS.items():
    _add(_name, _act)

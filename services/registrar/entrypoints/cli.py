"""`sarakste registrar`: what the body that runs the exchange can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.post.console import Client, Config, Json, add_common, as_text, print_json, read_file, say, write_file
from services.wire.errors import RefusedError, VerificationError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.registrar.application import Registrar
    from services.registrar.cluster import Report

__all__ = ["app"]

Servers = Annotated[str | None, typer.Option("--servers", help="The brokers: host:port,host:port; else those of the settings.")]
Authority = Annotated[
    Path | None, typer.Option("--authority", help="Certificates (PEM) that brokers are trusted by; else those of the settings.")
]
Certificate = Annotated[
    Path | None, typer.Option("--certificate", help="Key and certificate (PEM) of the cluster's administrator.")
]

_QUEUED = "queued; the registrar's worker signs and sends it"

app = typer.Typer(help="Run the exchange: admit participants, publish schemas, revoke keys, open epochs.", no_args_is_help=True)


def _registrar(config: Path | None) -> Registrar:
    from services.registrar.bootstrap import build

    return build(config)


def _office(config: Path | None, working: bool) -> Office:  # noqa: ARG001  # as the shared commands call it
    return _registrar(config).office


add_common(app, _office, has_cases=False)


@app.command()
def init(  # one option each
    folder: Path,
    organisation: str,
    name: str,
    servers: Annotated[str | None, typer.Option("--servers", help="The brokers of its log; else the log is a file.")] = None,
    authority: Authority = None,
    certificate: Client = None,
    as_json: Json = False,
) -> None:
    """Make root and registrar of a new exchange in FOLDER."""
    from services.post.joining import log_of
    from services.registrar.bootstrap import FILE, found

    tls = [path.resolve() if path is not None else None for path in (authority, certificate)]
    log = FILE if servers is None else log_of(None, servers, *tls)
    found(folder, organisation=organisation, name=name, log=log)
    text = f"{folder.name}: root.pem and registrar/ are made; keep registrar/root.key away from this machine"
    say(text, as_json=as_json, made=[f"{folder.name}/root.pem", f"{folder.name}/registrar"])


@app.command()
def issue(
    request: Annotated[Path, typer.Argument(help="A certificate request: PKCS#10 in PEM.")],
    certificate: Annotated[Path, typer.Argument(help="Where to write the certificate.")],
    for_registrar: Annotated[bool, typer.Option("--for-registrar", help="The registrar's own next certificate.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a seal certificate for a request; needs the root key."""
    from services.post.settings import load_settings
    from services.registrar.bootstrap import issue as issued
    from services.wire.issuing import read_request

    made = issued(load_settings(config).folder, read_request(read_file(request)), for_registrar=for_registrar)
    write_file(certificate, made)
    say(f"{certificate.name} is made", as_json=as_json, made=[certificate.name])


@app.command()
def admit(participant: str, role: str, organisation: str, name: str, config: Config = None, as_json: Json = False) -> None:
    """Admit a participant: id, role (School, Commission, Auditor), organizationIdentifier and name."""
    from services.wire.channels import Role

    try:
        chosen = Role(role)
    except ValueError:
        raise RefusedError("A role is School, Commission or Auditor.") from None
    _registrar(config).admit(participant, chosen, organisation, name)
    say(_QUEUED, as_json=as_json, queued="ParticipantAdmitted", participant=participant)


@app.command()
def remove(participant: str, config: Config = None, as_json: Json = False) -> None:
    """Remove a participant; then open epochs for its channels and revoke its keys."""
    _registrar(config).remove(participant)
    say(_QUEUED, as_json=as_json, queued="ParticipantRemoved", participant=participant)


@app.command("publish-schemas")
def publish_schemas(config: Config = None, as_json: Json = False) -> None:
    """Publish the schemas of this release that are not published yet."""
    number = _registrar(config).publish_schemas()
    say(f"queued {number} schemas", as_json=as_json, queued="SchemaPublished", number=number)


@app.command()
def revoke(
    certificate: Annotated[Path, typer.Argument(help="A certificate (PEM) with the key.")],
    reason: str,
    although_current: Annotated[
        bool, typer.Option("--although-current", help="Also where channels stand still by it until epochs are opened.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Revoke the key of a certificate: Superseded, Lost, Stolen or Left."""
    from services.wire.certificates import read_leaf
    from services.wire.contents import Reason

    try:
        chosen = Reason(reason)
    except ValueError:
        raise RefusedError("A reason is Superseded, Lost, Stolen or Left.") from None
    leaf = read_leaf(read_file(certificate))
    _registrar(config).revoke(leaf, chosen, although_current=although_current)
    say(_QUEUED, as_json=as_json, queued="KeyRevoked", key=leaf.key_digest.hex())


@app.command("open-epoch")
def open_epoch(
    channel: str,
    after_sequence: Annotated[int, typer.Argument(help="The place of the last good entry; 0 if there is none.")],
    after_digest: Annotated[str, typer.Argument(help="Its digest; the word genesis if there is none.")],
    certificate: Annotated[Path, typer.Argument(help="The certificate (PEM) that goes on.")],
    although_missing: Annotated[
        bool, typer.Option("--although-missing", help="Also where the log does not show that entry: somebody will bring it back.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Name the last good entry of a channel, and the certificate of its new epoch."""
    from services.registrar.bootstrap import read_path
    from services.wire.hashing import Digest

    if not re.fullmatch("[0-9a-fA-F]{64}|genesis", after_digest):
        raise RefusedError("A digest has 64 hexadecimal digits; where no entry is good, write 0 genesis.")
    digest = None if after_digest == "genesis" else Digest(bytes.fromhex(after_digest))
    path = read_path(read_file(certificate))
    epoch = _registrar(config).open_epoch(channel, after_sequence, digest, path, although_missing=although_missing)
    say(f"queued epoch {epoch} of {channel}", as_json=as_json, queued="EpochOpened", channel=channel, epoch=epoch)


@app.command()
def confirm(config: Config = None, as_json: Json = False) -> None:
    """Say that there is nothing new; once a week."""
    _registrar(config).confirm()
    say(_QUEUED, as_json=as_json, queued="TrustConfirmed")


@app.command("client-certificates")
def client_certificates(
    folder: Annotated[Path, typer.Argument(help="The folder of the cluster's authority: ca.pem and ca.key.")],
    make_keys: Annotated[
        bool, typer.Option("--make-keys", help="Make a key too where there is no request: for tests, and who runs all alone.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be made.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make the certificates with which participants reach the brokers.

    NAME.request.pem in FOLDER (PKCS#10 with the subject CN=NAME) gets NAME.certificate.pem; anew when that soon runs out.
    """
    from dataclasses import asdict

    from services.registrar.bootstrap import issue_clients, participants_of

    issued = issue_clients(participants_of(config), folder, make_keys=make_keys, plan=plan)
    lines = []
    for each in issued:
        made = f"{each.file} {'would be' if plan else 'is'} made" if each.is_new else f"{each.file} is kept"
        lines.append(f"{each.name}: {made if each.file else f'no certificate, for {each.name}.request.pem is not there'}")
    say("\n".join(lines), as_json=as_json, plan=plan, certificates=list(map(asdict, issued)))


@app.command()
def provision(
    servers: Servers = None,
    authority: Authority = None,
    certificate: Certificate = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Give a Kafka cluster what it has to have: topics, their settings, access rights.

    Whatever is as it should be stays untouched. Leaves with 4 if something is left that only a person can mend; --plan with 0.
    """
    from services.registrar.bootstrap import provisioning_of

    provisioner = provisioning_of(config, servers=servers, authority=authority, certificate=certificate)
    before, after = (provisioner.check(),) * 2 if plan else provisioner.provision()
    if as_json:
        print_json({"plan": plan, "before": _report(before), "after": _report(after)})
    else:
        _say_report(before, mended="would be mended" if plan else "mended")
        typer.echo(f"{len(before.changes)} changes {'would be ' if plan else ''}made")
        if not plan and after.changes:
            _say_report(after, mended="NOT MENDED")
    if not plan and not after.is_clean:
        raise typer.Exit(VerificationError.exit_code)


@app.command()
def check(
    servers: Servers = None,
    authority: Authority = None,
    certificate: Certificate = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Compare a Kafka cluster with what it has to have, and explain each difference; changes nothing.

    Leaves with 4 if there is one, as verify does, and with 5 if no broker answers. What belongs to others is told, and is none.
    """
    from services.registrar.bootstrap import provisioning_of

    report = provisioning_of(config, servers=servers, authority=authority, certificate=certificate).check()
    if as_json:
        print_json(_report(report))
    else:
        _say_report(report, mended="to be mended")
        typer.echo(
            "everything is as it should be" if report.is_clean else f"{len(report.changes)} changes to be made by provision"
        )
    if not report.is_clean:
        raise typer.Exit(VerificationError.exit_code)


@app.command("copy-log")
def copy_log(
    source: Annotated[Path, typer.Argument(help="A settings file that names the log to copy from.")],
    target: Annotated[Path, typer.Argument(help="A settings file that names the log to copy to.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Copy what one log holds and another lacks, before everybody moves there; over brokers as their administrator.

    It may be done again, while everybody works. What it misses every worker sends again by itself.
    """
    from services.registrar.bootstrap import copy_log as copied
    from services.registrar.bootstrap import participants_of

    number = copied(participants_of(config), source, target)
    say(f"{number} records copied", as_json=as_json, copied=number)


def _report(report: Report) -> dict[str, Any]:
    names = ("about", "found", "wanted", "if_it_stays")
    lines = [{name: getattr(each, name) for name in names} | {"mended_by": each.mending.value} for each in report.differences]
    found = {"brokers": report.brokers, "copies": report.copies, "warning": report.warning}
    return found | {"clean": report.is_clean, "changes": len(report.changes), "differences": lines}


def _say_report(report: Report, *, mended: str) -> None:
    from services.registrar.differences import Mending

    for each in report.differences:
        who = {Mending.PROVISION: mended, Mending.PERSON: "FOR A PERSON", Mending.NOBODY: "note"}[each.mending]
        typer.echo(as_text(f"{who}: {each}"))
    if report.warning:
        typer.echo(f"note: {report.warning}")

"""`sarakste registrar`: what the body that runs the exchange can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.post.console import Config, Json, add_common, read_file, say, write_file
from services.wire.errors import RefusedError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.registrar.application import Registrar

__all__ = ["app"]

_QUEUED = "queued; the registrar's worker signs and sends it"

app = typer.Typer(help="Run the exchange: admit participants, publish schemas, revoke keys, open epochs.", no_args_is_help=True)


def _registrar(config: Path | None) -> Registrar:
    from services.registrar.bootstrap import build

    return build(config)


def _office(config: Path | None, working: bool) -> Office:  # noqa: ARG001  # as the shared commands call it
    return _registrar(config).office


add_common(app, _office, has_cases=False)


@app.command()
def init(folder: Path, organisation: str, name: str, as_json: Json = False) -> None:
    """Make root and registrar of a new exchange in FOLDER."""
    from services.registrar.bootstrap import found

    found(folder, organisation=organisation, name=name)
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

"""docker-compose.yml by the Compose specification's schema, and by what we ask of it besides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.commands import ROOT

__all__ = ["COMPOSE", "Document", "dockerfile_of", "is_ours", "own_faults", "read", "schema_faults", "volumes_of"]

COMPOSE: Final = ROOT / "docker-compose.yml"
_HERE: Final = Path(__file__).resolve().parent
_SECRET: Final = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|(?:^|_)KEY")
_PINNED: Final = re.compile(r"[a-z/-]+:v?\d[\w.-]*@sha256:[0-9a-f]{64}")

Document = dict[str, Any]


def read(text: str) -> Document:
    found: Document = YAML(typ="safe").load(text)
    return found


def is_ours(service: Document) -> bool:
    """Tell whether a service runs an image of ours, whoever builds it."""
    return str(service.get("image", "")).startswith(("sarakste:", "sarakste-broker:"))


def dockerfile_of(document: Document, image: str) -> str:
    """Return the Dockerfile of an image of ours, from the top of the project."""
    builders = [each for each in document["services"].values() if "build" in each]
    (found,) = (each["build"]["dockerfile"] for each in builders if each["image"] == image)
    return str(found)


def schema_faults(document: Document) -> list[str]:
    official = (_HERE / "compose-spec.json").read_bytes()
    assert sha256(official).hexdigest() in (_HERE / "README.md").read_text("utf-8")
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(json.loads(official)).iter_errors(document)]


def volumes_of(service: Document) -> list[tuple[str, str, bool]]:
    """Return what a service mounts: the volume or the path, where, and whether for reading alone."""
    found = [each.split(":") for each in service.get("volumes", ())]
    return [(each[0], each[1], each[2:] == ["ro"]) for each in found]


def own_faults(document: Document) -> list[str]:
    services = document["services"]
    found = [f"{name}: {fault}" for name, service in services.items() for fault in _of_service(service, name, services)]
    for kind in ("volumes", "networks"):
        named = set(document[kind])
        used = {each for service in services.values() for each in _used(service, kind)}
        found += [f"{each} of {kind} is used by nobody or nowhere named" for each in sorted(named ^ used)]
    return found


def _used(service: Document, kind: str) -> list[str]:
    if kind == "networks":
        return list(service.get("networks", ()))
    return [what for what, _, _ in volumes_of(service) if not what.startswith(".")]


def _of_service(service: Document, name: str, services: Document) -> Iterator[str]:
    yield from _hardening(service)
    yield from _image(service)
    yield from _environment(service)
    yield from _once(name, services) if service.get("restart") == "no" else _running(service)
    yield from _mounts(service)
    for other, waits in service.get("depends_on", {}).items():
        if other not in services or "condition" not in waits:
            yield f"depends on {other}, and not on what it has to be"
    for port in service.get("ports", ()):
        if not str(port).startswith("127.0.0.1:"):
            yield f"is reached at {port} from other machines"


def _once(name: str, services: Document) -> Iterator[str]:
    waited = {each["depends_on"][name]["condition"] for each in services.values() if name in each.get("depends_on", ())}
    if waited != {"service_completed_successfully"}:
        yield "is done once, and nobody waits until it is done"


def _running(service: Document) -> Iterator[str]:
    if not service.get("healthcheck", {}).get("test"):
        yield "runs on, and has no health check"
    if service.get("restart") != "unless-stopped" or "stop_grace_period" not in service:
        yield "runs on, and nothing says when it is started again or how long it may take to stop"


def _mounts(service: Document) -> Iterator[str]:
    for what, where, is_for_reading in volumes_of(service):
        if what.startswith(".") and not (is_for_reading and (ROOT / what).exists()):
            yield f"mounts {what} of the machine, which is not there or may be written"
        if what == "authority" and (service.get("restart") != "no" or where != "/srv/authority"):
            yield "runs on, and sees the keys of the authority"


def _hardening(service: Document) -> Iterator[str]:
    user = str(service.get("user", "root")).split(":")[0]
    if not user.isdecimal() or int(user) == 0:
        yield "runs as root"
    if service.get("read_only") is not True:
        yield "may write into its image"
    if not any(each.startswith("/tmp") for each in service.get("tmpfs", ())):  # noqa: S108  # where it is mounted in a container
        yield "has no folder for what is passing"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield "has more rights than it needs"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may get more rights than it has"


def _image(service: Document) -> Iterator[str]:
    image = service.get("image", "")
    if is_ours(service):
        if not re.fullmatch(r"sarakste(-broker)?:\d+\.\d+\.\d+", image):
            yield f"{image} is no version of an image of ours"
        if "build" in service and not (ROOT / service["build"]["dockerfile"]).exists():
            yield f"{image} is built from nothing"
    elif not _PINNED.fullmatch(image):
        yield f"{image} is not pinned to a version and a digest"


def _environment(service: Document) -> Iterator[str]:
    for name, value in service.get("environment", {}).items():
        if (_SECRET.search(name) and not name.endswith("__FILE")) or "-----BEGIN" in str(value):
            yield f"has a secret in its environment: {name}"

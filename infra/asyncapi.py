"""`python -m infra.asyncapi`: writes `schemas/asyncapi.json`, a map of the wire for tools, in AsyncAPI 3.

Nothing is said there that is not said elsewhere: messages follow from the schemas and the audience table; channels, their
settings and who sends and receives from what a cluster should have for one participant of each role. AsyncAPI has no word for
what is signed or sealed inside of a message: that stands in `x-inside`, with references to the schemas.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from services.channel.kafka_writing import ENTRY_TYPE
from services.registrar.provisioning import COPIES, READ, Right, Topic, Wanted, wanted_for
from services.wire.audience import AUDIENCE, may_write
from services.wire.avro import load_schema, single_object_header
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, Role, mailbox_of, paired_channel, readers_of, writer_of
from services.wire.hashing import Digest
from services.wire.trust import Participant

__all__ = ["FILE", "SCHEMAS", "asyncapi", "written"]

SCHEMAS: Final = Path(__file__).resolve().parents[1] / "schemas"
FILE: Final = SCHEMAS / "asyncapi.json"

_ONE_OF_EACH: Final = {
    Role.SCHOOL: "school-0099900011",
    Role.COMMISSION: COMMISSION,
    Role.AUDITOR: "auditor-vk",
    Role.REGISTRAR: REGISTRAR,
}
_ROLES: Final = {
    Role.SCHOOL: "Takes applications, asks the commission, and decides.",
    Role.COMMISSION: "Issues its recommendation to the family, and answers the school yes or no.",
    Role.AUDITOR: "Verifies what others wrote, and opens the facts of those who approved it; never what is personal.",
    Role.REGISTRAR: "Admits and removes participants, publishes schemas, revokes keys, opens epochs. Holds no key.",
}
_PARAMETERS: Final = {Role.SCHOOL: "the id of a school, `school-` and its number", Role.AUDITOR: "the id of an auditor"}
_TRUST_ONLY: Final = "registrar.trust only"
_HEADERS: Final = {"type": "object", "properties": {"content-type": {"const": ENTRY_TYPE}}, "additionalProperties": False}
_AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
_NUMBERS: Final = ("retention.ms", "retention.bytes", "max.message.bytes", "segment.ms", "min.insync.replicas")


def written(document: Mapping[str, Any]) -> str:
    """Return the document as it stands in its file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def asyncapi() -> dict[str, Any]:
    """Return the document, made anew from schemas and code."""
    none = Digest(bytes(32))
    ids = _ONE_OF_EACH.items()
    wanted = wanted_for((Participant(id=name, role=role, organisation="", name="", admitted=none) for role, name in ids), COPIES)
    schemas = {path.stem: path for folder in ("wire", "open", "events") for path in sorted((SCHEMAS / folder).glob("*.avsc"))}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sarakste",
            "version": "v0",
            "description": "Signed and sealed Avro events between schools and the State Medical Commission, in channels of one "
            "writer each. A map for tools: README.md beside this file is the specification, and decides. Whoever may read a "
            "channel sees its statements; what is sealed opens for who holds its keys.",
            "license": {"name": "EUPL-1.2"},
            "tags": [{"name": role.value, "description": text} for role, text in _ROLES.items()],
        },
        "defaultContentType": "avro/binary",
        "servers": {"brokers": _server()},
        "channels": {_key(name): _channel(topic, schemas) for name, topic in wanted.topics.items()},
        "operations": dict(_operations(wanted)),
        "components": {
            "schemas": {name: _schema(path) for name, path in schemas.items()},
            "messages": dict(_messages(schemas)),
            "securitySchemes": {
                "clientCertificate": {
                    "type": "X509",
                    "description": "TLS with a certificate of the cluster's authority; its common name is the participant's id.",
                }
            },
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{broker}:{port}",
        "protocol": "kafka-secure",
        "description": "A placeholder: each exchange has brokers of its own.",
        "variables": {
            "broker": {"description": "One of the brokers.", "examples": ["broker-1.example"]},
            "port": {"description": "Where it listens for clients.", "default": "9092"},
        },
        "security": [_to("components", "securitySchemes", "clientCertificate")],
    }


def _channel(topic: Topic, schemas: Mapping[str, Path]) -> dict[str, Any]:
    address = _address(topic.name)
    found: dict[str, Any] = {
        "address": address,
        "messages": {name: _to("components", "messages", name) for name in _stands_in(topic.name, schemas)},
        "servers": [_to("servers", "brokers")],
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "replicas": topic.copies,
                "topicConfiguration": {name: _setting(name, value) for name, value in topic.settings.items()},
                "bindingVersion": "0.5.0",
            }
        },
    }
    for role, text in _PARAMETERS.items():
        if f"{{{role.value.lower()}}}" in address:
            found["parameters"] = {role.value.lower(): {"description": text, "examples": [_ONE_OF_EACH[role]]}}
    return found


def _stands_in(channel: str, schemas: Mapping[str, Path]) -> list[str]:
    """Return the messages that have a meaning in a channel, or the one of a mailbox."""
    if _is_mailbox(channel):
        return ["KeyGrant"]
    opens = [name for name in _of("open", schemas) if _is_open_in(name, channel)]
    return [*opens, *(event for event in AUDIENCE if may_write(event, channel))]


def _is_open_in(name: str, channel: str) -> bool:
    if _doc(SCHEMAS / f"open/{name}.avsc").startswith(_TRUST_ONLY):
        return channel == TRUST_CHANNEL
    is_auditors = writer_of(channel) == _ONE_OF_EACH[Role.AUDITOR]
    if name == "EncryptionKeyPublished":
        # Where those read it who grant keys to its writer.
        return paired_channel(channel) is not None or is_auditors
    return name != "Checkpoint" or is_auditors


def _operations(wanted: Wanted) -> Iterable[tuple[str, dict[str, Any]]]:
    roles = {f"User:{name}": role for role, name in _ONE_OF_EACH.items()}
    order = list(_ROLES)
    for right in sorted(wanted.rights, key=lambda each: (order.index(roles[each.principal]), each.operation, each.name)):
        role, action = roles[right.principal], "receive" if right.operation == READ else "send"
        yield (
            f"{role.value.lower()}.{action}.{_key(right.name)}",
            {
                "action": action,
                "channel": _to("channels", _key(right.name)),
                "summary": _summary(right, role),
                "tags": [{"name": role.value}],
            },
        )


def _summary(right: Right, role: Role) -> str:
    who, what = f"The {role.value.lower()}", _address(right.name)
    if right.operation != READ:
        return f"{who} grants keys in {what}." if _is_mailbox(right.name) else f"{who} writes {what}, and nobody else does."
    if _is_mailbox(right.name):
        return f"{who} takes keys from {what}, and nobody else does."
    if right.name == TRUST_CHANNEL:
        return f"{who} reads {what}; nothing is sealed there."
    auditors, everybody = (_ONE_OF_EACH[Role.AUDITOR],), tuple(_ONE_OF_EACH.values())
    holders = (writer_of(right.name), *readers_of(right.name, auditors, everybody))
    if _ONE_OF_EACH[role] not in holders:
        opens = "holds no key to what is sealed there"
    elif role is Role.AUDITOR and writer_of(right.name) not in auditors:
        opens = "holds the keys to the facts that are sealed there once its writer has approved it"
    else:
        opens = "holds the keys to what is sealed there"
    return f"{who} reads {what}, and {opens}."


def _messages(schemas: Mapping[str, Path]) -> Iterable[tuple[str, dict[str, Any]]]:
    for name in _of("open", schemas):
        yield name, _message(name, "Entry", {"statement": "Statement", "body": "Open", "content": name}, schemas)
    for name in AUDIENCE:
        inside = {"statement": "Statement", "body": "Sealed", "facts": "Facts", "personal": "Personal", "content": name}
        yield name, _message(name, "Entry", inside, schemas)
    inside = {"grant": "Grant", "header": "GrantHeader", "sealed": "GrantedKey"}
    yield "KeyGrant", _message("KeyGrant", "KeyGrant", inside, schemas)


def _message(name: str, payload: str, inside: Mapping[str, str], schemas: Mapping[str, Path]) -> dict[str, Any]:
    return {
        "name": name,
        "summary": _doc(schemas[name]),
        **({"contentType": ENTRY_TYPE, "headers": _HEADERS} if payload == "Entry" else {}),
        "payload": _to("components", "schemas", payload),
        "x-single-object-header": single_object_header(load_schema(f"wire/{payload}.avsc")).hex(),
        "x-inside": {place: _to("components", "schemas", schema) for place, schema in inside.items()},
    }


def _schema(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    found: dict[str, Any] = {"schemaFormat": _AVRO, "schema": json.loads(data), "x-file": path.relative_to(SCHEMAS).as_posix()}
    # Published events are named by the digest of their schema's file.
    return found | ({"x-schema-id": hashlib.sha256(data).hexdigest()} if path.parent.name == "events" else {})


def _doc(path: Path) -> str:
    return str(json.loads(path.read_bytes())["doc"])


def _of(folder: str, schemas: Mapping[str, Path]) -> list[str]:
    return [name for name, path in schemas.items() if path.parent.name == folder]


def _setting(name: str, value: str) -> Any:
    return [value] if name == "cleanup.policy" else int(value) if name in _NUMBERS else value


def _is_mailbox(topic: str) -> bool:
    return topic.endswith(mailbox_of(""))


def _address(topic: str) -> str:
    for role in _PARAMETERS:
        topic = re.sub(f"^{_ONE_OF_EACH[role]}\\.", f"{{{role.value.lower()}}}.", topic)
    return topic


def _key(topic: str) -> str:
    return re.sub("[{}]", "", _address(topic))


def _to(*steps: str) -> dict[str, str]:
    return {"$ref": "/".join(("#", *steps))}


if __name__ == "__main__":
    FILE.write_text(written(asyncapi()), "utf-8")

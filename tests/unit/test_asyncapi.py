"""The map of the wire for tools is a valid AsyncAPI document, and shows all there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from infra.asyncapi import FILE, SCHEMAS, asyncapi, written
from services.wire.audience import AUDIENCE
from services.wire.channels import ChannelKind, Role

OFFICIAL: Final = Path(__file__).resolve().parents[1] / "asyncapi"


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def faults(document: dict[str, Any]) -> list[Any]:
    official = (OFFICIAL / "3.0.0.json").read_bytes()
    assert sha256(official).hexdigest() in (OFFICIAL / "README.md").read_text("utf-8")
    return list(Draft7Validator(json.loads(official)).iter_errors(document))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and "$ref" in value:
        yield value["$ref"]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(each)


def standing(document: dict[str, Any], channel: str) -> set[str]:
    return set(document["channels"][channel]["messages"])


def test_it_is_what_make_asyncapi_writes() -> None:
    assert FILE.read_text("utf-8") == written(asyncapi()), "make asyncapi"


def test_it_is_valid_by_the_official_schema_which_looks_into_it(document: dict[str, Any]) -> None:
    assert faults(document) == []
    del document["components"]["schemas"]["Entry"]["schema"]["fields"][0]["name"]
    assert faults(document) != []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for each in found:
        at = document
        for step in each.removeprefix("#/").split("/"):
            at = at[step]


def test_every_schema_is_there_as_its_file_says_it(document: dict[str, Any]) -> None:
    shown = {each["x-file"]: each["schema"] for each in document["components"]["schemas"].values()}
    # Proofs are files: they travel in no channel.
    files = [path for path in sorted(SCHEMAS.glob("*/*.avsc")) if path.parent.name != "proofs"]
    assert shown == {path.relative_to(SCHEMAS).as_posix(): json.loads(path.read_bytes()) for path in files}
    ids = {name: each["x-schema-id"] for name, each in document["components"]["schemas"].items() if "x-schema-id" in each}
    assert ids == {path.stem: sha256(path.read_bytes()).hexdigest() for path in files if path.parent.name == "events"}


def test_every_event_stands_in_the_channels_of_its_audience_and_in_no_other(document: dict[str, Any]) -> None:
    shown = {name: {key for key in document["channels"] if name in standing(document, key)} for name in AUDIENCE}
    names = {("school", ChannelKind.RECORD): "school.record", ("commission", ChannelKind.RECORD): "commission.record"}
    names |= {("auditor", ChannelKind.RECORD): "auditor.record", ("school", ChannelKind.TO_COMMISSION): "school.to-commission"}
    names |= {("commission", ChannelKind.FROM_COMMISSION): "school.from-commission"}
    assert shown == {name: {names[place] for place in places} for name, places in AUDIENCE.items()}


def test_every_open_content_stands_somewhere_and_the_registrars_in_its_channel_alone(document: dict[str, Any]) -> None:
    table = re.findall(r"^\| `(\w+)` \| .+ \|.*\|$", (SCHEMAS / "README.md").read_text("utf-8"), re.MULTILINE)
    contents = [name for name in table if (SCHEMAS / f"open/{name}.avsc").exists()]
    everywhere = set.union(*(standing(document, key) for key in document["channels"]))
    assert set(contents) == {path.stem for path in SCHEMAS.glob("open/*.avsc")} <= everywhere
    registrars = set(contents[contents.index("ParticipantAdmitted") :])
    for key in document["channels"]:
        assert standing(document, key) & registrars == (registrars if key == "registrar.trust" else set())


def test_every_kind_of_channel_and_each_mailbox_has_one_address_with_its_parameters(document: dict[str, Any]) -> None:
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert len(addresses) == len(set(addresses))
    assert {each.partition(".")[2] for each in addresses} == {"mailbox", *(kind.value for kind in ChannelKind)}
    for channel in document["channels"].values():
        assert re.findall(r"\{(\w+)\}", channel["address"]) == list(channel.get("parameters", ()))


def test_a_mailbox_takes_grants_alone_and_only_for_thirty_days(document: dict[str, Any]) -> None:
    boxes = {key: channel for key, channel in document["channels"].items() if key.endswith(".mailbox")}
    assert len(boxes) == 3
    for key, channel in document["channels"].items():
        days = channel["bindings"]["kafka"]["topicConfiguration"]["retention.ms"] / 86_400_000
        assert (standing(document, key) == {"KeyGrant"}, days == 30) == (key in boxes, key in boxes)


def test_every_role_acts_and_each_channel_has_one_writer(document: dict[str, Any]) -> None:
    operations = document["operations"].values()
    roles = {role.value for role in Role if role is not Role.UNKNOWN}
    assert {each["tags"][0]["name"] for each in operations} == roles == {each["name"] for each in document["info"]["tags"]}
    for key in document["channels"]:
        of = [each for each in operations if each["channel"]["$ref"] == f"#/channels/{key}"]
        sending = [each for each in of if each["action"] == "send"]
        reading = [each for each in of if each["action"] == "receive"]
        assert len(reading if key.endswith(".mailbox") else sending) == 1, key


def test_the_specification_names_both_single_object_headers(document: dict[str, Any]) -> None:
    # What is a file travels in no channel.
    text = (SCHEMAS / "README.md").read_text("utf-8").partition("## Disclosures")[0]
    shown = {each["x-single-object-header"] for each in document["components"]["messages"].values()}
    assert shown == {each.replace(" ", "") for each in re.findall(r"`(c3 01(?: [0-9a-f]{2}){8})`", text)}


def test_who_reads_a_reason_of_a_refusal_is_the_commission_and_an_auditor_that_it_has_approved(document: dict[str, Any]) -> None:
    told = {
        key: each["summary"]
        for key, each in document["operations"].items()
        if each["action"] == "receive" and each["channel"]["$ref"] == "#/channels/commission.record"
    }
    holding = {key: summary for key, summary in told.items() if "holds the keys" in summary}
    assert holding.keys() == {"commission.receive.commission.record", "auditor.receive.commission.record"}
    assert holding["auditor.receive.commission.record"].endswith(
        "to the facts that are sealed there once its writer has approved it."
    )
    assert not any(key.startswith("school.") for key in told)

"""Open contents, facts and personal parts, channels and wordings."""

from __future__ import annotations

from typing import Any

import pytest

from services.wire import avro, channels, contents
from services.wire.channels import ChannelKind, Role
from services.wire.entry import Open
from services.wire.errors import MalformedError
from services.wire.events import Answer
from services.wire.hashing import Digest, Id
from services.wire.wordings import WORDINGS, wording_of

D = Digest(b"d" * 32)
SCHOOL = "school-0099900011"
EVERY: list[contents.OpenContent] = [
    contents.ChannelOpened(exchange=D, writer=SCHOOL, certificates=(b"leaf", b"cross")),
    contents.CertificateRotated(certificates=(b"leaf",)),
    contents.EncryptionKeyPublished(suite="x", public_key=b"k", need=(D,)),
    contents.Receipt(held=(contents.Held(channel="a.record", epoch=0, sequence=1, digest=D),), record=D),
    contents.Receipt(held=(), record=None),
    contents.ChannelClosed(),
    contents.Checkpoint(channels=3, root=D),
    contents.ParticipantAdmitted(
        id=SCHOOL, role=Role.SCHOOL, organisation="VATLV-99990000018", name="Paraugpilsētas 1. pamatskola"
    ),
    contents.ParticipantRemoved(id=SCHOOL),
    contents.SchemaPublished(name="Rejected", file=b"{}"),
    contents.KeyRevoked(key=D, reason=contents.Reason.STOLEN),
    contents.EpochOpened(channel="a.record", epoch=1, after_sequence=0, after_digest=D, certificate=D),
    contents.TrustConfirmed(),
]
FACTS = contents.Facts(
    type="ConsentRecorded",
    schema=D,
    case_id=Id(b"c" * 16),
    after=None,
    in_reply_to=D,
    recorded_on=20_682,
    personal_key=D,
    content=b"x",
)


@pytest.mark.parametrize("content", EVERY)
def test_every_open_content_reads_back(content: contents.OpenContent) -> None:
    assert contents.decode_open(contents.encode_open(content)) == content


def test_an_open_type_of_a_newer_release_is_no_error() -> None:
    assert contents.decode_open(Open(type="SomethingNewer", content=b"\xff")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        contents.Checkpoint(channels=-1, root=D),
        contents.EpochOpened(channel="a.record", epoch=-1, after_sequence=0, after_digest=D, certificate=D),
        contents.EpochOpened(channel="a.record", epoch=1, after_sequence=-1, after_digest=D, certificate=D),
        contents.Receipt(held=(contents.Held(channel="a.record", epoch=0, sequence=0, digest=D),), record=None),
    ],
)
def test_numbers_out_of_range_in_open_contents_are_refused(wrong: contents.OpenContent) -> None:
    with pytest.raises(MalformedError, match="out of range"):
        contents.decode_open(contents.encode_open(wrong))


def test_an_open_content_with_a_trailing_byte_is_refused() -> None:
    with pytest.raises(MalformedError):
        contents.decode_open(Open(type="TrustConfirmed", content=b"\x00"))


def test_integers_are_range_checked_in_records_that_are_named_again_or_stand_in_a_union() -> None:
    def schema_of(number: str) -> avro.Schema:
        inner = {"type": "record", "name": "Inner", "fields": [{"name": "n", "type": number}]}
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": "Inner"}, {"name": "c", "type": ["null", "Inner"]}]
        fields.append({"name": "d", "type": {"type": "map", "values": number}})
        return avro.Schema({"type": "record", "name": "R", "fields": fields})

    ints, longs = schema_of("int"), schema_of("long")
    fine: dict[str, Any] = {"a": {"n": 1}, "b": {"n": 1}, "c": {"n": 1}, "d": {"x": 1}}
    assert avro.decode(ints, avro.encode(longs, fine)) == fine
    for wrong in ({"a": {"n": 2**40}}, {"b": {"n": 2**40}}, {"c": {"n": 2**40}}, {"d": {"x": 2**40}}):
        with pytest.raises(MalformedError, match="out of range"):
            avro.decode(ints, avro.encode(longs, fine | wrong))


def test_facts_and_personal_parts_read_back() -> None:
    personal = contents.Personal(recorded_at=1_787_000_000_000, content=b"y")
    assert contents.decode_facts(contents.encode_facts(FACTS)) == FACTS
    assert contents.decode_personal(contents.encode_personal(personal)) == personal


@pytest.mark.parametrize("change", [{"recorded_on": -1}, {"recorded_on": 2_932_897}, {"case_id": None}, {"personal_key": None}])
def test_facts_with_a_wrong_day_or_half_a_case_are_refused(change: dict[str, int | None]) -> None:
    with pytest.raises(MalformedError, match=r"years|exactly when"):
        contents.decode_facts(contents.encode_facts(FACTS._replace(**change)))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("reference", ["", "K 07", "Ilze Paraudziņa", "-07", "K" * 33, "K-07\n", "\x1b[31m"])
def test_who_entered_something_is_a_reference_and_no_sentence(reference: str) -> None:
    assert contents.decode_personal(contents.encode_personal(contents.Personal(recorded_at=1, entered_by="K-07", content=b"")))
    with pytest.raises(MalformedError, match="no reference"):
        contents.decode_personal(contents.encode_personal(contents.Personal(recorded_at=1, entered_by=reference, content=b"")))


def test_a_personal_part_of_the_year_10000_is_refused() -> None:
    with pytest.raises(MalformedError, match="9999"):
        contents.decode_personal(contents.encode_personal(contents.Personal(recorded_at=253_402_300_800_000, content=b"")))


@pytest.mark.parametrize("value", [2**31, 2**40, -(2**31) - 1])
def test_an_integer_beyond_32_bits_is_refused_although_it_encodes_again(value: int) -> None:
    schema = avro.load_schema("open/Checkpoint.avsc")
    data = avro.encode(schema, {"channels": value, "root": D})
    with pytest.raises(MalformedError, match="out of range"):
        avro.decode(schema, data)


def test_integers_are_range_checked_inside_arrays_and_unions() -> None:
    def schema_of(number: str) -> avro.Schema:
        items = {"type": "array", "items": ["null", number]}
        return avro.Schema({"type": "record", "name": "R", "fields": [{"name": "a", "type": items}]})

    ints, longs = schema_of("int"), schema_of("long")
    assert avro.decode(ints, avro.encode(longs, {"a": [None, 2**31 - 1]})) == {"a": [None, 2**31 - 1]}
    assert avro.decode(longs, avro.encode(longs, {"a": [2**40]})) == {"a": [2**40]}
    with pytest.raises(MalformedError, match="out of range"):
        avro.decode(ints, avro.encode(longs, {"a": [2**40]}))


def test_a_school_writes_a_pair_channel_and_a_record() -> None:
    assert channels.channels_of(SCHOOL, Role.SCHOOL) == (f"{SCHOOL}.to-commission", f"{SCHOOL}.record")


def test_the_commission_writes_one_channel_for_each_school_and_a_record() -> None:
    assert channels.channels_of("commission", Role.COMMISSION, (SCHOOL,)) == (f"{SCHOOL}.from-commission", "commission.record")


def test_auditor_registrar_and_unknown_roles_have_the_channels_of_the_table() -> None:
    assert channels.channels_of("auditor-vk", Role.AUDITOR) == ("auditor-vk.record",)
    assert channels.channels_of("registrar", Role.REGISTRAR) == ("registrar.trust",)
    assert channels.channels_of("stranger", Role.UNKNOWN) == ()


@pytest.mark.parametrize(
    ("channel", "kind", "writer", "pair"),
    [
        (f"{SCHOOL}.to-commission", ChannelKind.TO_COMMISSION, SCHOOL, f"{SCHOOL}.from-commission"),
        (f"{SCHOOL}.from-commission", ChannelKind.FROM_COMMISSION, "commission", f"{SCHOOL}.to-commission"),
        (f"{SCHOOL}.record", ChannelKind.RECORD, SCHOOL, None),
        ("registrar.trust", ChannelKind.TRUST, "registrar", None),
    ],
)
def test_a_channel_name_tells_kind_writer_and_pair(channel: str, kind: ChannelKind, writer: str, pair: str | None) -> None:
    assert (channels.channel_kind(channel), channels.writer_of(channel), channels.paired_channel(channel)) == (kind, writer, pair)


@pytest.mark.parametrize(
    "name", ["", "school", "School.record", "a.record", "x-1.mailbox", "school-1.trust", "registrar.record", "ab.record.x"]
)
def test_what_is_no_channel_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="channel"):
        channels.channel_kind(name)


def test_the_readers_of_a_channel_are_those_of_the_table() -> None:
    everybody = (SCHOOL, "commission", "auditor-vk", "registrar")
    readers = {
        channel: channels.readers_of(channel, ("auditor-vk",), everybody)
        for channel in (f"{SCHOOL}.to-commission", f"{SCHOOL}.from-commission", f"{SCHOOL}.record", "auditor-vk.record")
    }
    assert readers == {
        f"{SCHOOL}.to-commission": ("commission", "auditor-vk"),
        f"{SCHOOL}.from-commission": (SCHOOL, "auditor-vk"),
        f"{SCHOOL}.record": ("auditor-vk",),
        "auditor-vk.record": (SCHOOL, "commission"),
    }


def test_a_mailbox_belongs_to_its_participant() -> None:
    assert channels.mailbox_of(SCHOOL) == f"{SCHOOL}.mailbox"


def test_the_yes_is_the_exact_sentence_of_the_procedure() -> None:
    assert WORDINGS[wording_of(Answer.YES)].text == "Jā, skolēnam ir sniegts ieteikums par asistenta pakalpojuma nepieciešamību"
    assert WORDINGS[wording_of(Answer.NO)].answer is Answer.NO


def test_nobody_gives_an_unknown_answer() -> None:
    with pytest.raises(ValueError, match="yes and a no"):
        wording_of(Answer.UNKNOWN)


def test_a_frame_has_the_fields_of_its_schema_in_their_order() -> None:
    schema: Any = avro.load_schema("wire/Facts.avsc").parsed
    assert list(contents.Facts._fields) == [each["name"] for each in schema["fields"]]

"""What the registrar says, and what of it has an effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.wire.channels import Role, channels_of, is_participant_id
from services.wire.contents import (
    EpochOpened,
    KeyRevoked,
    OpenContent,
    ParticipantAdmitted,
    ParticipantRemoved,
    Reason,
    SchemaPublished,
    TrustConfirmed,
)
from services.wire.hashing import Digest, Id, digest_of, genesis_digest
from services.wire.records import own_schemas
from services.wire.trust import Participant, Said, Trust, fold_trust
from tests.chains import CHANNEL, ROOT, SCHOOL

KEY = digest_of(b"the registrar's key")


def said(*contents: OpenContent | None) -> Trust:
    return fold_trust(
        (
            Said(
                sequence=number,
                event_id=Id(b"%016d" % number),
                body=digest_of(b"%d" % number),
                signer_key=KEY,
                content=content,
            )
            for number, content in enumerate(contents, start=1)
        ),
        ROOT.digest,
    )


def admitted(name: str, role: Role) -> ParticipantAdmitted:
    return ParticipantAdmitted(id=name, role=role, organisation="NTRLV-90000000001", name="Iestāde")


EVERYBODY = (
    admitted("registrar", Role.REGISTRAR),
    admitted("commission", Role.COMMISSION),
    admitted(SCHOOL, Role.SCHOOL),
    admitted("auditor-vk", Role.AUDITOR),
)


def test_channels_follow_from_roles() -> None:
    trust = said(*EVERYBODY)
    assert trust.faults == ()
    for channel in (*channels_of(SCHOOL, Role.SCHOOL), *channels_of("auditor-vk", Role.AUDITOR)):
        writer = trust.writer_of(channel)
        assert writer is not None
        assert writer.id == channel.partition(".")[0]
    assert trust.writer_of(f"{SCHOOL}.from-commission") == trust.participants["commission"]
    for channel in ("auditor-vk.to-commission", "auditor-vk.from-commission", "school-2.from-commission"):
        assert trust.writer_of(channel) is None
    assert trust.writer_of("registrar.trust") is None
    assert trust.of_role(Role.SCHOOL) == (SCHOOL,)


def test_an_admission_says_who_somebody_is() -> None:
    assert said(*EVERYBODY).participants[SCHOOL] == Participant(
        id=SCHOOL, role=Role.SCHOOL, organisation="NTRLV-90000000001", name="Iestāde", admitted=digest_of(b"3")
    )


def test_who_is_called_commission_and_is_none_writes_to_no_school() -> None:
    trust = said(*EVERYBODY)
    other = replace(trust.participants["commission"], role=Role.AUDITOR)
    assert replace(trust, participants={**trust.participants, "commission": other}).writer_of(f"{SCHOOL}.from-commission") is None


def test_nothing_is_trusted_before_anything_was_said() -> None:
    assert said() == Trust()


def test_no_school_writes_before_it_and_the_commission_are_admitted() -> None:
    assert said().writer_of(CHANNEL) is None
    assert said(EVERYBODY[2]).writer_of(f"{SCHOOL}.from-commission") is None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("commission", Role.SCHOOL),
        ("school-1", Role.COMMISSION),
        ("registrar", Role.AUDITOR),
        ("auditor-vk", Role.SCHOOL),
        ("school-1", Role.AUDITOR),
        ("School-1", Role.SCHOOL),
        ("school.record", Role.SCHOOL),
    ],
)
def test_an_id_that_would_take_anothers_channels_is_admitted_without_effect(name: str, role: Role) -> None:
    trust = said(admitted(name, role))
    assert not trust.participants
    fault = f"{name} is no id for this role" if is_participant_id(name) else "an id that no participant can have"
    assert trust.faults == (f"registrar.trust at 1: {fault}",)


def test_a_role_of_a_newer_release_gets_no_channels() -> None:
    trust = said(admitted("ministry", Role.UNKNOWN))
    assert trust.participants["ministry"].role is Role.UNKNOWN
    assert trust.writer_of("ministry.record") is None


def test_a_removed_participant_keeps_what_it_wrote_and_is_removed_once() -> None:
    trust = said(*EVERYBODY, ParticipantRemoved(id=SCHOOL), ParticipantRemoved(id=SCHOOL), ParticipantRemoved(id="nobody"))
    assert trust.participants[SCHOOL] == replace(said(*EVERYBODY).participants[SCHOOL], removed=True)
    assert trust.of_role(Role.SCHOOL) == ()
    assert trust.writer_of(CHANNEL) is not None
    assert trust.faults == tuple(f"registrar.trust at {at}: nobody of this id is here to be removed" for at in (6, 7))


def test_a_schema_is_published_under_the_hash_of_its_bytes_and_a_hostile_one_is_not() -> None:
    (schema, file), *_ = own_schemas().items()
    trust = said(SchemaPublished(name="x", file=file), SchemaPublished(name="x", file=b"{"))
    assert dict(trust.schemas) == {schema: file}
    assert trust.faults == ("registrar.trust at 2: a schema is JSON",)


def test_the_first_reason_of_a_revocation_stays() -> None:
    key = digest_of(b"a school's key")
    trust = said(KeyRevoked(key=key, reason=Reason.STOLEN), KeyRevoked(key=key, reason=Reason.SUPERSEDED))
    assert trust.revoked[key] is Reason.STOLEN


def test_the_registrar_revokes_every_key_but_its_own() -> None:
    trust = said(KeyRevoked(key=KEY, reason=Reason.LOST))
    assert not trust.revoked
    assert trust.faults == ("registrar.trust at 1: the registrar cannot revoke the key it signs with",)


def epoch(number: int, channel: str = CHANNEL, *, after: int = 4, digest: Digest | None = None) -> EpochOpened:
    return EpochOpened(
        channel=channel,
        epoch=number,
        after_sequence=after,
        after_digest=digest or digest_of(b"the last good entry"),
        certificate=digest_of(b"the new certificate"),
    )


def test_epochs_come_one_after_the_other() -> None:
    trust = said(epoch(1), epoch(3), epoch(2), epoch(2), TrustConfirmed(), None)
    assert [each.epoch for each in trust.epochs[CHANNEL]] == [1, 2]
    assert trust.faults == (
        f"registrar.trust at 2: the next epoch of {CHANNEL} is 2",
        f"registrar.trust at 4: the next epoch of {CHANNEL} is 3",
    )
    assert trust.sequence == 6


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (epoch(1, "registrar.trust"), "the trust channel has no epochs"),
        (epoch(1, "school.mailbox"), "no channel has this name"),
        (epoch(1, after=0), "an epoch after nothing begins at the genesis value"),
    ],
)
def test_a_wrong_epoch_is_without_effect(wrong: EpochOpened, fault: str) -> None:
    trust = said(wrong)
    assert not trust.epochs
    assert trust.faults == (f"registrar.trust at 1: {fault}",)


def test_an_epoch_after_nothing_names_the_genesis() -> None:
    assert said(epoch(1, after=0, digest=genesis_digest(ROOT.digest, CHANNEL))).epochs[CHANNEL][0].after_sequence == 0


def test_a_repeated_event_id_says_nothing_more_and_with_another_body_it_is_a_fault() -> None:
    first = Said(
        sequence=1, event_id=Id(bytes(16)), body=digest_of(b"1"), signer_key=KEY, content=admitted("school-one", Role.SCHOOL)
    )
    other = replace(first, sequence=3, body=digest_of(b"3"), content=admitted("school-two", Role.SCHOOL))
    trust = fold_trust((first, replace(first, sequence=2), other), ROOT.digest)
    assert set(trust.participants) == {"school-one"}
    assert trust.faults == ("registrar.trust at 3: an event id that stands for another event already",)

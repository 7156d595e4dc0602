"""What a cluster should have for an exchange, and what is said of one that has something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.registrar.cluster import Provisioning, Report
from services.registrar.differences import (
    Change,
    Difference,
    GrantRight,
    MakeTopic,
    Mending,
    SetSettings,
    WithdrawRight,
    differences,
)
from services.registrar.provisioning import Found, Right, Topic, Wanted, copies_for, wanted_for
from services.wire.channels import Role
from services.wire.hashing import digest_of
from services.wire.trust import Participant

MAPLE, BIRCH, GONE = "school-0099900011", "school-0099900022", "school-0099900033"


def participant(name: str, role: Role, *, removed: bool = False) -> Participant:
    return Participant(
        id=name, role=role, organisation="NTRLV-90000000001", name="Iestāde", admitted=digest_of(name.encode()), removed=removed
    )


EVERYBODY = (
    participant("registrar", Role.REGISTRAR),
    participant("commission", Role.COMMISSION),
    participant(MAPLE, Role.SCHOOL),
    participant(BIRCH, Role.SCHOOL),
    participant(GONE, Role.SCHOOL, removed=True),
    participant("auditor-vk", Role.AUDITOR),
    participant("auditor-gone", Role.AUDITOR, removed=True),
)
WANTED = wanted_for(EVERYBODY, 3)
TRUST, RECORD = "registrar.trust", f"{MAPLE}.record"


def may(topic: str, operation: str, wanted: Wanted = WANTED) -> set[str]:
    return {each.principal.removeprefix("User:") for each in wanted.rights if (each.name, each.operation) == (topic, operation)}


def found(wanted: Wanted = WANTED, *, brokers: int = 3, **changed: object) -> Found:
    return replace(Found(brokers=brokers, topics=wanted.topics, rights=wanted.rights), **changed)  # type: ignore[arg-type]


def with_topic(name: str, **changed: object) -> Found:
    return found(topics={**WANTED.topics, name: replace(WANTED.topics[name], **changed)})  # type: ignore[arg-type]


def with_setting(name: str, setting: str, value: str | None) -> Found:
    settings = {**WANTED.topics[name].settings, setting: value}
    return with_topic(name, settings={each: text for each, text in settings.items() if text is not None})


def only(there: Found, wanted: Wanted = WANTED) -> Difference:
    (one,) = differences(there, wanted)
    return one


def test_everybody_who_was_ever_admitted_has_its_channels_and_a_mailbox_and_the_registrar_no_mailbox() -> None:
    schools = {f"{each}.{kind}" for each in (MAPLE, BIRCH, GONE) for kind in ("to-commission", "from-commission", "record")}
    others = {"commission", "auditor-vk", "auditor-gone"}
    mailboxes = {f"{each}.mailbox" for each in (MAPLE, BIRCH, GONE, *others)}
    assert set(WANTED.topics) == {TRUST} | schools | {f"{each}.record" for each in others} | mailboxes


def test_nobody_but_the_registrar_is_there_before_anybody_is_admitted() -> None:
    wanted = wanted_for((), 1)
    assert set(wanted.topics) == {TRUST}
    assert wanted.rights == {Right(name=TRUST, principal="User:registrar", operation=each) for each in ("Read", "Write")}


def test_a_school_that_is_admitted_before_the_commission_waits_for_the_channel_of_the_commission_alone() -> None:
    wanted = wanted_for([participant(MAPLE, Role.SCHOOL)], 1)
    assert set(wanted.topics) == {TRUST, RECORD, f"{MAPLE}.to-commission", f"{MAPLE}.mailbox"}
    assert may(f"{MAPLE}.to-commission", "Read", wanted) == {MAPLE, "registrar"}


def test_a_role_of_a_newer_release_has_no_topics_and_no_rights() -> None:
    assert wanted_for([participant("observer", Role.UNKNOWN)], 1) == wanted_for((), 1)


def test_a_channel_is_written_by_its_writer_and_read_by_it_its_readers_and_the_registrar() -> None:
    assert may(f"{MAPLE}.to-commission", "Write") == {MAPLE}
    assert may(f"{MAPLE}.to-commission", "Read") == {MAPLE, "commission", "auditor-vk", "registrar"}
    assert may(f"{MAPLE}.from-commission", "Write") == {"commission"}
    assert may(f"{MAPLE}.from-commission", "Read") == {MAPLE, "commission", "auditor-vk", "registrar"}
    assert may(RECORD, "Write") == {MAPLE}
    assert may(RECORD, "Read") == {MAPLE, "auditor-vk", "registrar"}


def test_the_record_of_an_auditor_is_read_by_all_who_are_there_also_when_the_auditor_is_not() -> None:
    assert may("auditor-vk.record", "Read") == {"auditor-vk", "commission", MAPLE, BIRCH, "registrar"}
    assert may("auditor-gone.record", "Read") == {"auditor-gone", "auditor-vk", "commission", MAPLE, BIRCH, "registrar"}


def test_a_mailbox_is_read_by_its_owner_alone_and_written_by_whoever_writes_what_the_owner_reads() -> None:
    assert may(f"{MAPLE}.mailbox", "Read") == {MAPLE}
    assert may(f"{MAPLE}.mailbox", "Write") == {"commission", "auditor-vk"}
    assert may("commission.mailbox", "Write") == {MAPLE, BIRCH, "auditor-vk"}
    assert may("auditor-vk.mailbox", "Write") == {MAPLE, BIRCH, "commission"}


def test_who_was_removed_writes_nothing_and_reads_what_was_its_own() -> None:
    rights = [each for each in WANTED.rights if each.principal in (f"User:{GONE}", "User:auditor-gone")]
    assert {(each.principal, each.name) for each in rights} == {
        (f"User:{GONE}", TRUST),
        (f"User:{GONE}", f"{GONE}.to-commission"),
        (f"User:{GONE}", f"{GONE}.from-commission"),
        (f"User:{GONE}", f"{GONE}.record"),
        (f"User:{GONE}", f"{GONE}.mailbox"),
        ("User:auditor-gone", TRUST),
        ("User:auditor-gone", "auditor-gone.record"),
        ("User:auditor-gone", "auditor-gone.mailbox"),
    }
    assert {each.operation for each in rights} == {"Read"}


def test_nobody_writes_to_who_was_removed_but_the_commission_in_its_own_channel() -> None:
    names = {each.name for each in WANTED.rights if each.operation == "Write" and GONE in each.name}
    assert names == {f"{GONE}.from-commission"}
    assert may("auditor-gone.mailbox", "Write") == set()


def test_every_right_is_for_one_topic_and_one_participant() -> None:
    assert {(each.kind, each.pattern, each.host, each.allows) for each in WANTED.rights} == {("topic", "literal", "*", True)}
    assert {each.name for each in WANTED.rights} == set(WANTED.topics)
    assert "User:*" not in {each.principal for each in WANTED.rights}


def test_channels_are_kept_for_ever_in_copies_enough_and_letters_for_thirty_days() -> None:
    assert WANTED.topics[RECORD] == Topic(
        name=RECORD,
        partitions=1,
        copies=3,
        settings={
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "unclean.leader.election.enable": "false",
            "max.message.bytes": "1048576",
            "compression.type": "uncompressed",
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": "2",
        },
    )
    letters = {"retention.ms": str(30 * 86_400_000), "segment.ms": str(86_400_000)}
    assert WANTED.topics["commission.mailbox"].settings == {**WANTED.topics[RECORD].settings, **letters}


def test_fewer_than_three_brokers_keep_one_copy_unless_they_are_what_is_left_of_three() -> None:
    assert [copies_for(each, ()) for each in (1, 2, 3, 5)] == [1, 1, 3, 3]
    assert copies_for(2, WANTED.topics.values()) == 3
    assert wanted_for((), 1).topics[TRUST].settings["min.insync.replicas"] == "1"


def test_a_cluster_that_has_what_it_should_differs_in_nothing() -> None:
    assert differences(found(), WANTED) == []


def test_a_missing_topic_is_made() -> None:
    there = found(topics={name: topic for name, topic in WANTED.topics.items() if name != RECORD})
    one = only(there)
    assert one.change == MakeTopic(topic=WANTED.topics[RECORD])
    assert str(one) == (
        f"{RECORD}: found no topic, should be a topic with one partition and 3 copies; if it stays, nobody can write or read here"
    )


@pytest.mark.parametrize(
    ("setting", "value", "shown"),
    [
        ("retention.ms", "86400000", "found 86400000, should be -1; if it stays, the broker deletes entries by their age"),
        ("min.insync.replicas", None, "found the broker's default, should be 2; if it stays, an acknowledged entry may stand"),
        ("flush.ms", "1", "found 1, should be the broker's default; if it stays, nobody has weighed what it does"),
    ],
)
def test_a_setting_that_was_changed_is_told_with_what_it_does_and_all_settings_are_set_anew(
    setting: str, value: str | None, shown: str
) -> None:
    one = only(with_setting(RECORD, setting, value))
    assert one.change == SetSettings(topic=RECORD, settings=WANTED.topics[RECORD].settings)
    assert str(one).startswith(f"{RECORD}, {setting}: {shown}")


def test_every_setting_says_what_happens_if_it_stays() -> None:
    mailbox = WANTED.topics["commission.mailbox"]
    lines = differences(with_topic(mailbox.name, settings={}), WANTED)
    assert {each.about.split(", ")[1] for each in lines} == set(mailbox.settings)
    assert not [each for each in lines if "nobody has weighed" in each.if_it_stays]


def test_several_settings_of_one_topic_are_one_change() -> None:
    lines = differences(with_topic(RECORD, settings={}), WANTED)
    report = Report(brokers=3, copies=3, differences=lines)
    assert report.changes == [SetSettings(topic=RECORD, settings=WANTED.topics[RECORD].settings)]


@pytest.mark.parametrize("changed", [{"partitions": 2}, {"copies": 2, "settings": wanted_for((), 2).topics[TRUST].settings}])
def test_partitions_too_many_and_copies_too_few_are_for_a_person(changed: dict[str, object]) -> None:
    one = only(with_topic(TRUST, **changed))
    assert (one.mending, one.change) == (Mending.PERSON, None)


def test_a_topic_with_one_copy_is_never_set_to_ask_for_two() -> None:
    """It would take nothing any more."""
    there = with_topic(RECORD, copies=1)
    lines = differences(there, WANTED)
    assert [each.mending for each in lines] == [Mending.PERSON, Mending.PROVISION]
    assert isinstance(lines[1].change, SetSettings)
    assert lines[1].change.settings["min.insync.replicas"] == "1"


def test_more_copies_than_three_are_no_difference() -> None:
    assert differences(with_topic(RECORD, copies=5), WANTED) == []


def test_a_missing_right_is_given() -> None:
    right = Right(name=RECORD, principal=f"User:{MAPLE}", operation="Write")
    one = only(found(rights=WANTED.rights - {right}))
    assert one.change == GrantRight(right=right)
    assert str(one) == f"{RECORD}, {MAPLE}: found no right, should be the right Write; if it stays, {MAPLE} cannot write here"


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        (Right(name=RECORD, principal=f"User:{BIRCH}", operation="Read"), f"{RECORD}, {BIRCH}: found the right Read"),
        (Right(name=RECORD, principal="User:stranger", operation="Describe"), f"{RECORD}, stranger: found the right Describe"),
        (Right(name=RECORD, principal="User:*", operation="All"), f"{RECORD}, everybody: found the right All"),
        (Right(name="*", principal="User:monitor", operation="Read"), "every topic, monitor: found the right Read"),
        (
            Right(name=f"{MAPLE}.", pattern="prefixed", principal=f"User:{MAPLE}", operation="Write"),
            f"what begins with {MAPLE}., {MAPLE}: found the right Write",
        ),
        (
            Right(name=RECORD, principal=f"User:{MAPLE}", operation="Write", host="10.0.0.1"),
            f"{RECORD}, {MAPLE} from 10.0.0.1: found the right Write",
        ),
    ],
)
def test_a_right_too_many_that_reaches_a_topic_of_ours_is_taken_away(right: Right, shown: str) -> None:
    one = only(found(rights=WANTED.rights | {right}))
    assert one.change == WithdrawRight(right=right)
    assert str(one).startswith(f"{shown}, should be no right; if it stays, ")


def test_a_denial_is_left_to_a_person_for_it_may_keep_a_stolen_key_out() -> None:
    denial = Right(name=RECORD, principal=f"User:{MAPLE}", operation="Write", allows=False)
    one = only(found(rights=WANTED.rights | {denial}))
    assert (one.mending, one.change) == (Mending.PERSON, None)


def test_a_right_on_the_cluster_itself_is_for_a_person() -> None:
    right = Right(kind="cluster", name="kafka-cluster", principal=f"User:{MAPLE}", operation="Alter")
    assert only(found(rights=WANTED.rights | {right})).mending is Mending.PERSON


@pytest.mark.parametrize(
    "right",
    [
        Right(name="payroll", principal="User:payroll", operation="Read"),
        Right(name="pay", pattern="prefixed", principal="User:payroll", operation="Read"),
        Right(name="*", pattern="prefixed", principal="User:payroll", operation="Read"),
        Right(kind="group", name="*", principal="User:payroll", operation="Read"),
    ],
)
def test_what_belongs_to_others_is_told_and_left(right: Right) -> None:
    payroll = Topic(name="payroll", partitions=12, copies=1, settings={})
    there = found(topics={**WANTED.topics, "payroll": payroll}, rights=WANTED.rights | {right})
    lines = differences(there, WANTED)
    assert [(each.mending, each.change) for each in lines] == [(Mending.NOBODY, None)] * 2
    report = Report(brokers=3, copies=3, differences=lines)
    assert (report.is_clean, report.changes) == (True, [])


def test_a_cluster_where_everybody_may_do_everything_is_told_once() -> None:
    one = only(found(rights=None))
    assert one.mending is Mending.PERSON
    assert "everybody who reaches a broker" in one.if_it_stays


def test_a_cluster_with_one_copy_is_told_plainly() -> None:
    assert Report(brokers=3, copies=3, differences=[]).warning is None
    warning = Report(brokers=1, copies=1, differences=[]).warning
    assert warning is not None
    assert warning.startswith("1 broker answers: each channel has one copy, and the loss of one broker loses it")


class _Slow:
    """A cluster that shows what was changed only when it was looked at a few times."""

    def __init__(self, looks: int) -> None:
        self.looks, self.changes = looks, list[Change]()

    def read(self) -> Found:
        self.looks -= bool(self.changes)
        return found() if self.looks < 0 else found(topics={})

    def apply(self, changes: Sequence[Change]) -> None:
        assert not self.changes, "applied twice"
        self.changes += changes


def test_provisioning_waits_until_the_cluster_shows_what_was_changed_and_not_for_ever() -> None:
    pauses: list[float] = []
    before, after = Provisioning(cluster=_Slow(3), participants=EVERYBODY, pause=pauses.append).provision()
    assert (len(before.changes), after.is_clean, len(pauses)) == (len(WANTED.topics), True, 3)
    _, after = Provisioning(cluster=_Slow(1000), participants=EVERYBODY, pause=lambda _: None).provision()
    assert not after.is_clean

"""The negative privacy table: whatever anybody holds, tried on everything that stands in the log.

What may be opened is written out here, event by event, and taken from no helper of the program: a mistake in one would agree
with itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from services.audit.verify import open_log
from services.post.history import New
from services.post.office import Office
from services.post.saving import save
from services.wire.audience import AUDIENCE
from services.wire.channels import COMMISSION, REGISTRAR, commission_case, to_commission
from services.wire.contents import decode_facts
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import SealError
from services.wire.sealing import Part, open_part
from tests.folders import OTHER_SCHOOL, Folders
from tests.vectors.samples import plain

# Who may open an event, facts and personal part alike. "school" is the one school whose case
# it is, never another one; the registrar opens nothing.
MAY_OPEN = {
    "ApplicationFiled": {"school"},
    "ConsentRecorded": {"school"},
    "VariantChosen": {"school"},
    "DeliveryAddressChosen": {"school"},
    "SchoolDescribed": {"school"},
    "SignatureValidated": {"school"},
    "SignatureRejected": {"school"},
    "ApplicationFoundIncomplete": {"school"},
    "ApplicationSupplemented": {"school"},
    "ConsentWithdrawn": {"school"},
    "EligibilityScreened": {"school"},
    "DuplicateLinked": {"school"},
    "DuplicateReopened": {"school"},
    "DocumentsEvaluated": {"school"},
    "SchoolDecisionMade": {"school"},
    "DecisionNotified": {"school"},
    "AssistantProposed": {"school"},
    "AssistantCvAnnexed": {"school"},
    "AgreementConcluded": {"school"},
    "AgreementAmended": {"school"},
    "ServiceSuspended": {"school"},
    "ServiceResumed": {"school"},
    "ServiceEnded": {"school"},
    "HoursReported": {"school"},
    "MoneyReported": {"school"},
    "PersonDataCorrected": {"school"},
    "RepresentativeChanged": {"school"},
    "PupilCameOfAge": {"school"},
    "PupilLeftSchool": {"school"},
    "ApplicationWithdrawn": {"school"},
    "OpposingStatementRecorded": {"school"},
    "CaseClosed": {"school"},
    "SealedItemReceived": {"school"},
    "SealedItemHandedOver": {"school"},
    "InformationRequested": {"school", "commission"},
    "RequestCorrected": {"school", "commission"},
    "RequestWithdrawn": {"school", "commission"},
    "DeliveryAddressChanged": {"school", "commission"},
    "ReminderSent": {"school", "commission"},
    "RequestRegistered": {"commission"},
    "ExpertiseFileExamined": {"commission"},
    "IrpIssued": {"commission"},
    "RecommendationIssued": {"commission"},
    "RecommendationRefused": {"commission"},
    "DocumentsDispatched": {"commission"},
    "AssessmentLinked": {"commission"},
    "TermExtended": {"commission"},
    "AttendanceRequested": {"commission"},
    "PupilAttended": {"commission"},
    "AttendanceLapsed": {"commission"},
    "OpinionIssued": {"commission"},
    "Redispatched": {"commission"},
    "DeliveryConfirmed": {"commission"},
    "DeliveryFailed": {"commission"},
    "RecommendationCorrected": {"commission"},
    "RecommendationRevoked": {"commission"},
    "RecommendationExpired": {"commission"},
    "AssessmentClosed": {"commission"},
    "ConfirmationGiven": {"school", "commission"},
    "ConfirmationCorrected": {"school", "commission"},
    "ConfirmationEnded": {"school", "commission"},
    "AttendanceRequired": {"school", "commission"},
    "IdentityNotMatched": {"school", "commission"},
    "RequestReturned": {"school", "commission"},
    "RequestClosed": {"school", "commission"},
    "Rejected": {"school", "commission"},
}
# What an auditor seals in its record is open to all who take part; there is none in this exchange (tests of mandates have one).
AUDITORS = {"AccessUsed", "ReplayRun", "ReportIssued"}
# What both record opens to its writer alone.
WRITER_ALONE = {"AccessEnded", "AccessGranted", "DeadlinePassed", "RefusalContested", "RefusalUpheld", "RefusalSetAside"}

SCHOOLS = ("school-0099900011", OTHER_SCHOOL)


@pytest.fixture(scope="module")
def played(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return what the demonstration leaves, with one more event of each type that there is, in the first school's first case."""
    folders = Folders.copy(demo / "demo-exchange", tmp_path_factory.mktemp("privacy") / "exchange")
    school, commission = folders.office(SCHOOLS[0]), folders.office(COMMISSION)
    case = UUID(school.database.all("SELECT case_id FROM cases ORDER BY case_id")[0]["case_id"])
    theirs = commission_case(case, to_commission(SCHOOLS[0]))
    for office, case_id, pair in ((school, case, None), (commission, theirs, SCHOOLS[0])):
        for name in AUDIENCE:
            if office.role.value.lower() in {side for side, _ in AUDIENCE[name]}:
                facts, personal = plain(name)
                with office.database.transaction():
                    save(office, case_id, [New(facts=facts, personal=personal)], school=pair)
        office.database.close()
    folders.start(COMMISSION, *SCHOOLS)
    folders.settle()
    folders.stop(COMMISSION, *SCHOOLS)
    return folders


@pytest.fixture(scope="module")
def offices(played: Folders) -> dict[str, Office]:
    return {name: played.office(name) for name in (COMMISSION, REGISTRAR, *SCHOOLS)}


def everything_held(office: Office) -> list[bytes]:
    """Return every key of a ring, whatever it is for; of an encryption key each 32 bytes of its private half."""
    held = [office.ring.get(row.key_id) for row in office.ring.rows()]
    keys = [each.key for each in held if each is not None]
    return [key[place : place + 32] for key in keys for place in range(0, len(key), 32)]


def sealed_entries(played: Folders) -> Iterator[UnverifiedEntry]:
    log = open_log(played.log)
    names = [f"{school}.{kind}" for school in SCHOOLS for kind in ("to-commission", "from-commission", "record")]
    for name in (*names, "commission.record"):
        for record in log.poll({name: 0}, timeout_seconds=0, limit=1000):
            entry = decode_entry(record.value)
            if isinstance(entry.unverified_statement.body, Sealed):
                yield entry
    log.close()


def opened(keys: list[bytes], entry: UnverifiedEntry, part: Part) -> bytes | None:
    """Return what a part says to somebody with these keys, None if none of them opens it."""
    sealed = entry.raw_facts if part is Part.FACTS else entry.raw_personal
    assert sealed is not None
    for key in keys:
        try:
            return open_part(key, part, sealed, channel=entry.channel, event_id=entry.unverified_statement.event_id)
        except SealError:
            continue
    return None


def may_open(event: str, school: str, writer: str) -> set[str]:
    """Return who may open an event; of a pair's events the pair's school is ``school``."""
    if event in WRITER_ALONE:
        return {writer}
    return {school if role == "school" else role for role in MAY_OPEN[event]}


def test_the_table_names_every_event_that_there_is() -> None:
    assert MAY_OPEN.keys() | WRITER_ALONE | AUDITORS == AUDIENCE.keys()
    assert {name for name, places in AUDIENCE.items() if {side for side, _ in places} == {"auditor"}} == AUDITORS


@pytest.mark.parametrize("part", list(Part))
def test_with_all_that_anybody_holds_nobody_opens_more_than_the_table_says(
    played: Folders, offices: dict[str, Office], part: Part
) -> None:
    keys = {name: everything_held(office) for name, office in offices.items()}
    seen = set()
    for entry in sealed_entries(played):
        school, kind = entry.channel.split(".")
        writer = "commission" if kind == "from-commission" else school
        said = opened(keys[writer], entry, Part.FACTS)
        assert said is not None
        event = decode_facts(said).type
        readers = {name for name in offices if opened(keys[name], entry, part) is not None}
        assert readers == may_open(event, school, writer), event
        seen.add((event, school))
    assert {event for event, _ in seen} == AUDIENCE.keys() - AUDITORS
    # Of both schools: what one may open the other one may not.
    assert {school for event, school in seen if event == "ConfirmationGiven"} == set(SCHOOLS)

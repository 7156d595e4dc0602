"""A whole exchange in one process, on a real embedded log and real databases, with a clock that the test moves.

A registrar's chain is written by hand; each participant has its own folder, keys, database and worker steps.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from services.auditor.bootstrap import work_of_auditor
from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.commission.domain.receiving import CommissionDomain
from services.commission.kinship import follow
from services.post.database import Database
from services.post.history import Domain
from services.post.keys import KeyRing
from services.post.office import Office, Signer, Signers
from services.post.receiving import Receiver
from services.post.ring import RingKeys
from services.post.ring_file import RingFile
from services.post.saving import queue_open
from services.post.store import CaseStore
from services.post.without_cases import WithoutCases
from services.post.worker import Worker
from services.school.domain.receiving import SchoolDomain
from services.wire.channels import COMMISSION, Role, channels_of
from services.wire.contents import ChannelOpened, EncryptionKeyPublished, ParticipantAdmitted, SchemaPublished
from services.wire.grants import SUITE
from services.wire.hashing import Digest
from services.wire.records import own_schemas
from tests.chains import ROOT, SCHOOL, Seal, seal_of, trust_pen

__all__ = ["COMMISSION_ORGANISATION", "Exchange", "Member", "two_sides"]

START: Final = 1_795_500_000_000
COMMISSION_ORGANISATION: Final = "NTRLV-90000000003"


@dataclass
class Clock:
    now: int = START

    def __call__(self) -> int:
        return self.now


class FixedSigning:
    """Signing keys that a test hands over; the newest last. What was destroyed is remembered."""

    def __init__(self, *seals: Seal) -> None:
        self.seals = list(seals)
        self.destroyed: list[Digest] = []

    def __call__(self) -> Signers:
        signers = [Signer(key=each.key, certificate=each.certificate, path=(each.certificate.der,)) for each in self.seals]
        return Signers(newest=signers[-1], older=tuple(signers[:-1]))

    def destroy(self, certificate: Digest) -> None:
        self.destroyed.append(certificate)
        self.seals = [each for each in self.seals if each.certificate.digest != certificate]


@dataclass
class Member:
    """A participant's office and its worker, step by step."""

    office: Office
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(self.office)

    @property
    def receiver(self) -> Receiver:
        return self.worker.receiver

    @property
    def alarms(self) -> list[str]:
        return self.office.alarms

    @property
    def signing(self) -> FixedSigning:
        assert isinstance(self.office.signing, FixedSigning)
        return self.office.signing

    def work(self) -> int:
        return self.worker.step()

    def held(self, kind: str) -> list[str]:
        rows = self.office.database.all("SELECT reason FROM held WHERE kind = ? AND resolved_at IS NULL ORDER BY id", kind)
        return [row["reason"] for row in rows]

    def state(self, case_id: UUID) -> str:
        row = self.office.database.one("SELECT state FROM cases WHERE case_id = ?", case_id.hex)
        return row["state"] if row else ""


@dataclass
class Exchange:
    """The log, the registrar's pen, and who takes part."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    log: Channel = field(init=False)
    members: dict[str, Member] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.opened_log()
        self.registrar = trust_pen()
        records = [self.registrar.opened()]
        records += [self.registrar.open(SchemaPublished(name="", file=file)) for file in own_schemas().values()]
        self.log.append("registrar.trust", records)

    def opened_log(self) -> Channel:
        """Return the log of this exchange; a test may have its own."""
        return EmbeddedChannel(self.folder / "log.sqlite", clock=self.clock)

    def admit(self, name: str, role: Role, seal: Seal) -> Member:
        """Admit a participant, and let it open its channels as one that was just born does."""
        organisation = seal.certificate.organisation
        content = ParticipantAdmitted(id=name, role=role, organisation=organisation, name=name)
        self.log.append("registrar.trust", [self.registrar.open(content)])
        member = self.enter(name, role, seal)
        member.receiver.receive_once()
        key = member.office.ring.renew_encryption_key()
        schools = (SCHOOL,) if role is Role.COMMISSION else ()
        for channel in channels_of(name, role, schools):
            queue_open(
                member.office,
                channel,
                ChannelOpened(exchange=ROOT.digest, writer=name, certificates=(seal.certificate.der,)),
            )
            if not channel.endswith(".record") or role is Role.AUDITOR:
                queue_open(member.office, channel, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key))
        return member

    def enter(self, name: str, role: Role, seal: Seal) -> Member:
        """Build a participant's office over its folder, as a new process does."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        rng = random.Random(name)  # noqa: S311  # the same exchange in every run
        key_file = home / "ring.key"
        ring_keys = RingKeys.load(key_file) if key_file.exists() else RingKeys.create(key_file, rng.randbytes)
        database = Database(home / "database.sqlite")
        database.migrate()
        store = CaseStore(database)
        rng.seed(f"{name} {len(self.entered)}")
        self.entered.append(name)
        ring = KeyRing(database, ring_keys, self.clock, rng.randbytes)
        office = Office(
            participant=name,
            role=role,
            root=ROOT,
            database=database,
            store=store,
            ring=ring,
            ring_file=RingFile.load(home / "ring.file"),
            domain=_domain(role, database),
            clock=self.clock,
            random=rng.randbytes,
            signing=FixedSigning(seal),
            channel=self.log,
            after_saving=follow if role is Role.COMMISSION else None,
            besides=work_of_auditor() if role is Role.AUDITOR else None,
        )
        self.members[name] = Member(office)
        return self.members[name]

    def settle(self, *, seconds: int = 2) -> None:
        """Let everybody work until nothing is left to do, the time for receipts included."""
        for _ in range(50):
            done = sum(member.work() for member in self.members.values())
            if not done:
                break
        self.clock.now += seconds * 1000


def _domain(role: Role, database: Database) -> Domain:
    if role is Role.COMMISSION:
        return CommissionDomain()
    if role is Role.AUDITOR:
        return WithoutCases()

    def own_case(case_id: UUID) -> UUID | None:
        row = database.one("SELECT case_id FROM cases WHERE counterpart_case = ?", case_id.hex)
        return UUID(row["case_id"]) if row else None

    return SchoolDomain(own_case)


def two_sides(folder: Path) -> Exchange:
    """Return an exchange of one school and the commission that know each other."""
    exchange = Exchange(folder)
    exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
    exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    exchange.settle()
    return exchange

"""A log written by hand: a registrar, a school and the commission, for whoever attacks what verifies it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.audit.verify import Finding, Report, channels_in
from services.channel.embedded import EmbeddedChannel
from services.wire.certificates import Root
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, from_commission, record_of, to_commission
from services.wire.contents import EpochOpened, Held, KeyRevoked, ParticipantAdmitted, Receipt
from services.wire.hashing import Digest
from tests.chains import ROOT, SCHOOL, Pen, Seal, seal_of, trust_pen
from tests.verifying import verified

__all__ = ["COMMISSIONS", "FROM", "NEW", "OLD", "RECORD", "TO", "World", "line", "notes", "only"]

TO: Final = to_commission(SCHOOL)
FROM: Final = from_commission(SCHOOL)
RECORD: Final = record_of(SCHOOL)
OLD: Final = seal_of("old")
NEW: Final = seal_of("new")
COMMISSIONS: Final = seal_of("commission", organisation="NTRLV-90000000003")


def line(pen: Pen) -> Held:
    return Held(channel=pen.channel, epoch=pen.epoch, sequence=pen.sequence, digest=pen.previous)


@dataclass
class World:
    """A registrar, a school and the commission, by hand; ``records`` is what becomes the log."""

    folder: Path
    pens: dict[str, Pen] = field(default_factory=dict)
    records: dict[str, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        registrar = trust_pen()
        admissions = [(COMMISSION, Role.COMMISSION, COMMISSIONS), (SCHOOL, Role.SCHOOL, OLD)]
        self.pens = {
            TRUST_CHANNEL: registrar,
            TO: Pen(TO, OLD),
            FROM: Pen(FROM, COMMISSIONS),
            RECORD: Pen(RECORD, OLD),
            record_of(COMMISSION): Pen(record_of(COMMISSION), COMMISSIONS),
        }
        self.records = {name: [pen.opened()] for name, pen in self.pens.items()}
        for name, role, seal in admissions:
            content = ParticipantAdmitted(id=name, role=role, organisation=seal.certificate.organisation, name=name)
            self.records[TRUST_CHANNEL].append(registrar.open(content))

    def write(self, channel: str, count: int = 1) -> None:
        self.records[channel] += [self.pens[channel].sealed() for _ in range(count)]

    def receipt(self, channel: str, *, record: Digest | None = None, trust: Held | None = None) -> None:
        paired, own = self.pens[FROM if channel == TO else TO], self.pens[channel]
        held = (line(paired), line(own), trust or line(self.pens[TRUST_CHANNEL]))
        self.records[channel].append(own.open(Receipt(held=held, record=record)))

    def said(self, *contents: EpochOpened | KeyRevoked) -> None:
        self.records[TRUST_CHANNEL] += [self.pens[TRUST_CHANNEL].open(content) for content in contents]

    def epoch_after(self, channel: str, *, seal: Seal = NEW) -> EpochOpened:
        pen = self.pens[channel]
        return EpochOpened(
            channel=channel,
            epoch=pen.epoch + 1,
            after_sequence=pen.sequence,
            after_digest=pen.previous,
            certificate=seal.certificate.digest,
        )

    def verified(self, *, threads: int = 2, root: Root = ROOT, page: int = 200) -> Report:
        path = self.folder / "log.sqlite"
        path.unlink(missing_ok=True)
        log = EmbeddedChannel(path, clock=lambda: 0)
        for channel, records in self.records.items():
            log.append(channel, records)
        report = verified(log, root, threads=threads, there=channels_in(path), page=page)
        log.close()
        return report


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def notes(report: Report, channel: str) -> str:
    return "; ".join(report.of(channel).notes)

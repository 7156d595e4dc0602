"""The liar's workshop: an exchange of two schools and the commission whose log lies in memory, and whoever lies to it.

The code, the keys and the databases are real. The log shows what the liar put there, and to each reader what it is meant to
see; the first school lies where a lie needs a key, the second is honest and must never notice. ``caught`` is what each attack
has to end in: an error of its own kind, with evidence, nothing applied, and everybody else served.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from services.audit.verify import Finding
from services.channel.port import Channel, Record, Until
from services.post.database import Row
from services.school.application import School
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, mailbox_of, record_of, to_commission
from services.wire.errors import VerificationError
from tests.chains import ROOT, SCHOOL, Pen, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Clock, Exchange, Member
from tests.people import FATHER, PUPIL, another_pupil, application_form
from tests.troubles import pen_at, settled
from tests.verifying import verified

__all__ = ["FROM", "OTHER", "RECORD", "SEALS", "TO", "MemoryLog", "Window", "Workshop"]

OTHER: Final = "school-0000000002"
TO: Final = to_commission(SCHOOL)
FROM: Final = from_commission(SCHOOL)
RECORD: Final = record_of(SCHOOL)
SEALS: Final[Mapping[str, tuple[Role, Seal]]] = {
    SCHOOL: (Role.SCHOOL, seal_of("old")),
    OTHER: (Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002")),
    COMMISSION: (Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION)),
}
_QUARTER: Final = 1_000_000


@dataclass
class MemoryLog:
    """A log in memory, behind the port; ``records`` is what stands in it, and anybody's to change."""

    records: dict[str, list[bytes]] = field(default_factory=dict)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.records.setdefault(channel, []).extend(records)

    def poll(
        self,
        positions: Mapping[str, int],
        *,
        timeout_seconds: float,  # noqa: ARG002  # as the port
        limit: int,
        until: Until | None = None,  # noqa: ARG002  # as the port
    ) -> list[Record]:
        share = limit // max(1, len(positions))
        return [
            Record(channel=channel, position=place, value=value)
            for channel, start in positions.items()
            for place, value in enumerate(self.records.get(channel, ())[start : start + share], start=start)
        ]

    def end(self, channel: str) -> int:
        return len(self.records.get(channel, ()))

    def close(self) -> None:
        """Give nothing back: there is nothing."""


@dataclass
class Window:
    """What one reader sees of a log: some channels are shown to it as another log has them."""

    log: Channel
    instead: dict[str, Channel] = field(default_factory=dict)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.instead.get(channel, self.log).append(channel, records)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        share = limit // max(1, len(positions))
        return [
            record
            for channel, position in positions.items()
            for record in self.instead.get(channel, self.log).poll(
                {channel: position}, timeout_seconds=timeout_seconds, limit=share, until=until
            )
        ]

    def end(self, channel: str) -> int:
        return self.instead.get(channel, self.log).end(channel)

    def close(self) -> None:
        self.log.close()


@dataclass
class Workshop(Exchange):
    """The exchange, and what is wanted of every attack on it."""

    pupils: int = 100

    def opened_log(self) -> Channel:
        return MemoryLog()

    @classmethod
    def founded(cls, folder: Path) -> Workshop:
        """Let two schools and the commission open their channels, and come to know each other."""
        shop = cls(folder)
        for name, (role, seal) in SEALS.items():
            shop.admit(name, role, seal)
            settled(shop, 1)
        settled(shop)
        return shop

    def copied(self, folder: Path) -> Workshop:
        """Return the same exchange with files of its own, as if all processes had begun anew."""
        other = object.__new__(Workshop)
        other.folder, other.clock, other.pupils = folder, Clock(self.clock.now), self.pupils
        other.log = MemoryLog({channel: list(records) for channel, records in self.there.items()})
        other.registrar, other.members, other.entered = replace(self.registrar), {}, list(self.entered)
        for name, (role, seal) in SEALS.items():
            shutil.copytree(self.folder / name, folder / name)
            other.enter(name, role, seal)
        return other

    @property
    def there(self) -> dict[str, list[bytes]]:
        """What stands in the log, by channel; whoever changes it lies."""
        assert isinstance(self.log, MemoryLog)
        return self.log.records

    def letters(self, reader: str) -> list[bytes]:
        """What lies in a mailbox."""
        return self.there[mailbox_of(reader)]

    def pen(self, channel: str = TO, *, seal: Seal | None = None, salt: str = "lie") -> Pen:
        """Return a pen at the end of a channel, with its writer's seal or another one."""
        writer = COMMISSION if channel.endswith("from-commission") else channel.partition(".")[0]
        return pen_at(self, channel, writer, seal or SEALS[writer][1], salt)

    def asked(self, school: str = SCHOOL) -> UUID:
        """Let a school ask while the commission does not read, and return the commission's number of the case."""
        self.pupils += 1
        clerk, member = School(self.members[school].office), self.members[school]
        case_id, _ = clerk.file(application_form(pupil=another_pupil(self.pupils)))
        clerk.request(case_id)
        while member.work():
            pass
        return commission_case(case_id, to_commission(school))

    def requested(self) -> tuple[UUID, bytes]:
        """Let the first school ask, and return the case with the record of the request, which nobody has read yet."""
        before = len(self.there[TO])
        case_id = self.asked()
        (record,) = self.there[TO][before:]
        return case_id, record

    def shown(self, *records: bytes, channel: str = TO) -> None:
        """Put records into the log behind everybody's back, and let all work."""
        self.there.setdefault(channel, []).extend(records)
        settled(self)

    def instead(self, *records: bytes) -> None:
        """Let records stand where the request should stand; ``requested`` must have been the last that was written."""
        self.there[TO][-1:] = records
        settled(self)

    def faults(self, reader: str, channel: str = TO) -> list[Row]:
        """Return what a reader keeps as evidence of lies in a channel, with what stands in its letterbook of it."""
        return self.members[reader].office.database.all(
            "SELECT h.fault, h.kind, h.reason, h.expected, h.found, coalesce(h.record, e.statement) AS raw,"
            " coalesce(h.epoch, e.epoch) AS epoch, coalesce(h.sequence, e.sequence) AS sequence"
            " FROM held h LEFT JOIN entries e ON e.channel = h.channel AND e.digest = h.digest"
            " WHERE h.channel = ? AND h.fault IS NOT NULL ORDER BY h.id",
            channel,
        )

    def caught(
        self, error: type[VerificationError], text: str, *, reader: str = COMMISSION, channel: str = TO, told: str = ""
    ) -> Row:
        """Return the one fault that a reader found in a channel: of this kind, with bytes, and with what it should have been.

        ``told`` is what people are told where that is more than the text of the fault.
        """
        faults = self.faults(reader, channel)
        assert [fault["fault"] for fault in faults] == [error.__name__], [tuple(fault) for fault in faults]
        (fault,) = faults
        assert text in fault["reason"], fault["reason"]
        assert fault["raw"]
        assert fault["expected"]
        assert fault["found"]
        assert fault["expected"] != fault["found"]
        assert any((told or text) in alarm for alarm in self.members[reader].alarms), "nobody was told"
        return fault

    def goes_on(self, *schools: str) -> None:
        """Hold the exchange to go on: a new request of each of these schools (the honest one alone, if none) arrives."""
        before = len(self.faults(COMMISSION, to_commission(OTHER)))
        for school in schools or (OTHER,):
            case_id = self.asked(school)
            settled(self)
            assert self.members[COMMISSION].state(case_id) == "Received", school
        assert len(self.faults(COMMISSION, to_commission(OTHER))) == before
        self._tells_nothing_personal()

    def _tells_nothing_personal(self) -> None:
        """Hold what people are told of lies, and what is shown of them, to say nobody's name and no code of a person."""
        query = "SELECT reason, expected, found FROM held"
        shown = [str(tuple(row)) for member in self.members.values() for row in member.office.database.all(query)]
        told = [alarm for member in self.members.values() for alarm in member.alarms]
        secrets = (PUPIL.given_name, PUPIL.family_name, FATHER.given_name, FATHER.personal_code, "32000000")
        assert not [text for text in (*told, *shown) if any(secret in text for secret in secrets)]

    def quarter_of_an_hour(self) -> None:
        """Let time pass until what is missing is told."""
        self.clock.now += _QUARTER
        settled(self)

    def findings(self, *facts_keys: bytes) -> list[Finding]:
        """Return what a stranger finds who verifies the log."""
        return verified(self.log, ROOT, threads=1, there=tuple(self.there), facts_keys=facts_keys).findings

    @property
    def commission(self) -> Member:
        """The reader that most lies are for."""
        return self.members[COMMISSION]

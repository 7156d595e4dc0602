"""The story that a history tells: several variants, a rotation, an epoch, what was refused, skipped and parked, acts unsigned."""

from __future__ import annotations

from pathlib import Path

from services.commission.application import Commission
from services.commission.input import IrpInput, RefusalInput
from services.post.drafts import keep_draft
from services.school.application import School
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import KeyRevoked, Reason
from services.wire.events import RefusalGround
from services.wire.hashing import Digest
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, two_sides
from tests.integration.test_rotation_and_epochs import rotated
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.people import another_pupil, application_form
from tests.troubles import epoch_after, said_by_registrar, settled

__all__ = ["NEWEST", "lived"]

NEWEST = "third"
"""The name of the seal with which the school signs in the end."""

_B2 = {"variant": "B2", "states_irp": False, "attachments": []}


def lived(folder: Path) -> Exchange:
    """Return an exchange after all of it; its files lie in ``folder``."""
    exchange = two_sides(folder)
    _answers(exchange)
    _rotation(exchange)
    _epoch(exchange)
    _unfinished(exchange)
    return exchange


def _answers(exchange: Exchange) -> None:
    """A yes by a.2, a no, a yes by b.2, and an answer that is refused."""
    today = exchange.members[COMMISSION].office.today
    clerk = Commission(exchange.members[COMMISSION].office)
    _, yes = asked(exchange, pupil=another_pupil(1))
    examined(exchange, yes)
    recommended(exchange, yes)
    answered(exchange, yes)
    _, no = asked(exchange, pupil=another_pupil(2))
    examined(exchange, no)
    clerk.refuse(no, RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Iemesls"))
    answered(exchange, no)
    _, plan = asked(exchange, pupil=another_pupil(3), **_B2)
    examined(exchange, plan)
    clerk.issue_irp(plan, IrpInput(number="P-1", text="Plāns", issued_on=today, indicates_need=True))
    recommended(exchange, plan)
    answered(exchange, plan)
    _, refused = asked(exchange, pupil=another_pupil(7))
    rogue_answer(exchange, refused, Digest(bytes(32)))


def _rotation(exchange: Exchange) -> None:
    """A new key in the middle of a case, and the old one revoked and destroyed."""
    _, theirs = asked(exchange, pupil=another_pupil(4))
    rotated(exchange)
    said_by_registrar(exchange, KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.SUPERSEDED))
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    settled(exchange)


def _epoch(exchange: Exchange) -> None:
    """The key is lost; the registrar names the last good entries, and the school goes on in another epoch."""
    newest = seal_of(NEWEST)
    for channel in (to_commission(SCHOOL), record_of(SCHOOL)):
        epoch_after(exchange, channel, SCHOOL, newest, back=0)
    said_by_registrar(exchange, KeyRevoked(key=seal_of("new").certificate.key_digest, reason=Reason.LOST))
    exchange.members[SCHOOL].signing.seals = [newest]
    settled(exchange)


def _unfinished(exchange: Exchange) -> None:
    """Junk in a channel, a request whose key has not come, a draft, and an act that nobody has signed yet."""
    office = exchange.members[SCHOOL].office
    exchange.log.append(to_commission(SCHOOL), [b"junk"])
    # In a new year there is a new facts key; the school has forgotten to whom to grant it.
    exchange.clock.now += 45 * 86_400_000
    settled(exchange)
    office.database.run("DELETE FROM peers")
    asked(exchange, pupil=another_pupil(5))
    keep_draft(office, "file", b'{"received_on": "2026-08-17"}')
    School(office).file(application_form(pupil=another_pupil(6)))

"""What a receipt may say; one that says anything else keeps its place and says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.wire.channels import from_commission, record_of, to_commission
from services.wire.contents import Held, Receipt
from services.wire.hashing import digest_of
from services.wire.reading import read_channel
from services.wire.receipts import receipt_fault
from tests.chains import CHANNEL, ROOT, SCHOOL, Pen, seal_of, trust

D = digest_of(b"an entry")
PAIRED, OWN, TRUST = (
    Held(channel=name, epoch=0, sequence=3, digest=D)
    for name in (from_commission(SCHOOL), to_commission(SCHOOL), "registrar.trust")
)
RECORD = replace(OWN, channel=record_of(SCHOOL))


@pytest.mark.parametrize("held", [(PAIRED, OWN, TRUST), (OWN, TRUST), (PAIRED, OWN), (OWN,)])
@pytest.mark.parametrize("record", [None, D])
def test_lines_are_left_out_while_there_is_nothing_to_name(held: tuple[Held, ...], record: Any) -> None:
    assert receipt_fault(Receipt(held=held, record=record), OWN) is None


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        ((OWN, PAIRED, TRUST), "in this order"),
        ((OWN, OWN), "in this order"),
        ((PAIRED, OWN, TRUST, RECORD), "in this order"),
        ((replace(PAIRED, channel="school-0000000002.from-commission"), OWN), "in this order"),
        ((PAIRED, TRUST), "the entry before it"),
        ((PAIRED, replace(OWN, sequence=2), TRUST), "the entry before it"),
        ((PAIRED, replace(OWN, digest=digest_of(b"another"))), "the entry before it"),
        ((PAIRED, replace(OWN, epoch=1)), "the entry before it"),
    ],
)
def test_other_lines_and_another_entry_before_are_faults(held: tuple[Held, ...], fault: str) -> None:
    assert fault in str(receipt_fault(Receipt(held=held, record=None), OWN))


def test_a_receipt_in_a_record_or_of_the_registrar_has_no_paired_line_and_names_no_record() -> None:
    assert receipt_fault(Receipt(held=(RECORD, TRUST), record=None), RECORD) is None
    assert receipt_fault(Receipt(held=(TRUST,), record=None), TRUST) is None
    assert "head of a record" in str(receipt_fault(Receipt(held=(RECORD, TRUST), record=D), RECORD))
    assert "in this order" in str(receipt_fault(Receipt(held=(PAIRED, RECORD, TRUST), record=None), RECORD))


def test_a_receipt_that_says_what_none_can_is_taken_without_effect_and_alarms() -> None:
    pen = Pen(CHANNEL, seal_of("old"))
    records = [pen.opened()]
    own = Held(channel=CHANNEL, epoch=0, sequence=1, digest=pen.previous)
    records += [pen.open(Receipt(held=(own,), record=None)), pen.open(Receipt(held=(own,), record=None))]
    _, right, wrong = read_channel(CHANNEL, records, ROOT, trust()).steps
    assert (right.content, right.fault) == (Receipt(held=(own,), record=None), None)
    assert wrong.content is None
    assert wrong.fault is not None
    assert wrong.fault.message == "Receipt with wrong content: it does not name the entry before it"

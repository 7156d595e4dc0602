"""Columns of events: typed as their schemas have them, and no name twice in a view."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pytest

from services.audit.columns import as_json, facts_columns, personal_column, plain
from services.audit.tables import PLACE_COLUMNS
from services.wire.audience import AUDIENCE
from services.wire.avro import schema_file
from services.wire.contents import Receipt
from services.wire.events import Answer, ConfirmationGiven
from services.wire.hashing import Digest
from services.wire.records import event_type


@pytest.mark.parametrize("name", sorted(AUDIENCE))
def test_no_fact_has_the_name_of_a_column_that_says_where_an_event_stands(name: str) -> None:
    places = {column for column, _ in PLACE_COLUMNS} | {"personal"}
    names = [column for column, _ in facts_columns(event_type(name).facts)]
    assert not places & set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", sorted(AUDIENCE))
def test_a_union_in_a_schema_is_null_and_one_more(name: str) -> None:
    def unions(node: object) -> list[list[object]]:
        if isinstance(node, dict):
            return [found for value in node.values() for found in unions(value)]
        if not isinstance(node, list):
            return []
        mine = [node] if "null" in node else []
        return mine + [found for value in node for found in unions(value)]

    assert all(len(each) == 2 for each in unions(json.loads(schema_file(f"events/{name}.avsc"))))


def test_columns_have_the_types_of_the_schema() -> None:
    columns = dict(facts_columns(event_type("AgreementConcluded").facts))
    assert columns["agreement"] == pa.int32()
    assert columns["other_duties"] == pa.bool_()
    assert columns["from_on"] == columns["until_on"] == pa.date32()
    assert columns["duties"] == columns["parts"] == pa.list_(pa.string())
    assert dict(facts_columns(event_type("ConfirmationGiven").facts))["answer"] == pa.string()


def test_what_is_personal_is_one_struct_and_nothing_where_nothing_is() -> None:
    struct = personal_column("ApplicationFiled")
    assert struct is not None
    assert struct.field("application").type.field("pupil").type.field("given_name").type == pa.string()
    assert personal_column("AttendanceLapsed") is None


def test_values_are_told_as_words_days_and_hexadecimal() -> None:
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=Digest(b"\xab" * 32))
    assert plain(facts) == {"answer": "Yes", "wording": 1, "basis": "ab" * 32}
    assert as_json(facts) == f'{{"answer":"Yes","wording":1,"basis":"{"ab" * 32}"}}'
    assert as_json(Receipt(held=(), record=None)) == '{"held":[],"record":null}'
    assert as_json([date(2026, 8, 17), bytes(33)]) == '["2026-08-17","33 bytes"]'
    assert as_json(None) is None

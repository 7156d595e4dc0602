"""Answers to queries that no form has a word for."""

from __future__ import annotations

import io
import json

import pytest

from services.audit.outputs import write_answer
from services.audit.querying import QueryError, ask
from services.audit.tables import Tables


def test_what_is_no_number_is_json_still() -> None:
    out = io.BytesIO()
    with Tables("100MB", with_personal=False) as tables:
        answer = ask(tables.locked(), "SELECT 'nan'::DOUBLE AS a, ['-inf'::DOUBLE, 0.5] AS b")
        write_answer(answer, "json", out, grounds={})
    assert json.loads(out.getvalue(), parse_constant=pytest.fail)["rows"] == [["nan", ["-inf", 0.5]]]


def test_a_day_beyond_all_days_is_told() -> None:
    with (
        Tables("100MB", with_personal=False) as tables,
        pytest.raises(QueryError, match="no day, time or text can show"),
    ):
        list(ask(tables.locked(), "SELECT DATE '290000-01-01' AS day").rows())

"""Drafts: what a clerk types before it is an event."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from services.desk.main import app
from services.post.building import make_folder, write_settings
from services.post.drafts import DRAFT_DAYS, DraftMissingError, DraftTooLargeError, drafts
from services.school.application import School
from services.school.domain.refusals import FormRefusedError
from services.school.input import read_application
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.people import application_json

_DAY = 86_400_000
FORM = json.dumps(application_json()).encode()


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


def clerk(exchange: Exchange) -> School:
    return School(exchange.members[SCHOOL].office)


def test_a_draft_may_be_incomplete_and_is_gone_once_it_is_filed(exchange: Exchange) -> None:
    school = clerk(exchange)
    number = school.draft(b'{"variant": "A2"')
    assert school.draft(FORM, number=number) == number
    form = read_application(school.drafted(number), today=school.office.today)
    case_id, _ = school.file(form, draft=number)
    assert school.case(case_id).application is not None
    assert drafts(school.office) == []
    with pytest.raises(DraftMissingError):
        school.drafted(number)


def test_a_draft_that_is_refused_when_it_is_filed_stays(exchange: Exchange) -> None:
    school = clerk(exchange)
    number = school.draft(b"{}")
    with pytest.raises(FormRefusedError):
        school.file(read_application(school.drafted(number), today=school.office.today), draft=number)
    assert [each.draft for each in drafts(school.office)] == [number]


def test_a_draft_is_gone_after_thirty_days(exchange: Exchange) -> None:
    school = clerk(exchange)
    school.draft(FORM)
    exchange.clock.now += DRAFT_DAYS * _DAY
    exchange.settle(seconds=1)
    assert len(drafts(school.office)) == 1
    exchange.settle()
    assert drafts(school.office) == []


def test_no_word_of_a_draft_stands_in_the_database(exchange: Exchange, tmp_path: Path) -> None:
    school = clerk(exchange)
    school.draft(FORM)
    school.office.database.close()
    found = b"".join(path.read_bytes() for path in (tmp_path / SCHOOL).glob("database.sqlite*"))
    assert b"drafts" in found
    assert b"Izdomenieks" not in found


def test_a_draft_has_a_limit_and_a_wrong_number_replaces_nothing(exchange: Exchange) -> None:
    school = clerk(exchange)
    with pytest.raises(DraftTooLargeError):
        school.draft(bytes(300_000))
    with pytest.raises(DraftMissingError):
        school.draft(FORM, number=7)


def test_drafts_are_kept_and_listed_by_command(tmp_path: Path) -> None:
    folder = tmp_path / SCHOOL
    (tmp_path / "root.pem").write_bytes(_root())
    make_folder(folder)
    write_settings(folder, SCHOOL, log=Path("../log.sqlite"), root="../root.pem")
    form = tmp_path / "form.json"
    form.write_bytes(FORM)
    config = ["--config", str(folder / "sarakste.toml"), "--json"]
    kept = CliRunner().invoke(app, ["school", "draft", str(form), *config])
    assert json.loads(kept.stdout) == {"draft": 1}
    listed = json.loads(CliRunner().invoke(app, ["school", "drafts", *config]).stdout)
    assert listed[0]["draft"] == 1
    assert "Izdomenieks" not in json.dumps(listed)
    saved = datetime.fromtimestamp(listed[0]["saved_at"] / 1000, ZoneInfo("Europe/Riga"))
    assert listed[0]["saved"] == saved.strftime("%Y-%m-%d %H:%M") + saved.strftime("%z")[:3] + ":00"
    table = CliRunner().invoke(app, ["school", "drafts", *config[:2]]).stdout
    assert listed[0]["saved"] in table
    assert listed[0]["gone"] in table
    assert str(listed[0]["saved_at"]) not in table
    neither = CliRunner().invoke(app, ["school", "file", *config])
    assert "either a form" in str(neither.exception)


def _root() -> bytes:
    from services.wire.issuing import pem  # noqa: PLC0415  # beside its only use
    from tests.chains import ROOT_DER  # noqa: PLC0415

    return pem(ROOT_DER)

"""What people are shown of a case: places, sentences, and the personal part as far as it opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.post.acts import enter_as
from services.post.cases import open_personal
from services.post.console import as_text, print_json, show
from services.post.rebuilding import rebuild
from services.post.viewing import cases, contents, events
from services.post.viewing_recovery import channel_lines
from services.school.acts import ACTS
from services.school.application import School
from services.wire.channels import COMMISSION
from services.wire.errors import SealError
from services.wire.wordings import WORDINGS
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.judged import screening_form
from tests.people import another_pupil


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


def test_the_school_reads_the_exact_sentence_and_the_commission_the_family(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    school, commission = exchange.members[SCHOOL].office, exchange.members[COMMISSION].office
    assert [line.sentence for line in events(school, mine) if line.sentence] == [WORDINGS[1].text]
    request = contents(commission, theirs)[0]
    assert request.personal is not None
    assert request.personal["pupil"]["given_name"] == "Roberts"
    assert request.facts is not None
    assert request.facts["variant"] == "A2"
    assert contents(commission, theirs)[2].missing is None
    assert rebuild(school) == (1, [])


def test_what_a_person_entered_says_by_whom_in_the_record_alone(exchange: Exchange) -> None:
    """Whatever stands in for a machine of later days, and all else that people enter: who and when, the role at least."""
    office, commission = exchange.members[SCHOOL].office, exchange.members[COMMISSION].office
    enter_as(office, ACTS["file"])
    mine, theirs = asked(exchange)
    office.clerk = "K-07"
    enter_as(office, ACTS["screen"])
    School(office).screen(mine, screening_form())
    office.entered_by = None
    exchange.settle()
    said = {each.event: each.entered_by for each in contents(office, mine)}
    assert said["ApplicationFiled"] == "clerk"
    assert said["EligibilityScreened"] == "K-07"
    assert said["InformationRequested"] is None
    assert {each.entered_by for each in contents(commission, theirs)} == {None}


def test_cases_of_a_state_are_found_with_or_without_what_the_row_says_after_it(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    assert [line.case for line in cases(office, state="AwaitingCommission")] == [str(mine)]
    assert cases(office, state="Awaiting") == []
    office.database.run("UPDATE cases SET state = 'RequestRejected: WrongState'")
    assert [line.case for line in cases(office, state="RequestRejected")] == [str(mine)]
    assert [line.case for line in cases(office, state="RequestRejected: WrongState")] == [str(mine)]
    assert cases(office, state="RequestRejected: Wrong") == []


def test_rows_that_were_lost_or_made_up_are_found_and_made_right_from_the_events(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    second, _ = asked(exchange, pupil=another_pupil(2))
    whole = [office.database.all(f"SELECT * FROM {table}") for table in ("cases", "people", "deadlines")]  # noqa: S608  # names
    office.database.run("DELETE FROM cases WHERE case_id = ?", mine.hex)
    office.database.run("DELETE FROM people WHERE case_id = ?", second.hex)
    assert rebuild(office) == (2, sorted([str(mine), str(second)]))
    assert [office.database.all(f"SELECT * FROM {table}") for table in ("cases", "people", "deadlines")] == whole  # noqa: S608
    assert rebuild(office) == (2, [])


def test_a_badly_sealed_personal_part_hides_nothing_else_of_the_case(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    first = office.store.stream(mine).events[0]
    office.database.run("UPDATE parts SET sealed = ?", bytes(200))
    with pytest.raises(SealError):
        open_personal(office, first)
    assert [line.personal for line in events(office, mine)] == ["cannot be read"] * 4
    shown = contents(office, mine)
    assert [content.missing for content in shown] == ["cannot be read"] * 4
    assert all(content.facts for content in shown)


def test_a_terminal_obeys_nothing_that_somebody_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "Rob\x1b[2Jerts \u202eskeinemodzI\x9b1m\ud800"
    assert as_text(hostile) == "Rob\ufffd[2Jerts \ufffdskeinemodzI\ufffd1m\ufffd"
    print_json({"name": hostile})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": hostile}
    assert printed.isascii()


@pytest.mark.parametrize("columns", ["80", "200"])
def test_a_table_cuts_no_number_and_no_name_however_narrow_the_terminal(
    columns: str, exchange: Exchange, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _ = asked(exchange)
    office = exchange.members[SCHOOL].office
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("COLUMNS", columns)
    show(cases(office), as_json=False, title="Cases")
    show(channel_lines(office), as_json=False, title="Channels")
    printed = capsys.readouterr().out
    assert "…" not in printed
    for name in (str(mine), *(line.channel for line in channel_lines(office))):
        assert name in printed
    assert ("┃" in printed) == (columns == "200")

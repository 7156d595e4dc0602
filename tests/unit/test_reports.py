"""Reports: the same figures as a plain second computation on random histories, and nothing of few people in what is published."""

from __future__ import annotations

import io
import json
import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from services.audit.event import Event, Standing
from services.audit.grounds import Ground, Grounds
from services.audit.opening import Opening
from services.audit.report import Finding
from services.audit.reports.figures import Row, Scope, Table
from services.audit.reports.making import REPORTS, Report, make_report, year_scope
from services.audit.reports.suppression import published, suppressed
from services.audit.reports.writing import REPORT_FORMS, write_report
from services.wire.channels import paired_channel, record_of, writer_of
from services.wire.errors import RefusedError
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    ApplicationFiled,
    CaseClosed,
    Founder,
    HoursReported,
    InformationRequested,
    MoneyReported,
    SchoolDescribed,
    SchoolKind,
)
from services.wire.hashing import digest_of
from tests.naive_reports import naive
from tests.procedure.as_events import lived

ALWAYS = Scope(since=date(2020, 1, 1), until=date(2035, 12, 31), as_of=date(2035, 12, 31), known_at=date.max)
GROUNDS = Grounds(
    exchange="ab" * 32,
    heads="cd" * 32,
    entries=7,
    channels=(Ground(channel="school-0099900011.record", entries=7, head="ef" * 32, state="reading", receipted=7),),
    findings=(),
)
HISTORIES = 40


@cache
def history(seed: int) -> list[Event]:
    return lived(seed)


def scopes(seed: int, events: list[Event]) -> list[Scope]:
    """Return all of it, and some periods within it, as of and as known at any days."""
    rng = random.Random(seed)  # noqa: S311  # the same in every run
    days = sorted({each.recorded_on for each in events if each.recorded_on})
    found = [ALWAYS]
    for _ in range(4):
        since, until = sorted(rng.choices(days, k=2))
        found.append(Scope(since=since, until=until, as_of=rng.choice(days), known_at=rng.choice(days)))
    return found


def figures(report: Report) -> dict[str, dict[tuple[str, ...], tuple[int | None, ...]]]:
    return {table.name: {row.keys: row.values for row in table.rows} for table in report.tables}


@pytest.mark.parametrize("name", sorted(REPORTS))
@pytest.mark.parametrize("seed", range(HISTORIES))
@pytest.mark.shows("L.1", "L.2", "L.3")
def test_a_report_has_the_figures_of_a_plain_second_computation(name: str, seed: int) -> None:
    events = history(seed)
    for scope in scopes(seed, events):
        assert figures(make_report(name, events, scope, GROUNDS)) == naive(name, events, scope), scope


def test_the_histories_have_something_for_every_table() -> None:
    """A comparison of nothing with nothing shows nothing."""
    rows: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for name, seed in product(REPORTS, range(HISTORIES)):
        for table in make_report(name, history(seed), ALWAYS, GROUNDS).tables:
            rows[name, table.name].update(row.keys for row in table.rows)
    empty = {place for place, keys in rows.items() if not keys}
    assert empty == set(), empty
    assert {("Kept",), ("Missed",), ("Lapsed",)} <= rows["deadlines", "answers"]
    assert {("Answered",), ("Returned",), ("Withdrawn",), ("Open",)} <= rows["answers", "outcomes"]
    assert {("Filed",), ("Asked",), ("Answered",)} <= rows["open-cases", "stages"]
    # What a report makes of it is seen only where it happened.
    assert "DuplicateReopened" in {each.type for seed in range(HISTORIES) for each in history(seed)}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_what_is_refused_waits_or_does_not_open_is_in_no_figure_and_what_does_not_open_is_counted(name: str) -> None:
    events = history(1)
    more = [
        *(each._replace(standing=Standing.REFUSED) for each in events),
        *(each._replace(standing=Standing.VOIDED) for each in events),
        *(each._replace(opening=Opening.NO_KEY, facts=None, type=None, recorded_on=None) for each in events),
    ]
    one, other = (make_report(name, each, ALWAYS, GROUNDS) for each in (events, [*events, *more]))
    assert figures(one) == figures(other)
    assert (one.sealed, other.sealed) == (0, len(events))


@pytest.mark.shows("L.3")
def test_what_was_learned_later_is_not_known_before() -> None:
    """As of the same day, a report that knows less tells what one would have told then."""
    changed = 0
    for seed in range(HISTORIES):
        events = history(seed)
        days = sorted({each.recorded_on for each in events if each.recorded_on})
        middle = days[len(days) // 2]
        scope = Scope(since=date.min, until=date.max, as_of=middle, known_at=middle)
        then = [each for each in events if each.recorded_on and each.recorded_on <= middle]
        for name in REPORTS:
            told = figures(make_report(name, events, scope, GROUNDS))
            assert told == figures(make_report(name, then, replace(scope, known_at=date.max), GROUNDS))
            changed += told != figures(make_report(name, events, replace(scope, known_at=date.max), GROUNDS))
    assert changed


@pytest.mark.shows("L.3")
def test_an_answer_that_came_after_the_day_as_of_which_is_told_leaves_the_request_open() -> None:
    for seed in range(HISTORIES):
        events = history(seed)
        bodies = {each.in_reply_to for each in events if each.counts and each.type == "ConfirmationGiven"}
        asked = [each for each in events if each.counts and each.type == "InformationRequested" and each.body in bodies]
        for request in asked:
            answer = next(each for each in events if each.type == "ConfirmationGiven" and each.in_reply_to == request.body)
            assert request.recorded_on is not None
            assert answer.recorded_on is not None
            if request.recorded_on == answer.recorded_on:
                continue
            mine = [each for each in events if each.common_case == request.common_case]
            told = [
                figures(make_report("answers", mine, replace(ALWAYS, as_of=day), GROUNDS))["outcomes"]
                for day in (answer.recorded_on - timedelta(days=1), answer.recorded_on)
            ]
            assert told[0].get(("Answered",), (0,)) < told[1].get(("Answered",), (0,))
            assert told[0][("Open",)] == (1,)
            return
    pytest.fail("no history has an answer on a later day")


@pytest.mark.shows("L.4")
def test_a_report_names_what_it_stands_on() -> None:
    report = make_report("refusals", history(3), ALWAYS, GROUNDS)
    out = io.BytesIO()
    write_report(report, "json", out)
    said = json.loads(out.getvalue())
    assert said["grounds"]["heads"] == GROUNDS.heads
    assert said["code"].startswith("0.1.0 ")
    assert all("version" in each for each in said["rule_sets"])
    assert said["scope"]["known_at"] == "9999-12-31"
    assert any(make_report("refusals", history(seed), ALWAYS, GROUNDS).rule_sets for seed in range(HISTORIES))


@pytest.mark.parametrize("form", sorted(REPORT_FORMS))
@pytest.mark.parametrize("name", sorted(REPORTS))
@pytest.mark.shows("L.4")
def test_a_report_is_the_same_bytes_each_time(name: str, form: str) -> None:
    def made() -> bytes:
        out = io.BytesIO()
        write_report(make_report(name, history(2), ALWAYS, GROUNDS), form, out)
        return out.getvalue()

    assert made() == made()


def test_the_charts_are_one_picture_that_says_what_it_stands_on_and_shows_no_hidden_figure() -> None:
    events = history(3)
    report = make_report("answers", events, ALWAYS, GROUNDS)
    hidden = replace(report, tables=published(report.tables))
    for each in (report, hidden):
        out = io.BytesIO()
        write_report(each, "svg", out)
        picture = ET.fromstring(out.getvalue())  # noqa: S314  # our own picture
        texts = [found.text for found in picture.iter() if found.tag.endswith("}text")]
        shown = [table for table in each.tables if table.rows]
        assert [table.title for table in shown] == [text for text in texts[1:] if text in {table.title for table in shown}]
        assert GROUNDS.heads in out.getvalue().decode()
        assert b"http" not in out.getvalue().replace(b"http://www.w3.org/2000/svg", b"")
        bars = [found for found in picture.iter() if found.tag.endswith("}rect")]
        assert len(bars) == sum(len(table.rows) for table in shown)
        widths = [int(found.attrib["width"]) for found in bars]
        hides = [row.values[0] is None for table in shown for row in table.rows]
        assert all(width == 0 for width, is_hidden in zip(widths, hides, strict=True) if is_hidden)


def test_the_page_is_whole_by_itself_has_no_script_and_a_table_beside_each_chart() -> None:
    reports = [make_report("answers", history(seed), ALWAYS, GROUNDS) for seed in range(HISTORIES)]
    report = max(reports, key=lambda each: sum(bool(table.rows) for table in each.tables))
    out = io.BytesIO()
    write_report(report, "html", out)
    page = out.getvalue().decode()
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "").replace("http-equiv", "")
    body = ET.fromstring(page[page.index("<main>") : page.index("</main>") + 7])  # noqa: S314  # our own page
    charts = [each for each in body.iter() if each.tag.endswith("svg")]
    assert charts
    assert len(charts) == sum(bool(table.rows) for table in report.tables)
    for section in (each for each in body.iter("section") if any(x.tag.endswith("svg") for x in each.iter())):
        chart = next(each for each in section.iter() if each.tag.endswith("svg"))
        assert chart.get("role") == "img"
        assert chart.get("aria-label")
        assert section.find("table/caption") is not None
        assert all(each.get("scope") for each in section.iter("th"))
        shown = [each.text for each in chart.iter() if each.tag.endswith("text")]
        cells = [(row.find("th"), row.find("td")) for row in section.iter("tr")]
        for head, cell in cells:
            if head is not None and cell is not None and head.text != "total":
                assert {head.text, cell.text} <= set(shown)


def a_table(*counts: int) -> Table:
    rows = tuple(Row((f"row {place}",), (count,)) for place, count in enumerate(counts) if count)
    return Table(name="t", title="t", keys=("row",), measures=("people",), rows=rows, total=sum(counts))


def told(table: Table) -> tuple[object, ...]:
    return table.total, tuple((row.keys, row.values) for row in table.rows)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.shows("L.5")
def test_whoever_knows_the_total_and_how_it_was_hidden_cannot_tell_any_small_figure(size: int) -> None:
    """All tables of a size: among those that are published alike, a small row has four values at least."""
    most = 18 if size == 4 else 30
    alike: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    # All that have a sum, up to a largest one: whoever knows the sum knows that no other table is meant.
    for counts in (each for each in product(range(most), repeat=size) if sum(each) < most):
        table = suppressed(a_table(*counts))
        # The total of a small whole is hidden; else it is known, from here or elsewhere.
        alike[told(table)].append(counts)
        assert not any(value is not None and 0 < value < 5 for row in table.rows for value in row.values)
    for tables in alike.values():
        for place in range(size):
            values = {each[place] for each in tables}
            assert len(values) >= 4 or not 0 < min(values) < 5, tables


def test_a_small_row_takes_others_with_it_by_their_place_and_a_small_whole_is_hidden() -> None:
    assert [row.values[0] for row in suppressed(a_table(3, 20, 6)).rows] == [None, None, 6]
    assert [row.values[0] for row in suppressed(a_table(5, 4, 4)).rows] == [None, None, None]
    assert suppressed(a_table(3, 20, 6)).total == 29
    assert suppressed(a_table(2, 1)).total is None
    assert suppressed(a_table(1, 1, 1, 1, 1)).rows == ()
    assert suppressed(a_table(7, 9)) == a_table(7, 9)
    assert suppressed(a_table()) == a_table()


def test_a_table_that_parts_a_hidden_row_is_not_shown_and_an_internal_one_never() -> None:
    whole = a_table(3, 20, 6)
    hidden, shown = (replace(a_table(9, 8), name=name, parent=("t", row)) for name, row in (("a", "row 1"), ("b", "row 2")))
    inside = replace(a_table(50), name="c", is_internal=True)
    first, parted, other = published([whole, hidden, shown, inside])
    assert (first.name, parted.name, other.name) == ("t", "a", "b")
    assert (parted.rows, parted.total) == ((), None)
    assert other.rows


@pytest.mark.shows("L.5")
def test_a_row_of_few_assistants_is_hidden_whole_with_its_money() -> None:
    row, more, most = Row(("2026-01",), (9, 4, 600, 5)), Row(("2026-02",), (9, 9, 700, 6)), Row(("2026-03",), (10, 9, 800, 7))
    table = Table(
        name="s", title="s", keys=("month",), measures=("a", "b", "c", "d"), rows=(row, more, most), people=2, is_whole=False
    )
    assert [each.values for each in suppressed(table).rows] == [(None,) * 4, (None,) * 4, most.values]


def written_until(events: list[Event], day: date) -> list[Event]:
    """Return what was recorded by the end of 2026, and something without effect that was written on a day."""
    before = [each for each in events if each.recorded_on is not None and each.recorded_on.year == 2026]
    last = events[-1]._replace(written_at=(day - date(1970, 1, 1)).days * 86_400_000, standing=Standing.REPEATED)
    return [*before, last]


def told_by_school(facts: object, *, case: UUID | None = None, number: int = 1) -> Event:
    body = digest_of(f"{facts} {number}".encode())
    return Event(
        channel="school-0099900011.record",
        epoch=0,
        sequence=number,
        digest=body,
        body=body,
        written_at=number,
        standing=Standing.TAKEN,
        opening=Opening.OPENED,
        type=type(facts).__name__,
        case_id=case,
        common_case=case,
        recorded_on=date(2027, 1, 2),
        facts=facts,
    )


def agreed(
    kind: type[AgreementConcluded | AgreementAmended], assistant: int, since: date
) -> AgreementConcluded | AgreementAmended:
    return kind(
        agreement=1,
        assistant=assistant,
        hours_per_week=10,
        duties=(),
        other_duties=False,
        from_on=since,
        until_on=None,
        signed_by=(),
        concluded_on=since,
        parts=(),
    )


def cases_of(year: int, *, number: int, closed: int, late: int) -> list[Event]:
    """Return the events of so many applications that are asked about, of which some are closed, and some asked in December."""
    made = [each.facts for seed in range(HISTORIES) for each in history(seed)]
    filed = next(each for each in made if isinstance(each, ApplicationFiled))
    asked = next(each for each in made if isinstance(each, InformationRequested))
    ended = next(each for each in made if isinstance(each, CaseClosed))
    found = []
    for place in range(number):
        case, month = UUID(int=year * 1000 + place), 12 if place < late else 3
        came, due = date(year, month, 10), date(year, month, 10) + timedelta(days=31)
        told: list[object] = [replace(filed, received_on=came), replace(asked, due_on=due)]
        told += [replace(ended, on=date(year, month, 20))] if place >= number - closed else []
        found += [told_by_school(each, case=case, number=year * 1000 + place)._replace(recorded_on=came) for each in told]
    return found


def sums(year: int, events: list[Event]) -> dict[str, Any]:
    """Return the sums of what is published of a year."""
    beyond = (date(year + 1, 3, 1) - date(1970, 1, 1)).days * 86_400_000
    last = events[-1]._replace(written_at=beyond, standing=Standing.REPEATED)
    names = {"variants": "variants", "open-cases": "stages", "answers": "outcomes", "deadlines": "answers"}
    made = {name: make_report(name, [*events, last], year_scope(year), GROUNDS, is_published=True) for name in names}
    return {name: next(each.total for each in made[name].tables if each.name == table) for name, table in names.items()}


@pytest.mark.shows("L.5")
def test_whoever_subtracts_one_published_report_from_another_finds_no_few_people() -> None:
    """What was filed less what is open is what was closed; what was asked less what fell due is what was asked last."""
    for closed, late in ((3, 20), (20, 3), (20, 20)):
        first = cases_of(2026, number=50, closed=closed, late=late)
        one = sums(2026, first)
        two = sums(2027, [*first, *cases_of(2027, number=60, closed=3, late=3)])
        assert (one["variants"], one["answers"], two["variants"], two["answers"]) == (50, 50, 60, 60)
        # In the first year nothing was there before; in the second what the first one left over.
        assert one["open-cases"] == (None if closed == 3 else 50 - closed)
        assert one["deadlines"] == (None if late == 3 else 50 - late)
        assert (two["open-cases"], two["deadlines"]) == (None, None)


@pytest.mark.shows("L.1")
def test_assistants_follow_each_other_the_newest_report_of_a_month_counts_and_a_founder_changes() -> None:
    case, january, february = UUID(int=1), date(2026, 1, 1), date(2026, 2, 1)

    def described(founder: Founder, since: date) -> SchoolDescribed:
        return SchoolDescribed(
            founder=founder, kind=SchoolKind.GENERAL, state_maintained=False, technical_staff_financed=False, from_on=since
        )

    said = [
        described(Founder.MUNICIPALITY, date(2020, 1, 1)),
        agreed(AgreementConcluded, 1, date(2026, 1, 5)),
        HoursReported(month=january, agreement=1, minutes=600),
        # Replaced in the middle of January, and once more on the first of February.
        agreed(AgreementAmended, 2, date(2026, 1, 20)),
        HoursReported(month=january, agreement=1, minutes=540),
        agreed(AgreementAmended, 3, february),
        HoursReported(month=february, agreement=1, minutes=60),
        MoneyReported(month=january, opening_cents=1, received_cents=1, used_cents=1),
        MoneyReported(month=january, opening_cents=100, received_cents=50, used_cents=30),
        described(Founder.PRIVATE, date(2026, 2, 15)),
    ]
    events = [told_by_school(facts, case=case, number=number) for number, facts in enumerate(said, start=1)]
    found = figures(make_report("service", events, ALWAYS, GROUNDS))
    assert found == naive("service", events, ALWAYS)
    assert found["months"] == {
        ("2026-01", "Municipality"): (1, 2, 540, 100, 50, 30, 120),
        ("2026-02", "Private"): (1, 1, 60, 0, 0, 0, 0),
    }


@pytest.mark.shows("L.5")
def test_only_a_whole_year_that_the_log_is_beyond_is_published_and_nothing_of_a_log_with_findings() -> None:
    events = written_until(history(4), date(2027, 2, 2))
    report = make_report("variants", events, year_scope(2026), GROUNDS, is_published=True)
    assert report.is_published
    assert not any(value is not None and 0 < value < 5 for table in report.tables for row in table.rows for value in row.values)
    for form in sorted(REPORT_FORMS):
        out = io.BytesIO()
        write_report(report, form, out)
        # Its entries would tell how many applications a school had.
        assert GROUNDS.channels[0].channel.encode() not in out.getvalue()
    with pytest.raises(RefusedError, match="give --year alone"):
        make_report("variants", events, replace(year_scope(2026), until=date(2026, 11, 30)), GROUNDS, is_published=True)
    with pytest.raises(RefusedError, match="does not go beyond 2027-01-31"):
        make_report("variants", written_until(history(4), date(2027, 1, 31)), year_scope(2026), GROUNDS, is_published=True)
    finding = Finding(channel="x", epoch=0, sequence=1, error="MissingError", what="w", expected="e", found="f")
    with pytest.raises(RefusedError, match="Nothing is published"):
        make_report("variants", events, year_scope(2026), replace(GROUNDS, findings=(finding,)), is_published=True)
    with pytest.raises(RefusedError, match="no report nothing"):
        make_report("nothing", events, year_scope(2026), GROUNDS)


@pytest.mark.shows("L.5")
def test_nothing_is_published_with_the_keys_of_some_schools_alone_for_who_holds_all_would_see_the_others() -> None:
    events = written_until(history(4), date(2027, 2, 2))
    last = next(each for each in reversed(events) if paired_channel(each.channel) is not None)
    closed = last._replace(opening=Opening.NO_KEY, facts=None)
    with pytest.raises(RefusedError, match=f"Entries of {writer_of(last.channel)} do not open with these keys"):
        make_report("variants", [*events, closed], year_scope(2026), GROUNDS, is_published=True)
    assert make_report("variants", [*events, closed], year_scope(2026), GROUNDS).sealed == 1
    # What another auditor notes for itself is in no figure.
    noted = closed._replace(channel=record_of("auditor-of-somebody"))
    assert make_report("variants", [*events, noted], year_scope(2026), GROUNDS, is_published=True).is_published

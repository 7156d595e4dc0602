"""Events of types that only a newer release knows: the log says by their schemas what their facts are, and so they are shown."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.audit.checks import Outcome, show_entry
from services.audit.event import Event, Standing
from services.audit.exploring import line_of, timeline
from services.audit.grounds import grounds_of
from services.audit.opening import Opening
from services.audit.querying import QueryError, ask
from services.audit.reports.figures import Scope
from services.audit.reports.making import make_report
from services.audit.tables import Tables
from services.post.signing import Draft, sign_body
from services.wire import avro
from services.wire.contents import Facts, Personal, SchemaPublished, encode_facts, encode_personal
from services.wire.entry import Sealed
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import SchemaBook
from services.wire.sealing import Part, seal
from tests.audited import audited, examined_log, keys_of
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.integration.test_two_sides import asked
from tests.troubles import settled
from tests.worlds import RECORD

DAY = {"type": "int", "logicalType": "date"}
GROUND = {"type": "enum", "name": "Ground", "symbols": ["Unknown", "Asked", "Offered"], "default": "Unknown"}
DIGEST = {"type": "fixed", "name": "Digest", "size": 32}
FIELDS: list[dict[str, Any]] = [
    {"name": "on", "type": DAY},
    {"name": "ground", "type": GROUND},
    {"name": "minutes", "type": ["null", "int"], "default": None},
    {"name": "papers", "type": {"type": "array", "items": DIGEST}},
]
MEETING = {"on": date(2026, 9, 1), "ground": "Offered", "minutes": 45, "papers": [digest_of(b"a paper")]}


def schema_of(name: str = "MeetingHeld", fields: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    facts = {"type": "record", "name": f"{name}Facts", "fields": FIELDS if fields is None else fields}
    personal = {"type": "record", "name": f"{name}Personal", "fields": [{"name": "with_whom", "type": "string"}]}
    parts = [{"name": "facts", "type": facts}, {"name": "personal", "type": personal}]
    return {"type": "record", "name": name, "namespace": "lv.sarakste.v0", "fields": parts}


def facts_of_another_kind(name: str) -> dict[str, Any]:
    source = schema_of(name)
    source["fields"][0]["type"] = {"type": "array", "items": "int"}
    return source


def publish(exchange: Exchange, source: dict[str, Any]) -> Digest:
    file = json.dumps(source).encode()
    exchange.log.append("registrar.trust", [exchange.registrar.open(SchemaPublished(name="", file=file))])
    settled(exchange)
    return digest_of(file)


def content_of(source: dict[str, Any], record: dict[str, Any]) -> bytes:
    facts = source["fields"][0]["type"]
    return avro.encode(avro.Schema({"namespace": source["namespace"], **facts}), record)


def tell(exchange: Exchange, case: UUID, schema: Digest, content: bytes, *, name: str = "MeetingHeld") -> None:
    """Let the school's worker, of a newer release, write an event of a case into its record."""
    office = exchange.members[SCHOOL].office
    event_id = Id(office.random(16))
    facts_key, case_key = office.ring.facts_key(RECORD, office.today.year), office.ring.case_key(RECORD, case)
    said = Facts(
        type=name,
        schema=schema,
        case_id=Id(case.bytes),
        after=None,
        in_reply_to=None,
        recorded_on=20_000,
        personal_key=case_key.key_id,
        content=content,
    )
    place: dict[str, Any] = {"channel": RECORD, "event_id": event_id}
    sealed = seal(facts_key.key, Part.FACTS, encode_facts(said), salt=office.random(32), **place)
    told = encode_personal(Personal(recorded_at=1, content=b"\x0eRoberts"))
    part = seal(case_key.key, Part.PERSONAL, told, salt=office.random(32), **place)
    office.letterbook.keep_part(digest_of(part), part)
    with office.database.transaction():
        body = Sealed(facts_key=facts_key.key_id, facts=digest_of(sealed), personal=digest_of(part))
        sign_body(office, Draft(channel=RECORD, event_id=event_id, body=body, facts=sealed))
    settled(exchange)


@pytest.fixture
def case(exchange: Exchange) -> UUID:
    found, _ = asked(exchange)
    return found


@pytest.fixture
def met(exchange: Exchange, case: UUID) -> Event:
    source = schema_of()
    tell(exchange, case, publish(exchange, source), content_of(source, MEETING))
    return newest(exchange)


def newest(exchange: Exchange) -> Event:
    return [each for each in audited(exchange.log, keys_of(exchange, SCHOOL)) if each.channel == RECORD][-1]


def test_its_facts_are_shown_as_their_schema_has_them_and_count_for_nothing(exchange: Exchange, case: UUID, met: Event) -> None:
    assert (met.type, met.opening, met.standing) == ("MeetingHeld", Opening.UNKNOWN, Standing.TAKEN)
    assert met.facts == MEETING
    assert (met.case_id, met.personal, met.personal_opening, met.counts) == (case, None, Opening.UNKNOWN, False)
    assert line_of(met).opening == "unknown type"
    told = [each.type for each in timeline(iter(audited(exchange.log, keys_of(exchange, SCHOOL))), case)]
    assert told[-1] == "MeetingHeld"


def test_show_says_what_this_release_cannot_tell_of_it(exchange: Exchange, met: Event) -> None:
    shown = show_entry(exchange.log, examined_log(exchange.log), keys_of(exchange, SCHOOL), met.digest.hex())
    outcomes = {each.check: each.outcome for each in shown.checks}
    assert (outcomes["opening"], outcomes["schema"], outcomes["audience"]) == (Outcome.HOLDS, Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert "basis" not in outcomes
    assert shown.facts == {**MEETING, "papers": [digest_of(b"a paper").hex()]}


def test_it_has_a_view_of_its_own_with_typed_columns(exchange: Exchange, met: Event) -> None:
    events = audited(exchange.log, keys_of(exchange, SCHOOL))
    unknown = SchemaBook(examined_log(exchange.log).trust.schemas).unknown_types()
    assert list(unknown) == ["MeetingHeld"]
    with Tables(unknown=unknown) as tables:
        tables.load(events)
        database = tables.locked()
        rows = list(ask(database, 'SELECT "on", ground, minutes, papers, case_id FROM MeetingHeld').rows())
        assert rows == [[date(2026, 9, 1), "Offered", 45, [digest_of(b"a paper").hex()], str(met.case_id)]]
        all_rows = list(ask(database, "SELECT facts, opening FROM events WHERE type = 'MeetingHeld'").rows())
        assert (json.loads(all_rows[0][0])["ground"], all_rows[0][1]) == ("Offered", "unknown type")


def test_an_event_that_is_called_as_the_view_over_all_puts_nothing_into_it(exchange: Exchange, case: UUID) -> None:
    fields: list[dict[str, Any]] = [
        {"name": name, "type": {"type": "enum", "name": f"A{name}", "symbols": ["Unknown", symbol], "default": "Unknown"}}
        for name, symbol in (("writer", "commission"), ("type", "RecommendationIssued"), ("opening", "opened"))
    ]
    source = schema_of("events", fields)
    said = {"writer": "commission", "type": "RecommendationIssued", "opening": "opened"}
    tell(exchange, case, publish(exchange, source), content_of(source, said), name="events")
    events = audited(exchange.log, keys_of(exchange, SCHOOL))
    assert [each.facts for each in events if each.type == "events"] == [said]
    with Tables(unknown=SchemaBook(examined_log(exchange.log).trust.schemas).unknown_types()) as tables:
        tables.load(events)
        database = tables.locked()
        assert list(ask(database, "SELECT count(*) FROM events").rows()) == [[len(events)]]
        assert list(ask(database, "SELECT * FROM events WHERE type = 'RecommendationIssued'").rows()) == []


def test_a_report_says_that_what_it_tells_is_in_no_figure(exchange: Exchange, met: Event) -> None:
    examined = examined_log(exchange.log)
    scope = Scope(since=date(2020, 1, 1), until=date(2040, 1, 1), as_of=date(2040, 1, 1), known_at=date.max)
    events = audited(exchange.log, keys_of(exchange, SCHOOL))
    assert met.digest in {each.digest for each in events}
    without = make_report("variants", [each for each in events if each != met], scope, grounds_of(examined))
    report = make_report("variants", events, scope, grounds_of(examined))
    assert report.sealed == without.sealed + 1
    assert report.tables == without.tables


def test_what_an_older_schema_of_it_says_is_told_in_the_columns_of_the_newest(exchange: Exchange, case: UUID) -> None:
    older = publish(exchange, older_source := schema_of(fields=FIELDS[:2] + FIELDS[3:]))
    publish(exchange, schema_of(fields=[*FIELDS, {"name": "room", "type": ["null", "int"], "default": None}]))
    record = {name: value for name, value in MEETING.items() if name != "minutes"}
    tell(exchange, case, older, content_of(older_source, record))
    assert newest(exchange).facts == MEETING | {"minutes": None, "room": None}


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (GROUND, "Roberts Izdomenieks"),
        ({"type": "array", "items": "int"}, ["Roberts Izdomenieks"]),
        ({"type": "record", "name": "Inner", "fields": [{"name": "whom", "type": "int"}]}, {"whom": "Roberts Izdomenieks"}),
        ("int", 2**70),
    ],
)
def test_a_default_that_is_no_value_of_its_type_makes_no_fact(exchange: Exchange, case: UUID, kind: Any, default: Any) -> None:
    older_source = schema_of(fields=[{"name": "minutes", "type": "int"}])
    older = publish(exchange, older_source)
    added = json.loads(json.dumps(kind).replace("Ground", "Other"))
    publish(exchange, schema_of(fields=[{"name": "minutes", "type": "int"}, {"name": "more", "type": added, "default": default}]))
    tell(exchange, case, older, content_of(older_source, {"minutes": 45}))
    found = newest(exchange)
    assert (found.opening, found.facts) == (Opening.UNREADABLE, None)


def test_a_day_by_default_is_a_day(exchange: Exchange, case: UUID) -> None:
    older_source = schema_of(fields=[{"name": "minutes", "type": "int"}])
    older = publish(exchange, older_source)
    publish(exchange, schema_of(fields=[{"name": "minutes", "type": "int"}, {"name": "on", "type": DAY, "default": 1}]))
    tell(exchange, case, older, content_of(older_source, {"minutes": 45}))
    assert newest(exchange).facts == {"minutes": 45, "on": date(1970, 1, 2)}


def test_a_name_smuggled_past_the_rule_of_facts_by_a_mark_of_the_library(exchange: Exchange, case: UUID) -> None:
    source = schema_of("VisitMade", [{"name": "whom", "type": "string"}])
    content = content_of(source, {"whom": "Roberts Izdomenieks"})
    # The library would look up what it may read itself; the rule would look there for what a string is.
    source["fields"][0]["type"] |= {"__fastavro_parsed": True, "__named_schemas": {"string": {"type": "int"}}}
    tell(exchange, case, publish(exchange, source), content, name="VisitMade")
    found = newest(exchange)
    assert (found.type, found.opening, found.facts) == ("VisitMade", Opening.UNREADABLE, None)


def test_under_no_schema_that_may_stand_for_facts_nothing_of_it_is_shown(exchange: Exchange, case: UUID, met: Event) -> None:
    personal = schema_of("VisitMade", [{"name": "whom", "type": "string"}])
    identity = publish(exchange, personal)
    for name, schema, content in (
        ("VisitMade", identity, content_of(personal, {"whom": "Roberts Izdomenieks"})),
        ("NeverPublished", met.schema, content_of(schema_of(), MEETING)),
        ("MeetingHeld", digest_of(b"no schema"), content_of(schema_of(), MEETING)),
        ("MeetingHeld", identity, content_of(schema_of(), MEETING)),
        ("MeetingHeld", met.schema, content_of(schema_of(), MEETING) + b"\x00"),
    ):
        assert schema is not None
        tell(exchange, case, schema, content, name=name)
        found = newest(exchange)
        assert (found.type, found.opening, found.facts) == (name, Opening.UNREADABLE, None)
        assert found.standing is Standing.TAKEN


@pytest.mark.parametrize(
    "source",
    [
        schema_of("applicationFiled"),
        schema_of("Events"),
        schema_of('x" AS SELECT 1; --'),
        schema_of("PlaceTaken", [{"name": "Channel", "type": "int"}]),
        schema_of("TwiceTold", [{"name": "one", "type": "int"}, {"name": "ONE", "type": "int"}]),
        schema_of("EitherOr", [{"name": "value", "type": ["int", "boolean"]}]),
        schema_of("NothingTold", [{"name": "empty", "type": {"type": "record", "name": "Empty", "fields": []}}]),
        schema_of("NoFacts", []),
        facts_of_another_kind("ListTold"),
        schema_of("batch"),
        schema_of("main"),
    ],
    ids=lambda source: str(source["name"])[:12],
)
def test_a_name_or_a_fact_that_no_view_can_have_makes_none_and_harms_no_other(source: dict[str, Any]) -> None:
    files = [json.dumps(each).encode() for each in (source, schema_of())]
    unknown = SchemaBook({digest_of(file): file for file in files}).unknown_types()
    assert "MeetingHeld" in unknown
    with Tables(unknown=unknown) as tables:
        database = tables.locked()
        assert list(ask(database, "SELECT count(*) FROM MeetingHeld").rows()) == [[0]]
        assert list(ask(database, "SELECT count(*) FROM ApplicationFiled").rows()) == [[0]]
        if source["name"] in ("batch", "main"):
            assert list(ask(database, f'SELECT count(*) FROM "{source["name"]}"').rows()) == [[0]]  # noqa: S608  # as below
        elif source["name"] not in ("applicationFiled", "Events"):
            with pytest.raises(QueryError):
                ask(database, f'SELECT * FROM "{source["name"]}"')  # noqa: S608  # a query is what is tried

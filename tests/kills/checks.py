"""What holds when everything has come to rest: whole files, right cases, nothing lost, nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from services.audit.verify import channels_in, open_log
from services.wire.candidates import Candidate, candidate_of, merged
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, from_commission, to_commission
from services.wire.entry import Open
from services.wire.hashing import Digest
from tests.kills.clerks import Desk, WrongError, path_of
from tests.kills.looking import Sight, query
from tests.personal import PERSONAL

__all__ = ["check_all", "require"]

_FILED = ("ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen", "InformationRequested", "ConfirmationGiven")
_ENDS = ("ReadyForDecision", "NegativeAnswer")


def require(is_right: object, what: str) -> None:
    """Raise WrongError unless it is right; a check, not a rule of the product."""
    if not is_right:
        raise WrongError(what)


def check_all(desk: Desk, names: list[str]) -> int:
    """Check everything that can be seen in files alone; return how many entries the log holds, each once."""
    sight = desk.sight
    for path in [sight.folder / "log.sqlite", *(sight.database(name) for name in names)]:
        check_file(path)
    for name in names:
        check_held(sight, name)
    check_cases(desk, names)
    entries = check_letterbooks(sight, names)
    check_confirmed(desk)
    return entries


def check_file(path: Path) -> None:
    """Let SQLite check a file, page by page."""
    with closing(sqlite3.connect(path)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
    require(said == [("ok",)], f"{path.name}: {said[:5]}")


def check_held(sight: Sight, name: str) -> None:
    """Nothing waits, nothing was skipped, refused or parked, no start is under way."""
    held = sight.ask(name, "SELECT channel, kind, reason FROM held")
    require(not held, f"{name} holds {held[:5]}")
    for table in ("outgoing", "said WHERE name = 'starting'"):
        rows = sight.ask(name, f"SELECT count(*) FROM {table}")  # noqa: S608  # two names of this module
        require(rows == [(0,)], f"{name} has {rows} in {table}")


def check_cases(desk: Desk, names: list[str]) -> None:
    """Each application that was filed is one case on either side, with every event of it once, in the state they make."""
    sight = desk.sight
    for school in names:
        if school.startswith("school"):
            mine = {case_id for case_id, who in desk.filed.items() if who == school}
            there = sight.cases(school)
            require(set(there) == mine, f"{school} filed {len(mine)} applications and has {len(there)} cases")
            require(set(there.values()) <= set(_ENDS), f"{school}: {Counter(there.values())}")
    theirs = sight.cases(COMMISSION)
    both = {sight.other_side(school, case_id) for case_id, school in desk.filed.items()}
    require(set(theirs) == both, f"{len(both)} requests became {len(theirs)} cases of the commission")
    require(set(theirs.values()) <= {"Answered"}, f"commission: {Counter(theirs.values())}")
    for case_id, school in desk.filed.items():
        other = sight.other_side(school, case_id)
        found = (sorted(sight.events(school, case_id)), sorted(sight.events(COMMISSION, other)))
        right = (sorted(_FILED), sorted(["InformationRequested", *path_of(other).values()]))
        require(found == right, f"{school}, case {case_id}: {found}")
        is_yes = "RecommendationIssued" in found[1]
        require(sight.cases(school)[case_id] == _ENDS[0 if is_yes else 1], f"{school}, case {case_id} is in the wrong state")


def check_letterbooks(sight: Sight, names: list[str]) -> int:
    """Each side's letterbook is the channel: the same entries, each place once, the same parts."""
    number = 0
    with closing(open_log(sight.folder / "log.sqlite")) as log:
        for channel in channels_in(sight.folder / "log.sqlite"):
            if channel.endswith(".mailbox"):
                continue
            shown: dict[Digest, Candidate] = {}
            position = 0
            while page := log.poll({channel: position}, timeout_seconds=0, limit=1000):
                position = page[-1].position + 1
                for record in page:
                    found = candidate_of(record.value, channel)
                    if not isinstance(found, Candidate):
                        raise WrongError(f"{channel} holds junk: {found.reason}")
                    shown[found.digest] = merged(shown[found.digest], found) if found.digest in shown else found
            places = sorted(each.sequence for each in shown.values())
            require(places == list(range(1, len(places) + 1)), f"{channel}: a place is missing or was given away twice")
            events = {each.unverified_statement.event_id for each in shown.values()}
            require(len(events) == len(shown), f"{channel}: an event stands there twice")
            for name in _holders(channel, names):
                _compare(sight, name, channel, shown)
            number += len(shown)
    return number


def _holders(channel: str, names: list[str]) -> list[str]:
    if channel == TRUST_CHANNEL:
        return names
    pairs = {pair: [school, COMMISSION] for school in names for pair in (to_commission(school), from_commission(school))}
    return pairs.get(channel) or [channel.removesuffix(".record")]


def _compare(sight: Sight, name: str, channel: str, shown: dict[Digest, Candidate]) -> None:
    rows = sight.ask(
        name,
        "SELECT e.digest, e.statement, e.facts, p.sealed FROM entries e LEFT JOIN parts p ON p.digest = e.personal"
        " WHERE e.channel = ?",
        channel,
    )
    require(len(rows) == len(shown), f"{channel} has {len(shown)} entries, {name} holds {len(rows)}")
    for digest, statement, facts, personal in rows:
        entry = shown.get(digest)
        if entry is None:
            raise WrongError(f"{name} holds an entry of {channel} that the log does not show")
        is_same = (statement, facts, personal) == (entry.statement_bytes, entry.facts, entry.personal)
        require(is_same, f"{channel} at {entry.sequence}: {name} holds something else")
        body = entry.unverified_statement.body
        require(isinstance(body, Open) or personal is not None, f"{channel} at {entry.sequence}: a part is missing")


def check_confirmed(desk: Desk) -> None:
    """What the registrar was told to say stands in its channel, once each."""
    sight, said = desk.sight, 0
    with closing(open_log(sight.folder / "log.sqlite")) as log:
        position, seen = 0, set[Digest]()
        while page := log.poll({TRUST_CHANNEL: position}, timeout_seconds=0, limit=1000):
            position = page[-1].position + 1
            for record in page:
                found = candidate_of(record.value, TRUST_CHANNEL)
                if isinstance(found, Candidate) and found.digest not in seen:
                    seen.add(found.digest)
                    body = found.unverified_statement.body
                    said += isinstance(body, Open) and body.type == "TrustConfirmed"
    most = desk.confirmed + desk.killed_confirming
    require(
        desk.confirmed <= said <= most, f"{REGISTRAR} confirmed {desk.confirmed} to {most} times; {said} stand in its channel"
    )


def alarms(sight: Sight, names: list[str]) -> Counter[str]:
    """Return what workers told a person, by its words; kills alone are nothing that a person has to see."""
    said: Counter[str] = Counter()
    for name in names:
        for line in (sight.folder / name / "worker.log").read_text("utf-8").splitlines():
            event = json.loads(line)
            require(PERSONAL.search(json.dumps(event, ensure_ascii=False)) is None, f"{name} logged something personal")
            if event["event"] not in ("working", "waiting", "ended") or event.get("exit_code"):
                said[event["text"]] += 1
    return said


def read_json(path: Path) -> object:
    """Return what a command answered."""
    return json.loads(path.read_text("utf-8"))


def duplicates(sight: Sight) -> int:
    """Return how many records of the log are repeats of another one: what a kill between sending and noting it leaves."""
    rows = query(
        sight.folder / "log.sqlite",
        "SELECT count(*) - count(DISTINCT channel || hex(value)) FROM records WHERE channel NOT LIKE '%.mailbox'",
    )
    return int(rows[0][0])

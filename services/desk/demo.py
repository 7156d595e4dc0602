"""The demonstration: the main job played by separate processes, told as a short story, and left to play with.

Every line that it prints comes from what happened: places and digests from the log, what opens and what does not from
trying each participant's keys, the findings from ``verify``.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from rich.console import Console

from services.audit.verify import open_log, verify_log
from services.commission.bootstrap import build as build_commission
from services.desk.founding import found_exchange
from services.desk.playing import NotAsWrittenError
from services.post.building import milliseconds
from services.post.cases import open_facts
from services.post.office import Office, day_of
from services.school.bootstrap import build as build_school
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, commission_case, from_commission, record_of, to_commission
from services.wire.entry import Open, Sealed, decode_entry
from services.wire.errors import SettingsError

__all__ = ["play"]

_SCHOOLS: Final = ("0099900011", "0099900022")
_PATIENCE_SECONDS: Final = 30.0
_CONSOLE: Final = Console(width=160, highlight=False)
_FORMS: Final = Path("forms")


def play(folder: Path) -> None:
    """Play the demonstration in ``folder``; an earlier demonstration there is replaced, anything else is left alone.

    Raises: SettingsError if the folder holds something else.
    """
    if folder.exists():
        if not (folder / "root.pem").exists():
            raise SettingsError(f"{folder.name} is there and holds no exchange; choose another folder")
        shutil.rmtree(folder)
    _say("A new exchange: a registrar, the commission and two schools, each with keys of its own")
    for made in found_exchange(folder, _SCHOOLS):
        _CONSOLE.print(f"  {made}")
    with _workers(folder):
        _story(folder)
    _say("Who can read what: each participant tries every key that it holds on every sealed entry of the log")
    _readable(folder)
    _say("Each case is rebuilt from its own events, and compared with what was lived through")
    _rebuild(folder)
    _say("The log is verified with nothing but root.pem; then one byte of a copy is flipped")
    _verify(folder)
    _say("What to try next")
    school = f"{folder}/school-{_SCHOOLS[0]}/sarakste.toml"
    for line in (
        f"sarakste school cases --config {school}",
        f"sarakste school show CASE --config {school}",
        f"sarakste commission cases --config {folder}/commission/sarakste.toml",
        f"sarakste verify {folder}/log.sqlite --root {folder}/root.pem",
        f"sarakste verify {folder}/flipped.sqlite --root {folder}/root.pem",
    ):
        _CONSOLE.print(f"  .venv/bin/{line}", soft_wrap=True)


def _story(folder: Path) -> None:
    first, second = (f"school-{number}" for number in _SCHOOLS)
    _say("1. An application by a.2 (the plan is there already): asked, examined, recommended, answered yes")
    case = _asked(folder, first, _application("A2"))
    _examined(folder, case, first)
    _recommended(folder, case, first)
    _answered(folder, case, first, "ReadyForDecision")
    _say("2. An application by b.2 (the commission prepares the plan too), at another school: yes")
    case = _asked(folder, second, _application("B2"))
    _examined(folder, case, second)
    _act(folder, "issue-irp", case, second, number="P-1", text="Plāns", issued_on=_today(), indicates_need=True)
    _recommended(folder, case, second)
    _answered(folder, case, second, "ReadyForDecision")
    _say("3. An application that is answered no: the family learns the reason, the school does not")
    case = _asked(folder, first, _application("A2"))
    _examined(folder, case, first)
    text = "Iemesls, kas pieder ģimenei."
    _act(folder, "refuse", case, first, issued_on=_today(), grounds=["NeedNotFound"], text=text)
    _answered(folder, case, first, "NegativeAnswer")


def _asked(folder: Path, school: str, form: Mapping[str, Any]) -> str:
    case = _run(folder, school, "file", _form(folder, form))["case"]
    _run(folder, school, "request", case)
    _wait(folder, "commission", _theirs(case, school), "")
    return str(case)


def _examined(folder: Path, case: str, school: str) -> None:
    _act(folder, "register", case, school, register_number="R-17", received_on=_today())
    _act(folder, "examine", case, school, file_found=True, opinion="Valid", opinion_until=None, examined_on=_today())


def _recommended(folder: Path, case: str, school: str) -> None:
    day = _today()
    _act(folder, "recommend", case, school, number="I-1", text="Ieteikums", issued_on=day, valid_from=day)
    _act(folder, "dispatch", case, school, number="S-1", by="Registered", sent_on=day)


def _answered(folder: Path, case: str, school: str, state: str) -> None:
    _act(folder, "answer", case, school, official="Ilze Paraudziņa")
    _wait(folder, school, case, state)
    for owner, identity in ((school, case), (COMMISSION, _theirs(case, school))):
        _CONSOLE.print(f"  {owner}, case {identity}")
        for line in _run(folder, owner, "show", identity):
            place = f"{line['channel']} at {line['epoch']}/{line['sequence']}"
            _CONSOLE.print(f"    {line['writer']:<18} {line['event']:<22} {place:<38} {line['digest'][:16]}  {line['standing']}")
    _CONSOLE.print(f"  the school's case is now [bold]{state}[/bold]")


def _act(folder: Path, act: str, case: str, school: str, **form: Any) -> None:
    _run(folder, COMMISSION, act, _theirs(case, school), _form(folder, {k: v for k, v in form.items() if v is not None}))


def _theirs(case: str, school: str) -> str:
    return str(commission_case(UUID(case), to_commission(school)))


def _form(folder: Path, form: Mapping[str, Any]) -> str:
    forms = folder / _FORMS
    forms.mkdir(exist_ok=True)
    path = forms / f"{len(list(forms.iterdir())) + 1:02}.json"
    path.write_text(json.dumps(form, ensure_ascii=False, indent=1), "utf-8")
    return str(path)


def _run(folder: Path, participant: str, *arguments: str) -> Any:
    command = [*_command(participant), *arguments, "--config", str(folder / participant / "sarakste.toml"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
    if done.returncode:
        raise NotAsWrittenError(f"{' '.join(arguments[:1])} of {participant} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _command(participant: str) -> list[str]:
    return [sys.executable, "-m", "services.desk", participant.partition("-")[0]]


@contextmanager
def _workers(folder: Path) -> Iterator[None]:
    names = ["registrar", COMMISSION, *(f"school-{number}" for number in _SCHOOLS)]
    running = []
    try:
        for name in names:
            command = [*_command(name), "worker", "--config", str(folder / name / "sarakste.toml")]
            with (folder / name / "worker.log").open("wb") as log:
                running.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603  # our own command
        _CONSOLE.print(f"  working as processes {', '.join(str(each.pid) for each in running)}: {', '.join(names)}")
        _wait_for_channels(folder)
        yield
        time.sleep(1.5)  # the receipts of the last answers
    finally:
        for each in running:
            each.send_signal(signal.SIGTERM)
        for each in running:
            each.wait(timeout=10)


def _wait_for_channels(folder: Path) -> None:
    wanted = {record_of(COMMISSION)}
    for number in _SCHOOLS:
        name = f"school-{number}"
        wanted |= {to_commission(name), from_commission(name), record_of(name)}
    until = time.monotonic() + _PATIENCE_SECONDS
    log = open_log(folder / "log.sqlite")
    while any(not log.end(channel) for channel in wanted):
        if time.monotonic() > until:
            raise NotAsWrittenError("the channels were not opened in time; see worker.log in each folder")
        time.sleep(0.1)
    log.close()


def _wait(folder: Path, participant: str, case: str, state: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        for line in _run(folder, participant, "cases"):
            if line["case"] == case and state in ("", line["state"]):
                return
        time.sleep(0.1)
    raise NotAsWrittenError(f"{participant} did not come to {state or 'the case'} in time; see worker.log in its folder")


def _offices(folder: Path) -> dict[str, Office]:
    offices = {COMMISSION: build_commission(folder / COMMISSION / "sarakste.toml").office}
    for number in _SCHOOLS:
        name = f"school-{number}"
        offices[name] = build_school(folder / name / "sarakste.toml").office
    return offices


def _readable(folder: Path) -> None:
    offices = _offices(folder)
    log = open_log(folder / "log.sqlite")
    for channel in sorted({record_of(COMMISSION), *(each(name) for name in offices if name != COMMISSION for each in _CHANNELS)}):
        readers: dict[str, list[str]] = {name: [] for name in offices}
        sealed = 0
        for record in log.poll({channel: 0}, timeout_seconds=0, limit=1000):
            entry = decode_entry(record.value)
            body = entry.unverified_statement.body
            if isinstance(body, Open) or entry.raw_facts is None:
                continue
            sealed += 1
            for name, office in offices.items():
                if _opens(office, channel, entry.unverified_statement.event_id, body, entry.raw_facts):
                    readers[name].append(name)
        told = ", ".join(f"{name} opens {len(found)}" for name, found in readers.items())
        _CONSOLE.print(f"  {channel:<36} {sealed} sealed entries: {told}", soft_wrap=True)
    log.close()


_CHANNELS: Final = (to_commission, from_commission, record_of)


def _opens(office: Office, channel: str, event_id: Any, body: Sealed, facts: bytes) -> bool:
    return open_facts(office, channel, event_id, body.facts_key, facts) is not None


def _rebuild(folder: Path) -> None:
    for participant in (COMMISSION, *(f"school-{number}" for number in _SCHOOLS)):
        result = _run(folder, participant, "rebuild")
        _CONSOLE.print(f"  {participant:<18} {result['cases']} cases rebuilt, {len(result['different'])} different")
        if result["different"]:
            raise NotAsWrittenError(f"{participant} rebuilt other cases than it lived through")


def _verify(folder: Path) -> None:
    root = load_root((folder / "root.pem").read_bytes())
    report = verify_log(open_log(folder / "log.sqlite"), root)
    _CONSOLE.print(f"  log.sqlite: {report.entries} entries in {len(report.channels)} channels, {len(report.findings)} findings")
    if report.findings:
        raise NotAsWrittenError("the log of the demonstration does not verify")
    copy = folder / "flipped.sqlite"
    _flip_one_byte(folder / "log.sqlite", copy)
    findings = verify_log(open_log(copy), root).findings
    if not findings:
        raise NotAsWrittenError("a flipped byte was not found")
    for finding in findings:
        _CONSOLE.print(f"  flipped.sqlite: {finding.channel} at {finding.epoch}/{finding.sequence}: {finding.what}")
        _CONSOLE.print(f"    expected {finding.expected}\n    found    {finding.found}")


def _flip_one_byte(log: Path, copy: Path) -> None:
    channel = to_commission(f"school-{_SCHOOLS[0]}")
    with sqlite3.connect(log) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        query = "SELECT position, value FROM records WHERE channel = ? ORDER BY position"
        for position, value in target.execute(query, (channel,)).fetchall():
            facts = decode_entry(value).raw_facts
            if facts is not None:
                place = value.index(facts) + len(facts) // 2
                flipped = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
                target.execute("UPDATE records SET value = ? WHERE channel = ? AND position = ?", (flipped, channel, position))
                break
    source.close()
    target.close()


def _application(variant: str) -> dict[str, Any]:
    """Return a filled form about a fictional child; its numbers can belong to nobody who lives."""
    home = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099"}
    person = {"family_name": "Izdomenieks", "declared_address": home}
    return {
        "received_on": _today(),
        "intake": "SignedElectronic",
        "variant": variant,
        "requester": "Representative",
        "exception_declared": True,
        "states_opinion": True,
        "states_irp": variant == "A2",
        "consent": {"given": True, "received_on": _today(), "by": "Andris Izdomenieks"},
        "address": {"choice": "Home", "protected": False, "address": home},
        "pupil": {**person, "given_name": "Roberts", "personal_code": "030218-29015", "birth_date": "2018-02-03"},
        "representative": {**person, "given_name": "Andris", "personal_code": "230862-09018"},
        "contact": {"kind": "Phone", "phone": "20000099"},
        "attachments": ["Irp"] if variant == "A2" else [],
    }


def _today() -> str:
    return day_of(milliseconds()).isoformat()


def _say(title: str) -> None:
    _CONSOLE.print(f"\n[bold]{title}[/bold]", soft_wrap=True)

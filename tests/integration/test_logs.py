"""The log of a worker: a line an event, JSON for programs and sentences for people, and nothing personal in either."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from services.post import console_worker
from services.post.logs import JsonLines, Sentences, log_lines
from services.post.office import channel_in
from services.post.settings import load_settings
from services.post.worker import Worker
from services.wire.channels import COMMISSION, REGISTRAR, from_commission
from services.wire.errors import SettingsError
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.folders import Folders
from tests.listening import Listener
from tests.people import HOME, PUPIL
from tests.personal import PERSONAL
from tests.troubles import settled

FORM = ("time", "level", "event", "participant", "text", "logger")


def record(text: str, **values: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "services.post.worker", "levelname": "WARNING", "msg": text, **values})


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_line_of_the_workers_of_the_demonstration_is_an_object_without_anything_personal(demo: Path) -> None:
    for name in (REGISTRAR, COMMISSION, SCHOOL):
        found = lines((demo / "demo-exchange" / name / "worker.log").read_text("utf-8"))
        assert [each["event"] for each in found][:1] + [each["event"] for each in found][-1:] == ["working", "ended"]
        for each in found:
            assert list(each)[: len(FORM)] == list(FORM)
            assert each["participant"] == name
            assert PERSONAL.search(json.dumps(each, ensure_ascii=False)) is None


def test_an_alarm_names_its_channel(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    settled(exchange)
    member, channel = exchange.members[SCHOOL], from_commission(SCHOOL)
    member.office.letterbook.note(channel, state="stopped", reason="for a test")
    exchange.clock.now += 86_400_000
    with caplog.at_level(logging.WARNING):
        member.work()
        member.worker.tell()
    told = {each.__dict__["channel"]: each.__dict__["event"] for each in caplog.records if each.levelno == logging.WARNING}
    assert told[channel] == "alarm"


@pytest.mark.parametrize(
    ("alarm", "channel"),
    [
        ("registrar.trust has said nothing for 8 days", "registrar.trust"),
        ("school-0099900011.record: the log lacks 2 entries", "school-0099900011.record"),
        ("letters were not taken in: a text", None),
        ("registrar.record.trust: no channel", None),
        ("", None),
    ],
)
def test_the_channel_of_an_alarm_is_its_first_word(alarm: str, channel: str | None) -> None:
    assert channel_in(alarm) == channel


def test_a_line_stays_one_line_and_says_what_there_is_to_say() -> None:
    line = JsonLines(SCHOOL).format(record("two\nlines\u2028and \x1b[2J", event="alarm", channel="a.record", exit_code=3, more=1))
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert found["text"] == "two\nlines\u2028and \x1b[2J"
    assert (found["event"], found["channel"], found["exit_code"], "more" in found) == ("alarm", "a.record", 3, False)
    assert Sentences().format(record("two\nlines \x1b[2J")) == "two\ufffdlines \ufffd[2J"


def test_a_library_that_logs_has_its_lines_in_the_same_form() -> None:
    found = json.loads(JsonLines(SCHOOL).format(logging.makeLogRecord({"name": "aiokafka.client", "msg": "gone"})))
    assert (found["event"], found["logger"], found["text"]) == ("library", "aiokafka.client", "gone")


def test_how_a_worker_ended_is_a_line_with_its_exit_code(folders: Folders) -> None:
    (folders.home(SCHOOL) / "ring.key").unlink()
    answer = folders.run(SCHOOL, "worker")
    last = lines(answer.err)[-1]
    assert (answer.code, last["event"], last["error"], last["exit_code"]) == (7, "ended", "Ring", 7)


def test_a_mistake_in_this_program_is_told_by_its_kind_and_place_and_not_by_what_it_says(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Worker, __: object) -> None:
        raise KeyError(PUPIL.family_name)

    monkeypatch.setattr(Worker, "work", broken)
    for form in ("json", "text"):
        monkeypatch.setenv("SARAKSTE_LOGGING__FORMAT", form)
        answer = folders.run(SCHOOL, "worker")
        assert (answer.code, "KeyError" in answer.err, "test_logs.py" in answer.err) == (1, True, True)
        assert PERSONAL.search(answer.err) is None
    assert len(answer.err.splitlines()) == 2


def test_a_person_who_wants_sentences_has_them(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARAKSTE_LOGGING__FORMAT", "text")
    monkeypatch.setattr(Worker, "work", lambda *_: None)
    assert folders.run(SCHOOL, "worker").err == f"{SCHOOL}: working\nstopped\n"
    monkeypatch.setenv("SARAKSTE_LOGGING__FORMAT", "xml")
    with pytest.raises(SettingsError, match="SARAKSTE_LOGGING__FORMAT"):
        load_settings(folders.home(SCHOOL) / "sarakste.toml")


def test_on_a_terminal_lines_are_sentences(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for is_terminal, told in ((True, "here\n"), (False, '"text": "here"')):
        monkeypatch.setattr("sys.stderr.isatty", lambda is_terminal=is_terminal: is_terminal)
        with log_lines(SCHOOL, form="auto"):
            logging.getLogger("services.anything").info("here")
        err = capsys.readouterr().err
        assert (told in err, err.startswith("{")) == (True, not is_terminal)


@pytest.mark.parametrize(
    "said", [PUPIL.given_name, f"of {PUPIL.family_name}.", PUPIL.personal_code, "320000-00001", HOME.text, "Maija Palīdze"]
)
def test_whoever_logs_something_personal_is_found_by_its_place_and_not_quoted(said: str) -> None:
    listener, logger = Listener(), logging.Logger("services.careless")  # noqa: LOG001  # one that nobody else hears
    logger.addHandler(listener)
    logger.debug("nothing at all")
    assert listener.taken() == []
    logger.debug("it is about %s", said)
    logger.debug("it is about somebody", extra={"channel": said})
    places = listener.taken()
    assert [Path(place.rpartition(":")[0]).name for place in places] == ["test_logs.py"] * 2
    assert said not in str(places)
    assert listener.taken() == []


def test_the_whole_suite_is_listened_to(listener: Listener) -> None:
    before = listener.lines
    console_worker._logger.debug("heard")  # noqa: SLF001  # one of ours, at the lowest level
    assert listener.lines == before + 1

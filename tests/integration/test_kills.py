"""Workers are killed at random moments, by SIGKILL, while cases run; in the end every case is right, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from services.audit.verify import open_log, verify_log
from services.commission.application import Commission
from services.commission.bootstrap import build as build_commission
from services.commission.input import AnswerInput, ExaminationInput, RecommendationInput, RegistrationInput
from services.desk.founding import found_exchange
from services.post.building import milliseconds
from services.post.office import day_of
from services.post.saving import StartingError
from services.post.viewing import cases, events
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.school.input import read_application
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.errors import DatabaseBusyError
from services.wire.events import Opinion
from tests.people import another_pupil, application_json

ROOT = Path(__file__).resolve().parents[2]
SCHOOL = "school-0099900011"
KILLS = 30
CASES = 8


class Workers:
    """The worker processes of an exchange; a killed one is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "services.desk", name.partition("-")[0], "worker"]
        config = ["--config", str(self.folder / name / "sarakste.toml")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / name / "worker.log").open("ab") as log:
            self.running[name] = subprocess.Popen([*command, *config], stdout=log, stderr=log, env=environment)  # noqa: S603

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()
        self.start(name)

    def stop(self) -> list[int]:
        for each in self.running.values():
            each.send_signal(signal.SIGTERM)
        return [each.wait(timeout=8) for each in self.running.values()]

    def fallen(self) -> list[str]:
        return [name for name, each in self.running.items() if each.poll() is not None]


def go_on(clerk: Commission, school: School, case_id: UUID) -> None:
    """Let the clerk of the commission do what is next in each case, as far as the cases have come."""
    today = clerk.office.today
    theirs = commission_case(case_id, to_commission(school.office.participant))
    for line in cases(clerk.office):
        if line.case != str(theirs):
            continue
        done = {event.event for event in events(clerk.office, theirs)}
        if "RequestRegistered" not in done:
            clerk.register(theirs, RegistrationInput(register_number="R-17", received_on=today))
        elif "ExpertiseFileExamined" not in done:
            clerk.examine(theirs, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
        elif "RecommendationIssued" not in done:
            clerk.recommend(theirs, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
        elif "ConfirmationGiven" not in done:
            clerk.answer(theirs, AnswerInput(official="Ilze Paraudziņa"))


@pytest.mark.timeout(300)
def test_thirty_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "exchange"
    list(found_exchange(folder, ["0099900011"]))
    workers = Workers(folder)
    for name in ("registrar", COMMISSION, SCHOOL):
        workers.start(name)
    school, clerk = build_school(folder / SCHOOL / "sarakste.toml"), build_commission(folder / COMMISSION / "sarakste.toml")
    rng = random.Random(30)  # noqa: S311  # moments, no secret
    mine: list[UUID] = []
    try:
        wait_for_trust(school, clerk)
        for kill in range(KILLS):
            if kill % (KILLS // CASES) == 0 and len(mine) < CASES:
                mine.append(asked(school, kill))
            for case_id in mine:
                patient(partial(go_on, clerk, school, case_id))
            time.sleep(rng.uniform(0.05, 0.8))
            workers.kill(rng.choice([COMMISSION, SCHOOL, SCHOOL, COMMISSION, "registrar"]))
        until = time.monotonic() + 120
        while {line.state for line in cases(school.office)} != {"ReadyForDecision"}:
            assert time.monotonic() < until, [line.state for line in cases(school.office)]
            assert not workers.fallen(), [(folder / name / "worker.log").read_text() for name in workers.fallen()]
            for case_id in mine:
                patient(partial(go_on, clerk, school, case_id))
            time.sleep(0.1)
        time.sleep(2)
    finally:
        codes = workers.stop()
    assert codes == [0, 0, 0]
    assert len(cases(school.office)) == len(mine) == CASES
    for case_id in mine:
        once(school, clerk, case_id)
    report = verify_log(open_log(folder / "log.sqlite"), load_root((folder / "root.pem").read_bytes()))
    assert report.findings == []


def once(school: School, clerk: Commission, case_id: UUID) -> None:
    ours = Counter(event.event for event in events(school.office, case_id))
    assert ours == Counter(
        ["ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen", "InformationRequested", "ConfirmationGiven"]
    )
    theirs = events(clerk.office, commission_case(case_id, to_commission(SCHOOL)))
    decided = ["RequestRegistered", "ExpertiseFileExamined", "RecommendationIssued", "ConfirmationGiven"]
    assert Counter(event.event for event in theirs) == Counter(["InformationRequested", *decided])
    assert all(event.sequence for event in theirs)


def asked(school: School, number: int) -> UUID:
    today = day_of(milliseconds())
    form = application_json(received_on=today.isoformat(), pupil=another_pupil(number))
    form["consent"]["received_on"] = today.isoformat()
    read = read_application(json.dumps(form).encode(), today=today)
    filed: list[UUID] = []
    patient(lambda: filed.append(school.file(read)[0]))
    patient(lambda: school.request(filed[0]))
    return filed[0]


def wait_for_trust(school: School, clerk: Commission) -> None:
    until = time.monotonic() + 60
    while not school.office.trust.schemas or not clerk.office.trust.schemas:
        assert time.monotonic() < until
        time.sleep(0.1)


def patient(do: Callable[[], object]) -> None:
    """Do it, again where another process held the database for too long, or a worker is just starting."""
    until = time.monotonic() + 60
    while True:
        try:
            do()
        except (DatabaseBusyError, StartingError):
            assert time.monotonic() < until
            time.sleep(0.1)
        else:
            return

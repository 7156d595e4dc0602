"""From a request until its answer is there, against a bare round trip of two messages of the same sizes over the same broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from infra.kafka.cluster import ADMIN, Cluster
from services.channel.kafka import goodbye
from services.commission.application import Commission
from services.commission.bootstrap import build as build_commission
from services.commission.input import AnswerInput, DispatchInput, ExaminationInput, RecommendationInput, RegistrationInput
from services.desk.founding import found_exchange
from services.desk.kafka_ground import KafkaGround
from services.desk.processes import Processes
from services.post.office import Office
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.wire.channels import COMMISSION, commission_case, from_commission, to_commission
from services.wire.events import Delivery, Opinion
from tests.bench.measuring import say
from tests.brokers import Bench
from tests.people import another_pupil, application_form

__all__ = ["round_trips"]

NUMBER: Final = "0099900011"
SCHOOL: Final = f"school-{NUMBER}"
TOPICS: Final = ("bench.there", "bench.back")
TRIPS: Final = 150
WARM: Final = 20
LOOK_SECONDS: Final = 0.0005
PATIENCE_SECONDS: Final = 30


def round_trips(cluster: Cluster, folder: Path) -> None:
    """Print the median and the 99th of a hundred, and what they are of the bare ones."""
    ground = KafkaGround(cluster.folder, folder)
    for _ in found_exchange(folder, [NUMBER], ground=ground):
        pass
    processes = Processes(folder, (SCHOOL,), ground)
    with processes.working():
        ours = _ours(folder)
    sizes = _sizes(ground)
    ground.close()
    Bench(cluster).make_anew(*TOPICS)
    bare = asyncio.run(_bare(cluster, sizes))
    _say_both("from a request to its answer at the school, p50", median(ours), median(bare), "<= 3")
    _say_both("the same, p99", _p99(ours), _p99(bare), "<= 5")


def _ours(folder: Path) -> list[float]:
    school = build_school(folder / SCHOOL / "sarakste.toml")
    commission = build_commission(folder / COMMISSION / "sarakste.toml")
    took = [_trip(school, commission, number) for number in range(WARM + TRIPS)]
    return took[WARM:]


def _trip(school: School, commission: Commission, number: int) -> float:
    """Ask, decide and answer; return the seconds without those of the deciding."""
    case_id, _ = school.file(application_form(pupil=another_pupil(number)))
    theirs = commission_case(case_id, to_commission(SCHOOL))
    _wait(school.office, lambda: _is_quiet(school.office))
    there = _timed(lambda: school.request(case_id), commission.office, lambda: bool(_state(commission.office, theirs)))
    _decide(commission, theirs)
    _wait(commission.office, lambda: _is_quiet(commission.office))
    answer = AnswerInput(official="Ilze Paraudziņa")
    back = _timed(
        lambda: commission.answer(theirs, answer), school.office, lambda: _state(school.office, case_id) == "ReadyForDecision"
    )
    return there + back


def _decide(commission: Commission, case_id: UUID) -> None:
    today = commission.office.today
    commission.register(case_id, RegistrationInput(register_number="R-17", received_on=today))
    commission.examine(case_id, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))
    commission.recommend(case_id, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    commission.dispatch(case_id, DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=today))


def _timed(act: Callable[[], object], there: Office, is_there: Callable[[], bool]) -> float:
    began = time.perf_counter()
    act()
    _wait(there, is_there)
    return time.perf_counter() - began


def _wait(office: Office, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise RuntimeError(f"{office.participant} did not come so far in {PATIENCE_SECONDS} seconds")
        while not office.database.has_changed() and time.monotonic() <= until:
            time.sleep(LOOK_SECONDS)


def _is_quiet(office: Office) -> bool:
    return office.database.one("SELECT 1 FROM outgoing") is None and not office.letterbook.unsent(1)


def _state(office: Office, case_id: UUID) -> str:
    row = office.database.one("SELECT state FROM cases WHERE case_id = ?", case_id.hex)
    return row["state"] if row else ""


def _sizes(ground: KafkaGround) -> tuple[int, int]:
    """Return the median sizes of what went to the commission and of what came back."""
    with ground.look() as log:
        found = [
            [len(record.value) for record in log.poll({channel: 0}, timeout_seconds=0, limit=200)]
            for channel in (to_commission(SCHOOL), from_commission(SCHOOL))
        ]
    return int(median(found[0])), int(median(found[1]))


async def _bare(cluster: Cluster, sizes: tuple[int, int]) -> list[float]:
    settings = cluster.client(ADMIN)
    producer = AIOKafkaProducer(**settings, acks="all", enable_idempotence=False)
    await producer.start()
    consumers = [AIOKafkaConsumer(**settings, auto_offset_reset="earliest") for _ in range(2)]
    for consumer, topic in zip(consumers, TOPICS, strict=True):
        await consumer.start()
        consumer.assign([TopicPartition(topic, 0)])
    took = []
    for _ in range(WARM + TRIPS):
        began = time.perf_counter()
        for consumer, topic, size in zip(consumers, TOPICS, sizes, strict=True):
            await producer.send_and_wait(topic, bytes(size), partition=0)
            await consumer.getone()
        took.append(time.perf_counter() - began)
        # As between two acts: nobody's answer waits for the next question.
        await asyncio.sleep(0.02)
    for each in (*consumers, producer):
        await each.stop()
    await goodbye()
    return took[WARM:]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def _say_both(what: str, ours: float, bare: float, goal: str) -> None:
    say(what, ours / bare, goal, f"{1000 * ours:.1f} ms against {1000 * bare:.1f} ms")

"""An exchange of one school and the commission for tests that do something to one of its processes and look what happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.post.building import milliseconds
from services.post.office import day_of
from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import SCHOOL
from tests.kills.checks import check_file, check_letterbooks
from tests.kills.clerks import Desk
from tests.kills.forking import Child, Pool, warm
from tests.kills.looking import Sight
from tests.people import another_pupil, application_json

__all__ = ["NAMES", "Play", "answer", "error", "found_play", "said"]

NAMES = [REGISTRAR, COMMISSION, SCHOOL]
# Not for how long something may take: a machine may have other things to do.
_PATIENCE_SECONDS: Final = 200


@dataclass(slots=True)
class Play:
    """The exchange, its workers by name, and what their clerks do."""

    folder: Path
    pool: Pool = field(default_factory=Pool)
    workers: dict[str, Child] = field(default_factory=dict)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        papers = self.folder / "papers"
        papers.mkdir()
        self.desk = Desk(Sight(self.folder / "exchange"), papers)

    @property
    def sight(self) -> Sight:
        return self.desk.sight

    def home(self, name: str) -> Path:
        return self.sight.folder / name

    def work(self, name: str, *, before: Callable[[], None] | None = None) -> Child:
        """Start a worker."""
        self.workers[name] = self.pool.start(replace(self.desk.order(name, "worker"), before=before))
        return self.workers[name]

    def do(self, who: str, act: str, *arguments: object, before: Callable[[], None] | None = None) -> Child:
        """Run a command to its end; patient where a worker is just starting."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            done = self.pool.run(replace(self.desk.order(who, act, *arguments), before=before))
            if error(done).get("error") not in ("Starting", "NotReady", "DatabaseBusy") or time.monotonic() > until:
                return done
            time.sleep(0.05)

    def file(self, pupil: int, *, before: Callable[[], None] | None = None, back: int = 0) -> Child:
        """File an application of today, by a clock that is ``back`` milliseconds behind."""
        today = day_of(milliseconds() - back).isoformat()
        form = application_json(received_on=today, pupil=another_pupil(pupil))
        form["consent"]["received_on"] = today
        return self.do(SCHOOL, "file", self.desk.form(form), before=before)

    def asked(self, pupil: int) -> UUID:
        """File an application and ask the commission."""
        case_id = UUID(answer(self.file(pupil))["case"])
        done = self.do(SCHOOL, "request", case_id)
        assert done.code == 0, error(done)
        return case_id

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < until, what
            self.pool.step(0.05)

    def ended(self, child: Child) -> Child:
        """Wait until a process has ended by itself."""
        self.wait(lambda: child.code is not None, f"{child.order.kind} does not end")
        return child

    def settle(self) -> None:
        """Wait until everything is signed, sent, read and receipted."""
        self.wait(lambda: self.sight.is_quiet(NAMES), "it does not come to rest")

    def check(self) -> None:
        """Stop the workers, and check that files are whole, and that each side's letterbook is the log."""
        assert set(self.stop()) <= {0}
        for path in [self.sight.folder / "log.sqlite", *map(self.sight.database, NAMES)]:
            check_file(path)
        check_letterbooks(self.sight, NAMES)
        log, root = self.sight.folder / "log.sqlite", self.sight.folder / "root.pem"
        order = replace(self.desk.order(REGISTRAR, "verify"), arguments=("verify", str(log), "--root", str(root)))
        assert self.pool.run(order).code == 0

    def stop(self) -> list[int | None]:
        """Tell the workers to stop, and return how they ended."""
        left = [child for child in self.workers.values() if child.code is None]
        self.pool.stop(left)
        return [child.code for child in left]


def found_play(folder: Path) -> Play:
    """Found an exchange and let everybody work in it."""
    warm()
    play = Play(folder)
    order = replace(play.desk.order(REGISTRAR, "init"), arguments=("init", str(play.sight.folder), "--school", "0099900011"))
    assert play.pool.run(order).code == 0
    for name in NAMES:
        play.work(name)
    return play


def answer(child: Child) -> Any:
    """Return what a command answered."""
    assert child.code == 0, said(child)
    return json.loads(child.order.out.read_text("utf-8"))


def said(child: Child) -> str:
    """Return what a process told on stderr; nothing where it has not begun yet."""
    return child.order.err.read_text("utf-8") if child.order.err.exists() else ""


def error(child: Child) -> dict[str, Any]:
    """Return the error that a command told as JSON, an empty one where it told none."""
    lines = said(child).splitlines()
    found = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return dict(found)

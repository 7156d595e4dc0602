"""The demonstration: the stories of ``demo/*.yaml`` played by separate processes, told as they go, and left to play with.

Every line that it prints comes from what happened: places and digests from the log, what opens and what does not from
trying each participant's keys, the findings from ``verify``.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from rich.console import Console
from rich.markup import escape

from services.audit.verify import open_log, verify_log
from services.desk.founding import found_exchange
from services.desk.ground import FileGround, Ground
from services.desk.playing import NotAsWrittenError, Played, Playing
from services.desk.processes import Processes
from services.desk.script import Script, read_script
from services.desk.sight import Sight, sights
from services.post.viewing import cases, events
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, to_commission
from services.wire.entry import decode_entry
from services.wire.errors import SettingsError

__all__ = ["make_room", "play", "scripts"]

_RECEIPT_SECONDS: Final = 1.5
_MARK: Final = ".demonstration"


def scripts() -> list[Path]:
    """Return the stories of the demonstration, from the wheel or, in a checkout, from ``demo/``."""
    packaged = Path(str(files("services").joinpath("_demo")))
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "demo"
    return sorted(folder.glob("*.yaml"))


def play(folder: Path, *, ground: Ground | None = None, on_stderr: bool = False) -> dict[str, Any]:
    """Play the demonstration in ``folder``, tell it, and return what was shown; an earlier one there is replaced.

    The log stands on ``ground``, by default on a file in the folder.

    Raises: as ``make_room``; NotAsWrittenError if anything is not as the stories say.
    """
    began = time.monotonic()
    stories = [read_script(path) for path in scripts()]
    make_room(folder)
    ground = ground or FileGround(folder)
    showing = _Showing(folder, ground, stories, Console(stderr=on_stderr, highlight=False, soft_wrap=True))
    with closing(ground):
        showing.show()
    seconds = time.monotonic() - began
    showing.console.print(f"\n[bold]All of this took {seconds:.1f} seconds[/bold]")
    return showing.report | {"seconds": round(seconds, 1)}


def make_room(folder: Path) -> None:
    """Make the folder of a demonstration, empty but for its mark; an earlier demonstration there is removed.

    Raises: SettingsError if the folder is there and no demonstration made it.
    """
    if folder.exists():
        # By a mark of its own: a real exchange has root.pem too, and all its keys would be gone.
        if not (folder / _MARK).is_file():
            raise SettingsError(f"{folder} is there, and no demonstration made it; choose another folder, or remove it yourself")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("A demonstration made this folder, and the next one replaces it.\n", "utf-8")


@dataclass(slots=True)
class _Showing:
    """One run: what is printed goes to ``console``, what was shown into ``report``."""

    folder: Path
    ground: Ground
    stories: list[Script]
    console: Console
    report: dict[str, Any] = field(default_factory=dict)
    company: Processes = field(init=False)
    seen: set[str] = field(default_factory=set)

    def show(self) -> None:
        numbers = sorted({number for story in self.stories for number in story.schools})
        self._title("A new exchange: a registrar, the commission and two schools, each with keys of its own")
        made = [self._line(made) for made in found_exchange(self.folder, numbers, ground=self.ground)]
        self.company = Processes(self.folder, tuple(f"school-{number}" for number in numbers), self.ground)
        with self.company.working() as processes:
            self._line("working as processes: " + ", ".join(f"{name} {number}" for name, number in processes.items()))
            told = [self._story(place, story) for place, story in enumerate(self.stories, start=1)]
            time.sleep(_RECEIPT_SECONDS)
            self.company.settle()
        self.report = {"made": [asdict(each) for each in made], "processes": dict(processes), "stories": told}
        self._channels()
        self._rebuild()
        self._verify()
        self._next(told[0])

    def _story(self, place: int, story: Script) -> dict[str, Any]:
        self._title(f"{place}. {story.title}")
        playing = Playing(story, self.company)
        steps, shown = [], []
        for played in playing.play():
            steps.append(self._step(played))
            fresh = [each for each in self._sights() if each.digest not in self.seen]
            self.seen.update(each.digest for each in fresh)
            shown += self._events(fresh)
        (name, (school, case_id)), *_ = playing.numbers.items()
        ending = self._ending(name, school, case_id)
        return {"title": story.title, "steps": steps, "events": shown, **ending}

    def _step(self, played: Played) -> dict[str, Any]:
        self.console.print(f"  {played.who}: [bold]{played.act}[/bold] {escape(played.case)}")
        if played.refused:
            self.console.print(f"    refused by the rule {played.refused}: {escape(played.why)}")
        return asdict(played)

    def _events(self, fresh: list[Sight]) -> list[dict[str, Any]]:
        """Tell each event with its place and digest, and once for all that are read alike who reads them and who does not."""
        for (facts, personal), alike in groupby(fresh, key=lambda each: (each.facts, each.personal)):
            for each in alike:
                place = f"{each.channel} at {each.epoch}/{each.sequence}"
                self.console.print(
                    f"    {each.writer:<17} wrote {each.event or 'what nobody opens':<22} {place:<40} {each.digest[:16]}"
                )
            self.console.print("      " + "; ".join(_reading(tuple(self.company.offices), facts, personal)))
        return [asdict(each) | {"closed_to": sorted(set(self.company.offices) - set(each.facts))} for each in fresh]

    def _ending(self, name: str, school: str, case_id: UUID) -> dict[str, Any]:
        office = self.company.offices[school]
        state = next(line.state for line in cases(office) if line.case == str(case_id))
        sentence = next((line.sentence for line in events(office, case_id) if line.sentence), None)
        self.console.print(f"  {school} reads the sentence: {sentence}")
        self.console.print(f"  its case {escape(name)}, number {case_id}, is now [bold]{state}[/bold]")
        return {"school": school, "case": str(case_id), "state": state, "sentence": sentence}

    def _channels(self) -> None:
        self._title("Who can read what, once more by channel: everybody tried every key that they hold on every sealed event")
        everything = sorted(self._sights(), key=lambda each: each.channel)
        found = self.report["channels"] = {}
        for channel, group in groupby(everything, key=lambda each: each.channel):
            there = list(group)
            opened = {name: sum(name in each.facts for each in there) for name in self.company.offices}
            found[channel] = {"events": len(there), "opened_by": opened}
            told = ", ".join(f"{name} {number}" for name, number in opened.items())
            self.console.print(f"  {channel:<36} {len(there):>2} events; opened by {told}")

    def _rebuild(self) -> None:
        self._title("Each case is rebuilt from its own events, and compared with what was lived through")
        found = self.report["rebuilt"] = {}
        for name in (COMMISSION, *self.company.schools):
            result = found[name] = self.company.ask(name, "rebuild")
            self._line(f"{name:<18} {result['cases']} cases rebuilt, {len(result['different'])} different")
            if result["different"]:
                raise NotAsWrittenError(f"{name} rebuilt other cases than it lived through")

    def _verify(self) -> None:
        self._title("The log is verified with nothing but root.pem; then one byte of a copy is flipped")
        root = load_root((self.folder / "root.pem").read_bytes())
        whole, copy = self.ground.copy(), self.folder / "flipped.sqlite"
        _flip_one_byte(whole, copy, to_commission(self.company.schools[0]))
        for path, is_clean in ((whole, True), (copy, False)):
            with closing(open_log(path)) as log:
                report = verify_log(log, root)
            self._line(f"{path.name}: {report.entries} entries in {len(report.channels)} channels, {report.counted}")
            for finding in report.findings:
                self._line(f"  {finding.channel} at {finding.epoch}/{finding.sequence}: {finding.what}")
                self._line(f"    expected {finding.expected}")
                self._line(f"    found    {finding.found}")
            if report.is_clean != is_clean:
                raise NotAsWrittenError(f"{path.name} verifies otherwise than it should")
            self.report[path.stem] = {"entries": report.entries, "findings": [asdict(each) for each in report.findings]}

    def _next(self, told: dict[str, Any]) -> None:
        self._title("What to try next")
        self.report["next"] = [self._line(line) for line in _commands(self.folder, told["school"], told["case"])]

    def _sights(self) -> list[Sight]:
        with self.ground.look() as log:
            return sights(log, self.company.offices)

    def _title(self, text: str) -> None:
        self.console.print(f"\n[bold]{escape(text)}[/bold]")

    def _line(self, what: Any) -> Any:
        self.console.print(f"  {escape(str(what))}")
        return what


def _reading(everybody: tuple[str, ...], facts: tuple[str, ...], personal: tuple[str, ...]) -> Iterator[str]:
    whole, half = [name for name in facts if name in personal], [name for name in facts if name not in personal]
    nothing = sorted(set(everybody) - set(facts))
    for names, what in ((whole, "facts and personal"), (half, "facts alone"), (nothing, "nothing")):
        if names:
            yield f"{', '.join(names)} {'reads' if len(names) == 1 else 'read'} {what}"


def _commands(folder: Path, school: str, case: str) -> Iterator[str]:
    command = ".venv/bin/sarakste"
    if Path(sys.argv[0]).absolute() != Path(command).absolute():
        command = "sarakste"
    settings = f"--config {folder}/{school}/sarakste.toml"
    yield f"{command} school cases {settings}"
    yield f"{command} school show {case} {settings} --personal"
    yield f"{command} commission cases --config {folder}/{COMMISSION}/sarakste.toml"
    yield f"{command} verify {folder}/log.sqlite --root {folder}/root.pem"
    yield f"{command} verify {folder}/flipped.sqlite --root {folder}/root.pem"


def _flip_one_byte(log: Path, copy: Path, channel: str) -> None:
    """Copy a log, and flip one bit in the middle of the first sealed facts of a channel in the copy."""
    with closing(sqlite3.connect(log)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        query = "SELECT position, value FROM records WHERE channel = ? ORDER BY position"
        for position, value in target.execute(query, (channel,)).fetchall():
            facts = decode_entry(value).raw_facts
            if facts is not None:
                place = value.index(facts) + len(facts) // 2
                flipped = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
                target.execute("UPDATE records SET value = ? WHERE channel = ? AND position = ?", (flipped, channel, position))
                break
        target.commit()

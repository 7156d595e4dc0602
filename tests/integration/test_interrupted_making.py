"""Whoever makes an exchange, or joins one, may be killed at any moment: the same command again goes on with the same keys."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from services.wire.certificates import load_root
from tests.kills.checks import check_file
from tests.kills.forking import Child, Order, Pool
from tests.kills.watching import Aim

NUMBER = "0099900033"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "papers").mkdir()
    return tmp_path


def run(folder: Path, *arguments: object, aim: Aim | None = None) -> Child:
    """Run a command in a forked child, killed as ``aim`` says."""
    pool, papers = Pool(), folder / "papers"
    place = papers / str(len(list(papers.iterdir())))
    order = Order(
        kind="making",
        arguments=tuple(map(str, arguments)),
        out=place.with_suffix(".out"),
        err=place.with_suffix(".err"),
    )
    child = pool.start(order, aim)
    while child.code is None:
        pool.step(1)
    return child


def said(child: Child) -> str:
    return child.order.err.read_text("utf-8")


def keys(home: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in home.glob("*.key")}


def test_a_registrar_is_made_by_a_second_try_wherever_the_first_was_killed(folder: Path) -> None:
    for moment in count(1):
        exchange = folder / f"exchange-{moment}"
        making = ("registrar", "init", exchange, "NTRLV-99990000022", "Reģistrs")
        if not run(folder, *making, aim=Aim(0, moment)).is_killed:
            break
        made = keys(exchange / "registrar")
        again = run(folder, *making)
        assert again.code == 0 or "holds an exchange already" in said(again)
        assert made.items() <= keys(exchange / "registrar").items()
        load_root((exchange / "root.pem").read_bytes())
        check_file(exchange / "registrar" / "database.sqlite")
        assert run(folder, "registrar", "confirm", "--config", exchange / "registrar" / "sarakste.toml").code == 0
    assert moment > 8


def test_a_school_joins_by_a_second_try_wherever_the_first_was_killed(folder: Path) -> None:
    exchange = folder / "exchange"
    assert run(folder, "init", exchange, "--school", "0099900011").code == 0
    names = ("--organisation", f"NTRLV-{NUMBER}", "--name", "Jauna skola")
    places = ("--log", exchange / "log.sqlite", "--root", exchange / "root.pem")
    for moment in count(1):
        home = folder / f"school-{moment}"
        making = ("school", "init", home, "--number", NUMBER, *names, *places)
        if not run(folder, *making, aim=Aim(0, moment)).is_killed:
            break
        made = keys(home)
        again = run(folder, *making)
        assert again.code == 0 or "its request.pem is what the registrar needs" in said(again)
        assert made.items() <= keys(home).items()
        check_file(home / "database.sqlite")
        config = ("--config", exchange / "registrar" / "sarakste.toml")
        assert run(folder, "registrar", "issue", home / "request.pem", folder / "certificate.pem", *config).code == 0
        assert run(folder, "school", "certificate", folder / "certificate.pem", "--config", home / "sarakste.toml").code == 0
    assert moment > 5


def test_an_exchange_whose_making_was_killed_says_how_to_begin_again(folder: Path) -> None:
    exchange = folder / "exchange"
    assert run(folder, "init", exchange, "--school", "0099900011", aim=Aim(0, 20)).is_killed
    again = run(folder, "init", exchange, "--school", "0099900011")
    assert again.code == 2
    assert "may be removed and made again" in said(again)

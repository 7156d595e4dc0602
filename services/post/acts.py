"""Acts: what people at a participant can do, one row an act.

Commands, rehearsals and what a case may do next are made from the participants' tables of acts; nothing else lists them. Names
stand for what is looked up when it is needed, so that a table imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from services.post.office import Office

__all__ = ["Act", "enter_as"]


class Act(NamedTuple):
    """A command: its form (None: it takes none) and its use case by their names, its help, and who does it.

    ``begins``: it makes a case, and does not act in one.
    """

    form: str | None
    method: str
    help: str
    by: str
    begins: bool = False


def enter_as(office: Office, act: Act) -> None:
    """Let what is saved now say who enters it: the clerk by the reference in the settings, else the role that does the act."""
    office.entered_by = office.clerk or act.by

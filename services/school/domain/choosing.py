"""Another route for an application that is there: a.1, a.2, b.1, b.2 or both copies in hand (A5.1).

The requester chooses one route, and may find that another one suits: who declines that the school asks goes on by a.1 or b.1
(D.5, 1), and a plan without the indication makes of a an application by b (D.5, 24). The application stays what was filed; its
day, and what else it brought, stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.post.history import New
from services.school.domain import refusals, refusals_completing
from services.school.domain.allowing import require_undecided
from services.school.domain.folded import SchoolCase
from services.school.domain.refusals_deciding import DateOrderError
from services.school.input import VariantForm
from services.wire.events import ApplicationFiled, VariantChosen, VariantChosenPersonal

__all__ = ["GUARDS", "choose_variant"]


def choose_variant(case: SchoolCase, form: VariantForm) -> tuple[New, ...]:
    """Return the event of another route.

    Raises: RequestOpenError while the commission holds the request or has answered it; VariantStandsError; DateOrderError; as
    ``require_undecided``.
    """
    filed = _may_choose(case)
    if form.received_on < filed.received_on:
        raise DateOrderError("The application", filed.received_on)
    if form.variant is case.variant:
        raise refusals_completing.VariantStandsError
    facts = VariantChosen(variant=form.variant, exception_declared=form.exception_declared, received_on=form.received_on)
    return (New(facts=facts, personal=VariantChosenPersonal(by=form.by)),)


def _may_choose(case: SchoolCase) -> ApplicationFiled:
    filed = require_undecided(case)
    # What was asked, and for what, stands while its answer does: an a.2 that was answered makes no b.2 of what was asked.
    if case.is_asked:
        raise refusals.RequestOpenError
    return filed


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {"change-variant": lambda case, _: _may_choose(case)}
"""What the act here asks of a case on a day, before anybody fills in a form."""

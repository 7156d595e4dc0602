"""Well-formed forms for the acts that go on where the first answer ends: what people type, on a day of their clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from services.desk.forming import form_of
from services.policy.forms import Form, parse_form
from services.wire.channels import COMMISSION

__all__ = ["MEDICAL", "Given", "filled_in"]

MEDICAL: Final = "Medicinisks"
"""Stands in every text that the commission writes about a child: it may reach no school."""

_HOME: Final = {"text": "Izdomu iela 11, Paraugpilsēta", "postal_code": "LV-1097"}
_OTHER: Final = {
    "given_name": "Velta",
    "family_name": "Jaunaizbildne",
    "personal_code": "320000-00165",
    "declared_address": _HOME,
}
_ASSISTANTS: Final = ("320000-00211", "320000-00222", "320000-00233")

Json = dict[str, Any]


class Given:
    """What a form needs to know: the day, who and which cases may be named in it, and chance for what people choose."""

    def __init__(  # each is something that a form may name
        self,
        rng: Random,
        today: date,
        *,
        filed_on: date | None = None,
        assistant: int = 1,
        agreement: int = 1,
        cases: Sequence[str] = (),
    ) -> None:
        self.rng, self.today, self.filed_on = rng, today, min(filed_on or today, today)
        self.assistant, self.agreement, self.cases = assistant, agreement, cases

    @property
    def day(self) -> str:
        return self.today.isoformat()

    @property
    def month(self) -> str:
        return self.today.replace(day=1).isoformat()

    def later(self, days: int) -> str:
        return (self.today + timedelta(days=days)).isoformat()


def filled_in(who: str, act: str, given: Given, **changes: Any) -> Form | None:
    """Return the form of an act of a participant, read and checked as its command does it; None where it takes none.

    ``changes`` are fields as they are to be, whatever chance would say.
    """
    kind = form_of(who, act)
    if kind is None:
        return None
    table = _COMMISSION if who == COMMISSION else _SCHOOL
    return parse_form(kind, json.dumps(table[act](given) | changes).encode(), today=given.today)


def _agreement(given: Given) -> Json:
    return {
        "assistant": given.assistant,
        "hours_per_week": given.rng.choice((10, 20, 40)),
        "duties": ["A", "B", "D"],
        "from_on": given.day,
        "until_on": given.later(200),
        "signed_by": ["Requester", "Assistant", "School"],
        "concluded_on": given.day,
        "text": "Vienošanās",
    }


def _screening(given: Given) -> Json:
    return {
        "as_of": given.rng.choice((given.filed_on.isoformat(), given.filed_on.isoformat(), given.day)),
        "child_with_disability": "Yes",
        "group": "NotKnown",
        "benefit": "Yes",
        "opinion": "Yes",
        "enrolled": given.rng.choice(("Here", "Here", "Here", "Elsewhere")),
    }


def _decision(given: Given) -> Json:
    granted: Json = {"outcome": "Granted", "decided_on": given.day, "number": "L-1", "reasons": "Pamatojums"}
    refused = granted | {"outcome": "Refused", "grounds": ["NoRecommendation"], "instruction": "Viena mēneša laikā"}
    return given.rng.choice((granted, granted, refused))


_SCHOOL: Final[Mapping[str, Callable[[Given], Json]]] = {
    "signature": lambda given: {
        "level": "Qualified",
        "container": "AsicE",
        "signer_matches": True,
        "time_stamped": True,
        "signed_on": given.day,
        "report": "Paraksts pārbaudīts",
    },
    "withdraw-consent": lambda given: {"received_on": given.day, "by": "Andris Izdomenieks"},
    "consent": lambda given: {"received_on": given.day, "by": "Andris Izdomenieks"},
    "address": lambda given: {
        "choice": given.rng.choice(("Home", "School")),
        "protected": False,
        "address": _HOME,
        "confirmed_on": given.day,
    },
    "incomplete": lambda given: {"missing": ["Irp"], "told_on": given.day, "letter": "Trūkst"},
    "supplement": lambda given: {
        "supplied": ["Irp", "IrpIndication", "OpinionStatement", "Signature", "Language"],
        "received_on": given.day,
        "content": "Papildināts",
    },
    "change-variant": lambda given: {
        "variant": given.rng.choice(("A1", "A2", "B1", "B2")),
        "exception_declared": True,
        "received_on": given.day,
        "by": "Andris Izdomenieks",
    },
    "link-duplicate": lambda given: {
        "primary": given.rng.choice(given.cases),
        "cause": given.rng.choice(("SamePupil", "OtherParent")),
        "supersedes": given.rng.choice((False, False, None)),
    },
    "reopen": lambda given: {"received_on": given.day, "by": "Ilze Izdomeniece"},
    "screen": _screening,
    "evaluate": lambda given: {
        "kinds": ["Application", "DisabilityIrp", "CommissionAnswer"],
        "irp_indicates_need": True,
        "evaluated_on": given.day,
    },
    "decide": _decision,
    "notify": lambda given: {"by": "Ordinary", "sent_on": given.day, "address": _HOME},
    "contest": lambda given: {"on": given.day, "text": "Nepiekrītu", "term_restored": True},
    "uphold": lambda given: {"on": given.day, "text": "Atstāts spēkā"},
    "set-aside": lambda given: {"on": given.day, "text": "Atcelts"},
    "propose-assistant": lambda given: {
        "given_name": "Maija",
        "family_name": "Palīdze",
        "personal_code": given.rng.choice(_ASSISTANTS),
        "background": "Teacher",
    },
    "annex-cv": lambda given: {
        "assistant": given.assistant,
        "work_experience": given.rng.random() < 0.8,
        "contact_experience": False,
        "cv": "CV",
    },
    "conclude": _agreement,
    "amend": lambda given: _agreement(given) | {"agreement": given.agreement},
    "suspend": lambda given: {"on": given.day, "cause": "PupilAbsent"},
    "resume": lambda given: {"on": given.day, "cause": "CauseEnded"},
    "end-service": lambda given: {"on": given.day, "cause": "TermEnded"},
    "report-hours": lambda given: {
        "month": given.month,
        "agreement": given.agreement,
        "minutes": 60 * given.rng.randrange(1, 20),
    },
    "receive-sealed": lambda given: {"number": f"S-{given.rng.randrange(3)}", "on": given.day},
    "hand-over": lambda given: {"number": f"S-{given.rng.randrange(3)}", "on": given.day, "to_whom": "Andris Izdomenieks"},
    "withdraw": lambda given: {"received_on": given.day, "by": "Andris Izdomenieks"},
    "leave": lambda given: {"on": given.day, "cause": given.rng.choice(("Transferred", "LeftCountry", "Died"))},
    "correct": lambda given: {
        "on": given.day,
        "contact": {"kind": "Phone", "phone": f"2000{given.rng.randrange(10_000):04}"},
        "evidence": "Iesniegums",
    },
    "change-representative": lambda given: {
        "person": _OTHER,
        "authority": "Guardian",
        "from_on": given.day,
        "evidence": "Bāriņtiesas lēmums",
    },
    "oppose": lambda given: {"received_on": given.day, "by": "Ilze Izdomeniece", "text": "Iebilstu"},
    "describe": lambda _: {
        "founder": "Municipality",
        "kind": "General",
        "state_maintained": False,
        "technical_staff_financed": False,
        "from_on": "2020-09-01",
    },
}
_COMMISSION: Final[Mapping[str, Callable[[Given], Json]]] = {
    "register": lambda given: {"register_number": "R-17", "received_on": given.day},
    "examine": lambda given: {
        "file_found": True,
        "opinion": given.rng.choice(("Valid", "Valid", "Expired", "None")),
        "examined_on": given.day,
    },
    "issue-irp": lambda given: {
        "number": f"{MEDICAL} P",
        "text": MEDICAL,
        "issued_on": given.day,
        "indicates_need": given.rng.random() < 0.9,
    },
    "recommend": lambda given: {
        "number": f"{MEDICAL} I",
        "text": MEDICAL,
        "issued_on": given.day,
        "valid_from": given.day,
        "valid_until": given.later(given.rng.choice((3, 365))),
    },
    "refuse": lambda given: {"issued_on": given.day, "grounds": ["NeedNotFound"], "text": MEDICAL},
    "dispatch": lambda given: {"number": f"{MEDICAL} S", "by": "Registered", "sent_on": given.day},
    "answer": lambda _: {"official": "Ilze Paraudziņa"},
    "return-request": lambda _: {"grounds": ["NotLatvian"]},
    "link": lambda _: {},
    "extend-term": lambda given: {"until": given.later(40), "cause": "DocumentsAwaited"},
    "require-attendance": lambda given: {"sent_on": given.day, "letter": MEDICAL},
    "attended": lambda given: {"on": given.day},
    "attendance-lapsed": lambda given: {"on": given.day, "close": given.rng.random() < 0.5},
    "issue-opinion": lambda given: {"on": given.day},
    "deliver-confirmed": lambda given: {"on": given.day, "cause": "ReceiptSigned"},
    "delivery-failed": lambda given: {"on": given.day, "cause": "Returned"},
    "redispatch": lambda given: {"by": "Registered", "sent_on": given.day, "duplicate": False},
    "correct-recommendation": lambda given: {
        "text": f"{MEDICAL} {given.rng.randrange(1000)}",
        "answer_changed": given.rng.random() < 0.5,
        "official": "Ilze Paraudziņa",
        "recommendation": None,
    },
    "revoke": lambda given: {"effective_on": given.day, "reason": "CircumstancesChanged", "text": MEDICAL},
    "contest": lambda given: {"on": given.day, "text": MEDICAL, "term_restored": True},
    "uphold": lambda given: {"on": given.day, "text": MEDICAL},
    "set-aside": lambda given: {"on": given.day, "text": MEDICAL},
    "close": lambda given: {"cause": given.rng.choice(("Answered", "Dispatched", "Withdrawn", "NotIdentified", "Died"))},
}

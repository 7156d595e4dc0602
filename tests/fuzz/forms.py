"""What clerks type: a byte that names the form, and its JSON; an accepted application goes on into events that are sealed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from services.commission import input as commissions
from services.commission.domain.refusals import FormRefusedError as CommissionRefusedError
from services.policy.forms import Form
from services.policy.rules import rules_on
from services.school import input as schools
from services.school.domain.decisions import file_application
from services.school.domain.refusals import FormRefusedError as SchoolRefusedError
from services.wire.errors import RefusedError
from services.wire.events import (
    AddressKind,
    Attachment,
    ContactKind,
    Delivery,
    Intake,
    Opinion,
    RefusalGround,
    Requester,
    Variant,
)
from services.wire.hashing import Id
from services.wire.records import encode_event
from services.wire.sealing import Part, seal
from tests.fuzz.events import BOOK
from tests.fuzz.json_mutator import changed_json
from tests.fuzz.target import Raw, Target, require
from tests.people import TODAY, another_pupil, application_json

__all__ = ["FORMS"]

_ENUMS: Final = (AddressKind, Attachment, ContactKind, Delivery, Intake, Opinion, RefusalGround, Requester, Variant)
_SECRETS: Final = ("Izdomenieks", "Roberts", "Andris", "Palīdze", "29015", "09018", "20000099", "Paraudziņa", "Izdomu")
_HOME: Final = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099", "varis_code": "100000099"}
_WORDS: Final = (
    *(symbol.value for kind in _ENUMS for symbol in kind),
    *(name for form in (schools.ApplicationInput, schools.AddressSupplied) for name in form.model_fields),
    *("2026-08-17", "2026-11-24", "2026-11-25", "1899-12-31", "9999-12-31", "2026-08-17T00:00:00", "LV-1099", "LV1099"),
    *(
        "030218-29015",
        "320000-00001",
        "+37120000099",
        "roberts@example.lv",
        "e\u0301",
        "\u200b",
        "\ud7ff",
        "\x1f",
        "a" * 101,
        _HOME,
    ),
)


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[bytes], Form]
    wholes: tuple[dict[str, Any], ...]


def _commissions(form: type[Form], *wholes: dict[str, Any]) -> _Kind:
    return _Kind(lambda data: commissions.read_form(form, data, today=TODAY), wholes)


def _schools(form: type[Form], *wholes: dict[str, Any]) -> _Kind:
    return _Kind(lambda data: schools.read_form(form, data, today=TODAY), wholes)


_KINDS: Final = (
    _Kind(
        lambda data: schools.read_application(data, today=TODAY),
        (
            application_json(),
            application_json(variant="B2", states_irp=False, attachments=[], address=None, consent={"given": False}),
            application_json(pupil=another_pupil(1), contact={"kind": "Email", "email": "vecaki@example.lv"}),
            application_json(
                requester="AdultPupil",
                representative=None,
                pupil=another_pupil(2) | {"birth_date": "2006-02-03"},
                contact={"kind": "Address"},
            ),
            application_json(
                variant="A1",
                address=None,
                consent={"given": False},
                attachments=["Irp", "RecommendationCopy"],
                recommendation_until="2027-08-31",
                pupil=another_pupil(3) | {"personal_code": "140917-29014", "check_digit_override": "Salīdzināts ar pasi"},
            ),
        ),
    ),
    _Kind(
        lambda data: schools.read_form(schools.ConsentSupplied, data, today=TODAY),
        ({"received_on": "2026-08-18", "by": "Andris Izdomenieks"},),
    ),
    _Kind(
        lambda data: schools.read_form(schools.AddressSupplied, data, today=TODAY),
        ({"choice": "EAddress", "protected": True, "address": _HOME, "confirmed_on": "2026-08-18"},),
    ),
    _commissions(commissions.RegistrationInput, {"register_number": "R-17", "received_on": "2026-08-18"}),
    _commissions(
        commissions.ExaminationInput,
        {"file_found": True, "opinion": "Valid", "opinion_until": "2027-01-31", "examined_on": "2026-08-20"},
        {"file_found": False, "opinion": "None", "examined_on": "2026-08-20"},
    ),
    _commissions(
        commissions.IrpInput, {"number": "P-1", "text": "Plāns\n\nOtrā rinda", "issued_on": "2026-08-21", "indicates_need": True}
    ),
    _commissions(
        commissions.RecommendationInput,
        {
            "number": "I-1",
            "text": "Ieteikums",
            "issued_on": "2026-08-21",
            "valid_from": "2026-08-26",
            "valid_until": "2027-08-31",
        },
    ),
    _commissions(
        commissions.RefusalInput, {"issued_on": "2026-08-21", "grounds": ["NeedNotFound", "OpinionExpired"], "text": "Pamatojums"}
    ),
    _commissions(
        commissions.DispatchInput,
        {"number": "S-1", "by": "Registered", "sent_on": "2026-08-27"},
        {"number": "S-2", "by": "EAddress", "sent_on": "2026-08-27"},
    ),
    _commissions(commissions.AnswerInput, {"official": "Ilze Paraudziņa"}),
    _commissions(
        commissions.DirectInput,
        {
            "register_number": "R-3",
            "received_on": "2026-08-03",
            "intake": "InPerson",
            "asks": "IrpAndRecommendation",
            "requester": "AdultPupil",
            "pupil": {
                "given_name": "Roberts",
                "family_name": "Izdomenieks",
                "personal_code": "030218-29015",
                "declared_address": _HOME,
            },
            "phone": "20000099",
            "address": {"choice": "Home", "protected": False, "address": _HOME},
        },
    ),
    _commissions(commissions.ReturnInput, {"grounds": ["Unsigned", "NotLatvian"]}),
    _commissions(commissions.LinkInput, {"primary": "01912345-0000-7000-8000-000000000001"}, {}),
    _commissions(commissions.ExtensionInput, {"until": "2026-12-19", "cause": "ExpertiseAwaited"}),
    _commissions(commissions.OpinionInput, {"on": "2026-08-25", "until": "2028-08-25"}),
    _commissions(commissions.AttendanceInput, {"sent_on": "2026-08-21", "letter": "Lūdzam ierasties"}),
    _commissions(commissions.RedispatchInput, {"by": "Registered", "sent_on": "2026-09-29", "duplicate": True}),
    _commissions(
        commissions.CorrectionInput,
        {
            "text": "Labojums",
            "answer_changed": True,
            "official": "Ilze Paraudziņa",
            "recommendation": {"number": "I-2", "text": "Ieteikums", "issued_on": "2026-08-26", "valid_from": "2026-08-26"},
        },
    ),
    _commissions(commissions.RevocationInput, {"effective_on": "2026-10-01", "reason": "IssuedInError", "text": "Atcelts"}),
    _commissions(commissions.ContestInput, {"on": "2026-10-05", "text": "Iebildumi", "term_restored": True}),
    _commissions(commissions.ClosingInput, {"cause": "Answered"}),
    _schools(
        schools.SignatureInput,
        {"fault": "Unsigned", "report": "Nav paraksta"},
        {
            "level": "Qualified",
            "container": "AsicE",
            "signer_matches": True,
            "time_stamped": True,
            "signed_on": "2026-08-17",
            "report": "Pārbaudīts",
        },
    ),
    _schools(schools.IncompleteInput, {"missing": ["Consent", "Language"], "told_on": "2026-08-17", "letter": "Vēstule"}),
    _schools(schools.SupplementInput, {"supplied": ["Irp"], "received_on": "2026-08-20", "content": "Kopija"}),
    _schools(schools.DuplicateInput, {"primary": "01912345-0000-7000-8000-000000000001", "cause": "SamePupil"}),
    _schools(
        schools.ScreeningInput,
        {
            "as_of": "2026-08-17",
            "child_with_disability": "Yes",
            "group": "NotKnown",
            "benefit": "Yes",
            "opinion": "No",
            "enrolled": "Here",
        },
    ),
    _schools(
        schools.EvaluationInput,
        {"kinds": ["Application", "DisabilityIrp"], "irp_indicates_need": True, "evaluated_on": "2026-08-20", "note": "Labi"},
    ),
    _schools(
        schools.DecisionInput,
        {"outcome": "Granted", "decided_on": "2026-08-28", "number": "1-7/12", "reasons": "Pamatojums"},
        {
            "outcome": "Refused",
            "grounds": ["NoRecommendation"],
            "decided_on": "2026-08-28",
            "number": "1-7/13",
            "reasons": "Pamatojums",
            "instruction": "Mēneša laikā",
        },
    ),
    _schools(schools.NotificationInput, {"by": "Ordinary", "sent_on": "2026-09-10", "address": _HOME}),
    _schools(schools.ContestInput, {"on": "2026-10-19", "term_restored": True, "text": "Apstrīdu"}),
    _schools(schools.RulingInput, {"on": "2026-11-02", "text": "Lēmums"}),
)


def _seeds() -> list[bytes]:
    return [bytes([at]) + json.dumps(whole).encode() for at, kind in enumerate(_KINDS) for whole in kind.wholes]


def _check(data: bytes) -> bool:
    kind = _KINDS[data[0] % len(_KINDS) if data else 0]
    try:
        form = kind.read(data[1:])
    except (SchoolRefusedError, CommissionRefusedError) as error:
        return _told(error)
    again = kind.read(form.model_dump_json().encode())
    require(again == form, "a form that was brought into one shape is read as another")
    return _file(form) if isinstance(form, schools.ApplicationInput) else True


def _told(error: RefusedError) -> bool:
    """Return False, if what is told names nobody: it is one line a fault, so it may be long."""
    require(not any(each in str(error) for each in _SECRETS), "a complaint repeats what was typed")
    require(all(line.isprintable() for line in str(error).splitlines()), "a complaint tells what a terminal would obey")
    return False


def _file(form: schools.ApplicationInput) -> bool:
    try:
        events = file_application(form, pupil=1, rules=rules_on(form.received_on))
    except RefusedError as error:
        return _told(error)
    for event in events:
        encoded = encode_event(event.facts, event.personal)
        place: dict[str, Any] = {"channel": "school-0099900011.record", "event_id": Id(bytes(16)), "salt": bytes(32)}
        seal(bytes(32), Part.FACTS, encoded.facts, **place)
        seal(bytes(32), Part.PERSONAL, encoded.personal, **place)
        require(BOOK.facts(encoded.type, encoded.schema, encoded.facts) == event.facts, "facts are read as others")
        require(BOOK.personal(encoded.type, encoded.schema, encoded.personal) == event.personal, "a person is read as another")
    return True


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    if rng.random() < 0.1:
        return raw(data, len(data) + 64)
    return data[:1] + changed_json(data[1:], _WORDS, rng, raw)


FORMS: Final = Target(
    name="forms",
    about="what clerks of school and commission type",
    seeds=_seeds,
    check=_check,
    mutate=_mutate,
    limit_bytes=24 * 1024,
)

"""Consent receipts, in the shape of ISO/IEC TS 27560: header, processing, parties, events. Written out and read back.

Invariant: a receipt says what was recorded and nothing more; what is not known is left out. One that is read back is
what another system asserts: its Yes lifts no No of the person and is never wider than it was, its No stays one and is
never narrower.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args

import attrs

from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.words import NOES, YESES, ActKind, ActPurpose, Channel, EvidenceKind
from crmcore.errors import CrmError, InvalidConsent
from crmcore.values.instant import from_text, to_text
from crmcore.values.personal import Document

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
"""What the receipts of crmcore are shaped after. Nobody has certified them."""

_ANY = "any"
"""What stands for a purpose where an act names none."""

_ONE, _THEN = "one", "those_of_then"
"""The contact points that an act is about, which no receipt names: one, or those that the person had then."""

_STATES: dict[ActKind, str] = {
    "give": "given",
    "confirm": "given",
    "assert_import": "given",
    "request": "requested",
    "refuse": "refused",
    "withdraw": "withdrawn",
    "object": "objected",
    "restrict": "restricted",
    "invalidate": "invalidated",
    "lift": "lifted",
}
_READ: dict[str, ActKind] = {
    "given": "assert_import",
    "refused": "refuse",
    "withdrawn": "withdraw",
    "objected": "object",
    "restricted": "restrict",
    "invalidated": "invalidate",
}
"""What a state that another system asserts comes to here. One that lifts a No is not taken over at all."""

_OF_CONSENT = YESES | {"request", "refuse", "withdraw"}


@attrs.frozen(kw_only=True)
class Controller(Document):
    """Who answers for the processing, as it stands on a receipt. *id* is the controller of the acts."""

    id: str
    name: str | None = None
    url: str | None = None
    email: str | None = None
    address: str | None = None
    country: str | None = None


def to_receipt(
    event: ConsentEvent,
    controller: Controller,
    *,
    principal: str,
    withdrawal: str | None = None,
    lawful_basis: str | None = None,
    data: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The receipt of an act, as plain JSON.

    *principal* is by what the person knows themselves on it: a customer number, never taken from the act, so that no
    address gets onto a receipt by accident: it says that a consent is for one contact point, or for those of then, and
    not which. *withdrawal* says how to take it back; *data* are the kinds of data that are used, where the evidence
    does not name them. *lawful_basis* is consent for what gives, refuses or withdraws one, if nothing is said; what an
    objection or a restriction is against is not known, and left out.

    Raises:
        InvalidConsent: if the act was said to another controller.

    >>> from datetime import UTC, datetime
    >>> given = ConsentEvent(
    ...     id="e1",
    ...     kind="give",
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ...     scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
    ... )
    >>> receipt = to_receipt(given, Controller(id="acme", name="Acme Ltd"), principal="customer 17")
    >>> receipt["events"][0]["event_state"], [one["purpose"] for one in receipt["pii_processing"]["purposes"]]
    ('given', ['marketing'])
    """
    scope = event.scope
    if scope.controller is not None and scope.controller != controller.id:
        raise InvalidConsent("this act was said to another controller: their receipt is theirs to give")
    return {
        "header": {"schema_version": SCHEMA_VERSION, "record_id": event.id, "pii_principal_id": principal},
        "pii_processing": _told(
            {
                **_notice(event.evidence),
                "purposes": _purposes(event, controller, withdrawal, lawful_basis, data),
            }
        ),
        "party_identification": [
            _told(
                {
                    "party_id": controller.id,
                    "party_role": "pii_controller",
                    "party_name": controller.name,
                    "party_url": controller.url,
                    "party_email": controller.email,
                    "party_address": controller.address,
                    "party_country": controller.country,
                }
            )
        ],
        "events": [
            _told(
                {
                    "event_time": to_text(event.occurred_at),
                    "event_type": _kind_of_consent(event.evidence),
                    "event_state": _STATES[event.kind],
                    "entity_id": principal,
                    "valid_until": None if event.valid_until is None else to_text(event.valid_until),
                }
            )
        ],
    }


def _purposes(
    event: ConsentEvent,
    controller: Controller,
    withdrawal: str | None,
    lawful_basis: str | None,
    data: tuple[str, ...],
) -> list[dict[str, Any]]:
    scope, evidence = event.scope, event.evidence
    kinds = sorted(data or (() if evidence is None else evidence.data))
    basis = "consent" if lawful_basis is None and event.kind in _OF_CONSENT else lawful_basis
    limited = None if scope.points is None else _THEN
    return [
        _told(
            {
                "purpose": purpose,
                "lawful_basis": basis,
                "pii_information": [{"pii_type": kind} for kind in kinds] or None,
                "pii_controllers": [controller.id],
                "collection_method": None if evidence is None else evidence.kind,
                "processing_method": sorted(scope.channels) or None,
                "services": sorted(scope.topics) or None,
                "brand": scope.brand,
                "contact_points": limited if scope.point is None else _ONE,
                "recipient_third_parties": sorted(scope.recipients) or None,
                "withdrawal_method": withdrawal,
            }
        )
        for purpose in (sorted(scope.purposes) or (_ANY,))
    ]


def from_receipt(
    receipt: Mapping[str, Any],
    *,
    point: str | None = None,
    points: Iterable[str] | None = None,
    record: str | None = None,
) -> ConsentEvent:
    """What a receipt says, as an act to record: ``assert_import`` where it says yes, the same No where it says no.

    Of several events the latest counts, and of several at one instant a No. *point* is the normal form of the contact
    point that it is about, which no receipt names; without one it is about the person, and a yes to the *points* that
    are named. A yes without a purpose, a channel or a controller that are known here permits nothing, as with every
    act; a No whose words are not known here is taken for one to everything, and one to nobody in particular for one to
    everybody.

    Raises:
        InvalidConsent: if it has not the shape of a receipt, says what only the person can (lifting a No), or is a yes
            to several controllers or for purposes that differ, or for contact points that you do not name.
    """
    try:
        return _read_back(receipt, point, None if points is None else frozenset(points), record)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, CrmError) as error:
        said = (
            str(error) if isinstance(error, InvalidConsent) else "it is not of the shape of ISO/IEC TS 27560"
        )
    raise InvalidConsent(f"this receipt cannot be read: {said}")


def _read_back(
    receipt: Mapping[str, Any], point: str | None, points: frozenset[str] | None, record: str | None
) -> ConsentEvent:
    happened = max(receipt["events"], key=_when)
    kind = _READ.get(happened["event_state"])
    if kind is None:
        raise InvalidConsent("it says neither yes nor no, so that there is nothing to take over")
    processing = receipt["pii_processing"]
    purposes = processing["purposes"]
    controllers = _controllers(receipt)
    scope = _scope(purposes, kind)
    if kind == "assert_import":
        if len(controllers) > 1:
            raise InvalidConsent("it names several controllers: read it as one to each of its own")
        _refuse_unlimited(purposes[0], point, points)
        scope = attrs.evolve(scope, points=points if point is None else None)
    until = happened.get("valid_until")
    return ConsentEvent(
        id=f"receipt:{_text(receipt['header']['record_id'])}",
        kind=kind,
        occurred_at=from_text(happened["event_time"]),
        scope=attrs.evolve(
            scope, controller=next(iter(controllers)) if len(controllers) == 1 else None, point=point
        ),
        evidence=_evidence(processing, purposes),
        record=record,
        valid_until=None if until is None else from_text(until),
    )


def _when(event: Mapping[str, Any]) -> tuple[datetime, bool]:
    """Its time, and of several at one time that it is a No."""
    return from_text(event["event_time"]), _READ.get(event["event_state"]) in NOES


def _controllers(receipt: Mapping[str, Any]) -> set[str]:
    """Those who answer for the processing, as the parties or the purposes say; whoever works for them is none."""
    found = {
        _text(party["party_id"])
        for party in receipt["party_identification"]
        if "controller" in _text(party["party_role"]).lower()
    }
    return found.union(*(_texts(one.get("pii_controllers")) for one in receipt["pii_processing"]["purposes"]))


def _scope(purposes: Sequence[Mapping[str, Any]], kind: ActKind) -> Scope:
    """What the purposes of a receipt come to: of a yes what is known here, of a No all of it."""
    said = [_about(one) for one in purposes]
    about, alike = said[0], all(one == said[0] for one in said)
    named = {_text(one["purpose"]) for one in purposes}
    known = named & set(get_args(ActPurpose))
    channels = about.channels & set(get_args(Channel))
    if kind == "assert_import":
        if not alike:
            raise InvalidConsent(
                "its purposes differ in channels, topics, brand, contact points or recipients: read each as one of its "
                "own"
            )
    elif not alike or channels != about.channels or not known >= named - {_ANY}:
        return Scope()  # a No that is not understood in full is taken as wide as one can be
    elif _ANY in named:
        known = set()
    return Scope(
        channels=channels,
        purposes=known,
        brand=about.brand,
        topics=about.topics,
        recipients=about.recipients,
    )


class _About(NamedTuple):
    """What a receipt names for a purpose beside it, be it known here or not."""

    channels: set[str]
    topics: set[str]
    recipients: set[str]
    brand: str | None
    points: str | None


def _about(purpose: Mapping[str, Any]) -> _About:
    names = ("processing_method", "services", "recipient_third_parties")
    channels, topics, recipients = (_texts(purpose.get(name)) for name in names)
    brand, points = (
        None if (one := purpose.get(name)) is None else _text(one) for name in ("brand", "contact_points")
    )
    return _About(channels, topics, recipients, brand, points)


def _refuse_unlimited(purpose: Mapping[str, Any], point: str | None, points: frozenset[str] | None) -> None:
    """A yes that was for some contact points is for no others."""
    limited = purpose.get("contact_points")
    if limited is not None and point is None and (points is None or limited == _ONE):
        raise InvalidConsent("it is for certain contact points, which no receipt names: say for which")


def _evidence(processing: Mapping[str, Any], purposes: Any) -> Evidence:
    """How it was done, as the receipt says; *document* is that there is one."""
    notice = processing.get("privacy_notice") or {}
    return Evidence(
        kind="import_without_proof",
        notice=notice.get("url"),
        notice_version=notice.get("version"),
        notice_sha256=notice.get("sha256"),
        locale=processing.get("language"),
        document="consent receipt",
        data={_text(kind["pii_type"]) for one in purposes for kind in one.get("pii_information") or ()},
    )


def _notice(evidence: Evidence | None) -> dict[str, Any]:
    if evidence is None:
        return {}
    notice = _told(
        {"url": evidence.notice, "version": evidence.notice_version, "sha256": evidence.notice_sha256}
    )
    return {"privacy_notice": notice or None, "language": evidence.locale}


def _kind_of_consent(evidence: Evidence | None) -> str | None:
    if evidence is None or evidence.explicit is None:
        return None
    return "explicit" if evidence.explicit else "implicit"


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _texts(value: Any) -> set[str]:
    if value is not None and not isinstance(value, (list, tuple)):
        raise InvalidConsent("a list of names in it is no array")
    return {_text(one) for one in value or ()}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidConsent("a name or an id in it is no text")
    return value


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}


def receipt_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of what `to_receipt` gives and `from_receipt` reads."""
    header = ("schema_version", "record_id", "pii_principal_id")
    party = ("party_id", "party_role", "party_name", "party_url", "party_email", "party_address")
    event = _object(
        ("event_time", "event_state", "entity_id"),
        event_time=_MOMENT,
        event_type={"enum": ["explicit", "implicit"]},
        event_state={"enum": sorted(set(_STATES.values()))},
        entity_id=_TEXT,
        valid_until=_MOMENT,
    )
    processing = _object(
        ("purposes",),
        privacy_notice=_object((), url=_TEXT, version=_TEXT, sha256=_TEXT),
        language=_TEXT,
        purposes=_several(_purpose_schema()),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Consent receipt, in the shape of ISO/IEC TS 27560",
        **_object(
            ("header", "pii_processing", "party_identification", "events"),
            header=_object(header, **dict.fromkeys(header, _TEXT)),
            pii_processing=processing,
            party_identification=_several(
                _object(party[:2], **dict.fromkeys((*party, "party_country"), _TEXT))
            ),
            events=_several(event),
        ),
    }


def _purpose_schema() -> dict[str, Any]:
    return _object(
        ("purpose", "pii_controllers"),
        purpose={"enum": [*get_args(ActPurpose), _ANY]},
        lawful_basis=_TEXT,
        pii_information=_several(_object(("pii_type",), pii_type=_TEXT)),
        pii_controllers=_several(_TEXT),
        collection_method={"enum": list(get_args(EvidenceKind))},
        processing_method=_several({"enum": list(get_args(Channel))}),
        services=_several(_TEXT),
        brand=_TEXT,
        contact_points={"enum": [_ONE, _THEN]},
        recipient_third_parties=_several(_TEXT),
        withdrawal_method=_TEXT,
    )


def _object(required: tuple[str, ...], **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": fields}


def _several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}

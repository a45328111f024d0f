"""No document shows what is personal in it, in `repr` or `str`: every text field is tried with a text of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.app.registry import REGISTRY
from crmcore.party import EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.party import Anonymous, Household, Organization, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import Document
from tests.serde.strategies import DOCUMENTS

SHOWN = {
    "ContactPoint.problem", "ContactPoint.service", "ContactPoint.kind", "ContactPoint.status",
    "Source.system", "Actor.kind", "Identifier.scheme", "Identifier.issuer", "ImportMark.digest",
    "PartyRecord.zone", "PartyRecord.observed", "PartyRecord.standing", "PartyRecord.kind", "OrganizationName.kind",
    "PersonName.order", "PersonName.language", "PersonName.use", "NamePart.kind",
    "PostalAddress.country", "PostalAddress.language", "PhoneNumber.region",
    "Relationship.type", "RelationshipAdded.type_key", "FieldChange.field",
    "Interaction.kind", "Interaction.direction", "Interaction.channel", "Participant.role",
    "Judgement.verdict", "Judgement.model", "JudgementMade.verdict", "Call.digest", "Call.result", "Language.tag",
    "ConsentEvent.id", "ConsentEvent.kind", "ConsentEvent.record", "ConsentEvent.members",
    "Wish.id", "Wish.record", "Wish.basis", "Wish.controller", "Wish.purposes", "Wish.channels", "Cap.per",
    "Cap.channels", "QuietHours.begin", "QuietHours.end", "QuietHours.days",
    "ConsentEvent.corrects", "ConsentEvent.ledger", "ConsentEvent.takes_back", "LedgerPoint.kind",
    "Scope.controller", "Scope.brand", "Scope.channels", "Scope.purposes",
    "Scope.topics", "Scope.recipients", "Scope.right", "Evidence.kind", "Evidence.notice", "Evidence.notice_version",
    "Evidence.notice_sha256", "Evidence.locale", "Evidence.confirmed_kind",
    "Evidence.data",
    "RightsRequest.right", "RightsRequest.law", "RightsRequest.channel", "RightsRequest.zone",
    "RightsRequest.customer", "RightsRequest.members", "RightsRequest.anchor", "RightsRequest.state",
    "RightsRequest.response_sha256", "Requester.kind", "IdentityEvidence.kind", "Pause.cause", "DecidedItem.item",
    "DecidedItem.decision", "Notice.processor", "Notice.what", "Notice.outcome", "Notice.proof_sha256",
    "RightsStep.kind", "RightsStep.cause", "RightsStep.sha256", "CertificateLine.kind", "CertificateLine.action",
    "CertificateLine.reason", "CertificateLine.cite", "ErasureBegun.request", "ErasureBegun.plan_sha256",
    "ErasureBegun.places", "ErasureBegun.points", "ErasureBegun.members", "ErasureBegun.category",
    "ErasureBegun.beside", "Restriction.mark", "Restriction.members",
    "ErasureCertificate.request", "ErasureCertificate.plan_sha256", "Remainder.place", "Remainder.remedy",
    "Matching.model", "Matching.recipe", "Matching.position", "Matching.index", "ModelPart.model",
    "Meant.record", "Meant.marks",
}  # fmt: skip
"""Texts that may be seen: words of systems and of ours, never what somebody wrote about a customer."""

POINTS = (EmailPoint, PhonePoint, PostalPoint, OnlinePoint)
PARTIES = (Person, Organization, Household, Anonymous)


def _family(cls: type) -> str:
    if cls in POINTS:
        return "ContactPoint"
    return "PartyRecord" if cls in PARTIES else cls.__name__


def _documents(type_: Any) -> Iterator[type]:
    """Every attrs class that a stored type can hold, at any depth."""
    for part in (type_, get_origin(type_), *get_args(type_)):
        if isinstance(part, type) and attrs.has(part):
            yield part
            for field in attrs.fields(attrs.resolve_types(part)):
                if field.name != "unknown":
                    yield from _documents(field.type)
        elif part is not type_ and part is not get_origin(type_):
            yield from _documents(part)


CLASSES = sorted(
    {cls for codec in REGISTRY.by_tag.values() for cls in _documents(codec.type)},
    key=lambda cls: cls.__name__,
)


def _is_text(type_: Any) -> bool:
    return type_ is str or type_ is Any or any(_is_text(part) for part in get_args(type_))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_text_is_hidden_unless_it_is_known_to_be_harmless(cls: type) -> None:
    for field in attrs.fields(attrs.resolve_types(cls)):
        name = f"{_family(cls)}.{field.name}"
        inherited = f"{cls.__name__}.{field.name}"
        seen = field.repr is True and _is_text(field.type) and "Id" not in str(field.type)
        if seen and field.name != "type":
            assert {name, inherited} & SHOWN, f"{inherited} is a text that repr shows"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, FrozenMap):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _texts(getattr(value, field.name))


def _hidden(value: Any) -> Iterator[str]:
    """The texts in fields that are declared to be hidden."""
    if isinstance(value, tuple):
        for item in value:
            yield from _hidden(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            child = getattr(value, field.name)
            yield from _hidden(child) if field.repr is True else _texts(child)


def _open(value: Any) -> Iterator[str]:
    """The texts in fields that may be seen."""
    if isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _open(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            if field.repr is True:
                yield from _open(getattr(value, field.name))
    elif isinstance(value, str):
        yield value


@settings(max_examples=60)
@given(data=st.data(), tag=st.sampled_from(sorted(DOCUMENTS)))
def test_what_is_declared_personal_is_not_shown(data: st.DataObject, tag: str) -> None:
    value = data.draw(DOCUMENTS[tag])
    shown = f"{value!r} {value} {[value]} {FrozenMap({'x': value})}"
    known = set(_open(value))  # a language that is seen may be that of a name, too
    for text in _hidden(value):
        # Shorter ones are parts of the names of fields.
        assert len(text) < 12 or text in known or text not in shown


def test_a_document_shows_no_unknown_key_of_a_newer_version() -> None:
    assert "canary" not in repr(Document(unknown=FrozenMap({"canary": "canary"})))

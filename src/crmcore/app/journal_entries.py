"""What came of a verb, as the journal of a batch names it, and found again.

Invariant: the journal names what was written by its kind and id, and holds nothing of it; what was erased since is
found by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crmcore.app.asked import Among, Fields, ToldAt
from crmcore.app.unit import Unit, load_record
from crmcore.consent.clocks import recorded_as
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import wish_stream
from crmcore.consent.rights_request import RIGHTS_REQUEST, RightsRequest, requests_stream
from crmcore.consent.suppression import SUPPRESSION, Suppression
from crmcore.consent.wishes import WISH, Wish
from crmcore.errors import CrmError, NotFound
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.identity.judgement import Judgement
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party import PartyRecord
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import Relationship
from crmcore.serde import Codec

_KINDS: tuple[tuple[Any, Codec[Any]], ...] = (
    (PartyRecord, PARTY),
    (Relationship, RELATIONSHIP),
    (Interaction, INTERACTION),
    (Judgement, JUDGEMENT),
    (Suppression, SUPPRESSION),
    (RightsRequest, RIGHTS_REQUEST),
)

_ACT = "consent.event"

ERASED_SINCE = "what this batch recorded, or whoever it was about, was erased since"


def named(result: Any) -> Any:
    """``"kind:id"`` of what was written, a number, or an array of these."""
    if isinstance(result, (list, tuple)):
        return [named(item) for item in result]
    if isinstance(result, ConsentEvent):
        return f"{_ACT}:{result.ledger}#{result.id}"
    if isinstance(result, Wish):
        return f"{WISH.tag}:{wish_stream(result.record)}#{result.id}"
    for type_, codec in _KINDS:
        if isinstance(result, type_):
            return f"{codec.tag}:{result.id}"
    return result


async def found_again(unit: Unit, name: Any) -> Any:
    """What was named so, as it stands now.

    Raises:
        NotFound: if it was erased since.
    """
    if isinstance(name, (list, tuple)):
        return tuple([await found_again(unit, item) for item in name])
    if not isinstance(name, str):
        return name
    tag, _, id = name.partition(":")
    if tag in (_ACT, WISH.tag):
        return await _entry(unit, tag, *id.split("#", 1))
    codec = next(codec for _, codec in _KINDS if codec.tag == tag)
    ref = unit.ref(tag, id)
    record = (await unit.get([ref], check=False)).get(ref)
    if record is None:
        raise NotFound(ERASED_SINCE)
    return load_record(codec, record)


async def _entry(unit: Unit, tag: str, ledger: str, id: str) -> ConsentEvent | Wish:
    """An act or a wish, which stands in a ledger and is no record."""
    codec: Codec[ConsentEvent | Wish] = unit.codecs[tag]
    for _, body in await unit.entries(ledger):
        event = codec.load(body)
        if event.id == id:
            return event
    raise NotFound(ERASED_SINCE)


def records_of(request: RightsRequest) -> frozenset[str]:
    """The records that a request is about."""
    return frozenset({request.anchor, request.customer, *request.members})


async def as_written(unit: Unit, result: Any) -> tuple[Any, ...]:
    """All that a verb wrote, as it was then."""
    several = result if isinstance(result, tuple) else (result,)
    return tuple([one for each in several for one in await _at_first(unit, each)])


def is_so(result: Any, held: Sequence[Any], written: Sequence[Fields]) -> bool:
    """Whether all of *written* stands in what came of a verb, *held* as it was then; of several parties, in each its
    own.
    """
    if isinstance(result, tuple) and all(isinstance(one, PartyRecord) for one in held):
        return len(held) == len(written) and all(map(_has, held, written))
    return all(any(_has(one, fields) for one in held) for fields in written)


async def _at_first(unit: Unit, result: Any) -> list[Any]:
    """Something that was written, as it was then; of a request, each of its steps."""
    if isinstance(result, RightsRequest):
        entries = await unit.entries(requests_stream(result.customer))
        steps = [unit.codecs["rights.step"].load(body) for _, body in entries]
        return [step for step in steps if step.request == result.id]
    if isinstance(result, PartyRecord):
        bodies = [body["fields"] for _, body in await unit.entries(f"party:{result.id}") if "fields" in body]
        return [PARTY.load({**body, "id": str(result.id), "version": 1}) for body in bodies]
    if isinstance(result, Relationship):
        entries = await unit.entries(f"relationships:{result.from_}")
        changes = [body for _, body in entries if body.get("relationship") == str(result.id)]
        codec = unit.codecs["relationship.changed"]
        return [*(codec.load(body).before for body in changes if "before" in body), result][:1]
    return [result]


def _told_so(no: ConsentEvent, told: Any) -> bool:
    """Whether *no* may be one of which *told* was the time."""
    try:
        at = attrs.evolve(no, occurred_at=told).occurred_at
    except CrmError:
        return False
    return recorded_as(at, no.occurred_at, no.recorded_at)


def _has(one: Any, fields: Fields) -> bool:
    """Whether putting these values in changes nothing, and they go with the others."""
    whole: dict[str, Any] = {}
    for name, value in fields.items():
        if not hasattr(one, name):
            return False
        held = getattr(one, name)
        if isinstance(value, Among):
            if value.one not in held:
                return False
        elif isinstance(value, ToldAt):
            if not _told_so(one, value.told):
                return False
        elif isinstance(value, Mapping) and attrs.has(type(held)):
            if not _has(held, value):
                return False
        else:
            whole[name] = value
    try:
        return bool(attrs.evolve(one, **whole) == one)
    except CrmError:
        return False

"""The satellite record of a party by which those near it are found: its projection and its keys.

Invariant: written in the batch that writes the party, with the values that the party has then. What it had when it was
last deduplicated is kept beside until the next deduplication, so that who was near it then is looked at again. A
retracted party has no keys. A record of another version is not read, and counted as missing. Keys that do not fit on it
lie on further records of the same kind, which hold nothing but whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmcore.app.frozen import fixed_id
from crmcore.app.unit import ROOM, Unit
from crmcore.identity.features import Features
from crmcore.identity.near_keys import NEAR, stored_keys
from crmcore.identity.projection import PROJECTED, Projection, from_body, project
from crmcore.storage.bulk import NewRecord
from crmcore.storage.document import Json, write
from crmcore.storage.protocol import Key, Record
from crmcore.values.ids import Id, PartyId

FEATURES = "features"
"""The kind of the satellite record; it has the id of its party."""

OF = "of"
"""In a further record: the party whose keys it has."""

_FURTHER = "further"
_SCHEMA = 1
_MOST_FORMER = 8
"""A party that was changed more often than that since the last deduplication makes the next one look at everything."""


def projection_of(body: Mapping[str, Any]) -> Projection | None:
    """The projection in a satellite; None if it has none, or one of another version."""
    if body.get("v") != PROJECTED or "p" not in body:
        return None
    return from_body(body["p"])


def former_of(body: Mapping[str, Any]) -> tuple[Projection, ...] | None:
    """What a party was like before, since it was last deduplicated; None if it was changed too often to know."""
    if body.get("v") != PROJECTED or body.get("lost"):
        return None
    return tuple(from_body(former) for former in body.get("w", ()))


async def put_features(unit: Unit, id: PartyId, features: Features | None, *, fresh: bool = False) -> None:
    """Write the satellite of a party, with *features* None of one that is retracted; *fresh* if it has none yet."""
    ref = unit.ref(FEATURES, id)
    record = None if fresh else (await unit.get([ref])).get(ref)
    new = None if features is None else project(features)
    if record is None and new is None:
        return
    former, lost = _former(record, new)
    await put_satellite(unit, id, new, former, lost=lost, expect=record.version if record else 0)


def _former(record: Record | None, new: Projection | None) -> tuple[list[Any], bool]:
    """What to remember of the state before, and whether something of it is lost."""
    if record is None:
        return [], False
    body = record.body
    if body.get("v") != PROJECTED:
        return [], True
    former = list(body.get("w", ()))
    if "p" in body and body["p"] not in former and (new is None or body["p"] != new.to_body()):
        former.append(body["p"])
    return former[:_MOST_FORMER], bool(body.get("lost")) or len(former) > _MOST_FORMER


def _satellite(projection: Projection | None) -> tuple[dict[str, Any], Sequence[str]]:
    """The body and the keys of the satellite of a party that has no past; without a projection it has no keys."""
    body: dict[str, Any] = {"v": PROJECTED}
    if projection is None:
        return body, ()
    texts, _ = stored_keys(projection)
    body["p"] = projection.to_body()
    if len(texts) > ROOM:
        body[_FURTHER] = (len(texts) - 1) // ROOM
    return body, texts


def _rest(texts: Sequence[str]) -> list[Sequence[str]]:
    """The keys that do not fit, for each of the further records."""
    return [texts[start : start + ROOM] for start in range(ROOM, len(texts), ROOM)]


def new_satellites(id: str, features: Features) -> tuple[NewRecord, ...]:
    """What `put_features` writes for a party that is loaded."""
    body, texts = _satellite(project(features))
    # A projection is lists of texts: there is nothing else in it that a look would find.
    own = NewRecord(FEATURES, id, _SCHEMA, Json(write(body)), [(NEAR, text) for text in texts[:ROOM]])
    further = (
        NewRecord(
            FEATURES, _further(id, number), _SCHEMA, Json(write({OF: id})), [(NEAR, text) for text in more]
        )
        for number, more in enumerate(_rest(texts))
    )
    return (own, *further)


def _further(id: str, number: int) -> Id:
    return fixed_id(FEATURES, id, str(number))


async def put_satellite(
    unit: Unit,
    id: str,
    projection: Projection | None,
    former: Iterable[Any] = (),
    *,
    lost: bool = False,
    expect: int,
) -> None:
    """Write a satellite record as it is to be."""
    body, texts = _satellite(projection)
    rest = _rest(texts)
    ref = unit.ref(FEATURES, id)
    before = (await unit.get([ref], check=False)).get(ref) if expect else None
    there = 0 if before is None else before.body.get(_FURTHER, 0)
    if there > len(rest):
        # Kept without keys: there will be more again.
        rest += [()] * (there - len(rest))
        body[_FURTHER] = there
    former = list(former)
    if former:
        body["w"] = former
    if lost:
        body["lost"] = True
    keys = near_keys(texts[:ROOM])
    await unit.put_body(FEATURES, Id(id), body, schema=_SCHEMA, expect=expect, keys=keys)
    refs = [unit.ref(FEATURES, _further(id, number)) for number in range(len(rest))]
    stored = await unit.get(refs, check=False) if refs else {}
    for further, more in zip(refs, rest, strict=True):
        version = stored[further].version if further in stored else 0
        keys = near_keys(more)
        await unit.put_body(FEATURES, Id(further.id), {OF: id}, schema=_SCHEMA, expect=version, keys=keys)


def near_keys(texts: Iterable[str]) -> frozenset[Key]:
    """The keys that have these texts."""
    make = tuple.__new__  # what Key(...) does, at half the cost: a party has dozens
    return frozenset([make(Key, (NEAR, text)) for text in texts])

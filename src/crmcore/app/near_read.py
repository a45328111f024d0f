"""Reading who is near a record: which of its keys are worth following, and the satellites behind them.

Invariant: the rarest keys are followed first, and of the records found those are read that carry the most and the
rarest of them; what is not followed or not read is counted. A store that can answer in one call does
(`crmcore.storage.nearness`), any other in three.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from crmcore.app.near_index import FEATURES, OF
from crmcore.app.unit import Unit
from crmcore.identity.near_keys import NEAR
from crmcore.storage.lift import near_of
from crmcore.storage.nearness import Breadth, NearHits, followed, nearest
from crmcore.storage.protocol import Body, Key

_PAGE = 1000


async def near(unit: Unit, texts: Sequence[str], breadth: Breadth) -> NearHits:
    """The satellites that carry one of *texts*, as far as *breadth* goes."""
    hits = await _near(unit, texts, breadth)
    further = [id for id, body in hits.bodies.items() if OF in body]
    if not further:
        return hits
    bodies = {id: body for id, body in hits.bodies.items() if OF not in body}
    owners = {unit.ref(FEATURES, hits.bodies[id][OF]) for id in further}
    records = await unit.get([ref for ref in owners if ref.id not in bodies], check=False)
    bodies.update((ref.id, record.body) for ref, record in sorted(records.items()))
    return attrs.evolve(hits, bodies=bodies)


async def _near(unit: Unit, texts: Sequence[str], breadth: Breadth) -> NearHits:
    values = list(dict.fromkeys(texts))
    store = unit.store
    if unit.empty:
        at_once = near_of(store)
        if at_once is not None:
            return await at_once.near(unit.tenant, NEAR, values, FEATURES, breadth=breadth)
    keys = [Key(NEAR, value) for value in values]
    found = await store.fanout(unit.tenant, keys, cap=breadth.largest + 1)
    sizes = [found[key] for key in keys]
    places, passed_over = followed(sizes, breadth)
    # What this unit is about to write is found also by keys that the store does not know.
    places += [] if unit.empty else [place for place, size in enumerate(sizes) if not size]
    hits = await unit.find([keys[place] for place in places]) if places else {}
    bearers = [
        (number, ref.id)
        for number, place in enumerate(places)
        for ref in hits[keys[place]]
        if ref.kind == FEATURES
    ]
    ids, left_out = nearest(bearers, [sizes[place] for place in places], breadth.most)
    records = await unit.get([unit.ref(FEATURES, id) for id in ids], check=False) if ids else {}
    return NearHits({ref.id: record.body for ref, record in records.items()}, passed_over, left_out)


async def first_equals(
    unit: Unit, content: str, most: int, *, without: Collection[str] = ()
) -> dict[str, Body]:
    """The first satellites with the key of a content, but those of the parties *without*."""
    key = Key(NEAR, content)
    limit = most + len(without)
    refs = (await unit.store.find(unit.tenant, [key], limit_per_key=min(limit, _PAGE)))[key].refs
    wanted = [ref for ref in refs if ref.kind == FEATURES and ref.id not in without][:most]
    records = await unit.get(wanted, check=False) if wanted else {}
    return {ref.id: record.body for ref, record in records.items()}

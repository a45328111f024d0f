"""What a store knows of the surroundings of a record: everybody who shares a value with it, as far as one can see.

Invariant: a key that more than *reach* records carry is not read; the pairs that are kept of such keys are. Who carries
a key is asked each time. What a record holds is remembered for a round of a run: a change of it is in the feed after
the place to which the round has read.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from crmcore.app.near_index import FEATURES, OF, projection_of
from crmcore.app.near_read import near
from crmcore.app.unit import Unit
from crmcore.identity.customer import CAP
from crmcore.identity.near_keys import (
    NEAR,
    class_of,
    content_key,
    hashed,
    key_text,
    single_keys,
    stored_pairs,
)
from crmcore.identity.projection import GROUPS, Projection
from crmcore.identity.vicinity import Vicinity
from crmcore.storage.nearness import Breadth
from crmcore.storage.protocol import Key, Ref

REACH = 256
"""Keys that more records carry are not read whole; more if the cap is higher."""


_FEW = 8
EVERYBODY = Breadth(largest=1 << 30, enough=1 << 30, most=1 << 30)
"""All who carry one of the keys; what is asked for is known to be no more than can be read."""


def reach_of(cap: int) -> int:
    """How many bearers of a key are read."""
    return max(REACH, 2 * cap)


@attrs.frozen
class Seen:
    """What records hold, as far as it was read: projections, and keys with contents; whose the further records are."""

    known: dict[str, Projection | None] = attrs.field(factory=dict[str, Projection | None], repr=False)
    holding: dict[str, tuple[frozenset[str], Hashable]] = attrs.field(
        factory=dict[str, tuple[frozenset[str], Hashable]], repr=False
    )

    owners: dict[str, str] = attrs.field(factory=dict[str, str])

    def forget(self) -> None:
        """Begin anew."""
        self.known.clear()
        self.owners.clear()
        self.holding.clear()


class Surroundings:
    """Reads projections through *unit*, for a model that compares the columns at *places*."""

    def __init__(self, unit: Unit, places: Sequence[int], cap: int, seen: Seen | None = None) -> None:
        seen = seen or Seen()
        self.unit = unit
        self.places = places
        self.cap = cap
        self.reach = reach_of(cap)
        self.known = seen.known
        self._owners = seen.owners
        self._holding = seen.holding

    async def load(self, ids: Iterable[str]) -> None:
        """Read the projections of parties."""
        refs = [self.unit.ref(FEATURES, id) for id in dict.fromkeys(ids) if id not in self.known]
        records = await self.unit.get(refs, check=False) if refs else {}
        for ref in refs:
            record = records.get(ref)
            self._note(ref.id, {} if record is None else record.body)

    def _note(self, id: str, body: Mapping[str, Any]) -> None:
        if OF in body:
            self._owners[id] = body[OF]
        found = projection_of(body)
        self.known[id] = None if found is None or found.empty else found

    def holding(self, id: str) -> tuple[frozenset[str], Hashable]:
        """The keys of a record, and what it holds of what the model compares."""
        found = self._holding.get(id)
        if found is None:
            projection = self.known[id]
            assert projection is not None  # it was found by a key
            found = frozenset(single_keys(projection, self.places)), self._held(projection)
            self._holding[id] = found
        return found

    def _held(self, projection: Projection) -> Hashable:
        places = frozenset(self.places)
        more = tuple(
            (
                group,
                frozenset(
                    tuple(text for at, text in zip(GROUPS[group], option, strict=True) if at in places)
                    for option in options
                ),
            )
            for group, options in projection.more
        )
        several = {at for group, _ in projection.more for at in GROUPS[group]}
        values = tuple(
            "" if at in several else text for at, text in enumerate(projection.values) if at in places
        )
        return (projection.kind, values, more)

    async def of(self, projection: Projection) -> Vicinity:
        """The vicinity of a record, which need not be stored."""
        of = class_of(projection.kind)
        mine = single_keys(projection, self.places)
        singles = dict(zip(_keys(of, [(key,) for key in mine]), mine, strict=True))
        sizes = await self._sizes(singles)
        beyond = [singles[key] for key, size in sizes.items() if size > self.reach]
        joined = stored_pairs(beyond)
        pairs = dict(zip(_keys(of, joined), joined, strict=True))
        joint = await self._sizes(pairs)
        met = [pairs[key] for key, size in joint.items() if size <= self.reach]
        wanted = [key for key, size in (*sizes.items(), *joint.items()) if 0 < size <= self.reach]
        ids = await self._bearers(wanted)
        ids += await self._equals(projection)
        await self.load(ids)
        ids = [self._owners.get(id, id) for id in ids]
        await self.load(ids)
        holders = {id: self.holding(id) for id in ids if self.known[id] is not None}
        held = self._held(projection)
        return Vicinity(mine, holders, held=held, beyond=beyond, met=met, cap=self.cap)

    async def _sizes(self, keys: Collection[Key]) -> dict[Key, int]:
        if not keys:
            return {}
        return dict(await self.unit.store.fanout(self.unit.tenant, list(keys), cap=self.reach + 1))

    async def _bearers(self, keys: Sequence[Key]) -> list[str]:
        if not keys:
            return []
        hits = await self.unit.find(keys)
        ids = [ref.id for refs in hits.values() for ref in refs if ref.kind == FEATURES]
        if sum(id not in self.known for id in set(ids)) > _FEW:
            found = await near(self.unit, [key.value for key in keys], EVERYBODY)
            for id, body in found.bodies.items():
                if id not in self.known:
                    self._note(id, body)
        return ids

    async def _equals(self, projection: Projection) -> list[str]:
        """Records that hold the same, the first ones: no customer has more."""
        key = Key(NEAR, content_key(projection))
        refs: tuple[Ref, ...] = (await self.unit.store.find(self.unit.tenant, [key], limit_per_key=CAP))[
            key
        ].refs
        return [ref.id for ref in refs if ref.kind == FEATURES]


def _keys(of: str, keys: Iterable[tuple[str, ...]]) -> list[Key]:
    """Keys and pairs of them as the store has them."""
    return [Key(NEAR, value) for value in hashed(key_text(of, *one) for one in keys)]

"""Which records to compare, found by sorting whole numbers: the same pairs as the reference finds.

Invariant: a pair comes out once, the lower position first, in ascending order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import Keys
from crmcore.identity.batch.debtors import Debtors, debtors
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.near_values import near_pairs
from crmcore.identity.batch.pairs import pairs_in, pairs_within
from crmcore.identity.batch.texts import THREADS, Flags, Ints, Longs, each
from crmcore.identity.batch.wide_keys import PAIR, WideKeys
from crmcore.identity.model.candidates import CAPS, NEAR, pair_budget


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Blocked:
    """The pairs *a* < *b*; how many blocks there are, how many are oversized, how many pairs those may leave out, the
    size of the largest block that is compared whole, and whether neighbours were looked for; with a sample of what the
    larger ones leave out."""

    a: Ints
    b: Ints
    debtors: Debtors
    blocks: int
    oversized: int
    left_out: int
    cap: int
    near: bool


def blocked(
    keys: Keys, records: int, budget: int | None, *, cap: int | None = None, room: Room | None = None
) -> Blocked:
    """The pairs of so many records that are worth comparing.

    With a *cap* given, blocks up to that size are compared whole, and no neighbours are looked for. What there is no
    *room* for is refused.
    """
    room = Room() if room is None else room
    budget = pair_budget(records) if budget is None else budget
    sizes = np.zeros(len(keys.kinds), dtype=np.int64)
    for slot in keys.slots:
        sizes += np.bincount(slot[slot >= 0], minlength=len(sizes))
    looked = records <= NEAR and cap is None
    near = _near(keys, sizes, records if cap is None else NEAR + 1)
    cap = _cap(sizes, near, budget) if cap is None else cap
    room.need("finding pairs", pairs_within(sizes, cap) * PAIR)
    found: list[Longs] = []
    found += _blocks_of(keys.slots, (sizes > 1) & (sizes <= cap), records)
    wide = WideKeys(keys, sizes, cap, records, room)
    found += wide.across(near)
    found += wide.joint()
    room.need("finding pairs", sum(map(len, found)) * PAIR)
    packed = _sorted_once(found, records * records)
    return Blocked(
        a=(packed // records).astype(np.int32),
        b=(packed % records).astype(np.int32),
        debtors=debtors(keys, sizes, cap, packed, records),
        blocks=int((sizes > 0).sum()),
        oversized=int((sizes > cap).sum()),
        left_out=wide.left_out,
        cap=cap,
        near=looked,
    )


def _near(keys: Keys, sizes: Longs, records: int) -> NDArray[np.int64]:
    """Pairs of keys that are one typing error apart."""
    if records > NEAR:
        return np.zeros((0, 2), dtype=np.int64)
    ids = {keys.text(int(id)): int(id) for id in np.nonzero(keys.fuzzy & (sizes > 0))[0]}
    known = sorted(ids)
    return np.array([ids[key] for key in known], dtype=np.int64)[near_pairs(known)]


def _cap(sizes: Longs, near: NDArray[np.int64], budget: int) -> int:
    several = sizes[sizes > 1]
    products = sizes[near[:, 0]] * sizes[near[:, 1]]
    best = CAPS[0]
    for cap in CAPS:
        mine = several[several <= cap]
        total = int((mine * (mine - 1) // 2).sum()) + int(products[products <= cap * cap].sum())
        if total > budget:
            break
        best = cap
    return best


def _blocks_of(slots: Iterable[Ints], chosen: Flags, records: int) -> list[Longs]:
    """All pairs within the blocks of the chosen keys."""
    packed: list[Longs] = []
    for slot in slots:
        position = np.nonzero((slot >= 0) & chosen[slot])[0]
        packed.append(slot[position].astype(np.int64) * records + position)
    return list(pairs_in(np.sort(np.concatenate(packed)), records)) if packed else []


def _sorted_once(found: Sequence[Longs], most: int) -> Longs:
    """The different numbers, all below *most*, in ascending order; sorted in parts beside one another."""
    packed = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    # The lower of two positions is low more often than it is high.
    bounds = [int(most * (1 - (1 - at / THREADS) ** 0.5)) for at in range(THREADS)] + [most]

    def part(bounds: tuple[int, int]) -> Longs:
        mine = np.sort(packed[(packed >= bounds[0]) & (packed < bounds[1])])
        return mine[np.concatenate([[True], mine[1:] != mine[:-1]])] if len(mine) else mine

    return np.concatenate(each(part, pairwise(bounds), len(packed)))

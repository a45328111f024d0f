"""Which records to compare, found by sorting whole numbers: the same pairs as the reference finds.

Invariant: a pair comes out once, the lower position first, in ascending order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import Keys
from crmcore.identity.batch.debtors import Debtors, debtors
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.near_values import near_pairs
from crmcore.identity.batch.texts import THREADS, Flags, Ints, Longs, compress, each
from crmcore.identity.model.candidates import CAPS, NEAR, WIDEST, pair_budget
from crmcore.identity.model.content import number_of

_NAME = ord("n")
_PAIR, _ENTRY, _TRIPLE, _SLOT = 40, 40, 100, 12
"""Bytes that a pair takes while it is found or sorted, a record for each two and each three of its wide keys, and for
each place where it may have one."""


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
    room.need("finding pairs", _pairs(sizes, cap) * _PAIR)
    found: list[Longs] = []
    found += _blocks_of(keys.slots, (sizes > 1) & (sizes <= cap), records)
    wide = _Wide(keys, sizes, cap, records, room)
    found += wide.across(near)
    found += wide.joint()
    room.need("finding pairs", sum(map(len, found)) * _PAIR)
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


def _pairs(sizes: Longs, cap: int) -> int:
    """How many pairs there are in the blocks that are compared whole."""
    few = sizes[sizes <= cap]
    return int((few * (few - 1) // 2).sum())


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


def pairs_in(packed: Longs, records: int) -> Iterator[Longs]:
    """All pairs within each block of *packed* numbers, sorted: a block's number times the *records*, and a record."""
    block, record = np.divmod(packed, records)
    starts, sizes = runs(block)
    for size in np.unique(sizes):
        if size > 1:
            rows = record[starts[sizes == size][:, None] + np.arange(size)]
            first, second = np.triu_indices(int(size), 1)
            yield (rows[:, first] * records + rows[:, second]).ravel()


def runs(values: Longs) -> tuple[Longs, Longs]:
    """Where runs of equal values begin, and how long they are."""
    if not len(values):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], np.nonzero(values[1:] != values[:-1])[0] + 1])
    return starts, np.diff(np.concatenate([starts, [len(values)]]))


def _sorted_once(found: Sequence[Longs], most: int) -> Longs:
    """The different numbers, all below *most*, in ascending order; sorted in parts beside one another."""
    packed = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    # The lower of two positions is low more often than it is high.
    bounds = [int(most * (1 - (1 - at / THREADS) ** 0.5)) for at in range(THREADS)] + [most]

    def part(bounds: tuple[int, int]) -> Longs:
        mine = np.sort(packed[(packed >= bounds[0]) & (packed < bounds[1])])
        return mine[np.concatenate([[True], mine[1:] != mine[:-1]])] if len(mine) else mine

    return np.concatenate(each(part, pairwise(bounds), len(packed)))


class _Wide:
    """The keys that too many share, by two and three of which records meet."""

    def __init__(self, keys: Keys, sizes: Longs, cap: int, records: int, room: Room) -> None:
        self.keys, self.sizes, self.cap, self.records, self.room = keys, sizes, cap, records, room
        self.left_out = 0
        self.crowds: list[tuple[int, int]] = []
        self.mixed = False

    def across(self, near: NDArray[np.int64]) -> list[Longs]:
        """Let the records of neighbouring keys meet; those of neighbourhoods that are too large are wide."""
        if not len(near):
            return []
        holders, begins = _postings(self.keys.slots, len(self.sizes))
        products = self.sizes[near[:, 0]] * self.sizes[near[:, 1]]
        small = products <= self.cap * self.cap
        self.crowds = [(a, b) for a, b in near[~small].tolist()]
        a, b, products = near[small, 0], near[small, 1], products[small]
        pair = np.repeat(np.arange(len(a)), products)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(products) - products, products)
        width = self.sizes[b][pair]
        one = holders[begins[a][pair] + within // width]
        other = holders[begins[b][pair] + within % width]
        apart = one != other
        low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
        return [low * self.records + high]

    def joint(self) -> list[Longs]:
        """Let records meet that share two wide keys, or three."""
        self.room.need("finding pairs", len(self.keys.slots) * self.records * _SLOT)
        slots, kinds, count = self._slots()
        there = [slot >= 0 for slot in slots]
        of = [np.nonzero(np.bincount(kinds[slot[mine]]))[0] for slot, mine in zip(slots, there, strict=True)]
        self.mixed = any(len(kind) > 1 for kind in of)
        shapes: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for s, t in combinations(range(len(slots)), 2):
            one, other = sorted((int(of[s][0]), int(of[t][0])))
            if self.mixed or one != other or one == _NAME:
                shapes.setdefault((0, 0) if self.mixed else (one, other), []).append((s, t))
        found: list[Longs] = []
        crowded: dict[tuple[int, int], NDArray[np.uint8]] = {}
        for pairs, left_out, crowds in each(
            lambda pairs: self._meeting(pairs, self._joints(pairs, slots, there, kinds, count), count),
            shapes.values(),
            self.records,
        ):
            found += pairs
            self.left_out += left_out
            crowded |= crowds
        return found + self._triples(slots, crowded, count)

    def _joints(
        self,
        pairs: Sequence[tuple[int, int]],
        slots: Sequence[Ints],
        there: Sequence[Flags],
        kinds: NDArray[np.uint8],
        count: int,
    ) -> list[tuple[Longs, Longs]]:
        """For each two slots the records that have keys in both."""
        most = sum(min(int(there[s].sum()), int(there[t].sum())) for s, t in pairs)
        # Others meet beside them.
        self.room.need("finding pairs", most * _ENTRY * THREADS)
        return [self._joint(slots, there, pair, kinds, count) for pair in pairs]

    def _meeting(
        self, slots: Sequence[tuple[int, int]], parts: Sequence[tuple[Longs, Longs]], count: int
    ) -> tuple[list[Longs], int, dict[tuple[int, int], NDArray[np.uint8]]]:
        """The pairs of records that meet by two keys, of which *parts* has the records and numbers for each two
        *slots*; how many pairs are left out; and for each two slots the records that have too much company."""
        width = len(parts)
        codes = [code for _, code in parts]
        if count * count * self.records * width >= 1 << 63:
            # A number, a record and a place together would not fit into 64 bits.
            which = compress(np.concatenate(codes))[1].astype(np.int64)
            codes = np.split(which, np.cumsum([len(code) for code in codes])[:-1])
        together = np.concatenate(
            [
                (code * self.records + rows) * width + at
                for at, (code, (rows, _)) in enumerate(zip(codes, parts, strict=True))
            ]
        )
        together.sort()
        _, sizes = runs(together // (self.records * width))
        fits = np.repeat((sizes > 1) & (sizes <= self.cap), sizes)
        large = sizes > self.cap
        self.room.need("finding pairs", _pairs(sizes, self.cap) * _PAIR)
        found = list(pairs_in(together[fits] // width, self.records))
        crowds: dict[tuple[int, int], NDArray[np.uint8]] = {}
        if large.any():
            rows, place = np.divmod(together[np.repeat(large, sizes)] % (self.records * width), width)
            for at, pair in enumerate(slots):
                mine = np.zeros(self.records, dtype=np.bool_)
                mine[rows[place == at]] = True
                if mine.any():
                    crowds[pair] = np.packbits(mine)
        return found, int((sizes[large] * (sizes[large] - 1) // 2).sum()), crowds

    def _slots(self) -> tuple[list[Ints], NDArray[np.uint8], int]:
        """For each record its wide keys, numbered densely, the rarest; and the kinds of the numbers."""
        wide = np.nonzero(self.sizes > self.cap)[0]
        dense = np.full(len(self.sizes), -1, dtype=np.int32)
        dense[wide] = np.arange(len(wide))
        slots = [np.where(slot >= 0, dense[slot], np.int32(-1)) for slot in self.keys.slots]
        slots = [slot for slot in slots if (slot >= 0).any()]
        kinds = self.keys.kinds[wide]
        if self.crowds or len(slots) > WIDEST:
            return self._narrowed(slots, wide, kinds)
        return slots, kinds, len(wide)

    def _narrowed(
        self, slots: Sequence[Ints], wide: Longs, kinds: NDArray[np.uint8]
    ) -> tuple[list[Ints], NDArray[np.uint8], int]:
        """The rarest of each record's wide keys and crowded neighbourhoods."""
        holders, begins = _postings(self.keys.slots, len(self.sizes))
        mine: list[list[tuple[int, int, int]]] = [[] for _ in range(self.records)]
        for id, (key, number) in enumerate(zip(wide.tolist(), self.keys.numbers(wide).tolist(), strict=True)):
            for position in holders[begins[key] : begins[key + 1]].tolist():
                mine[position].append((int(self.sizes[key]), number, id))
        names: list[int] = []
        for a, b in self.crowds:
            for key in (a, b):
                # Known by its name, as in the reference.
                number = _crowd_number(self.keys, a, b)
                for position in holders[begins[key] : begins[key + 1]].tolist():
                    mine[position].append((int(self.sizes[key]), number, len(wide) + len(names)))
            names.append(int(self.keys.kinds[a]))
        rows = np.full((self.records, WIDEST), -1, dtype=np.int32)
        for position, found in enumerate(mine):
            ids = list(dict.fromkeys(id for _, _, id in sorted(found)[:WIDEST]))
            rows[position, : len(ids)] = ids
        every = np.concatenate([kinds, np.array(names, dtype=np.uint8)])
        return [slot for slot in np.ascontiguousarray(rows.T) if (slot >= 0).any()], every, len(every)

    def _joint(
        self,
        slots: Sequence[Ints],
        there: Sequence[Flags],
        pair: tuple[int, int],
        kinds: NDArray[np.uint8],
        count: int,
    ) -> tuple[Longs, Longs]:
        """The records that have keys in both of two slots, unless these are alike; and the number of both keys."""
        rows = np.nonzero(there[pair[0]] & there[pair[1]])[0]
        one, other = (slots[slot][rows].astype(np.int64) for slot in pair)
        if self.mixed:
            apart = (kinds[one] != kinds[other]) | (kinds[one] == _NAME)
            rows, one, other = rows[apart], one[apart], other[apart]
        return rows, np.minimum(one, other) * count + np.maximum(one, other)

    def _triples(
        self, slots: Sequence[Ints], crowded: Mapping[tuple[int, int], NDArray[np.uint8]], count: int
    ) -> list[Longs]:
        """The pairs of records with three keys of which each two are shared by too many."""
        triples = [
            (s, t, u)
            for s, t, u in combinations(range(len(slots)), 3)
            if {(s, t), (s, u), (t, u)} <= crowded.keys()
        ]

        def meeting(three: tuple[int, int, int]) -> tuple[Longs, Longs, Longs]:
            s, t, u = three
            every = crowded[s, t] & crowded[s, u] & crowded[t, u]
            position = np.nonzero(np.unpackbits(every, count=self.records))[0]
            one, other, third = (slots[slot][position].astype(np.int64) for slot in three)
            low, high = np.minimum(one, other), np.maximum(one, other)
            least, most = np.minimum(low, third), np.maximum(high, third)
            return position, least * count + (low + high + third - least - most), most

        parts = [part for part in each(meeting, triples, self.records) if len(part[0])]
        if not parts:
            return []
        self.room.need("finding pairs", sum(len(part[0]) for part in parts) * _TRIPLE)
        position, two, third = (np.concatenate(every) for every in zip(*parts, strict=True))
        block = compress(compress(two)[1].astype(np.int64) * count + third)[1].astype(np.int64)
        packed = np.sort(block * self.records + position)
        _, sizes = runs(packed // self.records)
        return list(pairs_in(packed[np.repeat(sizes <= self.cap, sizes)], self.records))


def _postings(slots: Sequence[Ints], count: int) -> tuple[Longs, Longs]:
    """The records that have each key, one key after the other, and where those of each begin."""
    position = np.concatenate([np.nonzero(slot >= 0)[0] for slot in slots])
    key = np.concatenate([slot[slot >= 0] for slot in slots])
    order = np.lexsort((position, key))
    return position[order], np.searchsorted(key[order], np.arange(count + 1))


def _crowd_number(keys: Keys, a: int, b: int) -> int:
    return number_of(f"{keys.text(a)}~{keys.text(b)}")

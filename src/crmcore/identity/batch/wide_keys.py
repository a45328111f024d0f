"""Keys that too many records share: by two and three of them records meet all the same.

Invariant: the pairs are those of the reference, each as its lower position times the records and the higher one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import Keys
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.pairs import pairs_in, pairs_within, runs
from crmcore.identity.batch.texts import THREADS, Flags, Ints, Longs, compress, each
from crmcore.identity.model.candidates import WIDEST
from crmcore.identity.model.content import number_of

_NAME = ord("n")
PAIR, _ENTRY, _TRIPLE, _SLOT = 40, 40, 100, 12
"""Bytes that a pair takes while it is found or sorted, a record for each two and each three of its wide keys, and for
each place where it may have one."""


class WideKeys:
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
        self.room.need("finding pairs", pairs_within(sizes, self.cap) * PAIR)
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

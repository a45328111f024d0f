"""Who is compared with whom, worked out from the surroundings of one record.

Invariant: where everything that shares a value with the record is in sight, its partners are those that
`crmcore.identity.model.candidates` finds among all records with the same cap and without neighbours. What is out of
sight is counted, not guessed.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Hashable, Iterator, Mapping
from functools import cached_property
from itertools import combinations

from crmcore.identity.model.candidates import WIDEST
from crmcore.identity.model.content import number_of
from crmcore.identity.near_keys import joinable

_HUGE = 1 << 40

Subset = tuple[str, ...]


class Vicinity:
    """The records that share a value with the one that has the keys *mine*; that one is among them if it is stored.

    *holders* has for each record in sight its single keys and what it holds: equal records count once, and meet however
    many share their values. The record itself holds *held*. *beyond* are the keys of *mine* that more records carry
    than are in sight, *met* the pairs of those whose bearers are all in sight.
    """

    def __init__(
        self,
        mine: Collection[str],
        holders: Mapping[str, tuple[Collection[str], Hashable]],
        *,
        held: Hashable = None,
        beyond: Collection[str] = (),
        met: Collection[tuple[str, str]] = (),
        cap: int,
    ) -> None:
        self.mine = sorted(mine)
        self.holders = holders
        self.beyond = frozenset(beyond)
        self.met = frozenset(met)
        self.cap = cap
        self.held = held
        self._bit: dict[Hashable, int] = {}
        self._ids: list[list[str]] = []
        self.bearers = dict.fromkeys(self.mine, 0)
        for id, (keys, held) in holders.items():
            bit = self._bit.setdefault(held, len(self._ids))
            if bit == len(self._ids):
                self._ids.append([])
            self._ids[bit].append(id)
            for key in keys:
                if key in self.bearers:
                    self.bearers[key] |= 1 << bit

    def ids(self, mask: int) -> Iterator[str]:
        """The records of a set of contents."""
        while mask:
            low = mask & -mask
            yield from self._ids[low.bit_length() - 1]
            mask ^= low

    def mask(self, ids: Collection[str]) -> int:
        """The contents that only records of *ids* hold."""
        return sum(1 << bit for bit, members in enumerate(self._ids) if all(id in ids for id in members))

    def in_sight(self, subset: Subset) -> bool:
        """Whether all who share these keys are in sight."""
        return any(key not in self.beyond for key in subset) or any(
            pair in self.met for pair in combinations(subset, 2)
        )

    def shared(self, subset: Subset) -> int:
        """The contents in sight that have all of these keys."""
        mask = -1
        for key in subset:
            mask &= self.bearers[key]
        return mask

    @cached_property
    def wide(self) -> list[str]:
        """The keys that too many share, the rarest of them, in order."""
        size = {key: _HUGE if key in self.beyond else mask.bit_count() for key, mask in self.bearers.items()}
        wide = [key for key in self.mine if size[key] > self.cap]
        if len(wide) > WIDEST:
            wide = heapq.nsmallest(WIDEST, wide, key=lambda key: (size[key], number_of(key)))
        return sorted(wide)

    def partners(self) -> tuple[set[str], int]:
        """The records to compare with, and of how many pairs of values it is not known who shares them."""
        found = 1 << self._bit[self.held] if self.held in self._bit else 0
        unknown = 0
        for key, mask in self.bearers.items():
            if key not in self.beyond and mask.bit_count() <= self.cap:
                found |= mask
        over: set[tuple[str, str]] = set()
        for pair in combinations(self.wide, 2):
            if not joinable(*pair):
                continue
            known, mask = self.in_sight(pair), self.shared(pair)
            unknown += not known
            if known and mask.bit_count() <= self.cap:
                found |= mask
            else:
                over.add(pair)
        for a, b in over:
            for third in self.wide:
                if third > b and (a, third) in over and (b, third) in over and self.in_sight((a, b, third)):
                    mask = self.shared((a, b, third))
                    if mask.bit_count() <= self.cap:
                        found |= mask
        return set(self.ids(found)), unknown

    def subsets(self) -> Iterator[Subset]:
        """The single keys, pairs and triples by which records meet."""
        keys = self.mine
        yield from ((key,) for key in keys)
        pairs = {pair for pair in combinations(keys, 2) if joinable(*pair)}
        yield from pairs
        for a, b, c in combinations(keys, 3):
            if (a, b) in pairs and (a, c) in pairs and (b, c) in pairs:
                yield a, b, c

    def reopened(self, changed: Collection[str], former: Mapping[str, int]) -> set[str]:
        """The records of which it is another question than before whom they are compared with.

        *changed* are the records that are new or differ, *former* has for each key the set of the states, as bits, that
        were replaced: a set of keys is looked at again when more than the cap share it now and did not before, or the
        other way round.
        """
        fresh = self.mask(frozenset(changed))
        found = 0
        for subset in self.subsets():
            if not self.in_sight(subset):
                continue
            shared = self.shared(subset)
            now = shared.bit_count()
            left = -1
            for key in subset:
                left &= former.get(key, 0)
            least = now - (shared & fresh).bit_count()
            if least <= self.cap < now or now <= self.cap < now + left.bit_count():
                found |= shared
        return set(self.ids(found))

"""Pairs of records worth comparing: whoever shares a value, or one a typing error away, that not too many have.

Invariant: which pairs come out is a function of the set of records and of the budget, and memory holds the blocks but
never the pairs. Few records are compared by every single value that they share. Among many, a value that too many have
is not dropped: whoever has it meets those who share a second such value too, or a third; what is left out is counted.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import combinations

from crmcore.identity.model.content import number_of
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.recall_debt import Sample, sample
from crmcore.identity.name_levels import edits

CAPS = (2, 3, 5, 8, 12, 20, 30, 45, 70, 100, 150, 220, 330, 500, 750, 1100, 1700, 2500)
"""The sizes among which the largest block is chosen."""

WIDEST = 24
"""So many of its common values a record meets others by, the rarest first."""

LEAST_LETTERS = 4
MOST_LETTERS = 80
"""Texts of fewer letters have no neighbours, nor have longer ones with the sign of their kind."""

CROWD = 200
"""Texts that all become equal when one letter is left out of each: more than these are numbers in a row."""

_MOST = 800_000

NEAR = 20_000
"""Among more records than this no neighbours are looked for: whoever made a typing error in one value is found by two
others."""

Posting = Sequence[int]


def pair_budget(records: int) -> int:
    """How many pairs of records that share a value are worth looking at by default: many for each of few records, two
    for each of many, who meet by two values besides."""
    return max(min(300_000 + 150 * records, _MOST), 2 * records)


class Candidates:
    """The records of a table by the values that they share."""

    def __init__(self, table: Table, budget: int | None = None, *, cap: int | None = None) -> None:
        """With a *cap* given, blocks up to that size are compared whole, and no neighbours are looked for."""
        budget = pair_budget(len(table.rows)) if budget is None else budget
        self.keys, fuzzy = _keys(table)
        self.postings: dict[str, list[int]] = {}
        for position, keys in enumerate(self.keys):
            for key in keys:
                self.postings.setdefault(key, []).append(position)
        self.near = len(table.rows) <= NEAR and cap is None
        near = neighbours(sorted(fuzzy)) if self.near else []
        self.cap = self._cap(near, budget) if cap is None else cap
        self.across: dict[str, list[Posting]] = {}
        self.blocks: list[list[Posting]] = [
            [self.postings[key] for key in keys if 1 < len(self.postings[key]) <= self.cap]
            for keys in self.keys
        ]
        self.oversized = sum(1 for members in self.postings.values() if len(members) > self.cap)
        self._records = len(table.rows)
        self.left_out = self._join_common(self._across(near))

    def _cap(self, near: Iterable[tuple[str, str]], budget: int) -> int:
        """The size of the largest block that is compared whole."""
        sizes = [len(members) for members in self.postings.values() if len(members) > 1]
        products = [len(self.postings[a]) * len(self.postings[b]) for a, b in near]
        best = CAPS[0]
        for cap in CAPS:
            total = sum(size * (size - 1) // 2 for size in sizes if size <= cap)
            if total + sum(product for product in products if product <= cap * cap) > budget:
                break
            best = cap
        return best

    def _across(self, near: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        """Let the records of neighbouring values meet; the names of the neighbourhoods that are too large for that."""
        crowded: dict[str, list[str]] = {}
        for a, b in near:
            one, other = self.postings[a], self.postings[b]
            if len(one) * len(other) <= self.cap * self.cap:
                self.across.setdefault(a, []).append(other)
                self.across.setdefault(b, []).append(one)
            else:
                for key in (a, b):
                    crowded.setdefault(key, []).append(f"{a}~{b}")
        return crowded

    def _join_common(self, crowded: dict[str, list[str]]) -> int:
        """Let records meet that share two common values, or three; how many pairs that may leave out."""
        size = {key: len(members) for key, members in self.postings.items()}
        wide: list[list[str]] = []
        joint: dict[tuple[str, ...], list[int]] = {}
        for position, keys in enumerate(self.keys):
            mine = [(size[key], key) for key in keys if size[key] > self.cap]
            mine += [(size[key], name) for key in keys for name in crowded.get(key, ())]
            rarest = heapq.nsmallest(WIDEST, mine, key=lambda pair: (pair[0], number_of(pair[1])))
            wide.append(sorted({name for _, name in rarest}))
            for a, b in combinations(wide[-1], 2):
                if a[0] != b[0] or a[0] == "n":
                    joint.setdefault((a, b), []).append(position)
        over = {pair for pair, members in joint.items() if len(members) > self.cap}
        triple: dict[tuple[str, ...], list[int]] = {}
        for (a, b), members in joint.items():
            if len(members) <= self.cap:
                self._meet(members)
                continue
            for position in members:
                for third in wide[position]:
                    if third > b and (a, third) in over and (b, third) in over:
                        triple.setdefault((a, b, third), []).append(position)
        for members in triple.values():
            if len(members) <= self.cap:
                self._meet(members)
        return sum(len(joint[pair]) * (len(joint[pair]) - 1) // 2 for pair in over)

    def debtors(self) -> tuple[Sample, list[int]]:
        """A sample of the pairs in blocks that are too large, and in how many of these each is; 0 for those that are
        compared all the same."""
        over = {key: members for key, members in self.postings.items() if len(members) > self.cap}
        sampled = sample(((number_of(key), members) for key, members in over.items()), self._records)
        partners: dict[int, set[int]] = {}
        times: list[int] = []
        for a, b in sampled.pairs:
            if a not in partners:
                partners[a] = set(self.partners(a))
            shared = sum(key in over for key in set(self.keys[a]).intersection(self.keys[b]))
            times.append(0 if b in partners[a] else shared)
        return sampled, times

    def _meet(self, members: Posting) -> None:
        if len(members) > 1:
            for position in members:
                self.blocks[position].append(members)

    def partners(self, position: int) -> list[int]:
        """The later records to compare the one at *position* with, ascending."""
        found: set[int] = set()
        for members in self.blocks[position]:
            found.update(members[bisect_right(members, position) :])
        for key in self.keys[position]:
            for members in self.across.get(key, ()):
                found.update(members[bisect_right(members, position) :])
        found.discard(position)
        return sorted(found)


def _keys(table: Table) -> tuple[list[list[str]], set[str]]:
    """The keys of each record, and those that have neighbours."""
    known: list[dict[int, tuple[str, ...]]] = [{0: ()} for _ in table.columns]
    fuzzy: set[str] = set()

    def keys(at: int, code: int) -> tuple[str, ...]:
        found = known[at].get(code)
        if found is None:
            found = known[at][code] = table.columns[at].keys(table.values[at][code])
            if table.columns[at].neighbours:
                fuzzy.update(found)
        return found

    keys_of: list[list[str]] = []
    for position, row in enumerate(table.rows):
        mine = dict.fromkeys(key for at, code in enumerate(row) for key in keys(at, code))
        for group, options in table.more.get(position, {}).items():
            for option in options:
                for at, code in zip(table.places[group], option, strict=True):
                    mine.update(dict.fromkeys(keys(at, code)))
        keys_of.append(list(mine))
    return keys_of, fuzzy


def neighbours(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of keys of one kind that one typing error, or two letters swapped, tell apart.

    Found by leaving one letter out of each: two texts that are one error apart have such a rest in common.

    >>> neighbours(["n:smith", "n:smyth", "n:jones"])
    [('n:smith', 'n:smyth')]
    """
    rests: dict[str, list[str]] = {}
    for key in keys:
        if len(key) - 2 < LEAST_LETTERS or len(key) > MOST_LETTERS:
            continue
        for rest in {key, *(key[:at] + key[at + 1 :] for at in range(2, len(key)))}:
            rests.setdefault(rest, []).append(key)
    found: set[tuple[str, str]] = set()
    for members in rests.values():
        if 1 < len(members) <= CROWD:
            for a, b in combinations(members, 2):
                if (a, b) not in found and edits(a, b, 1) <= 1:
                    found.add((a, b))
    return sorted(found)

"""Pairs of records worth comparing: whoever shares a value, or one a typing error away, that not too many have.

Invariant: which pairs come out is a function of the set of records and the budget. A value that too many have is not
dropped: whoever has it meets those who share a second such value, or a third.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import combinations

from crmcore.identity.model.encoding import Table
from crmcore.identity.model.levels import _metrics

CAPS = (2, 3, 5, 8, 12, 20, 30, 45, 70, 100, 150, 220, 330, 500, 750, 1100, 1700, 2500)


def budget(records: int) -> int:
    return 300_000 + 150 * records


class Candidates:
    def __init__(self, table: Table, most: int | None = None) -> None:
        most = budget(len(table.rows)) if most is None else most
        keys_of: list[list[str]] = []
        cache: list[dict[int, tuple[str, ...]]] = [{} for _ in table.columns]
        for position, row in enumerate(table.rows):
            keys: dict[str, None] = {}
            for at, code in self._codes(table, position, row):
                known = cache[at].get(code)
                if known is None:
                    known = cache[at][code] = table.columns[at].keys(table.values[at][code])
                keys.update(dict.fromkeys(known))
            keys_of.append(list(keys))
        postings: dict[str, list[int]] = {}
        for position, keys in enumerate(keys_of):
            for key in keys:
                postings.setdefault(key, []).append(position)
        fuzzy = {key for at, column in enumerate(table.columns) if column.neighbours for found in cache[at].values() for key in found}
        edges = neighbours(sorted(fuzzy))
        self.left_out = 0
        self.cap = self._cap(postings, edges, most)
        cap = self.cap
        small = {key: members for key, members in postings.items() if 1 < len(members) <= cap}
        self.across: dict[str, list[list[int]]] = {}
        large_edges: dict[str, list[str]] = {}
        for a, b in edges:
            if len(postings[a]) * len(postings[b]) <= cap * cap:
                self.across.setdefault(a, []).append(postings[b])
                self.across.setdefault(b, []).append(postings[a])
            else:
                large_edges.setdefault(a, []).append(f"{a}~{b}")
                large_edges.setdefault(b, []).append(f"{a}~{b}")
        big = {key for key, members in postings.items() if len(members) > cap}
        joint: dict[str, list[int]] = {}
        wide: list[list[str]] = []
        for position, keys in enumerate(keys_of):
            mine = [key for key in keys if key in big]
            for key in keys:
                if key in large_edges:
                    mine.extend(large_edges[key])
            mine = sorted(mine)[:40]
            wide.append(mine)
            for a, b in combinations(mine, 2):
                if a[0] != b[0] or a[:2] == "n:":
                    joint.setdefault(f"{a}&{b}", []).append(position)
        self.blocks: list[list[list[int]]] = [[] for _ in keys_of]
        for position, keys in enumerate(keys_of):
            self.blocks[position].extend(small[key] for key in keys if key in small)
        triple: dict[str, list[int]] = {}
        for key, members in joint.items():
            if len(members) < 2:
                continue
            if len(members) <= cap:
                for position in members:
                    self.blocks[position].append(members)
            else:
                parts = key.split("&")
                for position in members:
                    for third in wide[position]:
                        if third > parts[1] and third[0] not in (parts[0][0], parts[1][0]):
                            triple.setdefault(f"{key}&{third}", []).append(position)
        for key, members in triple.items():
            if 2 <= len(members) <= cap:
                for position in members:
                    self.blocks[position].append(members)
            elif len(members) > cap:
                self.left_out += len(members) * (len(members) - 1) // 2
        self.keys_of = keys_of

    @staticmethod
    def _codes(table: Table, position: int, row: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for at, code in enumerate(row):
            if code:
                yield at, code
        for group, options in table.more.get(position, {}).items():
            places = [at for at, column in enumerate(table.columns) if column.group == group]
            for option in options[1:]:
                for at, code in zip(places, option, strict=True):
                    if code:
                        yield at, code

    @staticmethod
    def _cap(postings: dict[str, list[int]], edges: list[tuple[str, str]], most: int) -> int:
        sizes = sorted(len(members) for members in postings.values() if len(members) > 1)
        products = sorted(len(postings[a]) * len(postings[b]) for a, b in edges)
        best = CAPS[0]
        for cap in CAPS:
            total = sum(size * (size - 1) // 2 for size in sizes if size <= cap)
            total += sum(product for product in products if product <= cap * cap)
            if total > most:
                break
            best = cap
        return best

    def partners(self, position: int) -> list[int]:
        found: set[int] = set()
        for members in self.blocks[position]:
            found.update(members[bisect_right(members, position) :])
        for key in self.keys_of[position]:
            for members in self.across.get(key, ()):
                found.update(members[bisect_right(members, position) :])
        return sorted(found)


def neighbours(keys: list[str]) -> list[tuple[str, str]]:
    """Pairs of keys of one kind that one typing error or swap makes equal."""
    variants: dict[str, list[str]] = {}
    for key in keys:
        text = key[2:]
        if len(text) < 4:
            continue
        variants.setdefault(key, []).append(key)
        for at in range(2, len(key)):
            variant = key[:at] + key[at + 1 :]
            members = variants.setdefault(variant, [])
            if not members or members[-1] != key:
                members.append(key)
    found: set[tuple[str, str]] = set()
    edits_of = _metrics()[1]
    for members in variants.values():
        if 1 < len(members) <= 200:
            for a, b in combinations(members, 2):
                if (a, b) not in found and edits_of(a, b, score_cutoff=1) <= 1:
                    found.add((a, b))
    return sorted(found)

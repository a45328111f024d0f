"""Pairs of records that share a blocking key, each pair once.

Invariant: which pairs come out does not depend on the order of the keys, and memory holds the blocks but never the
pairs. A block that is too large to be compared whole is not dropped: each of its records meets the next ones in
order, and how many pairs that may have left out is counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import attrs

from crmcore.identity.features import Features
from crmcore.identity.matcher import PairMatcher

LARGEST_BLOCK = 200
"""Records in a block that is compared whole: 19,900 pairs."""

NEIGHBOURS = 15
"""How many of the next records one in a larger block meets. Records are sorted by what they hold, names first."""


@attrs.frozen(kw_only=True)
class Blocks:
    """Records by their keys. Positions in *members* ascend; *at* lists for every record the blocks that it is in.

    *oversized* counts the blocks above the limit, and *left_out* the pairs in them that may never be compared (many of
    them share another key and are).
    """

    at: tuple[tuple[tuple[int, ...], ...], ...]
    largest: int
    count: int
    oversized: int
    left_out: int

    @classmethod
    def of(cls, records: Sequence[Features], matcher: PairMatcher, largest: int = LARGEST_BLOCK) -> Blocks:
        """Put each record that is not empty into the block of each of its keys."""
        blocks: dict[str, list[int]] = {}
        keys_of: list[tuple[str, ...]] = []
        for position, record in enumerate(records):
            keys = () if record.empty else tuple(matcher.keys(record))
            keys_of.append(keys)
            for key in keys:
                blocks.setdefault(key, []).append(position)
        shared = {key: tuple(members) for key, members in blocks.items() if len(members) > 1}
        sizes = [len(members) for members in shared.values() if len(members) > largest]
        return cls(
            at=tuple(tuple(shared[key] for key in keys if key in shared) for keys in keys_of),
            largest=largest,
            count=len(blocks),
            oversized=len(sizes),
            left_out=sum(_left_out(size) for size in sizes),
        )

    def partners(self, position: int) -> list[int]:
        """The later records to compare the one at *position* with, ascending."""
        found: set[int] = set()
        for members in self.at[position]:
            start = bisect_right(members, position)
            end = start + NEIGHBOURS if len(members) > self.largest else len(members)
            found.update(members[start:end])
        return sorted(found)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every pair to compare, once, the lower position first.

        >>> from crmcore.identity.features import features_of_row
        >>> from crmcore.identity.rules import RuleMatcher
        >>> rows = [{"email": "ann@x.org"}, {"email": "bo@x.org"}, {"email": "ANN@x.org"}]
        >>> list(Blocks.of([features_of_row(row) for row in rows], RuleMatcher()).pairs())
        [(0, 2)]
        """
        for position in range(len(self.at)):
            for partner in self.partners(position):
                yield position, partner


def _left_out(size: int) -> int:
    if size <= NEIGHBOURS + 1:
        return 0
    met = size * NEIGHBOURS - NEIGHBOURS * (NEIGHBOURS + 1) // 2
    return size * (size - 1) // 2 - met

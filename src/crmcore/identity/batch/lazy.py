"""Matched pairs of which there may be millions: each is made when somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import attrs

from crmcore.identity.batch.texts import Longs
from crmcore.identity.deduplication import MatchedPair
from crmcore.identity.matcher import Match


@attrs.frozen(eq=False, repr=False)
class LazyPairs(Sequence[MatchedPair]):
    """Pairs of positions *a* < *b*; *match* says what the matcher finds of two positions."""

    a: Longs
    b: Longs
    match: Callable[[int, int], Match]

    def __len__(self) -> int:
        return len(self.a)

    @overload
    def __getitem__(self, at: int) -> MatchedPair: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[MatchedPair, ...]: ...
    def __getitem__(self, at: int | slice) -> MatchedPair | tuple[MatchedPair, ...]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        a, b = int(self.a[at]), int(self.b[at])
        return MatchedPair(a, b, self.match(a, b))

    def __iter__(self) -> Iterator[MatchedPair]:
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} pairs>"


def positions(pairs: Any) -> list[tuple[int, int]]:
    """The positions of pairs, without looking at what is said of them."""
    if isinstance(pairs, LazyPairs):
        return list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))
    return [(pair.a, pair.b) for pair in pairs]

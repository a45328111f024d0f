"""Examples of what two clusterings disagree about: pairs that one puts together and the other does not.

Invariant: with a limit that is high enough, the parts that both clusterings agree on and the pairs of one kind between
them give one of the clusterings again. With a lower one, a cluster is shown twice only when all are shown once; which
ones are shown depends on the ids and not on their order, and does not favour low ids.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import Generic, TypeVar

import attrs

from crmcore.identity.cluster import Ordered

R = TypeVar("R", bound=Ordered)
Cell = tuple[Hashable, Hashable]


@attrs.frozen(kw_only=True)
class WrongPair(Generic[R]):
    """Records *a* < *b* of one cluster that are in two of the other clustering.

    *size* counts the records of the cluster that holds both, *size_a* and *size_b* those of the clusters that *a* and
    *b* are in otherwise.
    """

    a: R
    b: R
    size: int
    size_a: int
    size_b: int


def wrong_pairs(
    ids: Sequence[R], joins: Sequence[Hashable], separates: Sequence[Hashable], limit: int
) -> tuple[WrongPair[R], ...]:
    """Pairs of *ids* with one label in *joins* and two in *separates*, at most *limit*, in the order of their ids.

    For each part of a cluster that is not its largest there is one pair: its smallest id with that of the largest part.

    >>> wrong_pairs([1, 2, 3, 4], "aaab", "xyxy", limit=9)
    (WrongPair(a=1, b=2, size=3, size_a=2, size_b=2),)
    """
    if limit == 0:
        return ()
    parts: Counter[Cell] = Counter(zip(joins, separates, strict=True))
    mixed = {label for label, count in Counter(label for label, _ in parts).items() if count > 1}
    first: dict[Cell, R] = {}
    for id, cell in zip(ids, zip(joins, separates, strict=True), strict=True):
        if cell[0] in mixed and (cell not in first or id < first[cell]):
            first[cell] = id
    clusters: dict[Hashable, list[tuple[int, R, Hashable]]] = {}
    for cell, id in first.items():
        clusters.setdefault(cell[0], []).append((-parts[cell], id, cell[1]))
    chosen = nsmallest(limit, _pairs(clusters.values(), Counter(separates)), key=lambda ranked: ranked[:2])
    return tuple(sorted((pair for _, _, pair in chosen), key=lambda pair: (pair.a, pair.b)))


def _pairs(
    clusters: Iterable[list[tuple[int, R, Hashable]]], separated: Counter[Hashable]
) -> Iterator[tuple[int, bytes, WrongPair[R]]]:
    """Each pair behind what decides whether it is shown: its rank within its cluster, and a number without meaning."""
    for parts in clusters:
        (_, most, largest), *others = sorted(parts, key=lambda part: part[:2])
        size = -sum(part[0] for part in parts)
        for rank, (_, other, label) in enumerate(others):
            a, b, of_a, of_b = (
                (most, other, largest, label) if most < other else (other, most, label, largest)
            )
            pair = WrongPair(a=a, b=b, size=size, size_a=separated[of_a], size_b=separated[of_b])
            yield rank, _scattered(a, b), pair


def _scattered(a: object, b: object) -> bytes:
    text = f"{a}\0{b}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).digest()

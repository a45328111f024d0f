"""An optional call of a store: who carries rare keys, with their bodies, in one go.

Invariant: it gives what `fanout`, `find` and `get` would give together, as of one moment. The library looks whether a
store has the call; over any other it makes the three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import attrs

from crmcore.storage.protocol import Body

Id = TypeVar("Id", str, bytes)


@attrs.frozen(kw_only=True)
class Breadth:
    """How far to look.

    Keys that more than *largest* records carry are passed over. The rarest are followed first, until *enough* bearers
    were counted; of equally rare ones the first given. Of the records found, *most* are read: those that carry the most
    and the rarest keys, then those with the smallest id.
    """

    largest: int
    enough: int
    most: int


@attrs.frozen
class NearHits:
    """The bodies found, by id, how many keys were passed over, and how many records were found but not read."""

    bodies: Mapping[str, Body] = attrs.field(repr=False)
    passed_over: int
    left_out: int = 0


@runtime_checkable
class Near(Protocol):
    """A synchronous store that has the call."""

    def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        """The records of a *kind* that carry one of the keys, as far as *breadth* goes."""
        ...


@runtime_checkable
class AsyncNear(Protocol):
    """An asynchronous store that has the call."""

    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits: ...


def followed(sizes: Sequence[int], breadth: Breadth) -> tuple[list[int], int]:
    """The places of the keys to follow, of keys that so many carry, and how many are passed over.

    >>> followed([5, 1, 0, 900], Breadth(largest=100, enough=5, most=10))
    ([1, 0], 1)
    """
    chosen: list[int] = []
    total = passed_over = 0
    for place in sorted(range(len(sizes)), key=sizes.__getitem__):
        if not sizes[place]:
            continue
        if sizes[place] > breadth.largest or total >= breadth.enough:
            passed_over += 1
        else:
            chosen.append(place)
            total += sizes[place]
    return chosen, passed_over


_BITS = 32


def nearest(bearers: Iterable[tuple[int, Id]], sizes: Sequence[int], most: int) -> tuple[list[Id], int]:
    """The records to read, of pairs of a key's place and a record that carries it; and how many are left out.

    A key that half as many carry counts for one more.

    >>> nearest([(0, "a"), (0, "b"), (1, "b"), (1, "c")], [2, 2], 2)
    (['b', 'a'], 1)
    """
    worth = [_BITS - size.bit_length() for size in sizes]
    found: dict[Id, int] = {}
    for place, id in bearers:
        found[id] = found.get(id, 0) + worth[place]
    ranked = sorted([(-worth, id) for id, worth in found.items()])[:most]
    return [id for _, id in ranked], len(found) - len(ranked)

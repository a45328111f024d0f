"""An immutable, hashable, picklable mapping: what values hold instead of a dict.

Invariant: neither the map nor any mapping or list given to it can change through it; two maps with the
same items are equal and have the same hash, whatever the order they were built in.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V", covariant=True)

_PLAIN = frozenset({str, int, bool, type(None)})
"""Types that most values have and that need no freezing; asking for the type is faster than any other question."""


class FrozenMap(Mapping[K, V]):
    """A read-only mapping. Nested dicts become maps, nested lists tuples and nested sets frozen ones.

    Other values are kept as they are when they can be hashed. What cannot be hashed could change, so it is refused
    with a TypeError.

    >>> FrozenMap({"a": [1, {"b": 2}]})["a"][1]["b"]
    2
    """

    __slots__ = ("_hash", "_items")

    _items: dict[K, V]
    _hash: int | None

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        # The items of another map are frozen already; nothing can change the dict, so both may hold it.
        try:
            shared = (
                items._items
                if isinstance(items, FrozenMap)
                else {k: v if type(v) in _PLAIN else freeze(v) for k, v in dict(items).items()}
            )
        except RecursionError:
            raise TypeError("a FrozenMap holds data of a moderate depth: give a flatter document") from None
        object.__setattr__(self, "_items", shared)
        object.__setattr__(self, "_hash", None)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> ItemsView[K, V]:
        """The keys with their values."""
        return self._items.items()

    def values(self) -> ValuesView[V]:
        """The values."""
        return self._items.values()

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a FrozenMap cannot be changed: use .set(key, value) or .without(key)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a FrozenMap cannot be changed: use .set(key, value) or .without(key)")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(frozenset(self._items.items())))
        assert self._hash is not None  # for the type checker: set in the line above
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap(<{len(self)} items>)"

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenMap, (self._items,))

    def set(self, key: K, value: Any) -> FrozenMap[K, V]:
        """A copy with *key* bound to *value*.

        >>> FrozenMap({"a": 1}).set("b", [2])["b"]
        (2,)
        """
        return FrozenMap({**self._items, key: value})

    def without(self, *keys: K) -> FrozenMap[K, V]:
        """A copy lacking *keys*; keys that are not there are no error.

        >>> len(FrozenMap({"a": 1}).without("a", "b"))
        0
        """
        return FrozenMap({key: value for key, value in self._items.items() if key not in keys})


def freeze(value: Any) -> Any:
    """Plain data made immutable: dicts to maps, lists to tuples, sets to frozensets, at any depth.

    Raises:
        TypeError: for any other value that cannot be hashed.

    >>> freeze([1, {2}])
    (1, frozenset({2}))
    """
    if value is None or isinstance(value, (str, int, float, FrozenMap)):
        return value
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    if isinstance(value, bytearray):
        return bytes(value)
    try:
        hash(value)
        hashable = True
    except TypeError:
        hashable = False
    if not hashable:
        raise TypeError(
            f"a FrozenMap cannot hold a {type(value).__name__}, which could change: give plain data"
        )
    return value


def thaw(value: Any) -> Any:
    """The inverse of `freeze` for JSON: maps to dicts, tuples to lists, at any depth.

    >>> thaw(FrozenMap({"a": [1, {"b": 2}]}))
    {'a': [1, {'b': 2}]}
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, FrozenMap):
        value = value._items
    if isinstance(value, Mapping):
        return {key: item if type(item) in _PLAIN else thaw(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thaw(item) for item in value]
    return value


EMPTY: FrozenMap[Any, Any] = FrozenMap()
"""The map without items, shared by all values that have none."""

"""Records as small integers: each distinct value of a column has a code, 0 stands for no value.

Invariant: codes follow the order of the values, not that of the records, so that whatever is worked out from codes is
the same for the same records in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import log2
from typing import Any

import attrs

from crmcore.identity.features import Features
from crmcore.identity.model.columns import COLUMNS, WEIGHTED_GROUPS, Column, Variant, variants
from crmcore.identity.model.content import number_of, record_number, text_of

Rarity = Callable[[str, str], int]
"""How seldom a word is in the names of a group, in sixteenths of a bit."""

_POINTS = 16
_MOST_BITS = 11.0
_LEAST = 256


@attrs.frozen(eq=False, repr=False)
class ColumnValues:
    """A column and its distinct values by code, None first."""

    column: Column
    values: tuple[Any, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Table:
    """Records as codes.

    *values* has for each column its distinct values by code. *rows* has for each record the codes of its first
    variants, and *more*, for the few that have several variants of a group, all of them by group. *kinds* has the kind
    of customer of each record.
    """

    columns: tuple[Column, ...]
    values: tuple[tuple[Any, ...], ...]
    rows: tuple[tuple[int, ...], ...]
    more: dict[int, dict[str, list[tuple[int, ...]]]]
    places: dict[str, tuple[int, ...]]
    kinds: tuple[str, ...]

    @property
    def valued(self) -> tuple[ColumnValues, ...]:
        """Each column with its values."""
        return tuple(map(ColumnValues, self.columns, self.values))

    @cached_property
    def value_numbers(self) -> tuple[tuple[int, ...], ...]:
        """For each column and code the number of the value."""
        return tuple((0, *(number_of(text_of(value)) for value in values[1:])) for values in self.values)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """For each record the number of what it holds."""
        of = self.value_numbers
        found: list[int] = []
        for position, row in enumerate(self.rows):
            parts = [(at, of[at][code]) for at, code in enumerate(row)]
            for group, options in sorted(self.more.get(position, {}).items()):
                places = self.places[group]
                numbers = sorted(
                    tuple(of[at][code] for at, code in zip(places, option, strict=True)) for option in options
                )
                parts += [
                    (at, number) for option in numbers for at, number in zip(places, option, strict=True)
                ]
            found.append(record_number(self.kinds[position], parts))
        return tuple(found)

    def distinct(self) -> tuple[Table, tuple[int, ...]]:
        """The different records, in the order of their numbers; and for each record of this table which one it is, -1
        for a record without a value."""
        first: dict[object, int] = {}
        same = [
            first.setdefault((self.kinds[at], row, _frozen(self.more.get(at))), at)
            if any(row) or at in self.more
            else -1
            for at, row in enumerate(self.rows)
        ]
        order = sorted(first.values(), key=lambda at: (self.numbers[at], at))
        place = {at: new for new, at in enumerate(order)}
        table = attrs.evolve(
            self,
            rows=tuple(self.rows[at] for at in order),
            more={place[at]: self.more[at] for at in order if at in self.more},
            kinds=tuple(self.kinds[at] for at in order),
        )
        return table, tuple(place[at] if at >= 0 else -1 for at in same)


def _frozen(more: dict[str, list[tuple[int, ...]]] | None) -> object:
    return None if more is None else tuple((group, tuple(options)) for group, options in sorted(more.items()))


def encode(
    records: Sequence[Features], columns: Sequence[Column] = COLUMNS, rarity: Rarity | None = None
) -> Table:
    """Encode *records*. Words of organizations' names are weighed by *rarity*, or by how many names here have them."""
    found = [variants(record, columns) for record in records]
    weigh = rarity or rarity_of(found)
    chosen = _chosen(columns)
    places = {group: tuple(at for _, at in pairs) for group, pairs in chosen.items()}
    options_of: list[dict[str, list[Variant]]] = []
    seen: list[set[Any]] = [set() for _ in columns]
    for groups in found:
        kept: dict[str, list[Variant]] = {}
        for group, pairs in chosen.items():
            if group in groups:
                options = [tuple(option[index] for index, _ in pairs) for option in groups[group]]
                if group in WEIGHTED_GROUPS:
                    options = [_weighed(group, option, weigh) for option in options]
                kept[group] = options
                for option in options:
                    for at, value in zip(places[group], option, strict=True):
                        seen[at].add(value)
        options_of.append(kept)
    values = tuple((None, *sorted(distinct - {None})) for distinct in seen)
    codes: list[dict[Any, int]] = [{value: code for code, value in enumerate(known)} for known in values]
    rows: list[tuple[int, ...]] = []
    more: dict[int, dict[str, list[tuple[int, ...]]]] = {}
    for position, kept in enumerate(options_of):
        row = [0] * len(columns)
        for group, options in kept.items():
            coded = sorted(
                {tuple(codes[at][value] for at, value in zip(places[group], o, strict=True)) for o in options}
            )
            for at, code in zip(places[group], coded[0], strict=True):
                row[at] = code
            if len(coded) > 1:
                more.setdefault(position, {})[group] = coded
        rows.append(tuple(row))
    return Table(
        columns=tuple(columns),
        values=values,
        rows=tuple(rows),
        more=more,
        places=places,
        kinds=tuple(record.kind for record in records),
    )


def _chosen(columns: Sequence[Column]) -> dict[str, tuple[tuple[int, int], ...]]:
    """For each group its columns: where their value stands in a variant, and their position."""
    standard: dict[str, list[str]] = {}
    for column in COLUMNS:
        standard.setdefault(column.group, []).append(column.name)
    found: dict[str, list[tuple[int, int]]] = {}
    for at, column in enumerate(columns):
        names = standard.get(column.group, [column.name]) if column.source is None else [column.name]
        found.setdefault(column.group, []).append((names.index(column.name), at))
    return {group: tuple(pairs) for group, pairs in found.items()}


def _weighed(group: str, option: Variant, weigh: Rarity) -> Variant:
    words = option[0]
    return (None if words is None else tuple((word, weigh(group, word)) for word in words),)


def rarity_of(found: Sequence[dict[str, list[Variant]]]) -> Rarity:
    """Rarity of words by how many distinct names have them."""
    weights = {group: word_rarity(group, found) for group in WEIGHTED_GROUPS}
    return lambda group, word: weights[group][word]


def word_rarity(group: str, found: Sequence[dict[str, list[Variant]]]) -> dict[str, int]:
    """For each word of a group's names its rarity in sixteenths of a bit."""
    names = {option[0] for groups in found for option in groups.get(group, ()) if option[0] is not None}
    counts: dict[str, int] = {}
    for name in names:
        for word in name:
            counts[word] = counts.get(word, 0) + 1
    return {word: points(count, len(names)) for word, count in counts.items()}


def points(count: int, names: int) -> int:
    """The rarity of a word that *count* of so many *names* have."""
    return round(_POINTS * min(_MOST_BITS, log2((names + _LEAST) / count)))

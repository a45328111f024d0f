"""Records as columns of small integers in memory, for which numpy does what the reference does pair by pair.

Invariant: a table holds what the reference's table holds. Codes may be numbered otherwise: nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrow import pa
from crmcore.identity.batch.texts import Flags, Ints, Numbers, ids_of, texts_of
from crmcore.identity.model.columns import Column
from crmcore.identity.model.content import number_of, text_of
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.patterns import Comparer


@attrs.frozen(eq=False, repr=False)
class Terms:
    """The terms of one kind: for each code of a column the id of its term, 0 for none; and the texts by id."""

    ids: Ints
    known: Any

    @property
    def count(self) -> int:
        return len(self.known)

    def texts(self, ids: NDArray[Any]) -> list[str]:
        """The texts of some ids."""
        found: list[str] = self.known.take(pa.array(ids)).to_pylist()
        return found


@attrs.frozen(eq=False, repr=False)
class Keys:
    """What records are found by. *slots* has for each slot the id of a record's key, -1 for none; no record has one key
    in two slots. *kinds* has the kind of each key."""

    slots: tuple[Ints, ...]
    kinds: NDArray[np.uint8]
    numbers: Callable[[NDArray[Any]], Numbers]
    text: Callable[[int], str]
    fuzzy: Flags


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ColumnArrays:
    """One column: the code of each record, 0 for none, and what is known of each code."""

    column: Column
    codes: Ints
    values: Sequence[Any]
    numbers: Numbers
    terms: Mapping[str, Terms]
    content: Any

    @property
    def size(self) -> int:
        return len(self.values)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ArrayTable:
    """Different records in the order of their numbers. *table* is there where some have several values of a group: for
    these the reference finds the values that fit best."""

    columns: tuple[ColumnArrays, ...]
    kinds: NDArray[np.uint8]
    kind_names: tuple[str, ...]
    numbers: Numbers
    keys: Callable[[], Keys]
    several: Flags
    comparer: Comparer | None
    more: Mapping[int, Sequence[tuple[int, int]]]

    @property
    def records(self) -> int:
        return len(self.kinds)

    def further(self, at: int) -> Sequence[tuple[int, int]]:
        """The further values of a column, as positions and codes."""
        return self.more.get(at, ())


def arrays_of(table: Table) -> ArrayTable:
    """The arrays of a table of the reference."""
    count = len(table.rows)
    codes = np.array(table.rows, dtype=np.int32).reshape(count, len(table.columns))
    columns: list[ColumnArrays] = []
    for at, (column, values) in enumerate(zip(table.columns, table.values, strict=True)):
        terms: dict[str, Terms] = {}
        for term in column.terms.values():
            if term.kind not in terms:
                terms[term.kind] = _terms(["", *map(term.of, values[1:])])
        columns.append(
            ColumnArrays(
                column=column,
                codes=np.ascontiguousarray(codes[:, at]),
                values=values,
                numbers=np.array(table.value_numbers[at], dtype=np.uint64),
                terms=terms,
                content=texts_of(["", *map(text_of, values[1:])]),
            )
        )
    names = tuple(sorted(set(table.kinds)))
    several = np.zeros(count, dtype=np.bool_)
    several[list(table.more)] = True
    return ArrayTable(
        columns=tuple(columns),
        kinds=np.array([names.index(kind) for kind in table.kinds], dtype=np.uint8),
        kind_names=names,
        numbers=np.array(table.numbers, dtype=np.uint64),
        keys=lambda: _keys(table, columns),
        several=several,
        more=_further(table),
        comparer=Comparer(table) if table.more else None,
    )


def _further(table: Table) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for position, groups in table.more.items():
        for group, options in groups.items():
            for option in options[1:]:
                for at, code in zip(table.places[group], option, strict=True):
                    found.setdefault(at, []).append((position, code))
    return found


def _terms(texts: Sequence[str]) -> Terms:
    ids, _, known = ids_of(texts_of(texts))
    return Terms(ids, known)


def _keys(table: Table, columns: Sequence[ColumnArrays]) -> Keys:
    ids: dict[str, int] = {}
    fuzzy: list[bool] = []
    by_code: list[list[list[int]]] = []
    for column in columns:
        mine: list[list[int]] = [[]]
        for value in column.values[1:]:
            of_value: list[int] = []
            for key in column.column.keys(value):
                known = ids.setdefault(key, len(ids))
                if known == len(fuzzy):
                    fuzzy.append(False)
                fuzzy[known] = fuzzy[known] or column.column.neighbours
                of_value.append(known)
            mine.append(of_value)
        by_code.append(mine)
    slots: list[Ints] = []
    for column, lists in zip(columns, by_code, strict=True):
        width = max(map(len, lists), default=0)
        wide = np.full((len(lists), width), -1, dtype=np.int32)
        for code, ids_of_code in enumerate(lists):
            wide[code, : len(ids_of_code)] = ids_of_code
        slots += [wide[column.codes, slot] for slot in range(width)]
    extra = _extra(table, by_code)
    if extra:
        width = max(map(len, extra.values()))
        more = np.full((len(table.rows), width), -1, dtype=np.int32)
        for position, further in extra.items():
            more[position, : len(further)] = further
        slots += list(np.ascontiguousarray(more.T))
    texts = list(ids)
    return Keys(
        slots=once(slots),
        kinds=np.array([ord(key[0]) for key in texts], dtype=np.uint8),
        numbers=lambda ids: np.array([number_of(texts[id]) for id in ids.tolist()], dtype=np.uint64),
        text=texts.__getitem__,
        fuzzy=np.array(fuzzy, dtype=np.bool_),
    )


def _extra(table: Table, by_code: Sequence[Sequence[Sequence[int]]]) -> dict[int, list[int]]:
    """The keys of further values of a group."""
    found: dict[int, list[int]] = {}
    for position, groups in table.more.items():
        keys: dict[int, None] = {}
        for group, options in groups.items():
            for option in options[1:]:
                for at, code in zip(table.places[group], option, strict=True):
                    keys.update(dict.fromkeys(by_code[at][code]))
        if keys:
            found[position] = list(keys)
    return found


def once(slots: Sequence[Ints]) -> tuple[Ints, ...]:
    """The slots, each key of a record in the first of its slots only; those without a key are left out."""
    kept: list[Ints] = []
    for slot in slots:
        mine = slot.copy()
        for other in kept:
            mine[(mine == other) & (mine >= 0)] = -1
        if (mine >= 0).any():
            kept.append(mine)
    return tuple(kept)

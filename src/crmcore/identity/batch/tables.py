"""Encoded columns as a table of different records, with all that is counted of their values and found by them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import ArrayTable, ColumnArrays, Keys, Terms, once
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.field_encoding import KINDS, Encoded
from crmcore.identity.batch.fields import Coded
from crmcore.identity.batch.street_columns import Streets
from crmcore.identity.batch.texts import (
    Flags,
    Ints,
    Longs,
    Numbers,
    Texts,
    compress,
    each,
    firsts,
    flags,
    flat,
    ids_of,
    numbers_of,
    record_numbers,
    texts_of,
)
from crmcore.identity.model.columns import WEIGHTED_GROUPS, Column
from crmcore.identity.model.content import number_of
from crmcore.identity.model.encoding import Rarity, points


def table_of(encoded: Encoded, columns: Sequence[Column], rarity: Rarity | None) -> tuple[ArrayTable, Ints]:
    """The different records by some columns, and for each row which record it has, -1 for a row without a value."""
    every = each(lambda column: _occurring(encoded.columns[column.name]), columns, len(encoded.kinds))
    mine, numbers = [coded for coded, _ in every], [number for _, number in every]
    kinds = np.array([number_of(kind) for kind in KINDS], dtype=np.uint64)
    number = record_numbers(
        kinds[encoded.kinds], [(number, coded.codes) for number, coded in zip(numbers, mine, strict=True)]
    )
    filled = np.zeros(len(number), dtype=np.bool_)
    for coded in mine:
        filled |= coded.codes > 0
    rows = np.nonzero(filled)[0]
    order = rows[np.argsort(number[rows], kind="stable")]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = number[order[1:]] != number[order[:-1]]
    unlike = _unlike(order, order[new][np.cumsum(new) - 1], encoded.kinds, mine)
    if unlike.any():
        # Those are records of their own, behind the others of their number.
        own = np.lexsort((unlike, number[order]))
        order, new = order[own], unlike[own]
        new[0] = True
        new[1:] |= number[order[1:]] != number[order[:-1]]
    chosen = order[new]
    where = np.full(len(number), -1, dtype=np.int32)
    where[order] = np.cumsum(new, dtype=np.int32) - 1
    built = each(
        lambda part: _column(*part, chosen, rarity), list(zip(columns, mine, numbers, strict=True)), len(rows)
    )
    return (
        ArrayTable(
            columns=tuple(built),
            kinds=encoded.kinds[chosen],
            kind_names=KINDS,
            numbers=number[chosen],
            keys=partial(_keys, built),
            several=np.zeros(len(chosen), dtype=np.bool_),
            comparer=None,
            more={},
        ),
        where,
    )


def _unlike(rows: Longs, heads: Longs, kinds: NDArray[np.uint8], columns: Sequence[Coded]) -> Flags:
    """Which rows hold something else than others that have the same number: none, unless somebody was at pains."""
    found = kinds[rows] != kinds[heads]
    for column in columns:
        found |= column.codes[rows] != column.codes[heads]
    return found


def equal_rows(encoded: Encoded, seen: Collection[str] | None) -> Longs:
    """For each row the first that holds the same in all columns that are *seen*, whether or not there is enough in them
    to compare by."""
    columns = sorted(encoded.columns if seen is None else encoded.columns.keys() & seen)
    kinds = np.array([number_of(kind) for kind in KINDS], dtype=np.uint64)
    parts = [encoded.columns[name] for name in columns]
    numbers = each(lambda coded: coded.numbers, parts, len(encoded.kinds))
    number = record_numbers(
        kinds[encoded.kinds], [(number, coded.codes) for number, coded in zip(numbers, parts, strict=True)]
    )
    known, which = compress(number.view(np.int64))
    head, rows = firsts(which, len(known))[which], np.arange(len(number))
    return np.where(_unlike(rows, head, encoded.kinds, parts), rows, head)


def _occurring(coded: Coded) -> tuple[Coded, Numbers]:
    """The column without values that no row has, which are neither counted nor found; and the number of each value."""
    bearers = np.bincount(coded.codes, minlength=len(coded.values))
    bearers[0] = 1
    used = np.nonzero(bearers)[0]
    if len(used) == len(coded.values):
        return coded, coded.numbers
    place = np.zeros(len(bearers), dtype=np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    values = coded.values
    if isinstance(values, (Streets, Texts)):
        kept: Sequence[Any] = values.take(used)
    else:
        kept = [values[code] for code in used.tolist()]
    content = None if coded.content is None else coded.content.take(pa.array(used))
    return Coded(kept, place[coded.codes], content), coded.numbers[used]


def _column(
    column: Column, coded: Coded, numbers: Numbers, chosen: Longs, rarity: Rarity | None
) -> ColumnArrays:
    values = coded.values
    if column.group in WEIGHTED_GROUPS:
        values = _weighed(column.group, values, rarity)
    return ColumnArrays(
        column=column,
        codes=coded.codes[chosen],
        values=values,
        numbers=numbers,
        terms=_terms(column, values, coded.content),
        content=coded.content,
    )


def _weighed(group: str, values: Sequence[Any], rarity: Rarity | None) -> list[Any]:
    """Names of organizations with the rarity of their words."""
    if rarity is None:
        counts: dict[str, int] = {}
        for name in values[1:]:
            for word in name:
                counts[word] = counts.get(word, 0) + 1
        known = {word: points(count, len(values) - 1) for word, count in counts.items()}
        return [None, *(tuple((word, known[word]) for word in name) for name in values[1:])]
    return [None, *(tuple((word, rarity(group, word)) for word in name) for name in values[1:])]


def _terms(column: Column, values: Sequence[Any], content: Any) -> dict[str, Terms]:
    found: dict[str, Terms] = {}
    for term in column.terms.values():
        if term.kind in found:
            continue
        taken = _TAKEN.get((column.name, term.kind))
        texts = texts_of(["", *map(term.of, values[1:])]) if taken is None else taken(values, content)
        ids, known = _ids(texts, content)
        found[term.kind] = Terms(ids, known)
    return found


def _ids(texts: Any, content: Any) -> tuple[Ints, Any]:
    """The ids of texts, and the texts by id; those of the values themselves, which all differ, are their codes."""
    if texts is content:
        return np.arange(len(content), dtype=np.int32), content
    ids, _, known = ids_of(texts)
    return ids, known


def _doors(streets: Any) -> Any:
    both = pc.and_(pc.not_equal(streets.number, ""), pc.not_equal(streets.joined, ""))
    doors = pc.binary_join_element_wise(streets.number, streets.joined, pa.scalar(" ", pa.large_string()))
    return pc.if_else(both, doors, "")


def _firsts(content: Any) -> Any:
    """The first word, if it is more than an initial."""
    word = pc.replace_substring_regex(content, " .*$", "")
    return pc.if_else(pc.greater(pc.utf8_length(word), 1), word, "")


_Texts = Callable[[Any, Any], Any]

_TAKEN: Mapping[tuple[str, str], _Texts] = {
    ("birth date", "whole"): lambda values, content: content,
    ("birth date", "year"): lambda values, content: pc.utf8_slice_codeunits(content, 0, 4),
    ("e-mail", "whole"): lambda values, content: content,
    ("e-mail", "local"): lambda values, content: _locals(content),
    ("phone", "number"): lambda values, content: pc.utf8_slice_codeunits(content, -9),
    ("street", "door"): lambda values, content: _doors(values),
    ("street", "street"): lambda values, content: values.joined,
    ("postcode", "whole"): lambda values, content: content,
    ("postcode", "area"): lambda values, content: pc.utf8_slice_codeunits(content, 0, 3),
    ("city", "whole"): lambda values, content: content,
    ("region", "whole"): lambda values, content: content,
    ("country", "whole"): lambda values, content: content,
    ("identifier", "whole"): lambda values, content: content,
    ("occupation", "whole"): lambda values, content: content,
    ("given name", "first"): lambda values, content: _firsts(content),
    ("family name", "whole"): lambda values, content: pc.replace_substring(content, " ", ""),
}
"""Terms of columns whose values are texts, taken of all at once."""


def _locals(content: Any) -> Any:
    """What stands before the last @."""
    parts = pc.split_pattern(content, "@", max_splits=1, reverse=True)
    return pc.if_else(pc.match_substring(content, "@"), pc.list_element(parts, 0), "")


def _keys(columns: Sequence[ColumnArrays]) -> Keys:
    records = len(columns[0].codes) if columns else 0
    slots: list[Ints] = []
    texts: list[Any] = []
    kinds: list[NDArray[np.uint8]] = []
    fuzzy: list[Flags] = []
    count = 0
    shared: dict[str, list[tuple[ColumnArrays, Any]]] = {}
    blurred: set[str] = set()
    for column, found in zip(columns, each(_by_code, columns, records), strict=True):
        for kind, keys in found:
            shared.setdefault(kind, []).append((column, keys))
            if column.column.neighbours:
                blurred.add(kind)
    numbered = each(_numbered, shared.values(), records)
    for (kind, parts), (ids, known) in zip(shared.items(), numbered, strict=True):
        at, size = 0, len(known)
        of_kind: list[Ints] = []
        for column, keys in parts:
            mine = ids[at : at + len(keys)]
            of_kind.append(np.where(mine > 0, mine + np.int32(count - 1), np.int32(-1))[column.codes])
            at += len(keys)
        slots += once(of_kind)
        texts.append(known.slice(1))
        kinds.append(np.full(size - 1, ord(kind), dtype=np.uint8))
        fuzzy.append(np.full(size - 1, kind in blurred, dtype=np.bool_))
        count += size - 1
    every = pa.chunked_array(texts, type=pa.large_string())
    of = np.concatenate(kinds) if kinds else np.zeros(0, dtype=np.uint8)

    def text(id: int) -> str:
        return f"{chr(of[id])}:{every[id].as_py()}"

    def numbers(ids: NDArray[Any]) -> Numbers:
        kinds_of = texts_of(map(chr, of[ids].tolist()))
        keys = flat(every.take(pa.array(ids)).combine_chunks())
        return numbers_of(pc.binary_join_element_wise(kinds_of, keys, pa.scalar(":", pa.large_string())))

    return Keys(
        slots=tuple(slots),
        kinds=of,
        numbers=numbers,
        text=text,
        fuzzy=np.concatenate(fuzzy) if fuzzy else np.zeros(0, dtype=np.bool_),
    )


def _numbered(parts: Sequence[tuple[ColumnArrays, Any]]) -> tuple[Ints, Any]:
    """The ids of the keys of one kind, of one column after the other, and the keys by id."""
    column, keys = parts[0]
    return _ids(keys if len(parts) == 1 else pa.concat_arrays([keys for _, keys in parts]), column.content)


def _by_code(column: ColumnArrays) -> list[tuple[str, Any]]:
    """The keys of each value of a column, without the letter of their kind, which stands before; empty for none."""
    values = column.values
    if isinstance(values, Streets):
        numbered = pc.and_(pc.not_equal(values.number, ""), pc.not_equal(values.joined, ""))
        return [("d", pc.if_else(numbered, _doors(values), "")), ("s", values.joined)]
    taken = _FOUND.get(column.column.name)
    if taken is not None:
        return taken(column)
    return _listed([column.column.keys(value) for value in values[1:]])


def _listed(lists: Sequence[tuple[str, ...]]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for slot in range(max(map(len, lists), default=0)):
        mine = ["", *(keys[slot] if len(keys) > slot else "" for keys in lists)]
        kinds = sorted({key[0] for key in mine if key})
        found += [(kind, texts_of(key[2:] if key[:1] == kind else "" for key in mine)) for kind in kinds]
    return found


def _email_keys(column: ColumnArrays) -> list[tuple[str, Any]]:
    locals_ = _locals(column.content)
    return [("e", column.content), ("l", pc.if_else(pc.greater(pc.utf8_length(locals_), 3), locals_, ""))]


def _name_keys(column: ColumnArrays) -> list[tuple[str, Any]]:
    """A name of one word is its own key; the others are looked at one by one."""
    odd = np.nonzero(flags(pc.match_substring(column.content, " ")))[0]
    if not len(odd):
        return [("n", column.content)]
    several = pa.array(np.isin(np.arange(column.size), odd))
    nothing = texts_of([""] * column.size)
    found = [
        (kind, pc.replace_with_mask(nothing, several, keys.slice(1)))
        for kind, keys in _listed([column.column.keys(column.values[code]) for code in odd.tolist()])
    ]
    kind, first = found[0]
    return [(kind, pc.if_else(several, first, column.content)), *found[1:]]


def _itself(kind: str) -> Callable[[ColumnArrays], list[tuple[str, Any]]]:
    return lambda column: [(kind, column.content)]


_FOUND: Mapping[str, Callable[[ColumnArrays], list[tuple[str, Any]]]] = {
    "given name": _name_keys,
    "family name": _name_keys,
    "birth date": _itself("b"),
    "e-mail": _email_keys,
    "phone": lambda column: [("p", pc.utf8_slice_codeunits(column.content, -7))],
    "postcode": _itself("z"),
    "city": _itself("c"),
    "region": _itself("r"),
    "country": _itself("y"),
    "identifier": _itself("i"),
    "occupation": _itself("j"),
}
"""Keys of columns whose values are texts, taken of all at once."""

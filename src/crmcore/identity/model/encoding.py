"""Records as small integers: each distinct value of a column has a code, 0 stands for no value.

Invariant: codes follow the order of the values, not that of the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

import attrs

from crmcore.identity.features import Features
from crmcore.identity.model.columns import COLUMNS, Column, variants


@attrs.frozen(kw_only=True)
class Table:
    columns: tuple[Column, ...]
    values: tuple[list[Any], ...]
    rows: list[tuple[int, ...]]
    """For each record the codes of its first variants."""
    more: dict[int, dict[str, list[tuple[int, ...]]]]
    """For records with several variants of a group, all variants by group."""


def encode(records: Sequence[Features]) -> Table:
    by_group: dict[str, list[int]] = {}
    seen: list[set[Any]] = [set() for _ in COLUMNS]
    for at, column in enumerate(COLUMNS):
        by_group.setdefault(column.group, []).append(at)
    found = [variants(record) for record in records]
    for one in found:
        for group, options in one.items():
            for option in options:
                for at, value in zip(by_group[group], option, strict=True):
                    if value is not None:
                        seen[at].add(value)
    weigh(seen, found)
    used = [at for at in range(len(COLUMNS)) if seen[at]]
    place = {at: k for k, at in enumerate(used)}
    values: list[list[Any]] = [[None, *sorted(seen[at])] for at in used]
    codes = [{value: code for code, value in enumerate(column)} for column in values]
    rows: list[tuple[int, ...]] = []
    more: dict[int, dict[str, list[tuple[int, ...]]]] = {}
    for position, one in enumerate(found):
        row = [0] * len(used)
        extra: dict[str, list[tuple[int, ...]]] = {}
        for group, options in one.items():
            coded = [
                tuple(codes[place[at]][value] if value is not None else 0 for at, value in zip(by_group[group], option, strict=True) if at in place)
                for option in options
            ]
            for at, code in zip([a for a in by_group[group] if a in place], coded[0], strict=True):
                row[place[at]] = code
            if len(coded) > 1:
                extra[group] = coded
        rows.append(tuple(row))
        if extra:
            more[position] = extra
    return Table(columns=tuple(COLUMNS[at] for at in used), values=tuple(values), rows=rows, more=more)


def weigh(seen: list[set[Any]], found: list[dict[str, list[tuple[Any, ...]]]]) -> None:
    """Give the words of organizations' names their rarity among the names seen."""
    for at, column in enumerate(COLUMNS):
        if column.group not in ("organization", "employer") or not seen[at]:
            continue
        counts: dict[str, int] = {}
        for words in seen[at]:
            for word in words:
                counts[word] = counts.get(word, 0) + 1
        total = len(seen[at])
        worth = {word: round(16 * min(11.0, log2((total + 256) / (n - 1 + 1)))) for word, n in counts.items()}
        seen[at] = {tuple((word, worth[word]) for word in words) for words in seen[at]}
        for one in found:
            if column.group in one:
                one[column.group] = [(tuple((word, worth[word]) for word in option[0]),) for option in one[column.group]]

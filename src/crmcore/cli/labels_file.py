"""Labelled pairs: what people said of two records, from a CSV file.

Invariant: either all that the file says can be true of the records, or it is refused with the numbers of the rows that
are to blame. What stands in a row is never told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from crmcore.errors import InvalidMapping, UnreadableFile
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.mapping import ImportOptions, reserved_columns
from crmcore.exchange.reading import Row, Table
from crmcore.identity.cluster import Link, agglomerate

COLUMNS = ("rec_id_a", "rec_id_b", "same")
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@attrs.frozen(kw_only=True)
class Labels:
    """Pairs of positions, each with whether they are the same; *blank* rows have no answer yet."""

    name: str
    pairs: Mapping[tuple[int, int], bool]
    blank: int = 0

    @property
    def together(self) -> list[tuple[int, int]]:
        return [pair for pair, same in self.pairs.items() if same]

    @property
    def apart(self) -> list[tuple[int, int]]:
        return [pair for pair, same in self.pairs.items() if not same]

    def of(self, excluded: Mapping[int, str]) -> Labels:
        """Without the pairs of records that must not be linked."""
        kept = {pair: same for pair, same in self.pairs.items() if excluded.keys().isdisjoint(pair)}
        return attrs.evolve(self, pairs=kept)


def read_labels(path: Path, ids: Sequence[str], records: str) -> Labels:
    """The labels of a file on the records with these *ids*, from a file called *records*.

    Raises:
        UnreadableFile: if the file cannot be read, has other columns, no labels, ids that are not known or not those of
            one record, or contradicts itself.
    """
    table = Table.open(path)
    a, b, same = (_place(table, name) for name in COLUMNS)
    known: dict[str, int] = {}
    twice: set[str] = set()
    for position, id in enumerate(ids):
        if known.setdefault(id, position) != position:
            twice.add(id)
    faults: dict[str, list[int]] = {}
    pairs: dict[tuple[int, int], bool] = {}
    rows: dict[tuple[int, int], int] = {}
    blank = 0
    for row in table.rows():
        fault = _fault(row, (a, b, same), known, twice)
        if fault:
            faults.setdefault(fault, []).append(row.number)
            continue
        answer = row.cells[same].strip().casefold()
        if not answer:
            blank += 1
            continue
        one, other = known[row.cells[a]], known[row.cells[b]]
        pair = (min(one, other), max(one, other))
        if pairs.setdefault(pair, _ANSWERS[answer]) != _ANSWERS[answer]:
            faults.setdefault(_CONTRARY, []).append(row.number)
        rows.setdefault(pair, row.number)
    if faults:
        raise UnreadableFile(_refusal(path.name, records, faults))
    if not pairs:
        raise UnreadableFile(f"{path.name} has no labelled pair: write yes or no in its column {COLUMNS[2]}")
    _refuse_contradictions(path.name, pairs, rows)
    return Labels(name=path.name, pairs=pairs, blank=blank)


def _place(table: Table, name: str) -> int:
    try:
        (column,) = reserved_columns(table.columns, ImportOptions(id_column=name))
    except InvalidMapping as error:
        raise UnreadableFile(
            f"{table.path.name}: {error}; labels have the columns {', '.join(COLUMNS)}"
        ) from None
    return table.columns.index(column)


_UNKNOWN, _TWICE, _ITSELF, _NEITHER, _CONTRARY = "unknown", "twice", "itself", "neither", "contrary"
_SAID = {
    _UNKNOWN: "name records that {records} does not have: check the ids, and --id-column",
    _TWICE: "name an id that several rows of {records} have: a label needs one record, so choose another --id-column",
    _ITSELF: "name one record twice: a label is about two",
    _NEITHER: "have something else than yes, no, true, false, 1 or 0 in the column same: correct it or leave it blank",
    _CONTRARY: "contradict rows further up, which say the opposite of the same two records: settle what is true",
}


def _fault(row: Row, places: tuple[int, int, int], known: Mapping[str, int], twice: set[str]) -> str:
    """What is wrong with a row."""
    if row.problem is not None:
        return row.problem
    a, b, same = (row.cells[place] for place in places)
    if a not in known or b not in known:
        return _UNKNOWN
    if a in twice or b in twice:
        return _TWICE
    if a == b:
        return _ITSELF
    answer = same.strip().casefold()
    return _NEITHER if answer and answer not in _ANSWERS else ""


def _refusal(name: str, records: str, faults: Mapping[str, Sequence[int]]) -> str:
    """One sentence on the first kind of fault, with its rows."""
    fault, rows = next(iter(faults.items()))
    shown = ", ".join(map(str, rows[:3])) + (", ..." if len(rows) > 3 else "")
    said = _SAID.get(fault)
    what = said.format(records=records) if said else f"cannot be read ({fault}): {MESSAGES.get(fault, fault)}"
    more = f"; there are {len(faults) - 1} more kinds of fault" if len(faults) > 1 else ""
    return f"rows of {name} (row{'s' if len(rows) > 1 else ''} {shown}) {what}{more}"


def contradicted(pairs: Mapping[tuple[int, int], bool]) -> list[tuple[int, int]]:
    """The pairs that are apart although other pairs, taken together, make one customer of them."""
    nodes = sorted({at for pair in pairs for at in pair})
    same = [Link(a, b, True) for (a, b), is_same in pairs.items() if is_same]
    groups = agglomerate(nodes, same, ()).groups
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    return [(a, b) for (a, b), is_same in pairs.items() if not is_same and group_of[a] == group_of[b]]


def _refuse_contradictions(
    name: str, pairs: Mapping[tuple[int, int], bool], rows: Mapping[tuple[int, int], int]
) -> None:
    wrong = sorted(rows[pair] for pair in contradicted(pairs))
    if wrong:
        shown = ", ".join(map(str, wrong[:3])) + (", ..." if len(wrong) > 3 else "")
        raise UnreadableFile(
            f"{name} contradicts itself: what is apart in row{'s' if len(wrong) > 1 else ''} {shown} is one customer "
            "by other rows taken together: settle what is true"
        )

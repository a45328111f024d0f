"""``crmcore dedupe FILE``: one CSV file in, one cluster for each of its rows out.

Invariant: the output has the rows of the file in their order, those that cannot be read included; it follows from the
columns that are mapped, and from nothing else in the file.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from crmcore.app.deduplication import notes_of
from crmcore.cli.outputs import write
from crmcore.cli.terminal import DAMAGED, DONE, INCOMPLETE, Terminal, counted
from crmcore.errors import UnreadableFile
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.mapping import ImportOptions
from crmcore.exchange.prepare import Prepared, prepare
from crmcore.exchange.reading import Row
from crmcore.identity.deduplication import Deduplication, dedupe
from crmcore.identity.features import Features, features_of_row
from crmcore.serde import dump


@attrs.frozen
class _Records:
    """The id and the features of each row, and how many rows could not be read, by the code of the reason."""

    ids: list[str]
    features: list[Features]
    unreadable: Counter[str]


def dedupe_file(options: argparse.Namespace, terminal: Terminal) -> int:
    """Find the clusters of the rows of a file and write them to ``--out``."""
    started = time.monotonic()
    prepared = prepare(options.file, _options(options))
    records = _records(prepared, options.kind)
    if not records.ids:
        raise UnreadableFile(f"{options.file.name} has a header and no rows: there is nothing to compare")
    read = time.monotonic()
    found = dedupe(
        records.features,
        on_progress=lambda done, total: terminal.progress("comparing", done, total),
    )
    ended = time.monotonic()
    summary = _summary(prepared, records, found) | {
        "seconds_reading": round(read - started, 3),
        "seconds_comparing": round(ended - read, 3),
    }
    _write(options, records.ids, found.labels, summary)
    _tell(options, terminal, prepared, records, summary, ended - started)
    terminal.result(summary)
    return _ended(prepared, records, terminal)


def _options(options: argparse.Namespace) -> ImportOptions:
    return ImportOptions(
        id_column=options.id_column,
        kind=options.kind,
        columns=tuple(options.map),
        encoding=options.encoding,
        delimiter=options.delimiter,
    )


def _records(prepared: Prepared, kind: Any) -> _Records:
    columns = {name: position for position, name in enumerate(prepared.table.columns)}
    id_column = prepared.column_map.id_column
    if id_column is None and "rec_id" in columns:
        id_column = "rec_id"
    records = _Records([], [], Counter())
    for row in prepared.table.rows():
        readable = row.problem is None
        if row.problem is not None:
            records.unreadable[row.problem] += 1
        records.ids.append(str(row.number) if id_column is None else _id(row, columns[id_column]))
        values = _values(row.cells, columns, prepared.column_map.fields) if readable else {}
        records.features.append(features_of_row(values, kind))
    return records


def _id(row: Row, position: int) -> str:
    """The id of a row as it stands there; a row with a broken quote has no cells to find it in."""
    broken = row.problem in ("stray_quote", "unclosed_quote")
    return "" if broken or position >= len(row.cells) else row.cells[position]


def _values(
    cells: Sequence[str], columns: Mapping[str, int], fields: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """For each field the first of its columns that holds something."""
    values: dict[str, str] = {}
    for field, names in fields.items():
        text = next((cells[columns[name]] for name in names if cells[columns[name]].strip()), "")
        if text:
            values[field] = text
    return values


def _summary(prepared: Prepared, records: _Records, found: Deduplication) -> dict[str, Any]:
    return {
        "file": prepared.table.path.name,
        "rows": len(records.ids),
        "unreadable": dict(records.unreadable),
        "clusters": len(set(found.labels)),
        "pairs_to_review": len(found.unsure),
        "pairs_related": len(found.related),
        "decided_by": found.decided_by,
        "columns": {field: list(names) for field, names in prepared.column_map.fields.items()},
        "notices": [dump(notice) for notice in prepared.notices],
        "notes": list(notes_of(found)),
    }


def _write(
    options: argparse.Namespace, ids: Sequence[str], labels: Sequence[int], summary: dict[str, Any]
) -> None:
    if options.out is not None:
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\n")  # for the tools that cut and join lines
        writer.writerow(("rec_id", "cluster"))
        writer.writerows(zip(ids, labels, strict=True))
        write(options.out, lines.getvalue())
    if options.summary is not None:
        write(options.summary, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")


def _tell(
    options: argparse.Namespace,
    terminal: Terminal,
    prepared: Prepared,
    records: _Records,
    summary: dict[str, Any],
    seconds: float,
) -> None:
    fields = prepared.column_map.fields
    terminal.text("compared by " + ", ".join(_said(field, names) for field, names in fields.items()))
    for notice in prepared.notices:
        terminal.text(notice.line)
    for code, count in records.unreadable.most_common():
        terminal.text(f"! {counted(count, 'row', 'rows')} not read ({code}): {MESSAGES.get(code, code)}")
    for note in summary["notes"]:
        terminal.text(f"! {note}")
    terminal.text(f"decided by {summary['decided_by']}")
    rows, clusters = summary["rows"], summary["clusters"]
    pairs = counted(summary["pairs_to_review"], "pair", "pairs")
    terminal.text(
        f"{counted(rows, 'row', 'rows')} -> {counted(clusters, 'cluster', 'clusters')}   "
        f"({pairs} to review)   {seconds:.1f} s"
    )
    if options.out is not None:
        terminal.text(f"clusters in {options.out}")


def _said(field: str, names: Sequence[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return field if columns == f'"{field}"' else f"{columns} as {field}"


def _ended(prepared: Prepared, records: _Records, terminal: Terminal) -> int:
    """The exit code, and one sentence where somebody has to look."""
    unread = records.unreadable.total()
    parts = [f"{counted(unread, 'row', 'rows')} could not be read"] if unread else []
    parts += ["the file is damaged in places"] if any(n.code in DAMAGED for n in prepared.notices) else []
    if not parts:
        return DONE
    where = "the notices" if terminal.as_json else 'the lines that begin with "!"'
    terminal.error(f"{' and '.join(parts)}: {where} say why and what to do")
    return INCOMPLETE

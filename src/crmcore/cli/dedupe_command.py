"""``crmcore dedupe``: which records are the same, in a store or in one CSV file.

Invariant: every row of the file is in the output, once; rows in which there is nothing to compare stand alone. Columns
called ``cluster`` and ``rec_id`` are never evidence.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crmcore.app.crm import Crm
from crmcore.app.deduplication import notes_of
from crmcore.cli.report import report
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.errors import ExchangeError, InvalidMapping, UnreadableFile
from crmcore.exchange.mapping import ImportOptions, parse_pair
from crmcore.exchange.prepare import Prepared, prepare
from crmcore.identity.deduplication import dedupe
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.rules import RuleMatcher


def run_dedupe(options: argparse.Namespace, terminal: Terminal) -> int:
    """Deduplicate the store of ``--store``, or the file given."""
    if (options.file is None) == (options.store is None):
        raise InvalidMapping(
            "name either a CSV file or a store: crmcore dedupe FILE --out OUT, or --store crm.db"
        )
    if options.file is None:
        return _store(options, terminal)
    if options.out is None and not options.json:
        raise InvalidMapping("say where the clusters go: --out clusters.csv (or --json for counts only)")
    return _file(options, terminal)


def _store(options: argparse.Namespace, terminal: Terminal) -> int:
    started = time.monotonic()
    with Crm(existing_store(options.store)) as crm:
        found = crm.identity.dedupe(on_progress=terminal.progress)
        terminal.text(f"{found.text()}   {time.monotonic() - started:.1f} s")
        for note in found.notes:
            terminal.text(f"  ! {note}")
        if options.report is not None:
            _write(options.report, report(crm, on_progress=terminal.progress))
            terminal.text(f"open {options.report}")
        terminal.result(
            {
                "records": found.records,
                "customers": dict(found.customers),
                "merged": found.merged,
                "review": found.review,
                "written": found.written,
                "notes": list(found.notes),
            }
        )
    return DONE


def _file(options: argparse.Namespace, terminal: Terminal) -> int:
    started = time.monotonic()
    prepared = prepare(
        options.file,
        ImportOptions(
            id_column=options.id_column,
            kind=options.kind,
            columns=tuple(parse_pair(text) for text in options.map),
            encoding=options.encoding,
            delimiter=options.delimiter,
        ),
    )
    ids, features = _records(prepared, options.kind)
    read = time.monotonic()
    found = dedupe(
        features, RuleMatcher(), on_progress=lambda done, total: terminal.progress("comparing", done, total)
    )
    ended = time.monotonic()
    if options.out is not None:
        _write_clusters(options.out, ids, found.labels)
    summary = {
        "file": options.file.name,
        "rows": len(ids),
        "clusters": len(set(found.labels)),
        "pairs_to_review": len(found.unsure),
        "columns": {field: list(names) for field, names in prepared.column_map.fields.items()},
        "seconds_reading": round(read - started, 3),
        "seconds_comparing": round(ended - read, 3),
        "notes": list(notes_of(found)),
    }
    if options.summary is not None:
        _write(options.summary, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
    terminal.text(
        f"{len(ids):,} rows -> {len(set(found.labels)):,} clusters   "
        f"({len(found.unsure):,} pairs to review)   {ended - started:.1f} s"
    )
    for note in notes_of(found):
        terminal.text(f"  ! {note}")
    terminal.result(summary)
    return DONE


def _records(prepared: Prepared, kind: Any) -> tuple[list[str], list[Features]]:
    """The id and the features of each row; a row that could not be read has an id and nothing else."""
    columns = {name: position for position, name in enumerate(prepared.table.columns)}
    id_column = prepared.column_map.id_column
    if id_column is None and "rec_id" in columns:
        id_column = "rec_id"
    ids: list[str] = []
    features: list[Features] = []
    for row in prepared.table.rows():
        readable = row.problem is None
        own = row.cells[columns[id_column]] if id_column is not None and readable else ""
        ids.append(own or str(row.number))
        values = _values(row.cells, columns, prepared.column_map.fields) if readable else {}
        features.append(features_of_row(values, kind))
    return ids, features


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


def _write_clusters(path: Path, ids: Sequence[str], labels: Sequence[int]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("rec_id", "cluster"))
            writer.writerows(zip(ids, labels, strict=True))
    except OSError as error:
        raise _unwritable(path, error) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ExchangeError:
    return UnreadableFile(f"{path.name or path} cannot be written ({error.strerror}): name another file")

"""``crmcore import``: show what would happen to every row, then do exactly that.

Invariant: nothing is written before the plans of all files could be made; with ``--dry-run`` nothing is written at all.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from crmcore.app.crm import Crm
from crmcore.app.imports import ImportResult
from crmcore.cli.terminal import DONE, INCOMPLETE, Terminal
from crmcore.errors import InvalidMapping, UnreadableFile
from crmcore.exchange.mapping import parse_pair
from crmcore.exchange.plan import ImportPlan
from crmcore.serde import dump
from crmcore.storage.sqlite import SqliteStore
from crmcore.values.source import Actor


def run_import(options: argparse.Namespace, terminal: Terminal) -> int:
    """Plan and apply the import of each file, in the order given."""
    if options.rejected is not None and len(options.files) > 1:
        raise InvalidMapping("--rejected takes the rejected rows of one file: import the files one by one")
    dry = options.dry_run and not options.store.exists()
    with _opened(options.store, in_memory=dry) as crm:
        # A plan of each file first: a file that cannot be read stops the command before anything is written.
        plans = [_plan(crm, path, options, terminal) for path in options.files]
        for plan in plans:
            if plan.rows_in == 0:
                raise UnreadableFile(f"{plan.file} has a header and no rows: there is nothing to import")
        results: list[dict[str, Any]] = []
        complete = True
        for number, (path, plan) in enumerate(zip(options.files, plans, strict=True)):
            # The files before this one may have brought records that it holds too.
            current = plan if number == 0 or options.dry_run else _plan(crm, path, options, terminal)
            terminal.text(current.text())
            result = None if options.dry_run else _apply(crm, current, terminal)
            rejected = _rejected(crm, current, options, terminal)
            complete = complete and not (current.counts["rejected"] or current.counts["conflicts"])
            results.append(_document(current, result, rejected))
        terminal.result(results)
    return DONE if complete else INCOMPLETE


def _opened(path: Path, *, in_memory: bool) -> Crm:
    if in_memory:
        return Crm.open()
    return Crm(SqliteStore.open(path), actor=Actor(kind="import", id="cli"))


def _plan(crm: Crm, path: Path, options: argparse.Namespace, terminal: Terminal) -> ImportPlan:
    return crm.imports.plan(
        path,
        source=options.source,
        source_column=options.source_column,
        id_column=options.id_column,
        kind=options.kind,
        columns=[parse_pair(text) for text in options.map],
        region=options.region,
        date_order=options.date_order,
        encoding=options.encoding,
        delimiter=options.delimiter,
        on_progress=terminal.progress,
    )


def _apply(crm: Crm, plan: ImportPlan, terminal: Terminal) -> ImportResult:
    started = time.monotonic()
    result = crm.imports.apply(plan, on_progress=terminal.progress)
    seconds = time.monotonic() - started
    extra = [f"{result.organizations:,} employers"] if result.organizations else []
    extra += [f"{result.interactions:,} contacts"] if result.interactions else []
    extra += [f"{result.resumed:,} rows were there from before"] if result.resumed else []
    terminal.text(f"written in {seconds:.1f} s" + (f", with {', '.join(extra)}" if extra else ""))
    return result


def _rejected(crm: Crm, plan: ImportPlan, options: argparse.Namespace, terminal: Terminal) -> int:
    if options.rejected is None:
        if plan.counts["rejected"]:
            terminal.text("rejected rows can be written to a file and corrected: --rejected FILE")
        return plan.counts["rejected"]
    count = crm.imports.write_rejected(plan, options.rejected)
    if count:
        terminal.text(
            f"{count:,} rejected rows in {options.rejected}: correct them there and import that file"
        )
    return count


def _document(plan: ImportPlan, result: ImportResult | None, rejected: int) -> dict[str, Any]:
    return {
        "file": plan.file,
        "rows_in": plan.rows_in,
        "counts": dict(plan.counts),
        "columns": {field: list(names) for field, names in plan.column_map.fields.items()},
        "kept": list(plan.column_map.kept),
        "suggestions": [dump(suggestion) for suggestion in plan.suggestions],
        "notices": [notice.line for notice in plan.notices],
        "applied": result is not None,
        "organizations": result.organizations if result else 0,
        "interactions": result.interactions if result else 0,
        "resumed": result.resumed if result else 0,
        "rejected": rejected,
    }

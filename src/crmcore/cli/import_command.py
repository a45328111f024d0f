"""``crmcore import``: show what would happen to every row, then do exactly that.

Invariant: nothing is written before the plans of all files could be made and the rejected rows are safe in their file;
with ``--dry-run`` nothing is written at all.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from crmcore.app.crm import Crm
from crmcore.app.imports import ImportResult
from crmcore.cli.outputs import check_outputs, check_writable, store_files
from crmcore.cli.stores import any_store, is_new
from crmcore.cli.terminal import DAMAGED, DONE, INCOMPLETE, Terminal, counted
from crmcore.errors import UnreadableFile
from crmcore.exchange.plan import ImportPlan
from crmcore.serde import dump
from crmcore.values.source import Actor


def run_import(options: argparse.Namespace, terminal: Terminal) -> int:
    """Plan and apply the import of each file, in the order given."""
    if options.rejected is not None and len(options.files) > 1:
        options.usage_error("--rejected takes the rejected rows of one file: import the files one by one")
    check_outputs([options.rejected], [*options.files, *store_files(options.store)])
    plans = _plans(options, terminal)
    if options.dry_run:
        documents = [_shown(plan, options, terminal) for plan in plans]
    else:
        documents = _applied(plans, options, terminal)
    terminal.result(documents)
    return _ended(documents, terminal)


def _plans(options: argparse.Namespace, terminal: Terminal) -> list[ImportPlan]:
    """A plan of each file: one that cannot be read stops the command before anything is written."""
    with _opened(options.store, in_memory=is_new(options.store)) as crm:
        plans = [_plan(crm, path, options, terminal) for path in options.files]
    for plan in plans:
        if plan.rows_in == 0:
            raise UnreadableFile(f"{plan.file} has a header and no rows: there is nothing to import")
    return plans


def _applied(
    plans: list[ImportPlan], options: argparse.Namespace, terminal: Terminal
) -> list[dict[str, Any]]:
    documents = []
    with _opened(options.store) as crm:
        for number, (path, plan) in enumerate(zip(options.files, plans, strict=True)):
            # The files before this one may have brought records that it holds too.
            current = plan if number == 0 else _plan(crm, path, options, terminal)
            document = _shown(current, options, terminal)
            if options.rejected is not None:
                crm.imports.write_rejected(current, options.rejected)
            result = _apply(crm, current, terminal)
            _tell_rejected(current, options, terminal)
            documents.append(document | _result(result))
    return documents


def _opened(path: Path, *, in_memory: bool = False) -> Crm:
    if not in_memory:
        return Crm(any_store(path), actor=Actor(kind="import", id="cli"))
    check_writable(path)
    return Crm.open()  # nobody is known yet, and no file is made for a plan


def _plan(crm: Crm, path: Path, options: argparse.Namespace, terminal: Terminal) -> ImportPlan:
    return crm.imports.plan(
        path,
        source=options.source,
        source_column=options.source_column,
        id_column=options.id_column,
        kind=options.kind,
        columns=options.map,
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
    extra = [counted(result.organizations, "employer", "employers")] if result.organizations else []
    extra += [counted(result.interactions, "contact", "contacts")] if result.interactions else []
    if result.resumed:
        extra.append(f"{counted(result.resumed, 'row', 'rows')} written by somebody else meanwhile")
    terminal.text(f"written in {seconds:.1f} s" + (f", with {', '.join(extra)}" if extra else ""))
    return result


def _tell_rejected(plan: ImportPlan, options: argparse.Namespace, terminal: Terminal) -> None:
    count = plan.counts["rejected"]
    if count and options.rejected is None:
        terminal.text("rejected rows can be written to a file and corrected: --rejected FILE")
    elif count:
        rows = counted(count, "rejected row", "rejected rows")
        terminal.text(f"{rows} in {options.rejected}: correct them there and import that file")


def _shown(plan: ImportPlan, options: argparse.Namespace, terminal: Terminal) -> dict[str, Any]:
    terminal.text(plan.text())
    if options.dry_run:
        terminal.text("nothing was written: leave out --dry-run to import")
    return {
        "file": plan.file,
        "rows_in": plan.rows_in,
        "counts": dict(plan.counts),
        "columns": {field: list(names) for field, names in plan.column_map.fields.items()},
        "kept": list(plan.column_map.kept),
        "suggestions": [dump(suggestion) for suggestion in plan.suggestions],
        "notices": [dump(notice) for notice in plan.notices],
        "applied": False,
        "organizations": 0,
        "interactions": 0,
        "resumed": 0,
    }


def _result(result: ImportResult) -> dict[str, Any]:
    return {
        "applied": True,
        "organizations": result.organizations,
        "interactions": result.interactions,
        "resumed": result.resumed,
    }


def _ended(documents: list[dict[str, Any]], terminal: Terminal) -> int:
    """The exit code, and one sentence where somebody has to look."""
    rejected = sum(document["counts"]["rejected"] for document in documents)
    conflicts = sum(document["counts"]["conflicts"] for document in documents)
    damages = sum(notice["code"] in DAMAGED for document in documents for notice in document["notices"])
    parts = [f"{counted(rejected, 'row was', 'rows were')} rejected"] if rejected else []
    parts += [f"{counted(conflicts, 'row is', 'rows are')} left to a person"] if conflicts else []
    parts += ["the file is damaged in places"] if damages else []
    if not parts:
        return DONE
    where = "the notices" if terminal.as_json else 'the lines that begin with "!"'
    terminal.error(f"{' and '.join(parts)}: {where} say why and what to do")
    return INCOMPLETE

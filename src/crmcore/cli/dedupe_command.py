"""``crmcore dedupe``: which records are the same, in a store or in one CSV file.

Invariant: every row of the file is in the output, once and in its place; rows in which there is nothing to compare, or
that cannot be read, stand alone. Columns called ``cluster`` and ``rec_id`` are never evidence.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from crmcore.app.crm import Crm
from crmcore.cli.dedupe_file import dedupe_file
from crmcore.cli.outputs import check_outputs, store_files, write
from crmcore.cli.report import report
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal


def run_dedupe(options: argparse.Namespace, terminal: Terminal) -> int:
    """Deduplicate the store of ``--store``, or the file given."""
    if (options.file is None) == (options.store is None):
        options.usage_error(
            "name either a CSV file (dedupe FILE --out OUT) or a store (dedupe --store crm.db)"
        )
    for option in _OF_A_FILE if options.file is None else _OF_A_STORE:
        if getattr(options, option.removeprefix("--").replace("-", "_")) not in (None, []):
            what = "a CSV file" if options.file is None else "--store"
            options.usage_error(f"{option} goes with {what}")
    if options.file is not None and options.out is None and not options.json:
        options.usage_error("say where the clusters go: --out clusters.csv (or --json for counts only)")
    check_outputs(
        [options.report, options.out, options.summary, options.pairs, options.save_model, options.review],
        [options.file, options.model, options.labels, *options.decisions, *store_files(options.store)],
    )
    return _store(options, terminal) if options.file is None else dedupe_file(options, terminal)


_OF_A_FILE = (
    *(
        "--out",
        "--summary",
        "--pairs",
        "--model",
        "--save-model",
        "--threshold",
        "--without",
        "--exclude",
        "--labels",
        "--review",
        "--decisions",
        "--checkpoint",
        "--memory-limit",
    ),
    *("--map", "--id-column", "--kind", "--encoding", "--delimiter"),
)
_OF_A_STORE = ("--report",)


def _store(options: argparse.Namespace, terminal: Terminal) -> int:
    started = time.monotonic()
    with Crm(existing_store(options.store)) as crm:
        found = crm.identity.dedupe(on_progress=terminal.progress)
        if found.records:
            terminal.text(f"{found.text()}   {time.monotonic() - started:.1f} s")
        else:
            terminal.text("the store holds no records yet: fill it with crmcore import")
        for note in found.notes:
            terminal.text(f"  ! {note}")
        if options.report is not None:
            write(options.report, report(crm, on_progress=terminal.progress))
            terminal.text(f"open {options.report}")
        document: dict[str, Any] = {
            "records": found.records,
            "customers": dict(found.customers),
            "merged": found.merged,
            "review": found.review,
            "written": found.written,
            "notes": list(found.notes),
        }
        terminal.result(document)
    return DONE

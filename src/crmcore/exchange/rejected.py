"""The rows that were rejected, in a file that can be corrected and imported.

Invariant: every rejected row is in the file with its cells as they were, none lost and none added. Reading the
file back gives the same cells, also where a spreadsheet would have run them as formulas.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from crmcore.errors import PlanStale, UnreadableFile
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.formula import disarmed
from crmcore.exchange.mapping import ColumnMap
from crmcore.exchange.plan import ImportPlan
from crmcore.exchange.reading import BOOKKEEPING, Row, Table


def write_rejected(plan: ImportPlan, path: str | Path) -> int:
    """Write the rows that *plan* rejects to *path* and return how many there are; without any, no file is written.

    Four columns come first: ``_row`` (as a spreadsheet numbers it), ``_code``, ``_field`` (the column, where
    one is to blame) and ``_message``; they are ignored when the corrected file is imported. The file is UTF-8
    with a byte order mark and has the delimiter of the original.

    Raises:
        UnreadableFile: if the file cannot be written, or is the one that is read.
        PlanStale: if the file that was planned has changed.
    """
    codes = {row.number: row.code for row in plan.outcomes if row.outcome == "rejected"}
    if not codes:
        return 0
    table = planned_table(plan)
    path = Path(path)
    try:
        if path.exists() and path.samefile(table.path):
            raise UnreadableFile(
                f"{path.name} is the file that is imported: name another one for the rejected rows"
            )
        # With the mark, spreadsheets read it as UTF-8 and so do we.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            return _write(file, table, codes, plan.column_map)
    except OSError as error:
        raise UnreadableFile(
            f"{path.name or path} cannot be written ({error.strerror}): name another file"
        ) from None


def planned_table(plan: ImportPlan) -> Table:
    """The file that *plan* was made from.

    Raises:
        PlanStale: if it is not the same any more.
    """
    table = Table.open(plan.path, encoding=plan.options.encoding, delimiter=plan.options.delimiter)
    if table.digest != plan.file_digest:
        raise PlanStale(f"{plan.file} has changed since it was planned: plan the import again")
    return table


def _write(file: TextIO, table: Table, codes: dict[int, str], column_map: ColumnMap) -> int:
    # Surplus cells of a row with too many stand at the end, under no column, as they did in the original.
    writer = csv.writer(file, delimiter=table.delimiter, lineterminator="\r\n")
    writer.writerow([*BOOKKEEPING, *map(disarmed, table.columns)])
    written = 0
    for row in table.rows():
        code = codes.get(row.number)
        if code is not None:
            field = _column_to_blame(code, row, column_map)
            writer.writerow([row.number, code, field, MESSAGES.get(code, code), *map(disarmed, row.cells)])
            written += 1
    return written


def _column_to_blame(code: str, row: Row, column_map: ColumnMap) -> str:
    if code == "invalid_source":
        return column_map.source_column or ""
    if code == "invalid_id":
        return column_map.id_column or ""
    named = dict(zip(column_map.columns, row.cells, strict=False))
    if code == "nul":
        return next((name for name, cell in named.items() if "\0" in cell), "")
    if code == "cell_too_large":
        return max(named, key=lambda name: len(named[name]), default="")
    return ""

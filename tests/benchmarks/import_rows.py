"""How many rows a second an import takes over, beside a script that only copies the rows into SQLite.

Run it with the Python that has crmcore: ``python tests/benchmarks/import_rows.py DATA.csv [COLUMN=FIELD ...] [--option
value ...]``, the options being those of ``crm.imports.plan`` (``--source_column "Law firm"``). The copy parses nothing,
validates nothing and keeps no history; the ratio says what those cost. Both run in this process, one after the other.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from crmcore import Crm
from crmcore.exchange import parse_pair


def copied(path: Path, target: Path) -> float:
    """Seconds to read *path* with the standard library and write its cells to one table."""
    started = time.perf_counter()
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    database = sqlite3.connect(target)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    names = ", ".join(f"c{number} TEXT" for number in range(len(rows[0])))
    database.execute(f"CREATE TABLE copy ({names})")
    places = ", ".join("?" * len(rows[0]))
    database.executemany(
        f"INSERT INTO copy VALUES ({places})", [r for r in rows[1:] if len(r) == len(rows[0])]
    )
    database.commit()
    database.close()
    return time.perf_counter() - started


def main(arguments: list[str]) -> None:
    """Print one line."""
    path, words = Path(arguments[0]), arguments[1:]
    options: dict[str, str] = {}
    while "--" in " ".join(words):
        place = next(number for number, word in enumerate(words) if word.startswith("--"))
        options[words[place][2:]] = words[place + 1]
        del words[place : place + 2]
    with tempfile.TemporaryDirectory() as folder:
        plain = copied(path, Path(folder, "copy.db"))
        with Crm.open(Path(folder, "crm.db")) as crm:
            started = time.perf_counter()
            plan = crm.imports.plan(path, columns=[parse_pair(word) for word in words], **options)  # type: ignore[arg-type]  # words of the command line
            planned = time.perf_counter()
            result = crm.imports.apply(plan)
            ended = time.perf_counter()
    total = ended - started
    print(
        f"{path.name}: {result.rows_in:,} rows, plan {planned - started:.2f} s, apply {ended - planned:.2f} s, "
        f"{result.rows_in / total:,.0f} rows/s; {total / plain:.0f} times a plain copy ({plain:.3f} s)"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

"""How long `dedupe_table` takes and how much memory, by the number of rows; and how good its groups are.

Run it where crmcore and its extra ``batch`` are installed: ``python tests/benchmarks/identity/scale.py DATA.csv...``.
Each file has columns named by role and may have a column ``cluster`` with the truth, which is no evidence. Each is
read and grouped in a process of its own. Seconds are those inside it from the file to the groups, and of the whole
process; memory is the most that was held. With several files the growth is printed: by which power of the rows the
time grows.

``--reference`` runs plain Python beside it, for files of up to 20,000 rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import time
from importlib import import_module
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

_FEW = 20_000


def measured(path: Path, engine: str) -> dict[str, Any]:
    """Group one file in this process."""
    from crmcore.identity import dedupe, dedupe_table, evaluate, features_of_row

    if engine == "batch":
        # Imported before the clock starts, as everybody's libraries are.
        import_module("crmcore.identity.batch.table_dedupe")
    begin = time.perf_counter()
    if engine == "batch":
        found = dedupe_table(path)
    else:
        with path.open(newline="", encoding="utf-8") as file:
            features = [
                features_of_row({k: v for k, v in row.items() if k != "cluster"})
                for row in csv.DictReader(file)
            ]
        found = dedupe(features, engine="reference")
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with path.open(newline="", encoding="utf-8") as file:
        truth = [row.get("cluster") for row in csv.DictReader(file)]
    scores = evaluate(found.labels, truth) if truth and truth[0] is not None else None
    return {
        "rows": len(found.labels),
        "seconds": seconds,
        "memory": memory,
        "compared": found.statistics.compared,
        "left_out": found.statistics.left_out,
        "f1": scores.pairs.f1 if scores else None,
        "bcubed": scores.bcubed.f1 if scores else None,
        "matcher": found.matcher,
    }


def run(path: Path, engine: str) -> dict[str, Any]:
    """The same in a process of its own."""
    begin = time.perf_counter()
    command = [sys.executable, __file__, "--only", engine, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    # What the measuring itself took, reading the truth and comparing with it, is not counted.
    return result | {"whole": time.perf_counter() - begin - result.pop("told")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--only", choices=["batch", "reference"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        begin = time.perf_counter()
        found = measured(options.files[0], options.only)
        print(json.dumps(found | {"told": time.perf_counter() - begin - found["seconds"]}))
        return
    print(
        f"{'file':16}{'engine':>10}{'rows':>12}{'seconds':>9}{'whole':>8}{'MB':>7}{'pairs':>12}{'F1':>8}{'B3':>8}"
    )
    times: list[tuple[int, float]] = []
    for path in options.files:
        engines = ["batch"]
        if options.reference and path.stat().st_size < _FEW * 200:
            engines.append("reference")
        for engine in engines:
            found = run(path, engine)
            f1, bcubed = ("-" if found[key] is None else f"{found[key]:.4f}" for key in ("f1", "bcubed"))
            print(
                f"{path.stem:16}{engine:>10}{found['rows']:12,}{found['seconds']:9.2f}{found['whole']:8.2f}"
                f"{found['memory']:7,}{found['compared']:12,}{f1:>8}{bcubed:>8}  {found['matcher']}",
                flush=True,
            )
            if engine == "batch":
                times.append((found["rows"], found["seconds"]))
    for (few, short), (many, long) in pairwise(times):
        if many > few:
            power = log(long / short) / log(many / few)
            print(f"{few:,} -> {many:,} rows: the time grows with the rows to the power of {power:.2f}")


if __name__ == "__main__":
    main()

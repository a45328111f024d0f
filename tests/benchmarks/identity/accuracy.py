"""How well `dedupe` groups records whose true groups are known, at default settings and without labels.

Run it with the Python that has crmcore: ``python tests/benchmarks/identity/accuracy.py DATA.csv...``. Each file has a
column ``cluster`` with the truth, which is no evidence, and columns named by role (`crmcore.identity.features.ROLES`).
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from crmcore.identity import dedupe, evaluate, features_of_row


def measure(path: Path) -> None:
    """Print the figures of one file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    start = time.perf_counter()
    found = dedupe([features_of_row(row) for row in rows])
    seconds = time.perf_counter() - start
    result = evaluate(found.labels, [row["cluster"] for row in rows])
    pairs, counts = result.pairs, found.statistics
    figures = [pairs.precision, pairs.recall, pairs.f1, result.bcubed.f1]
    shown = ["-" if figure is None else f"{figure:.4f}" for figure in figures]
    print(
        f"{path.stem:20} {len(rows):8,} rows  P {shown[0]} R {shown[1]} F1 {shown[2]}  B-cubed F1 {shown[3]}  "
        f"{seconds:6.1f} s  {counts.compared:,} pairs compared, {counts.left_out:,} left out  {found.decided_by}"
    )


def main(arguments: Sequence[str]) -> int:
    """Measure every file named."""
    if not arguments:
        print(__doc__)
        return 2
    for argument in arguments:
        measure(Path(argument))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

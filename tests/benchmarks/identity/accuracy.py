"""How well `dedupe` groups records whose true groups are known, at default settings and without labels, and how fast.

Run it with the Python that has crmcore: ``python tests/benchmarks/identity/accuracy.py DATA.csv...``. Each file has a
column ``cluster`` with the truth, which is no evidence, and columns named by role (`crmcore.identity.features.ROLES`).
Where a file has streets, the baseline "normalised street alone" stands beside: some truths are little else. So does
splink, where it is installed.

``--errors N`` adds the wrong pairs by their levels of agreement, with N examples each, whose values are printed with
``--reveal`` only; ``--calibration`` adds a table of predicted probabilities beside what is true.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Hashable, Sequence
from pathlib import Path

from crmcore.identity import Evaluation, Features, dedupe, evaluate, features_of_row

sys.path.insert(0, str(Path(__file__).parents[3]))  # the pages beside this one, when it is run as a script


def figures(result: Evaluation[int]) -> str:
    """Pairwise precision, recall and F1, and B-cubed F1."""
    pairs = result.pairs
    shown = [
        "-" if figure is None else f"{figure:.4f}"
        for figure in (pairs.precision, pairs.recall, pairs.f1, result.bcubed.f1)
    ]
    return f"P {shown[0]} R {shown[1]} F1 {shown[2]}  B-cubed F1 {shown[3]}"


def street_alone(features: Sequence[Features]) -> list[Hashable]:
    """The groups that equal house numbers and streets make; records without stand alone."""
    doors = [next((address.door for address in record.addresses), "") for record in features]
    return [door or position for position, door in enumerate(doors)]


def measure(path: Path, *, errors: int | None, calibration: bool, reveal: bool) -> None:
    """Print the figures of one file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [row["cluster"] for row in rows]
    start = time.perf_counter()
    features = [features_of_row(row) for row in rows]
    found = dedupe(features)
    seconds = time.perf_counter() - start
    counts = found.statistics
    print(
        f"{path.stem:20} {len(rows):8,} rows  {figures(evaluate(found.labels, truth, examples=0))}  "
        f"{seconds:6.1f} s  {counts.compared:,} pairs compared, {counts.left_out:,} left out, "
        f"{len(found.unsure):,} to review  {found.decided_by}"
    )
    if any(address.door for record in features for address in record.addresses):
        print(f"  {'street alone':32} {figures(evaluate(street_alone(features), truth, examples=0))}")
    from tests.benchmarks.identity import splink_peer, wrong_by_pattern

    for name, labels, spent in splink_peer.grouped(rows):
        print(f"  {name:32} {figures(evaluate(labels, truth, examples=0))}  {spent:6.1f} s")
    if errors is not None:
        wrong_by_pattern.print_errors(features, found, truth, errors, reveal=reveal)
    if calibration:
        wrong_by_pattern.print_calibration(features, found, truth)


def main(arguments: Sequence[str]) -> int:
    """Measure every file named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="DATA.csv")
    parser.add_argument("--errors", type=int, metavar="N", help="wrong pairs by pattern, N examples each")
    parser.add_argument("--calibration", action="store_true", help="probabilities beside what is true")
    parser.add_argument("--reveal", action="store_true", help="print the values of examples")
    given = parser.parse_args(arguments)
    for path in given.files:
        measure(path, errors=given.errors, calibration=given.calibration, reveal=given.reveal)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""How well the matcher groups records whose true groups are known, and how fast.

Run it with the Python that has crmcore: ``python tests/benchmarks/identity_accuracy.py DATA.csv...``. Each file has a
column ``cluster`` with the truth, which is no evidence, and columns named by role (`crmcore.identity.features.ROLES`).
Pairwise precision, recall and F1 are worked out from the sizes of groups, without listing pairs. Where a file has
streets, the baseline "normalised street alone" stands beside: some truths are little else.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path

from crmcore.identity.deduplication import dedupe
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.rules import RuleMatcher


def pairs_within(groups: Sequence[Hashable]) -> int:
    """How many pairs of positions have equal values."""
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())


def pairwise(found: Sequence[Hashable], true: Sequence[Hashable]) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of records.

    >>> pairwise((0, 0, 1), ("a", "a", "a"))
    (1.0, 0.3333333333333333, 0.5)
    """
    both = pairs_within(list(zip(found, true, strict=True)))
    precision = both / (pairs_within(found) or 1)
    recall = both / (pairs_within(true) or 1)
    return precision, recall, 2 * precision * recall / ((precision + recall) or 1)


def street_alone(features: Sequence[Features]) -> list[Hashable]:
    """The groups that equal house numbers and streets make; records without stand alone."""
    doors = [next((address.door for address in record.addresses), "") for record in features]
    return [door or position for position, door in enumerate(doors)]


def measure(path: Path) -> None:
    """Print the figures of one file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [row["cluster"] for row in rows]
    start = time.perf_counter()
    features = [features_of_row(row) for row in rows]
    ready = time.perf_counter()
    found = dedupe(features, RuleMatcher())
    end = time.perf_counter()
    precision, recall, f1 = pairwise(found.labels, truth)
    line = f"{path.stem:20} {len(rows):7,} P {precision:.4f} R {recall:.4f} F1 {f1:.4f}"
    counts = found.statistics
    print(
        f"{line}   features {ready - start:6.2f} s, dedupe {end - ready:6.2f} s   "
        f"{counts.compared:,} pairs compared, {counts.left_out:,} left out, {len(found.unsure):,} to review"
    )
    if any(address.door for record in features for address in record.addresses):
        precision, recall, f1 = pairwise(street_alone(features), truth)
        print(f"{'  street alone':20} {'':7} P {precision:.4f} R {recall:.4f} F1 {f1:.4f}")


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

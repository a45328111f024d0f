"""How well names are told apart whose truth is known, and how fast, beside edit distance and a peer.

Run it with the Python that has crmcore: ``python tests/benchmarks/identity/names.py PAIRS.csv...``. A file has columns
``a`` and ``b`` (or ``name1`` and ``name2``), ``kind`` or ``schema``, and ``same`` or ``is_match``. crmcore is measured
at its own verdict; rapidfuzz's Levenshtein ratio over folded names, and nomenklatura's logic-v2 where it is installed,
at the threshold that is best for them on this very file.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from crmcore.identity.name_comparison import NameKind, compare_names
from crmcore.values.text import fold

TRUE = frozenset({"1", "yes", "true", "same", "match", "positive"})


class Pair(NamedTuple):
    """Two names, what they name, and whether they are one."""

    a: str
    b: str
    kind: NameKind
    same: bool


def _first(row: Mapping[str, str], *names: str) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def read(path: Path) -> list[Pair]:
    """The labelled pairs of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Pair(
                _first(row, "a", "name1", "left", "name_a", "query"),
                _first(row, "b", "name2", "right", "name_b", "candidate"),
                "person"
                if _first(row, "kind", "schema", "type").lower() in ("", "person")
                else "organization",
                _first(row, "same", "is_match", "match", "label").strip().lower() in TRUE,
            )
            for row in csv.DictReader(file)
        ]


def accuracy(found: Sequence[bool], pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Precision, recall and F1.

    >>> accuracy([True, True], [Pair("a", "a", "person", True), Pair("a", "b", "person", False)])
    (0.5, 1.0, 0.6666666666666666)
    """
    both = sum(1 for one, pair in zip(found, pairs, strict=True) if one and pair.same)
    precision = both / (sum(found) or 1)
    recall = both / (sum(pair.same for pair in pairs) or 1)
    return precision, recall, 2 * precision * recall / ((precision + recall) or 1)


def best(scores: Sequence[float], pairs: Sequence[Pair]) -> tuple[float, tuple[float, float, float]]:
    """The threshold that gives the best F1, and what it gives."""
    tried = ((limit, accuracy([score >= limit for score in scores], pairs)) for limit in sorted(set(scores)))
    return max(tried, key=lambda item: item[1][2])


def _levenshtein(pair: Pair) -> float:
    return Levenshtein.normalized_similarity(fold(pair.a), fold(pair.b))


def _nomenklatura() -> Callable[[Pair], float] | None:
    """The peer's score of two entities that have nothing but a name."""
    try:
        from followthemoney import model  # type: ignore[import-not-found,unused-ignore]  # a peer
        from nomenklatura.matching import get_algorithm  # type: ignore[import-not-found,unused-ignore]  # a peer
        from nomenklatura.matching.types import ScoringConfig  # type: ignore[import-not-found,unused-ignore]  # a peer
    except ImportError:
        return None
    algorithm = get_algorithm("logic-v2")
    if algorithm is None:
        return None

    def score(pair: Pair) -> float:
        schema = "Person" if pair.kind == "person" else "Organization"
        one, other = (
            model.get_proxy({"id": name, "schema": schema, "properties": {"name": [name]}})
            for name in (pair.a, pair.b)
        )
        return float(algorithm.compare(one, other, ScoringConfig.defaults()).score)

    return score


def _timed(compare: Callable[[Pair], object], pairs: Sequence[Pair]) -> float:
    start = time.perf_counter()
    for pair in pairs:
        compare(pair)
    return (time.perf_counter() - start) / (len(pairs) or 1) * 1e6


def _line(name: str, figures: tuple[float, float, float], note: str) -> str:
    precision, recall, f1 = figures
    return f"  {name:24} P {precision:.3f} R {recall:.3f} F1 {f1:.3f}   {note}"


def measure(path: Path) -> None:
    """Print the figures of one file."""
    pairs = read(path)
    print(f"{path.name}: {len(pairs)} pairs, {sum(pair.same for pair in pairs)} of them the same")
    cold = _timed(lambda pair: compare_names(pair.a, pair.b, pair.kind), pairs)
    warm = min(_timed(lambda pair: compare_names(pair.a, pair.b, pair.kind), pairs) for _ in range(5))
    for kind in ("person", "organization", None):
        some = [pair for pair in pairs if kind in (pair.kind, None)]
        found = [compare_names(pair.a, pair.b, pair.kind) for pair in some]
        figures = accuracy([one.verdict == "same" for one in found], some)
        limit, highest = best([one.score for one in found], some) if some else (0.0, (0.0, 0.0, 0.0))
        note = f"best F1 {highest[2]:.3f} from {limit:.3f}"
        print(_line(f"crmcore {kind or 'all'}", figures, note))
    print(f"  {'':24} {cold:.1f} us a pair at first, {warm:.1f} us when the names were seen before")
    limit, figures = best([_levenshtein(pair) for pair in pairs], pairs)
    print(_line("Levenshtein ratio", figures, f"from {limit:.3f}, {_timed(_levenshtein, pairs):.1f} us"))
    if peer := _nomenklatura():
        limit, figures = best([peer(pair) for pair in pairs], pairs)
        print(_line("nomenklatura logic-v2", figures, f"from {limit:.3f}, {_timed(peer, pairs):.1f} us"))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        measure(Path(argument))

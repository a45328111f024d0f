"""An evaluation as people read it.

Invariant: 1.0000 is printed of what is perfect and of nothing else, and a hyphen where there is nothing to judge by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crmcore.identity.evaluation import BCubed, Evaluation, SizeClass, Tally
from crmcore.identity.wrong_pairs import WrongPair

_SHOWN = 3
"""Examples of each kind of error that are printed."""


def evaluation_text(done: Evaluation[Any]) -> str:
    """The figures, by kind and by size of cluster, and a few examples.

    >>> from crmcore.identity.evaluation import evaluate
    >>> print(evaluation_text(evaluate("aaab", "xxyy")))
    4 records; 2 clusters found, 2 true
    <BLANKLINE>
              precision  recall      F1
    pairs        0.3333  0.5000  0.4000   3 found, 2 true, 1 both
    B-cubed      0.6667  0.7500  0.7059
    clusters     0.0000  0.0000  0.0000   2 found, 2 true, 0 both
    <BLANKLINE>
              found clusters, precision        true clusters, recall
    size      clusters   pairs  B-cubed    clusters   pairs  B-cubed
    1                1       -   1.0000           0
    2                0                            2  0.5000   0.7500
    3                1  0.3333   0.5556           0
    <BLANKLINE>
    wrongly together: 2 pairs, such as 0 + 2
    wrongly apart: 1 pair, such as 2 + 3
    """
    counts = done.clusters
    lines = [
        f"{done.records:,} {_noun(done.records, 'record')}; "
        f"{counts.found:,} {_noun(counts.found, 'cluster')} found, {counts.true:,} true",
        "",
        f"{'':8}  {'precision':>9}  {'recall':>6}  {'F1':>6}",
        _figures("pairs", done.pairs) + _counts(done.pairs),
        _figures("B-cubed", done.bcubed),
        _figures("clusters", counts) + _counts(counts),
        "",
        *_sizes(done.by_found, done.by_true),
    ]
    wrong = [
        *_errors("together", done.pairs.found - done.pairs.both, done.false_merges),
        *_errors("apart", done.pairs.true - done.pairs.both, done.false_splits),
    ]
    return "\n".join([*lines, "", *wrong] if wrong else lines)


def share(value: float | None) -> str:
    """A share in four decimals, a hyphen if there is none.

    >>> share(0.99999), share(1.0), share(None)
    ('0.9999', '1.0000', '-')
    """
    if value is None:
        return "-"
    return "1.0000" if value >= 1 else f"{min(value, 0.9999):.4f}"


def _figures(name: str, figures: Tally | BCubed) -> str:
    return f"{name:8}  {share(figures.precision):>9}  {share(figures.recall):>6}  {share(figures.f1):>6}"


def _counts(tally: Tally) -> str:
    return f"   {tally.found:,} found, {tally.true:,} true, {tally.both:,} both"


def _sizes(found: Sequence[SizeClass], true: Sequence[SizeClass]) -> Iterable[str]:
    yield f"{'':8}  {'found clusters, precision':>25}    {'true clusters, recall':>25}".rstrip()
    columns = f"{'clusters':>8}  {'pairs':>6}  {'B-cubed':>7}"
    yield f"{'size':8}  {columns}    {columns}"
    of_found = {size.smallest: size for size in found}
    of_true = {size.smallest: size for size in true}
    for smallest in sorted(of_found.keys() | of_true.keys()):
        one, other = of_found.get(smallest), of_true.get(smallest)
        name = next(size.name for size in (one, other) if size is not None)
        yield f"{name:8}  {_size(one)}    {_size(other)}".rstrip()


def _size(size: SizeClass | None) -> str:
    if size is None:
        return f"{0:>8}  {'':>6}  {'':>7}"
    return f"{size.clusters:>8,}  {share(size.pairwise):>6}  {share(size.bcubed):>7}"


def _errors(how: str, count: int, examples: Sequence[WrongPair[Any]]) -> Iterable[str]:
    if count:
        shown = ", ".join(f"{_id(pair.a)} + {_id(pair.b)}" for pair in examples[:_SHOWN])
        yield f"wrongly {how}: {count:,} {_noun(count, 'pair')}" + (f", such as {shown}" if shown else "")


def _id(id: object) -> str:
    """An id in one piece, whatever characters it has."""
    text = str(id)
    return text if text.isprintable() and text.strip() == text != "" else ascii(text)


def _noun(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"

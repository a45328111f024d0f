"""The file of pairs: what is linked, doubtful or related, and why.

Invariant: a pair stands there once. Its columns hold ids and levels; values of records are in its explanation alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from crmcore.cli.deciding import Deciding, Pairs
from crmcore.cli.outputs import write
from crmcore.identity.deduplication import Deduplication
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match

_ASIDE = frozenset({"any two records", "order of the names", "related customers", "rule", "kind"})
"""Reasons of a match that are no column."""


@attrs.frozen
class Pair:
    """The records at *a* < *b*, the decision on them, what the matcher says, and who decided if not the matcher."""

    a: int
    b: int
    verdict: str
    match: Match
    by: str = ""


def pairs_of(
    found: Deduplication,
    deciding: Deciding,
    features: Sequence[Features],
    *,
    together: Iterable[tuple[int, int]] = (),
    on_progress: Callable[[int, int], None],
) -> list[Pair]:
    """Every pair of an outcome: linked ones first, those that labels put *together* behind the others."""
    pairs = [Pair(link.a, link.b, "same", link.match) for link in found.links]
    said = sorted({(min(pair), max(pair)) for pair in together} - {(pair.a, pair.b) for pair in pairs})
    asked = Pairs(deciding, features, (at for pair in (*said, *found.related) for at in pair))
    pairs += [Pair(a, b, "same", asked.match(a, b), "labelled the same") for a, b in said]
    pairs += [Pair(pair.a, pair.b, "unsure", pair.match) for pair in found.unsure]
    listed = {(pair.a, pair.b) for pair in pairs}
    for done, (a, b) in enumerate(found.related, start=1):
        if (a, b) not in listed:
            pairs.append(Pair(a, b, "related", asked.match(a, b)))
        if done % 256 == 0 or done == len(found.related):
            on_progress(done, len(found.related))
    return pairs


def write_pairs(path: Path, pairs: Sequence[Pair], ids: Mapping[int, str], deciding: Deciding) -> None:
    """Write *pairs*, the ids of their records by position.

    Raises:
        UnreadableFile: if the file cannot be written.
    """
    if deciding.model is not None:
        columns = [column.name for column in deciding.model.columns]
    else:
        seen = dict.fromkeys(reason.field for pair in pairs for reason in pair.match.reasons)
        columns = [name for name in seen if name not in _ASIDE]
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")  # as in clusters.csv
    writer.writerow(("rec_id_a", "rec_id_b", "verdict", "bits", *columns, "explanation"))
    for pair in pairs:
        levels = {reason.field: reason.level for reason in pair.match.reasons}
        writer.writerow(
            (
                ids[pair.a],
                ids[pair.b],
                pair.verdict,
                f"{pair.match.bits:.2f}",
                *(levels.get(name, "") for name in columns),
                _explained(pair),
            )
        )
    write(path, lines.getvalue())


def _explained(pair: Pair) -> str:
    """The explanation of a match in one line."""
    lines = [" ".join(line.split()) for line in pair.match.explain().splitlines()]
    return "; ".join([pair.by, *lines] if pair.by else lines)

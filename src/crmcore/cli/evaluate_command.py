"""``crmcore evaluate``: how well clusters fit the true ones, from two CSV files.

Invariant: records are compared by their ids alone. Nothing is left out unless ``--common`` is given, and then it is
said how much; a record that occurs twice is never compared. Of a file nothing is kept but its ids and their clusters.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable
from typing import Any

import attrs

from crmcore.cli.evaluate_files import Labelled, read_labelled
from crmcore.cli.outputs import check_outputs, write
from crmcore.cli.terminal import DONE, INCOMPLETE, Terminal, counted
from crmcore.errors import UnreadableFile
from crmcore.identity.evaluation import BCubed, Evaluation, SizeClass, Tally, evaluate
from crmcore.identity.wrong_pairs import WrongPair

EXAMPLES = 1_000
"""Pairs of each kind in the file of errors."""

_REASONS = 5
"""Reasons for a refusal that are named in its sentence."""


def run_evaluate(options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare the clusters of one file with those of another."""
    check_outputs([options.errors], [options.clusters, options.truth])
    clusters = read_labelled(options.clusters, progress=terminal.progress)
    truth = read_labelled(
        options.truth,
        id_column=options.id_column,
        cluster_column=options.cluster_column,
        encoding=options.encoding,
        delimiter=options.delimiter,
        is_truth=True,
        progress=terminal.progress,
    )
    if clusters.is_same_column(truth):
        raise UnreadableFile(
            "the clusters and the truth are one column of one file: name the file with the true clusters"
        )
    apart = _apart(clusters, truth, common=options.common)
    done = evaluate(clusters.labels, truth.labels, examples=EXAMPLES if options.errors is not None else 10)
    if options.errors is not None:
        write(options.errors, _errors(done))
    doubts = [*clusters.notes(), *truth.notes()]
    notes = [*doubts, *_equal(clusters, truth), *apart]
    for note in notes:
        terminal.text(f"! {note}")
    terminal.text(done.text())
    if options.errors is not None:
        count = len(done.false_merges) + len(done.false_splits)
        terminal.text(f"{counted(count, 'pair', 'pairs')} in {options.errors}")
    terminal.result(_document(done, clusters, truth) | {"notes": notes})
    unread = clusters.unread + truth.unread
    parts = [f"{counted(unread, 'row', 'rows')} could not be read"] if unread else []
    parts += ["a column that was used occurs twice"] if doubts else []
    if parts:
        where = "its notes say" if terminal.as_json else 'the lines that begin with "!" say'
        terminal.error(f"{' and '.join(parts)}: {where} more")
    return INCOMPLETE if parts else DONE


def _apart(clusters: Labelled, truth: Labelled, *, common: bool) -> list[str]:
    """What there is to say of rows that are no record of both files; such records are taken out.

    Raises:
        UnreadableFile: if there are such rows and they may not be left out, or no others.
    """
    said = [
        part
        for file, other in ((clusters, truth), (truth, clusters))
        for part in (*file.unusable_said(advice=common), *file.only_said(other))
    ]
    numbered = f", where rows of {truth.name} are known by their numbers" if truth.numbered else ""
    ids = clusters.labels.keys() & truth.labels.keys()
    if not ids:
        raise UnreadableFile(
            f"no record of {clusters.name} is in {truth.name}{numbered}: check the columns of the ids (--id-column)"
        )
    if said and not common:
        shown = "; ".join(said[:_REASONS]) + ("; and more" if len(said) > _REASONS else "")
        raise UnreadableFile(
            f"{shown}{numbered}: correct the files, or compare the records that both have with --common"
        )
    for file in (clusters, truth):
        file.keep(ids)
    return said


def _equal(clusters: Labelled, truth: Labelled) -> Iterable[str]:
    if clusters.table.digest == truth.table.digest and clusters.cluster_column == truth.cluster_column:
        yield "both files hold the same, byte by byte: is one of them a copy?"


def _errors(done: Evaluation[str]) -> str:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")  # as in clusters.csv
    writer.writerow(("kind", "rec_id_a", "rec_id_b", "size", "size_a", "size_b"))
    for kind, pairs in (("false_merge", done.false_merges), ("false_split", done.false_splits)):
        writer.writerows(_line(kind, pair) for pair in pairs)
    return lines.getvalue()


def _line(kind: str, pair: WrongPair[str]) -> tuple[object, ...]:
    return kind, pair.a, pair.b, pair.size, pair.size_a, pair.size_b


def _document(done: Evaluation[str], clusters: Labelled, truth: Labelled) -> dict[str, Any]:
    return {
        "found": clusters.name,
        "truth": truth.name,
        "records": done.records,
        "left_out": clusters.left_out + truth.left_out,
        "pairs": _figures(done.pairs),
        "clusters": _figures(done.clusters),
        "bcubed": _figures(done.bcubed),
        "by_found": [_size(size) for size in done.by_found],
        "by_true": [_size(size) for size in done.by_true],
    }


def _figures(figures: Tally | BCubed) -> dict[str, Any]:
    counts = attrs.asdict(figures) if isinstance(figures, Tally) else {}
    return counts | {"precision": figures.precision, "recall": figures.recall, "f1": figures.f1}


def _size(size: SizeClass) -> dict[str, Any]:
    return {
        "size": size.name,
        "clusters": size.clusters,
        "records": size.records,
        "pairs": size.pairs,
        "equal": size.equal,
        "shared_pairs": size.shared_pairs,
        "pairwise": size.pairwise,
        "bcubed": size.bcubed,
    }

"""``crmcore link``: which records of one CSV file are which of another.

Invariant: a link has one record of each file. Which ones are linked follows from what both files hold together, so that
a record is linked by way of others too; with ``--one-to-one`` no record has two links.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from crmcore.app.deduplication import notes_of
from crmcore.cli.deciding import Deciding, Pairs, decide
from crmcore.cli.dedupe_file import ended_well, left_out, pairs_said, threshold_bits
from crmcore.cli.outputs import check_outputs, write
from crmcore.cli.pairs_file import Pair, pairs_of, write_pairs
from crmcore.cli.records import Records, read_records
from crmcore.cli.terminal import Terminal, counted
from crmcore.errors import InvalidMapping, UnreadableFile
from crmcore.exchange.mapping import ImportOptions, reserved_columns
from crmcore.exchange.reading import Table
from crmcore.identity.deduplication import Deduplication, dedupe
from crmcore.identity.features import Features
from crmcore.serde import dump


def run_link(options: argparse.Namespace, terminal: Terminal) -> int:
    """Link the records of two files, and write the links to ``--out``."""
    if options.out is None and not options.json:
        options.usage_error("say where the links go: --out links.csv (or --json for counts only)")
    check_outputs([options.out, options.pairs], [options.a, options.b, options.model])
    _refuse_one_file(options.a, options.b)
    started = time.monotonic()
    a, b = (
        read_records(path, columns, without=options.without)
        for path, columns in zip((options.a, options.b), _columns(options), strict=True)
    )
    features = [*a.features, *b.features]

    def compared(done: int, total: int) -> None:
        terminal.progress("comparing", done, total)

    deciding = decide(features, model=options.model, threshold=options.threshold, on_progress=compared)
    # Rules do not keep the records of one file apart; there the best of several links is taken afterwards.
    one_to_one = options.one_to_one and deciding.model is not None
    sources = ["a"] * len(a.ids) + ["b"] * len(b.ids) if one_to_one else None
    found = dedupe(features, deciding.matcher, sources=sources, on_progress=compared)
    links = _links(found, deciding, features, len(a.ids))
    if options.one_to_one:
        links = _best(links)
    across = _across(found, len(a.ids))
    summary = _summary(a, b, across, deciding, links) | {
        "one_to_one": options.one_to_one,
        "notes": [*left_out(options.without, a, b), *deciding.notes, *notes_of(found)],
        "seconds": round(time.monotonic() - started, 3),
    }
    ids = dict(enumerate([*a.ids, *b.ids]))
    if options.out is not None:
        _write(options.out, links, ids)
    if options.pairs is not None:
        joined = [attrs.evolve(link, verdict="same") for link in links]
        others = pairs_of(
            across,
            deciding,
            features,
            on_progress=lambda done, total: terminal.progress("explaining", done, total),
        )
        write_pairs(options.pairs, [*joined, *others], ids, deciding)
    _tell(options, terminal, (a, b), summary)
    terminal.result(summary)
    return ended_well([a, b], terminal)


def _refuse_one_file(a: Path, b: Path) -> None:
    try:
        same = a.samefile(b)
    except OSError:
        return  # reading says what is wrong
    if same:
        raise UnreadableFile(f"{a.name} is both files: find its duplicates with crmcore dedupe")


def _columns(options: argparse.Namespace) -> tuple[ImportOptions, ImportOptions]:
    """How each file is read: what is said of a column goes for the files that have it.

    Raises:
        InvalidMapping: if neither has it.
    """
    tables = [
        Table.open(path, encoding=options.encoding, delimiter=options.delimiter)
        for path in (options.a, options.b)
    ]
    named = [column for column, _ in options.map]
    if options.id_column is not None:
        named.append(options.id_column)
    has = [{column for column in named if _has(table, column)} for table in tables]
    if not set(named) <= has[0] | has[1]:
        missing = next(column for column in named if column not in has[0] | has[1])
        raise InvalidMapping(
            f"there is no column {missing!r} in {tables[0].path.name} or in {tables[1].path.name}: "
            "name one that is in their first line"
        )
    one, other = (
        ImportOptions(
            id_column=options.id_column if options.id_column in mine else None,
            kind=options.kind,
            columns=tuple(pair for pair in options.map if pair[0] in mine),
            encoding=options.encoding,
            delimiter=options.delimiter,
        )
        for mine in has
    )
    return one, other


def _has(table: Table, column: str) -> bool:
    try:
        reserved_columns(table.columns, ImportOptions(id_column=column))
    except InvalidMapping:
        return False
    return True


def _links(found: Deduplication, deciding: Deciding, features: Sequence[Features], middle: int) -> list[Pair]:
    """The pairs of one cluster across the files, by the first record and then the strongest first."""
    pairs = [(a, b) for group in found.groups for a in group if a < middle for b in group if b >= middle]
    asked = Pairs(deciding, features, (at for pair in pairs for at in pair))
    matches = [(a, b, asked.match(a, b)) for a, b in pairs]
    links = [Pair(a, b, match.verdict, match) for a, b, match in matches]
    return sorted(links, key=lambda link: (link.a, -link.match.score, link.b))


def _best(links: Iterable[Pair]) -> list[Pair]:
    """The strongest links such that no record has two."""
    taken: set[int] = set()
    kept: list[Pair] = []
    for link in sorted(links, key=lambda link: (-link.match.score, link.a, link.b)):
        if link.a not in taken and link.b not in taken:
            taken |= {link.a, link.b}
            kept.append(link)
    return sorted(kept, key=lambda link: link.a)


def _across(found: Deduplication, middle: int) -> Deduplication:
    """An outcome with its doubtful and related pairs across the files, and no others."""
    return attrs.evolve(
        found,
        links=(),
        unsure=tuple(pair for pair in found.unsure if pair.a < middle <= pair.b),
        related=tuple((a, b) for a, b in found.related if a < middle <= b),
    )


def _summary(
    a: Records,
    b: Records,
    found: Deduplication,
    deciding: Deciding,
    links: Sequence[Pair],
) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": file.name,
                "rows": len(file.ids),
                "linked": len(linked),
                "unreadable": dict(file.unreadable),
                "columns": file.columns,
                "notices": [dump(notice) for notice in file.prepared.notices],
            }
            for file, linked in ((a, {link.a for link in links}), (b, {link.b for link in links}))
        ],
        "links": len(links),
        "pairs_to_review": len(found.unsure),
        "pairs_related": len(found.related),
        "decided_by": found.decided_by,
        "threshold_bits": threshold_bits(deciding),
    }


def _write(path: Path, links: Sequence[Pair], ids: dict[int, str]) -> None:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")  # as in clusters.csv
    writer.writerow(("rec_id_a", "rec_id_b", "bits", "verdict"))
    writer.writerows((ids[x.a], ids[x.b], f"{x.match.bits:.2f}", x.verdict) for x in links)
    write(path, lines.getvalue())


def _tell(
    options: argparse.Namespace,
    terminal: Terminal,
    files: Sequence[Records],
    summary: dict[str, Any],
) -> None:
    for file in files:
        file.tell(terminal, named=True)
    for note in summary["notes"]:
        terminal.text(f"! {note}")
    terminal.text(f"decided by {summary['decided_by']}")
    linked = ", ".join(
        f"{file['linked']:,} of {counted(file['rows'], 'row', 'rows')} of {file['file']}"
        for file in summary["files"]
    )
    links = counted(summary["links"], "link", "links")
    terminal.text(f"{links}: {linked}   ({pairs_said(summary)})   {summary['seconds']:.1f} s")
    for what, path in (("links", options.out), ("pairs", options.pairs)):
        if path is not None:
            terminal.text(f"{what} in {path}")

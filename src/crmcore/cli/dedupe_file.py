"""``crmcore dedupe FILE``: one CSV file in, one cluster for each of its rows out.

Invariant: the output has the rows of the file in their order, those that cannot be read included; it follows from the
columns that are mapped, the options and what people said of pairs, and from nothing else in the file.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from collections.abc import Sequence
from typing import Any

from crmcore.app.deduplication import notes_of
from crmcore.cli.calibrating import Calibrated, calibrated
from crmcore.cli.deciding import Deciding
from crmcore.cli.decisions_file import decided, heard
from crmcore.cli.grouping import Grouping, grouping_of
from crmcore.cli.labels_file import Labels, read_labels
from crmcore.cli.outputs import write
from crmcore.cli.pairs_file import pairs_of, write_pairs
from crmcore.cli.records import Records
from crmcore.cli.review_file import review_of_file
from crmcore.cli.terminal import DONE, INCOMPLETE, Terminal, counted
from crmcore.exchange.mapping import ImportOptions
from crmcore.identity.deduplication import Deduplication
from crmcore.identity.engine import chosen
from crmcore.serde import dump

_MANY = 5_000
"""From so many rows on it is worth saying that there is a faster way."""


def dedupe_file(options: argparse.Namespace, terminal: Terminal) -> int:
    """Find the clusters of the rows of a file and write them to ``--out``."""
    grouping = grouping_of(options, terminal)
    try:
        code = _dedupe(grouping, options, terminal)
        grouping.finish()
        return code
    finally:
        grouping.close()


def _dedupe(grouping: Grouping, options: argparse.Namespace, terminal: Terminal) -> int:
    started = time.monotonic()
    records = grouping.read(import_options(options))
    labels = None
    if options.labels is not None:
        labels = read_labels(options.labels, records.ids, records.name)
    decisions, unused = decided(options.decisions, records)
    everything = heard(labels, decisions)
    read = time.monotonic()
    known = None if everything is None else everything.of(records.excluded)
    deciding = grouping.decide(together=known.together if known else (), apart=known.apart if known else ())
    deciding, said = _calibrated(deciding, labels, records, typed=options.threshold is not None)
    found = grouping.group(deciding)
    ended = time.monotonic()
    notes = [*left_out(options.without, records), *deciding.notes, *notes_of(found), *unused]
    if everything is not None and known is not None and len(known.pairs) < len(everything.pairs):
        count = len(everything.pairs) - len(known.pairs)
        notes.append(f"{counted(count, 'label', 'labels')} not used: of records that must not be linked")
    summary = _summary(records, found, deciding, said, notes) | {
        "seconds_reading": round(read - started, 3),
        "seconds_comparing": round(ended - read, 3),
    }
    _write(options, terminal, records, found, deciding, known, summary)
    _tell(options, terminal, records, summary, said, ended - started)
    terminal.result(summary)
    return ended_well([records], terminal, unsaved=options.save_model is not None and deciding.model is None)


def import_options(options: argparse.Namespace) -> ImportOptions:
    """How a file is read."""
    return ImportOptions(
        id_column=options.id_column,
        kind=options.kind,
        columns=tuple(options.map),
        encoding=options.encoding,
        delimiter=options.delimiter,
    )


def _calibrated(
    deciding: Deciding, labels: Labels | None, records: Records, *, typed: bool
) -> tuple[Deciding, Calibrated | None]:
    """What decides once labels have been heard, and what they say."""
    if labels is None:
        return deciding, None
    said = calibrated(labels, deciding, records.features, typed=typed)
    return (deciding if said.used is None else deciding.at(said.used)), said


def left_out(without: Sequence[str], *files: Records) -> list[str]:
    """That fields were left out on request."""
    mapped = {field for records in files for field in records.prepared.column_map.fields}
    return [
        f"{field} was left out on request"
        if field in mapped
        else f"{field} was to be left out, and no column holds it"
        for field in dict.fromkeys(without)
    ]


def _summary(
    records: Records,
    found: Deduplication,
    deciding: Deciding,
    said: Calibrated | None,
    notes: Sequence[str],
) -> dict[str, Any]:
    return {
        "file": records.name,
        "rows": len(records.ids),
        "unreadable": dict(records.unreadable),
        "excluded": len(records.excluded),
        "clusters": len(set(found.labels)),
        "pairs_to_review": len(found.unsure),
        "pairs_related": len(found.related),
        "decided_by": found.decided_by,
        "engine": found.engine,
        "resumed": found.resumed,
        "threshold_bits": threshold_bits(deciding),
        "labels": None if said is None else said.document(),
        "columns": records.columns,
        "notices": [dump(notice) for notice in records.prepared.notices],
        "notes": list(notes),
    }


def threshold_bits(deciding: Deciding) -> float | None:
    """From how many bits on two records are the same; None where rules decide."""
    from crmcore.identity.model.policy import UNIT

    return None if deciding.model is None else deciding.policy.same_at / UNIT


def _write(
    options: argparse.Namespace,
    terminal: Terminal,
    records: Records,
    found: Deduplication,
    deciding: Deciding,
    labels: Labels | None,
    summary: dict[str, Any],
) -> None:
    page = None
    if options.review is not None:
        # Made before anything is written: it reads the file again, which may have changed.
        review, unasked = review_of_file(found, deciding, records, options)
        page = review.html()
        summary["notes"] += unasked.notes
    if options.out is not None:
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, lineterminator="\n")  # for the tools that cut and join lines
        writer.writerow(("rec_id", "cluster"))
        writer.writerows(zip(records.ids, found.labels, strict=True))
        write(options.out, lines.getvalue())
    if options.pairs is not None:
        pairs = pairs_of(
            found,
            deciding,
            records.features,
            together=labels.together if labels else (),
            on_progress=lambda done, total: terminal.progress("explaining", done, total),
        )
        write_pairs(options.pairs, pairs, dict(enumerate(records.ids)), deciding)
    if page is not None and options.review is not None:
        write(options.review, page)
    if options.save_model is not None and deciding.model is not None:
        write(options.save_model, deciding.model.to_text() + "\n")
    if options.summary is not None:
        write(options.summary, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")


def _tell(
    options: argparse.Namespace,
    terminal: Terminal,
    records: Records,
    summary: dict[str, Any],
    said: Calibrated | None,
    seconds: float,
) -> None:
    records.tell(terminal)
    for note in summary["notes"]:
        terminal.text(f"! {note}")
    for line in said.lines() if said is not None else ():
        terminal.text(line)
    if summary["resumed"]:
        terminal.text("went on from the checkpoint")
    terminal.text(f"decided by {summary['decided_by']}{worked_out(summary)}")
    rows, clusters = summary["rows"], summary["clusters"]
    terminal.text(
        f"{counted(rows, 'row', 'rows')} -> {counted(clusters, 'cluster', 'clusters')}   "
        f"({pairs_said(summary)})   {seconds:.1f} s"
    )
    for what, path in (("clusters", options.out), ("pairs", options.pairs)):
        if path is not None:
            terminal.text(f"{what} in {path}")
    if options.review is not None:
        terminal.text(f"open {options.review} in a browser; it shows personal data")
    if options.save_model is not None and summary["threshold_bits"] is not None:
        terminal.text(f"model in {options.save_model}")


def worked_out(summary: dict[str, Any]) -> str:
    """How it was worked out; where there is a faster way, which."""
    if summary["engine"] == "batch":
        return ", with arrays"
    if summary["rows"] < _MANY or chosen() == "batch":
        return ""
    return ", in plain Python: pip install 'crmcore[batch]' does the same faster"


def pairs_said(summary: dict[str, Any]) -> str:
    """How many pairs there are beside the linked ones."""
    review, related = summary["pairs_to_review"], summary["pairs_related"]
    return f"{counted(review, 'pair', 'pairs')} to review" + (f", {related:,} related" if related else "")


def ended_well(files: Sequence[Records], terminal: Terminal, *, unsaved: bool = False) -> int:
    """The exit code, and one sentence where somebody has to look."""
    parts = list(dict.fromkeys(part for file in files for part in file.doubts()))
    where = "the notices" if terminal.as_json else 'the lines that begin with "!"'
    sentence = f"{' and '.join(parts)}: {where} say why and what to do" if parts else ""
    if unsaved:
        why = "no model was learned, so none was saved"
        sentence = f"{why}; {sentence}" if sentence else f"{why}: rules decided, the output says why"
    if not sentence:
        return DONE
    terminal.error(sentence)
    return INCOMPLETE

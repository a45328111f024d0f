"""The files of decisions that review pages save: reading them, and what they say of the rows of a file.

Invariant: either all that the files say can be true of the rows, or they are refused. A decision on rows that the file
does not have, or that cannot be told apart, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from crmcore.cli.labels_file import Labels, contradicted
from crmcore.cli.records import Records
from crmcore.cli.terminal import counted
from crmcore.errors import InvalidDecisions, UnreadableFile
from crmcore.identity.review_decisions import MOST_BYTES, Decisions


def read_decisions(path: Path) -> Decisions:
    """The decisions of one file.

    Raises:
        UnreadableFile: if it cannot be read.
        InvalidDecisions: if it is no file of decisions.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(
            f"{path.name or path} cannot be read ({error.strerror}): name the file that a review page has saved"
        ) from None
    try:
        return Decisions.parse(text)
    except InvalidDecisions as error:
        raise InvalidDecisions(f"{path.name}: {error}") from None


def decided(paths: Sequence[Path], records: Records) -> tuple[Labels | None, list[str]]:
    """What files of decisions say of *records*, and notes on what was left out; None without files.

    Raises:
        UnreadableFile: if one cannot be read.
        InvalidDecisions: if one is no file of decisions, is about something else, or they contradict each other.
    """
    pairs: dict[tuple[int, int], bool] = {}
    notes: list[str] = []
    known = records.known
    for path in paths:
        found = read_decisions(path)
        _refuse_others(path, found, records)
        here = [d for d in found.decisions if all(record in known for record in d.records)]
        if not here:
            raise InvalidDecisions(
                f"{path.name}: none of its decisions is about rows of {records.name}: check the ids, and --id-column"
            )
        if len(here) < len(found.decisions):
            count = len(found.decisions) - len(here)
            notes.append(
                f"{counted(count, 'decision', 'decisions')} of {path.name} not used: {records.name} does not have "
                "their rows, or not one for each id"
            )
        for decision in here:
            for verdict, (a, b) in decision.said:
                one, other = sorted((known[a], known[b]))
                if pairs.setdefault((one, other), verdict == "same") != (verdict == "same"):
                    raise _contrary(path)
    if contradicted(pairs):
        raise _contrary(paths[-1])
    return (Labels(name=paths[-1].name, pairs=pairs) if paths else None), notes


def heard(labels: Labels | None, decisions: Labels | None) -> Labels | None:
    """What both say together.

    Raises:
        InvalidDecisions: if they contradict each other.
    """
    if labels is None or decisions is None:
        return labels or decisions
    both: Mapping[tuple[int, int], bool] = {**labels.pairs, **decisions.pairs}
    wrong = any(decisions.pairs.get(pair, same) != same for pair, same in labels.pairs.items())
    if wrong or contradicted(both):
        raise InvalidDecisions(
            f"{decisions.name} says the opposite of {labels.name}, of the same records: settle what is true"
        )
    return Labels(name=labels.name, pairs=both, blank=labels.blank)


def _refuse_others(path: Path, found: Decisions, records: Records) -> None:
    if found.of != "file":
        raise InvalidDecisions(
            f"{path.name} was decided on a page of a store: take it over with crmcore review apply"
        )
    if records.numbered and found.digest != records.digest:
        raise InvalidDecisions(
            f"{path.name} was decided on another {records.name}: rows are known by their numbers, and the file has "
            "changed since; make a new page, or name a column of ids with --id-column"
        )


def _contrary(path: Path) -> InvalidDecisions:
    return InvalidDecisions(
        f"{path.name} contradicts itself or another file of decisions: what is the same by some decisions is "
        "different by others; settle what is true on a new page"
    )

"""What there is to tell about a file as a whole, counted over its rows.

Invariant: every value that was not read as its field is counted in exactly one notice, with its column. No
notice quotes a cell, except a telephone number that a spreadsheet reduced to a few digits.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from crmcore.exchange.decide import REASONS, Verdict
from crmcore.exchange.detect import Look
from crmcore.exchange.facts import MESSAGES, Problem, Read, RowFacts
from crmcore.exchange.mapping import ColumnMap
from crmcore.exchange.notice import Notice
from crmcore.exchange.profile import Profile

_EXAMPLES = 3
_PLURALS = {"email": "e-mails", "phone": "phones", "fax": "faxes", "birth_date": "dates of birth"}
_SINGULARS = {"email": "e-mail", "phone": "phone", "fax": "fax", "birth_date": "date of birth"}


class Tally:
    """Counts problems and verdicts while rows go by."""

    def __init__(self, column_map: ColumnMap) -> None:
        self._map = column_map
        self.problems: Counter[Problem] = Counter()
        self._ruined: dict[str, None] = {}
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self.sources: set[str] = set()

    def add(self, read: Read, verdict: Verdict) -> None:
        """Count one row."""
        if verdict.code:
            self._verdicts[verdict.outcome, verdict.code] += 1
        if not isinstance(read, RowFacts):
            return
        self.sources.add(read.source.system)
        if read.problems:
            self.problems.update(read.problems)
            for problem in read.problems:
                if problem.code == "spreadsheet_scientific" and len(self._ruined) < _EXAMPLES:
                    self._ruined.update((p.raw, None) for p in read.party.phones if p.problem == problem.code)

    def notices(self) -> tuple[Notice, ...]:
        """Everything worth telling, the most frequent first within each kind."""
        made = [self._problem(problem, count) for problem, count in self._grouped()]
        for (outcome, code), count in self._verdicts.most_common():
            if outcome in ("rejected", "conflict"):
                why = MESSAGES.get(code) or REASONS.get(code, code)
                verb = "rejected" if outcome == "rejected" else "left to a person"
                text = f"{_counted(count, 'row', 'rows')} {verb} ({code}): {why}"
                made.append(Notice(mark="!", code=code, text=text, count=count))
        return tuple(made)

    def _grouped(self) -> list[tuple[tuple[Problem, ...], int]]:
        """Problems of one field and column together, but for those that have a sentence of their own."""
        groups: dict[tuple[str, ...], list[Problem]] = {}
        for problem, _ in self.problems.most_common():
            alone = problem.code in _ALONE
            groups.setdefault((problem.field, problem.column, problem.code if alone else ""), []).append(
                problem
            )
        return [(tuple(group), sum(self.problems[p] for p in group)) for group in groups.values()]

    def _problem(self, group: tuple[Problem, ...], count: int) -> Notice:
        first = group[0]
        what = _counted(count, _SINGULARS.get(first.field, "cell"), _PLURALS.get(first.field, "cells"))
        column = f'"{first.column}"'
        mark: Literal["!", "?"] = "!"
        if first.code == "spreadsheet_scientific":
            shown = ", ".join(self._ruined) + (", ..." if len(self._ruined) == _EXAMPLES < count else "")
            text = f"{what} ruined by a spreadsheet ({shown}): raw kept"
        elif first.code == "spreadsheet_float":
            text = f"{what} turned into decimals by a spreadsheet (.0 at the end): raw kept"
        elif first.code == "local_only" and self._map.region is None:
            mark = "?"
            text = f"{what} in {column} without a country: raw kept; say where they are dialled with --region"
        elif first.code == "local_only":
            text = f"{what} in {column} without an area code: raw kept, with their digits"
        elif first.code == "too_long" and first.field in ("phone", "fax"):
            text = f"{what} in {column} with too many digits for one number: raw kept"
        elif first.code == "blank_source":
            text = f'{_counted(count, "row", "rows")} without {column}: the source is "{self._map.source}"'
        elif first.code == "blank_id":
            text = f"{_counted(count, 'row', 'rows')} without {column}: known by their content"
        elif first.code == "future":
            text = f"{_counted(count, 'date', 'dates')} in {column} in the future: no interaction, raw kept"
        elif first.code == "no_zone":
            text = f"{_counted(count, 'time', 'times')} in {column} without a zone: the day is used, raw kept"
        else:
            codes = ", ".join(f"{self.problems[p]:,} {p.code}" for p in group)
            text = f"{what} in {column} not read as {first.field} ({codes}): raw kept"
        return Notice(mark=mark, code=first.code, text=text, columns=(first.column,), count=count)


_ALONE = frozenset(
    {
        "spreadsheet_scientific",
        "spreadsheet_float",
        "local_only",
        "too_long",
        "blank_source",
        "blank_id",
        "future",
        "no_zone",
    }
)


_TOLD: tuple[tuple[Look, str], ...] = (
    ("mojibake", "with text in a wrong encoding ({}): kept as written, not repaired"),
    (
        "formula",
        "that a spreadsheet would run ({}): kept as text; remove the formulas if they are none of yours",
    ),
)
"""Looks that are worth a word whatever the column."""


def file_notices(profile: Profile) -> tuple[Notice, ...]:
    """What the profile of a file has to tell: that it is empty, was read wrongly once, or holds formulas."""
    made: list[Notice] = []
    if not (profile.rows or profile.broken):
        made.append(
            Notice(mark="!", code="no_rows", text="the file has a header but no rows: nothing to import")
        )
    for look, what in _TOLD:
        wrong = [(column.column, count) for column in profile.columns if (count := column.count(look))]
        if wrong:
            total = sum(count for _, count in wrong)
            where = ", ".join(f'{count:,} in "{name}"' for name, count in wrong)
            text = f"{_counted(total, 'cell', 'cells')} {what.format(where)}"
            names = tuple(name for name, _ in wrong)
            made.append(Notice(mark="!", code=look, text=text, columns=names, count=total))
    return tuple(made)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"

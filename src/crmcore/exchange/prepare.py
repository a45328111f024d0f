"""The steps before a plan: open the file, see what is in it, settle the columns; then gather the outcomes of the rows.

Invariant: what is told about a file is the same whether its plan is made now or later: it follows from the
file, the options and the parties that stand for its records.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import attrs

from crmcore.exchange.decide import Verdict
from crmcore.exchange.facts import Read
from crmcore.exchange.mapping import ColumnMap, ImportOptions, column_map, reserved_columns
from crmcore.exchange.notice import Notice
from crmcore.exchange.plan import ImportPlan, RowOutcome
from crmcore.exchange.profile import Profile, profiled
from crmcore.exchange.reading import Table
from crmcore.exchange.rows import read_rows
from crmcore.exchange.suggestion import Suggestion, suggest
from crmcore.exchange.tally import Tally, file_notices


@attrs.frozen(kw_only=True)
class Prepared:
    """A file whose columns are settled."""

    table: Table
    options: ImportOptions
    profile: Profile
    suggestions: tuple[Suggestion, ...]
    column_map: ColumnMap
    notices: tuple[Notice, ...]

    def reads(self, *, as_of: date) -> Iterator[Read]:
        """What each row says, read from the file anew; *as_of* is today."""
        return read_rows(self.table.rows(), self.column_map, as_of=as_of)


def prepare(path: str | Path, options: ImportOptions) -> Prepared:
    """Open a file, look at all its columns, and map them.

    Raises:
        UnreadableFile: if the file cannot be read as a table.
        InvalidMapping: if its columns cannot be mapped as *options* say.
    """
    table = Table.open(path, encoding=options.encoding, delimiter=options.delimiter)
    reserved = reserved_columns(table.columns, options)
    profile = profiled(table.columns, table.rows())
    suggestions = suggest(profile, kind=options.kind, reserved=reserved)
    mapped, notices = column_map(table.columns, suggestions, profile, options, file=table.path.name)
    return Prepared(
        table=table,
        options=options,
        profile=profile,
        suggestions=suggestions,
        column_map=mapped,
        notices=(*table.notices, *file_notices(profile), *notices),
    )


class PlanMaker:
    """Gathers the verdicts of the rows of a file, in their order, into a plan."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._tally = Tally(prepared.column_map)
        self._outcomes: list[RowOutcome] = []

    def add(self, read: Read, verdict: Verdict) -> None:
        """The next row and what becomes of it."""
        self._tally.add(read, verdict)
        self._outcomes.append(RowOutcome(number=read.number, outcome=verdict.outcome, code=verdict.code))

    def plan(self, *, at: datetime) -> ImportPlan:
        """The plan of the rows added, made at the instant *at*."""
        prepared = self._prepared
        table = prepared.table
        return ImportPlan(
            path=str(table.path),
            file=table.path.name,
            file_digest=table.digest,
            form=table.form,
            planned_at=at,
            options=prepared.options,
            column_map=prepared.column_map,
            suggestions=prepared.suggestions,
            notices=(*prepared.notices, *self._tally.notices()),
            sources=len(self._tally.sources),
            rows_in=len(self._outcomes),
            outcomes=tuple(self._outcomes),
        )

"""The two ways from a CSV file to its clusters: with arrays where these are installed, and in plain Python.

Invariant: which of them is taken makes no difference to what is written, but for how it was worked out and how long it
took. Records are read once, a model is learned once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any, Protocol

import attrs

from crmcore.cli.deciding import Deciding, decide, fitting, saved_model
from crmcore.cli.records import Records, read_records
from crmcore.cli.terminal import Terminal
from crmcore.exchange.mapping import ImportOptions
from crmcore.identity.deduplication import Deduplication, dedupe
from crmcore.identity.engine import chosen
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel

Said = Iterable[tuple[int, int]]


class Grouping(Protocol):
    """The steps of one deduplication of a file, in this order."""

    def read(self, columns: ImportOptions) -> Records: ...

    def decide(self, *, together: Said, apart: Said) -> Deciding:
        """What decides, before labels are heard; *together* and *apart* are pairs that people decided."""
        ...

    def group(self, deciding: Deciding) -> Deduplication: ...

    def finish(self) -> None:
        """All that was found is written: nothing has to be kept for another try."""
        ...

    def close(self) -> None: ...


def grouping_of(options: argparse.Namespace, terminal: Terminal) -> Grouping:
    """The fastest way that is installed.

    Raises:
        MissingExtra: if an option takes arrays, and they are not installed.
        UnusableCheckpoint: if no checkpoint can be kept in the folder of ``--checkpoint``.
    """
    wanted = options.checkpoint is not None or options.memory_limit is not None
    if chosen("batch" if wanted else None) == "batch":
        return _WithArrays(options, terminal)
    return _InPython(options, terminal)


class _InPython:
    def __init__(self, options: argparse.Namespace, terminal: Terminal) -> None:
        self.options, self.terminal = options, terminal
        self.records: Records
        self.together: Said = ()
        self.apart: Said = ()

    def progress(self, done: int, total: int) -> None:
        self.terminal.progress("comparing", done, total)

    def read(self, columns: ImportOptions) -> Records:
        options = self.options
        self.records = read_records(options.file, columns, without=options.without, exclude=options.exclude)
        return self.records

    def decide(self, *, together: Said, apart: Said) -> Deciding:
        self.together, self.apart = together, apart
        options = self.options
        return decide(
            self.records.features, model=options.model, threshold=options.threshold, on_progress=self.progress
        )

    def group(self, deciding: Deciding) -> Deduplication:
        return dedupe(
            self.records.features, deciding.matcher, together=self.together, apart=self.apart,
            excluded=self.records.excluded, on_progress=self.progress,
        )  # fmt: skip

    def finish(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is held."""


class _WithArrays(_InPython):
    """Where a row has two values of one column, or nothing can be learned, records are made and go the other way."""

    def __init__(self, options: argparse.Namespace, terminal: Terminal) -> None:
        super().__init__(options, terminal)
        from crmcore.identity.batch.checkpoint import Checkpoint
        from crmcore.identity.batch.memory_limit import Room
        from crmcore.identity.batch.work import Work

        room = Room(options.memory_limit)
        kept = None if options.checkpoint is None else Checkpoint(options.checkpoint)
        self.work = Work(kept, room)
        self.run: Any = None

    def read(self, columns: ImportOptions) -> Records:
        from crmcore.cli.column_records import read_columns

        def told(done: int, total: int) -> None:
            self.terminal.progress("reading", done, total)

        options = self.options
        self.records = read_columns(
            options.file, columns, without=options.without, exclude=options.exclude, room=self.work.room,
            on_progress=told,
        )  # fmt: skip
        return self.records

    def decide(self, *, together: Said, apart: Said) -> Deciding:
        from crmcore.identity.batch.table_run import Spoken, TableRun

        self.together, self.apart = tuple(together), tuple(apart)
        options, records = self.options, self.records
        model = None if options.model is None else saved_model(options.model)
        matcher: Matcher | MatchModel = Matcher() if model is None else model
        features: Any = records.features
        run = TableRun(
            features.fields, matcher, options.kind, records.excluded,
            Spoken(apart=self.apart, together=self.together), further=(options.threshold,),
        )  # fmt: skip
        if not run.begin(self.progress, self.work):
            return self._by_rows(run.learned)
        self.run = run
        if options.model is None or model is None:
            found = Deciding(model=run.model, learned=run.learned)
        else:
            found = fitting(options.model, model, run.used)
        return found if options.threshold is None else found.at(options.threshold)

    def _by_rows(self, learned: Any) -> Deciding:
        """What decides on the records one by one; what was learned of them is not learned again."""
        records = self.records
        records.features = list(records.features)
        self.work.room.check("comparing")
        if learned is None:
            return super().decide(together=self.together, apart=self.apart)
        found = Deciding(model=None, learned=learned)
        return found if self.options.threshold is None else found.at(self.options.threshold)

    def group(self, deciding: Deciding) -> Deduplication:
        if self.run is None:
            plain = super().group(deciding)
            return attrs.evolve(plain, notes=(*plain.notes, *self.work.notes), resumed=self.work.resumed)
        self.terminal.progress("grouping", 0, 0)
        self.run.model = deciding.model
        found: Deduplication = self.run.outcome(self.progress)
        return attrs.evolve(found, notes=(*found.notes, *self.work.room.passed()))

    def finish(self) -> None:
        if self.work.checkpoint is not None:
            self.work.checkpoint.finish()

    def close(self) -> None:
        if self.work.checkpoint is not None:
            self.work.checkpoint.close()

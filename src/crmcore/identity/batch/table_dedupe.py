"""A table from its source to its groups: what is asked for is checked, kept, limited and cleaned up here.

Invariant: a run that ends leaves no checkpoint; one that is cut off, by whatever, leaves a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from crmcore.errors import InvalidModel
from crmcore.identity.batch.checkpoint import Checkpoint
from crmcore.identity.batch.field_encoding import KINDS
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.reading import fields_of
from crmcore.identity.batch.table_run import Spoken, TableRun
from crmcore.identity.batch.work import Work
from crmcore.identity.deduplication import Deduplication, Progress, check
from crmcore.identity.features import Kind
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel


def table_groups(
    source: Any,
    matcher: Matcher | MatchModel | None,
    *,
    kind: Kind | None,
    apart: Iterable[tuple[int, int]],
    together: Iterable[tuple[int, int]],
    excluded: Mapping[int, str] | None,
    sources: Sequence[str] | None,
    on_progress: Progress | None,
    checkpoint: str | Path | None,
    memory_limit: int | None,
) -> Deduplication:
    """What `crmcore.identity.dedupe_table` gives."""
    if kind not in (None, *KINDS):
        raise InvalidModel(f"there is no such kind of customer: choose one of {', '.join(KINDS)}")
    if matcher is not None and not isinstance(matcher, (Matcher, MatchModel)):
        raise InvalidModel("a table is grouped by a Matcher or a MatchModel: give other matchers to dedupe")
    said = Spoken(apart=tuple(apart), together=tuple(together), sources=sources)
    room = Room(memory_limit)
    kept = None if checkpoint is None else Checkpoint(checkpoint)
    try:
        fields = fields_of(source, room)
        run = TableRun(fields, Matcher() if matcher is None else matcher, kind, dict(excluded or {}), said)
        check(fields.rows, said.apart, said.together, run.excluded, sources)
        work = Work(kept, room)
        found = run.outcome(on_progress) if run.begin(on_progress, work) else run.by_rows(on_progress)
        if kept is not None:
            kept.finish()
        return attrs.evolve(found, notes=(*found.notes, *room.passed()))
    finally:
        if kept is not None:
            kept.close()

"""`dedupe_table`: which rows of a table are the same customer, for as many rows as memory holds.

Invariant: the groups, scores and models are those of `dedupe`; only the way there differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crmcore.identity.deduplication import Deduplication, Progress
from crmcore.identity.engine import chosen
from crmcore.identity.features import Kind
from crmcore.identity.given import given_pairs, given_reasons, given_sources
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel


def dedupe_table(
    source: Any,
    matcher: Matcher | MatchModel | None = None,
    *,
    kind: Kind | None = None,
    apart: Iterable[tuple[int, int]] = (),
    together: Iterable[tuple[int, int]] = (),
    excluded: Mapping[int, str] | None = None,
    sources: Sequence[str] | None = None,
    on_progress: Progress | None = None,
    checkpoint: str | Path | None = None,
    memory_limit: int | None = None,
) -> Deduplication:
    """Group the rows of a table by customer: as `dedupe` does it, without an object for each row.

    *source* is the path of a CSV or Parquet file, an Arrow table or reader, columns by name, or rows as mappings. Its
    columns are named by role, as for `features_of_row`; columns with other names are no evidence. With a *kind* all
    rows are of one kind of customer. Positions count the rows from 0; all else is as for `dedupe`. Links and doubtful
    pairs are worked out when they are looked at.

    Where a row has two values of one column, such as two employers, where an expert's column is compared, or where
    nothing can be learned and rules decide, the rows go the way of `dedupe`.

    *checkpoint* names a folder in which the work is kept as it gets done: the same call goes on from there after it was
    interrupted or killed, comes to the equal result, and then removes it. Another table, option or version of crmcore
    starts anew, and a note says so. The process takes no more than *memory_limit* bytes, as far as that can be told
    before; a stage that would take more is refused before it begins.

    It works in threads that end with the call, and Python's collector of circular references is off meanwhile, for the
    whole process: where other work of the process relies on it, give long runs a process of their own.

    Raises:
        MissingExtra: if numpy or pyarrow is not installed (the extra ``batch``).
        UnreadableFile: if the file cannot be read or changes meanwhile, or no column is named by a role.
        UnusableCheckpoint: if the folder holds something else, another run uses it, or it cannot be written.
        MemoryLimitReached: if the *memory_limit* is too low; what was kept is kept.
        InvalidValue: if the *memory_limit* is no number of bytes.
        InvalidModel: if *matcher* is another one, or there is no such *kind*.
        InvalidJudgement: as `dedupe`.

    >>> rows = [{"full_name": "Ann Lee", "email": "ann@x.org"}, {"full_name": "Bo Hill"}, {"email": "ann@x.org"}]
    >>> dedupe_table(rows).labels
    (0, 1, 0)
    """
    chosen("batch")
    apart, together = given_pairs(apart, "apart"), given_pairs(together, "together")
    excluded, sources = given_reasons(excluded), given_sources(sources)
    from crmcore.identity.batch.table_dedupe import table_groups

    return table_groups(
        source, matcher, kind=kind, apart=apart, together=together, excluded=excluded, sources=sources,
        on_progress=on_progress, checkpoint=checkpoint, memory_limit=memory_limit,
    )  # fmt: skip

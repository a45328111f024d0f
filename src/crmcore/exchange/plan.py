"""An import before it happens: what would become of every row, and why.

Invariant: ``rows_in = created + updated + unchanged + skipped + rejected + conflicts``, always; a plan that
does not add up cannot be made. A plan is a value: it can be printed, stored as JSON, reviewed, and applied
later exactly or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import datetime
from functools import cached_property

import attrs

from crmcore.errors import InvalidDocument
from crmcore.exchange.decide import OUTCOMES, Outcome
from crmcore.exchange.mapping import ColumnMap, ImportOptions
from crmcore.exchange.notice import Notice
from crmcore.exchange.suggestion import Suggestion
from crmcore.serde import Codec
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class RowOutcome(Document):
    """What becomes of a row: its *number*, the outcome and, where one is needed, the *code* of the reason."""

    number: int
    outcome: Outcome
    code: str = ""


@attrs.frozen(kw_only=True)
class ImportPlan(Document):
    """What an import would do. *path* is the file as it was named, *file_digest* the SHA-256 of its bytes."""

    path: str
    file: str
    file_digest: str
    form: str
    planned_at: datetime
    options: ImportOptions
    column_map: ColumnMap
    suggestions: tuple[Suggestion, ...] = ()
    notices: tuple[Notice, ...] = ()
    sources: int = 0
    rows_in: int
    outcomes: tuple[RowOutcome, ...] = attrs.field(repr=lambda outcomes: f"<{len(outcomes)} rows>")

    def __attrs_post_init__(self) -> None:
        if self.rows_in != len(self.outcomes):
            raise InvalidDocument(
                "the plan does not add up: it has not one outcome for each row", path="$.outcomes"
            )

    @cached_property
    def counts(self) -> FrozenMap[str, int]:
        """How many rows have each outcome; conflicts are counted as ``"conflicts"``."""
        counted = Counter(row.outcome for row in self.outcomes)
        return FrozenMap({_plural(outcome): counted[outcome] for outcome in OUTCOMES})

    @cached_property
    def digest(self) -> str:
        """What tells this plan from any other."""
        text = json.dumps(PLAN.dump(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def changes_nothing(self) -> bool:
        """Whether applying the plan would write nothing."""
        return not (self.counts["created"] or self.counts["updated"])

    def text(self) -> str:
        """The plan for people: what the file is, questions and warnings, and the sum."""
        return "\n".join([self._file_line(), *self._column_lines(), *self._notice_lines(), self._sum_line()])

    def _file_line(self) -> str:
        column_map = self.column_map
        facts = [self.form, f"{self.rows_in:,} {'row' if self.rows_in == 1 else 'rows'}"]
        if column_map.source_column is not None:
            noun = "source" if self.sources == 1 else "sources"
            facts.append(f'{self.sources:,} {noun} ("{column_map.source_column}")')
        else:
            facts.append(f'source "{column_map.source}"')
        if column_map.id_column is not None:
            facts.append(f'id "{column_map.id_column}"')
        facts += [f'"{name}" not used' for name in column_map.ignored]
        return f"{self.file}   {', '.join(facts)}"

    def _column_lines(self) -> list[str]:
        column_map = self.column_map
        used = [f'"{name}" {field}' for field, names in column_map.fields.items() for name in names]
        lines = [f"= {', '.join(used)}"] if used else []
        if column_map.kept:
            lines.append(f"= kept as they are: {', '.join(_quoted(name) for name in column_map.kept)}")
        return lines

    def _notice_lines(self) -> list[str]:
        mapped = {name for names in self.column_map.fields.values() for name in names}
        told = [s for s in self.suggestions if s.certainty != "sure" and s.topic != "truth"]
        lines = [s.line for s in told if not (s.certainty == "denied" and s.column in mapped)]
        lines += [notice.line for notice in self.notices]
        open_ = [s for s in told if s.certainty == "ask" and s.field and s.column not in mapped]
        said = {name for name, _ in self.options.columns}
        answers = " ".join(f'--map "{s.column}={s.field}"' for s in open_ if s.column not in said)
        return [*lines, f"  to say yes: {answers}"] if answers else lines

    def _sum_line(self) -> str:
        counts = self.counts
        shown = [
            f"{name} {counts[name]:,}" for name in counts if counts[name] or name in ("created", "rejected")
        ]
        return f"in {self.rows_in:,} = {' + '.join(shown)}"


PLAN: Codec[ImportPlan] = Codec(tag="import.plan", type=ImportPlan)
"""How a plan is stored as JSON and read back."""


def _plural(outcome: Outcome) -> str:
    return "conflicts" if outcome == "conflict" else outcome


def _quoted(name: str) -> str:
    return f'"{name}"'

"""In and out: files read as tables, imports planned before they happen."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.exchange.mapping import ColumnMap, ImportOptions, parse_pair
    from crmcore.exchange.plan import ImportPlan, RowOutcome
    from crmcore.exchange.reading import Row, Table
    from crmcore.exchange.subject_files import bundle_digest, bundle_files, bundle_page, bundle_schema
    from crmcore.exchange.suggestion import Suggestion, suggest

__all__ = [
    "ColumnMap",
    "ImportOptions",
    "ImportPlan",
    "Row",
    "RowOutcome",
    "Suggestion",
    "Table",
    "bundle_digest",
    "bundle_files",
    "bundle_page",
    "bundle_schema",
    "parse_pair",
    "suggest",
]

__getattr__ = lazily(
    __name__,
    {
        "mapping": "ColumnMap ImportOptions parse_pair",
        "plan": "ImportPlan RowOutcome",
        "reading": "Row Table",
        "subject_files": "bundle_digest bundle_files bundle_page bundle_schema",
        "suggestion": "Suggestion suggest",
    },
)

"""In and out: files read as tables, imports planned before they happen."""

from crmcore.exchange.mapping import ColumnMap, ImportOptions, parse_pair
from crmcore.exchange.plan import ImportPlan, RowOutcome
from crmcore.exchange.reading import Row, Table
from crmcore.exchange.suggest import Suggestion, suggest

__all__ = [
    "ColumnMap",
    "ImportOptions",
    "ImportPlan",
    "Row",
    "RowOutcome",
    "Suggestion",
    "Table",
    "parse_pair",
    "suggest",
]

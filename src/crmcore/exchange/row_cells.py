"""The cells of one row by field, and what of them has to be kept as it was written.

Invariant: whoever cannot use a cell keeps it here; what was kept becomes extras of the party under the column's
name.
"""

from __future__ import annotations

from crmcore.exchange.cells import moment
from crmcore.exchange.facts import Problem
from crmcore.exchange.headers import use_of
from crmcore.exchange.mapping import ColumnMap
from crmcore.party.contact_point import Use
from crmcore.values.moment import Moment


class Layout:
    """Where each field of a map stands in a row; worked out once for a file."""

    def __init__(self, column_map: ColumnMap) -> None:
        self.map = column_map
        self.columns = column_map.columns
        place = {name: at for at, name in enumerate(column_map.columns)}
        self.at = {field: tuple(place[name] for name in names) for field, names in column_map.fields.items()}
        self.kept = tuple((place[name], name) for name in column_map.kept)
        self.source = place.get(column_map.source_column or "")
        self.id = place.get(column_map.id_column or "")
        # In the order of their names, so that moving columns about does not make other records of the rows.
        self.content = tuple(
            (place[name], name) for name in sorted(column_map.columns) if name not in column_map.ignored
        )
        self.uses: dict[int, frozenset[Use]] = {
            at: use_of(column_map.columns[at])
            for field in ("email", "phone")
            for at in self.at.get(field, ())
        }


class RowCells:
    """The cells of a row under a layout, with the *problems* found so far and the cells *kept* for them."""

    __slots__ = ("cells", "kept", "layout", "problems")

    def __init__(self, layout: Layout, cells: tuple[str, ...]) -> None:
        self.layout = layout
        self.cells = cells
        self.problems: list[Problem] = []
        self.kept: dict[str, str] = {}

    def text(self, field: str) -> str:
        """The trimmed cell of a field that takes one column; empty where there is none."""
        places = self.layout.at.get(field)
        return self.cells[places[0]].strip() if places else ""

    def placed(self, field: str) -> list[tuple[int, str]]:
        """The trimmed cells of a field that are not empty, each with its place."""
        return [(at, text) for at in self.layout.at.get(field, ()) if (text := self.cells[at].strip())]

    def moment(self, field: str) -> Moment | None:
        """When something happened, if the cell of *field* says it; a cell that does not is kept."""
        text = self.text(field)
        if not text:
            return None
        at = self.layout.at[field][0]
        found, problem = moment(text, self.layout.map.orders.get(self.layout.columns[at]))
        if problem is not None:
            self.keep(problem, field, at)
        return found

    def note(self, code: str, field: str, at: int) -> None:
        """Count a problem whose cell is kept elsewhere."""
        self.problems.append(Problem(code, field, self.layout.columns[at]))

    def keep(self, code: str, field: str, at: int) -> None:
        """Count a problem and keep its cell."""
        self.note(code, field, at)
        self.kept[self.layout.columns[at]] = self.cells[at]

    def keep_all(self, *fields: str, code: str | None = None) -> None:
        """Keep the cells of fields that have no place in this party or, with a *code*, could not be read."""
        for field in fields:
            for at, _ in self.placed(field):
                if code is None:
                    self.kept[self.layout.columns[at]] = self.cells[at]
                else:
                    self.keep(code, field, at)

    def extras(self) -> dict[str, str]:
        """The cells without a field, and those that were kept."""
        found = {name: self.cells[at] for at, name in self.layout.kept if self.cells[at].strip()}
        found.update(self.kept)
        return found

"""What a row of a file can turn out to be: facts, a rejection, or nothing at all.

Invariant: each carries the number of its row, and none of them shows a cell unless it is asked for.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.interaction.interaction import Direction, Kind
from crmcore.party.party import Organization, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.moment import Moment
from crmcore.values.personal import personal
from crmcore.values.source import Source

MAX_ROW = 100_000
"""Bytes of a row; any store takes a party of that size with its history."""

MESSAGES: FrozenMap[str, str] = FrozenMap(
    {
        "too_few_cells": "the row has fewer cells than the header: "
        "look for a missing delimiter or a line end too many",
        "too_many_cells": "the row has more cells than the header: put quotes around cells that hold the delimiter",
        "nul": "the row holds NUL bytes: remove them",
        "cell_too_large": "a cell is too large: shorten it, or look for a missing quote",
        "row_too_large": f"the row is larger than {MAX_ROW:,} bytes: shorten it",
        "stray_quote": "text follows a closing quote: double the quotes inside a cell",
        "unclosed_quote": "a quote is opened and never closed: close it",
        "no_designation": "nothing in the row designates anybody: "
        "give a name, an e-mail address or a telephone number",
        "invalid_source": "the source's name is too long: use at most 256 characters",
        "invalid_id": "the record id is too long: use at most 256 characters",
    }
)
"""What each code of a rejected row means and what to do."""


@attrs.frozen
class Problem:
    """A value that was kept as it was written.

    *code* says why, *field* what it was to be, *column* where it stands.
    """

    code: str
    field: str
    column: str


@attrs.frozen(kw_only=True)
class Contact:
    """A dated contact of the row's party. *dedupe_key* is the same in every import of the same contact."""

    kind: Kind
    direction: Direction
    occurred_at: Moment
    subject: str | None = personal(default=None)
    source: Source
    dedupe_key: str


@attrs.frozen(kw_only=True)
class RowFacts:
    """What a row says. *digest* covers all its cells and the map; *observed_at* is when the source saw it.

    *party* is a draft that carries the digest as its import mark. *size* is the number of characters that the
    row has in the file.
    """

    number: int
    line: int
    size: int = 0
    source: Source
    party: Person | Organization
    employer: Organization | None = None
    contact: Contact | None = None
    observed_at: Moment | None = None
    digest: str
    problems: tuple[Problem, ...] = ()


@attrs.frozen(kw_only=True)
class Rejection:
    """A row that could not be taken over. *code* is for programs, *message* for people; neither holds a cell."""

    number: int
    line: int
    code: str

    @property
    def message(self) -> str:
        """What is wrong and what to do."""
        return MESSAGES.get(self.code, self.code)


@attrs.frozen(kw_only=True)
class Skip:
    """A row with nothing in it."""

    number: int
    line: int
    reason: Literal["blank"] = "blank"


Read = RowFacts | Rejection | Skip
"""What a row turned out to be."""

"""Optional calls of a store: the bodies of many records and the beginnings of many ledgers, and nothing else of them.

Invariant: they give what `scan` and `ledger` would give, as texts, without keys, sorts, instants and subjects; a cursor
of `scan` goes on with `skim`. The library looks whether a store has the calls; over any other it makes the plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from crmcore.storage.protocol import Page

Skimmed = tuple[str, int, str]
"""The id of a record, the schema of its body, and the body as JSON text. A plain tuple: they come by the million."""

Beginning = Sequence[tuple[str, str]]
"""Of each entry of a ledger, the first first, its schema and its body as JSON text."""


@runtime_checkable
class Skim(Protocol):
    """A synchronous store that has the calls."""

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        """A page of all records of a kind, in order of id."""
        ...

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        """The entries of each ledger; None of one that has more than *limit*."""
        ...


@runtime_checkable
class AsyncSkim(Protocol):
    """An asynchronous store that has the calls."""

    async def skim(
        self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500
    ) -> Page[Skimmed]: ...

    async def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]: ...

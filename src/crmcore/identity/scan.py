"""What comparing many records gives, by whichever matcher: the pairs that count, and the groups that follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from crmcore.identity.cluster import Grouping
from crmcore.identity.matcher import Match
from crmcore.identity.model.recall_debt import RecallDebt


class Scan(Protocol):
    """Distinct records, numbered from 0 as nodes, and what was found of their pairs.

    *same* has both nodes, the score and whether it is weak; *unsure* both nodes and the score; *related* both nodes.
    *rank* orders the nodes, whatever their numbers. *notes* are what a person should know; *debt*,
    known once there are groups, is what was lost by not comparing all, where a model decided.
    """

    same: list[tuple[int, int, int, bool]]
    unsure: list[tuple[int, int, int]]
    related: list[tuple[int, int]]
    compared: int
    rank: Sequence[int]
    notes: list[str]
    debt: RecallDebt | None

    @property
    def blocking(self) -> tuple[int, int, int]:
        """How many blocks there are, how many of them are oversized, and how many pairs that may have left out."""
        ...

    @property
    def cap(self) -> int:
        """The size of the largest block that is compared whole; 0 where no model decides."""
        ...

    @property
    def near(self) -> bool:
        """Whether records also meet by values one typing error apart, where a model decides."""
        ...

    def match(self, a: int, b: int) -> Match:
        """What the matcher says of two nodes, with reasons."""
        ...

    def compare(self, on_progress: Callable[[int, int], None] | None) -> None:
        """Compare all candidates."""
        ...

    def group(
        self, said_same: Sequence[tuple[int, int]], said_apart: Sequence[tuple[int, int]]
    ) -> Grouping[int]:
        """Join what the matcher and people say is one."""
        ...

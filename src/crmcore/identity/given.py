"""What is given to a deduplication beside the records, as it can be meant: pairs of positions, and positions.

Invariant: whatever is given is taken for what it says or refused in one sentence that shows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from crmcore.errors import InvalidJudgement


def given_pairs(given: Iterable[tuple[int, int]], name: str) -> tuple[tuple[int, int], ...]:
    """The pairs of positions given as *name*. Any whole numbers are taken, those of numpy too.

    Raises:
        InvalidJudgement: if they are none.

    >>> given_pairs([[0, 1]], "apart")
    ((0, 1),)
    """
    try:
        return tuple((_whole(a), _whole(b)) for a, b in given)
    except (TypeError, ValueError):
        raise InvalidJudgement(
            f"{name} is not pairs of positions: give pairs of whole numbers, counted from 0, such as [(0, 1)]"
        ) from None


def given_reasons(given: Mapping[int, str] | None) -> dict[int, str]:
    """The positions that are excluded, each with its reason.

    Raises:
        InvalidJudgement: if they are none.
    """
    found: Any = {} if given is None else given
    try:
        reasons: dict[int, Any] = {_whole(position): reason for position, reason in found.items()}
    except (AttributeError, TypeError, ValueError):
        reasons = {0: None}
    if not all(isinstance(reason, str) for reason in reasons.values()):
        raise InvalidJudgement(
            "excluded is not positions with reasons: give a dict such as {0: 'must not be linked'}, counted from 0"
        )
    return reasons


def given_sources(given: Sequence[str] | None) -> Sequence[str] | None:
    """The source of each record.

    Raises:
        InvalidJudgement: if they are no texts.
    """
    if given is not None and not (
        isinstance(given, Sequence) and all(isinstance(source, str) for source in given)
    ):
        raise InvalidJudgement(
            "sources are not the names of sources: give one text for each record, in a list"
        )
    return given


def _whole(position: Any) -> int:
    # True is a number to Python and a mistake here.
    if isinstance(position, bool) or not isinstance(position, Integral):
        raise TypeError
    return int(position)

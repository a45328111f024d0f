"""Whether a record fits a whole customer, as two groups fit when many records are grouped at once.

Invariant: the answer is that of `crmcore.identity.model.linkage` for a group of one record and a group of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from crmcore.identity.model.linkage import VETO, Edge, link


def fit_of(scores: Sequence[int], least: int) -> bool | None:
    """Whether a record with these *scores* against the records of a customer belongs to it; None if one of them
    excludes that.

    >>> from crmcore.identity.model.policy import UNIT
    >>> fit_of([8 * UNIT, -UNIT], 0), fit_of([2 * UNIT, -4 * UNIT], 0), fit_of([9 * UNIT, -99 * UNIT], 0)
    (True, False, None)
    """
    if not scores:
        return False
    if min(scores) <= VETO:
        return None
    count = len(scores)
    found = link(
        [range(count), [count]],
        [Edge(0, count, max(least, max(scores)))],
        lambda a, b: scores[min(a, b)],
        least=least,
        cap=count + 1,
    )
    return len(found.groups) == 1

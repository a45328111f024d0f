"""What people said about being contacted, in a line.

Invariant: a line for the same acts is the same, in whatever order they are given.
"""

from __future__ import annotations

from collections.abc import Iterable

from crmcore.consent.event import ConsentEvent


def said(acts: Iterable[ConsentEvent]) -> str:
    """How many acts there are, and the latest; the decision itself is asked for with its purpose.

    >>> said([])
    'nothing was said about being contacted'
    """
    found = {act.id: act for act in acts}
    if not found:
        return "nothing was said about being contacted"
    latest = max(found.values(), key=lambda act: (act.occurred_at, act.id))
    about = ", ".join(sorted(latest.scope.purposes)) or "everything"
    by = ", ".join(sorted(latest.scope.channels)) or "any channel"
    number = "one act" if len(found) == 1 else f"{len(found)} acts"
    return f"{number}; on {latest.occurred_at:%Y-%m-%d}: {latest.kind} {about} by {by}"

"""Permits that are about to lapse announce themselves, while it is still allowed to ask for another one.

Invariant: what only the hour forbids is no lapse: a permit has lapsed when nothing permits any more. A denial
that lasts has no end, so of somebody who said No nothing lapses.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import attrs

from crmcore.consent.decision import Decision


@attrs.frozen(kw_only=True)
class PermitLapsing:
    """The permits of a *customer* by *rules*, one for each jurisdiction, hold for the last time before *at*."""

    at: datetime
    purpose: str
    channel: str
    rules: tuple[str, ...]
    customer: str | None = None

    @property
    def day(self) -> date:
        """The day, in UTC, on which nothing permits it any more."""
        return self.at.astimezone(UTC).date()


def permits(decision: Decision) -> tuple[str, ...]:
    """The rules that permit it in every jurisdiction, whatever stands against it; none if one of these permits nothing.

    A decision without its trace names none.
    """
    by_place: dict[str, list[str]] = {hit.jurisdiction: [] for hit in decision.trace if hit.effect != "note"}
    for hit in decision.trace:
        if hit.effect == "permit" and hit.status == "fired":
            by_place[hit.jurisdiction].append(hit.rule)
    return tuple(rules[0] for rules in by_place.values()) if all(by_place.values()) else ()

"""Stores with people who ask about their data, for the tests of requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmcore import Crm
from crmcore.consent import RightsRequest
from crmcore.consent.rights_words import Right
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Store

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def customers(store: Store | None = None, clock: Clock | None = None) -> Crm:
    return Crm(store or MemoryStore(), clock=clock or Clock())


def collecting(crm: Crm, ref: str, right: Right) -> RightsRequest:
    """A request that was received, identified and accepted, and is being collected."""
    request = crm.requests.receive(
        ref,
        right=right,
        law="gdpr",
        channel="email",
        zone="Europe/Berlin",
    )
    crm.requests.identify(request.id, "logged_in")
    crm.requests.move(request.id, "accept")
    return crm.requests.move(request.id, "collect")

"""What of a request acts speak of: who wants to reach which address by which way, about what.

Invariant: nothing here says when; acts are held against it whatever the time.
"""

from __future__ import annotations

from typing import NamedTuple

from crmcore.consent.request import Request, Use


class Contact(NamedTuple):
    """A contact that is asked for, without its time. A named tuple, since one is made for every decision."""

    controller: str
    channel: str
    point: str | None
    brand: str | None
    topic: str | None
    use: Use

    @classmethod
    def of(cls, request: Request) -> Contact:
        """The contact of a request."""
        return cls(
            request.controller, request.channel, request.point, request.brand, request.topic, request.use
        )

    def __repr__(self) -> str:
        return f"Contact(channel={self.channel!r}, point=<hidden>)"

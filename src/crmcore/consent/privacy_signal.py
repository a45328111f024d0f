"""Global Privacy Control: the signal of a browser or device that data are neither to be sold nor shared.

Invariant: the signal says one thing, and its absence says nothing. It counts for the request that carries it whether or
not the person is known; where the person is known, it is an act of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Facts

HEADER = "sec-gpc"


def signalled(headers: Mapping[str, str]) -> bool | None:
    """Whether a request carries ``Sec-GPC: 1``; None if it does not, which is no consent to anything.

    >>> signalled({"Sec-GPC": "1"}), signalled({"Sec-GPC": "0"}), signalled({})
    (True, None, None)
    """
    return (
        True
        if any(name.lower() == HEADER and value.strip() == "1" for name, value in headers.items())
        else None
    )


def with_signal(facts: Facts, headers: Mapping[str, str]) -> Facts:
    """*facts*, with the signal that a request carries. A signal of before is not taken back by a request without one.

    >>> with_signal(Facts(), {"Sec-GPC": "1"}).gpc
    True
    """
    return attrs.evolve(facts, gpc=True) if signalled(headers) else facts


def signal_act(
    headers: Mapping[str, str],
    *,
    controller: str,
    at: datetime,
    id: str,
    record: str | None = None,
    members: tuple[str, ...] = (),
) -> ConsentEvent | None:
    """The act of a known person whose request carries the signal: an objection to sale and sharing; None without it.

    >>> from datetime import UTC
    >>> act = signal_act({"sec-gpc": "1"}, controller="acme", at=datetime(2026, 5, 4, tzinfo=UTC), id="e1")
    >>> act.kind, sorted(act.scope.purposes), act.via
    ('object', ['third_party_sharing'], 'global_privacy_control')
    """
    if not signalled(headers):
        return None
    return ConsentEvent(
        id=id,
        kind="object",
        occurred_at=at,
        recorded_at=at,
        scope=Scope(controller=controller, purposes={"third_party_sharing"}),
        record=record,
        members=members,
        via="global_privacy_control",
    )

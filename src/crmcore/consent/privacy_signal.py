"""Global Privacy Control: the signal of a browser or device that data are neither to be sold nor shared.

Invariant: the signal says one thing, and its absence says nothing. It counts for the request that carries it whether or
not the person is known; where the person is known, it is an act of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Facts
from crmcore.errors import InvalidConsent

HEADER = "sec-gpc"
_NAMES = frozenset({HEADER, "http_sec_gpc"})

Headers = Mapping[str, Any] | Mapping[bytes, Any] | Iterable[tuple[str | bytes, str | bytes]]
"""Headers as web frameworks give them. Of a mapping only the value of the signal is looked at."""


def signalled(headers: Headers) -> bool | None:
    """Whether a request carries ``Sec-GPC: 1``; None if it does not, which is no consent to anything.

    Headers may be texts or bytes, in a mapping or in pairs, and also the environment of a WSGI request. Of several
    values, or one with commas that a proxy made of several, one that is the signal is enough.

    Raises:
        InvalidConsent: if these are no headers, so that a signal might be among them unseen.

    >>> signalled({"Sec-GPC": "1"}), signalled({"Sec-GPC": "0"}), signalled({})
    (True, None, None)
    >>> signalled([(b"sec-gpc", b"1")]), signalled({"HTTP_SEC_GPC": "1"})
    (True, True)
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    try:
        values = [_text(value) for name, value in pairs if _text(name).lower() in _NAMES]
    except (TypeError, ValueError, UnicodeDecodeError):
        raise InvalidConsent(
            "these are no headers: give a mapping, or pairs, of names to values that are texts or bytes"
        ) from None
    return True if any(part.strip() == "1" for value in values for part in value.split(",")) else None


def _text(told: object) -> str:
    if isinstance(told, bytes):
        return told.decode("latin-1")
    if not isinstance(told, str):
        raise TypeError(type(told).__name__)
    return told


def with_signal(facts: Facts, headers: Headers) -> Facts:
    """*facts*, with the signal that a request carries. A signal of before is not taken back by a request without one.

    >>> with_signal(Facts(), {"Sec-GPC": "1"}).gpc
    True
    """
    return attrs.evolve(facts, gpc=True) if signalled(headers) else facts


def signal_act(
    headers: Headers,
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

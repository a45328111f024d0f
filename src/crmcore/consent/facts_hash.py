"""A hash that stands for all that a decision was made of, so that a past one can be shown and made again.

Invariant: what is decided on alike has one hash: no order in which facts are told means anything, and what a decision
does not depend on, such as the time at which it is asked for, is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from crmcore.consent.facts import Facts
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from crmcore.serde import dump
from crmcore.values.instant import to_text


def facts_hash(
    request: Request,
    facts: Facts,
    policy: Policy,
    jurisdictions: Iterable[str],
    packs: Iterable[str],
    known_at: datetime | None = None,
) -> str:
    """The SHA-256 of the canonical JSON of these, in hexadecimal digits. *packs* are ids with versions.

    It identifies what was decided on and hides nothing: whoever can guess the facts can compute it, so it is kept as
    the facts are.
    """
    told = {
        "request": dump(request),
        "facts": dump(facts),
        "policy": dump(policy),
        "jurisdictions": list(jurisdictions),
        "packs": list(packs),
        "known_at": None if known_at is None else to_text(known_at),
    }
    return sha256(_text(_ordered(told)).encode()).hexdigest()


def _ordered(value: Any) -> Any:
    """*value* with every list in one order, since none of them has an order that means something."""
    if isinstance(value, dict):
        return {key: _ordered(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_ordered(one) for one in value), key=_text)
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

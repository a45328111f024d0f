"""Erasures as lines of text, to be kept apart from the backups into which they must be carried over.

Invariant: a line gives back the erasure that it was made from. It holds ids, and the reason that was given, but nothing
of what was erased.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from crmcore.errors import Corrupt, CrmError
from crmcore.storage.document import decode, write
from crmcore.storage.erasing import check_erasure
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import Limits, Ref
from crmcore.storage.validate import actor_of, heading

_ANY = Limits(max_ops=1 << 31)  # the store into which it is carried over has limits of its own


def erasure_document(erasure: Erasure) -> dict[str, Any]:
    """An erasure as a JSON object."""
    return {
        "tenant": erasure.tenant,
        "refs": sorted([ref.kind, ref.id] for ref in erasure.refs),
        "streams": sorted(erasure.streams),
        "entries": sorted([stream, seq] for stream, seq in erasure.entries),
        "subjects": sorted(erasure.subjects),
        "idem": erasure.idem,
        "actor": decode(heading(erasure.actor, erasure.reason)),
        "reason": erasure.reason,
        "at": erasure.at.isoformat(),
    }


def erasure_line(erasure: Erasure) -> str:
    """An erasure as one line of JSON."""
    return write(erasure_document(erasure))


def erasures_in(lines: Iterable[str]) -> Iterator[Erasure]:
    """The erasures of a file of such lines; empty ones are passed over.

    Raises:
        Corrupt: at a line that is something else; the message has its number.
    """
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            erasure = _erasure(json.loads(text))
            check_erasure(erasure, _ANY)
        except (CrmError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise Corrupt(f"line {number} is no erasure: give a file as crmcore erasures writes it") from None
        yield erasure


def _erasure(document: dict[str, Any]) -> Erasure:
    tenant = document["tenant"]
    return Erasure(
        tenant=tenant,
        refs=frozenset(Ref(tenant, kind, id_) for kind, id_ in document["refs"]),
        streams=frozenset(document["streams"]),
        entries=frozenset((stream, seq) for stream, seq in document["entries"]),
        subjects=frozenset(document["subjects"]),
        idem=document["idem"],
        actor=actor_of(write(document["actor"])),
        reason=document["reason"],
        at=datetime.fromisoformat(document["at"]),
    )

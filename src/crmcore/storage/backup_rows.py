"""Rows of a store as lines of text, and back.

Invariant: a line has one meaning and a row one line: what is read gives the same line again, or is refused. A refusal
says what is wrong in words, without a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from crmcore.errors import Corrupt
from crmcore.storage.document import Json, write
from crmcore.storage.stored import Stored, StoredBatch, StoredEntry, StoredRecord, StoredTenant, line


def _refuse(_: str) -> NoReturn:
    raise ValueError("a number that no row has")


_decoder = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def row_of(text: str) -> Stored:
    """The row whose canonical text is *text*, the inverse of `crmcore.storage.stored.line`.

    Raises:
        Corrupt: if it is the text of no row.

    >>> row_of('["tenant","acme",""]')
    StoredTenant(tenant='acme', pepper=<hidden>)
    """
    try:
        name, *parts = _decoder.decode(text)
        row = _READERS[name](parts)
        if line(row) == text:
            return row
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass  # whatever it is that cannot be read, the answer is the same
    raise Corrupt("a row of the backup is not in the form of version 1: take another backup")


def _tenant(parts: Sequence[Any]) -> Stored:
    tenant, pepper = parts
    return StoredTenant(tenant, bytes.fromhex(pepper))


def _record(parts: Sequence[Any]) -> Stored:
    tenant, kind, id_, version, schema, body, keys, sorts = parts
    return StoredRecord(
        tenant,
        kind,
        id_,
        version,
        schema,
        None if body is None else Json(write(body)),
        tuple((namespace, value) for namespace, value in keys),
        tuple((namespace, part, bytes.fromhex(value)) for namespace, part, value in sorts),
    )


def _entry(parts: Sequence[Any]) -> Stored:
    tenant, stream, seq, occurred, recorded, subjects, schema, body = parts
    return StoredEntry(tenant, stream, seq, occurred, recorded, _tuple(subjects), schema, Json(write(body)))


def _batch(parts: Sequence[Any]) -> Stored:
    tenant, idem, digest, at, actor, reason, events, load, erasure, *rest = parts
    (rekeyed,) = rest or [[]]
    return StoredBatch(
        tenant,
        idem,
        None if digest is None else bytes.fromhex(digest),
        at,
        actor,
        reason,
        tuple((op, name, id_, number) for op, name, id_, number in events),
        None if load is None else (load[0], load[1]),
        erasure,
        tuple((kind, id_) for kind, id_ in rekeyed),
    )


def _tuple(items: Iterable[str]) -> tuple[str, ...]:
    if not isinstance(items, list):
        raise TypeError("no list")
    return tuple(items)


_READERS = {"tenant": _tenant, "record": _record, "entry": _entry, "batch": _batch}

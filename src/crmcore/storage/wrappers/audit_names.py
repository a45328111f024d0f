"""What an audit entry may call things by.

Invariant: nothing but names that a store accepts gets into an entry: words for kinds and namespaces, well-formed ids,
and names of tenants and streams. Anything else a caller sent stands there as ``?``, and the part of a sort, which may
be any text, as a keyed hash where it is no id. The value of a key or of a sort is no name. All names of a call are
noted, in several entries if they are many.
"""

from __future__ import annotations

import hmac
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from crmcore.errors import InvalidRecord
from crmcore.storage.protocol import (
    Append,
    Change,
    Check,
    CheckKey,
    CheckStream,
    Delete,
    Key,
    Operation,
    Page,
    Put,
    Ref,
    Rekey,
    Sort,
)
from crmcore.storage.validate import check_id, check_name, check_word
from crmcore.values.source import Actor

UNKNOWN = "?"

MOST, MOST_BYTES = 1000, 50_000
"""So many names stand in one entry at most."""

_OPS: tuple[tuple[type[Any], str], ...] = (
    (Put, "put"),
    (Delete, "delete"),
    (Rekey, "rekey"),
    (Append, "append"),
    (Check, "check"),
    (CheckStream, "check_stream"),
    (CheckKey, "check_key"),
)


def plain_name(text: Any) -> str:
    """*text*, if a store accepts it as the name of a tenant or a stream."""
    try:
        check_name(text, "a name")
    except InvalidRecord:
        return UNKNOWN
    return str(text)


def word_name(text: Any) -> str:
    """*text*, if a store accepts it as a kind or a namespace."""
    try:
        check_word(text, "a word")
    except InvalidRecord:
        return UNKNOWN
    return str(text)


def id_name(text: Any) -> str:
    """*text*, if it is an id."""
    try:
        check_id(text)
    except InvalidRecord:
        return UNKNOWN
    return str(text)


def ref_name(ref: Ref) -> str:
    """The kind and id of a record."""
    return f"{word_name(ref.kind)}/{id_name(ref.id)}"


def blinded(key: bytes, what: str, tenant: object, text: object) -> str:
    """A name for a text that may say something of somebody: the same each time, and nobody makes it without *key*."""
    said = f"{tenant}\0{text}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, what.encode() + said, "sha256").hex()[:32]


def part_name(key: bytes, tenant: str, namespace: str, part: str) -> str:
    """A namespace of sorts and the part of it that is asked for: an id as it is, any other text blinded."""
    shown = id_name(part) if part else ""
    if shown == UNKNOWN:
        shown = "~" + blinded(key, "part", tenant, part)
    return f"{word_name(namespace)}/{shown}"


def change_name(change: Change) -> str:
    """What a change in the feed was of."""
    if change.ref is not None:
        return ref_name(change.ref)
    return f"{plain_name(change.stream)}/{change.seq}"


def in_entries(lists: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    """Names by field, spread over as many entries as they need; where that is more than one, each says which it is.

    >>> in_entries({"on": ["a"], "gave": []})
    [{'on': ['a'], 'gave': []}]
    >>> [one["part"] for one in in_entries({"on": ["a"] * 2001})]
    [[1, 3], [2, 3], [3, 3]]
    """
    entries: list[dict[str, Any]] = [{field: [] for field in lists}]
    count = size = 0
    for field, names in lists.items():
        for name in names:
            length = len(name.encode())
            if count == MOST or size + length > MOST_BYTES:
                entries.append({})
                count = size = 0
            entries[-1].setdefault(field, []).append(name)
            count, size = count + 1, size + length
    if len(entries) > 1:
        call = secrets.token_hex(8)
        for number, entry in enumerate(entries, 1):
            entry |= {"part": [number, len(entries)], "parts_of": call}
    return entries


def count_by(keys: Collection[Key]) -> list[str]:
    """How many keys of which namespace.

    >>> count_by([Key("email", "ann@x.org"), Key("email", "bob@x.org")])
    ['2 email']
    """
    counts = Counter(word_name(key[0]) for key in keys)
    return [f"{count} {namespace}" for namespace, count in sorted(counts.items())]


def sort_names(page: Page[tuple[Sort, Ref]]) -> Iterable[str]:
    """The records on a page of an order."""
    return [ref_name(ref) for _, ref in page.items]


def named_in(ops: Iterable[Operation]) -> list[str]:
    """What each operation of a batch is, and on what."""
    return [f"{_word(op)} {_target(op)}" for op in ops]


def _word(op: Operation) -> str:
    return next((word for type_, word in _OPS if isinstance(op, type_)), UNKNOWN)


def _target(op: Operation) -> str:
    if isinstance(op, (Append, CheckStream)):
        return plain_name(op.stream)
    if isinstance(op, CheckKey):
        return word_name(op.key[0])
    ref = getattr(op, "ref", None)
    return ref_name(ref) if isinstance(ref, Ref) else UNKNOWN


def writer(actor: Actor) -> list[str | None]:
    """Who acts: kind, id, and for whom."""
    behalf = None if actor.on_behalf_of is None else plain_name(actor.on_behalf_of)
    return [plain_name(actor.kind), plain_name(actor.id), behalf]

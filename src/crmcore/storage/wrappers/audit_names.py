"""What an audit entry may call things by.

Invariant: nothing but names that a store accepts gets into an entry; anything else a caller sent stands there as ``?``.
The value of a key or of a sort is no name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from crmcore.storage.protocol import (
    Append,
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
from crmcore.values.source import Actor

_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}\Z")
UNKNOWN = "?"

_OPS: tuple[tuple[type[Any], str], ...] = (
    (Put, "put"),
    (Delete, "delete"),
    (Rekey, "rekey"),
    (Append, "append"),
    (Check, "check"),
    (CheckStream, "check_stream"),
    (CheckKey, "check_key"),
)


def plain_name(text: object) -> str:
    """*text*, if a store accepts it as a name."""
    return text if isinstance(text, str) and _NAME.match(text) else UNKNOWN


def ref_name(ref: Ref) -> str:
    """The kind and id of a record."""
    return f"{plain_name(ref.kind)}/{plain_name(ref.id)}"


def count_by(keys: Collection[Key]) -> list[str]:
    """How many keys of which namespace.

    >>> count_by([Key("email", "ann@x.org"), Key("email", "bob@x.org")])
    ['2 email']
    """
    counts = Counter(plain_name(key[0]) for key in keys)
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
        return plain_name(op.key[0])
    ref = getattr(op, "ref", None)
    return ref_name(ref) if isinstance(ref, Ref) else UNKNOWN


def writer(actor: Actor) -> list[str | None]:
    """Who acts: kind, id, and for whom."""
    behalf = None if actor.on_behalf_of is None else plain_name(actor.on_behalf_of)
    return [plain_name(actor.kind), plain_name(actor.id), behalf]

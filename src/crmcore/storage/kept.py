"""What is read back from a store and cannot be understood is damage, and is told as such.

Invariant: neither the error nor one that hangs on it holds what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from crmcore.errors import Corrupt
from crmcore.storage.document import decode
from crmcore.storage.protocol import Entry
from crmcore.storage.validate import instant

P = ParamSpec("P")
T = TypeVar("T")


def from_kept(make: Callable[P, T]) -> Callable[P, T]:
    """Let *make*, which turns what is kept into a value, raise `Corrupt` where it cannot.

    >>> from_kept(int)("12")
    12
    """

    @wraps(make)
    def making(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return make(*args, **kwargs)
        except (ValueError, TypeError, LookupError, OverflowError):
            pass
        # Outside of the handler, since the error that it handled may have the whole text in it.
        raise Corrupt("what is kept of a row cannot be read: run verify(), and restore a backup")

    return making


@from_kept
def body_of(text: str) -> dict[str, Any]:
    """The body that a text holds.

    Raises:
        Corrupt: if it holds none.
    """
    body = decode(text)
    if type(body) is not dict:
        raise ValueError
    return body


_ONE = re.compile(r'\["[0-9a-f-]+"\]')
"""The text of a single id, as most entries have it, which is faster looked at than decoded."""


@from_kept
def entry_of(
    stream: str, seq: int, occurred: int, recorded: int, subjects: str, schema: str, body: str
) -> Entry:
    """The entry that a row holds: its times in microseconds, its subjects and its body as JSON texts.

    Raises:
        Corrupt: if it cannot be read.
    """
    return Entry(
        stream=stream,
        seq=seq,
        occurred_at=instant(occurred),
        recorded_at=instant(recorded),
        subjects=(subjects[2:-2],) if _ONE.fullmatch(subjects) else tuple(decode(subjects)),
        schema=schema,
        body=decode(body),
    )

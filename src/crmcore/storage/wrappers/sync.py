"""Wrappers around a synchronous store.

Invariant: a wrapper is written once, for asynchronous stores. Around a synchronous one it runs to its end within each
call, without a loop or a thread; one that waits does so by blocking, as it is told to when it is made.
"""

from __future__ import annotations

from collections.abc import Callable

from crmcore.storage.lift import lift
from crmcore.storage.lower import Lowered, lower
from crmcore.storage.protocol import AsyncStore, Store


def wrapped(store: Store, *wrappers: Callable[[AsyncStore], AsyncStore]) -> Lowered:
    """A synchronous store in *wrappers*, the first of them innermost.

    >>> from crmcore.storage import MemoryStore
    >>> from crmcore.storage.wrappers import ReadOnly
    >>> store = wrapped(MemoryStore(), ReadOnly)
    >>> store.outcome("acme", "import-1")
    Traceback (most recent call last):
    ...
    crmcore.errors.StoreReadOnly: this store is for reading only, so `outcome` is refused: write through another one
    """
    inner: AsyncStore = lift(store)
    for wrapper in wrappers:
        inner = wrapper(inner)
    return lower(inner)

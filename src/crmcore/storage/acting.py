"""On behalf of whom a store is used: what a store that notes its readers is told.

Invariant: a store that keeps no account of readers is given back as it is. Where there is one, in however many
wrappers, what is given back is the same store with the same state, for another actor.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from crmcore.values.source import Actor

S = TypeVar("S")


@runtime_checkable
class Acting(Protocol):
    """A store, of either colour, that notes who reads, or may be around one.

    One that notes who reads offers neither `crmcore.storage.nearness` nor `crmcore.storage.skimming`.
    """

    def acting(self, actor: Actor, *, purpose: str | None = None) -> Any:
        """The same store for *actor*; itself if that makes no difference. Without *purpose* it stays what it is."""
        ...


def for_actor(store: S, actor: Actor, *, purpose: str | None = None) -> S:
    """*store*, used by *actor* for *purpose*, a word such as ``"support"``; `Crm.acting_as` asks for it.

    >>> from crmcore.storage.memory import MemoryStore
    >>> store = MemoryStore()
    >>> for_actor(store, Actor(kind="person", id="u-7")) is store
    True
    """
    return cast("S", store.acting(actor, purpose=purpose)) if isinstance(store, Acting) else store

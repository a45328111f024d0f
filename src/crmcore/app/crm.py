"""`Crm`: the one object that a synchronous app holds. `AsyncCrm` is its asynchronous twin.

Invariant: every call runs the asynchronous twin to its end over a store that never suspends. There is no event loop and
no thread in between.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from crmcore.app.addresses import is_postgres
from crmcore.app.async_crm import AsyncBatch, AsyncCrm, Events
from crmcore.app.consent_facade import Consents, Preferences, Suppressions, Unsubscribes
from crmcore.app.facade import Customers, Identity, Imports, Interactions, Parties, Relationships
from crmcore.app.rights_facade import Requests, Retention
from crmcore.storage.acting import for_actor
from crmcore.storage.lift import lift, run
from crmcore.storage.memory import MemoryStore
from crmcore.storage.protocol import Position, Store
from crmcore.values.source import Actor

Twin = TypeVar("Twin", AsyncCrm, AsyncBatch)


class _Namespaces(Generic[Twin]):
    """The synchronous namespaces over a twin."""

    _twin: Twin

    @cached_property
    def parties(self) -> Parties:
        """Record parties and change them."""
        return Parties(self._twin.parties)

    @cached_property
    def relationships(self) -> Relationships:
        """Relate parties."""
        return Relationships(self._twin.relationships)

    @cached_property
    def interactions(self) -> Interactions:
        """Record what was said and done."""
        return Interactions(self._twin.interactions)

    @cached_property
    def identity(self) -> Identity:
        """Say which parties are the same customer."""
        return Identity(self._twin.identity)

    @cached_property
    def customers(self) -> Customers:
        """See each customer as one."""
        return Customers(self._twin.customers)

    @cached_property
    def consent(self) -> Consents:
        """Ask whether a customer may be contacted."""
        return Consents(self._twin.consent)

    @cached_property
    def preferences(self) -> Preferences:
        """Keep how people want to be contacted."""
        return Preferences(self._twin.preferences)

    @cached_property
    def suppression(self) -> Suppressions:
        """Keep addresses from being used, whoever has them."""
        return Suppressions(self._twin.suppression)

    @cached_property
    def unsubscribe(self) -> Unsubscribes:
        """Let people leave with one click."""
        return Unsubscribes(self._twin.unsubscribe)

    @cached_property
    def requests(self) -> Requests:
        """Answer what people ask about their own data."""
        return Requests(self._twin.requests)

    @cached_property
    def retention(self) -> Retention:
        """Plan how long customers are kept."""
        return Retention(self._twin.retention)


class Crm(_Namespaces[AsyncCrm]):
    """Customers over any `Store`.

    *options* are those of `AsyncCrm`: tenant, clock, matcher, survivorship, practice, laws, actor, secrets.

    >>> from crmcore import Crm, Person
    >>> with Crm.open() as crm:
    ...     ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    ...     crm.customers.view("ann@x.org").name
    'Ann Lee'
    """

    def __init__(self, store: Store, **options: Any) -> None:
        self._twin = AsyncCrm(lift(store), **options)
        self._store = store

    @classmethod
    def open(cls, path: str | Path | None = None, **options: Any) -> Crm:
        """Customers in an SQLite file, made where there is none, or in memory without *path*.

        A *path* such as ``"postgresql://db.example.org/crm"`` is a PostgreSQL database: see
        `crmcore.storage.PostgresStore`, which takes more settings.

        Raises:
            StoreError: if the file is no store of crmcore, is locked, or cannot be reached.
            MissingExtra: for PostgreSQL, if the extra ``postgres`` is not installed.
        """
        if path is None:
            return cls(MemoryStore(), **options)
        if is_postgres(path):
            from crmcore.storage.postgres import PostgresStore

            return cls(PostgresStore.open(str(path)), **options)
        from crmcore.storage.sqlite import SqliteStore

        return cls(SqliteStore.open(path), **options)

    @property
    def store(self) -> Store:
        """The store below."""
        return self._store

    @cached_property
    def imports(self) -> Imports:
        """Take over records from files."""
        return Imports(self._twin.imports)

    def acting_as(self, actor: Actor, *, purpose: str | None = None) -> Crm:
        """The same customers, with *actor* as the author of what is written through the object returned.

        Over a store that notes its readers (`crmcore.storage.wrappers.Audited`), also as who reads, for *purpose*.
        """
        crm = Crm.__new__(Crm)
        crm._twin = self._twin.acting_as(actor, purpose=purpose)
        crm._store = for_actor(self._store, actor, purpose=purpose)
        return crm

    def batch(self, *, idem: str | None = None, reason: str | None = None) -> CrmBatch:
        """Write through several namespaces at once: ``with crm.batch(reason=...) as b: ...``.

        All is written when the block ends, or nothing when it raises. What is read through the batch has what was
        written through it.

        With *idem* a block that may run again (a retry, a job that was cut off) writes once: the second run writes
        nothing, and each verb returns what the first run made, as it stands now. A verb that the first run was not
        asked for raises `IdempotencyMismatch`; a function given to ``change`` is not compared, nor is it run again.

        >>> from crmcore import Crm, Person
        >>> crm = Crm.open()
        >>> def take_over() -> str:
        ...     with crm.batch(idem="order 4711") as b:
        ...         return b.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
        >>> take_over() == take_over(), len(crm.parties.find(email="ann@x.org"))
        (True, 1)
        """
        return CrmBatch(self._twin.batch(idem=idem, reason=reason))

    def events(self, after: Position = "", *, limit: int = 500) -> Events:
        """The domain events that were committed after a position, in the order of their commits; no erased ones.

        Raises:
            PositionExpired: if the store no longer reaches back to *after*.
        """
        return run(self._twin.events(after, limit=limit))

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def __enter__(self) -> Crm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CrmBatch(_Namespaces[AsyncBatch]):
    """The namespaces, gathering into one batch. Made by `Crm.batch`."""

    def __init__(self, twin: AsyncBatch) -> None:
        self._twin = twin

    def __enter__(self) -> CrmBatch:
        run(self._twin.begin())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run(self._twin.end(write=kind is None))

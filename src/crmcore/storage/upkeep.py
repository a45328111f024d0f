"""What keeps a store in order: three optional parts, ``durable``, ``schema`` and ``tenants``.

Invariant: `verify` changes nothing and says what is wrong in numbers and names of tables, never in values; a migration
that was cut off at any point is gone on with by the next one.
"""

from __future__ import annotations

from typing import Protocol, cast

import attrs

from crmcore.storage.capability import DURABLE, SCHEMA, TENANTS, claimed
from crmcore.storage.erasure import ErasureReport
from crmcore.storage.protocol import AsyncStore, Page


@attrs.frozen(kw_only=True)
class Problem:
    """A promise that what is stored does not keep: a *code*, what is meant, and how often."""

    code: str
    message: str
    count: int


@attrs.frozen(kw_only=True)
class Integrity:
    """What `verify` looked at and found. No *problems*: all is well."""

    records: int
    entries: int
    changes: int
    problems: tuple[Problem, ...] = ()


class Durable(Protocol):
    """What a `Store` that claims ``durable`` also has."""

    def verify(self) -> Integrity:
        """Look at everything: the engine's own check, keys and sorts against records, numbers of ledgers and feed."""
        ...


class AsyncDurable(Protocol):
    """What an `AsyncStore` that claims ``durable`` also has."""

    async def verify(self) -> Integrity: ...


@attrs.frozen(kw_only=True)
class SchemaState:
    """The version of the tables that is there, the newest that this crmcore knows, and the steps between."""

    version: int
    newest: int
    pending: tuple[str, ...] = ()


class Schema(Protocol):
    """What a `Store` that claims ``schema`` also has.

    A store that was written by a newer crmcore is never opened (`SchemaMismatch`).
    """

    def schema(self) -> SchemaState: ...

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        """Take the steps that are pending, each by itself, and name them. Cut off, it is gone on with the next time."""
        ...


class AsyncSchema(Protocol):
    """What an `AsyncStore` that claims ``schema`` also has."""

    async def schema(self) -> SchemaState: ...

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]: ...


class Tenants(Protocol):
    """What a `Store` that claims ``tenants`` also has."""

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        """Who has something in this store, in the order of their names."""
        ...

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        """Erase all that a tenant has, its name and receipts included. A tenant that has nothing is no error."""
        ...


class AsyncTenants(Protocol):
    """What an `AsyncStore` that claims ``tenants`` also has."""

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]: ...

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport: ...


def durable_of(store: AsyncStore) -> AsyncDurable:
    """The part of *store* that checks itself.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), DURABLE)
    return cast("AsyncDurable", store)


def schema_of(store: AsyncStore) -> AsyncSchema:
    """The part of *store* that migrates.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), SCHEMA)
    return cast("AsyncSchema", store)


def tenants_of(store: AsyncStore) -> AsyncTenants:
    """The part of *store* that lists and drops tenants.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), TENANTS)
    return cast("AsyncTenants", store)

"""What a store claims, in both directions: what it does not claim it refuses, and writes nothing.

Invariant: whether a part is there is read from `describe` alone, never from what methods an object happens to have.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from crmcore.errors import CapabilityMissing
from crmcore.storage import (
    AsyncStore,
    Batch,
    Chunk,
    Erasure,
    Json,
    Lifted,
    NewRecord,
    Row,
    backup_of,
    bulk_of,
    claims,
    durable_of,
    eraser_of,
    schema_of,
    stream_of,
    tenants_of,
)
from crmcore.storage.capability import (
    BACKUP,
    BULK,
    CHANGES,
    DURABLE,
    ERASER,
    ORDERED_TEXT,
    SCHEMA,
    STREAM,
    TENANTS,
)
from crmcore.testing.kit import (
    ANN,
    NOW,
    TENANT,
    A,
    holds,
    picture,
    put,
    refused,
    same,
    uid,
)
from crmcore.values.source import SYSTEM

ACCESS: Mapping[str, Callable[[AsyncStore], object]] = {
    BULK: bulk_of, STREAM: stream_of, DURABLE: durable_of, SCHEMA: schema_of, ERASER: eraser_of,
    BACKUP: backup_of, TENANTS: tenants_of,
}  # fmt: skip
"""How each part of the protocol is asked for."""


def raw(store: AsyncStore) -> Any:
    """The author's own object: what was lifted, where the kit lifted it."""
    return getattr(store, "_store", store) if isinstance(store, Lifted) else store


def _calls(part: str, store: Any) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
    """The calls of *part*, by name, each with arguments that a store that had it would take."""
    row = Row((NewRecord("party", uid(7), 1, Json.of({})),))
    chunk = Chunk(tenant=TENANT, rows=(row,), idem="part", digest="d", actor=SYSTEM, at=NOW)
    erasure = Erasure(tenant=TENANT, refs=frozenset({A}), idem="part", actor=SYSTEM, at=NOW)
    return {
        BULK: [("load", lambda: store.load(chunk)), ("loaded", lambda: store.loaded(TENANT, "part", "d"))],
        STREAM: [("export", lambda: store.export())],
        DURABLE: [("verify", lambda: store.verify())],
        SCHEMA: [("schema", lambda: store.schema()), ("migrate", lambda: store.migrate())],
        ERASER: [("erase", lambda: store.erase(erasure)), ("erasures", lambda: store.erasures(TENANT))],
        BACKUP: [("restore", lambda: store.restore(iter(())))],
        TENANTS: [("tenants", lambda: store.tenants()), ("drop_tenant", lambda: store.drop_tenant(TENANT))],
        ORDERED_TEXT: [("range", lambda: store.range(TENANT, "name", [""]))],
        CHANGES: [("changes", lambda: store.changes(TENANT))],
    }[part]  # fmt: skip


def calls_of_claimed(store: AsyncStore) -> list[Callable[[], Awaitable[object]]]:
    """A call of each method of each part that *store* claims."""
    parts = [part for part in (*ACCESS, ORDERED_TEXT, CHANGES) if claims(store.describe(), part)]
    return [call for part in parts for _, call in _calls(part, store)]


async def refuses(store: AsyncStore, part: str) -> str:
    """Why *store* does not claim *part*, after it was seen to refuse it; "" if it claims it."""
    description = store.describe()
    if claims(description, part):
        return ""
    named = next((one for one in description.capabilities if one.name == part), None)
    holds(named is not None and named.reason, f"{part} is neither claimed nor missing for a reason")
    assert named is not None  # for the type checker
    await store.apply(Batch(tenant=TENANT, ops=(put(A, 0, {}, [ANN]),), idem="seen", actor=SYSTEM, at=NOW))
    before = await picture(store, [ANN])
    if part in ACCESS:
        await refused(CapabilityMissing, _asked(ACCESS[part], store))
    for name, call in _calls(part, raw(store)):
        if hasattr(raw(store), name):
            await refused(CapabilityMissing, _called(call))
            same(await picture(store, [ANN]), before, f"what can be seen after {name} was refused")
    return named.reason


async def _asked(access: Callable[[AsyncStore], object], store: AsyncStore) -> object:
    return access(store)


async def _called(call: Callable[[], Awaitable[object]]) -> object:
    answer = call()
    return await answer if inspect.isawaitable(answer) else answer

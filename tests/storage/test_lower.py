"""An asynchronous store that never suspends is a synchronous one, in all its parts."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from crmcore.errors import CapabilityMissing
from crmcore.storage import (
    EXCLUSIVE,
    PARTS,
    AsyncMemoryStore,
    AsyncStore,
    Backup,
    Bulk,
    Capability,
    Description,
    Durable,
    Eraser,
    Lowered,
    MemoryStore,
    Record,
    Ref,
    Schema,
    Store,
    Stored,
    StoredTenant,
    Stream,
    Tenants,
    lift,
    lower,
)
from crmcore.storage.nearness import Breadth, Near, NearHits
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import Placed
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, assert_kept, unclaimed

PROTOCOLS = (Store, Bulk, Stream, Backup, Eraser, Durable, Schema, Tenants)
CALLS = [
    (protocol, name)
    for protocol in PROTOCOLS
    for name, _ in inspect.getmembers(protocol, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize("guarantee", list(GUARANTEES), ids=lambda one: one.name)
def test_a_lowered_store_keeps_every_promise(guarantee: Guarantee, tmp_path: Path) -> None:
    subject = Placed(tmp_path, lambda place: lower(lift(MemoryStore(exclusive=EXCLUSIVE))))
    assert_kept(guarantee, subject, unclaimed("durable", "schema", keeps=False), NO_ITEMS | NEVER_WAITS)


@pytest.mark.parametrize(("protocol", "name"), CALLS, ids=lambda one: getattr(one, "__name__", one))
def test_a_lowered_store_has_the_calls_of_every_part(protocol: type, name: str) -> None:
    expected = inspect.signature(getattr(protocol, name))
    found = inspect.signature(getattr(Lowered, name))
    assert found.parameters == expected.parameters
    assert not inspect.iscoroutinefunction(getattr(Lowered, name))


class Everything:
    """A store with every part, that answers each call with its name and its arguments."""

    closed = False

    def describe(self) -> Description:
        capabilities = tuple(Capability(name=name, support="full") for name in PARTS)
        return Description(
            engine="echo", address="", durability="none", exclusive=frozenset(), capabilities=capabilities
        )

    def __getattr__(self, name: str) -> Any:
        if name == "near":
            raise AttributeError(name)

        async def answer(*arguments: object, **options: object) -> Any:
            return (name, arguments, options)

        return answer


@pytest.mark.parametrize(("protocol", "name"), CALLS, ids=lambda one: getattr(one, "__name__", one))
def test_every_argument_comes_through(protocol: type, name: str) -> None:
    if name in ("describe", "export", "close"):
        return
    store = lower(cast("AsyncStore", Everything()))
    parameters = list(inspect.signature(getattr(protocol, name)).parameters.values())[1:]
    given = {each.name: object() for each in parameters}
    plain = [given[each.name] for each in parameters if each.kind is not each.KEYWORD_ONLY]
    named = {each.name: given[each.name] for each in parameters if each.kind is each.KEYWORD_ONLY}
    called, arguments, options = getattr(store, name)(*plain, **named)
    assert (called, list(arguments), options) == (name, plain, named)


class Snapshots(Everything):
    def __init__(self) -> None:
        self.rows: list[Stored] = [StoredTenant("acme"), StoredTenant("other")]
        self.asked: list[object] = []

    async def export(self, tenants: Collection[str] | None = None) -> Snapshots:
        self.asked.append(tenants)
        return self

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        given, self.rows = self.rows[:limit], self.rows[limit:]
        return given

    async def close(self) -> None:
        self.asked.append("closed")


def test_a_snapshot_is_lowered_too() -> None:
    store = Snapshots()
    snapshot = lower(cast("AsyncStore", store)).export(["acme"])
    assert (snapshot.read(1), snapshot.read()) == ([StoredTenant("acme")], [StoredTenant("other")])
    snapshot.close()
    assert store.asked == [["acme"], "closed"]


@pytest.mark.parametrize("name", ["restore", "verify", "schema", "migrate", "tenants", "export"])
def test_a_part_that_is_not_claimed_is_refused(name: str) -> None:
    class Bare(Everything):
        def describe(self) -> Description:
            return Description(engine="", address="", durability="none", exclusive=frozenset())

    arguments: list[Any] = [[]] if name == "restore" else []
    with pytest.raises(CapabilityMissing):
        getattr(lower(cast("AsyncStore", Bare())), name)(*arguments)


class Nearby(AsyncMemoryStore):
    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return NearHits({kind: {"of": tenant, "in": namespace, "all": list(values)}}, breadth.most)


def test_the_call_for_who_is_near_is_there_if_the_store_has_it() -> None:
    near = lower(Nearby())
    assert isinstance(near, Near)
    assert not isinstance(lower(AsyncMemoryStore()), Near)
    hits = near.near("acme", "near", ["a"], "features", breadth=Breadth(largest=1, enough=2, most=3))
    assert hits == NearHits({"features": {"of": "acme", "in": "near", "all": ["a"]}}, 3)


def test_a_store_that_suspends_is_refused() -> None:
    class Slow(AsyncMemoryStore):
        async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
            await asyncio.sleep(0)
            return {}

    with pytest.raises(RuntimeError, match="suspended"):
        lower(Slow()).get([])


def test_what_is_lowered_is_accepted_as_a_store() -> None:
    """For the type checker, which reads this file too."""
    asynchronous: AsyncStore = AsyncMemoryStore()
    store: Store = lower(asynchronous)
    assert store.describe() == asynchronous.describe()

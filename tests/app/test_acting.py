"""Who reads through `Crm` is noted with the name under which the app acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmcore import Actor, AsyncCrm, Crm, Person
from crmcore.errors import InvalidValue
from crmcore.storage import AsyncMemoryStore, AsyncStore, MemoryStore, SqliteStore, lift, run
from crmcore.storage.protocol import Store
from crmcore.storage.wrappers import (
    Audited,
    Encrypted,
    MemoryKeyStore,
    Passing,
    ReadOnly,
    Retrying,
    Tracing,
    audit_of,
    blocking,
    verify_audit,
    wrapped,
)
from crmcore.values.source import SYSTEM

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DESK = Actor(kind="person", id="u-7")
OTHER = Actor(kind="person", id="u-8")


def _audited(inner: AsyncStore) -> Audited:
    return Audited(inner, KEY, clock=lambda: NOW)


def _encrypted(inner: AsyncStore) -> Encrypted:
    return Encrypted(inner, MemoryKeyStore())


def _retrying(inner: AsyncStore) -> Retrying:
    return Retrying(inner, pause=blocking)


def _noted(store: Store) -> list[tuple[str, str, str | None]]:
    """Call, actor and purpose of all that is in the audit."""
    log = audit_of(store)._log
    streams = [f"audit:{number:03d}" for number in range(16)]
    pages = run(log.store.ledger("crmcore.audit", streams)).values()
    bodies = [entry.body for page in pages for entry in page.items]
    return [(body["call"], body["actor"][1], body["purpose"]) for body in bodies]


STACKS: dict[str, Callable[[Path], Store]] = {
    "audited": lambda place: wrapped(MemoryStore(), _audited),
    "recommended": lambda place: wrapped(MemoryStore(), _encrypted, _audited, _retrying),
    "in a file": lambda place: wrapped(SqliteStore(place / "crm.db"), _audited, _retrying),
    "traced": lambda place: wrapped(MemoryStore(), _audited, lambda i: Tracing(i, lambda _: None), _retrying),
    "lowered twice": lambda place: wrapped(wrapped(MemoryStore(), _audited), _retrying),
}


@pytest.mark.parametrize("stack", STACKS)
def test_who_reads_through_the_app_is_noted(stack: str, tmp_path: Path) -> None:
    store = STACKS[stack](tmp_path)
    with Crm(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        before = len(_noted(store))
        assert {actor for _, actor, _ in _noted(store)} == {SYSTEM.id}
        desk = crm.acting_as(DESK, purpose="support")
        assert desk.parties.find(email="ann@x.org")[0].id == ann.id
        assert desk.customers.view(ann.id).name == "Ann Lee"
        desk.parties.change(ann.id, lambda p: p.with_phone("020 7946 0018", region="GB"))
        since = _noted(store)[before:]
        assert {call for call, _, _ in since} >= {"find", "get", "apply"}
        assert {(actor, purpose) for _, actor, purpose in since} == {("u-7", "support")}
        crm.acting_as(OTHER).parties.find(email="ann@x.org")
        assert {(actor, purpose) for _, actor, purpose in _noted(store)[before + len(since) :]} == {
            ("u-8", None)
        }
        other = desk.acting_as(OTHER)
        assert other.store is not desk.store
        there = len(_noted(store))
        other.parties.find(email="ann@x.org")
        assert {(actor, purpose) for _, actor, purpose in _noted(store)[there:]} == {("u-8", "support")}
        run(audit_of(store).seal())
        anchor = run(audit_of(store).anchor())
        assert run(verify_audit(audit_of(store)._log.store, KEY, [anchor])).whole


def test_an_app_that_is_made_for_somebody_reads_as_somebody() -> None:
    store = wrapped(MemoryStore(), _audited, _retrying)
    Crm(store, actor=DESK).parties.find(email="ann@x.org")
    Crm(store).parties.find(email="ann@x.org")
    assert [actor for _, actor, _ in _noted(store)] == ["u-7", SYSTEM.id]


def test_who_reads_at_once_is_noted_as_who_it_is() -> None:
    async def work() -> None:
        inner = AsyncMemoryStore()
        store = Retrying(_audited(inner), pause=asyncio.sleep)
        crm = AsyncCrm(store)
        actors = [Actor(kind="person", id=f"u-{number}") for number in range(30)]
        await asyncio.gather(*(crm.acting_as(one).parties.find(email=f"{one.id}@x.org") for one in actors))
        streams = [f"audit:{number:03d}" for number in range(16)]
        pages = (await inner.ledger("crmcore.audit", streams)).values()
        noted = {entry.body["actor"][1] for page in pages for entry in page.items}
        assert noted == {one.id for one in actors}

    asyncio.run(work())


class Counting(Passing):
    """Counts calls in an attribute of its own."""

    calls = 0

    async def around(self, call: Any) -> Any:
        self.calls += 1
        return await call.through()


def test_a_wrapper_is_one_whoever_acts() -> None:
    made: list[Counting] = []

    def counting(inner: AsyncStore) -> AsyncStore:
        made.append(Counting(inner))
        return made[0]

    store = wrapped(MemoryStore(), _audited, counting)
    crm = Crm(store)
    crm.parties.find(email="ann@x.org")
    once = made[0].calls
    crm.acting_as(DESK).parties.find(email="ann@x.org")
    assert made[0].calls == 2 * once > 0
    with_budget = Retrying(_audited(AsyncMemoryStore()), pause=blocking)
    assert with_budget.acting(DESK)._budget is with_budget._budget


def test_a_store_that_notes_nobody_is_left_as_it_is() -> None:
    for store in (MemoryStore(), wrapped(MemoryStore(), ReadOnly, _retrying)):
        assert Crm(store).acting_as(DESK).store is store
        with pytest.raises(InvalidValue, match="no audit"):
            audit_of(lift(store))

"""Requests, suppression, retention and erasure mean the same over every store: all of them tell the same story."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from crmcore import AsyncCrm, Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import Facts, LegalHold, Message, Practice, Relation, SecretRing
from crmcore.storage import (
    AsyncPostgresStore,
    AsyncSqliteStore,
    AsyncStore,
    MemoryStore,
    PostgresStore,
    SqliteStore,
)
from crmcore.storage.protocol import Store
from crmcore.storage.wrappers import Audited, Encrypted, MemoryKeyStore, wrapped
from crmcore.values.ids import Ids
from crmcore.values.partial_date import PartialDate
from tests.app.houses import Blocking
from tests.app.requests import NOW, Clock, collecting
from tests.storage.postgres_server import drop, dsn, new_schema

KEY = bytes(range(32))
OURS = Practice(
    controller="acme",
    offered_to_children=False,
    marketing=Message.marketing(sender_identified=True, unsubscribe=True, unsubscribe_burdened=False),
)
FILE = "id,full_name,email,birth_date,city\n17,Zacharias,zz@x.example,1980-02-28,York\n"


def encrypted(inner: AsyncStore) -> AsyncStore:
    return Encrypted(inner, MemoryKeyStore())


def audited(inner: AsyncStore) -> AsyncStore:
    return Audited(inner, KEY, clock=lambda: NOW)


def postgres(schema: str) -> Store:
    return PostgresStore(dsn(), schema=schema)


STORES: dict[str, Callable[[Path, str], Store | AsyncStore]] = {
    "sqlite": lambda folder, schema: SqliteStore.open(folder / "a.db"),
    "async": lambda folder, schema: AsyncSqliteStore.open(folder / "b.db"),
    "encrypted": lambda folder, schema: wrapped(MemoryStore(), encrypted),
    "audited": lambda folder, schema: wrapped(MemoryStore(), lambda inner: audited(encrypted(inner))),
    "postgres": lambda folder, schema: postgres(schema),
    "async postgres": lambda folder, schema: AsyncPostgresStore(dsn(), schema=schema),
}


@contextmanager
def opened(kind: str, folder: Path, clock: Clock) -> Iterator[Crm]:
    """Customers over a store of that kind, with ids that are the same in every run."""
    ids = Ids(lambda: int(clock.now.timestamp() * 1000), Random(4711).getrandbits)
    options: dict[str, Any] = {
        "clock": clock,
        "ids": ids,
        "secrets": SecretRing({1: KEY}),
        "practice": OURS,
    }
    schema = new_schema() if "postgres" in kind else ""
    try:
        if kind.startswith("async"):
            with asyncio.Runner() as runner:
                target = AsyncCrm(cast("AsyncStore", STORES[kind](folder, schema)), **options)
                try:
                    yield cast("Crm", Blocking(target, runner))
                finally:
                    runner.run(target.close())
        else:
            store = MemoryStore() if kind == "memory" else cast("Store", STORES[kind](folder, schema))
            with Crm(store, **options) as crm:
                yield crm
    finally:
        if schema:
            drop(schema)


def story(crm: Crm, clock: Clock, folder: Path) -> Iterator[Any]:
    """What the calls answer, one after the other, for people to compare."""
    path = folder / "people.csv"
    path.write_text(FILE, "utf-8")
    crm.imports.apply(crm.imports.plan(path, source="shop", id_column="id", date_order="ymd"))
    (zed,) = crm.parties.find(email="zz@x.example")
    too = crm.parties.add(Person.of("Zacharias", email="zz@y.example", phone="+44 20 7946 0018"))
    bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    crm.parties.add(Person.of("Carla Gomez"))
    crm.identity.merge(zed.id, too.id, reason="one person")
    crm.interactions.record(
        "call",
        direction="inbound",
        occurred_at=date(2023, 1, 1),
        with_=[zed.id, bo.id],
        body="Carla Gomez told",
    )
    crm.relationships.add("reports_to", zed.id, bo.id, note="confided")
    crm.consent.record("give", zed.id, purposes=["third_party_sharing"], recipients=["Gamma SA"])
    crm.consent.record("give", "zz@x.example", purposes=["marketing"], channels=["email"])
    crm.parties.change(zed.id, lambda p: p.with_email("zz@z.example"))

    clock.move(hours=1)
    yield from _put_right(crm, zed.id, path)
    yield from _restricted(crm, clock, zed.id)
    yield from _kept(crm, bo.id)
    yield from _gone(crm, clock, zed.id, bo.id)


def _put_right(crm: Crm, zed: Any, path: Path) -> Iterator[Any]:
    request = collecting(crm, zed, "rectification")
    born = PartialDate.parse("1980-02-29")
    changed = crm.requests.rectify(request.id, lambda p: p.changed(birth_date=born), records=[zed])
    yield len(changed), [one.item.split(" of ")[0] for one in crm.requests.get(request.id).items]
    path.write_text(FILE.replace("York", "Hull"), "utf-8")
    crm.imports.apply(crm.imports.plan(path, source="shop", id_column="id", date_order="ymd"))
    person: Any = crm.parties.get(zed)
    yield person.birth_date.text, person.extras.get("city"), len(person.contact_points)
    yield [(one.processor, one.what, one.told_at) for one in crm.requests.get(request.id).notices]
    bundle = crm.requests.bundle(collecting(crm, zed, "access").id)
    yield sorted((item.category, item.provenance, item.redactions) for item in bundle.items)


def _restricted(crm: Crm, clock: Clock, zed: Any) -> Iterator[Any]:
    request = crm.requests.receive(zed, right="restriction", law="gdpr", channel="web", zone="Europe/Berlin")
    crm.requests.carry_out(request.id)
    yield [act.kind for act in crm.consent.events(zed)]
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    crm.requests.lift(request.id)
    yield [(step.kind, step.at) for step in crm.requests.steps(request.id)]
    yield [(one.notice.processor, one.overdue) for one in crm.requests.open_notices(on=date(2027, 1, 1))]
    yield sorted(one.right for one in crm.requests.of(zed))
    crm.unsubscribe.act(crm.unsubscribe.token(zed, point="zz@y.example"))
    yield [act.kind for act in crm.consent.events(zed)]


def _kept(crm: Crm, bo: Any) -> Iterator[Any]:
    people = crm.retention.customers(jurisdictions=["FR"]).items
    plan = crm.retention.plan(people, holds=[LegalHold(id="h", reason="a lawsuit")])
    yield sorted((step.action, step.reason) for step in plan.steps)
    yield crm.retention.apply(plan).restricted, crm.retention.apply(plan).restricted
    found = crm.retention.lapsing(
        bo,
        purpose="marketing",
        channel="email",
        within=timedelta(days=60),
        facts=Facts(relations=(Relation(kind="purchase", on=date(2024, 6, 1)),)),
        jurisdictions=["CA"],
    )
    yield None if found is None else (found.at, found.rules)


def _gone(crm: Crm, clock: Clock, zed: Any, bo: Any) -> Iterator[Any]:
    crm.suppression.add("email", "bo@x.example", reason="objection")
    yield [(one.points, [entry.reason for entry in one.entries]) for one in crm.suppression.met(bo)]
    request = collecting(crm, zed, "erasure")
    facts = ErasureFacts(purposes={"relationship": frozenset({"legal_claims"})})
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    yield [line for line in plan.summary() if not line[0].endswith(".more")]
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    yield crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts) == certificate
    counts: Counter[str] = Counter()
    for line in certificate.lines:
        counts[line.kind] += 0 if line.kind.endswith(".more") else line.count
    yield +counts
    # What is said to be kept is there, though over some stores nothing stays of whoever is erased.
    kept = [line for line in certificate.lines if line.kind == "consent.event" and line.action == "restrict"]
    left = crm.requests.erasure_plan(request.id, facts=facts).of("restrict")
    acts = [one for one in left if one.kind == "consent.event"]
    yield sum(line.count for line in kept) == len(acts)
    yield crm.parties.find(email="zz@x.example"), crm.parties.find(email="zz@y.example")
    yield [(one.subject, one.body, one.parties == (bo,)) for one in crm.interactions.timeline(bo).items]
    yield [(one.processor, one.what) for one in crm.requests.get(request.id).notices]
    clock.move(days=1)
    again = crm.parties.add(Person.of("Zed", email="ZZ+new@y.example", phone="020 7946 0018", region="GB"))
    yield [one.points for one in crm.suppression.met(again.id)]
    yield [event.event.occasion for event in crm.events().items if event.event.type == "suppression.met"]
    asked = {"purpose": "marketing", "channel": "email", "jurisdictions": ["EU"]}
    yield crm.consent.decide(again.id, **asked).rule  # type: ignore[arg-type]  # by name
    yield crm.requests.move(request.id, "review").state


def told(kind: str, folder: Path) -> list[Any]:
    clock = Clock()
    with opened(kind, folder, clock) as crm:
        return list(story(crm, clock, folder))


@cache
def in_memory(folder: Path) -> list[Any]:
    return told("memory", folder)


@pytest.mark.parametrize("kind", STORES)
def test_the_same_story_is_told_over_every_store(
    kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = in_memory(tmp_path_factory.getbasetemp())
    for number, (found, meant) in enumerate(zip(told(kind, tmp_path), expected, strict=True)):
        assert found == meant, f"answer {number}"

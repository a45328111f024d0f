"""Reading many keys and ledgers at once, by every store that ships: as one by one, whatever they are."""

from __future__ import annotations

from typing import Any

from crmcore.errors import InvalidRecord
from crmcore.storage import Key
from crmcore.storage.lift import skim_of
from crmcore.testing.kit import TENANT, Writer, append, put, ref

NAMES = ("one", "two", "three", "none")


def test_a_ledger_that_is_named_twice_is_read_once(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await Writer(store)(*(append("one", {"n": number}) for number in range(3)), append("two", {"n": 1}))
        for limit in (1, 2, 3, 500):
            together = await store.ledger(TENANT, ["one", "two", "one", "none"], limit=limit)
            for name in ("one", "two", "none"):
                assert together[name] == (await store.ledger(TENANT, [name], limit=limit))[name]

    world.run(flow)


def test_many_keys_are_found_as_one_by_one(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        keys = [Key("email", name) for name in NAMES]
        for number in range(5):
            await Writer(store)(
                put(ref(number), keys=frozenset(keys[:1] if number else keys[:3])), idem=f"b{number}"
            )
        for limit in (1, 2, 4, 5, 1000):
            together = await store.find(TENANT, [*keys, *keys], limit_per_key=limit)
            for key in keys:
                (alone,) = (await store.find(TENANT, [key], limit_per_key=limit)).values()
                assert (together[key].refs, together[key].next is None) == (alone.refs, alone.next is None)

    world.run(flow)


def test_a_key_that_begins_like_another_is_not_taken_for_it(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await Writer(store)(put(ref(1), keys=frozenset({Key("email", "one")})))
        hostile = Key("email", "one\0more")
        try:
            found = await store.find(TENANT, [hostile])
        except InvalidRecord:
            return  # a store may refuse what none can hold
        assert found[hostile].refs == ()
        try:
            assert dict(await store.fanout(TENANT, [hostile], cap=5)) == {hostile: 0}
        except InvalidRecord:
            return

    world.run(flow)


def test_bodies_alone_are_given_by_stores_that_are_near(world: Any) -> None:
    async def flow() -> None:
        assert (skim_of(world.fresh()) is None) == (world.kind in ("memory", "pg"))

    world.run(flow)

"""Reading many keys and ledgers at once, by every store that ships: as one by one, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest

from crmcore.errors import InvalidRecord
from crmcore.storage import Key
from crmcore.storage.kept import body_of
from crmcore.storage.lift import skim_of
from crmcore.testing.kit import TENANT, Writer, append, delete, put, ref

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


def test_skimming_gives_the_bodies_that_scanning_and_the_ledgers_give(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        skim = skim_of(store)
        assert (skim is None) == (world.kind in ("memory", "pg"))
        if skim is None:
            return
        ops = [put(ref(number), body={"n": number, "s": "é\u2028"}, schema=number + 1) for number in range(7)]
        await Writer(store)(*ops, put(ref(9, kind="other")), *(append("one", {"n": n}) for n in range(3)))
        await Writer(store)(delete(ref(3), 1), idem="gone")
        for limit in (1, 2, 3, 6, 500):
            after: str | None = None
            while True:
                page = await store.scan(TENANT, "party", after=after, limit=limit)
                short = await skim.skim(TENANT, "party", after=after, limit=limit)
                assert [(id, schema, body_of(text)) for id, schema, text in short.items] == [
                    (one.ref.id, one.schema, one.body) for one in page.items
                ]
                assert short.next == page.next
                after = page.next
                if after is None:
                    break
            begun = await skim.skim_ledgers(TENANT, ["one", "two", "one", "none"], limit=limit)
            whole = (await store.ledger(TENANT, ["one"]))["one"].items
            told = begun["one"]
            assert (told is None) == (limit < 3)
            if told is not None:
                assert [(schema, body_of(text)) for schema, text in told] == [
                    (one.schema, one.body) for one in whole
                ]
            assert (begun["two"], begun["none"]) == ([], [])
        for wrong in ({"limit": 0}, {"after": "no cursor"}):
            with pytest.raises(InvalidRecord):
                await skim.skim(TENANT, "party", **wrong)
        with pytest.raises(InvalidRecord):
            await skim.skim_ledgers(TENANT, "one")

    world.run(flow)

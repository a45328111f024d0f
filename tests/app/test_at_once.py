"""Many at a time, for real: coroutines over one asynchronous store, threads over one file, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crmcore import AsyncCrm, Crm, Person, Source
from crmcore.errors import BatchEnded, DecidedDifferent, SourceTaken
from tests.app.houses import CLERK, START

ANN = Person.of("Ann Lee", email="ann@x.org")


def _tagging(tag: str) -> Callable[[Person], Person]:
    return lambda person: person.with_tag(tag)


async def _given_up(crm: AsyncCrm) -> None:
    async with crm.batch() as batch:
        await batch.parties.add(Person.of("Ben Lee"))
        raise ZeroDivisionError


def test_coroutines_that_change_one_party_all_have_their_say(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncCrm.open(tmp_path / "crm.db", actor=CLERK) as crm:
            ann = await crm.parties.add(ANN)
            tags = [f"tag {number}" for number in range(20)]
            await asyncio.gather(*(crm.parties.change(ann.id, _tagging(tag)) for tag in tags))
            found = await crm.parties.get(ann.id)
            assert found.tags == set(tags)
            assert found.version == len(await crm.parties.history(ann.id)) == 21

    asyncio.run(story())


def test_coroutines_that_claim_one_record_of_a_source_make_one_party(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncCrm.open(tmp_path / "crm.db") as crm:
            draft = ANN.with_source("shop", "1")
            made = await asyncio.gather(*(crm.parties.add(draft) for _ in range(8)), return_exceptions=True)
            assert sum(isinstance(result, SourceTaken) for result in made) == 7
            (ann,) = await crm.parties.find(source=Source("shop", "1"))
            assert [found.id for found in made if isinstance(found, Person)] == [ann.id]

    asyncio.run(story())


def test_coroutines_that_report_one_message_make_one_interaction(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncCrm.open(tmp_path / "crm.db") as crm:
            ann = await crm.parties.add(ANN)
            await asyncio.gather(
                *(
                    crm.interactions.record(
                        "email",
                        direction="inbound",
                        occurred_at=START,
                        with_=ann.id,
                        dedupe_key="m-1",
                        sources=(Source(f"system {number}", "1"),),
                    )
                    for number in range(6)
                )
            )
            (found,) = (await crm.interactions.timeline(ann.id)).items
            assert {source.system for source in found.sources} == {f"system {number}" for number in range(6)}

    asyncio.run(story())


def test_an_asynchronous_batch_is_all_or_nothing_and_ends(tmp_path: Path) -> None:
    async def story() -> None:
        crm = AsyncCrm.open()
        async with crm.batch(reason="take-over") as b:
            ann = await b.parties.add(ANN)
            await b.interactions.record("call", direction="inbound", occurred_at=START, with_=ann.id)
        with pytest.raises(BatchEnded):
            await b.parties.add(ANN)
        with pytest.raises(ZeroDivisionError):
            await _given_up(crm)
        assert [customer.members for customer in (await crm.customers.page()).items] == [(ann.id,)]
        await crm.close()

    asyncio.run(story())


def test_threads_over_one_file_lose_nothing(tmp_path: Path) -> None:
    with Crm.open(tmp_path / "crm.db") as crm:
        ann, ben = crm.parties.add(ANN), crm.parties.add(Person.of("Ben Lee"))

        def work(number: int) -> str:
            crm.parties.change(ann.id, lambda p: p.with_tag(f"tag {number}"))
            try:
                (crm.identity.merge if number % 2 else crm.identity.mark_different)(ann.id, ben.id)
            except DecidedDifferent:
                return "refused"
            return "done"

        with ThreadPoolExecutor(4) as pool:
            assert "done" in set(pool.map(work, range(12)))
        assert crm.parties.get(ann.id).tags == {f"tag {number}" for number in range(12)}
        assert crm.customers.resolve(ann.id).members == (ann.id,)
        assert crm.customers.resolve(ben.id).members == (ben.id,)

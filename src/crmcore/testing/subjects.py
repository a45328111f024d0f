"""How a check gets its stores: from functions that make them, each at a place of its own.

Invariant: nothing is written to a store that is not empty or does not have the kit's exclusive namespaces, and nothing
that was opened stays open when a check ends.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from crmcore.errors import Contention, Unavailable
from crmcore.storage import (
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    Description,
    SqliteStore,
    Store,
    claims,
    lift,
    stream_of,
    tenants_of,
)
from crmcore.storage.capability import CHANGES, STREAM, TENANTS
from crmcore.testing.claims import refuses
from crmcore.testing.kit import EXCLUSIVE, TENANT, Broken, Guarantee, Inconclusive, NotAsked, Unusable, same

Given = Store | AsyncStore | Awaitable[Store | AsyncStore]
"""What an author's function gives: a store of either colour, or a coroutine that gives one."""


async def opened(made: Given) -> AsyncStore:
    """The store that *made* is or gives, as an asynchronous one."""
    store: Any = await made if inspect.isawaitable(made) else made
    return cast("AsyncStore", store if inspect.iscoroutinefunction(store.get) else lift(store))


class Opened:
    """Remembers what it opened, so that nothing stays open when a check fails."""

    durable = False
    budget = "quick"
    minutes = 60.0
    seed = 0
    brief = False
    told: object = None

    def __init__(self) -> None:
        self.stores: list[AsyncStore] = []
        self.besides: list[AsyncStore] = []
        self.seen: Counter[str] = Counter()

    def make(self, number: int) -> Given:
        """The store number *number*, made or opened again."""
        raise NotImplementedError

    async def fresh(self) -> AsyncStore:
        store = await opened(self.make(len(self.stores)))
        self.stores.append(store)
        await check_usable(store)
        self.durable = self.durable and store.describe().durability != "none"
        return store

    def probe(self) -> Description:
        """What a fresh store says of itself; it is closed again, and nothing was written."""

        async def asked() -> Description:
            try:
                return (await self.fresh()).describe()
            finally:
                await self.end()

        return asyncio.run(asked())

    async def reopen(self, store: AsyncStore) -> AsyncStore:
        number = self.stores.index(store)
        await store.close()
        self.stores[number] = await opened(self.make(number))
        return self.stores[number]

    async def beside(self, store: AsyncStore) -> AsyncStore:
        if not self.durable:
            raise NotAsked(
                "nothing is kept when this store is closed, so there is no place to open once more"
            )
        number = self.stores.index(store)
        said = ""
        for _ in range(2):
            try:
                other = await opened(self.make(number))
            except (Unavailable, Contention) as error:
                said = type(error).__name__
                await (
                    self.fresh()
                )  # where another place can be opened, this one cannot, and no machine is busy
            else:
                self.besides.append(other)
                return other
        raise NotAsked(f"what is open is not opened once more ({said})")

    async def killed(self, store: AsyncStore, work: Callable[[AsyncStore], Awaitable[None]]) -> AsyncStore:
        """What is there after another process opened *store*, did *work*, and ended without closing it."""
        if not hasattr(os, "fork"):
            raise NotAsked("this system cannot fork, so nothing can be killed")
        number = self.stores.index(store)
        await store.close()
        child = os.fork()
        if not child:
            os._exit(_worked(partial(self.make, number), work))
        same(os.waitpid(child, 0)[1], 0, "how a process ended that opened the store and wrote")
        self.stores[number] = await opened(self.make(number))
        return self.stores[number]

    async def planted(self, how: Literal["older", "newer", "damaged"]) -> AsyncStore:
        raise Inconclusive(
            f"the store claims what can only be seen of one that is {how}: give the hook {how}=..."
        )

    def files(self, store: AsyncStore) -> list[Path]:
        return []

    def saw(self, what: str, times: int = 1) -> None:
        self.seen[what] += times

    async def end(self) -> None:
        """Close every store, also when one of them cannot be closed."""
        failed: list[Exception] = []
        for store in [*self.besides, *self.stores]:
            try:
                await store.close()
            except Exception as error:  # it is raised below, when the others are closed
                failed.append(error)
        if failed:
            raise failed[0]


def _worked(make: Callable[[], Given], work: Callable[[AsyncStore], Awaitable[None]]) -> int:
    """Do *work* in this process, which was forked for it, and give its exit code; the store is left as it is."""

    async def done() -> None:
        await work(await opened(make()))

    try:
        asyncio.run(done())
    except BaseException:  # nothing may go on in a process that was forked: its exit code says that it failed
        return 1
    return 0


async def check_usable(store: AsyncStore) -> None:
    """Refuse a store that the kit must not write to.

    Raises:
        Unusable: if it holds something, or has other exclusive namespaces.
    """
    description = store.describe()
    if description.exclusive != EXCLUSIVE:
        raise Unusable(
            "make the store with the exclusive namespaces that crmcore needs (crmcore.storage.EXCLUSIVE): it has others"
        )
    found: object = None
    if claims(description, STREAM):
        snapshot = await stream_of(store).export()
        found = await snapshot.read(1)
        await snapshot.close()
    elif claims(description, TENANTS):
        found = (await tenants_of(store).tenants(limit=1)).items
    for tenant in (TENANT, "other"):
        if not found and claims(description, CHANGES):
            found = (await store.changes(tenant, limit=1)).items
        found = found or (await store.scan(tenant, "party", limit=1)).items
    if found:
        raise Unusable(
            "the store to be tested holds something: give the kit a fresh one at the place asked for"
        )


class Placed(Opened):
    """Stores of an author's functions, each in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        make: Callable[[Path], Given],
        reopen: Callable[[Path], Given] | None = None,
        *,
        older: Callable[[Path], object] | None = None,
        newer: Callable[[Path], object] | None = None,
        damaged: Callable[[Path], object] | None = None,
        files: Callable[[Path], Iterable[Path]] | None = None,
        budget: str = "quick",
        minutes: float = 60.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.folder, self.budget, self.minutes, self.seed = folder, budget, minutes, seed
        self._make, self._reopen, self._files = make, reopen, files
        self._plant = {"older": older, "newer": newer, "damaged": damaged}
        self.durable = reopen is not None

    def make(self, number: int) -> Given:
        place = self.folder / f"store-{number}"
        if place.exists() and self._reopen is not None:
            return self._reopen(place)
        place.mkdir(parents=True)
        return self._make(place)

    async def planted(self, how: Literal["older", "newer", "damaged"]) -> AsyncStore:
        plant = self._plant[how]
        if plant is None:
            return await super().planted(how)
        number = len(self.stores)
        place = self.folder / f"store-{number}"
        place.mkdir(parents=True)
        done = plant(place)
        self.told = await done if inspect.isawaitable(done) else done
        self.stores.append(await opened(self.make(number) if self._reopen else self._make(place)))
        return self.stores[-1]

    def files(self, store: AsyncStore) -> list[Path]:
        place = self.folder / f"store-{self.stores.index(store)}"
        found = place.rglob("*") if self._files is None else self._files(place)
        return sorted(path for path in found if path.is_file())


class Memory(Opened):
    """The store in memory."""

    def make(self, number: int) -> Given:
        return AsyncMemoryStore()


class Sqlite(Placed):
    """The store in a file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, self.open, self.open)

    @staticmethod
    def open(place: Path) -> Given:
        return SqliteStore(place / "crm.db")


class AsyncSqlite(Sqlite):
    """The store in a file, for asynchronous code."""

    @staticmethod
    def open(place: Path) -> Given:
        return AsyncSqliteStore.open(place / "crm.db")


def examine(guarantee: Guarantee, subject: Opened) -> str:
    """Run one check on an event loop of its own. The answer is why it was not claimed, "" if the promise was kept.

    Of a part that the store does not claim it is checked that it says so and writes nothing.

    Raises:
        Broken: if the promise was not kept.
        Inconclusive: if too little was seen.
        NotAsked: if there is nothing to ask of this store, or on this system.
    """
    return asyncio.run(_whole(guarantee, subject))


async def _whole(guarantee: Guarantee, subject: Opened) -> str:
    try:
        return await _asked(guarantee, subject)
    except Broken:
        with suppress(
            Exception, SystemExit
        ):  # one that is broken may not even close: the fault is what is told
            await subject.end()
        subject.besides, subject.stores = [], []
        raise
    finally:
        await subject.end()


async def _asked(guarantee: Guarantee, subject: Opened) -> str:
    store = await subject.fresh()
    if guarantee.part is not None and (reason := await refuses(store, guarantee.part)):
        return reason
    if guarantee.durable and not subject.durable:
        return _not_durable(store)
    await guarantee.check(subject)
    for what, least in guarantee.least.items():
        if subject.seen[what] < least:
            raise Inconclusive(f"{what}: {subject.seen[what]} seen, at least {least} are needed")
    return ""


def _not_durable(store: AsyncStore) -> str:
    kept = store.describe().durability
    if kept != "none":
        raise Inconclusive(
            f"the store says that it keeps what it acknowledged ({kept}), and nothing opens it again: give the hook "
            "reopen=..."
        )
    return "nothing is kept when this store is closed"

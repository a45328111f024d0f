"""The state of one history: the store, or two that were opened at one place, the model, and what is still open.

Invariant: a history has tenants of its own, so that many can be told to one store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from random import Random
from typing import Any, TypeVar

import attrs

from crmcore.errors import StoreError
from crmcore.storage import AsyncStore, Batch, Chunk, Key, Ref, claims
from crmcore.testing.kit import Broken, Subject, due, ref
from crmcore.testing.model import Model

T = TypeVar("T")
KINDS = ("party", "note")
SHARDS = (0, 7, 2048, 4095)
NUMBERS = range(5)
STREAMS = ("log:1", "log:2", "log:10")
KEYS = [Key(namespace, value) for namespace in ("email", "source", "member") for value in ("1", "2")]
PARTS = ("", "p", "q")
SORTS = [due(number, part) for part in PARTS for number in range(3)]


@attrs.define
class Reading:
    """What is read in pages: all that it gave so far, and what was there from the first page on."""

    seen: list[Any]
    stayed: set[Any]
    cursor: str | None = None


class Play:
    """What was told to *stores*, which are one store, or two that were opened at one place."""

    def __init__(self, subject: Subject, stores: list[AsyncStore]) -> None:
        self.subject, self.stores = subject, stores
        self.counts: Counter[str] = Counter()
        self.begin("", 0)

    def begin(self, seed: str, number: int) -> None:
        """Forget what was told, and go on with other tenants."""
        self.begun = (seed, number)
        self.name = f"{seed}/{number}"
        self.tenants = (f"acme.{number}", f"other.{number}")
        self.chance = Random(self.name)
        self.model = Model()
        self.sent: list[Batch] = []
        self.chunks: list[Chunk] = []
        self.open: dict[Hashable, Reading] = {}
        self.places: dict[str, list[tuple[str, int]]] = {}
        self.given: list[object] = []
        self.told: list[str] = []

    @property
    def twice(self) -> bool:
        """Whether the store was opened twice."""
        return len(self.stores) > 1

    @property
    def store(self) -> AsyncStore:
        """The store, or one of two that were opened at one place."""
        return self.chance.choice(self.stores)

    def claims(self, *parts: str) -> bool:
        return all(claims(self.stores[0].describe(), part) for part in parts)

    def likely(self, chance: float) -> bool:
        return self.chance.random() < chance

    def some(self, items: Sequence[T], least: int = 0) -> list[T]:
        """A few of *items*, in an order of chance."""
        return self.chance.sample(items, self.chance.randint(least, len(items)))

    def everybody(self, tenant: str) -> list[Ref]:
        """Every record that a history may write."""
        return [
            ref(n, kind=kind, tenant=tenant, shard=SHARDS[n % len(SHARDS)]) for kind in KINDS for n in NUMBERS
        ]

    def idem(self) -> str:
        """The next idempotency key."""
        return f"b{len(self.sent)}"

    def tell(self, text: str) -> None:
        self.told.append(f"{len(self.told) + 1}. {text}")

    async def ask(self, call: Callable[[AsyncStore], Awaitable[T]]) -> T:
        """The answer of one of the stores, which is remembered and spoiled when the step is over."""
        try:
            answer = await call(self.store)
        except StoreError as error:
            raise Broken(f"what can be answered ended with {type(error).__name__}: {error}") from error
        self.given.append(answer)
        return answer

    def forget(self, tenant: str) -> None:
        """Nothing that was given of a tenant leads anywhere any more."""
        self.open = {name: one for name, one in self.open.items() if tenant not in name}  # type: ignore[operator]  # a tuple
        self.places.pop(tenant, None)

    async def close(self) -> None:
        for store in self.stores:
            await store.close()

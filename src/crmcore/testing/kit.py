"""What the guarantees of a store are checked with: a registry of checks, a subject, and short ways to write a batch.

Nothing here or in the checks knows a test framework: a check is an ``async def`` that takes a `Subject` and raises
`Broken` when the store does not keep its promise.

Invariant: a check is registered once, under its own name, with its rule in words.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import attrs

from crmcore.errors import StoreError
from crmcore.storage import (
    EXCLUSIVE as EXCLUSIVE,
)
from crmcore.storage import (
    Append,
    AsyncStore,
    Batch,
    Change,
    Delete,
    Draft,
    Entry,
    Key,
    Operation,
    Put,
    Record,
    Ref,
    Rekey,
    Sort,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.instant import to_sort
from crmcore.values.source import SYSTEM, Actor

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
TENANT = "acme"

INSTANTS = "due"
"""The namespace of sorts whose values are instants of eight bytes, as `crmcore.values` writes them. Stores that hide
texts, and so keep no order of them (``ordered_text``), keep this one."""

CANARIES = ("ann@x.org", "bob@x.org", "canary")
"""Texts of values that checks write: no error, log or warning may hold one."""


class Broken(AssertionError):
    """A promise that was not kept. *raised* names the error that showed it, where that was none of crmcore's."""

    def __init__(self, message: str, *, raised: str = "") -> None:
        super().__init__(message)
        self.raised = raised


class Inconclusive(Exception):
    """A check that did not see enough to say anything. It counts as a failure."""


class NotAsked(Exception):
    """A check that has nothing to ask of this store, or cannot ask on this system. Its message says why.

    What a store claims and its author gives no way to look at is `Inconclusive` instead."""


class Unusable(Exception):
    """A store that the kit must not write to: it is not empty, or was made in another way than the kit asks for."""


class Subject(Protocol):
    """How the kit gets stores: fresh ones, and the same one again in a new state of mind.

    *budget* is how long may be looked: ``quick``, ``full``, or ``soak`` for so many *minutes*. *seed* is what chance
    begins with. *brief* asks chance for no more than what says anything: of a store that was looked at well within.
    """

    durable: bool
    budget: str
    minutes: float
    seed: int
    brief: bool
    told: object

    async def fresh(self) -> AsyncStore:
        """An empty store whose exclusive namespaces are `EXCLUSIVE`."""
        ...

    async def reopen(self, store: AsyncStore) -> AsyncStore:
        """Close *store* and open what it kept. Called only if *durable*."""
        ...

    async def beside(self, store: AsyncStore) -> AsyncStore:
        """Open once more what *store*, which stays open, is at.

        Raises:
            NotAsked: if that cannot be.
        """
        ...

    async def killed(self, store: AsyncStore, work: Callable[[AsyncStore], Awaitable[None]]) -> AsyncStore:
        """Close *store*, let a process of its own open it and do *work*, which ends without closing it, and open what
        is there then. Called only if *durable*.

        Raises:
            NotAsked: if the system cannot do this.
        """
        ...

    async def planted(self, how: Literal["older", "newer", "damaged"]) -> AsyncStore:
        """Open what the author's hook of that name put there; what it said of that is in *told*.

        Raises:
            Inconclusive: if there is no such hook.
        """
        ...

    def files(self, store: AsyncStore) -> list[Path]:
        """Every file that *store* keeps something in."""
        ...

    def saw(self, what: str, times: int = 1) -> None:
        """Count something that a check has exercised: fewer than its `Guarantee.least` are inconclusive."""
        ...


Check = Callable[[Any], Awaitable[None]]
"""Takes a `Subject`. It raises `Broken` when the store does not keep its promise."""


@attrs.frozen(kw_only=True)
class Guarantee:
    """One check. *id* is the promise that it is about, *rule* the promise in words.

    *part* is the optional part of the protocol that it is about; *least* is how often it must have seen what.
    """

    id: str
    name: str
    rule: str
    check: Check = attrs.field(repr=False)
    durable: bool = False
    part: str | None = None
    least: FrozenMap[str, int] = FrozenMap()


REGISTRY: dict[str, Guarantee] = {}


def guarantee(
    id_: str, *, durable: bool = False, part: str | None = None, least: Mapping[str, int] | None = None
) -> Callable[[Check], Check]:
    """Register a check. Those that are *durable* are asked only of stores that keep something, those of a *part* only
    of stores that claim it."""

    def register(check: Check) -> Check:
        name = check.__name__
        if name in REGISTRY or not check.__doc__:
            raise TypeError(f"{name} is registered already, or has no rule")
        REGISTRY[name] = Guarantee(
            id=id_,
            name=name,
            rule=" ".join(check.__doc__.split()),
            check=check,
            durable=durable,
            part=part,
            least=FrozenMap(least or {}),
        )
        return check

    return register


# --- saying what must be ------------------------------------------------------------------------------

T = TypeVar("T")
E = TypeVar("E", bound=StoreError)


def same(actual: object, expected: object, what: str) -> None:
    if actual != expected:
        raise Broken(f"{what}: {_short(actual)}, not {_short(expected)}")


def _short(value: object) -> str:
    """What a value looks like, cut to what somebody reads."""
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:300]} ... {text[-80:]}"


def holds(condition: object, what: str) -> None:
    __tracebackhide__ = True  # for pytest: the message is what an author needs
    if not condition:
        raise Broken(what)


def placed(error: BaseException) -> str:
    """What an error is, and the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"


async def refused(error: type[E], call: Awaitable[object]) -> E:
    """The error that *call* must end with; nothing was written."""
    try:
        result = await call
    except error as raised:
        same(raised.outcome, "not_applied", f"the outcome of {error.__name__}")
        holds(not (found := shown(raised)), f"an error shows what is stored: {found}")
        return raised
    raise Broken(f"no {error.__name__}, but {_short(result)}")


def patience() -> Iterator[int]:
    """Steps enough for every loop over pages: a store whose cursors lead nowhere is broken, not slow."""
    yield from range(1000)
    raise Broken("the pages never end")


def shown(error: BaseException | None) -> str:
    """Which canary can be read in an error or in one that it was raised from; "" is none."""
    while error is not None:
        texts = (str(error), repr(error), "".join(traceback.format_exception_only(error)))
        for canary in CANARIES:
            if any(canary in text for text in texts):
                return canary
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return ""


# --- short ways to say what is written ----------------------------------------------------------------


def uid(number: int, *, shard: int = 0) -> str:
    """The id number *number*: ids sort as their numbers do."""
    return f"{number:08x}-0000-7{shard:03x}-8000-000000000000"


def ref(number: int, *, kind: str = "party", tenant: str = TENANT, shard: int = 0) -> Ref:
    return Ref(tenant, kind, uid(number, shard=shard))


def put(
    target: Ref,
    expect: int = 0,
    body: Any = None,
    keys: Iterable[Key] = (),
    sorts: Iterable[Sort] = (),
    *,
    schema: int = 1,
) -> Put:
    return Put(
        ref=target,
        expect=expect,
        schema=schema,
        body={} if body is None else body,
        keys=frozenset(keys),
        sorts=frozenset(sorts),
    )


def rekey(target: Ref, expect: int, keys: Iterable[Key] = (), sorts: Iterable[Sort] = ()) -> Rekey:
    return Rekey(ref=target, expect=expect, keys=frozenset(keys), sorts=frozenset(sorts))


def delete(target: Ref, expect: int) -> Delete:
    return Delete(ref=target, expect=expect)


def append(stream: str, body: Any = None, expect_seq: int | None = None, *, day: int = 0) -> Append:
    draft = Draft(
        occurred_at=NOW + timedelta(days=day),
        recorded_at=NOW,
        subjects=(uid(1),),
        schema="note/1",
        body={} if body is None else body,
    )
    return Append(stream=stream, entry=draft, expect_seq=expect_seq)


def email(value: str) -> Key:
    return Key("email", value)


def source(value: str) -> Key:
    """A key in an exclusive namespace."""
    return Key("source", value)


def name_sort(value: bytes, part: str = "") -> Sort:
    """An order of texts, which only a store that claims ``ordered_text`` keeps."""
    return Sort("name", part, value)


def due(number: int, part: str = "") -> Sort:
    """An order of instants, which every store keeps: the sort number *number*."""
    return Sort(INSTANTS, part, to_sort(NOW + timedelta(seconds=number)))


A, B, C, D = ref(1), ref(2), ref(3), ref(4)
ANN, BOB = email("ann@x.org"), email("bob@x.org")
KEYS = [ANN, BOB, source("1"), source("2")]
STREAMS = ["log:1", "log:2"]
SIZES = (1, 2, 3, 7, 500)


class Writer:
    """Sends batches to one store, each under an idempotency key of its own."""

    def __init__(self, store: AsyncStore, tenant: str = TENANT) -> None:
        self.store = store
        self.tenant = tenant
        self._number = 0

    def batch(
        self,
        *ops: Operation,
        idem: str | None = None,
        at: datetime = NOW,
        actor: Actor = SYSTEM,
        reason: str | None = None,
    ) -> Batch:
        self._number += 1
        return Batch(
            tenant=self.tenant,
            ops=ops,
            idem=idem or f"{self.tenant}-{self._number}",
            actor=actor,
            reason=reason,
            at=at,
        )

    async def __call__(self, *ops: Operation, **options: Any) -> dict[Ref, int]:
        """Apply *ops* and give the versions."""
        receipt = await self.store.apply(self.batch(*ops, **options))
        return dict(receipt.versions)


# --- reading everything -------------------------------------------------------------------------------


async def record(store: AsyncStore, target: Ref) -> Record | None:
    return (await store.get([target])).get(target)


async def carriers(store: AsyncStore, key: Key, tenant: str = TENANT) -> tuple[Ref, ...]:
    hits = (await store.find(tenant, [key]))[key]
    same(hits.next, None, "the cursor after the last hit")
    return hits.refs


async def ledger(store: AsyncStore, stream: str, tenant: str = TENANT) -> tuple[Entry, ...]:
    return (await store.ledger(tenant, [stream]))[stream].items


async def feed(store: AsyncStore, tenant: str = TENANT, size: int = 500) -> list[Change]:
    """The whole feed, read in pages of *size*; nothing of a store that has none."""
    changes: list[Change] = []
    if not has_feed(store):
        return changes
    position = ""
    for _ in patience():
        page = await store.changes(tenant, position, size)
        changes += page.items
        if not page.items:
            same(page.next, position, "the position after an empty page")
            break
        position = page.next
    return changes


def has_feed(store: AsyncStore) -> bool:
    return claims(store.describe(), CHANGES)


async def scanned(
    store: AsyncStore, kind: str = "party", tenant: str = TENANT, size: int = 500
) -> list[Record]:
    records: list[Record] = []
    cursor = None
    for _ in patience():
        page = await store.scan(tenant, kind, after=cursor, limit=size)
        records += page.items
        cursor = page.next
        if cursor is None:
            break
    return records


@attrs.frozen(kw_only=True)
class Picture:
    """All that can be seen of a tenant with the names that a check uses."""

    records: dict[Ref, Record]
    found: dict[Key, tuple[Ref, ...]]
    ordered: tuple[tuple[Sort, Ref], ...]
    ledgers: dict[str, tuple[Entry, ...]]
    changes: tuple[Change, ...]


async def picture(
    store: AsyncStore,
    keys: Sequence[Key] = (),
    streams: Sequence[str] = (),
    *,
    kinds: Sequence[str] = ("party", "note"),
    tenant: str = TENANT,
) -> Picture:
    """Look at everything, to see later that nothing has changed."""
    records = [found for kind in kinds for found in await scanned(store, kind, tenant)]
    hits = await store.find(tenant, keys) if keys else {}
    pages = await store.ledger(tenant, streams) if streams else {}
    ordered = await store.range(tenant, INSTANTS, ["", "a", "b"], limit=1000)
    return Picture(
        records={found.ref: found for found in records},
        found={key: value.refs for key, value in hits.items()},
        ordered=ordered.items,
        ledgers={stream: page.items for stream, page in pages.items()},
        changes=tuple(await feed(store, tenant)),
    )

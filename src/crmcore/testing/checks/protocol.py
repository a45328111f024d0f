"""G0: that a store has the calls of the protocol, and that what it says of itself is so, in both directions."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from crmcore.storage import (
    PARTS,
    PROTOCOL,
    AsyncBackup,
    AsyncBulk,
    AsyncDurable,
    AsyncEraser,
    AsyncSchema,
    AsyncStore,
    AsyncStream,
    AsyncTenants,
    Backup,
    Bulk,
    Durable,
    Eraser,
    Schema,
    Store,
    Stream,
    Tenants,
    claims,
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
from crmcore.testing.claims import raw, refuses
from crmcore.testing.kit import Subject, guarantee, holds, same

CALLS: Mapping[str, tuple[type, type]] = {
    "": (Store, AsyncStore), BULK: (Bulk, AsyncBulk), STREAM: (Stream, AsyncStream),
    DURABLE: (Durable, AsyncDurable), SCHEMA: (Schema, AsyncSchema), ERASER: (Eraser, AsyncEraser),
    BACKUP: (Backup, AsyncBackup), TENANTS: (Tenants, AsyncTenants),
}  # fmt: skip
"""The protocol of each part, in both colours; that of no part is what every store has."""


@guarantee("G0", least={"calls compared": 11})
async def every_call_has_the_signature_of_the_protocol(subject: Subject) -> None:
    """Every call of the protocol, and of each part that is claimed, takes its arguments by the same names and in the
    same ways, with the same defaults; what a store takes beyond them has a default."""
    store = raw(await subject.fresh())
    asynchronous = inspect.iscoroutinefunction(store.get)
    for part, colours in CALLS.items():
        if part and not claims(store.describe(), part):
            continue
        for name, call in vars(colours[asynchronous]).items():
            if name.startswith("_"):
                continue
            own = getattr(store, name, None)
            holds(callable(own), f"there is no {name}")
            assert own is not None  # for the type checker
            same(
                inspect.iscoroutinefunction(own), inspect.iscoroutinefunction(call), f"{name} as a coroutine"
            )
            _same_parameters(name, inspect.signature(call), inspect.signature(own))
            subject.saw("calls compared")


def _same_parameters(name: str, wanted: inspect.Signature, own: inspect.Signature) -> None:
    expected = list(wanted.parameters.values())[1:]  # but for self
    given = own.parameters
    for one in expected:
        holds(one.name in given, f"{name} does not take {one.name}")
        there = given[one.name]
        same((there.kind, there.default), (one.kind, one.default), f"how {name} takes {one.name}")
    same(
        [at for at in given if at in wanted.parameters],
        [one.name for one in expected],
        f"the order in {name}",
    )
    for at, more in given.items():
        free = more.default is not inspect.Parameter.empty or more.kind in (
            more.VAR_POSITIONAL,
            more.VAR_KEYWORD,
        )
        holds(at in wanted.parameters or free, f"{name} asks for {at}, which nobody gives it")


@guarantee("G0")
async def a_store_says_what_it_is(subject: Subject) -> None:
    """describe names every part, each once, with a reason where it is not claimed; it says the same each time."""
    store = await subject.fresh()
    described = store.describe()
    same(described.protocol, PROTOCOL, "the protocol")
    same(store.describe(), described, "what describe says the second time")
    holds(described.engine, "the engine has no name")
    holds(described.durability in ("none", "process", "power"), "durability is none, process or power")
    names = [one.name for one in described.capabilities]
    same(sorted(set(names)), sorted(names), "the names of the capabilities")
    lacking = set(PARTS) - set(names)
    holds(not lacking, f"describe does not name {', '.join(sorted(lacking))}")
    for one in described.capabilities:
        words = ("full", "versioned", "not_implemented", "unsupported")
        holds(one.support in words, f"the support of {one.name} is none of {', '.join(words)}")
        holds(one.support == "full" or one.reason, f"{one.name} is not full, and there is no reason")


@guarantee("G0", least={"parts asked for": 9})
async def what_is_not_claimed_is_refused(subject: Subject) -> None:
    """A part that is not claimed raises CapabilityMissing, by its accessor and by any method of it that the store has
    anyway, and writes nothing; a part that is claimed has all its calls."""
    for part in (*PARTS, ORDERED_TEXT, CHANGES):
        store = await subject.fresh()
        if not await refuses(store, part):
            for name in vars(CALLS[part][0]) if part in CALLS else ():
                lacks = not name.startswith("_") and not hasattr(raw(store), name)
                holds(not lacks, f"{part} is claimed, and there is no {name}")
        subject.saw("parts asked for")

"""G19: that nothing which a store says of itself, of its answers or of what went wrong shows a stored value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from crmcore.errors import StoreError
from crmcore.storage import CheckKey, Key, Sort, claims
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    CANARIES,
    TENANT,
    A,
    B,
    Broken,
    Subject,
    Writer,
    append,
    due,
    email,
    guarantee,
    holds,
    put,
    ref,
    rekey,
    shown,
    source,
)

SECRET = "canary@x.org"


@guarantee("G19", least={"errors read": 25})
async def no_error_shows_a_value(subject: Subject) -> None:
    """Neither text, `repr` and trace of an error, nor those of the errors that it was raised from, hold a value."""
    store = await subject.fresh()
    write = Writer(store)
    held, key = source(SECRET), email(SECRET)
    body = {"mail": SECRET, SECRET: [SECRET]}
    first = write.batch(put(A, 0, body, [held, key], [due(1)]), append("log:1", body), idem="first")
    await store.apply(first)
    limits = store.describe().limits
    bad: list[Any] = [
        put(A, 7, body), put(B, 0, body, [held]), rekey(A, 1, [source(SECRET), Key("X", SECRET)]),
        CheckKey(key=held, holder=None), CheckKey(key=key, holder=None), append("log:1", body, expect_seq=9),
        *(put(B, 0, {"mail": SECRET, "x": x}) for x in (1.5, "\ud800", "\x00", 2**60, b"canary", {1: 2}, object())),
        *(put(B, 0, {f"{SECRET}{x}": 1}) for x in ("\ud800", "\x00")),
        *(put(B, 0, {}, [email(f"{SECRET}{x}")]) for x in ("\ud800", "\x00", "x" * limits.max_key_bytes)),
        put(B, 0, {"mail": SECRET * limits.max_body_bytes}), put(B, 0, {}, [Key(SECRET, "x")]),
        put(B, 0, {}, (), [Sort("due", SECRET + "\x00", bytes(8))]), put(B, 0, {}, (), [Sort(SECRET, "", bytes(8))]),
        append(SECRET + "\x00"), append(SECRET * 100),
    ]  # fmt: skip
    calls: list[Callable[[], Awaitable[object]]] = [
        *(partial(store.apply, write.batch(op)) for op in bad),
        lambda: store.apply(write.batch(put(B, 0, body), idem="first")),
        lambda: store.apply(write.batch(idem=SECRET + "\x00")),
        lambda: store.apply(write.batch(idem="r", reason=SECRET * 1000)),
        lambda: store.apply(Writer(store, SECRET + "\n").batch(idem="t")),
        lambda: store.find(TENANT, [Key("email", SECRET + "\ud800")]),
        lambda: store.find(TENANT, [key], after={key: SECRET}),
        lambda: store.scan(TENANT, SECRET),
        lambda: store.range(TENANT, "due", [""], after=SECRET),
        lambda: store.ledger(TENANT, [SECRET + "\x00"]),
    ]
    for call in calls:
        await _says_nothing(subject, call)
    await store.close()
    await _says_nothing(subject, partial(store.apply, first))


async def _says_nothing(subject: Subject, call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except StoreError as error:
        found = shown(error)
        subject.saw("errors read")
    else:
        raise Broken("what cannot be was not refused")
    holds(not found, f"an error shows what is stored: {found}")


@guarantee("G19", least={"answers read": 8})
async def no_repr_of_an_answer_shows_a_value(subject: Subject) -> None:
    """The `repr` of what a store gives, and of the store, shows ids and numbers, never bodies, keys or sorts."""
    store = await subject.fresh()
    body = {"mail": SECRET}
    batch = Writer(store).batch(put(A, 0, body, [source(SECRET), ANN], [due(1)]), append("log:1", body))
    given = await store.apply(batch)
    answers: list[object] = [
        store,
        given,
        store.describe(),
        await store.get([A, ref(7)]),
        await store.scan(TENANT, "party"),
        await store.range(TENANT, "due", [""]),
        await store.ledger(TENANT, ["log:1"]),
        await store.find(TENANT, [ANN, source(SECRET)]),
        await store.outcome(TENANT, batch.idem),
    ]
    answers += [await store.changes(TENANT)] if claims(store.describe(), CHANGES) else []
    for answer in answers:
        for canary in CANARIES:
            for text in (repr(answer), str(answer)):
                holds(canary not in text, f"the repr of {type(answer).__name__} shows what is stored")
        subject.saw("answers read")

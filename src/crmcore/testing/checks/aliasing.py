"""G13: nothing that is passed in or handed out is shared with what is kept."""

from __future__ import annotations

from typing import Any

from crmcore.testing.kit import (
    TENANT,
    A,
    Subject,
    Writer,
    append,
    guarantee,
    ledger,
    put,
    record,
    same,
)


@guarantee("G13")
async def what_was_passed_in_can_be_changed_afterwards(subject: Subject) -> None:
    """Changing a body after apply changes nothing that is kept."""
    store = await subject.fresh()
    body: dict[str, Any] = {"list": [1], "map": {"a": 1}}
    entry: dict[str, Any] = {"list": [1]}
    batch = Writer(store).batch(put(A, 0, body), append("log:1", entry))
    await store.apply(batch)
    body["list"].append(2)
    body["map"]["b"] = 2
    entry["list"].append(2)
    found = await record(store, A)
    same(found and found.body, {"list": [1], "map": {"a": 1}}, "the record")
    same((await ledger(store, "log:1"))[0].body, {"list": [1]}, "the entry")


@guarantee("G13")
async def what_was_handed_out_can_be_changed(subject: Subject) -> None:
    """Changing an answer changes neither what is kept nor what others were given."""
    store = await subject.fresh()
    write = Writer(store)
    receipt = await store.apply(
        write.batch(put(A, 0, {"list": [1]}), append("log:1", {"list": [1]}), idem="once")
    )
    first, other = await record(store, A), await record(store, A)
    assert first is not None
    first.body["list"].append(2)
    (await ledger(store, "log:1"))[0].body["list"].append(2)
    (await scanned_body(store))["list"].append(2)
    if isinstance(receipt.versions, dict):
        receipt.versions.clear()
    for found in (other, await record(store, A)):
        same(found and found.body, {"list": [1]}, "the record")
    same((await ledger(store, "log:1"))[0].body, {"list": [1]}, "the entry")
    again = await store.outcome(TENANT, "once")
    same(again and dict(again.versions), {A: 1}, "the versions of the receipt")


async def scanned_body(store: Any) -> Any:
    return (await store.scan(TENANT, "party")).items[0].body

"""An encrypted store over one whose transactions have DynamoDB's ceilings takes what every store must."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmcore.errors import BatchTooLarge, CapabilityMissing, PositionExpired
from crmcore.storage import EXCLUSIVE, PARTS, AsyncStore, CheckKey, Key, Limits, MemoryStore, lift, run
from crmcore.storage.capability import ORDERED_TEXT
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.ceilings import CeilingsStore
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import NOW, TENANT, Guarantee, put, ref
from crmcore.testing.subjects import Memory
from tests.storage.test_encrypted import A, B, C, Pair
from tests.storage.wrapped_kit import assert_kept, unclaimed

ASKED = [
    one
    for one in GUARANTEES
    if one.id == "G17" or one.name.startswith(("a_rekey", "a_batch", "an_exclusive"))
]
"""All of them hold; a few, that have to do with what a batch may be, are asked each time."""


class EncryptedCeilings(Memory):
    def make(self, number: int) -> AsyncStore:
        return Encrypted(lift(CeilingsStore(exclusive=EXCLUSIVE)), MemoryKeyStore())


@pytest.mark.parametrize("guarantee", ASKED, ids=lambda one: one.name)
def test_an_encrypted_store_under_ceilings_keeps_its_promises(guarantee: Guarantee) -> None:
    assert_kept(guarantee, EncryptedCeilings(), unclaimed(*PARTS, ORDERED_TEXT, keeps=False))


def test_a_record_has_as_many_items_as_when_it_is_not_sealed() -> None:
    pair = Pair(CeilingsStore())
    limits = pair.store.describe().limits
    assert (limits.max_items, limits.max_keys) == (Limits().max_items, Limits().max_keys)
    old, new = ([Key("a", f"{age} {number}") for number in range(40)] for age in ("old", "new"))
    pair.write(put(A, 0, {}, old))
    pair.write(put(A, 1, {}, new), *[put(ref(number)) for number in range(10, 18)])
    with pytest.raises(BatchTooLarge) as caught:
        pair.write(put(A, 2, {}, old), *[put(ref(number)) for number in range(20, 29)])
    assert (caught.value.limit, caught.value.got) == (90, 91)


def test_who_is_shredded_is_found_without_marks() -> None:
    pair = Pair(CeilingsStore())
    judged, key = ref(9, kind="judgement"), Key("source", "1")
    pair.write(put(A, 0, {}), put(B, 0, {}))
    for number in range(30, 70):
        pair.write(*[put(ref(100 * number + n), 0, {}) for n in range(20)])
    pair.write(put(C, 0, {}), put(judged, 0, {"a": A.id, "b": B.id}, [key]))
    assert run(pair.encrypted.shred(TENANT, [A.id], at=NOW + timedelta(days=9))) == 1
    assert set(pair.inner.get([A, B, C, judged])) == {B, C}
    pair.write(CheckKey(key=key, holder=None), put(ref(8), 0, {}, [key]))


def _forget_the_beginning_of_the_feed(store: Any) -> None:
    changes = store.changes

    def later(tenant: str, after: str = "", limit: int = 500) -> Any:
        if not after:
            raise PositionExpired("the beginning is not kept")
        return changes(tenant, after, limit)

    store.changes = later


class _Narrow(MemoryStore):
    """As much room as under ceilings, and snapshots."""

    def describe(self) -> Any:
        return attrs.evolve(super().describe(), limits=CeilingsStore().describe().limits)


def test_no_key_is_destroyed_where_what_it_sealed_could_not_be_found() -> None:
    inner = CeilingsStore()
    pair = Pair(inner)
    pair.write(put(A, 0, {"n": 1}), put(B, 0, {}))
    _forget_the_beginning_of_the_feed(inner)
    with pytest.raises(CapabilityMissing, match="no key was destroyed"):
        run(pair.encrypted.shred(TENANT, [A.id], at=NOW))
    assert pair.get(A).body == {"n": 1}
    del inner.__dict__["changes"]
    assert run(pair.encrypted.shred(TENANT, [A.id], at=NOW)) == 1
    assert set(pair.inner.get([A, B])) == {B}


def test_who_is_shredded_is_found_in_a_snapshot_where_there_is_no_feed() -> None:
    inner = _Narrow()
    pair = Pair(inner)
    pair.write(put(A, 0, {}), put(B, 0, {}), put(ref(9, kind="judgement"), 0, {"a": A.id, "b": B.id}))
    _forget_the_beginning_of_the_feed(inner)
    assert run(pair.encrypted.shred(TENANT, [A.id], at=NOW)) == 1
    assert set(pair.inner.get([A, B, ref(9, kind="judgement")])) == {B}

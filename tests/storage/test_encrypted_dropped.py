"""What was sealed with the keys of a tenant that is dropped meanwhile is not acknowledged, and locks nobody out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from crmcore.errors import CommitUnknown, WrongKey
from crmcore.storage import (
    EXCLUSIVE,
    Batch,
    Chunk,
    Erasure,
    Json,
    Key,
    MemoryStore,
    NewRecord,
    Row,
)
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.kit import NOW, TENANT, put, ref
from crmcore.values.source import SYSTEM
from tests.storage.test_encrypted import A, B, C, Pair, entry

KEY = Key("member", "one")


class _Slow(MemoryStore):
    """Something else comes between what was sealed and its commit."""

    between: Callable[[], object] | None = None
    last: Batch | None = None

    def _begin(self) -> None:
        then, self.between = self.between, None
        if then is not None:
            then()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Any:
        self._begin()
        self.last = batch
        return super().apply(batch, timeout=timeout)

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> Any:
        self._begin()
        return super().load(chunk, timeout=timeout)

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> Any:
        self._begin()
        return super().erase(erasure, timeout=timeout)


def _late(pair: Pair, call: str) -> None:
    """A write by *pair*, all under the key late."""
    if call == "apply":
        pair.write(put(B, 0, {"n": 2}, [KEY]), entry("party:b", B.id), idem="late")
    elif call == "without anybody":
        pair.write(put(ref(7, kind="setting"), 0, {"n": 2}), idem="late")
    elif call == "load":
        rows = [Row((NewRecord("party", B.id, 1, Json("{}")),))]
        pair.store.load(Chunk(tenant=TENANT, rows=rows, idem="late", digest="d", actor=SYSTEM, at=NOW))
    else:
        refs = frozenset({A})
        pair.store.erase(Erasure(tenant=TENANT, refs=refs, idem="late", actor=SYSTEM, at=NOW))


@pytest.mark.parametrize("call", ["apply", "without anybody", "load", "erase"])
def test_a_write_that_was_overtaken_by_a_drop_is_not_acknowledged_and_leaves_nothing(call: str) -> None:
    inner = _Slow(exclusive=EXCLUSIVE)
    one = Pair(inner)
    two = Pair(inner, one.keys)
    one.write(put(A, 0, {"n": 1}))
    inner.between = lambda: two.store.drop_tenant(TENANT)
    with pytest.raises(CommitUnknown, match="dropped or replaced") as raised:
        _late(one, call)
    assert raised.value.idem == "late"
    assert inner.changes(TENANT).items == ()
    # An erasure that found nothing leaves its receipt: dropping the tenant for that could take what others began.
    assert inner.tenants().items == ((TENANT,) if call == "erase" else ())
    for pair in (one, two, Pair(inner, one.keys)):
        pair.write(put(B, len(pair.store.get([B])), {"n": 3}), idem="anew")
        assert pair.get(B).body == {"n": 3}
        pair.store.drop_tenant(TENANT)


@pytest.mark.parametrize("call", ["apply", "load"])
def test_a_late_write_is_taken_out_of_a_tenant_that_was_begun_anew(call: str) -> None:
    inner = _Slow(exclusive=EXCLUSIVE)
    one = Pair(inner)
    two = Pair(inner, one.keys)
    one.write(put(A, 0, {"n": 1}))

    def anew() -> None:
        two.store.drop_tenant(TENANT)
        two.write(put(C, 0, {"n": 3}))

    inner.between = anew
    with pytest.raises(CommitUnknown, match="dropped or replaced"):
        _late(one, call)
    for pair in (one, two, Pair(inner, one.keys)):
        assert [record.ref for record in pair.store.scan(TENANT, "party").items] == [C]
    assert inner.get([B]) == {}
    assert [entry.body for entry in inner.ledger(TENANT, ["party:b"])["party:b"].items] in ([], [{}])


def test_who_begins_a_tenant_anew_after_a_write_that_was_too_late_is_not_acknowledged() -> None:
    inner = _Slow(exclusive=EXCLUSIVE)
    one = Pair(inner)
    one.write(put(A, 0, {"n": 1}))
    late = inner.last
    assert late is not None
    one.store.drop_tenant(TENANT)
    two = Pair(inner, one.keys)
    inner.between = lambda: MemoryStore.apply(inner, late)
    with pytest.raises(CommitUnknown):
        two.write(put(B, 0, {"n": 2}), idem="mine")


def test_where_the_keys_were_only_put_elsewhere_nothing_is_taken_out() -> None:
    inner = _Slow(exclusive=EXCLUSIVE)
    pair = Pair(inner)
    pair.write(put(A, 0, {"n": 1}))
    roots, empty = pair.keys._roots, MemoryKeyStore()._roots
    for other in (empty, {TENANT: bytes(32)}):
        inner.between = partial(setattr, pair.keys, "_roots", other)
        idem = f"late {len(other)}"
        with pytest.raises(CommitUnknown):
            pair.write(put(A, len(other) + 1, {"n": 2}), idem=idem)
        with pytest.raises(WrongKey):
            pair.get(A)
        pair.keys._roots = roots
        assert pair.get(A).version == len(other) + 2


def test_a_key_that_was_dropped_alone_is_gone_too() -> None:
    inner = _Slow(exclusive=EXCLUSIVE)
    pair = Pair(inner)
    pair.write(put(A, 0, {"n": 1}), put(B, 0, {"n": 2}))
    late = ref(9, kind="judgement")

    def dropped() -> None:
        key = pair.keys._live.pop((TENANT, B.id))
        del pair.keys._all[TENANT, key.id]

    inner.between = dropped
    with pytest.raises(CommitUnknown, match="erased while"):
        pair.write(put(late, 0, {"a": A.id, "b": B.id}), idem="late")
    assert inner.get([late]) == {}
    assert pair.get(A).body == {"n": 1}

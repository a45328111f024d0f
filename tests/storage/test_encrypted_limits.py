"""What an encrypted store says that it takes, it takes; a store that is too small for that is refused."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmcore.errors import BatchTooLarge, CapabilityMissing
from crmcore.storage import EXCLUSIVE, Chunk, Json, Key, Limits, MemoryStore, NewRecord, Row, Sort, lift
from crmcore.storage.validate import check_batch
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.kit import NOW, TENANT, append, email, put, ref, rekey
from crmcore.values.source import SYSTEM
from tests.storage.test_encrypted import A, B, Pair

FLOOR = Limits()
LEAST = Limits(
    max_items=100 * 210,
    max_batch_bytes=8 << 20,
    max_chunk_bytes=8 << 20,
    max_body_bytes=(300 << 10) + (256 << 10) * 11 // 6 + 1,
    max_keys=104,
)
"""The smallest store of which what fits when sealed is no less in the worst case than every store must take."""


class Small(MemoryStore):
    """A store with limits of its own, that it keeps."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(exclusive=EXCLUSIVE)
        self._small = limits

    def describe(self) -> Any:
        return attrs.evolve(super().describe(), limits=self._small)

    def apply(self, batch: Any, *, timeout: float = 30.0) -> Any:
        check_batch(batch, self._small, EXCLUSIVE)
        return super().apply(batch, timeout=timeout)


def test_what_is_declared_is_taken() -> None:
    pair = Pair(Small(LEAST))
    limits = pair.store.describe().limits
    assert attrs.evolve(limits, max_items=FLOOR.max_items) == FLOOR
    keys = [email(f"{number:02}" + "x" * (limits.max_key_bytes - 2)) for number in range(limits.max_keys)]
    pair.write(put(A, 0, {"t": "x" * (limits.max_body_bytes - 8)}, keys))
    for names in (keys, [email(str(number)) for number in range(limits.max_keys)]):
        pair.write(rekey(A, 1, names))
        assert pair.get(A).keys == set(names)
    letters = [Key("a", chr(65 + number)) for number in range(limits.max_keys)]
    sorts = [Sort("due", chr(65 + number), b"x" * limits.max_sort_bytes) for number in range(limits.max_keys)]
    for start, (some, order) in enumerate(((letters, ()), (letters[:20], sorts[:20]), ((), sorts))):
        pair.write(*[put(ref(100 * start + n), 0, {}, some, order) for n in range(5, 5 + limits.max_ops)])
    members = [ref(number).id for number in range(200)]
    text = {"t": "x" * 9_000}
    pair.write(*[append(f"log:{n}", text) for n in range(limits.max_ops)])
    pair.write(*[put(ref(n, kind="cluster"), 0, {"members": members}, letters) for n in range(90)])
    whole = [ref(number).id for number in range((limits.max_body_bytes - 20) // 39)]
    pair.write(put(ref(7, kind="cluster"), 1, {"members": whole}, letters))


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Limits)])
def test_a_store_that_takes_less_than_every_store_must_is_refused_in_a_sentence(name: str) -> None:
    Encrypted(lift(Small(FLOOR)), MemoryKeyStore())
    small = Small(attrs.evolve(FLOOR, **{name: getattr(FLOOR, name) - 1}))
    with pytest.raises(CapabilityMissing, match=f"takes too little to be encrypted: its {name}"):
        Encrypted(lift(small), MemoryKeyStore())


def test_over_the_smallest_store_there_is_the_least_less_a_third_of_the_bytes() -> None:
    pair = Pair(Small(FLOOR))
    limits = pair.store.describe().limits
    third = 2 * FLOOR.max_batch_bytes // 3
    least = attrs.evolve(
        FLOOR, max_batch_bytes=third, max_chunk_bytes=third, max_body_bytes=(240 << 10) * 3 // 4
    )
    assert limits == least
    keys = [Key("a", str(number).rjust(90)) for number in range(limits.max_keys)]
    pair.write(put(A, 0, {"t": "x" * (limits.max_body_bytes - 8)}, keys))
    assert pair.get(A).keys == set(keys)
    assert pair.inner.get([A])[A].keys.isdisjoint(keys)


def test_what_is_too_much_only_when_it_is_sealed_is_refused_with_nothing_written() -> None:
    pair = Pair(Small(FLOOR))
    limits = pair.store.describe().limits
    long = [email(f"{number:02}" + "\x01" * 500) for number in range(limits.max_keys)]
    with pytest.raises(BatchTooLarge, match="counted as it is when it is sealed"):
        pair.write(put(B), put(A, 0, {"t": "x" * (limits.max_body_bytes - 8)}, long))
    assert pair.store.get([A, B]) == {}
    assert pair.store.changes(TENANT).items == ()


def test_a_chunk_of_the_size_that_is_declared_is_taken() -> None:
    pair = Pair(Small(LEAST))
    keys = [("a", chr(65 + number)) for number in range(40)]
    rows = [Row((NewRecord("party", ref(n).id, 1, Json("{}"), keys),)) for n in range(1, 101)]
    chunk = Chunk(tenant=TENANT, rows=rows, idem="load", digest="d", actor=SYSTEM, at=NOW)
    assert pair.store.load(chunk).written == 100

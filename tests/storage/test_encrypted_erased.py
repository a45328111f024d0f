"""What is gone with a key is gone in every sense: what reads as absent is absent for every call."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.errors import CommitUnknown, StoreFull, Unavailable, WrongKey
from crmcore.storage import (
    EXCLUSIVE,
    CheckKey,
    Chunk,
    Erasure,
    Json,
    Key,
    MemoryStore,
    NewRecord,
    Ref,
    Row,
    lift,
    run,
)
from crmcore.storage.capability import ERASER, unclaimed
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.encrypted_erase import sealed_erasure
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.storage.wrappers.ring import Ring
from crmcore.storage.wrappers.sealing import DataKey, Sealer
from crmcore.storage.wrappers.subjects import CrmSubjects
from crmcore.testing.kit import NOW, TENANT, Writer, put, ref, rekey
from crmcore.values.source import SYSTEM
from tests.storage.test_encrypted import A, B, C, Pair, entry

SOURCE = Key("source", "crm:17")
SHARED = {
    "judgement": ({"a": A.id, "b": B.id}, ref(21, kind="judgement")),
    "cluster": ({"members": [ref(n).id for n in range(1, 12)]}, ref(22, kind="cluster")),
    "features": ({}, ref(1, kind="features")),
    "party.more": ({"of": A.id}, ref(23, kind="party.more")),
}


class NoEraser(MemoryStore):
    """A store that cannot erase."""

    def describe(self) -> Any:
        said = super().describe()
        capabilities = [
            unclaimed(ERASER, "not here") if one.name == ERASER else one for one in said.capabilities
        ]
        return attrs.evolve(said, capabilities=tuple(capabilities))


def _written(inner: Any) -> Pair:
    pair = Pair(inner)
    pair.write(
        put(A, 0, {"n": 1}, [SOURCE]), put(B, 0, {"n": 2}), put(C, 0, {"n": 3}), entry("party:a", A.id)
    )
    pair.write(
        *[put(each, 0, body, [Key("member", kind)]) for kind, (body, each) in SHARED.items()],
        put(ref(24, kind="cluster.more"), 0, {"of": ref(22).id}, [Key("more", f"cluster:{ref(22).id}")]),
    )
    pair.write(rekey(ref(21, kind="judgement"), 1, [Key("member", "other")]))
    return pair


@pytest.mark.parametrize("way", ["erase", "shred", "shred without an eraser"])
def test_what_reads_as_absent_can_be_put_and_its_keys_are_free(way: str) -> None:
    pair = _written((NoEraser if "without" in way else MemoryStore)(exclusive=EXCLUSIVE))
    if way == "erase":
        pair.erase(refs=frozenset({A}), subjects=frozenset({A.id}))
    else:
        run(pair.encrypted.shred(TENANT, [A.id], at=NOW + timedelta(days=9)))
    refs = [A, *[each for _, each in SHARED.values()], ref(24, kind="cluster.more")]
    assert pair.store.get(refs) == {}
    assert pair.inner.get(refs) == {}
    keys = [SOURCE, Key("member", "other"), *[Key("member", kind) for kind in SHARED]]
    assert all(hits.refs == () for hits in pair.store.find(TENANT, keys).values())
    pair.write(CheckKey(key=SOURCE, holder=None), CheckKey(key=keys[1], holder=None))
    pair.write(put(ref(30), 0, {"n": 9}, keys))
    pair.write(*[put(each, 0, {"members": [B.id, C.id]}) for each in refs if each.kind == "cluster"])
    pair.write(put(A, 0, {"n": 4}))
    assert pair.get(A).body == {"n": 4}
    assert set(pair.store.get([B, C])) == {B, C}


@pytest.mark.parametrize("way", ["swept", "named"])
def test_a_satellite_goes_with_its_record_in_old_copies_too(way: str) -> None:
    pair = _written(MemoryStore(exclusive=EXCLUSIVE))
    note = CrmSubjects(more={"note": lambda ref, body: [A.id]})
    noted = Encrypted(lift(pair.inner), pair.keys, subjects=note)
    more = ref(26, kind="note.more")
    owner = Key("more", f"note:{ref(25).id}")
    writer = Writer(noted)
    run(writer(put(ref(25, kind="note"), 0, {}), put(more, 0, {"of": ref(25).id}, [owner])))
    snapshot = pair.inner.export()
    rows = list(snapshot.read(10_000))
    snapshot.close()
    satellites = [more, ref(24, kind="cluster.more")]
    assert set(run(noted.get(satellites))) == set(satellites)
    owners = [ref(25, kind="note"), ref(22, kind="cluster")] if way == "named" else []
    pair.erase(refs=frozenset({A, *owners}), subjects=frozenset({A.id}))
    old = MemoryStore(exclusive=EXCLUSIVE)
    old.restore(rows)
    assert run(Encrypted(lift(old), pair.keys, subjects=note).get(satellites)) == {}


def test_a_satellite_stays_though_somebody_with_the_id_of_its_record_goes() -> None:
    pair = Pair()
    cluster, more = ref(1, kind="cluster"), ref(24, kind="cluster.more")
    pair.write(put(A, 0, {"n": 1}), put(cluster, 0, {"members": [B.id, C.id]}))
    pair.write(put(more, 0, {"of": A.id}, [Key("more", f"cluster:{A.id}"), Key("member", "many")]))
    pair.erase(refs=frozenset({A}), subjects=frozenset({A.id}))
    assert set(pair.store.get([A, cluster, more])) == {cluster, more}


@pytest.mark.parametrize("retracted", [False, True])
def test_who_stays_can_be_matched_after_somebody_was_erased(retracted: bool) -> None:
    pair = Pair()
    crm = Crm(pair.store)

    def add(name: str, mail: str) -> Person:
        return crm.parties.add(Person.of(name, email=mail))

    ann, anne, lee = (add("Ann Lee", "ann@x.org") for _ in range(3))
    first = crm.identity.merge(ann.id, anne.id)
    crm.identity.merge(anne.id, lee.id)
    if retracted:
        crm.identity.retract(first.id, reason="to be erased")
    refs = frozenset({Ref("default", kind, ann.id) for kind in ("party", "features")})
    erasure = Erasure(
        tenant="default", refs=refs, subjects=frozenset({ann.id}), idem="e", actor=SYSTEM, at=NOW
    )
    pair.store.erase(erasure)
    assert pair.store.erase(erasure).replayed
    add("Ann Lee", "ann@x.org")
    zoe, _ = (add("Zoe Fox", "zoe@x.org") for _ in range(2))
    crm.identity.dedupe()
    crm.identity.merge(anne.id, lee.id)
    assert len(crm.customers.view(zoe.id).members) == 2
    assert ann.id not in crm.customers.view(anne.id).members
    assert len(crm.customers.view(anne.id).members) >= 2


def test_an_erasure_that_is_sent_again_takes_nothing_from_who_came_back() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}))
    erasure = Erasure(
        tenant=TENANT, refs=frozenset({A}), subjects=frozenset({A.id}), idem="e", actor=SYSTEM, at=NOW
    )
    pair.store.erase(erasure)
    pair.write(put(A, 0, {"n": 2}))
    assert pair.store.erase(erasure).replayed
    assert pair.get(A).body == {"n": 2}


class _Late(MemoryKeyStore):
    """Keys that can be destroyed by somebody else right after they were given."""

    after: Any = None

    async def keys_for(self, tenant: str, subjects: Any) -> Mapping[str, DataKey]:
        found = await super().keys_for(tenant, subjects)
        if self.after is not None and subjects:
            then, self.after = self.after, None
            await then()
        return found


@pytest.mark.parametrize("way", ["erase", "shred"])
def test_a_write_that_was_overtaken_by_an_erasure_is_not_acknowledged(way: str) -> None:
    keys = _Late()
    pair = Pair(keys=keys)
    pair.write(put(A, 0, {"n": 1}), put(B, 0, {"n": 2}))
    other = Encrypted(lift(pair.inner), keys)

    async def erased() -> None:
        erasure = Erasure(
            tenant=TENANT, subjects=frozenset({A.id}), refs=frozenset({A}), idem="e", actor=SYSTEM, at=NOW
        )
        await (other.erase(erasure) if way == "erase" else other.shred(TENANT, [A.id], at=NOW))

    keys.after = erased
    judged = ref(9, kind="judgement")
    with pytest.raises(CommitUnknown, match="erased while") as raised:
        pair.write(put(judged, 0, {"a": A.id, "b": B.id}), idem="late")
    assert raised.value.idem == "late"
    pair.write(put(judged, 0, {"a": B.id, "b": C.id}))
    assert pair.get(judged).body == {"a": B.id, "b": C.id}


def test_a_key_that_is_lost_is_named_and_the_record_can_be_erased() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}), put(B, 0, {"n": 2}))
    (lost,) = run(pair.keys.keys_for(TENANT, [A.id])).values()
    del pair.keys._all[TENANT, lost.id], pair.keys._live[TENANT, A.id]
    assert pair.get(B).body == {"n": 2}
    for call in (lambda: pair.get(A), lambda: pair.store.scan(TENANT, "party")):
        with pytest.raises(WrongKey, match=f"party {A.id}"):
            call()
    pair.erase(refs=frozenset({A}))
    assert [one.ref for one in pair.store.scan(TENANT, "party").items] == [B]


def test_the_keys_of_who_was_erased_are_destroyed_again_in_a_restored_key_store() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}), put(B, 0, {"n": 2}), put(C, 0, {"n": 3}))
    old = MemoryKeyStore()
    old._roots, old._live, old._all = dict(pair.keys._roots), dict(pair.keys._live), dict(pair.keys._all)
    pair.erase(refs=frozenset({A}), subjects=frozenset({B.id}))
    restored = Pair(pair.inner, old)
    assert run(restored.encrypted.destroy_erased(TENANT)) == 2
    assert run(restored.encrypted.destroy_erased(TENANT)) == 0
    assert {subject for _, subject in old._live} == {C.id}
    restored.write(put(A, 0, {"n": 4}), idem="anew")
    assert run(restored.encrypted.destroy_erased(TENANT)) == 0
    assert restored.get(A).body == {"n": 4}


def test_the_first_two_who_use_a_tenant_get_on() -> None:
    class Twice(MemoryStore):
        """Somebody else writes first, just before this one looks."""

        first: Any = None

        def changes(self, *given: Any, **named: Any) -> Any:
            then, self.first = self.first, None
            if then is not None:
                then()
            return super().changes(*given, **named)

    inner = Twice(exclusive=EXCLUSIVE)
    pair = Pair(inner)
    other = Pair(inner, pair.keys)
    inner.first = lambda: other.write(put(B, 0, {"n": 2}))
    pair.write(put(A, 0, {"n": 1}), idem="mine")
    assert set(pair.store.get([A, B])) == {A, B}


class _Failing(MemoryKeyStore):
    """Keys that are out of reach as soon as something was written, or a task that ends there."""

    ends: BaseException | None = None

    async def keys_of(self, tenant: str, ids: Any) -> Any:
        if self.ends is not None:
            raise self.ends
        return await super().keys_of(tenant, ids)

    async def destroy(self, tenant: str, subjects: Any, at: datetime) -> int:
        if self.ends is not None:
            raise self.ends
        return await super().destroy(tenant, subjects, at)

    async def drop(self, tenant: str) -> None:
        if self.ends is not None:
            raise self.ends
        await super().drop(tenant)


@pytest.mark.parametrize("call", ["apply", "load", "erase", "drop_tenant", "shred", "destroy_erased"])
@pytest.mark.parametrize("ends", [Unavailable("away"), StoreFull("full"), CancelledError()], ids=type)
def test_nobody_is_told_that_nothing_was_written_when_it_was(call: str, ends: BaseException) -> None:
    keys = _Failing()
    pair = Pair(keys=keys)
    pair.write(put(A, 0, {"n": 1}))
    rows = [Row((NewRecord("party", B.id, 1, Json("{}")),))]
    chunk = Chunk(tenant=TENANT, rows=rows, idem="sent", digest="d", actor=SYSTEM, at=NOW)
    erasure = Erasure(
        tenant=TENANT, refs=frozenset({A}), subjects=frozenset({A.id}), idem="sent", actor=SYSTEM, at=NOW
    )
    calls: dict[str, Callable[[], Any]] = {
        "apply": lambda: pair.write(put(B, 0, {"n": 2}), idem="sent"),
        "load": lambda: pair.store.load(chunk),
        "erase": lambda: pair.store.erase(erasure),
        "drop_tenant": lambda: pair.store.drop_tenant(TENANT),
        "shred": lambda: run(pair.encrypted.shred(TENANT, [A.id], at=NOW)),
        "destroy_erased": lambda: run(pair.encrypted.destroy_erased(TENANT)),
    }
    if call == "destroy_erased":
        pair.inner.erase(
            sealed_erasure(Ring(Sealer(), TENANT, run(pair.encrypted._blinds_of(TENANT))), erasure)
        )
    keys.ends = ends
    with pytest.raises((CommitUnknown, CancelledError)) as caught:
        calls[call]()
    told = caught.value if isinstance(caught.value, CommitUnknown) else caught.value.__cause__
    assert isinstance(told, CommitUnknown)
    named = call in ("apply", "load", "erase")
    assert told.idem == ("sent" if named else "")
    keys.ends = None
    again = calls[call]()
    assert not named or again.replayed
    assert (A.id in [key.subject for key in keys._live.values()]) == (call in ("apply", "load"))

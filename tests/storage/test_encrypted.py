"""What is sealed stays sealed, comes back as it was given, and is gone with its keys."""

from __future__ import annotations

import base64
import hmac
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.errors import (
    BatchTooLarge,
    CapabilityMissing,
    Corrupt,
    IdempotencyMismatch,
    MissingExtra,
    WrongKey,
)
from crmcore.storage import (
    ERASED,
    EXCLUSIVE,
    Append,
    Chunk,
    Erasure,
    Json,
    Key,
    MemoryStore,
    NewRecord,
    Ref,
    Row,
    Sort,
    SqliteStore,
    Store,
    StoredRecord,
    lift,
    lower,
    run,
)
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.encrypted_describe import ORDERED
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.storage.wrappers.ring import ABOUT, CARRIER
from crmcore.storage.wrappers.sealing import Mac, Sealer, place
from crmcore.storage.wrappers.subjects import CrmSubjects
from crmcore.testing.kit import NOW, TENANT, append, delete, email, put, ref, rekey, uid
from crmcore.testing.kit import Writer as AsyncWriter
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import SYSTEM, Actor

A, B, C = ref(1), ref(2), ref(3)
ANN = email("ann.canary@x.org")
CANARIES = [Sort("name", "canary", b"sort canary"), Sort("due", "part canary", b"\x01")]
BOSS = Actor(kind="person", id="boss-canary")


class Pair:
    """An encrypted store in memory, and the store below, both for synchronous code."""

    def __init__(
        self, inner: Store | None = None, keys: MemoryKeyStore | None = None, **options: Any
    ) -> None:
        self.inner: Any = inner or MemoryStore(exclusive=EXCLUSIVE)
        self.keys = keys or MemoryKeyStore()
        self.encrypted = Encrypted(lift(self.inner), self.keys, **options)
        self.store = lower(self.encrypted)
        self._number = 0

    def write(self, *ops: Any, **options: Any) -> Any:
        batch = AsyncWriter(self.encrypted).batch(
            *ops, idem=options.pop("idem", None) or self._next(), **options
        )
        return self.store.apply(batch)

    def _next(self) -> str:
        self._number += 1
        return f"idem-canary-{self._number}"

    def get(self, one: Ref) -> Any:
        return self.store.get([one]).get(one)

    def erase(self, **named: Any) -> Any:
        return self.store.erase(
            Erasure(tenant=TENANT, idem=self._next(), actor=BOSS, at=NOW + timedelta(days=9), **named)
        )


def entry(stream: str, *subjects: str, text: str = "body canary") -> Append:
    made = append(stream, {"text": text})
    return attrs.evolve(made, entry=attrs.evolve(made.entry, subjects=subjects))


# --- nothing can be read --------------------------------------------------------------------------


def test_no_value_is_in_the_files_of_the_store(tmp_path: Path) -> None:
    inner = SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE)
    pair = Pair(inner)
    pair.write(
        put(A, 0, {"name": "body canary"}, [ANN], CANARIES),
        entry("party:1", A.id),
        actor=BOSS,
        reason="reason canary",
    )  # fmt: skip
    pair.write(put(C, 0, {}, [ANN], CANARIES))
    pair.write(rekey(A, 1, [email("rekeyed.canary@x.org")]), actor=BOSS)
    pair.store.load(
        Chunk(
            tenant=TENANT,
            rows=[Row((NewRecord("party", B.id, 1, Json('{"t":"canary"}'), [("email", "canary@x.org")]),))],
            idem="load canary",
            digest="digest canary",
            actor=BOSS,
            reason="canary",
            at=NOW,
        )
    )
    assert pair.store.outcome(TENANT, "fence canary") is None
    pair.store.close()
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes().lower(), file.name
    assert "canary" not in repr(pair.encrypted) + repr(pair.keys)


def test_equal_values_look_equal_and_others_do_not() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}, [ANN]), put(B, 0, {"n": 1}, [ANN, Key("phone", ANN.value)]))
    one, two = (pair.inner.get([A, B])[ref] for ref in (A, B))
    mine, others = ({key for key in each.keys if key.namespace != ABOUT} for each in (one, two))
    assert mine < others
    assert len({key.value for key in others}) == 2
    assert one.keys.isdisjoint(two.keys - others)
    assert one.body["box"] != two.body["box"]


def test_an_encrypted_store_says_what_its_files_tell() -> None:
    description = Pair().store.describe()
    told = " ".join(description.discloses)
    for word in (
        "ids",
        "timeline",
        "same key",
        "subjects",
        "when",
        "sizes",
        "erasures",
        "refused",
        "idempotency",
    ):
        assert word in told
    lacking = {one.name: one for one in description.capabilities if one.support == "not_implemented"}
    assert "order of texts" in lacking["ordered_text"].reason
    assert description.engine == "encrypted memory"


def test_without_cryptography_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(MissingExtra, match=r"crmcore\[crypto\]"):
        Pair()


# --- it comes back as it was given ----------------------------------------------------------------


def test_keys_and_sorts_of_a_rekeyed_record_come_back() -> None:
    pair = Pair(ordered=ORDERED)
    pair.write(put(A, 0, {"n": 1}, [ANN], [Sort("name", "a", b"ann")]))
    keys = {email(f"{number}@x.org") for number in range(12)}
    sorts = {Sort("name", "b", b"bob"), Sort("due", "1", b"\x00\x01")}
    batch = AsyncWriter(pair.encrypted).batch(rekey(A, 1, keys, sorts), idem="r")
    pair.store.apply(batch)
    found = pair.get(A)
    assert (found.version, found.keys, found.sorts) == (1, keys, sorts)
    assert pair.store.apply(batch).replayed
    pair.write(put(A, 1, {"n": 2}, [ANN]))
    assert pair.get(A).keys == {ANN}
    assert pair.store.apply(batch).replayed
    assert not any(key.namespace == CARRIER for key in pair.inner.get([A])[A].keys)
    pair.write(delete(A, 2))
    assert pair.store.apply(batch).replayed


def test_a_rekey_is_known_again_though_its_record_concerns_others_now() -> None:
    pair, cluster = Pair(), ref(9, kind="cluster")
    pair.write(put(cluster, 0, {"members": [A.id, B.id]}))
    again, refused = (
        AsyncWriter(pair.encrypted).batch(rekey(cluster, 1, [email(mail)]), idem="r") for mail in ("a", "b")
    )
    first = pair.store.apply(again)
    known = attrs.evolve(first, replayed=True)
    assert pair.store.apply(again) == known
    pair.write(put(cluster, 1, {"members": [A.id, B.id, C.id]}, [ANN]))
    for _ in range(2):
        assert pair.store.apply(again) == known
        with pytest.raises(IdempotencyMismatch):
            pair.store.apply(refused)
    pair.write(delete(cluster, 2))
    assert pair.store.apply(again) == known
    assert pair.store.outcome(TENANT, "r") == known


def test_a_rekey_that_does_not_fit_is_refused_and_writes_nothing() -> None:
    pair = Pair()
    pair.write(put(A, 0, {}, [ANN]))
    with pytest.raises(BatchTooLarge, match="put the record"):
        pair.write(
            rekey(
                A, 1, [], [Sort("name", f"{number}" + "\U0001d11e" * 250, b"x" * 64) for number in range(40)]
            )
        )
    assert pair.get(A).keys == {ANN}


def test_sorts_of_texts_come_back_and_have_no_order() -> None:
    pair = Pair(ordered=ORDERED)
    sorts = {Sort("party.name", "a", b"ann lee"), Sort("timeline", "x", b"\x01")}
    pair.write(put(A, 0, {}, (), sorts))
    assert pair.get(A).sorts == sorts
    assert {sort.namespace for sort in pair.inner.get([A])[A].sorts} == {"timeline"}
    with pytest.raises(CapabilityMissing, match="order of texts"):
        pair.store.range(TENANT, "party.name", ["a"])
    assert [found for _, found in pair.store.range(TENANT, "timeline", ["x", "y"]).items] == [A]


def test_the_feed_gives_back_who_and_why() -> None:
    pair = Pair()
    many = [put(ref(number), 0, {}) for number in range(10, 90)]
    pair.write(put(A, 0, {}), idem="one", actor=BOSS, reason="because")
    pair.write(*many, idem="many", reason="more than are sealed for")
    pair.write(entry("log:1"), idem="nobody", reason="about nobody")
    changes = pair.store.changes(TENANT).items
    assert {(one.idem, one.actor, one.reason) for one in changes} == {
        ("one", BOSS, "because"),
        ("many", SYSTEM, "more than are sealed for"),
        ("nobody", SYSTEM, "about nobody"),
    }


@settings(max_examples=60)
@given(
    reason=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300),
    idem=st.text(
        st.characters(codec="utf-8", min_codepoint=32, exclude_categories=["Cc"]), min_size=1, max_size=256
    ),
    unknown=st.dictionaries(st.text("xyz", min_size=1), st.integers(0, 9) | st.lists(st.text("é"))),
)
def test_every_reason_key_and_actor_comes_back(
    reason: str | None, idem: str, unknown: dict[str, Any]
) -> None:
    pair = Pair()
    actor = Actor(kind="customer", id="c", on_behalf_of="d", unknown=FrozenMap(unknown))
    receipt = pair.write(put(A, 0, {}), idem=idem, actor=actor, reason=reason)
    (change,) = pair.store.changes(TENANT).items
    assert (change.idem, change.actor, change.reason) == (idem, actor, reason)
    assert attrs.evolve(receipt, replayed=True) == pair.store.outcome(TENANT, idem)


def test_a_batch_is_known_again_by_another_process() -> None:
    pair = Pair()
    batch = AsyncWriter(pair.encrypted).batch(put(A, 0, {"n": 1}, [ANN]), entry("log:1", A.id), idem="again")
    pair.store.apply(batch)
    other = Pair(pair.inner, pair.keys)
    assert other.store.apply(batch).replayed
    with pytest.raises(IdempotencyMismatch):
        other.write(put(A, 0, {"n": 2}, [ANN]), idem="again")


def test_an_export_is_plain_and_restores_into_another_kind_of_store() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}, [ANN, Key("source", "1")], [Sort("name", "a", b"ann")]), reason="why")
    pair.write(put(B, 0, {"n": 2}), put(C, 0, {}), entry("log:1", A.id, B.id), entry("log:2"))
    pair.write(rekey(B, 1, [ANN]), delete(C, 1))
    batch = AsyncWriter(pair.encrypted).batch(put(C, 0, {"n": 3}), idem="known")
    pair.store.apply(batch)
    snapshot = pair.store.export()
    rows = [row for some in iter(lambda: snapshot.read(2), []) for row in some]
    snapshot.close()
    plain = MemoryStore(exclusive=EXCLUSIVE)
    plain.restore(rows)
    assert plain.get([A, B, C]) == pair.store.get([A, B, C])
    assert plain.ledger(TENANT, ["log:1", "log:2"]) == pair.store.ledger(TENANT, ["log:1", "log:2"])
    assert plain.find(TENANT, [ANN]) == pair.store.find(TENANT, [ANN])
    said = [
        [(one.idem, one.op, one.reason, one.ref) for one in each.changes(TENANT).items]
        for each in (plain, pair.store)
    ]
    assert said[0] == said[1]
    assert plain.apply(batch).replayed


def test_a_row_that_is_refused_keeps_its_place_and_its_reason() -> None:
    pair, bare = Pair(), MemoryStore(exclusive=EXCLUSIVE)
    limits = pair.store.describe().limits
    rows = [
        Row((NewRecord("party", A.id, 1, Json("{}")),)),
        Row((NewRecord("No Word", B.id, 1, Json("{}")),)),
        Row((NewRecord("party", B.id, 1, Json.of({"t": "x" * limits.max_body_bytes})),)),
        Row((NewRecord("party", A.id, 1, Json("{}")),)),
    ]
    chunk = Chunk(tenant=TENANT, rows=rows, idem="load", digest="d", actor=SYSTEM, at=NOW)
    first, again = pair.store.load(chunk), pair.store.load(chunk)
    codes = [(1, "invalid_record"), (2, "batch_too_large"), (3, "version_conflict")]
    assert [(one.row, one.code) for one in first.refused] == codes
    assert [(one.row, one.code) for one in again.refused] == codes
    assert "a kind is a lower-case word" in first.refused[0].message
    assert (first.rows, first.written, again.replayed) == (4, 1, True)
    assert again.refused == first.refused
    bare.load(attrs.evolve(chunk, rows=[rows[0], rows[1], rows[3]]))
    plain = bare.load(attrs.evolve(chunk, rows=[rows[0], rows[1], rows[3]]))
    assert [one.message for one in plain.refused] == [again.refused[n].message for n in (0, 2)]
    asked = pair.store.loaded(TENANT, "load", "d")
    assert asked is not None
    assert [(one.row, one.code) for one in asked.refused] == codes
    assert [one.message.partition(":")[0] for one in asked.refused[:2]] == ["this row could not be kept"] * 2
    assert asked.refused[2] == first.refused[2]


def test_the_library_works_over_an_encrypted_store() -> None:
    crm = Crm(Pair(MemoryStore()).store)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    bob = crm.parties.add(Person.of("Ann Leigh", email="ann@x.org"))
    crm.identity.merge(ann.id, bob.id)
    crm.parties.change(ann.id, lambda party: party.with_email("lee@x.org"))
    view = crm.customers.view("lee@x.org")
    assert {view.id} == {crm.customers.view(one.id).id for one in (ann, bob)}
    assert [type(one.event).__name__ for one in crm.events().items][:2] == ["PartyAdded"] * 2


# --- gone with its keys ---------------------------------------------------------------------------


def _two_parties(pair: Pair) -> None:
    subjects = CrmSubjects()
    assert subjects.record(ref(9, kind="judgement"), {"a": A.id, "b": B.id}) == (A.id, B.id)
    pair.write(put(A, 0, {"name": "ann"}, [ANN]), entry("party:a", A.id), reason="ann called")
    pair.write(put(B, 0, {"name": "bob"}, [email("bob@x.org")]), entry("party:b", B.id), reason="bob called")
    pair.write(
        put(ref(9, kind="judgement"), 0, {"a": A.id, "b": B.id}),
        put(ref(9, kind="note"), 0, {"of": "nobody"}),
        entry("party:b", A.id, B.id, text="both"),
        rekey_of_b(),
    )


def rekey_of_b() -> Any:
    return rekey(B, 1, [email("robert@x.org")])


def _is_gone(pair: Pair) -> None:
    judged = ref(9, kind="judgement")
    found = pair.store.get([A, B, judged, ref(9, kind="note")])
    assert set(found) == {B, ref(9, kind="note")}
    assert found[B].body == {"name": "bob"}
    assert found[B].keys == {email("robert@x.org")}
    assert [one.ref for one in pair.store.scan(TENANT, "party").items] == [B]
    pages = pair.store.ledger(TENANT, ["party:a", "party:b"])
    (only,) = pages["party:a"].items
    assert (only.schema, only.body, only.subjects) == (ERASED, {}, ())
    assert only.occurred_at == only.recorded_at == NOW + timedelta(days=9)
    mine, both = pages["party:b"].items
    assert (mine.schema, mine.subjects) == ("note/1", (B.id,))
    assert (both.schema, both.body, both.subjects) == (ERASED, {}, (B.id,))
    reasons = [one.reason for one in pair.store.changes(TENANT).items]
    assert "bob called" in reasons
    assert "ann called" not in reasons


def test_who_is_erased_is_gone_from_the_store() -> None:
    pair = Pair()
    _two_parties(pair)
    report = pair.erase(refs=frozenset({A, ref(9, kind="judgement")}), subjects=frozenset({A.id}))
    assert (report.records, report.entries) == (2, 2)
    assert [one.place for one in report.residual] == ["backups", "journals"]
    _is_gone(pair)
    assert pair.store.find(TENANT, [ANN])[ANN].refs == ()
    (erasure,) = pair.store.erasures(TENANT).items
    assert (erasure.actor, erasure.idem, erasure.subjects) == (BOSS, "idem-canary-4", frozenset({A.id}))


def test_an_old_backup_with_the_keys_of_today_gives_nothing_of_who_was_erased() -> None:
    pair = Pair()
    _two_parties(pair)
    snapshot = pair.inner.export()
    rows = list(snapshot.read(10_000))
    snapshot.close()
    pair.erase(refs=frozenset({A}), subjects=frozenset({A.id}))
    old = MemoryStore(exclusive=EXCLUSIVE)
    old.restore(rows)
    _is_gone(Pair(old, pair.keys))
    opened = lower(Encrypted(lift(old), pair.keys)).export()
    exported = opened.read(10_000)
    (ann,) = [
        row for row in exported if isinstance(row, StoredRecord) and (row.kind, row.id) == ("party", A.id)
    ]
    assert (ann.body, ann.version, ann.keys, ann.sorts) == (None, 1, (), ())
    plain = repr([tuple(row) for row in exported])
    assert "bob" in plain
    assert "ann" not in plain


def test_an_old_file_with_the_keys_of_today_gives_nothing_of_who_was_shredded(tmp_path: Path) -> None:
    inner = SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE)
    pair = Pair(inner)
    _two_parties(pair)
    inner.close()
    shutil.copytree(tmp_path, tmp_path / "backup")
    again = Pair(SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE), pair.keys)
    assert run(again.encrypted.shred(TENANT, [A.id, "nobody"], at=NOW + timedelta(days=9))) == 1
    _is_gone(again)
    again.store.close()
    old = Pair(SqliteStore(tmp_path / "backup" / "crm.db", exclusive=EXCLUSIVE), pair.keys)
    _is_gone(old)
    old.store.close()
    for file in (tmp_path / "backup").iterdir():
        assert b"ann" not in file.read_bytes()


def test_what_two_share_opens_with_both_keys_only() -> None:
    pair = Pair()
    judged = ref(9, kind="judgement")
    pair.write(put(judged, 0, {"a": A.id, "b": B.id}))
    keys = run(pair.keys.keys_for(TENANT, [A.id, B.id]))
    for one in keys.values():
        guessed = MemoryKeyStore()
        guessed._roots, guessed._all = pair.keys._roots, {**pair.keys._all}
        guessed._all[TENANT, one.id] = one._replace(secret=bytes(32))
        with pytest.raises(Corrupt):
            Pair(pair.inner, guessed).get(judged)
    assert pair.get(judged).body == {"a": A.id, "b": B.id}


def test_a_record_that_is_erased_by_itself_takes_no_key_with_it() -> None:
    pair = Pair(subjects=CrmSubjects(more={"note": lambda ref, body: [body["about"]]}))
    note = ref(5, kind="note")
    pair.write(put(A, 0, {"name": "ann"}), put(note, 0, {"about": A.id}))
    report = pair.erase(refs=frozenset({note}))
    assert pair.get(A).body == {"name": "ann"}
    assert pair.get(note) is None
    assert [one.place for one in report.residual] == ["backups", "journals"]


def test_who_comes_back_after_an_erasure_has_a_new_key() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}))
    before = pair.inner.get([A])[A].body["to"]
    pair.erase(refs=frozenset({A}), subjects=frozenset({A.id}))
    pair.write(put(A, 0, {"n": 2}))
    assert pair.get(A).body == {"n": 2}
    assert pair.inner.get([A])[A].body["to"] != before


def test_a_dropped_tenant_has_no_key_left() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}))
    snapshot = pair.inner.export()
    rows = list(snapshot.read())
    snapshot.close()
    assert pair.store.drop_tenant(TENANT).residual == ()
    pair.inner.restore(rows)
    with pytest.raises(WrongKey):
        pair.get(A)


# --- wrong keys, moved and changed rows -----------------------------------------------------------


def test_another_key_store_is_refused_in_a_sentence() -> None:
    pair = Pair()
    pair.write(put(A, 0, {"n": 1}, [ANN]), entry("log:1", A.id))
    empty, other = MemoryKeyStore(), MemoryKeyStore()
    Pair(keys=other).write(put(A, 0, {"n": 1}))
    for keys in (empty, other):
        wrong = Pair(pair.inner, keys)
        calls: list[Callable[[Any], object]] = [
            lambda store: store.get([A]),
            lambda store: store.find(TENANT, [ANN]),
            lambda store: store.ledger(TENANT, ["log:1"]),
            lambda store: store.changes(TENANT),
            lambda store: store.scan(TENANT, "party"),
            lambda store: store.outcome(TENANT, "x"),
            lambda store: store.apply(AsyncWriter(lift(store)).batch(put(B))),
        ]
        for call in calls:
            with pytest.raises(WrongKey, match="key store"):
                call(wrong.store)


def test_what_was_written_without_encryption_is_not_read_as_if() -> None:
    inner = MemoryStore(exclusive=EXCLUSIVE)
    inner.apply(AsyncWriter(lift(inner)).batch(put(A, 0, {"name": "plain"})))
    with pytest.raises(WrongKey):
        Pair(inner).get(A)
    pair = Pair()
    pair.write(put(B))
    pair.inner.apply(AsyncWriter(lift(pair.inner)).batch(put(A, 0, {"name": "plain"})))
    with pytest.raises(Corrupt, match="not sealed"):
        pair.get(A)


def _sealed(pair: Pair, one: Ref) -> dict[str, Any]:
    return dict(pair.inner.get([one])[one].body)


def test_a_body_that_was_moved_to_another_record_is_refused() -> None:
    pair = Pair(
        subjects=CrmSubjects(more={"note": lambda ref, body: [uid(1)], "party": lambda ref, body: [uid(1)]})
    )
    pair.write(
        put(A, 0, {"who": "ann"}), put(B, 0, {"who": "bob"}), put(ref(1, kind="note"), 0, {"who": "note"})
    )
    for source, target, schema in (
        (A, B, 1),
        (A, ref(1, kind="note"), 1),
        (A, A, 2),
    ):
        body = _sealed(pair, source)
        first = AsyncWriter(lift(pair.inner)).batch(
            put(target, pair.inner.get([target])[target].version, body, schema=schema),
            idem=f"t{target}{schema}",
        )
        pair.inner.apply(first)
        with pytest.raises(Corrupt, match="moved here"):
            pair.get(target)


def test_an_entry_that_was_moved_to_another_ledger_is_refused() -> None:
    pair = Pair()
    pair.write(entry("log:1", A.id))
    moved = pair.inner.ledger(TENANT, ["log:1"])["log:1"].items[0]
    made = append("log:2", moved.body)
    draft = attrs.evolve(made.entry, subjects=moved.subjects)
    pair.inner.apply(AsyncWriter(lift(pair.inner)).batch(attrs.evolve(made, entry=draft)))
    with pytest.raises(Corrupt):
        pair.store.ledger(TENANT, ["log:2"])


@settings(max_examples=60)
@given(data=st.data())
def test_a_changed_bit_is_refused(data: st.DataObject) -> None:
    sealer, key, where = Sealer(), bytes(32), place("record", "acme", "party", uid(1), 1)
    box = sealer.seal(Mac(key), where, b"", b'{"name":"ann"}')
    raw = bytearray(base64.b64decode(box))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Corrupt):
        sealer.open(key, where, base64.b64encode(raw).decode())
    with pytest.raises(Corrupt):
        sealer.open(key, where, box[:-4])
    with pytest.raises(Corrupt):
        sealer.open(bytes([1]) * 32, where, box)
    assert sealer.open(key, where, box) == b'{"name":"ann"}'


def test_no_two_boxes_share_key_and_nonce() -> None:
    sealer, key = Sealer(), Mac(bytes(32))
    seen: set[bytes] = set()
    count = 30_000
    for number in range(count):
        which = number % 3
        where = place("record", "acme", "party", str(number) if which == 0 else "x", 1)
        box = sealer.seal(
            key, where, str(number if which == 1 else 0).encode(), str(number if which == 2 else 0).encode()
        )
        seen.add(base64.b64decode(box)[:28])
    assert len(seen) == count
    assert sealer.seal(key, b"a", b"b", b"c") == sealer.seal(key, b"a", b"b", b"c")


def test_a_stored_record_never_shows_itself() -> None:
    assert "canary" not in repr(StoredRecord(TENANT, "party", uid(1), 1, 1, Json('{"a":"canary"}')))


@settings(max_examples=40)
@given(key=st.binary(max_size=64), text=st.binary(max_size=300))
def test_a_mac_that_is_begun_once_is_that_of_the_standard_library(key: bytes, text: bytes) -> None:
    made = Mac(key)
    for _ in range(2):
        assert made.digest(text) == hmac.digest(key, text, "sha256")
    assert repr(made) == "Mac(<hidden>)"

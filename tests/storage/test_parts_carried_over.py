"""A backup and what goes on beside it: erasures that are carried over, others who write, keys, names, and sizes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import attrs
import pytest

import crmcore.storage.sqlite_erasing as sqlite_erasing
from crmcore.errors import (
    BatchTooLarge,
    CommitUnknown,
    Corrupt,
    InvalidRecord,
    NotEmpty,
    Unavailable,
    WrongKey,
)
from crmcore.storage import Erasure, MemoryStore, Ref, Residual, SqliteStore, backup, lift, restore, run
from crmcore.storage.backup_frames import FRAME, HEADER, ROWS, FrameWriter
from crmcore.storage.backup_manifest import opening
from crmcore.storage.backup_read import verify_backup
from crmcore.storage.capability import STREAM
from crmcore.storage.carried_over import erase_again
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, Writer, put, ref
from crmcore.values.source import SYSTEM
from tests.storage.erased_bytes import erasure, fill, left
from tests.storage.test_parts_backup import KEY, small


def each(*numbers: int) -> list[Erasure]:
    return [erasure([number], f"erase-{number}") for number in numbers]


def test_who_writes_while_a_backup_is_restored_does_not_keep_the_erasures_from_being_done(
    tmp_path: Path,
) -> None:
    class Busy(SqliteStore):
        def restore(self, rows: Any) -> Any:
            done = super().restore(rows)
            run(Writer(lift(self))(put(ref(900_000)), idem="of the app"))
            return done

    with SqliteStore(tmp_path / "live.db") as live, Busy(tmp_path / "second.db") as second:
        fill(live, 20)
        backup(live, tmp_path / "b", at=NOW)
        with pytest.raises(Corrupt, match="unless somebody else was writing"):
            restore(second, tmp_path / "b", erasures=each(5))
        assert not left(tmp_path / "second.db", [5])


class Reading(MemoryStore):
    """A store that gives back something else than it was given."""

    lost = changed = "none"

    def export(self, tenants: Any = None) -> Any:
        return _Changed(super().export(tenants), self.lost, self.changed)


class _Changed:
    """A snapshot without the record *lost*, and with another schema of the record *changed*."""

    def __init__(self, within: Any, lost: str, changed: str) -> None:
        self._within, self._lost, self._changed = within, lost, changed

    def read(self, limit: int = 1000) -> Any:
        return [self._seen(row) for row in self._within.read(limit) if getattr(row, "id", "") != self._lost]

    def _seen(self, row: Any) -> Any:
        return row._replace(schema=7) if getattr(row, "id", "") == self._changed else row

    def close(self) -> None:
        self._within.close()


@pytest.mark.parametrize("how", ["lost", "changed"])
def test_what_a_store_does_not_give_back_is_found_out(tmp_path: Path, how: str) -> None:
    small(tmp_path / "b")
    assert restore(Reading(exclusive=EXCLUSIVE), tmp_path / "b").compared == 22
    broken = Reading(exclusive=EXCLUSIVE)
    setattr(broken, how, ref(20).id)
    with pytest.raises(Corrupt, match=r"does not give back .* do not use it") as raised:
        restore(broken, tmp_path / "b")
    assert raised.value.outcome == "unknown"
    assert Corrupt.outcome == "not_applied"


def test_where_nothing_can_be_compared_the_report_says_so(tmp_path: Path) -> None:
    class Mute(MemoryStore):
        def describe(self) -> Any:
            said = super().describe()
            kept = tuple(one for one in said.capabilities if one.name != STREAM)
            return attrs.evolve(said, capabilities=kept)

    small(tmp_path / "b")
    assert restore(Mute(exclusive=EXCLUSIVE), tmp_path / "b").compared is None


def test_who_was_erased_is_erased_also_in_a_store_that_is_not_to_be_used(tmp_path: Path) -> None:
    small(tmp_path / "b")
    broken = Reading(exclusive=EXCLUSIVE)
    broken.changed = ref(20).id
    with pytest.raises(Corrupt):
        restore(broken, tmp_path / "b", erasures=[of_a_record("since", ref(1))])
    assert broken.get([ref(1)]) == {}
    assert broken.erasures(TENANT).items[-1].idem == "since"


class Away(Reading):
    """A store that is out of reach, for one call or more, when all is written."""

    away: frozenset[str] = frozenset()

    def export(self, tenants: Any = None) -> Any:
        self._reach("export")
        return super().export(tenants)

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> Any:
        self._reach("erase")
        return super().erase(erasure, timeout=timeout)

    def _reach(self, call: str) -> None:
        if call in self.away:
            raise Unavailable(f"no {call}")


def test_what_fails_after_all_was_restored_says_that_it_is_there(tmp_path: Path) -> None:
    small(tmp_path / "b")
    since = [of_a_record("since", ref(1))]
    said: dict[str, CommitUnknown] = {}
    for away in ("export", "erase", "export erase"):
        store = Away(exclusive=EXCLUSIVE)
        store.away = frozenset(away.split())
        with pytest.raises(CommitUnknown, match="all of the backup is in the store") as raised:
            restore(store, tmp_path / "b", erasures=since)
        said[away] = raised.value
        assert ("compared" in str(raised.value)) == ("export" in away)
        assert ("erase_again" in str(raised.value)) == ("erase" in away)
        assert (ref(1) in store.get([ref(1)])) == ("erase" in away)
        store.away = frozenset()
        run(erase_again(lift(store), since))
        assert store.get([ref(1)]) == {}
    assert isinstance(said["export"].__cause__, Unavailable)
    assert isinstance(said["erase"].__cause__, Unavailable)
    both = said["export erase"].__cause__
    assert isinstance(both, ExceptionGroup)
    assert [type(one) for one in both.exceptions] == [CommitUnknown, Unavailable]


def test_that_a_store_is_not_to_be_used_is_said_also_if_it_cannot_erase_again(tmp_path: Path) -> None:
    small(tmp_path / "b")
    broken = Away(exclusive=EXCLUSIVE)
    broken.changed, broken.away = ref(20).id, frozenset({"erase"})
    with pytest.raises(CommitUnknown, match=r"do not use it; .* erase_again") as raised:
        restore(broken, tmp_path / "b", erasures=[of_a_record("since", ref(1))])
    assert isinstance(raised.value.__cause__, ExceptionGroup)
    assert [type(one) for one in raised.value.__cause__.exceptions] == [Corrupt, Unavailable]


@pytest.mark.parametrize("how", ["batch", "fence", "erasure"])
def test_an_erasure_whose_key_is_that_of_something_else_is_done_once(tmp_path: Path, how: str) -> None:
    store, second = MemoryStore(), MemoryStore()
    run(Writer(lift(store))(put(ref(1)), put(ref(2))))
    if how == "batch":
        run(Writer(lift(store))(put(ref(3)), idem="taken"))
    elif how == "fence":
        assert store.outcome(TENANT, "taken") is None
    else:
        store.erase(of_a_record("taken", ref(9)))
    backup(store, tmp_path / "b", at=NOW)
    since = [of_a_record("taken", ref(1)), of_a_record("other", ref(2)), of_a_record("taken", ref(1))]
    assert restore(second, tmp_path / "b", erasures=since).erasures == 2
    assert second.get([ref(1), ref(2)]) == {}
    assert run(erase_again(lift(second), since)).erasures == 0
    (first, *_) = [one for one in second.erasures(TENANT).items if one.refs == {ref(1)}]
    assert attrs.evolve(first, idem="taken") == since[0]


def of_a_record(idem: str, one: Ref) -> Erasure:
    return Erasure(tenant=TENANT, refs=frozenset({one}), idem=idem, actor=SYSTEM, at=NOW)


def test_a_restore_that_was_cut_off_before_the_erasures_is_gone_on_with(tmp_path: Path) -> None:
    class Dies(SqliteStore):
        def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> Any:
            raise KeyboardInterrupt

    path = tmp_path / "second.db"
    with SqliteStore(tmp_path / "live.db") as live, Dies(path) as dies:
        fill(live, 20)
        backup(live, tmp_path / "b", at=NOW)
        with pytest.raises(KeyboardInterrupt):
            restore(dies, tmp_path / "b", erasures=each(5, 6))
    with SqliteStore(path) as second:
        with pytest.raises(NotEmpty):
            restore(second, tmp_path / "b", erasures=each(5, 6))
        for count in (2, 0):
            done = run(erase_again(lift(second), each(5, 6)))
            assert (done.erasures, done.residual) == (count, ())
        assert not left(path, [5, 6])


def test_several_erasures_write_a_file_anew_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    rewrite = sqlite_erasing._rewrite
    monkeypatch.setattr(sqlite_erasing, "_rewrite", lambda *given: calls.append(rewrite(*given)))
    with SqliteStore(tmp_path / "live.db") as live, SqliteStore(tmp_path / "second.db") as second:
        fill(live, 20)
        backup(live, tmp_path / "b", at=NOW)
        report = restore(second, tmp_path / "b", erasures=each(5, 6, 7, 8))
        assert (report.erasures, report.residual, len(calls)) == (4, (), 1)
        assert not left(tmp_path / "second.db", [5, 6, 7, 8])


def test_what_each_erasure_leaves_is_told(tmp_path: Path) -> None:
    class Leaves(MemoryStore):
        def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> Any:
            places = {"since-1": "heap", "since-2": "replicas"}
            there = [Residual(place=places[erasure.idem], what="rows", remedy="wait")]
            residual = tuple(there) if erasure.idem in places else ()
            return attrs.evolve(super().erase(erasure, timeout=timeout), residual=residual)

    small(tmp_path / "b")
    report = restore(
        Leaves(), tmp_path / "b", erasures=[erasure([number], f"since-{number}") for number in (1, 2)]
    )
    assert [one.place for one in report.residual] == ["heap", "replicas"]


def test_a_file_that_appeared_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "b"
    store = MemoryStore()
    run(Writer(lift(store))(*(put(ref(number)) for number in range(1100))))

    def appears(rows: int) -> None:
        path.write_text("precious")

    with pytest.raises(Unavailable, match="already"):
        backup(store, path, at=NOW, on_progress=appears)
    assert path.read_text() == "precious"
    assert [file.name for file in tmp_path.iterdir()] == ["b"]


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", none)
    small(tmp_path / "b")
    assert verify_backup(tmp_path / "b").records
    assert [file.name for file in tmp_path.iterdir()] == ["b"]


def test_a_backup_says_that_it_is_sealed_with_a_key(tmp_path: Path) -> None:
    small(tmp_path / "sealed", KEY)
    small(tmp_path / "open")
    with pytest.raises(WrongKey, match="is sealed with a key"):
        restore(MemoryStore(), tmp_path / "sealed")
    with pytest.raises(WrongKey, match="is not sealed"):
        verify_backup(tmp_path / "open", key=KEY)
    with pytest.raises(Corrupt, match="not made with this key"):
        verify_backup(tmp_path / "sealed", key=bytes(32))


@pytest.mark.parametrize("key", [b"", b"k" * 15, "k" * 32])
def test_a_key_that_could_be_guessed_is_refused(tmp_path: Path, key: Any) -> None:
    small(tmp_path / "b")
    with pytest.raises(InvalidRecord, match="16 bytes"):
        backup(MemoryStore(), tmp_path / "c", at=NOW, key=key)
    with pytest.raises(InvalidRecord, match="16 bytes"):
        verify_backup(tmp_path / "b", key=key)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("tenants", ["acme", ["acmee"], [TENANT, "acmee"]])
def test_a_tenant_that_has_nothing_is_not_backed_up_in_silence(tmp_path: Path, tenants: Any) -> None:
    store = MemoryStore()
    run(Writer(lift(store))(put(ref(1))))
    with pytest.raises(InvalidRecord, match="tenants"):
        backup(store, tmp_path / "b", at=NOW, tenants=tenants)
    assert not list(tmp_path.iterdir())
    assert backup(store, tmp_path / "b", at=NOW, tenants=[TENANT]).tenants == 1


def test_a_small_file_of_one_endless_row_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "bad").open("wb") as sink:
        writer = FrameWriter(sink, None)
        writer.frame(HEADER, opening(MemoryStore().describe(), NOW))
        for _ in range(250):
            writer.frame(ROWS, b"0" * FRAME)
        writer.end()
    tracemalloc.start()
    with pytest.raises(Corrupt, match="longer"):
        verify_backup(tmp_path / "bad")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


def test_what_could_not_be_restored_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmcore.storage.backup_write.LONGEST", 1000)
    store = MemoryStore()
    run(Writer(lift(store))(put(ref(1), 0, {"text": "x" * 1000})))
    with pytest.raises(BatchTooLarge):
        backup(store, tmp_path / "b", at=NOW)


def test_large_rows_are_backed_up_and_restored_in_little_memory(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store, SqliteStore(tmp_path / "second.db") as second:
        for number in range(60):
            row = put(ref(number), 0, {"text": "x" * 1_000_000})
            run(Writer(lift(store))(row, idem=f"b{number}"))
        tracemalloc.start()
        backup(store, tmp_path / "b", at=NOW)
        _, written = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        restore(second, tmp_path / "b")
        _, restored = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert written < 25 << 20
    assert restored < 40 << 20

"""The backup file: what it holds comes back, in a store of any kind, and nothing of a damaged one does."""

from __future__ import annotations

import errno
import os
import random
import tempfile
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings

import crmcore.storage.backup_read as backup_read
import crmcore.storage.backup_restore as backup_restore
from crmcore.errors import (
    CapabilityMissing,
    Corrupt,
    InvalidRecord,
    NotEmpty,
    SchemaMismatch,
    StoreError,
    Unavailable,
    WrongKey,
)
from crmcore.storage import (
    AsyncStore,
    MemoryStore,
    Multiset,
    SqliteStore,
    backup_of,
    eraser_of,
    lift,
    run,
)
from crmcore.storage.backup_frames import FRAME, HEADER, MAGIC, MANIFEST, ROWS, FrameWriter, frames
from crmcore.storage.backup_manifest import Tally, opening, summary
from crmcore.storage.backup_read import verify_backup
from crmcore.storage.backup_restore import restore, restore_backup
from crmcore.storage.backup_rows import row_of
from crmcore.storage.backup_write import backup, write_backup
from crmcore.storage.carried_over import all_erasures
from crmcore.storage.stored import line
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, Writer, put, ref, uid
from tests.storage import frozen_history
from tests.storage.erased_bytes import erasure as erasure_of_people
from tests.storage.erased_bytes import fill, left
from tests.storage.test_parts_erasure import erasure, rows
from tests.storage.test_parts_restore import KINDS, filled, play, seen, steps

KEY = bytes(range(32))


def memory() -> AsyncStore:
    return lift(MemoryStore(exclusive=EXCLUSIVE))


def small(path: Path, key: bytes | None = None) -> bytes:
    """The bytes of a backup of a little of everything."""

    async def flow() -> None:
        store = memory()
        await filled(store)
        await write_backup(store, path, at=NOW, key=key)

    run(flow())
    return path.read_bytes()


@pytest.mark.parametrize("other", KINDS)
def test_what_was_backed_up_comes_back_in_a_store_of_any_kind(world: Any, other: str) -> None:
    async def flow() -> None:
        first, second = world.fresh(), world.fresh(other)
        await filled(first)
        path = world.folder / "crm.backup"
        told = await write_backup(first, path, at=NOW)
        report = await restore_backup(second, path)
        assert report.manifest == told == verify_backup(path)
        assert (report.erasures, report.residual) == (0, ())
        assert report.compared == len(await rows(first))
        assert await rows(second) == await rows(first)
        assert await seen(second) == await seen(first)
        assert told.multiset == Multiset(await rows(first)).hexdigest()
        assert (told.tenants, told.records, told.entries, told.at) == (2, 6, 5, NOW)
        assert told.exclusive == EXCLUSIVE

    world.run(flow, other)


@settings(max_examples=25)
@given(history=steps)
def test_a_backup_goes_from_kind_to_kind_and_back_unchanged(history: Any) -> None:
    async def flow(folder: Path) -> None:
        first, second, third = memory(), lift(SqliteStore(folder / "a.db", exclusive=EXCLUSIVE)), memory()
        await play(first, history)
        await write_backup(first, folder / "1", at=NOW)
        await restore_backup(second, folder / "1")
        await write_backup(second, folder / "2", at=NOW)
        await restore_backup(third, folder / "2")
        assert list(map(line, await rows(third))) == list(map(line, await rows(first)))
        await second.close()

    with tempfile.TemporaryDirectory() as folder:
        run(flow(Path(folder)))


def test_a_row_and_its_line_are_one_to_one(tmp_path: Path) -> None:
    async def flow() -> None:
        store = memory()
        await filled(store)
        for row in await rows(store):
            assert row_of(line(row)) == row

    run(flow())


def test_a_backup_of_version_1_is_restored_for_ever() -> None:
    async def flow() -> None:
        store, then = memory(), memory()
        await restore_backup(store, Path(__file__).parent / "frozen" / "backup_1.bin")
        await frozen_history.play(then)
        assert list(map(line, await rows(store))) == list(map(line, await rows(then)))

    run(flow())


# --- damage -------------------------------------------------------------------------------------------


def refused(path: Path, data: bytes, key: bytes | None = None) -> str:
    """Write *data* and see it refused, by looking at it and by restoring it, with nothing written."""
    path.write_bytes(data)
    with pytest.raises((Corrupt, WrongKey)) as caught:
        verify_backup(path, key=key)
    store = MemoryStore(exclusive=EXCLUSIVE)
    with pytest.raises((Corrupt, WrongKey)):
        restore(store, path, key=key)
    assert run(rows(lift(store))) == []
    return str(caught.value)


def test_any_flipped_byte_is_found(tmp_path: Path) -> None:
    good = small(tmp_path / "good")
    chance = random.Random(5)
    places = [*chance.sample(range(len(good)), 200), 0, len(good) - 1]
    for place in places:
        flipped = bytearray(good)
        flipped[place] ^= chance.randrange(1, 256)
        refused(tmp_path / "bad", bytes(flipped))


def test_any_flipped_byte_is_found_with_a_key(tmp_path: Path) -> None:
    good = small(tmp_path / "good", KEY)
    chance = random.Random(6)
    for place in chance.sample(range(len(good)), 100):
        flipped = bytearray(good)
        flipped[place] ^= 1 << chance.randrange(8)
        refused(tmp_path / "bad", bytes(flipped), KEY)


def test_a_file_that_is_cut_off_or_goes_on_is_refused(tmp_path: Path) -> None:
    good = small(tmp_path / "good")
    for size in [*range(0, len(good), 7), len(good) - 1, len(good) - 32, len(good) - 33]:
        refused(tmp_path / "bad", good[:size])
    for more in (b"\0", b"x" * 100, good):
        refused(tmp_path / "bad", good + more)


def test_a_file_of_another_key_or_of_none_is_refused(tmp_path: Path) -> None:
    plain, keyed = small(tmp_path / "plain"), small(tmp_path / "keyed", KEY)
    refused(tmp_path / "bad", plain, KEY)
    refused(tmp_path / "bad", keyed)
    refused(tmp_path / "bad", keyed, bytes(32))
    assert verify_backup(tmp_path / "keyed", key=KEY).multiset


def forged(*parts: tuple[bytes, bytes]) -> bytes:
    """A file that is sealed as it should be, of any parts."""
    sink = BytesIO()
    writer = FrameWriter(sink, None)
    for letter, text in parts:
        writer.frame(letter, text)
    writer.end()
    return sink.getvalue()


def whole(lines: str) -> bytes:
    """A file with any lines, and a manifest of no rows."""
    head = opening(MemoryStore(exclusive=EXCLUSIVE).describe(), NOW)
    return forged(
        (HEADER, head), (ROWS, lines.encode("utf-8", "surrogatepass")), (MANIFEST, summary(Tally(None)))
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "7",
        '"tenant"',
        '["tenant"]',
        '["tenant","acme","zz"]',
        '["tenant", "acme",""]',
        '["tenant","acme","AB"]',
        '["secret","qanary"]',
        '["record","acme","party","qanary",1,1,{},[],[]',
        '["record","acme","party","x",1.0,1,{},[],[]]',
        '["record","acme","party","x",NaN,1,{},[],[]]',
        '["record","acme","party","x",1,1,{"b":1,"a":1},[],[]]',
        '["record","acme","party","x",1,1,{},[["a"]],[]]',
        '["record","acme","party","x",1,1,{},[],[["a","b","zz"]]]',
        '["entry","acme","log",1,0,0,"ab","note/1",{}]',
        '["batch","acme","i","zz",0,"",null,[],null,null]',
        '["batch","acme","i",null,0,"",null,[[1]],null,null]',
        '["batch","acme","i",null,0,"",null,[],[],null]',
        '["record","acme","party","x",1,1,{"a":"\ud800"},[],[]]',
        "[" * 100_000,
        "9" * 5_000,
        '["record","acme","party","x",1,1,' + '{"a":' * 2_000 + "{}" + "}" * 2_000 + ",[],[]]",
    ],
)
def test_a_row_that_is_none_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    said = refused(tmp_path / "bad", whole(text + "\n"))
    assert said.startswith("a row of the backup")
    assert "qanary" not in said


def test_parts_in_another_order_are_refused(tmp_path: Path) -> None:
    head = opening(MemoryStore().describe(), NOW)
    ends = summary(Tally(None))
    row = b'["tenant","acme",""]\n'
    good = [(HEADER, head), (ROWS, b""), (MANIFEST, ends)]
    (tmp_path / "good").write_bytes(forged(*good))
    assert verify_backup(tmp_path / "good").tenants == 0
    for parts in (
        [],
        good[:1],
        good[1:],
        [*good, good[1]],
        [*good, good[2]],
        [good[0], *good],
        [good[0], (ROWS, row), good[2]],
        [good[0], (ROWS, row[:-1]), good[2]],
        [(HEADER, b"{}"), *good[1:]],
        [(HEADER, b"[" * 100_000), *good[1:]],
        [good[0], good[1], (MANIFEST, b"{}")],
    ):
        refused(tmp_path / "bad", forged(*parts))


def test_a_file_that_unpacks_to_more_than_it_says_takes_no_memory(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    for size in (10, FRAME):
        data = MAGIC + ROWS + len(bomb).to_bytes(4, "big") + size.to_bytes(4, "big") + bomb
        tracemalloc.start()
        with pytest.raises(Corrupt):
            list(frames(BytesIO(data), None))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * FRAME
    data = MAGIC + ROWS + b"\xff" * 8
    with pytest.raises(Corrupt):
        list(frames(BytesIO(data), None))


def test_a_row_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_read, "LONGEST", 3 * FRAME)
    head = opening(MemoryStore().describe(), NOW)
    said = refused(tmp_path / "bad", forged((HEADER, head), *[(ROWS, b" " * FRAME)] * 4))
    assert "longer" in said


def test_a_newer_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer"
    head = opening(MemoryStore().describe(), NOW).replace(b'"format":1', b'"format":2')
    path.write_bytes(forged((HEADER, head), (MANIFEST, summary(Tally(None)))))
    with pytest.raises(SchemaMismatch, match="newer"):
        verify_backup(path)


def test_a_file_that_changes_after_it_was_checked_restores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crm.backup"
    data = bytearray(small(path))

    def verified(source: Path, **options: Any) -> Any:
        found = verify_backup(source, **options)
        data[-1] ^= 1
        path.write_bytes(data)
        return found

    monkeypatch.setattr(backup_restore, "verify_backup", verified)
    for store in (memory(), lift(SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE))):
        path.write_bytes(data := bytearray(small(tmp_path / f"{id(store)}.backup")))
        with pytest.raises(Corrupt):
            run(restore_backup(store, path))
        assert run(rows(store)) == []
        run(store.close())


def test_a_store_that_keeps_something_else_is_found_out(tmp_path: Path) -> None:
    class Forgetful(MemoryStore):
        def restore(self, rows: Any) -> Any:
            return super().restore(row for row in rows if getattr(row, "id", "") != uid(20))

    path = tmp_path / "crm.backup"
    small(path)
    with pytest.raises(Corrupt, match="not write all"):
        restore(Forgetful(exclusive=EXCLUSIVE), path)


# --- the file -----------------------------------------------------------------------------------------


def test_a_backup_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "crm.backup"

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space"):
            small(path)
    assert list(tmp_path.iterdir()) == []
    small(path)
    assert list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_no_backup_is_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "crm.backup"
    path.write_text("something")
    with pytest.raises(Unavailable, match="already"):
        small(path)
    assert path.read_text() == "something"


@pytest.mark.parametrize("name", ["none/crm.backup", "", "a\0b", "x" * 300])
def test_a_place_that_cannot_be_used_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unavailable):
        small(tmp_path / name)
    if "\0" not in name:
        with pytest.raises(Unavailable):
            verify_backup(tmp_path / name)


def test_a_file_without_a_header_is_told_apart(tmp_path: Path) -> None:
    assert "no backup" in refused(tmp_path / "bad", b"SQLite format 3\0" + bytes(100))
    refused(tmp_path / "bad", b"")


def test_progress_is_told_in_rows(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db", exclusive=EXCLUSIVE)
    fill(store, 500)
    told: list[int] = []
    manifest = backup(store, tmp_path / "b", at=NOW, on_progress=told.append)
    assert told == [1000, 2000]
    assert manifest.records == 500
    verify_backup(tmp_path / "b", on_progress=told.append)
    restore(
        MemoryStore(exclusive=EXCLUSIVE), tmp_path / "b", on_progress=told.append, on_comparing=told.append
    )
    assert told == [1000, 2000] * 4
    store.close()


# --- restoring ----------------------------------------------------------------------------------------


def test_only_an_empty_store_is_restored_into(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        small(world.folder / "b")
        await Writer(store)(put(ref(70)))
        before = await rows(store)
        with pytest.raises(NotEmpty):
            await restore_backup(store, world.folder / "b")
        assert await rows(store) == before

    world.run(flow)


def test_a_store_with_fewer_exclusive_namespaces_is_not_restored_into(tmp_path: Path) -> None:
    small(tmp_path / "b")
    store = MemoryStore(exclusive={"source"})
    with pytest.raises(SchemaMismatch, match="member"):
        restore(store, tmp_path / "b")
    assert run(rows(lift(store))) == []
    restore(MemoryStore(exclusive={*EXCLUSIVE, "more"}), tmp_path / "b")


def test_what_was_erased_since_is_erased_again(world: Any) -> None:
    async def flow() -> None:
        live, second = world.fresh(), world.fresh()
        await filled(live)
        path = world.folder / "b"
        await write_backup(live, path, at=NOW)
        await eraser_of(live).erase(erasure("since-1", refs=[ref(1)], subjects=[uid(1)]))
        await eraser_of(live).erase(erasure("since-2", subjects=[uid(20)]))
        since = await all_erasures(live)
        assert [one.idem for one in since] == ["erase-1", "since-1", "since-2"]
        strange = attrs.evolve(erasure("since-3"), tenant="not in the backup")
        report = await restore_backup(second, path, erasures=[*since, strange])
        assert (report.erasures, report.residual) == (2, world.residual)
        assert await all_erasures(second) == since
        mine, theirs = await seen(live), await seen(second)
        for one in (*mine, *theirs):
            for change in one.changes:  # the keys of what was stripped are hashed with another pepper
                if change.idem.startswith("erased:"):
                    object.__setattr__(change, "idem", "erased")
        assert theirs == mine

    world.run(flow)


def test_nothing_of_what_was_erased_since_is_left_in_the_restored_file(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "live.db") as live, SqliteStore(tmp_path / "second.db") as second:
        fill(live, 200)
        backup(live, tmp_path / "b", at=NOW)
        live.erase(erasure_of_people([5, 6, 7]))
        report = restore(second, tmp_path / "b", erasures=run(all_erasures(lift(live))))
        assert (report.erasures, report.residual) == (1, ())
        assert not left(tmp_path / "second.db", [5, 6, 7])
        assert left(tmp_path / "second.db", [8])


def test_what_a_store_does_not_claim_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    class Plain(MemoryStore):
        def describe(self) -> Any:
            return attrs.evolve(super().describe(), capabilities=())

    with pytest.raises(CapabilityMissing):
        backup(Plain(exclusive=EXCLUSIVE), tmp_path / "none", at=NOW)
    assert list(tmp_path.iterdir()) == []
    small(tmp_path / "b")
    with pytest.raises(CapabilityMissing):
        restore(Plain(exclusive=EXCLUSIVE), tmp_path / "b")


def test_some_tenants_can_be_backed_up_alone(tmp_path: Path) -> None:
    async def flow() -> None:
        store, second = memory(), memory()
        await filled(store)
        manifest = await write_backup(store, tmp_path / "b", at=NOW, tenants=["zeta"])
        assert (manifest.tenants, manifest.records) == (1, 1)
        await restore_backup(second, tmp_path / "b")
        assert await rows(second) == [row for row in await rows(store) if row.tenant == "zeta"]

    run(flow())


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord):
        backup(MemoryStore(), tmp_path / "b", at=NOW.replace(tzinfo=None))
    assert list(tmp_path.iterdir()) == []


def test_no_error_and_no_repr_shows_what_is_in_a_backup(tmp_path: Path) -> None:
    async def flow() -> None:
        store = memory()
        await Writer(store)(put(ref(1), 0, {"name": "qanary"}), idem="qanary")
        shown = repr(await rows(store)) + repr(await write_backup(store, tmp_path / "b", at=NOW))
        with pytest.raises(StoreError) as caught:
            await backup_of(store).restore(await rows(store))
        assert "qanary" not in shown + str(caught.value)
        assert TENANT in shown

    run(flow())

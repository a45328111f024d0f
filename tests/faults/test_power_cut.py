"""What power cuts, failing syncs and a full disk leave of an SQLite store; at length in `tests.faults.power_cut`."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from crmcore.errors import Corrupt, StoreError, StoreFull
from crmcore.storage import Batch, SqliteStore
from crmcore.testing.kit import Picture
from tests.faults.disk import Disk, Inode, LoggingVfs, Truncate, Write, content, survivors
from tests.faults.driver import driven_by, through_vfs
from tests.faults.power_cut import NAME, Image, Run, campaign, expected, intact, judged, numbered, seen


@contextmanager
def on_disk(disk: Disk) -> Iterator[None]:
    """Let stores be opened on *disk*."""
    vfs = LoggingVfs("power-test", disk)
    try:
        with driven_by(through_vfs("power-test")):
            yield
    finally:
        vfs.unregister()


# --- power cuts ---------------------------------------------------------------------------------------


def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    found = campaign(200, tmp_path, first=8, each=150)  # the second life writes much
    assert found == {"whole": 200}


def test_the_harness_sees_what_a_weaker_setting_loses(tmp_path: Path) -> None:
    (tmp_path / "normal").mkdir()
    assert campaign(80, tmp_path / "normal", synchronous="NORMAL")["lost"] > 10
    (tmp_path / "off").mkdir()
    found = campaign(80, tmp_path / "off", synchronous="OFF")
    assert found["lost"] > 10
    assert found["torn"] + found["damaged"] > 5


def test_each_verdict_can_be_given(tmp_path: Path) -> None:
    life = Run(seed=1, folder=tmp_path, images=1)
    life.live()
    data = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    pictures = expected(1, life.sent, life.text)

    def verdict(name: str, taken: Image) -> str:
        return judged(taken, tmp_path / name, pictures, lambda number: numbered(1, number, life.text))

    whole = Image(files=data, acknowledged=life.sent, sent=life.sent)
    assert verdict("whole", whole) == "whole"
    assert verdict("lost", attrs.evolve(whole, files={})) == "lost"
    assert verdict("torn", Image(files=data, acknowledged=0, sent=1)) == "torn"
    broken = bytearray(data[NAME])
    broken[4096 * 3 :] = bytes(len(broken) - 4096 * 3)
    assert verdict("damaged", attrs.evolve(whole, files={NAME: bytes(broken)})) == "damaged"


def test_a_store_that_has_lost_its_settings_says_so(tmp_path: Path) -> None:
    SqliteStore(tmp_path / NAME).close()
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("DELETE FROM meta WHERE name = 'exclusive'")
    connection.commit()
    connection.close()
    with pytest.raises(Corrupt, match="settings"):
        SqliteStore(tmp_path / NAME)


# --- the model of a disk ------------------------------------------------------------------------------


def test_what_was_synced_is_in_every_picture() -> None:
    disk = Disk(names={"a": Inode(b"0123456789", [Write(0, b"x" * 4), Truncate(6)])})
    chance = random.Random(1)
    pictures = {disk.cut(chance)["a"] for _ in range(300)}
    assert pictures == {b"0123456789", b"xxxx456789", b"xxxx45", b"012345"}


def test_a_write_is_torn_at_sectors() -> None:
    chance = random.Random(1)
    write = Write(500, b"x" * 1000)
    seen = {content(Inode(b"-" * 1500), survivors([write], "torn", chance)) for _ in range(300)}
    assert len(seen) == 2**3
    assert {data[500:512] for data in seen} == {b"-" * 12, b"x" * 12}


def test_a_name_is_there_for_sure_when_its_folder_was_synced() -> None:
    disk = Disk(moved=[("a", Inode(b"x"))])
    chance = random.Random(1)
    assert {len(disk.cut(chance)) for _ in range(100)} == {0, 1}
    disk.sync_folder()
    assert {len(disk.cut(chance)) for _ in range(100)} == {1}
    disk.moved.append(("a", None))
    assert {len(disk.cut(chance)) for _ in range(100)} == {0, 1}


# --- a sync that fails, a disk that is full -----------------------------------------------------------


def test_a_batch_whose_sync_failed_is_never_acknowledged(tmp_path: Path) -> None:
    """Each sync of a store's life fails once; what the errors say is what is there, also after a power cut."""
    number, failed = 0, 0
    while True:
        number += 1
        disk = Disk(fail_sync={number})
        folder = tmp_path / str(number)
        folder.mkdir()
        failed += len(life_with_errors(folder / NAME, disk))
        if disk.syncs < number:
            break
    assert number > 8
    assert failed >= number - 3, "the last syncs are those of closing, which has nothing to acknowledge"


def life_with_errors(path: Path, disk: Disk) -> list[StoreError]:
    """Make a store and write three batches, again where an error says that it may be; give the errors."""
    errors: list[StoreError] = []
    pictures = expected(1, 3, 300)
    with on_disk(disk):
        store = opened(path, errors)
        for number in range(3):
            batch = numbered(1, number, 300)
            error = failure(store, batch)
            if error is not None:
                errors.append(error)
                with SqliteStore(path) as other:
                    there = seen(other)
                assert there in (pictures[number], pictures[number + 1])
                assert error.outcome == "unknown" or there == pictures[number]
                store.apply(batch)
            after_a_cut(disk, path.parent / f"batch-{number}", number + 1, pictures)
        store.close()
    return errors


def failure(store: SqliteStore, batch: Batch) -> StoreError | None:
    try:
        store.apply(batch)
    except StoreError as error:
        return error
    return None


def opened(path: Path, errors: list[StoreError]) -> SqliteStore:
    try:
        return SqliteStore(path)
    except StoreError as error:
        errors.append(error)
        return SqliteStore(path)


def after_a_cut(disk: Disk, folder: Path, number: int, pictures: list[Picture]) -> None:
    """Exactly *number* batches are there, wherever the power goes."""
    folder.mkdir()
    for chance in map(random.Random, range(5)):
        image = Image(files=disk.cut(chance), acknowledged=number, sent=number)
        with driven_by(sqlite3.dbapi2.connect):
            found = judged(image, folder / str(chance.random()), pictures, lambda at: numbered(1, at, 300))
        assert found == "whole"


def test_a_full_disk_leaves_whole_batches(tmp_path: Path) -> None:
    """With room for ever more bytes, each batch is there or was refused, and the store goes on when there is room."""
    refused = 0
    pictures = expected(1, 40, 300)
    for room in range(60_000, 300_000, 15_000):
        folder = tmp_path / str(room)
        folder.mkdir()
        disk = Disk()
        with on_disk(disk), SqliteStore(folder / NAME) as store:
            disk.room = room
            number, error = 0, None
            while number < 40 and error is None:
                error = failure(store, numbered(1, number, 300))
                number += error is None
            if error is not None:
                refused += 1
                assert isinstance(error, StoreFull)
                assert error.outcome == "not_applied"
                assert seen(store) == pictures[number]
                after_a_cut(disk, folder / "cut", number, pictures)
            disk.room = None
            assert not store.apply(numbered(1, number, 300)).replayed
        assert intact(folder / NAME)
    assert refused > 10

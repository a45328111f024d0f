"""`SqliteStore` under several threads and several processes; those that are killed are in `tests.faults`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from crmcore.errors import VersionConflict
from crmcore.storage import Batch, SqliteStore
from crmcore.testing.kit import TENANT, Writer, append, put, ref

ROOT = Path(__file__).parents[2]


def batch(*ops: object, idem: str) -> Batch:
    return Writer(None, TENANT).batch(*ops, idem=idem)  # type: ignore[arg-type]  # only the batch is made


def count_up(store: SqliteStore, name: str, times: int) -> None:
    """Add to one counter with compare-and-swap, and write each step down."""
    for step in range(times):
        for attempt in range(10_000):
            now = store.get([ref(1)])[ref(1)]
            body = {"n": now.body["n"] + 1}
            try:
                store.apply(
                    batch(
                        put(ref(1), now.version, body), append("log:1", body), idem=f"{name}-{step}-{attempt}"
                    )
                )
            except VersionConflict:
                continue
            break


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python that runs *code* with these tests importable."""
    path = os.pathsep.join([str(ROOT), *(entry for entry in sys.path if entry)])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def assert_counted(store: SqliteStore, total: int) -> None:
    assert store.get([ref(1)])[ref(1)].body == {"n": total}
    entries = store.ledger(TENANT, ["log:1"], limit=1000)["log:1"].items
    assert [(entry.seq, entry.body["n"]) for entry in entries] == [(n, n) for n in range(1, total + 1)]
    changes = store.changes(TENANT, limit=10_000).items
    assert len(changes) == 2 * total + 1
    for first, second in zip(changes[1::2], changes[2::2], strict=True):
        assert (first.idem, first.op, second.op) == (second.idem, "put", "append")
        assert second.seq == (first.version or 0) - 1


def together(*works: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_threads_lose_no_update(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        store.apply(batch(put(ref(1), 0, {"n": 0}), idem="start"))
        together(*(lambda name=name: count_up(store, f"thread-{name}", 20) for name in range(6)))
        assert_counted(store, 120)


def test_processes_lose_no_update(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    code = (
        "import sys; from crmcore.storage import SqliteStore; from tests.storage.test_sqlite_many import count_up\n"
        "with SqliteStore(sys.argv[1]) as store: count_up(store, sys.argv[2], 40)"
    )
    with SqliteStore(path) as store:
        store.apply(batch(put(ref(1), 0, {"n": 0}), idem="start"))
        children = [child(code, path, name) for name in ("one", "two")]
        count_up(store, "parent", 40)
        assert [each.wait(60) for each in children] == [0, 0]
        for each in children:
            each.communicate()
        assert_counted(store, 120)


def test_processes_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    code = (
        "import sys; from crmcore.storage import SqliteStore\n"
        "from tests.storage.test_sqlite_many import batch, put, ref\n"
        "with SqliteStore(sys.argv[1]) as s: s.apply(batch(put(ref(int(sys.argv[2]))), idem=sys.argv[2]))"
    )
    children = [child(code, path, number) for number in range(4)]
    assert [each.wait(60) for each in children] == [0] * 4
    for each in children:
        each.communicate()
    with SqliteStore(path) as store:
        assert len(store.scan(TENANT, "party").items) == 4


def test_a_read_is_one_moment_while_others_write(tmp_path: Path) -> None:
    """Two records are always changed together; no reader may see one without the other."""
    done = threading.Event()

    def move() -> None:
        for step in range(1, 150):
            n = {"n": step}
            store.apply(
                batch(put(ref(1), step, n), put(ref(2), step, n), append("a"), append("b"), idem=f"m{step}")
            )
        done.set()

    def look() -> None:
        while not done.is_set():
            found = store.get([ref(1), ref(2)])
            assert found[ref(1)].body == found[ref(2)].body
            pages = store.ledger(TENANT, ["a", "b"], limit=1000)
            assert len(pages["a"].items) == len(pages["b"].items)
            assert len({one.version for one in store.scan(TENANT, "party").items}) == 1

    with SqliteStore(tmp_path / "crm.db") as store:
        store.apply(batch(put(ref(1), 0, {"n": 0}), put(ref(2), 0, {"n": 0}), idem="m0"))
        together(move, look, look)

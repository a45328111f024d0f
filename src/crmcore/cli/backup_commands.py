"""``crmcore backup``, ``restore``, ``verify`` and ``erasures``: a store in one file, and back.

Invariant: nothing is made or written before what is read was checked: a damaged backup makes no store.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from crmcore.app.erasures_whose import by_mark
from crmcore.cli.outputs import check_outputs, store_files
from crmcore.cli.stores import PATIENCE, CommandStore, existing_store
from crmcore.cli.terminal import DONE, INCOMPLETE, Terminal, counted
from crmcore.errors import Corrupt, UnreadableFile
from crmcore.storage import EXCLUSIVE, Erasure, lift, run
from crmcore.storage.backup_manifest import Manifest
from crmcore.storage.backup_read import verify_backup
from crmcore.storage.backup_restore import RestoreReport, restore
from crmcore.storage.backup_write import backup
from crmcore.storage.carried_over import ErasedAgain, all_erasures, all_tenants, erase_again
from crmcore.storage.erasures_file import erasure_document, erasure_line, erasures_in

_SQLITE = b"SQLite format 3\0"


def run_backup(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the whole of a store into a new file."""
    check_outputs([options.file], [*store_files(options.store), options.key_file])
    with existing_store(options.store) as store:
        manifest = backup(
            store,
            options.file,
            at=datetime.now(UTC),
            key=_key(options),
            on_progress=_progress(terminal, "backing up"),
        )
    _tell("backed up", manifest, terminal)
    terminal.result({"file": options.file.name, "manifest": _document(manifest)})
    return DONE


def run_restore(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write a backup into a store that is made for it, or has nothing of its tenants."""
    check_outputs(store_files(options.store), [options.file, options.erasures, options.key_file])
    erasures, key = _erasures(options), _key(options)
    manifest = verify_backup(options.file, key=key, on_progress=_progress(terminal, "checking"))
    if options.erasures_only:
        return _erase_again(options, manifest, erasures, terminal)
    exclusive = EXCLUSIVE | manifest.exclusive
    with CommandStore.open(options.store, exclusive=exclusive, timeout=PATIENCE) as store:
        report = restore(
            store,
            options.file,
            erasures=erasures,
            key=key,
            verified=manifest,
            on_progress=_progress(terminal, "restoring"),
            on_comparing=_progress(terminal, "comparing"),
        )
        there = set(run(all_tenants(lift(store)))) if erasures else set[str]()
    _tell("restored", manifest, terminal)
    if report.compared is None:
        terminal.text("nothing was compared: this store gives no snapshots")
    else:
        terminal.text(f"{counted(report.compared, 'row', 'rows')} read back and compared with the backup")
    if erasures:
        terminal.text(counted(report.erasures, "erasure", "erasures") + " done again")
    told = {**attrs.asdict(report.restored), "compared": report.compared}
    people = _people(erasures, there) if report.erasures else 0
    return _left_behind(report, report.manifest, told, people, terminal)


def _erase_again(
    options: argparse.Namespace, manifest: Manifest, erasures: tuple[Erasure, ...], terminal: Terminal
) -> int:
    """Go on with a restore that was cut off after the rows were there."""
    with existing_store(options.store) as store:
        there = set(run(all_tenants(lift(store))))
        done = run(erase_again(lift(store), [one for one in erasures if one.tenant in there]))
    terminal.text(counted(done.erasures, "erasure", "erasures") + " done again")
    people = _people(erasures, there) if done.erasures else 0
    return _left_behind(done, manifest, None, people, terminal)


def _people(erasures: tuple[Erasure, ...], tenants: Collection[str]) -> int:
    """How many people of *tenants* were erased by a crm, which wrote something beside it."""
    return sum(len(by_mark(one for one in erasures if one.tenant == tenant)) for tenant in tenants)


def _left_behind(
    done: RestoreReport | ErasedAgain,
    manifest: Manifest,
    restored: dict[str, int | None] | None,
    people: int,
    terminal: Terminal,
) -> int:
    for one in done.residual:
        terminal.text(f"{one.place}: {one.what}; {one.remedy}")
    if done.residual:
        terminal.error("something of what was erased is left behind: its place is on standard output")
    if people:
        terminal.error(
            f"{counted(people, 'person was', 'people were')} erased by crm.requests or crm.retention: what that wrote "
            "beside it (suppressed addresses, a no that stays for others, restrictions) is not carried over by this "
            "command, and cannot be afterwards; do not use this store: restore without erasures, and give "
            "crm.requests.erasures() of the live store to crm.requests.erase_again(), in a crm with the secrets"
        )
    residual = [{"place": one.place, "what": one.what, "remedy": one.remedy} for one in done.residual]
    terminal.result(
        {
            "manifest": _document(manifest),
            "restored": restored,
            "erasures": done.erasures,
            "people": people,
            "residual": residual,
        }
    )
    return INCOMPLETE if done.residual or people else DONE


def run_verify(options: argparse.Namespace, terminal: Terminal) -> int:
    """Look whether a store, or a backup, is what it should be."""
    if not _is_store(options.file):
        manifest = verify_backup(options.file, key=_key(options), on_progress=_progress(terminal, "checking"))
        _tell("a whole backup of", manifest, terminal)
        terminal.result({"backup": _document(manifest), "problems": []})
        return DONE
    with existing_store(options.file) as store:
        found = store.verify()
    held = [counted(found.records, "record", "records"), counted(found.entries, "entry", "entries")]
    terminal.text(f"a store of {', '.join(held)}, {counted(found.changes, 'change', 'changes')}")
    for problem in found.problems:
        terminal.text(f"{problem.code}: {problem.message} ({problem.count:,})")
    if found.problems:
        terminal.error("this store is damaged: restore it from a backup")
    else:
        terminal.text("nothing is wrong with it")
    counts = {"records": found.records, "entries": found.entries, "changes": found.changes}
    terminal.result({"store": counts, "problems": [attrs.asdict(problem) for problem in found.problems]})
    return INCOMPLETE if found.problems else DONE


def run_erasures(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print what was erased so far, one line of JSON each, for ``restore --erasures``."""
    with existing_store(options.store) as store:
        found = run(all_erasures(lift(store)))
    for erasure in found:
        terminal.text(erasure_line(erasure))
    terminal.result([erasure_document(erasure) for erasure in found])
    return DONE


def _erasures(options: argparse.Namespace) -> tuple[Erasure, ...]:
    if options.erasures_of is not None:
        with existing_store(options.erasures_of) as store:
            return run(all_erasures(lift(store)))
    if options.erasures is None:
        return ()
    try:
        text = options.erasures.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnreadableFile(
            f"{options.erasures.name} cannot be read ({error.strerror}): check its path and permissions"
        ) from None
    except UnicodeDecodeError:
        raise UnreadableFile(
            f"{options.erasures.name} is not UTF-8: give a file as crmcore erasures writes it"
        ) from None
    try:
        return tuple(erasures_in(text.split("\n")))
    except Corrupt as error:
        raise UnreadableFile(f"{options.erasures.name}: {error}") from None


def _key(options: argparse.Namespace) -> bytes | None:
    """The bytes of the file with the key, just as they are."""
    if options.key_file is None:
        return None
    try:
        key: bytes = options.key_file.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            f"{options.key_file.name} cannot be read ({error.strerror}): check its path and permissions"
        ) from None
    return key


def _is_store(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False  # the backup that it then is to be says what is wrong


def _progress(terminal: Terminal, stage: str) -> Callable[[int], None]:
    return lambda rows: terminal.progress(stage, rows, 0)


def _tell(what: str, manifest: Manifest, terminal: Terminal) -> None:
    parts = [
        counted(manifest.records, "record", "records"),
        counted(manifest.entries, "entry", "entries"),
        counted(manifest.batches, "receipt", "receipts"),
    ]
    terminal.text(f"{what} {counted(manifest.tenants, 'tenant', 'tenants')}: {', '.join(parts)}")


def _document(manifest: Manifest) -> dict[str, Any]:
    return {
        **attrs.asdict(manifest),
        "exclusive": sorted(manifest.exclusive),
        "at": manifest.at.isoformat(),
    }

"""Erasing in the SQLite file, and making sure that nothing of it is left in the file.

Invariant: what is erased is taken out of the tables in one transaction, which also notes that the file is not clean
yet; the note goes when the file was rewritten and the write-ahead log emptied since, and until then every erasure that
is sent again goes on with that.

SQLite overwrites what is deleted (``secure_delete``), but not what it leaves behind when it moves rows from one page to
another, so free space of pages may hold old rows. Only writing the whole file anew is sure: `VACUUM`.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence

from crmcore.storage.document import decode
from crmcore.storage.erasing import (
    EMPTY,
    STRIPPED,
    CheckedErasure,
    entry_erased,
    erased_idem,
    kept,
    new_pepper,
    record_erased,
    remaining_subjects,
    stripped_by,
)
from crmcore.storage.erasure import ERASED, ErasureReport, Residual
from crmcore.storage.plan import Written
from crmcore.storage.sqlite_read import Applied, current, pepper_of, to_text
from crmcore.storage.sqlite_write import note, write_records
from crmcore.storage.validate import Write, instant

_Place = tuple[str, int]

_AGAIN = "send the same erasure again when nobody reads the file, or take down what does"


def erase(connection: sqlite3.Connection, number: int, head: int, checked: CheckedErasure) -> Applied:
    """Do what *checked* asks for, which was not done before."""
    records = current(connection, number, checked.addresses)
    written = [
        Written(Write("delete", address, before.version), before.version + 1, before)
        for address, before in sorted(records.items())
        if before.live
    ]
    named = sorted(set(_named(connection, number, checked)))
    tombstones = list(_tombstones(connection, number, named, checked))
    batches = _writers(connection, number, checked, named)
    events = [record_erased(one.after.address, one.before.version) for one in written]
    events += [entry_erased(stream, seq) for stream, seq, _ in tombstones]
    blobs = write_records(connection, number, written)
    connection.executemany(
        "UPDATE ledger SET occurred = ?1, recorded = ?1, subjects = ?2, schema = ?3, body = ?4 "
        "WHERE tenant = ?5 AND stream = ?6 AND seq = ?7",
        [(checked.at, subjects, ERASED, EMPTY, number, stream, seq) for stream, seq, subjects in tombstones],
    )
    _strip(connection, number, batches)
    applied = note(connection, number, head, checked, events, blobs)
    connection.execute(
        "INSERT INTO erasure (batch, text) VALUES (?, ?)", (applied.no, kept(checked, len(batches)))
    )
    if events or batches:
        soil(connection)
    return applied


def _named(connection: sqlite3.Connection, number: int, checked: CheckedErasure) -> Iterator[_Place]:
    """The entries that are there and that an erasure names, some of them more than once."""
    for stream in checked.streams:
        yield from connection.execute(
            "SELECT stream, seq FROM ledger WHERE tenant = ? AND stream = ?", (number, stream)
        )
    for place in checked.entries:
        yield from connection.execute(
            "SELECT stream, seq FROM ledger WHERE tenant = ? AND stream = ? AND seq = ?", (number, *place)
        )
    if checked.subjects:  # one pass, however many they are
        rows = connection.execute("SELECT stream, seq, subjects FROM ledger WHERE tenant = ?", (number,))
        for stream, seq, subjects in rows:
            if not checked.subjects.isdisjoint(decode(subjects)):
                yield stream, seq


def _tombstones(
    connection: sqlite3.Connection, number: int, named: Sequence[_Place], checked: CheckedErasure
) -> Iterator[tuple[str, int, str]]:
    """The entries that become tombstones, each with the subjects that it keeps."""
    for place in named:
        subjects, schema, body = connection.execute(
            "SELECT subjects, schema, body FROM ledger WHERE tenant = ? AND stream = ? AND seq = ?",
            (number, *place),
        ).fetchone()
        stays = remaining_subjects(subjects, schema, body, checked.subjects)
        if stays is not None:
            yield *place, stays


def _writers(
    connection: sqlite3.Connection, number: int, checked: CheckedErasure, named: Sequence[_Place]
) -> list[tuple[int, str]]:
    """The batches that wrote or rekeyed something of what is erased, but for those that are stripped already."""
    written = {*checked.addresses, *named}
    if not written:
        return []
    found: set[int] = set()
    rows = connection.execute(
        "SELECT batch, name, id, what FROM feed WHERE tenant = ? AND op != 'erase'", (number,)
    )
    for batch, name, blob, what in rows:
        if (name, to_text(blob) if blob else what) in written:
            found.add(batch)
    if checked.addresses:
        rekeyed = connection.execute(
            "SELECT no, rekeyed FROM batch WHERE tenant = ? AND rekeyed IS NOT NULL", (number,)
        )
        addresses = set(checked.addresses)
        found.update(batch for batch, text in rekeyed if not addresses.isdisjoint(map(tuple, decode(text))))
    return [
        (batch, idem)
        for batch in sorted(found)
        for (idem,) in connection.execute(
            "SELECT idem FROM batch WHERE no = ? AND digest != ?", (batch, STRIPPED)
        )
    ]


def _strip(connection: sqlite3.Connection, number: int, batches: Sequence[tuple[int, str]]) -> None:
    """Keep of batches what they changed and by whom, and no more."""
    pepper = pepper_of(connection, number)
    if not pepper:
        pepper = new_pepper()
        connection.execute("UPDATE tenant SET pepper = ? WHERE no = ?", (pepper, number))
    connection.executemany(
        "UPDATE batch SET idem = ?, digest = ?, reason = NULL WHERE no = ?",
        [(erased_idem(idem, pepper), STRIPPED, batch) for batch, idem in batches],
    )


def report(connection: sqlite3.Connection, number: int, applied: Applied, *, replayed: bool) -> ErasureReport:
    """What an erasure did to the tables, made from what is kept of it."""
    (records,) = connection.execute(
        "SELECT count(*) FROM feed WHERE tenant = ? AND number > ? AND number <= ? AND id != x''",
        (number, applied.first, applied.last),
    ).fetchone()
    (text,) = connection.execute("SELECT text FROM erasure WHERE batch = ?", (applied.no,)).fetchone()
    return ErasureReport(
        records=records,
        entries=applied.last - applied.first - records,
        batches=stripped_by(text),
        residual=(),
        at=instant(applied.at),
        replayed=replayed,
    )


def erasures(
    connection: sqlite3.Connection, number: int, after: int, limit: int
) -> list[tuple[int, str, str, int, str, str | None]]:
    """The erasures after the batch *after*, as they are kept, one more than *limit* if there are more."""
    return connection.execute(
        "SELECT no, text, idem, at, actor, reason FROM batch JOIN erasure ON erasure.batch = batch.no "
        "WHERE tenant = ? AND no > ? ORDER BY no LIMIT ?",
        (number, after, limit + 1),
    ).fetchall()


_COUNTS = (
    "SELECT (SELECT count(*) FROM record WHERE tenant = ?1 AND body IS NOT NULL), "
    "(SELECT count(*) FROM ledger WHERE tenant = ?1), "
    "(SELECT count(*) FROM batch WHERE tenant = ?1 AND digest IS NOT NULL)"
)
_DROPS = (
    "DELETE FROM load WHERE batch IN (SELECT no FROM batch WHERE tenant = ?)",
    "DELETE FROM erasure WHERE batch IN (SELECT no FROM batch WHERE tenant = ?)",
    "DELETE FROM feed WHERE tenant = ?",
    "DELETE FROM batch WHERE tenant = ?",
    "DELETE FROM ledger WHERE tenant = ?",
    "DELETE FROM key WHERE tenant = ?",
    "DELETE FROM sort WHERE tenant = ?",
    "DELETE FROM record WHERE tenant = ?",
    "DELETE FROM tenant WHERE no = ?",
)


def drop(connection: sqlite3.Connection, number: int) -> tuple[int, int, int]:
    """Take away all of a tenant; how many records, entries and batches it had."""
    records, entries, batches = connection.execute(_COUNTS, (number,)).fetchone()
    for statement in _DROPS:
        connection.execute(statement, (number,))
    soil(connection)
    return records, entries, batches


# --- the file -----------------------------------------------------------------------------------------


def soil(connection: sqlite3.Connection) -> None:
    """Note that the file may hold remains of what was erased."""
    # Each time another value: who cleans takes away the note that was there when the file began to be rewritten.
    connection.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('unclean', ?)", (secrets.token_bytes(16),)
    )


NOT_REWRITTEN: tuple[Residual, ...] = (
    Residual(
        place="free_space",
        what="copies of erased rows may be left in the log and in free space of the file, which could not be rewritten",
        remedy=f"see that there is room for the file once more, and {_AGAIN}, with more time",
    ),
)

_NOT_NOW = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT)


def clean(connection: sqlite3.Connection, deadline: float) -> tuple[Residual, ...]:
    """Rewrite the file and empty its log, if that is due; what remains after all.

    *deadline*, on the monotonic clock, is when rewriting is given up. For others the connection waits as long as it was
    told to. A driver error other than that there was no time, no room, or somebody in the way, is the caller's.
    """
    unclean = connection.execute("SELECT value FROM meta WHERE name = 'unclean'").fetchone()
    if unclean is None:
        return ()
    try:
        _rewrite(connection, deadline)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NOT_NOW:
            raise
        rewritten = NOT_REWRITTEN
    else:
        rewritten = ()
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return (
            *rewritten,
            Residual(
                place="write_ahead_log",
                what="the log still holds erased rows, since somebody is reading the file as it was before",
                remedy=_AGAIN,
            ),
        )
    if not rewritten:
        connection.execute("DELETE FROM meta WHERE name = 'unclean' AND value = ?", unclean)
    return rewritten


def _rewrite(connection: sqlite3.Connection, deadline: float) -> None:
    # By way of a temporary file, which has no name and holds only what is still there: memory may be too small.
    connection.execute("PRAGMA temp_store = FILE")
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
    try:
        connection.execute("VACUUM")
    finally:
        connection.set_progress_handler(None, 0)
        connection.execute("PRAGMA temp_store = MEMORY")


_STEPS = 10_000
"""So many steps of SQLite's machine, less than a millisecond, lie between two looks at the clock."""

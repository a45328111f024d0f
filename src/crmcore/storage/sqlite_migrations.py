"""The steps from each version of the SQLite file to the next.

Invariant: a step and the number of the version that it leads to are written in one transaction, so a file is always of
exactly one version, wherever a migration was cut off. A new file is made by the same steps, so an old file that was
migrated and a new one have the same tables. A step that was released is never changed.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Step(NamedTuple):
    """What leads from the version before to *version*."""

    version: int
    name: str
    statements: tuple[str, ...]


# batch: that of the chunk. Version 1 made this table when it was first needed, so it may be there.
_LOAD = """
CREATE TABLE IF NOT EXISTS load (batch INTEGER PRIMARY KEY, rows INTEGER NOT NULL, refused TEXT NOT NULL) STRICT
"""

# batch: that of the erasure; text: what is kept of it (crmcore.storage.erasing).
_ERASURE = "CREATE TABLE erasure (batch INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"

# pepper: null as long as nothing was erased.
_PEPPER = "ALTER TABLE tenant ADD COLUMN pepper BLOB"

# generation: random, another one each time that a tenant of a name is made; empty for those from before version 3.
_GENERATION = "ALTER TABLE tenant ADD COLUMN generation TEXT NOT NULL DEFAULT ''"

# rekeyed: the records that the batch only rekeyed, kinds and ids as one JSON text; null: none.
_REKEYED = "ALTER TABLE batch ADD COLUMN rekeyed TEXT"

STEPS = (
    Step(2, "bulk loads have their table from the start", (_LOAD,)),
    Step(3, "erasures are kept, and what they need to know", (_ERASURE, _PEPPER, _GENERATION, _REKEYED)),
)

SCHEMA_VERSION = STEPS[-1].version


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file; 0 of an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def pending(version: int) -> tuple[Step, ...]:
    """The steps that a file of *version* has not taken."""
    return tuple(step for step in STEPS if step.version > version)


def take(connection: sqlite3.Connection, step: Step) -> None:
    """Write *step* within the transaction that the caller has begun."""
    for statement in step.statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {step.version:d}")  # a pragma takes no parameters


def migrate(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Take all steps that are pending, each in a transaction of its own, and name those that were taken here."""
    taken: list[str] = []
    for step in pending(version_of(connection)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if step in pending(version_of(connection)):  # another process may have been faster
                take(connection, step)
                taken.append(step.name)
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    return tuple(taken)

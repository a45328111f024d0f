"""What an error of PostgreSQL, or of the way there, means here.

Invariant: a message has the SQLSTATE and never a text of the server, since those quote what is stored ("Key
(value)=(ann@x.org) already exists"). An error is `CommitUnknown` exactly when the commit may have been carried out.
"""

from __future__ import annotations

from crmcore.errors import (
    CommitUnknown,
    Contention,
    Corrupt,
    SchemaMismatch,
    StoreError,
    StoreFull,
    StoreTimeout,
    Unavailable,
)
from crmcore.storage.postgres_driver import DriverError, Late, NotConnected

_Meaning = tuple[type[StoreError], str]

_CONTENTION: _Meaning = (Contention, "others were writing the same all the time: send the same batch again")
_GONE: _Meaning = (
    Unavailable,
    "the PostgreSQL server cannot be reached, or has ended the connection: try again",
)
_NOT_CONNECTED = (
    "no connection to the PostgreSQL server can be made: look whether it runs, whether the address, the user, the "
    "password and the database are right, and whether it has a connection left (max_connections, smaller pools)"
)
_TOO_SLOW: _Meaning = (
    StoreTimeout,
    "the PostgreSQL server ended a transaction that had been open for too long: give what is written faster, or a "
    "longer timeout, or ask its administrator for one",
)
_DENIED: _Meaning = (
    Unavailable,
    "the PostgreSQL server refuses this user or database: check the address and its rights",
)
_REFUSED: _Meaning = (Unavailable, "PostgreSQL refused this")

_BY_STATE: dict[str, _Meaning] = {
    "40001": _CONTENTION,  # serialization_failure
    "40P01": _CONTENTION,  # deadlock_detected
    "55P03": _CONTENTION,  # lock_not_available: lock_timeout
    "55006": _CONTENTION,  # object_in_use
    "57014": (StoreTimeout, "PostgreSQL took longer than it was given: try again, with a longer timeout"),
    "53100": (StoreFull, "the disk of the PostgreSQL server is full: free some space"),
    "53200": (StoreFull, "the PostgreSQL server has no memory left: send less at a time"),
    "53300": (Unavailable, "the PostgreSQL server takes no more connections: open stores with smaller pools"),
    "25006": (Unavailable, "this PostgreSQL server can only be read (a standby?): connect to the primary"),
    "25P03": _TOO_SLOW,  # idle_in_transaction_session_timeout
    "25P04": _TOO_SLOW,  # transaction_timeout
    "57P05": _GONE,  # idle_session_timeout
    "42501": _DENIED,  # insufficient_privilege
    "3D000": _DENIED,  # no such database
    "3F000": (SchemaMismatch, "the PostgreSQL schema of this store is gone: open the store again"),
    "42P01": (SchemaMismatch, "a table of this store is gone: open the store again"),
    "42P07": (SchemaMismatch, "the PostgreSQL schema holds tables that are not of crmcore: give the store its own"),
    "42703": (SchemaMismatch, "a column of this store is gone: restore it from a backup"),
}  # fmt: skip

_BY_CLASS: dict[str, _Meaning] = {
    "08": _GONE,  # connection exceptions
    "28": _DENIED,
    "40": _CONTENTION,
    "53": (StoreFull, "the PostgreSQL server has run out of something: ask its administrator"),
    "57": _GONE,  # operator intervention: shut down, crashed, starting up
    "58": (Unavailable, "the PostgreSQL server has trouble with its machine: ask its administrator"),
    "22": (Corrupt, "what is kept of a row cannot be read: run verify(), and restore a backup"),
    "23": (Corrupt, "what is stored contradicts itself: run verify(), and restore from a backup"),
    "XX": (Corrupt, "PostgreSQL found what it keeps damaged: restore it from a backup"),
}

AMBIGUOUS = "40003"
"""statement_completion_unknown: CockroachDB cannot tell whether a commit was carried out."""

_UNDONE = frozenset({"40001", "40P01"})
"""What a server says of a commit that it has surely undone."""


def state_of(error: BaseException) -> str | None:
    """The SQLSTATE that the server gave, or None if no server did."""
    return error.sqlstate if isinstance(error, DriverError) else None


def translated(error: BaseException, *, overslept: bool = False) -> StoreError:
    """What an error before the commit means; nothing was written.

    *overslept*: the transaction had been left alone for longer than the server was told to wait. What the server says
    when it then ends the connection is mostly lost on the way.
    """
    if isinstance(error, Late):
        return StoreTimeout(
            "the PostgreSQL server did not answer in time: look whether it hangs, or give a longer timeout"
        )
    state = state_of(error)
    if isinstance(error, NotConnected):
        return Unavailable(_NOT_CONNECTED)
    meaning = _GONE if state is None else _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or _REFUSED
    kind, text = _TOO_SLOW if overslept and meaning is _GONE else meaning
    return kind(text if state is None else f"{text} (SQLSTATE {state})")


BATCH = "so the batch may or may not be there: ask outcome(), or send the same batch again"
CHUNK = "so the chunk may or may not be there: ask loaded(), or send the same chunk again"
ERASED = "so this may or may not be erased: send the same erasure again"
RESTORED = "so what was to be restored may or may not be there: restore it again, which is refused (NotEmpty) if it is"
DROPPED = "so the tenant may or may not be gone: drop it again"
"""What is in doubt after a commit that nobody confirmed, and what to do then."""


def unknown(idem: str, doubt: str) -> CommitUnknown:
    """The error of a commit that may or may not have been carried out."""
    return CommitUnknown(f"the PostgreSQL server did not confirm a commit, {doubt}", idem=idem)


def surely_undone(error: BaseException, *, failed: bool) -> bool:
    """Whether an error while a commit was under way still says that nothing was written.

    *failed*: the transaction is known to have failed before its commit.
    """
    return failed or state_of(error) in _UNDONE

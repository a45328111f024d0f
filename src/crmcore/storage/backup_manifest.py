"""What a backup file says of itself: at its beginning where it comes from, at its end what is in it.

Invariant: what the end says was counted while the rows were written, and is counted again while they are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import attrs

from crmcore.errors import Corrupt, SchemaMismatch, WrongKey
from crmcore.storage.document import write
from crmcore.storage.protocol import PROTOCOL, Description
from crmcore.storage.restoring import Counts
from crmcore.storage.stored import Multiset, Stored
from crmcore.storage.validate import instant, microseconds

Progress = Callable[[int], None]
"""Is called now and then with the number of rows so far."""

FORMAT = 1
_EVERY = 1000


@attrs.frozen(kw_only=True)
class Manifest:
    """What is in a backup. *multiset* is the `Multiset` hash of its rows, whatever store they came from.

    *engine* and *exclusive* are those of that store, *at* is when it was taken. *batches* are receipts: of batches,
    chunks and erasures, and fences.
    """

    engine: str
    exclusive: frozenset[str]
    at: datetime
    tenants: int
    records: int
    entries: int
    batches: int
    multiset: str


class Tally:
    """Counts rows, and their multiset hash. *rows* is how many there were."""

    def __init__(self, on_progress: Progress | None) -> None:
        self._counts = Counts()
        self._multiset = Multiset()
        self._on_progress = on_progress
        self.rows = 0

    def add(self, row: Stored, text: str) -> None:
        """Count *row*, whose canonical text is *text*."""
        self._counts.add(row)
        self._multiset.add(text)
        self.rows += 1
        if self._on_progress is not None and self.rows % _EVERY == 0:
            self._on_progress(self.rows)

    def hexdigest(self) -> str:
        return self._multiset.hexdigest()

    def document(self) -> dict[str, int | str]:
        return {**attrs.asdict(self._counts.restored()), "multiset": self.hexdigest()}


def opening(description: Description, at: datetime, *, sealed: bool = False) -> bytes:
    """The text with which a file begins. It says so if the file is *sealed* with a key."""
    document = {
        "format": FORMAT,
        "protocol": PROTOCOL,
        "engine": description.engine,
        "exclusive": sorted(description.exclusive),
        "at": microseconds(at, "the time of a backup"),
    }
    return write({**document, "sealed": True} if sealed else document).encode()


def check_sealed(head: bytes, key: bytes | None) -> None:
    """Refuse a file that is sealed with a key where none is given, and the other way round.

    Raises:
        WrongKey: if it is so.
    """
    sealed = json.loads(head).get("sealed") is True
    if sealed and key is None:
        raise WrongKey("the backup is sealed with a key: give the key that it was made with")
    if key is not None and not sealed:
        raise WrongKey(
            "the backup is not sealed with a key, so anybody may have made it: give none if that is meant"
        )


def opening_of(head: bytes) -> tuple[str, frozenset[str], datetime]:
    """Engine, exclusive namespaces and time, from the beginning of a file.

    Raises:
        Corrupt: if that is something else.
        SchemaMismatch: if it was made by a newer crmcore.
    """
    try:
        document = json.loads(head)
        made = (document["format"], document["protocol"])
        found = str(document["engine"]), frozenset(map(str, document["exclusive"])), instant(document["at"])
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        raise Corrupt("the header of the backup cannot be read: take another one") from None
    if made != (FORMAT, PROTOCOL):
        raise SchemaMismatch("the backup was made by a newer crmcore: install that one to restore it")
    return found


def summary(tally: Tally) -> bytes:
    """The text with which a file ends."""
    return write(tally.document()).encode()


def manifest_of(head: bytes, ends: bytes) -> Manifest:
    """The manifest, from the beginning and the end of a file that was counted and found to be so."""
    engine, exclusive, at = opening_of(head)
    return Manifest(engine=engine, exclusive=exclusive, at=at, **json.loads(ends))

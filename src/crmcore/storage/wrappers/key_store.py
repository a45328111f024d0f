"""Where data keys are kept: apart from the data, so that destroying a key destroys what it sealed, in backups too.

Invariant: a subject has one live key at most. A key that was destroyed leaves its id, whose it was and when, never a
byte of its secret; a later key of the same subject has another id. No key is in a `repr`, a message or a log.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from crmcore.errors import InvalidValue, WrongKey
from crmcore.storage.validate import microseconds
from crmcore.storage.wrappers.sealing import (
    KEY_BYTES,
    DataKey,
    DestroyedKey,
    Sealer,
    place,
    random_pieces,
)

KEY_ID_BYTES = 8


class KeyStore(Protocol):
    """The keys of any number of tenants. Its calls never suspend where synchronous code is to use them.

    What a call has made or destroyed is so for good when the call returns: data is written only after its keys.
    """

    async def root(self, tenant: str, *, make: bool) -> bytes | None:
        """The tenant's own 32 bytes, from which its index keys are derived; made if it has none and *make* says so."""
        ...

    async def keys_for(self, tenant: str, subjects: Collection[str]) -> Mapping[str, DataKey]:
        """The live key of each subject, made where it has none."""
        ...

    async def keys_of(self, tenant: str, ids: Collection[str]) -> Mapping[str, DataKey | DestroyedKey]:
        """The keys with these ids; those that were never here are missing."""
        ...

    async def destroy(self, tenant: str, subjects: Collection[str], at: datetime) -> int:
        """Destroy the live keys of *subjects*, and say how many there were. Nothing can bring them back.

        Raises:
            Contention: if a secret could not be wiped from the disk yet, since others were reading: call again.
        """
        ...

    async def destroyed(self, tenant: str, subjects: Collection[str], at: datetime) -> Collection[str]:
        """Those of *subjects* of whom a key was destroyed at *at*: nothing is left to do for that erasure."""
        ...

    async def drop(self, tenant: str) -> None:
        """Destroy all that a tenant has here, its root key included."""
        ...


class Wrapping(Protocol):
    """Keeps the keys that wrap the others: a key management service, or `LocalWrapping`.

    It is asked once for each tenant and process, so it may be a call over the network.
    """

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """*key*, sealed. *context* must be given again to open it."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The inverse of `wrap`.

        Raises:
            WrongKey: if it was wrapped by another service or key, or for another *context*.
        """
        ...


class LocalWrapping:
    """A `Wrapping` with a key of 32 random bytes that the app keeps, for example in a secret of its environment.

    >>> LocalWrapping(bytes(32))
    LocalWrapping(<hidden>)
    """

    def __init__(self, key: bytes) -> None:
        if not isinstance(key, bytes) or len(key) != KEY_BYTES:
            raise InvalidValue(
                f"a wrapping key has {KEY_BYTES} random bytes: make one with secrets.token_bytes(32)"
            )
        self._key = key
        self._sealer = Sealer()

    def __repr__(self) -> str:
        return "LocalWrapping(<hidden>)"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        (wrapped,) = self._sealer.wrap(self._key, [(context, key)])
        return wrapped

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        opened = self._sealer.unwrap(self._key, context, wrapped)
        if opened is None:
            raise WrongKey(
                "this key store was wrapped with another key: open it with the one that it was made with"
            )
        return opened


def new_keys(subjects: Collection[str]) -> list[DataKey]:
    """A key for each that nobody has had before; the random numbers of all are drawn at once."""
    pieces = random_pieces(len(subjects), KEY_ID_BYTES + KEY_BYTES)
    return [
        DataKey(piece[:KEY_ID_BYTES].hex(), subject, piece[KEY_ID_BYTES:])
        for subject, piece in zip(subjects, pieces, strict=True)
    ]


def key_place(tenant: str, id: str, subject: str) -> bytes:
    """What a wrapped data key is bound to."""
    return place("crmcore.key/1", tenant, id, subject)


class MemoryKeyStore:
    """A `KeyStore` that forgets everything with its process, and all that was sealed with it: for tests.

    >>> MemoryKeyStore()
    MemoryKeyStore(<hidden>)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roots: dict[str, bytes] = {}
        self._live: dict[tuple[str, str], DataKey] = {}
        self._all: dict[tuple[str, str], DataKey | DestroyedKey] = {}

    def __repr__(self) -> str:
        return "MemoryKeyStore(<hidden>)"

    async def root(self, tenant: str, *, make: bool) -> bytes | None:
        with self._lock:
            if make and tenant not in self._roots:
                self._roots[tenant] = secrets.token_bytes(KEY_BYTES)
            return self._roots.get(tenant)

    async def keys_for(self, tenant: str, subjects: Collection[str]) -> Mapping[str, DataKey]:
        with self._lock:
            return {subject: self._key(tenant, subject) for subject in subjects}

    def _key(self, tenant: str, subject: str) -> DataKey:
        key = self._live.get((tenant, subject))
        if key is None:
            (key,) = new_keys([subject])
            self._live[tenant, subject] = key
            self._all[tenant, key.id] = key
        return key

    async def keys_of(self, tenant: str, ids: Collection[str]) -> Mapping[str, DataKey | DestroyedKey]:
        with self._lock:
            return {id: key for id in ids if (key := self._all.get((tenant, id))) is not None}

    async def destroy(self, tenant: str, subjects: Collection[str], at: datetime) -> int:
        when = microseconds(at, "the time of an erasure")
        with self._lock:
            gone = [key for subject in set(subjects) if (key := self._live.pop((tenant, subject), None))]
            for key in gone:
                self._all[tenant, key.id] = DestroyedKey(key.id, key.subject, when)
            return len(gone)

    async def destroyed(self, tenant: str, subjects: Collection[str], at: datetime) -> Collection[str]:
        when = microseconds(at, "the time of an erasure")
        with self._lock:
            return {
                key.subject
                for (whose, _), key in self._all.items()
                if whose == tenant
                and isinstance(key, DestroyedKey)
                and key.at == when
                and key.subject in subjects
            }

    async def drop(self, tenant: str) -> None:
        with self._lock:
            self._roots.pop(tenant, None)
            for name in [name for name in self._live if name[0] == tenant]:
                del self._live[name]
            for name in [name for name in self._all if name[0] == tenant]:
                del self._all[name]

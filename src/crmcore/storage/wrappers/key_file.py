"""`FileKeyStore`: keys in an SQLite file of their own, wrapped.

Invariant: the file holds no key in plain, and nothing of one that was destroyed: not in its pages, not in its
write-ahead log. Each tenant has a key-encryption key, kept by the `Wrapping`, and each of its data keys is wrapped by
one that is there; so a rotation may be cut off at any step, and the next one goes on with it.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from crmcore.errors import Corrupt, WrongKey
from crmcore.storage.validate import microseconds
from crmcore.storage.wrappers.key_file_base import KeyFile
from crmcore.storage.wrappers.key_store import Wrapping, key_place, new_keys
from crmcore.storage.wrappers.sealing import KEY_BYTES, DataKey, DestroyedKey, Sealer, place

_MOST_REMEMBERED = 50_000
_ROOT = ""
"""The subject of a tenant's root key, which nobody has as an id."""


class FileKeyStore(KeyFile):
    """A `KeyStore` in the file *path*, made if there is none. *wrapping* keeps the keys that wrap what it holds.

    Keep it apart from the data, with backups of its own that are not kept for long: a data key is destroyed when it is
    in none of them any more. Any number of threads and processes may use one file.

    Raises:
        SchemaMismatch: if the file is something else, or was made by a newer crmcore.
        Unavailable: if there is no such place, or it cannot be written.
        MissingExtra: if the extra ``crypto`` is not installed.

    >>> import tempfile
    >>> from crmcore.storage.wrappers.key_store import LocalWrapping
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with FileKeyStore(f"{folder}/keys.db", wrapping=LocalWrapping(secrets.token_bytes(32))) as keys:
    ...         print(keys)
    FileKeyStore('keys.db')
    """

    def __init__(self, path: str | os.PathLike[str], *, wrapping: Wrapping, timeout: float = 30.0) -> None:
        self._wrapping = wrapping
        self._sealer = Sealer()
        super().__init__(path, timeout)

    def __repr__(self) -> str:
        return f"FileKeyStore({self._path.name!r})"

    # --- the calls of a key store ---

    async def root(self, tenant: str, *, make: bool) -> bytes | None:
        with self._using() as connection:
            known = self._live.get((tenant, _ROOT)) or self._read_live(connection, tenant, [_ROOT]).get(_ROOT)
            if known is None and make:
                known = self._made(connection, tenant, [_ROOT])[_ROOT]
            return None if known is None else known.secret

    async def keys_for(self, tenant: str, subjects: Collection[str]) -> Mapping[str, DataKey]:
        with self._using() as connection:
            found = {subject: key for subject in subjects if (key := self._live.get((tenant, subject)))}
            unknown = [subject for subject in dict.fromkeys(subjects) if subject not in found]
            if unknown:
                found |= self._read_live(connection, tenant, unknown)
                unknown = [subject for subject in unknown if subject not in found]
            if unknown:
                found |= self._made(connection, tenant, unknown)
            return found

    async def keys_of(self, tenant: str, ids: Collection[str]) -> Mapping[str, DataKey | DestroyedKey]:
        with self._using() as connection:
            found = {id: key for id in ids if (key := self._by_id.get((tenant, id)))}
            for some in _some([id for id in dict.fromkeys(ids) if id not in found]):
                rows = connection.execute(
                    "SELECT id, subject, generation, wrapped, destroyed FROM data_key "
                    f"WHERE tenant = ? AND id IN ({_marks(some)})",
                    (tenant, *some),
                )
                found |= {row[0]: self._remember(connection, tenant, *row) for row in rows.fetchall()}
            return found

    async def destroy(self, tenant: str, subjects: Collection[str], at: datetime) -> int:
        when = microseconds(at, "the time of an erasure")
        count = 0
        with self._using() as connection:
            with self._transaction(connection):
                for some in _some([subject for subject in dict.fromkeys(subjects) if subject != _ROOT]):
                    count += connection.execute(
                        "UPDATE data_key SET wrapped = NULL, destroyed = ? "
                        f"WHERE tenant = ? AND destroyed IS NULL AND subject IN ({_marks(some)})",
                        (when, tenant, *some),
                    ).rowcount
            self._wipe(connection)
        return count

    async def destroyed(self, tenant: str, subjects: Collection[str], at: datetime) -> Collection[str]:
        when = microseconds(at, "the time of an erasure")
        with self._using() as connection:
            rows = connection.execute(
                "SELECT subject FROM data_key WHERE tenant = ? AND destroyed = ?", (tenant, when)
            ).fetchall()
        return {subject for (subject,) in rows}.intersection(subjects)

    async def drop(self, tenant: str) -> None:
        with self._using() as connection:
            with self._transaction(connection):
                connection.execute("DELETE FROM data_key WHERE tenant = ?", (tenant,))
                connection.execute("DELETE FROM kek WHERE tenant = ?", (tenant,))
            self._wipe(connection)

    # --- what keeps the file in order ---

    def rotate(self, tenant: str, *, rows: int = 1000) -> int:
        """Give *tenant* a new key-encryption key and wrap its data keys anew; how many were wrapped.

        A rotation that was cut off is gone on with. Others may go on working meanwhile.
        """
        count = 0
        with self._using() as connection:
            with self._transaction(connection):
                (generations,) = connection.execute(
                    "SELECT count(*) FROM kek WHERE tenant = ?", (tenant,)
                ).fetchone()
                if generations == 0:
                    return 0
                if generations == 1:  # two: the rotation before was cut off
                    self._new_kek(connection, tenant)
            while True:
                with self._transaction(connection):
                    done = self._rewrap_some(connection, tenant, rows)
                count += done
                if not done:
                    break
            with self._transaction(connection):
                connection.execute(
                    "DELETE FROM kek WHERE tenant = ? AND generation < (SELECT max(generation) FROM kek "
                    "WHERE tenant = ?) AND generation NOT IN (SELECT generation FROM data_key "
                    "WHERE tenant = ? AND destroyed IS NULL)",
                    (tenant, tenant, tenant),
                )
            self._wipe(connection)
        return count

    def rewrap(self, former: Wrapping) -> int:
        """Wrap all key-encryption keys, which *former* had wrapped, with the wrapping of this object; how many.

        Those that are wrapped with it already are left, so that it may be called again after it was cut off.
        """
        count = 0
        with self._using() as connection:
            with self._transaction(connection):
                for tenant, generation, wrapped in connection.execute("SELECT * FROM kek").fetchall():
                    context = _kek_place(tenant, generation)
                    try:
                        self._wrapping.unwrap(wrapped, context)
                    except WrongKey:
                        anew = self._wrapping.wrap(former.unwrap(wrapped, context), context)
                        connection.execute(
                            "UPDATE kek SET wrapped = ? WHERE tenant = ? AND generation = ?",
                            (anew, tenant, generation),
                        )
                        count += 1
            self._wipe(connection)
        return count

    # --- within ---

    def _read_live(
        self, connection: sqlite3.Connection, tenant: str, subjects: Collection[str]
    ) -> dict[str, DataKey]:
        found: dict[str, DataKey] = {}
        for some in _some(subjects):
            rows = connection.execute(
                "SELECT id, subject, generation, wrapped, destroyed FROM data_key "
                f"WHERE tenant = ? AND destroyed IS NULL AND subject IN ({_marks(some)})",
                (tenant, *some),
            )
            for row in rows.fetchall():
                key = self._remember(connection, tenant, *row)
                if isinstance(key, DataKey):
                    found[key.subject] = key
        return found

    def _made(
        self, connection: sqlite3.Connection, tenant: str, subjects: Collection[str]
    ) -> dict[str, DataKey]:
        with self._transaction(connection):
            found = self._read_live(connection, tenant, subjects)  # another process may have been faster
            generation = self._newest(connection, tenant)
            kek = self._kek(connection, tenant, generation)
            new = new_keys([subject for subject in subjects if subject not in found])
            wrapped = zip(new, self._wrapped(kek, tenant, new), strict=True)
            connection.executemany(
                "INSERT INTO data_key (tenant, id, subject, generation, wrapped) VALUES (?, ?, ?, ?, ?)",
                [(tenant, key.id, key.subject, generation, box) for key, box in wrapped],
            )
        for key in new:
            self._keep(tenant, key)
        return found | {key.subject: key for key in new}

    def _wrapped(self, kek: bytes, tenant: str, keys: Collection[DataKey]) -> list[bytes]:
        return self._sealer.wrap(kek, [(key_place(tenant, key.id, key.subject), key.secret) for key in keys])

    def _remember(
        self,
        connection: sqlite3.Connection,
        tenant: str,
        id: str,
        subject: str,
        generation: int,
        wrapped: bytes | None,
        destroyed: int | None,
    ) -> DataKey | DestroyedKey:
        if wrapped is None or destroyed is not None:
            gone = DestroyedKey(id, subject, destroyed or 0)
            self._by_id[tenant, id] = gone
            return gone
        kek = self._kek(connection, tenant, generation)
        secret = self._sealer.unwrap(kek, key_place(tenant, id, subject), wrapped)
        if secret is None:
            raise Corrupt("a key in this key store is damaged: restore the file of keys from its backup")
        key = DataKey(id, subject, secret)
        self._keep(tenant, key)
        return key

    def _keep(self, tenant: str, key: DataKey) -> None:
        if len(self._by_id) >= _MOST_REMEMBERED:
            self._live.clear()
            self._by_id.clear()
        self._live[tenant, key.subject] = key
        self._by_id[tenant, key.id] = key

    def _kek(self, connection: sqlite3.Connection, tenant: str, generation: int) -> bytes:
        known = self._keks.get((tenant, generation))
        if known is None:
            row = connection.execute(
                "SELECT wrapped FROM kek WHERE tenant = ? AND generation = ?", (tenant, generation)
            ).fetchone()
            if row is None:
                raise Corrupt("a key-encryption key is missing: restore the file of keys from its backup")
            known = self._wrapping.unwrap(row[0], _kek_place(tenant, generation))
            self._keks[tenant, generation] = known
        return known

    def _newest(self, connection: sqlite3.Connection, tenant: str) -> int:
        (newest,) = connection.execute(
            "SELECT max(generation) FROM kek WHERE tenant = ?", (tenant,)
        ).fetchone()
        return self._new_kek(connection, tenant) if newest is None else int(newest)

    def _new_kek(self, connection: sqlite3.Connection, tenant: str) -> int:
        (generation,) = connection.execute(
            "SELECT coalesce(max(generation), 0) + 1 FROM kek WHERE tenant = ?", (tenant,)
        ).fetchone()
        wrapped = self._wrapping.wrap(secrets.token_bytes(KEY_BYTES), _kek_place(tenant, generation))
        connection.execute("INSERT INTO kek VALUES (?, ?, ?)", (tenant, generation, wrapped))
        return int(generation)

    def _rewrap_some(self, connection: sqlite3.Connection, tenant: str, rows: int) -> int:
        newest = self._newest(connection, tenant)
        kek = self._kek(connection, tenant, newest)
        old = connection.execute(
            "SELECT id, subject, generation, wrapped, destroyed FROM data_key "
            "WHERE tenant = ? AND generation < ? AND destroyed IS NULL LIMIT ?",
            (tenant, newest, rows),
        ).fetchall()
        for row in old:
            key = self._remember(connection, tenant, *row)
            assert isinstance(key, DataKey)  # the others were left out
            (wrapped,) = self._wrapped(kek, tenant, [key])
            connection.execute(
                "UPDATE data_key SET wrapped = ?, generation = ? WHERE tenant = ? AND id = ?",
                (wrapped, newest, tenant, key.id),
            )
        return len(old)


def _kek_place(tenant: str, generation: int) -> bytes:
    return place("crmcore.kek/1", tenant, generation)


def _some(texts: Iterable[str]) -> Iterator[list[str]]:
    """As many at a time as SQLite takes parameters, with room to spare."""
    rest = iter(texts)
    while some := list(islice(rest, 500)):
        yield some


def _marks(texts: Collection[str]) -> str:
    return ", ".join("?" * len(texts))

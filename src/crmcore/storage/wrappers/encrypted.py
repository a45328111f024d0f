"""`Encrypted`: a store that keeps nothing in the store below that can be read without the keys of another place.

Invariant: what is given back is what was given, to the byte. Bodies, with the true keys and sorts of their records, are
sealed under the keys of those whom they concern; equality keys and parts are replaced by names, and the value of a sort
is stored only in namespaces that hold no texts. When the key of one subject is destroyed, all that concerns it is gone,
in every copy of the data: a record is absent, an entry the tombstone of an erased one.
"""

from __future__ import annotations

from crmcore.storage.protocol import Description, Page
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.storage.wrappers.encrypted_describe import described
from crmcore.storage.wrappers.encrypted_erase import EncryptedErasing
from crmcore.storage.wrappers.encrypted_read import EncryptedReads
from crmcore.storage.wrappers.encrypted_write import EncryptedWrites


class Encrypted(EncryptedReads, EncryptedWrites, EncryptedErasing):
    """An `AsyncStore` over *inner*, with the keys of *keys*, which stays open when this is closed.

    *subjects* says whom a record concerns. *ordered* are the namespaces of sorts whose values stay readable, since
    their order is needed: instants and integers. In the others sorts come back with their records, but `range` raises
    `CapabilityMissing`. For synchronous code: ``lower(Encrypted(lift(store), keys))``.

    Raises:
        MissingExtra: if the extra ``crypto`` is not installed.
        CapabilityMissing: if *inner* takes less than every store must.

    >>> from crmcore import Crm, Person
    >>> from crmcore.storage import MemoryStore, lift, lower
    >>> from crmcore.storage.wrappers.key_store import MemoryKeyStore
    >>> crm = Crm(lower(Encrypted(lift(MemoryStore()), MemoryKeyStore())))
    >>> ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    >>> [found.id == ann.id for found in crm.parties.find(email="ann@x.org")]
    [True]
    """

    def __repr__(self) -> str:
        return f"Encrypted({self._inner.describe().engine!r})"

    def describe(self) -> Description:
        return described(self._inner.describe(), self._limits, self._ordered)

    async def verify(self) -> Integrity:
        return await durable_of(self._inner).verify()

    async def schema(self) -> SchemaState:
        return await schema_of(self._inner).schema()

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return await schema_of(self._inner).migrate(timeout=timeout)

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return await tenants_of(self._inner).tenants(after=after, limit=limit)

    async def close(self) -> None:
        await self._inner.close()

"""What an encrypted store is made of: the store below, the keys, and what is known of each tenant's root key.

Invariant: nothing is asked of the store below under names that were made with another root key than the one it was
written with: that would find nothing, in silence.
"""

from __future__ import annotations

import secrets
from asyncio import CancelledError
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from crmcore.errors import BatchTooLarge, CommitUnknown, Corrupt, PositionExpired, StoreError, WrongKey
from crmcore.storage.paging import check_keys_of_call
from crmcore.storage.protocol import AsyncStore, Body, Key, Record
from crmcore.storage.validate import check_name, check_word
from crmcore.storage.wrappers.blinding import Blinds
from crmcore.storage.wrappers.encrypted_describe import ORDERED, limits_within, marks_within
from crmcore.storage.wrappers.encrypted_sweep import Sweep
from crmcore.storage.wrappers.heading import open_heading
from crmcore.storage.wrappers.key_store import KeyStore
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import Sealer
from crmcore.storage.wrappers.subjects import CrmSubjects, Subjects

_MOST_TENANTS = 10_000


class EncryptedBase:
    """The state that the calls of `Encrypted` share; see there for what it is made from."""

    def __init__(
        self,
        inner: AsyncStore,
        keys: KeyStore,
        *,
        subjects: Subjects | None = None,
        ordered: Collection[str] = ORDERED,
    ) -> None:
        for namespace in ordered:
            check_word(namespace, "a namespace")
        self._inner = inner
        self._keys = keys
        self._subjects: Subjects = CrmSubjects() if subjects is None else subjects
        self._ordered = frozenset(ordered)
        self._sealer = Sealer()
        self._limits = limits_within(inner.describe().limits)
        self._marks = marks_within(inner.describe().limits)
        self._blinds: dict[bytes, Blinds] = {}
        self._seen: set[tuple[str, bytes]] = set()

    def _sweep(self, ring: Ring) -> Sweep:
        return Sweep(self._inner, self._keys, ring, marked=self._marks > 0)

    async def _names(self, tenant: str, keys: Collection[Key]) -> dict[Key, Key]:
        check_keys_of_call(self._limits, tenant, keys)
        name = (await self._blinds_of(tenant)).key
        return {key: Key(key[0], name(*key)) for key in keys}

    async def _opened(self, tenant: str, records: Collection[Record]) -> list[Record]:
        if not records:
            return []
        ring = await self._ring(tenant, [record.body for record in records])
        return [opened for record in records if (opened := ring.open_record(record)) is not None]

    async def _ring(self, tenant: str, bodies: Iterable[Body]) -> Ring:
        """What opens *bodies*."""
        blinds = await self._blinds_of(tenant)
        ids = {id for body in bodies for id in ids_of(body)}
        return Ring(self._sealer, tenant, blinds, await self._keys.keys_of(tenant, ids))

    async def _blinds_of(self, tenant: str, *, make: bool = False) -> Blinds:
        """What the tenant's root key gives.

        Raises:
            WrongKey: if what the store below has of the tenant was not sealed with that key.
        """
        check_name(tenant, "a tenant")
        root = await self._keys.root(tenant, make=False)
        if root is None:
            written = bool((await self._inner.changes(tenant, limit=1)).items)
            # Whoever wrote the first batch since has made the key before it.
            root = await self._keys.root(tenant, make=False) if written else None
            if written and root is None:
                raise WrongKey(
                    "the store has something of this tenant and the key store has no key of it: open it with the key "
                    "store that it was written with"
                )
            if root is None and make:
                root = await self._keys.root(tenant, make=True)
            if root is None:
                return Blinds(secrets.token_bytes(32))  # of a tenant that has nothing, nothing is found
        blinds = self._blinds.get(root)
        if blinds is None:
            if len(self._blinds) >= _MOST_TENANTS:
                self._blinds.clear()
                self._seen.clear()
            blinds = self._blinds[root] = Blinds(root)
        if (tenant, root) not in self._seen and await self._recognize(tenant, blinds):
            self._seen.add((tenant, root))
        return blinds

    async def _recognize(self, tenant: str, blinds: Blinds) -> bool:
        """Look at the first batch of a tenant: names that were made with another key would find nothing, in silence.

        False: there is none yet.
        """
        try:
            items = (await self._inner.changes(tenant, limit=1)).items
        except PositionExpired:  # the store keeps only the end of its feed
            return True
        for change in items:
            try:
                open_heading(Ring(self._sealer, tenant, blinds), change.idem, change.actor, None)
            except Corrupt:
                raise WrongKey(
                    "what the store has of this tenant was not written with this key store: open it with the one that "
                    "it was written with, or with none if it was never encrypted"
                ) from None
        return bool(items)


@contextmanager
def as_given(idem: str) -> Iterator[None]:
    """Let errors of the store below speak of what the caller gave."""
    try:
        yield
    except BatchTooLarge as error:
        raise BatchTooLarge(
            f"{error}; it is counted as it is when it is sealed", limit=error.limit, got=error.got
        ) from None
    except CommitUnknown as error:
        raise CommitUnknown(str(error), idem=idem) from None
    except CancelledError as cancelled:
        cause = cancelled.__cause__
        if isinstance(cause, CommitUnknown):
            raise cancelled from CommitUnknown(str(cause), idem=idem)
        raise


_BELOW = "it is done in the store below, but its keys could not be looked at or destroyed"


@contextmanager
def once_written(idem: str, done: str = _BELOW) -> Iterator[None]:
    """Let nothing that fails after something was written say that nothing was; *done* says what may have been."""
    try:
        yield
    except CommitUnknown:
        raise
    except StoreError as error:
        raise CommitUnknown(f"{done}: send the same again", idem=idem) from error
    except CancelledError as cancelled:
        raise cancelled from CommitUnknown(
            "the task was cancelled after it was done in the store below: send the same again", idem=idem
        )

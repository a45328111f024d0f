"""What a write locks: advisory locks, taken in one statement before anything is written.

Invariant: everybody takes the lock of the tenant first and the others in ascending order, so nobody waits in a circle.
Batches that touch the same thing, one of them writing, come one after the other; since a transaction has no number
before it writes, the numbers of such batches ascend in the order of their commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from crmcore.storage.bulk_plan import CheckedChunk
from crmcore.storage.validate import Addition, Checked

Locks = tuple[list[int], list[bool]]
"""The numbers to lock, in this order, and whether each is taken for oneself alone."""

_MOST = 64
"""More single locks than this become the lock of the whole tenant: the server has room for some thousands."""


def number_for(secret: bytes, *what: str) -> int:
    """The number of a lock. Two things may have the same: then they wait for each other without need."""
    digest = blake2b("\0".join(what).encode(), key=secret, digest_size=8, person=b"crmcore lock").digest()
    return int.from_bytes(digest, "big", signed=True)


def whole_tenant(secret: bytes, tenant: str) -> Locks:
    """For who writes much, or anything at all."""
    return [number_for(secret, "tenant", tenant)], [True]


def for_key(secret: bytes, tenant: str, idem: str) -> Locks:
    """For who asks after a batch: it waits for that one to end."""
    return _beside_others(secret, tenant, [number_for(secret, "idem", tenant, idem)], [])


def for_batch(secret: bytes, checked: Checked | CheckedChunk) -> Locks:
    """What a batch writes, for itself alone, and what it only checks, together with others."""
    if isinstance(checked, CheckedChunk):
        return whole_tenant(secret, checked.tenant)
    written: set[tuple[str, ...]] = {("idem", checked.idem)}
    for effect in checked.effects:
        if isinstance(effect, Addition):
            written.add(("stream", effect.stream))
        else:
            written.add(("record", *effect.address))
            written.update(("claim", *pair) for pair in effect.claims)
    looked_at: set[tuple[str, ...]] = {("record", *address) for address in checked.addresses}
    looked_at.update(("stream", stream) for stream in checked.streams)
    looked_at.update(("claim", *pair) for pair in checked.claims)
    # A key is freed by who writes its holder, which is not known to carry it before one has looked.
    looked_at.update(("record", *holder) for _, holder in checked.key_checks if holder)
    looked_at -= written
    if len(written) + len(looked_at) > _MOST:
        return whole_tenant(secret, checked.tenant)

    def numbers(things: Iterable[tuple[str, ...]]) -> list[int]:
        return [number_for(secret, what, checked.tenant, *rest) for what, *rest in things]

    return _beside_others(secret, checked.tenant, numbers(written), numbers(looked_at))


def _beside_others(secret: bytes, tenant: str, alone: list[int], shared: list[int]) -> Locks:
    modes = dict.fromkeys(shared, False) | dict.fromkeys(alone, True)
    ordered = sorted(modes)
    return (
        [number_for(secret, "tenant", tenant), *ordered],
        [False, *(modes[number] for number in ordered)],
    )

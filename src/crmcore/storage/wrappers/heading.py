"""Who sent a batch, under which key and why: how that is kept by a store that is not to know it.

Invariant: the store below sees the name of the idempotency key that `Blinds` gives, and an actor that is a sealed one.
Who acted is sealed under the tenant's key. The idempotency key and the reason, which may tell of a customer, are sealed
under the keys of all whom the batch concerns, up to `MOST` of them; of a batch with more, under the tenant's key.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from crmcore.errors import Corrupt
from crmcore.storage.document import decode, write
from crmcore.storage.validate import actor_of
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import DataKey, place
from crmcore.values.frozen_map import FrozenMap, thaw
from crmcore.values.source import Actor

MOST = 64
SEALED = "sealed"
"""The reason that the store below is given; it takes it away when it erases what the batch wrote."""


class Heading(NamedTuple):
    """What the store below is given instead of a key, an actor and a reason."""

    idem: str
    actor: Actor
    reason: str


class Opened(NamedTuple):
    """What was given. *digest* is that of the batch as it was given, None where it is not known."""

    idem: str
    actor: Actor
    reason: str | None
    digest: bytes | None


def seal_heading(
    ring: Ring, keys: Collection[DataKey], idem: str, actor: str, reason: str | None, digest: bytes
) -> Heading:
    """*actor* is given as its canonical text."""
    name = ring.blinds.idem(idem)
    occasion = idem.encode()
    some = keys if len(keys) <= MOST else ()
    who = ring.seal((), place("who", ring.tenant, name), occasion, actor)
    what = ring.seal(some, place("what", ring.tenant, name), occasion, write([idem, reason, digest.hex()]))
    boxes: FrozenMap[str, Any] = FrozenMap({"who": FrozenMap(who), "what": FrozenMap(what)})
    return Heading(name, Actor(kind="system", id=name, unknown=boxes), SEALED)


def heading_ids(actor: Actor) -> Collection[str]:
    """The keys that are needed to open a heading."""
    return ids_of(_box(actor, "what"))


def open_heading(ring: Ring, idem: str, actor: Actor, reason: str | None) -> Opened:
    """What `seal_heading` was given. Once what the batch wrote is erased or shredded, its key and reason are gone."""
    who = ring.open(_box(actor, "who"), place("who", ring.tenant, actor.id))
    if who is None or (reason is not None and actor.id != idem):
        raise Corrupt(
            "the actor of a batch was changed, or moved there from another one: restore it from a backup"
        )
    what = None if reason is None else ring.open(_box(actor, "what"), place("what", ring.tenant, idem))
    if what is None:
        return Opened(idem, actor_of(who), None, None)
    key, given, digest = decode(what)
    return Opened(key, actor_of(who), given, bytes.fromhex(digest))


_FENCE = "~"
_MOST_NAME = 256


def fence_name(ring: Ring, idem: str) -> str | None:
    """A key to fence beside the name of *idem*, that gives it back; None if it is too long for that."""
    body = ring.seal((), place("fence", ring.tenant), idem.encode(), idem)
    (box,) = body.values()
    name = f"{_FENCE}{box}"
    return name if len(name) <= _MOST_NAME else None


def fenced(ring: Ring, name: str) -> str | None:
    """The key that `fence_name` gave *name* for; None of any other."""
    return ring.open({"box": name[1:]}, place("fence", ring.tenant)) if name.startswith(_FENCE) else None


def _box(actor: Actor, name: str) -> dict[str, Any]:
    box = thaw(actor.unknown).get(name)
    return box if isinstance(box, dict) else {}

"""What an encrypted store says of itself.

Invariant: what somebody learns who has the files of the store below, and no key, is on this page, all of it.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from crmcore.errors import CapabilityMissing
from crmcore.storage.capability import BACKUP, ORDERED_TEXT, unclaimed
from crmcore.storage.protocol import Capability, Description, Limits
from crmcore.storage.wrappers.ring import MOST_ABOUT

ORDERED = frozenset({"timeline", "due", "review"})
"""The namespaces of crmcore's own sorts that hold instants and integers."""

UNORDERED = (
    "an encrypted store keeps the order of instants and integers only, since the order of texts tells of them"
)
_NO_RESTORE = "sealed rows are restored into the store below, with its key store; plain ones are written anew"

DISCLOSES = (
    "tenants, kinds, ids and versions of records, names and lengths of ledgers, which kinds of events they hold",
    "which records and entries concern the same subjects, and the ids of the subjects of an entry",
    "when each entry occurred and was recorded, when each batch was written, which changes are of one batch",
    "which batches, erasures and loads were sent under the same idempotency key, and which keys were asked for",
    "which records carry the same key or stand in the same part of an order, and how many do, for each namespace",
    "the values of sorts, so the order, in the namespaces {ordered}",
    "the sizes of bodies together with their keys, the sizes of reasons and actors",
    "of erasures, when, and which records, ledgers, entries and subjects, by their ids",
    "how many rows a load had, and which of them were refused, and with which code",
)

_CARRIERS = 58  # the longest keys of a Rekey, sealed, in pieces
_RESERVE = 300 << 10  # in a body: forty keys and sorts of the greatest length, and a thousand ids of keys
_BYTES = 8  # a record with forty keys of one letter is sealed in six times its bytes
_USUAL = 16 << 10  # in a body: forty keys of some hundred bytes, and the ids of some ten keys


def limits_within(limits: Limits) -> Limits:
    """What fits into a store with *limits* when it is sealed.

    Over a store that takes much, this is what fits in the worst case. Over one that takes little, what usually fits,
    and no more than every store must take; of the bytes of a body and of a batch that may be less. There, a record
    with many long keys, or about very many, may be refused by the store below though it is within these limits:
    `BatchTooLarge`, with nothing written.

    Raises:
        CapabilityMissing: if *limits* are less than every store must take.
    """
    floor = Limits()
    for field in attrs.fields(Limits):
        if (taken := getattr(limits, field.name)) < (least := getattr(floor, field.name)):
            raise CapabilityMissing(
                f"the store below takes too little to be encrypted: its {field.name} is {taken}, and every store must "
                f"take {least}: encrypt one that does"
            )
    marked = marks_within(limits)
    keys = limits.max_keys - _CARRIERS - marked if marked else limits.max_keys
    return attrs.evolve(
        limits,
        max_keys=keys,
        max_items=limits.max_ops * (2 * keys + 2) if marked else limits.max_items,
        # A third more as text of the box, and half more where a body is nothing but ids of those whom it concerns.
        max_body_bytes=max(
            (limits.max_body_bytes - _RESERVE) * 6 // 11,
            min(floor.max_body_bytes, (limits.max_body_bytes - _USUAL) * 3 // 4),
        ),
        max_batch_bytes=_bytes(limits.max_batch_bytes, floor.max_batch_bytes),
        max_chunk_bytes=_bytes(limits.max_chunk_bytes, floor.max_chunk_bytes),
    )


def marks_within(limits: Limits) -> int:
    """How many keys of a record may tell whom it concerns; 0: they would take the room of the record's own.

    Where each key is an item of a small transaction, there are none, and nothing is written in other numbers than it is
    given: `Sweep` then looks through the feed. Sealed rows of such a store are therefore not to be restored into one
    that takes more, where nobody would look for them so.
    """
    keys = limits.max_keys - _CARRIERS - MOST_ABOUT
    unlimited = limits.max_items >= limits.max_ops * (2 * limits.max_keys + 2)
    return MOST_ABOUT if keys >= Limits().max_keys and unlimited else 0


def _bytes(limit: int, least: int) -> int:
    return max(limit // _BYTES, min(least, limit * 2 // 3))


def described(inner: Description, limits: Limits, ordered: Collection[str]) -> Description:
    """The description of an encrypted store over one with the description *inner*."""
    names = ", ".join(sorted(ordered)) or "(none)"
    lacking = {BACKUP: _NO_RESTORE, ORDERED_TEXT: UNORDERED}
    capabilities: tuple[Capability, ...] = tuple(
        unclaimed(one.name, lacking[one.name])
        if one.name in lacking and one.support in ("full", "versioned")
        else one
        for one in inner.capabilities
    )
    return attrs.evolve(
        inner,
        engine=f"encrypted {inner.engine}",
        capabilities=capabilities,
        limits=limits,
        discloses=tuple([text.format(ordered=names) for text in DISCLOSES]),
    )

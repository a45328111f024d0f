"""What an encrypted store says of itself.

Invariant: what somebody learns who has the files of the store below, and no key, is on this page, all of it.
"""

from __future__ import annotations

from collections.abc import Collection

import attrs

from crmcore.storage.capability import BACKUP, ORDERED_TEXT, unclaimed
from crmcore.storage.protocol import Capability, Description, Limits

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
    "which records carry the same key or stand in the same part of an order, and how many do, for each namespace",
    "the values of sorts, so the order, in the namespaces {ordered}",
    "the sizes of bodies together with their keys, the sizes of reasons and actors",
)

_RESERVE = 256 << 10  # the longest keys and sorts, and the ids of a thousand subjects
_CARRIERS = 64


def limits_within(limits: Limits) -> Limits:
    """What fits into a store with *limits* when it is sealed."""
    body = max((limits.max_body_bytes - _RESERVE) * 3 // 4, limits.max_body_bytes // 2)
    return attrs.evolve(
        limits,
        max_batch_bytes=max(limits.max_batch_bytes // 4, min(limits.max_batch_bytes, 1 << 20)),
        max_chunk_bytes=max(limits.max_chunk_bytes // 4, min(limits.max_chunk_bytes, 1 << 20)),
        max_body_bytes=body,
        max_keys=min(limits.max_keys, max(Limits().max_keys, limits.max_keys - _CARRIERS)),
    )


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

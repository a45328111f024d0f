"""What an erasure asks for and what it leaves, before any store looks at its data.

Invariant: what is kept of an erasure is enough to know it again, to answer it again and to do it again elsewhere. The
idempotency key of a batch whose writes were erased is kept only as a keyed hash, so that the batch is still known when
it arrives late and nobody can read from the store what its key said.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Set
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from hashlib import blake2b, sha256
from typing import NamedTuple

from crmcore.errors import InvalidRecord, TenantMismatch
from crmcore.storage.document import decode, joined, write
from crmcore.storage.erasure import ERASED, Erasure
from crmcore.storage.plan import Event
from crmcore.storage.protocol import Limits, Ref
from crmcore.storage.validate import (
    Address,
    actor_of,
    check_id,
    check_int,
    check_name,
    check_ref,
    heading,
    instant,
    microseconds,
    too_large,
)
from crmcore.values.source import SYSTEM

_put_off = ContextVar("cleaning_put_off", default=False)


@contextmanager
def cleaning_put_off() -> Iterator[None]:
    """Several erasures are done one after the other: until the last one, a file need not be written anew.

    Whoever calls this does the last one outside of it, or `nothing` if there is no other: a store that put something
    off does it all then.
    """
    token = _put_off.set(True)
    try:
        yield
    finally:
        _put_off.reset(token)


def is_cleaning_put_off() -> bool:
    """Whether another erasure is to come, which will clean up for this one."""
    return _put_off.get()


def nothing(tenant: str, at: datetime) -> Erasure:
    """An erasure that names nothing, for what was put off and not done, be it since something was cut off."""
    return Erasure(tenant=tenant, idem="erasure:nothing", actor=SYSTEM, at=at)


EMPTY = "{}"
"""The body of an entry that was erased."""

STRIPPED = b""
"""The digest of a batch that is refused for good, since what it wrote was erased."""


class CheckedErasure(NamedTuple):
    """An erasure that can be done. *text* is what it names, in canonical form; all that it names is sorted."""

    tenant: str
    idem: str
    digest: bytes
    at: int
    actor: str
    reason: str | None
    addresses: tuple[Address, ...]
    streams: tuple[str, ...]
    entries: tuple[tuple[str, int], ...]
    subjects: frozenset[str]
    text: str

    def __repr__(self) -> str:
        return f"CheckedErasure(tenant={self.tenant!r}, <hidden>)"


def check_erasure(erasure: Erasure, limits: Limits) -> CheckedErasure:
    """Check *erasure* and make it ready. As with a batch, it is the same erasure also when *at* differs.

    Raises:
        InvalidRecord: if it names what no store can hold.
        TenantMismatch: if a ref is of another tenant.
        BatchTooLarge: if it names more than a batch may have operations.
    """
    check_name(erasure.tenant, "a tenant")
    check_name(erasure.idem, "an idempotency key")
    named = (erasure.refs, erasure.streams, erasure.entries, erasure.subjects)
    if not all(isinstance(each, frozenset) for each in named):
        raise InvalidRecord("the refs, streams, entries and subjects of an erasure are frozensets")
    if (count := sum(map(len, named))) > limits.max_ops:
        raise too_large("things named by an erasure", limits.max_ops, count)
    if any(ref.tenant != erasure.tenant for ref in erasure.refs):
        raise TenantMismatch("an erasure names a record of another tenant: erase it by a call of its own")
    addresses = tuple(sorted(map(check_ref, erasure.refs)))
    for stream in erasure.streams:
        check_name(stream, "a stream")
    for stream, seq in erasure.entries:
        check_name(stream, "a stream")
        check_int(seq, "the number of an entry")
    for subject in erasure.subjects:
        check_id(subject)
    streams, entries = tuple(sorted(erasure.streams)), tuple(sorted(erasure.entries))
    actor = heading(erasure.actor, erasure.reason)
    text = write([addresses, streams, entries, sorted(erasure.subjects)])
    lines = ["crmcore.erasure/1", erasure.tenant, actor, write(erasure.reason), text]
    return CheckedErasure(
        erasure.tenant,
        erasure.idem,
        sha256(joined(lines)).digest(),
        microseconds(erasure.at, "the time of an erasure"),
        actor,
        erasure.reason,
        addresses,
        streams,
        entries,
        erasure.subjects,
        text,
    )


# --- what is kept of it -------------------------------------------------------------------------------


def kept(checked: CheckedErasure, batches: int) -> str:
    """The text that a store keeps of an erasure: what it named, and of how many batches the receipts were stripped.

    >>> from datetime import UTC, datetime
    >>> from crmcore.values.source import SYSTEM
    >>> erasure = Erasure(
    ...     tenant="acme", streams=frozenset({"note:1"}), idem="e1", actor=SYSTEM, at=datetime(2026, 3, 1, tzinfo=UTC)
    ... )
    >>> kept(check_erasure(erasure, Limits()), 2)
    '[[],["note:1"],[],[],2]'
    """
    return f"{checked.text[:-1]},{batches}]"


def stripped_by(text: str) -> int:
    """Of how many batches an erasure stripped the receipts, by what was kept of it."""
    return int(decode(text)[4])


def erasure_of(tenant: str, text: str, *, idem: str, at: int, actor: str, reason: str | None) -> Erasure:
    """The erasure as it was asked for, from what was kept of it."""
    addresses, streams, entries, subjects, _ = decode(text)
    return Erasure(
        tenant=tenant,
        refs=frozenset(Ref(tenant, kind, id_) for kind, id_ in addresses),
        streams=frozenset(streams),
        entries=frozenset((stream, seq) for stream, seq in entries),
        subjects=frozenset(subjects),
        idem=idem,
        actor=actor_of(actor),
        reason=reason,
        at=instant(at),
    )


# --- what it does -------------------------------------------------------------------------------------


def remaining_subjects(subjects: str, schema: str, body: str, erased: Set[str]) -> str | None:
    """The subjects that the tombstone of an entry has, as text; None if the entry is that tombstone already.

    >>> remaining_subjects('["a","b"]', "note/1", '{"text":"x"}', {"a"})
    '["b"]'
    >>> remaining_subjects('["b"]', ERASED, "{}", {"a"}) is None
    True
    """
    before = decode(subjects)
    after = [subject for subject in before if subject not in erased]
    if schema == ERASED and body == EMPTY and after == before:
        return None
    return write(after)


def record_erased(address: Address, version: int) -> Event:
    """The change in the feed of a record that was erased at *version*. As after a `Delete`, counting goes on."""
    return Event("erase", *address, version + 1)


def entry_erased(stream: str, seq: int) -> Event:
    """The change in the feed of an entry that was erased."""
    return Event("erase", stream, "", seq)


# --- the idempotency keys of what it erased -----------------------------------------------------------


def new_pepper() -> bytes:
    """Random bytes for a tenant, made at its first erasure and never changed."""
    return secrets.token_bytes(32)


def erased_idem(idem: str, pepper: bytes) -> str:
    """What stands for an idempotency key when the batch that it was given to was stripped.

    >>> erased_idem("import-1", bytes(32))[:23]
    'erased:8ee8066e04b29740'
    """
    return f"erased:{blake2b(idem.encode(), key=pepper, digest_size=32).hexdigest()}"


def forms(idem: str, pepper: bytes | None) -> tuple[str, ...]:
    """The texts under which a batch may be found: its key, and what stands for that if the tenant ever erased."""
    return (idem, erased_idem(idem, pepper)) if pepper else (idem,)

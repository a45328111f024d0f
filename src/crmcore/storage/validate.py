"""The one check of a batch that every store makes before it looks at its data.

Invariant: what passes can be kept and given back unchanged by any store: every body is canonical JSON without
floats, NUL or lone surrogates, every size is within the limits, every record is written once at most. The digest
of a batch depends on what is asked for, not on the library's clock (`Batch.at`, `Draft.recorded_at`), so that a
batch sent again later is seen as the same batch.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Set
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from crmcore.errors import BatchTooLarge, InvalidRecord, TenantMismatch
from crmcore.storage.document import MAX_INT, decode, encode, joined, write
from crmcore.storage.protocol import (
    Append,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Delete,
    Limits,
    Put,
    Ref,
    Rekey,
)
from crmcore.values.frozen_map import FrozenMap, thaw
from crmcore.values.source import Actor

MAX_REASON = 4096
SHARDS = 4096

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_WORD = re.compile(r"[a-z][a-z0-9_.:-]{0,63}\Z")
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}\Z")
_PART = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,256}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z in microseconds
_LAST = 253_402_300_799_999_999

Address = tuple[str, str]
"""Kind and id of a record, within a tenant."""

NOTHING = "[[],[]]"
"""What a record without keys and sorts carries."""

KeyPair = tuple[str, str]
SortTriple = tuple[str, str, bytes]


# These are made by the thousand while importing: a named tuple costs a third of an attrs instance.
class Write(NamedTuple):
    """A checked Put, Delete or Rekey. *body* is canonical JSON, and *carries* that of keys and sorts together.

    *claims* are those of its keys that are in exclusive namespaces.
    """

    op: Literal["put", "delete", "rekey"]
    address: Address
    expect: int
    schema: int = 0
    body: str = ""
    keys: tuple[KeyPair, ...] = ()
    sorts: tuple[SortTriple, ...] = ()
    carries: str = NOTHING
    claims: tuple[KeyPair, ...] = ()

    def __repr__(self) -> str:
        return f"Write(op={self.op!r}, address={self.address!r}, expect={self.expect}, <hidden>)"


class Addition(NamedTuple):
    """A checked Append. The instants are microseconds since 1970; *subjects* and *body* are canonical JSON."""

    stream: str
    expect: int | None
    occurred: int
    recorded: int
    subjects: str
    schema: str
    body: str

    def __repr__(self) -> str:
        return f"Addition(stream={self.stream!r}, schema={self.schema!r}, <hidden>)"


class Checked(NamedTuple):
    """A batch that can be stored. *effects* are in the order in which they were given.

    *addresses*, *streams* and *claims* are what a store must look up before it can plan.
    """

    tenant: str
    idem: str
    digest: bytes
    at: int
    actor: str
    reason: str | None
    effects: tuple[Write | Addition, ...]
    checks: tuple[tuple[Address, int], ...]
    stream_checks: tuple[tuple[str, int], ...]
    key_checks: tuple[tuple[KeyPair, Address | None], ...]
    addresses: Set[Address]
    streams: Set[str]
    claims: Set[KeyPair]

    def __repr__(self) -> str:
        return f"Checked(tenant={self.tenant!r}, <{len(self.effects)} effects hidden>)"


def check_batch(batch: Batch, limits: Limits, exclusive: frozenset[str]) -> Checked:
    """Check *batch* against *limits* and make it ready for storing.

    Raises:
        InvalidRecord: if some part of it could not be kept unchanged.
        BatchTooLarge: if it is over a limit.
        TenantMismatch: if an operation addresses another tenant than the batch.
    """
    check_name(batch.tenant, "a tenant")
    check_name(batch.idem, "an idempotency key")
    if len(batch.ops) > limits.max_ops:
        raise too_large("operations in a batch", limits.max_ops, len(batch.ops))
    checker = _Checker(batch.tenant, limits, exclusive)
    lines = [_header(batch), *map(checker.line, batch.ops)]
    return Checked(
        batch.tenant,
        batch.idem,
        _digest(lines, limits),
        microseconds(batch.at, "the time of a batch"),
        _actor(batch.actor),
        batch.reason,
        tuple(checker.effects),
        tuple(checker.checks),
        tuple(checker.stream_checks),
        tuple(checker.key_checks),
        checker.written | {address for address, _ in checker.checks},
        checker.streams,
        checker.claims,
    )


def _header(batch: Batch) -> str:
    check_reason(batch.reason)
    return f"crmcore.batch/1\t{batch.tenant}\t{_actor(batch.actor)}\t{write({'reason': batch.reason})}"


def check_reason(reason: object) -> None:
    if reason is not None and (not isinstance(reason, str) or len(reason) > MAX_REASON):
        raise InvalidRecord(f"a reason is a text of at most {MAX_REASON} characters")


def heading(actor: Actor, reason: str | None) -> str:
    """The text of an actor, when it and *reason* can be kept."""
    check_reason(reason)
    text = _actor(actor)
    joined([text, encode({"reason": reason})])
    return text


def _actor(actor: Actor) -> str:
    if actor.unknown:
        known = {"kind": actor.kind, "id": actor.id, "on_behalf_of": actor.on_behalf_of}
        return encode({**thaw(actor.unknown), **known})
    return _plain_actor(actor.kind, actor.id, actor.on_behalf_of)


@lru_cache(maxsize=512)
def _plain_actor(kind: str, id: str, on_behalf_of: str | None) -> str:
    return encode({"kind": kind, "id": id, "on_behalf_of": on_behalf_of})


def actor_of(text: str) -> Actor:
    """The actor whose canonical text was stored with a batch."""
    parts = decode(text)
    known = {name: parts.pop(name) for name in ("kind", "id", "on_behalf_of")}
    return Actor(**known, unknown=FrozenMap(parts))


def _digest(lines: list[str], limits: Limits) -> bytes:
    data = joined(lines)
    if len(data) > limits.max_batch_bytes:
        raise too_large("bytes in a batch", limits.max_batch_bytes, len(data))
    return sha256(data).digest()


class _Checker:
    """Turns operations into effects and checks, and each into one line of the canonical text of the batch."""

    def __init__(self, tenant: str, limits: Limits, exclusive: frozenset[str]) -> None:
        self._tenant = tenant
        self._limits = limits
        self._exclusive = exclusive
        self.written: set[Address] = set()
        self.streams: set[str] = set()
        self.claims: set[KeyPair] = set()
        self.effects: list[Write | Addition] = []
        self.checks: list[tuple[Address, int]] = []
        self.stream_checks: list[tuple[str, int]] = []
        self.key_checks: list[tuple[KeyPair, Address | None]] = []

    def line(self, op: object) -> str:
        if isinstance(op, Append):
            return self._append(op)
        if isinstance(op, (Put, Delete, Rekey)):
            return self._write(op)
        if isinstance(op, Check):
            address = self._address(op.ref)
            self.checks.append((address, check_int(op.expect, "an expected version")))
            return f"check\t{address[0]}\t{address[1]}\t{op.expect}"
        if isinstance(op, CheckStream):
            check_name(op.stream, "a stream")
            self.streams.add(op.stream)
            self.stream_checks.append((op.stream, check_int(op.seq, "an expected length")))
            return f"check_stream\t{op.stream}\t{op.seq}"
        if isinstance(op, CheckKey):
            return self._check_key(op)
        raise InvalidRecord(f"{type(op).__name__} is no operation of a batch")

    def _write(self, op: Put | Delete | Rekey) -> str:
        address = self._address(op.ref)
        if address in self.written:
            raise InvalidRecord(f"a batch writes a record ({address[0]}) twice: put the two writes into one")
        self.written.add(address)
        expect = check_int(op.expect, "an expected version")
        head = f"{address[0]}\t{address[1]}\t{expect}"
        if not isinstance(op, Put) and expect == 0:
            raise InvalidRecord("only a Put can expect that there is no record (version 0)")
        if isinstance(op, Delete):
            self.effects.append(Write("delete", address, expect))
            return f"delete\t{head}"
        if not isinstance(op.keys, frozenset) or not isinstance(op.sorts, frozenset):
            raise InvalidRecord("the keys and the sorts of a record are frozensets")
        if len(op.keys) + len(op.sorts) > self._limits.max_keys:
            raise InvalidRecord(
                f"a record has at most {self._limits.max_keys} keys and sorts together, not "
                f"{len(op.keys) + len(op.sorts)}: put the rest on a satellite record"
            )
        keys = check_keys(op.keys, self._limits)
        sorts = check_sorts(op.sorts, self._limits)
        carries = carried(keys, sorts)
        claims = tuple([pair for pair in keys if pair[0] in self._exclusive])
        self.claims.update(claims)
        if isinstance(op, Rekey):
            self.effects.append(Write("rekey", address, expect, 0, "", keys, sorts, carries, claims))
            return f"rekey\t{head}\t{carries}"
        schema = check_int(op.schema, "a schema number")
        body = self._body(op.body)
        self.effects.append(Write("put", address, expect, schema, body, keys, sorts, carries, claims))
        return f"put\t{head}\t{schema}\t{carries}\t{body}"

    def _append(self, op: Append) -> str:
        entry = op.entry
        check_name(op.stream, "a stream")
        self.streams.add(op.stream)
        check_name(entry.schema, "the schema of an entry")
        expect = None if op.expect_seq is None else check_int(op.expect_seq, "an expected length")
        for subject in entry.subjects:
            check_id(subject)
        occurred = microseconds(entry.occurred_at, "occurred_at")
        recorded = microseconds(entry.recorded_at, "recorded_at")
        subjects = "[]" if not entry.subjects else '["' + '","'.join(entry.subjects) + '"]'
        body = self._body(entry.body)
        self.effects.append(Addition(op.stream, expect, occurred, recorded, subjects, entry.schema, body))
        return f"append\t{op.stream}\t{expect}\t{occurred}\t{subjects}\t{entry.schema}\t{body}"

    def _check_key(self, op: CheckKey) -> str:
        (pair,) = check_keys((op.key,), self._limits)
        if pair[0] not in self._exclusive:
            raise InvalidRecord(
                f"{pair[0]!r} is no exclusive namespace of this store: only those can be checked"
            )
        self.claims.add(pair)
        holder = None if op.holder is None else self._address(op.holder)
        self.key_checks.append((pair, holder))
        return f"check_key\t{write(pair)}\t{holder and ' '.join(holder)}"

    def _address(self, ref: Ref) -> Address:
        if ref.tenant != self._tenant:
            raise TenantMismatch(
                "an operation addresses another tenant than its batch: send it in a batch of its own"
            )
        return check_ref(ref)

    def _body(self, body: Any) -> str:
        text = encode(body)
        limit = self._limits.max_body_bytes
        if len(text) * 4 > limit and (size := len(text.encode("utf-8", "surrogatepass"))) > limit:
            raise too_large("bytes in a body", limit, size)
        return text


def check_keys(keys: Collection[KeyPair], limits: Limits) -> tuple[KeyPair, ...]:
    """The keys as sorted pairs."""
    limit = limits.max_key_bytes
    pairs: list[KeyPair] = []
    known: object = None
    for namespace, value in keys:
        if namespace is not known:  # most keys of a record are of the namespace of the one before
            check_word(namespace, "a namespace")
            known = namespace
        if not isinstance(value, str):
            raise InvalidRecord("the value of a key is a text")
        if len(value) * 4 > limit and len(value.encode("utf-8", "surrogatepass")) > limit:
            raise InvalidRecord(
                f"the value of a key has at most {limit} bytes: give a digest of a longer one"
            )
        pairs.append((namespace, value))  # a plain tuple: of those the garbage collector soon lets go
    pairs.sort()
    return tuple(pairs)


def check_sorts(sorts: Collection[SortTriple], limits: Limits) -> tuple[SortTriple, ...]:
    """The sorts as sorted triples."""
    triples: list[SortTriple] = []
    for namespace, part, value in sorts:
        check_word(namespace, "a namespace")
        check_part(part)
        check_sort_value(value, limits)
        triples.append((namespace, part, value))
    triples.sort()
    return tuple(triples)


def carried(keys: tuple[KeyPair, ...], sorts: tuple[SortTriple, ...]) -> str:
    """Keys and sorts as one canonical text; the values of sorts are in hexadecimal.

    >>> carried((("email", "ann@x.org"),), (("name", "", b"ann"),))
    '[[["email","ann@x.org"]],[["name","","616e6e"]]]'
    """
    if not keys and not sorts:
        return NOTHING
    return write([keys, [(namespace, part, value.hex()) for namespace, part, value in sorts]])


def carried_by(text: str) -> tuple[tuple[KeyPair, ...], tuple[SortTriple, ...]]:
    """The inverse of `carried`.

    >>> carried_by('[[["email","ann@x.org"]],[["name","","616e6e"]]]')
    ((('email', 'ann@x.org'),), (('name', '', b'ann'),))
    """
    if text == NOTHING:
        return (), ()
    keys, sorts = decode(text)
    return (
        tuple(map(tuple, keys)),
        tuple((namespace, part, bytes.fromhex(value)) for namespace, part, value in sorts),
    )


def check_sort_value(value: object, limits: Limits) -> None:
    if not isinstance(value, bytes) or len(value) > limits.max_sort_bytes:
        raise InvalidRecord(
            f"the value of a sort is at most {limits.max_sort_bytes} bytes: give a prefix of a longer one"
        )


def check_ref(ref: Ref) -> Address:
    check_word(ref.kind, "a kind")
    check_id(ref.id)
    return ref.kind, ref.id


def check_id(id_: object) -> None:
    if not isinstance(id_, str) or not _ID.match(id_):
        raise InvalidRecord("the id of a record is a lower-case UUIDv7 text of 36 characters")


def check_name(text: object, what: str) -> None:
    if not isinstance(text, str) or not _NAME.match(text):
        raise InvalidRecord(f"{what} is a text of 1 to 256 characters without control characters")


def check_part(text: object) -> None:
    if not isinstance(text, str) or not _PART.match(text):
        raise InvalidRecord(
            "the part of a sort is a text of at most 256 characters without control characters"
        )


def check_word(text: object, what: str) -> None:
    if not isinstance(text, str) or not _is_word(text):
        raise InvalidRecord(
            f"{what} is a lower-case word of at most 64 letters, digits and the characters _ . : -"
        )


@lru_cache(maxsize=512)
def _is_word(text: str) -> bool:
    return _WORD.match(text) is not None


def check_int(number: object, what: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MAX_INT:
        raise InvalidRecord(f"{what} is a whole number from 0 to 2**53 - 1")
    return number


def microseconds(instant: object, what: str) -> int:
    """An instant as microseconds since 1970-01-01 UTC.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "now")
    1000000
    """
    if not isinstance(instant, datetime) or instant.utcoffset() is None:
        raise InvalidRecord(f"{what} is a datetime with a zone: give one in UTC")
    gap = instant - _EPOCH
    number = (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
    if not _FIRST <= number <= _LAST:
        raise InvalidRecord(f"{what} is outside of the years 1 to 9999 in UTC")
    return number


def instant(number: int) -> datetime:
    """The inverse of `microseconds`; always in UTC."""
    return _EPOCH + timedelta(microseconds=number)


LONGEST_WAIT = 1_000_000.0
"""Nobody waits for more seconds than this, eleven days: all clocks and drivers can count so far."""


def check_timeout(timeout: float) -> float:
    """The seconds that a call may wait, from 0 to `LONGEST_WAIT`; what is less or more is taken for these.

    Raises:
        InvalidRecord: if that is no number.

    >>> check_timeout(float("inf")), check_timeout(-1)
    (1000000.0, 0.0)
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout != timeout:
        raise InvalidRecord("a timeout is a number of seconds")
    return float(min(max(timeout, 0), LONGEST_WAIT))


def check_tenants(tenants: Collection[str] | None) -> None:
    """Refuse names of tenants, as an export takes them, that are none.

    Raises:
        InvalidRecord: if they are a single text, or one of them cannot be a tenant.
    """
    if isinstance(tenants, (str, bytes)):
        raise InvalidRecord("tenants are a collection of texts: put a single one into a list")
    for tenant in tenants or ():
        check_name(tenant, "a tenant")


def check_limit(limit: object, what: str = "a limit") -> None:
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_INT:
        raise InvalidRecord(f"{what} is a whole number from 1 to 2**53 - 1")


def check_count(things: Collection[object], limits: Limits, what: str) -> None:
    if len(things) > limits.max_refs:
        raise too_large(f"{what} in one call", limits.max_refs, len(things))


def check_shards(shards: tuple[int, int] | None) -> tuple[int, int]:
    """The half-open range of shards that a scan reads; None is all of them."""
    low, high = shards if shards is not None else (0, SHARDS)
    if not (isinstance(low, int) and isinstance(high, int) and 0 <= low <= high <= SHARDS):
        raise InvalidRecord(f"shards are a half-open range within 0 to {SHARDS}, such as (0, {SHARDS})")
    return low, high


def too_large(what: str, limit: int, got: int) -> BatchTooLarge:
    return BatchTooLarge(f"{got} {what}, at most {limit}: send less at a time", limit=limit, got=got)

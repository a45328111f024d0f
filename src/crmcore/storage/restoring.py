"""The check of rows that are to be restored, the same for every store that ships.

Invariant: what passes could have been exported by a store of crmcore: it is in the order of `crmcore.storage.stored`,
every body is canonical JSON, every ledger is dense, and every size is within the limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crmcore.errors import InvalidRecord, KeyConflict, NotEmpty, StoreError
from crmcore.storage.bulk_plan import chunk_receipt, refusals_text
from crmcore.storage.document import decode, encode, joined
from crmcore.storage.erasing import check_erasure, erasure_of, kept, stripped_by
from crmcore.storage.protocol import Limits
from crmcore.storage.stored import Stored, StoredBatch, StoredEntry, StoredRecord, StoredTenant
from crmcore.storage.stream import Restored
from crmcore.storage.validate import (
    KeyPair,
    actor_of,
    carried,
    check_id,
    check_int,
    check_keys,
    check_name,
    check_sorts,
    check_word,
    heading,
    instant,
    too_large,
)

_MOST_BYTES = 64  # of a pepper or a digest


def checked_rows(rows: Iterable[Stored], limits: Limits) -> Iterator[Stored]:
    """The same rows, each of which can be kept where it comes.

    Raises:
        InvalidRecord: at the first that cannot; the message has its number.
    """
    checker = _Checker(limits)
    for number, row in enumerate(rows, 1):
        problem = checker.problem(row)
        if problem is not None:
            raise InvalidRecord(f"row {number} of what is to be restored cannot be kept: {problem}")
        yield row


class Counts:
    """Counts the rows of each sort."""

    def __init__(self) -> None:
        self._counts = {StoredTenant: 0, StoredRecord: 0, StoredEntry: 0, StoredBatch: 0}

    def add(self, row: Stored) -> None:
        self._counts[type(row)] += 1

    def restored(self) -> Restored:
        tenants, records, entries, batches = self._counts.values()
        return Restored(tenants=tenants, records=records, entries=entries, batches=batches)


def not_empty() -> NotEmpty:
    return NotEmpty(
        "a tenant of what is to be restored has something in this store already: use an empty store"
    )


def twice() -> InvalidRecord:
    return InvalidRecord("two batches of what is to be restored have one idempotency key: export again")


def refuse_shared(pair: KeyPair | None) -> None:
    """Refuse an exclusive key that more than one record carries.

    Raises:
        KeyConflict: if *pair* is such a key.
    """
    if pair is not None:
        raise KeyConflict(
            f"two records carry one key of {pair[0]!r}, a namespace that is exclusive in this store: "
            "restore into a store that was made with the same exclusive namespaces",
            namespace=pair[0],
            holder=None,
        )


class _Checker:
    """Looks at one row after the other. The place of a row is its sort, and within it what rows are ordered by."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tenant: str | None = None
        self._place: tuple[Any, ...] = ()

    def problem(self, row: object) -> str | None:
        """What is wrong with *row*, in words without a value; None: nothing."""
        try:
            if isinstance(row, StoredTenant):
                self._begin(row)
            elif not isinstance(row, (StoredRecord, StoredEntry, StoredBatch)):
                return "it is no row of a store"
            elif row.tenant != self._tenant:
                return "it is not of the tenant that was begun"
            elif isinstance(row, StoredRecord):
                self._record(row)
            elif isinstance(row, StoredEntry):
                self._entry(row)
            else:
                self._batch(row)
        except StoreError as error:
            return str(error)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return "a part of it is of another type or form"
        return None

    def _begin(self, row: StoredTenant) -> None:
        check_name(row.tenant, "a tenant")
        _check_bytes(row.pepper)
        if self._tenant is not None and row.tenant <= self._tenant:
            raise InvalidRecord("tenants come in the order of their names")
        self._tenant, self._place = row.tenant, ()

    def _go_on(self, place: tuple[Any, ...]) -> None:
        if place <= self._place:
            raise InvalidRecord("rows come in the order of records, entries, batches, fences")
        self._place = place

    def _record(self, row: StoredRecord) -> None:
        _, kind, id_, version, schema, body, keys, sorts = row
        check_word(kind, "a kind")
        check_id(id_)
        self._go_on((1, kind, id_))
        if check_int(version, "a version") == 0:
            raise InvalidRecord("a version is 1 at least")
        check_int(schema, "a schema number")
        if len(keys) + len(sorts) > (self._limits.max_keys if body is not None else 0):
            raise InvalidRecord("it carries too many keys and sorts")
        pairs, triples = check_keys(keys, self._limits), check_sorts(sorts, self._limits)
        if pairs != tuple(dict.fromkeys(keys)) or triples != tuple(dict.fromkeys(sorts)):
            raise InvalidRecord("keys and sorts are sorted tuples, each of them once")
        _check_text(carried(pairs, triples))
        if body is not None:
            self._body(body)

    def _entry(self, row: StoredEntry) -> None:
        _, stream, seq, occurred, recorded, subjects, schema, body = row
        check_name(stream, "a stream")
        before = self._place[2] if self._place[:2] == (2, stream) else 0
        self._go_on((2, stream, check_int(seq, "the number of an entry")))
        if seq != before + 1:
            raise InvalidRecord("the entries of a ledger are numbered from 1 without a gap")
        for number in (occurred, recorded):
            _check_instant(number)
        if type(subjects) is not tuple:
            raise InvalidRecord("subjects are a tuple")
        for subject in subjects:
            check_id(subject)
        check_name(schema, "the schema of an entry")
        self._body(body)

    def _batch(self, row: StoredBatch) -> None:
        tenant, idem, digest, at, actor, reason, events, load, erasure, rekeyed = row
        check_name(idem, "an idempotency key")
        if digest is None:
            if self._place[:1] != (4,):
                self._go_on((4,))
            if (at, actor, reason, events, load, erasure, rekeyed) != (0, "", None, (), None, None, ()):
                raise InvalidRecord("a fence is nothing but its key")
            return
        if self._place[:1] != (3,):
            self._go_on((3,))
        _check_bytes(digest)
        _check_instant(at)
        if heading(actor_of(actor), reason) != actor:
            raise InvalidRecord("its actor is not in canonical form")
        for event in events:
            check_change(*event)
        _check_rekeyed(rekeyed)
        if load is not None:
            receipt = chunk_receipt(
                tenant, "", check_int(load[0], "a number of rows"), load[1], at, replayed=True
            )
            if refusals_text(receipt.refused) != load[1]:
                raise InvalidRecord("its refusals are not in canonical form")
        if erasure is not None:
            asked = erasure_of(tenant, erasure, idem=idem, at=at, actor=actor, reason=reason)
            if kept(check_erasure(asked, self._limits), stripped_by(erasure)) != erasure:
                raise InvalidRecord("what it erased is not in canonical form")

    def _body(self, body: object) -> None:
        if not isinstance(body, str):
            raise InvalidRecord("a body is a text")
        _check_text(body)
        limit = self._limits.max_body_bytes
        if len(body) * 4 > limit and (size := len(body.encode())) > limit:
            raise too_large("bytes in a body", limit, size)
        if encode(decode(body)) != body:
            raise InvalidRecord("a body is not in canonical form")


def _check_text(text: str) -> None:
    try:
        joined([text])
    except InvalidRecord:
        raise InvalidRecord("it holds the character U+0000 or a lone surrogate") from None


def _check_bytes(value: object) -> None:
    if not isinstance(value, bytes) or len(value) > _MOST_BYTES:
        raise InvalidRecord(f"a pepper and a digest are at most {_MOST_BYTES} bytes")


def _check_instant(number: object) -> None:
    if type(number) is not int:
        raise InvalidRecord("an instant is a whole number of microseconds since 1970")
    try:
        instant(number)
    except OverflowError:
        raise InvalidRecord("an instant is outside of the years 1 to 9999 in UTC") from None


def _check_rekeyed(rekeyed: object) -> None:
    if not isinstance(rekeyed, tuple) or list(rekeyed) != sorted(set(rekeyed)):
        raise InvalidRecord("the records that a batch rekeyed are a sorted tuple, each of them once")
    for kind, id_ in rekeyed:
        check_word(kind, "a kind")
        check_id(id_)


def check_change(op: object, name: object, id_: object, number: object) -> None:
    """Refuse what is no change in a feed.

    Raises:
        InvalidRecord: if it is none.
    """
    if op not in ("put", "delete", "append", "erase") or (op == "append") > (id_ == ""):
        raise InvalidRecord("a change is a put, delete, append or erase")
    check_int(number, "the number of a change")
    if id_ == "" and op in ("append", "erase"):
        check_name(name, "a stream")
    else:
        check_word(name, "a kind")
        check_id(id_)

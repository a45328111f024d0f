"""A batch as the store below is given it: the same operations in the same order, sealed.

Invariant: of the same batch and the same keys comes the same sealed batch, so it is known when it is sent
again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

from crmcore.errors import BatchTooLarge
from crmcore.storage.protocol import Append, Batch, CheckKey, Delete, Draft, Key, Operation, Put, Rekey
from crmcore.storage.validate import Addition, Checked, Write
from crmcore.storage.wrappers.heading import seal_heading
from crmcore.storage.wrappers.ring import Ring
from crmcore.storage.wrappers.sealing import DataKey
from crmcore.storage.wrappers.subjects import Subjects


def batch_subjects(batch: Batch, subjects: Subjects) -> dict[int, Collection[str]]:
    """Whom each operation of a batch that is sealed concerns, by its place."""
    found: dict[int, Collection[str]] = {}
    for number, op in enumerate(batch.ops):
        if isinstance(op, Put):
            found[number] = subjects.record(op.ref, op.body)
        elif isinstance(op, Append):
            found[number] = subjects.entry(op.stream, op.entry.subjects, op.entry.body)
        elif isinstance(op, Rekey):
            found[number] = subjects.record(op.ref, None)
    return found


def sealed_batch(
    ring: Ring,
    batch: Batch,
    checked: Checked,
    concerned: Mapping[int, Collection[DataKey]],
    ordered: Collection[str],
    *,
    room: int,
    marks: int,
) -> Batch:
    """*batch*, sealed for those whom each operation concerns. *room* is how many keys the store below takes.

    At most *marks* of them tell whom a record concerns.

    Raises:
        BatchTooLarge: if a `Rekey` has so many keys that they do not fit when sealed.
    """
    effects = iter(checked.effects)
    ops: list[Operation] = []
    for number, op in enumerate(batch.ops):
        occasion = f"{batch.idem}\0{number}".encode()
        if isinstance(op, Append):
            ops.append(_append(ring, op, cast("Addition", next(effects)), concerned[number], occasion))
        elif isinstance(op, (Put, Rekey)):
            ops.append(
                _carrying(
                    ring, op, cast("Write", next(effects)), concerned[number], occasion, ordered, room, marks
                )
            )
        elif isinstance(op, CheckKey):
            (key,) = ring.blinded([op.key])
            ops.append(CheckKey(key=key, holder=op.holder))
        else:
            if isinstance(op, Delete):
                next(effects)
            ops.append(op)
    everybody = {key for keys in concerned.values() for key in keys}
    idem, actor, reason = seal_heading(
        ring, everybody, batch.idem, checked.actor, batch.reason, checked.digest
    )
    return Batch(tenant=batch.tenant, ops=tuple(ops), idem=idem, actor=actor, reason=reason, at=batch.at)


def _append(ring: Ring, op: Append, addition: Addition, keys: Collection[DataKey], occasion: bytes) -> Append:
    entry = op.entry
    body = ring.seal_entry(
        keys, op.stream, addition.occurred, entry.subjects, entry.schema, occasion, addition.body
    )
    draft = Draft(
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        subjects=entry.subjects,
        schema=entry.schema,
        body=body,
    )
    return Append(stream=op.stream, entry=draft, expect_seq=op.expect_seq)


def _carrying(
    ring: Ring,
    op: Put | Rekey,
    write: Write,
    keys: Collection[DataKey],
    occasion: bytes,
    ordered: Collection[str],
    room: int,
    marks: int,
) -> Put | Rekey:
    names = ring.blinded(write.keys)
    sorts = frozenset(ring.ordered(write.sorts, ordered))
    if isinstance(op, Put):
        body = ring.seal_record(keys, write.address, op.schema, occasion, write.body, write.carries)
        return Put(
            ref=op.ref,
            expect=op.expect,
            schema=op.schema,
            body=body,
            keys=frozenset([*names, *ring.concerning(keys, marks)]),
            sorts=sorts,
        )
    carriers = ring.carriers(keys, op.ref, op.expect, occasion, write.carries)
    size = len(names) + len(sorts) + len(carriers)
    about = ring.concerning(keys, min(marks, max(1, room - size)))
    size += len(about)
    if size > room:
        raise BatchTooLarge(
            f"the keys of a record whose body stays take {size} keys when they are sealed, and the store below takes "
            f"{room}: put the record with its body instead",
            limit=room,
            got=size,
        )
    return Rekey(
        ref=op.ref,
        expect=op.expect,
        keys=frozenset([*names, *about, *(Key(*carrier) for carrier in carriers)]),
        sorts=sorts,
    )

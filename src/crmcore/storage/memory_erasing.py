"""Erasing in the store in memory.

Invariant: all that is to be changed is worked out before the first change, so an erasure is done whole. The caller
holds the lock.
"""

from __future__ import annotations

from collections.abc import Iterator

from crmcore.storage.erasing import (
    EMPTY,
    STRIPPED,
    CheckedErasure,
    entry_erased,
    erased_idem,
    kept,
    new_pepper,
    record_erased,
    remaining_subjects,
    stripped_by,
)
from crmcore.storage.erasure import ERASED, ErasureReport
from crmcore.storage.memory_tenant import Applied, TenantData
from crmcore.storage.plan import Event
from crmcore.storage.validate import Addition, instant

_Place = tuple[str, int]


def erase(data: TenantData, checked: CheckedErasure) -> Applied:
    """Do what *checked* asks for, which was not done before."""
    addresses = [address for address in checked.addresses if data.current(address).live]
    named = sorted(set(_named(data, checked)))
    tombstones = [
        (place, stone) for place in named if (stone := _tombstone(data, place, checked)) is not None
    ]
    batches = _writers(data, checked, named)
    events = [record_erased(address, data.remove(address)) for address in addresses]
    for (stream, seq), stone in tombstones:
        data.ledgers[stream][seq - 1] = stone
        events.append(entry_erased(stream, seq))
    data.pepper = data.pepper or new_pepper()
    for batch in batches:
        _strip(data, batch)
    text = kept(checked, len(batches))
    return data.note(
        checked.idem, checked.digest, checked.at, checked.actor, checked.reason, events, erasure=text
    )


def report(data: TenantData, applied: Applied, *, replayed: bool) -> ErasureReport:
    """What an erasure did, made from what is kept of it."""
    records = sum(1 for event in data.events(applied) if event.id)
    return ErasureReport(
        records=records,
        entries=applied.last - applied.first - records,
        batches=stripped_by(applied.erasure or ""),
        residual=(),  # nothing is ever written to a disk
        at=instant(applied.at),
        replayed=replayed,
    )


def dropped(data: TenantData) -> ErasureReport:
    """The report of a tenant all of which was taken away."""
    return ErasureReport(
        records=sum(1 for row in data.rows.values() if row.current.live),
        entries=sum(map(len, data.ledgers.values())),
        batches=sum(1 for batch in data.batches.values() if batch),
        residual=(),
    )


def _named(data: TenantData, checked: CheckedErasure) -> Iterator[_Place]:
    """The entries that are there and that an erasure names, some of them more than once."""
    for stream in checked.streams:
        yield from ((stream, seq) for seq in range(1, data.length(stream) + 1))
    yield from ((stream, seq) for stream, seq in checked.entries if 1 <= seq <= data.length(stream))
    if checked.subjects:
        for stream, ledger in data.ledgers.items():
            for seq, entry in enumerate(ledger, 1):
                if any(subject in entry.subjects for subject in checked.subjects):
                    yield stream, seq


def _tombstone(data: TenantData, place: _Place, checked: CheckedErasure) -> Addition | None:
    """What takes the place of an entry; None if it was erased before."""
    stream, seq = place
    entry = data.ledgers[stream][seq - 1]
    subjects = remaining_subjects(entry.subjects, entry.schema, entry.body, checked.subjects)
    if subjects is None:
        return None
    return Addition(stream, None, checked.at, checked.at, subjects, ERASED, EMPTY)


def _writers(data: TenantData, checked: CheckedErasure, named: list[_Place]) -> list[Applied]:
    """The batches that wrote or rekeyed something of what is erased, but for those that are stripped already."""
    written = {*checked.addresses, *named}
    return [
        batch
        for batch in data.batches.values()
        if batch
        and batch.erasure is None
        and batch.digest != STRIPPED
        and not written.isdisjoint((*map(_what, data.events(batch)), *batch.rekeyed))
    ]


def _what(event: Event) -> tuple[str, str] | _Place:
    return (event.name, event.id) if event.id else (event.name, event.number)


def _strip(data: TenantData, batch: Applied) -> None:
    """Keep of a batch what it changed and by whom, and no more."""
    bare = batch._replace(idem=erased_idem(batch.idem, data.pepper), digest=STRIPPED, reason=None)
    data.feed[batch.first : batch.last] = [(event, bare) for event in data.events(batch)]
    del data.batches[batch.idem]
    data.batches[bare.idem] = bare

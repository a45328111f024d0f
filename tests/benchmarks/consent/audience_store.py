"""An SQLite store of customers with mixed histories, written as crmcore writes it: what `audience` is measured on.

Parties go in by `crm.parties.load`, with everything that they are found and compared by; their acts by the bulk part of
the same store, as `crm.consent.record` would append them; a few in a hundred are merged. See `audience.customers`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from crmcore import Crm, Person, PostalAddress
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import CODECS, CONTACT_POINT, point_key, point_stream
from crmcore.party import EmailPoint, PostalPoint
from crmcore.party.contact_point import PhonePoint
from crmcore.storage import Chunk, NewEntry, NewRecord, Row, SqliteStore
from crmcore.storage.document import Json
from crmcore.values import Ids
from crmcore.values.ids import Id
from crmcore.values.partial_date import PartialDate
from crmcore.values.source import SYSTEM
from tests.benchmarks.consent.audience import HISTORIES, NOW, PLACES, act

_ACT = CODECS[1]
TENANT = "acme"
_CHUNK = 10_000
_GIVEN = "Ann Ben Cleo Dan Eva Finn Gina Hugo Ivy Jon Kate Leo Mia Ned Olga Paul Rita Sam Tina Uwe Vera Will".split()


def people(count: int) -> Iterator[Person]:
    """So many persons, each with an address of their own, half with a birth date, a third with a number."""
    rng = random.Random(60)
    for number in range(count):
        country, _, state = rng.choice(PLACES).partition("-")
        born = f"{rng.randrange(1940, 2012)}-{rng.randrange(1, 13):02}-05" if rng.random() < 0.5 else None
        points: list[Any] = [
            EmailPoint.of(f"person{number}@example.org"),
            PostalPoint(
                raw="A street",
                value=PostalAddress(
                    lines=("A street",), locality="A town", administrative_area=state or None, country=country
                ),
            ),
        ]
        if rng.random() < 0.3:
            points.append(PhonePoint(raw=f"020{70_000_000 + number}", problem="not parsed"))
        yield Person.of(
            f"{rng.choice(_GIVEN)} Family{number}",
            contact_points=tuple(points),
            birth_date=None if born is None else PartialDate.parse(born),
        )


def acts(crm: Crm, count: int) -> Iterator[Row]:
    """The acts of everybody, one row for each contact point, and one for what is about the person."""
    rng = random.Random(61)
    ids = Ids(clock=lambda: int(NOW.timestamp() * 1000))
    after = None
    while True:
        page = crm.store.scan(TENANT, "party", after=after, limit=500)
        for record in page.items:
            (history,) = rng.choices([one for _, one in HISTORIES], [weight for weight, _ in HISTORIES])
            if history:
                address = next(one["raw"] for one in record.body["contact_points"] if one["kind"] == "email")
                yield _row(rng, ids, record.ref.id, address, history)
        after = page.next
        if after is None:
            return


def _row(rng: random.Random, ids: Ids, party: str, address: str, history: Iterable[Any]) -> Row:
    point = ids.new(Id)
    first = NOW - timedelta(days=rng.randrange(30, 1500), seconds=rng.randrange(86_400))
    entries = []
    for number, kind in enumerate(history):
        event = act(rng, number, kind, first + timedelta(days=number, hours=number), party, address)
        stream = point_stream(point)
        if kind == "object":
            event, stream = _about_the_person(event), f"consent:party:{party}"
        event = attrs.evolve(event, actor=SYSTEM, ledger=stream)
        entries.append(
            NewEntry(
                stream=stream,
                occurred_at=event.occurred_at,
                recorded_at=event.occurred_at,
                subjects=(party,),
                schema=f"{_ACT.tag}/{_ACT.schema}",
                body=Json.of(_ACT.dump(event)),
            )
        )
    record = NewRecord(
        kind=CONTACT_POINT.tag,
        id=str(point),
        schema=1,
        body=Json.of({"kind": "email"}),
        keys=(point_key("email", address),),
    )
    return Row(records=(record,), entries=tuple(entries))


def _about_the_person(event: ConsentEvent) -> ConsentEvent:
    return attrs.evolve(event, scope=attrs.evolve(event.scope, point=None), members=(event.record or "",))


def build(path: Path, count: int) -> None:
    """Write the store into the file *path*, which must not be there yet."""
    with Crm.open(path, tenant=TENANT, clock=lambda: NOW) as crm:
        crm.parties.load(
            people(count), idem="people", on_progress=lambda report: print(report.rows, end="\r")
        )
        rows: list[Row] = []
        for number, row in enumerate(acts(crm, count)):
            rows.append(row)
            if len(rows) == _CHUNK:
                _write(crm, rows, number)
                rows = []
        _write(crm, rows, -1)
        _merge(crm, count)


def _write(crm: Crm, rows: list[Row], number: int) -> None:
    store = crm.store
    assert isinstance(store, SqliteStore)
    name = f"acts-{number}"
    receipt = store.load(Chunk(tenant=TENANT, rows=rows, idem=name, digest=name, actor=SYSTEM, at=NOW))
    if receipt.refused:
        raise SystemExit(receipt.refused[0].message)


def _merge(crm: Crm, count: int) -> None:
    """One in fifty is somebody who is there already."""
    for number in range(0, count - 1, 50):
        crm.identity.merge(
            f"person{number}@example.org", f"person{number + 1}@example.org", reason="the same"
        )


if __name__ == "__main__":
    import sys
    import time

    begin = time.time()
    build(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"{time.time() - begin:.0f} s")

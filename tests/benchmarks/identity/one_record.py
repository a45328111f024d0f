"""One record against a store of many: how long `crm.identity.matches` takes, and whom it finds.

    python -m tests.benchmarks.identity.one_record --parties 100000 --store people.db

The store is made if it is not there: invented people (`invented_people`), every tenth of whom is recorded twice, with
an error; one telephone number is on as many records as *--shared* says. Of a store that is there, *--parties* and
*--shared* say nothing. The model is learned of a sample, so that the store need not be compared whole. Printed are the
first query, the median and the 99th percentile of drafts that nobody has seen before, and those with a key that many
share; with *--json* the same figures as JSON. With *--recall* it is printed instead whom the keys find and whom a batch
finds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from sqlite3 import Connection
from typing import Any

import attrs

from crmcore import Crm, Person
from crmcore.app import Matches
from crmcore.app.feed import here
from crmcore.app.frozen import load_state, put_state, recipe_of, save_model
from crmcore.app.near_matches import BREADTH
from crmcore.identity.features import Features, features_of, features_of_row
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.learning import Matcher
from crmcore.identity.near_keys import stored_keys
from crmcore.identity.projection import PROJECTED, project
from crmcore.storage import SqliteStore
from crmcore.storage.document import write as write_json
from crmcore.storage.lift import run
from crmcore.storage.nearness import followed, nearest
from crmcore.storage.sqlite_read import to_blob
from crmcore.storage.sqlite_write import tenant_for_writing
from crmcore.storage.validate import NOTHING
from crmcore.values.ids import Id, Ids, PartyId
from tests.benchmarks.identity.invented_people import Row, Town, damaged, person, rows, slipped, town

SHARED_PHONE = "+44 20 7946 0000"


def fill(path: Path, count: int, shared: int, of: Town) -> None:
    """Make the store.

    The records of parties and their satellites are laid straight into the tables, as `apply` would; there is no
    history and no feed of them, which no query reads.
    """
    store = SqliteStore(path)
    connection = store._writer
    assert connection is not None
    for setting in ("synchronous=OFF", "cache_size=-2500000", "wal_autocheckpoint=100000"):
        connection.execute(f"PRAGMA {setting}")
    number = tenant_for_writing(connection, "default").no
    started = time.perf_counter()
    made = 0
    every = max(1, count // shared) if shared else 0
    source = rows(count, 2, of)
    ids = Ids(lambda: 1_750_000_000_000 + made)
    while chunk := list(islice(source, 20_000)):
        connection.execute("BEGIN IMMEDIATE")
        lay(connection, number, ids, [
            (row, SHARED_PHONE if every and (made + at) % every == 0 else row[4]) for at, row in enumerate(chunk)
        ])  # fmt: skip
        connection.execute("COMMIT")
        made += len(chunk)
        if made % 100_000 == 0:
            print(f"{made:,} stored in {time.perf_counter() - started:.0f} s", flush=True)
    crm = Crm(store)
    freeze(crm, of, count)
    crm.close()


def lay(connection: Connection, tenant: int, ids: Ids, people: list[tuple[Row, str]]) -> None:
    """Write some people and their satellites."""
    records: list[tuple[Any, ...]] = []
    keys: list[tuple[Any, ...]] = []
    for row, phone in people:
        id = to_blob(ids.new(PartyId))
        projection = project(projected(row, phone))
        near = stored_keys(projection)[0]
        body = write_json({"v": PROJECTED, "p": projection.to_body()})
        carries = write_json([sorted(["near", key] for key in near), []])
        records.append((tenant, "features", id, 1, 1, carries, body))
        records.append((tenant, "party", id, 1, 1, NOTHING, write_json(body_of(row, phone))))
        keys += [(tenant, "near", key, "features", id) for key in near]
    keys.sort()
    connection.executemany(
        "INSERT INTO record (tenant, kind, id, version, schema, carries, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        records,
    )
    connection.executemany(
        "INSERT INTO key (tenant, namespace, value, kind, id) VALUES (?, ?, ?, ?, ?)", keys
    )


def projected(row: Row, phone: str) -> Features:
    """The features of `person(row, phone)`, without making the person."""
    given, family, born, mail, _, street, place = row
    city, _, postcode = place.partition(" ")
    number, _, name = street.partition(" ")
    return features_of_row(
        {
            "given_name": given, "family_name": family, "birth_date": born, "email": mail, "phone": phone,
            "street_no": number, "street": name, "city": city, "postcode": postcode,
        }
    )  # fmt: skip


def body_of(row: Row, phone: str) -> dict[str, Any]:
    """The stored form of `person(row, phone)`."""
    given, family, born, mail, _, street, place = row
    points: list[dict[str, Any]] = []
    if mail:
        points.append({"raw": mail, "kind": "email", "value": mail})
    if phone:
        digits = phone.replace(" ", "")
        points.append(
            {"raw": phone, "kind": "phone", "value": {"text": phone, "e164": digits}, "digits": digits[1:]}
        )
    address = f"{street}, {place}" if street else place
    points.append({"raw": address, "kind": "postal", "value": {"lines": [address]}})
    body = {"kind": "person", "contact_points": points, "names": [{"full": f"{given} {family}"}]}
    return {**body, "birth_date": born} if born else body


def freeze(crm: Crm, of: Town, count: int) -> None:
    """Let a model decide that was learned of a sample."""
    flow = crm.identity._flow._flow  # the flow below the synchronous facade
    features = [features_of(person(row)) for row in rows(20_000, 2, of)]
    learned = Matcher().learn(features)
    model = learned.model
    assert model is not None, learned.refusal

    async def freezing() -> None:
        async def write(unit: object) -> None:
            await flow.write(unit, str(flow.ids.new(Id)))  # type: ignore[arg-type]  # a unit

        parts = await save_model(flow.new_unit, write, model)
        unit = flow.new_unit()
        state = await load_state(unit)
        await put_state(
            unit,
            attrs.evolve(
                state, model=model.name, parts=parts, recipe=recipe_of(Matcher()), position=await here(flow),
                records=count, cap=12, index=PROJECTED,
            ),
        )  # fmt: skip
        await write(unit)

    run(freezing())


def measure(path: Path, count: int, queries: int, of: Town) -> dict[str, float]:
    """How long queries take, in milliseconds, and what they find."""
    crm = Crm(SqliteStore(path))
    drafts = list(queries_of(count, queries, of))
    first = milliseconds(crm, drafts[0])[0]
    for draft in drafts[: queries // 5]:
        crm.identity.matches(draft)
    times, found, passed = [], 0, 0
    for draft in drafts[queries // 5 :]:
        taken, matches = milliseconds(crm, draft)
        times.append(taken)
        for match in matches[:1]:
            match.explain()
        found += bool(matches)
        passed += matches.passed_over
    cuts = statistics.quantiles(times, n=100)
    shared = [milliseconds(crm, draft.with_phone(SHARED_PHONE))[0] for draft in drafts[:200]]
    crm.close()
    return {
        "parties": count,
        "drafts": len(times),
        "first": first,
        "p50": statistics.median(times),
        "p99": cuts[98],
        "worst": max(times),
        "found": found,
        "passed": passed / len(times),
        "share": sharing(path),
        "shared_p50": statistics.median(shared),
        "shared_worst": max(shared),
    }


def milliseconds(crm: Crm, draft: Person) -> tuple[float, Matches]:
    """How long one query takes, and its answer."""
    started = time.perf_counter()
    matches = crm.identity.matches(draft)
    return (time.perf_counter() - started) * 1e3, matches


def told(figures: dict[str, float]) -> str:
    """What `measure` found, in words."""
    return (
        "first query: {first:.1f} ms (reads the model)\n"
        "{drafts:,} drafts against {parties:,} parties: p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms; "
        "{found:,} found, {passed:.1f} keys passed over each\n"
        "with a telephone that {share:,} share: p50 {shared_p50:.2f} ms, worst {shared_worst:.2f} ms"
    ).format_map(figures)


def stored(path: Path) -> int:
    """How many parties are in a store."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM record WHERE kind = 'party'").fetchone()[0])


def sharing(path: Path) -> int:
    """How many parties have the telephone number that many share."""
    keys = stored_keys(project(features_of_row({"phone": SHARED_PHONE})))[0]
    count = "SELECT count(*) FROM key WHERE namespace = 'near' AND value = ?"
    with closing(sqlite3.connect(path)) as db:
        return max((int(db.execute(count, (key,)).fetchone()[0]) for key in keys), default=0)


def queries_of(count: int, queries: int, of: Town) -> Iterator[Person]:
    """People who are stored, with errors, and people who are not, in turns."""
    chance = Random(3)
    stored = rows(min(count, 40 * queries), 2, of)
    known = [row for row in stored if chance.random() < 0.05]
    chance.shuffle(known)
    strangers = rows(queries, 99, of)
    for row, stranger in zip(known[: queries // 2], strangers, strict=False):
        yield person(slipped(chance, row))
        yield person(stranger)


def recall(of: Town, count: int) -> None:
    """Print how many of the people who come again, badly damaged, have their record among the candidates.

    By the keys of the store, and in a batch over everything.
    """
    made = list(rows(count, 2, of))
    chance = Random(5)
    again = [(at, damaged(chance, made[at], of)) for at in chance.sample(range(count), min(4000, count // 2))]
    keys = [stored_keys(project(projected(row, row[4])))[0] for row in made]
    bearers: dict[str, list[int]] = {}
    for at, mine in enumerate(keys):
        for key in mine:
            bearers.setdefault(key, []).append(at)
    found = looked = 0
    for at, row in again:
        mine = stored_keys(project(projected(row, row[4])))[0]
        sizes = [len(bearers.get(key, ())) for key in mine]
        places, _ = followed(sizes, BREADTH)
        hits = [(n, str(other)) for n, place in enumerate(places) for other in bearers[mine[place]]]
        candidates = {int(id) for id in nearest(hits, [sizes[place] for place in places], BREADTH.most)[0]}
        looked += len(candidates)
        found += at in candidates
    features = [projected(row, row[4]) for row in (*made, *(row for _, row in again))]
    learned = Matcher().learn(features[:5000]).matcher
    table = learned.table(features)
    batch = Candidates(table)
    there = sum(count + number in batch.partners(at) for number, (at, _) in enumerate(again))
    print(
        f"of {len(again):,} damaged records of people among {count:,}: {found / len(again):.4f} found by keys in "
        f"{looked / len(again):.0f} candidates each, {there / len(again):.4f} by a batch with blocks up to {batch.cap}"
    )


def main() -> None:
    """Make the store if need be, then measure."""
    parser = argparse.ArgumentParser(description="one record against a store of many")
    parser.add_argument("--parties", type=int, default=100_000)
    parser.add_argument("--store", type=Path, default=Path("people.db"))
    parser.add_argument("--shared", type=int, default=0, help="so many parties have one telephone number")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument(
        "--recall", type=int, default=0, help="measure the recall of candidates among so many"
    )
    parser.add_argument("--make", action="store_true", help="make the store, and no more")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    given = parser.parse_args()
    of = town()
    if given.recall:
        recall(of, given.recall)
        return
    if not given.store.exists():
        fill(given.store, given.parties, given.shared, of)
    if given.make:
        return
    figures = measure(given.store, stored(given.store), given.queries, of)
    print(json.dumps(figures) if given.json else told(figures))


if __name__ == "__main__":
    main()

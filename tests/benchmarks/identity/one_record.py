"""One record against a store of many: how long `crm.identity.matches` takes, and whom it finds.

    python -m tests.benchmarks.identity.one_record --parties 100000 --store people.db

The store is made if it is not there: invented people with names, towns and birth dates as unevenly spread as real ones,
every tenth of whom is recorded twice, with an error; one telephone number is on every tenth record where *--shared* is
given. The model is learned of a sample, so that the store need not be compared whole. Printed are the first query, the
median and the 99th percentile of drafts that nobody has seen before, and those with a key that many share. With
*--recall* it is printed instead whom the keys find and whom a batch finds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from sqlite3 import Connection
from typing import Any

import attrs

from crmcore import Crm, Person
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

_ONSETS = "b br c ch d f fl g gr h j k kl l m n p pr qu r s sch st t tr v w z".split()
_NUCLEI = "a e i o u ai ei ou ie".split()
_CODAS = ["", "", "n", "r", "l", "s", "m", "ck", "nd", "rt", "ss"]
_ENDS = ["", "", "er", "man", "sen", "ova", "ini", "ski", "ez", "son"]
SHARED_PHONE = "+44 20 7946 0000"


def words(chance: Random, count: int, syllables: int, ends: list[str]) -> list[str]:
    """Different invented words."""
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [
            chance.choice(_ONSETS) + chance.choice(_NUCLEI) + chance.choice(_CODAS) for _ in range(syllables)
        ]
        found["".join(parts) + chance.choice(ends)] = None
    return list(found)


@attrs.frozen
class Town:
    """What people are made of, each list with the commonest first."""

    given: list[str]
    family: list[str]
    cities: list[str]
    streets: list[str]


def town() -> Town:
    """The names from which people are invented."""
    chance = Random(1)
    return Town(
        words(chance, 2500, 1, ["a", "e", "o", "is", "ian", "ette"]),
        words(chance, 30000, 2, _ENDS),
        words(chance, 1500, 2, ["burg", "ton", "heim", "ford"]),
        words(chance, 8000, 2, [""]),
    )


def some(chance: Random, items: list[str]) -> str:
    """One of *items*: the first ones as often as common names are, the last ones seldom."""
    return items[int(len(items) ** chance.random()) - 1]


Row = tuple[str, str, str, str, str, str, str]


def rows(count: int, seed: int, of: Town) -> Iterator[Row]:
    """Given name, family name, birth date, e-mail, phone, street with number, town with postcode."""
    chance = Random(seed)
    made = 0
    while made < count:
        given, family = some(chance, of.given), some(chance, of.family)
        born = f"{1935 + int(70 * chance.random() ** 0.8)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        mail = f"{given}.{family}{chance.randrange(1000)}@{chance.choice(('mail', 'post', 'web'))}.example"
        city = some(chance, of.cities)
        place = f"{city} {(hash_of(city) + chance.randrange(25)) % 90000 + 10000}"
        street = f"{chance.randrange(1, 120)} {some(chance, of.streets)} street"
        row = (given, family, born, mail, f"+44 20 {chance.randrange(10**7, 10**8)}", street, place)
        yield row
        made += 1
        if chance.random() < 0.1 and made < count:
            yield slipped(chance, row)
            made += 1


def hash_of(text: str) -> int:
    """The same number for a text in every run."""
    return sum((at + 7) * ord(char) * 131 for at, char in enumerate(text))


def slipped(chance: Random, row: Row) -> Row:
    """The same person with an error and a gap."""
    fields = list(row)
    at = chance.choice([0, 1])
    text = fields[at]
    place = chance.randrange(1, max(2, len(text) - 1))
    fields[at] = text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
    fields[chance.choice([2, 3, 4])] = ""
    return tuple(fields)  # type: ignore[return-value]  # seven texts as before


def person(row: Row, phone: str | None = None) -> Person:
    """A draft of an invented person."""
    given, family, born, mail, number, street, place = row
    return Person.of(
        f"{given} {family}",
        birth_date=born or None,
        email=mail or None,
        phone=phone or number or None,
        address=f"{street}, {place}" if street else place,
    )


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
    number, _ = tenant_for_writing(connection, "default")
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


def measure(path: Path, count: int, queries: int, of: Town) -> None:
    """Print how long queries take."""
    crm = Crm(SqliteStore(path))
    drafts = list(queries_of(count, queries, of))
    started = time.perf_counter()
    crm.identity.matches(drafts[0])
    print(f"first query: {(time.perf_counter() - started) * 1e3:.1f} ms (reads the model)")
    for draft in drafts[: queries // 5]:
        crm.identity.matches(draft)
    times, found, passed = [], 0, 0
    for draft in drafts[queries // 5 :]:
        started = time.perf_counter()
        matches = crm.identity.matches(draft)
        times.append((time.perf_counter() - started) * 1e3)
        for match in matches[:1]:
            match.explain()
        found += bool(matches)
        passed += matches.passed_over
    cuts = statistics.quantiles(times, n=100)
    print(
        f"{len(times):,} drafts against {count:,} parties: p50 {statistics.median(times):.2f} ms, "
        f"p99 {cuts[98]:.2f} ms, worst {max(times):.2f} ms; {found:,} found, "
        f"{passed / len(times):.1f} keys passed over each"
    )
    times = []
    for draft in drafts[:200]:
        draft = draft.with_phone(SHARED_PHONE)
        started = time.perf_counter()
        crm.identity.matches(draft)
        times.append((time.perf_counter() - started) * 1e3)
    print(
        f"with a telephone that many share: p50 {statistics.median(times):.2f} ms, worst {max(times):.2f} ms"
    )
    crm.close()


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


def damaged(chance: Random, row: Row, of: Town) -> Row:
    """Somebody as a clerk might hear them: two slips, and often without the e-mail, the telephone or the old street."""
    given, family, born, mail, phone, street, place = slipped(chance, slipped(chance, row))
    if chance.random() < 0.5:
        phone = ""
    if chance.random() < 0.5:
        street = f"{chance.randrange(1, 120)} {some(chance, of.streets)} street"
    return given, family, born, "" if chance.random() < 0.4 else mail, phone, street, place


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
    given = parser.parse_args()
    of = town()
    if given.recall:
        recall(of, given.recall)
        return
    if not given.store.exists():
        fill(given.store, given.parties, given.shared, of)
    measure(given.store, given.parties, given.queries, of)


if __name__ == "__main__":
    main()

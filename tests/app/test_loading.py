"""Laws of `crm.parties.load` over every engine: what `add` would store, in chunks, once, whatever happens between."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Anonymous, Crm, Household, Organization, Party, Person, Source
from crmcore.app import LoadReport, RefusedRow, loading
from crmcore.errors import (
    CapabilityMissing,
    CommitUnknown,
    Contention,
    IdempotencyMismatch,
    InvalidParty,
    InvalidRecord,
)
from crmcore.storage import Capability, Chunk, ChunkReceipt, Description, MemoryStore, SqliteStore, Store
from crmcore.storage.bulk_plan import check_chunk
from tests.app.frozen_store import everyone, expected, frozen
from tests.app.houses import in_memory, options
from tests.app.judging import seen
from tests.app.killed_load import ROWS, killed_rows, people
from tests.app.test_near_matches import draft as person
from tests.identity.model.invented import households
from tests.party.strategies import parties

pytestmark = pytest.mark.needs("bulk")

ANN = Person.of(
    "Ann Lee", email="ann@x.org", phone="020 7946 0018", region="GB", address="1 High Street, Rye"
)
MANY = Person.of("Bo", observed_at=date(2020, 5, 1)).changed(  # more keys than one record may carry
    contact_points=tuple(p for n in range(60) for p in Person.of(email=f"bo{n}@x.org").contact_points)
)
KINDS: list[Party] = [
    ANN,
    Organization.of("Rye Ltd"),
    Household.of("the Lees"),
    Anonymous.of("cookie 1"),
    MANY,
]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_ROWS", 5)


def told(crm: Crm) -> list[str]:
    """All that the store has of parties, a line for each change, with every id replaced by its place in the feed."""
    places: dict[str, str] = {}
    lines: list[str] = []
    position = ""
    while (page := crm.store.changes("default", position, 1000)).items:
        for change in page.items:
            if change.ref is not None:
                places.setdefault(change.ref.id, f"<{len(places)}>")
                record = crm.store.get([change.ref])[change.ref]
                hits = crm.store.find("default", record.keys, limit_per_key=10_000)
                assert all(change.ref in found.refs for found in hits.values())
                carried = [tuple(one) for one in (*sorted(record.keys), *sorted(record.sorts))]
                body = json.dumps(record.body, sort_keys=True)
                lines.append(repr((change.op, change.ref, change.version, record.schema, body, carried)))
                continue
            stream, seq = change.stream or "", change.seq or 0
            entry = crm.store.ledger("default", [stream], limit=1000)[stream].items[seq - 1]
            occurred = entry.occurred_at if entry.occurred_at != entry.recorded_at else "now"
            body = json.dumps(entry.body, sort_keys=True)
            lines.append(repr((change.op, stream, seq, change.reason, occurred, entry.subjects, body)))
        position = page.next
    pattern = re.compile("|".join(places) or "nothing")
    return [pattern.sub(lambda found: places[found[0]], line) for line in lines]


# --- what is stored ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(parties(stored=False), min_size=1, max_size=5))
def test_a_load_stores_what_adding_one_by_one_stores(drafts: list[Party]) -> None:
    loaded, added = in_memory(), in_memory()
    taken = set[tuple[str, str]]()
    good: list[Party] = []
    for draft in drafts:
        own = {(source.system, source.record) for source in draft.sources}
        if taken.isdisjoint(own):
            good.append(draft)
        taken |= own
    report = loaded.parties.load(good, idem="one")
    for draft in good:
        added.parties.add(draft)
    assert (report.rows, report.added, report.refused) == (len(good), len(good), 0)
    assert told(loaded) == told(added)


def test_every_kind_of_party_is_loaded_and_found(crm: Crm) -> None:
    report = crm.parties.load(iter(KINDS), idem="kinds")
    assert report == LoadReport(rows=5, added=5)
    (ann,) = crm.parties.find(email="ANN@x.org")
    assert ann == attrs.evolve(ANN, id=ann.id, version=1)
    assert [event.type for event in crm.parties.history(ann.id)] == ["party.added"]
    (bo,) = crm.parties.find(email="bo59@x.org")
    assert bo == attrs.evolve(MANY, id=bo.id, version=1)
    assert len(crm.events().items) == 5
    changed = crm.parties.change(bo.id, lambda party: party.without("bo59@x.org"))
    assert crm.parties.get(bo.id) == changed
    assert crm.parties.find(email="bo59@x.org") == ()


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
def test_who_was_loaded_is_matched_at_once_like_who_was_added(engine: str, tmp_path: Path) -> None:
    rows = [person(row) for row in households(60)]
    found: list[Any] = []
    for load in (True, False):
        store = MemoryStore() if engine == "memory" else SqliteStore(tmp_path / f"{load}.db")
        crm = frozen(store, 40, **options())
        if load:
            crm.parties.load(rows[:-10], idem="x")
        else:
            crm.parties.add_many(rows[:-10])
        place = {party.id: number for number, party in enumerate(everyone(crm))}
        own = [crm.identity.matches(party) for party in place]
        new = [crm.identity.matches(row) for row in rows[-10:]]
        told = [[(place[c.party.id], c.match, c.decision) for c in one] for one in (*own, *new)]
        assert any(told)
        report = crm.identity.dedupe()
        assert report.looked_at == len(place)
        groups = {frozenset(place[member] for member in group) for group in seen(crm, place)}
        assert groups == {frozenset(place[member] for member in group) for group in expected(crm, 40)}
        assert any(len(group) > 1 for group in groups)
        found.append((told, groups))
    assert found[0] == found[1]


def test_more_is_reckoned_for_a_row_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a chunk could be larger than the store takes, and the whole load would fail."""
    taken: list[int] = []

    class Measured(MemoryStore):
        def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
            for row in check_chunk(chunk, self.describe().limits, frozenset()).rows:
                written = (text for one in row.writes for text in (one.carries, one.body))
                texts = (*written, *(one.body for one in row.additions))
                taken.append(sum(len(text.encode("utf-8", "surrogatepass")) for text in texts))
            return super().load(chunk, timeout=timeout)

    reckoned: list[int] = []

    def size(text: str) -> int:
        reckoned.append(_size(text))
        return reckoned[-1]

    monkeypatch.setattr(loading, "_size", size)
    crm = Crm(cast("Store", Measured()), **options())
    crm.parties.load([*KINDS, *MANIFOLD], idem="x")
    assert len(taken) == len(reckoned) == 5 + len(MANIFOLD)
    assert all(one < other for one, other in zip(taken, reckoned, strict=True))


_size = loading._size
MANIFOLD: list[Party] = [
    *(
        Person.of("Ann").changed(
            names=tuple(n for i in range(80) for n in Person.of(f"{name}{i} {name}").names)
        )
        for name in ("A", "Ångström-Müller", "Ŵ", "王小明")
    ),
    *(
        Person.of("Bo").changed(
            contact_points=tuple(
                point
                for i in range(70)
                for point in Person.of(email=f"b{i}@x.y", address=f"{i} {street} St, {street}").contact_points
            )
        )
        for street in ("Elm", "Ŵŵ")
    ),
]


def test_nothing_is_a_load_too(crm: Crm) -> None:
    assert crm.parties.load([], idem="nothing") == LoadReport()


# --- rows that cannot be stored ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [None, 5, Person.of("Ann Lee"), object()], ids=lambda given: type(given).__name__
)
def test_what_is_no_row_of_drafts_is_refused_in_a_sentence(crm: Crm, given: Any) -> None:
    with pytest.raises(InvalidParty, match="one after the other"):
        crm.parties.load(given, idem="once")
    assert crm.store.changes("default").items == ()


def bad_rows(there: Party) -> list[Any]:
    return [
        Person.of("Taken").with_source("shop", "0"),
        there,
        "no party",
        None,
        Person.of("Ann", email="x\ud800"),
        Person.of("Ann", extras={"weight": 1.5}),
        Person.of("Ann").changed(occupation=7),
        Person.of("Ann", extras={"n": "x" * 5_000_000}),
    ]


CODES = (
    "source_taken invalid_party invalid_party invalid_party invalid_record invalid_record invalid_party batch_too_large"
).split()


@pytest.mark.usefixtures("small_chunks")
def test_a_bad_row_costs_no_other_row(crm: Crm) -> None:
    there = crm.parties.add(people(1)[0])
    rows: list[Any] = []
    for bad, good in zip(bad_rows(there), people(8, 1), strict=True):
        rows += [bad, good]
    seen: list[RefusedRow] = []
    report = crm.parties.load(rows, idem="mixed", on_refused=seen.append)
    assert (report.rows, report.added, report.refused) == (16, 8, 8)
    assert [(row.row, row.code) for row in report.refusals] == list(zip(range(1, 17, 2), CODES, strict=True))
    assert report.refusals == tuple(seen)
    assert report.refusals[0].holder == there.id
    assert dict(report.codes) == {code: CODES.count(code) for code in CODES}
    for n in range(9):
        assert len(crm.parties.find(email=f"a{n}@x.org")) == 1
    again = crm.parties.load(rows, idem="mixed")
    assert (again.added, again.already, again.codes) == (0, 8, report.codes)
    assert [(one.row, one.holder) for one in again.refusals] == [
        (one.row, one.holder) for one in report.refusals
    ]
    # What an encrypted store refuses itself, the store below knows by its code alone.
    assert again.refusals == report.refusals or crm.store.describe().engine.startswith("encrypted")


@pytest.mark.usefixtures("small_chunks")
def test_of_two_rows_with_one_source_the_first_is_stored(crm: Crm) -> None:
    rows = [*people(7), *people(7)]
    report = crm.parties.load(rows, idem="twice")
    assert (report.added, report.refused) == (7, 7)
    assert [row.row for row in report.refusals] == list(range(8, 15))
    for row in report.refusals:
        (party,) = crm.parties.find(email=f"a{row.row - 8}@x.org")
        assert row.holder == party.id


def test_a_source_on_a_satellite_is_said_to_be_that_of_its_party(crm: Crm) -> None:
    sources = tuple(Source("shop", str(n)) for n in range(30))
    owner = crm.parties.add(MANY.changed(sources=sources))
    report = crm.parties.load([Person.of("Y").with_source("shop", str(n)) for n in range(30)], idem="x")
    assert {row.holder for row in report.refusals} == {owner.id}
    assert report.refused == 30


def test_a_report_shows_nothing_personal(crm: Crm) -> None:
    secret = "Zanzibar"
    rows: list[Any] = [Person.of(secret).with_source("s", secret)] * 2
    rows += [Person.of(secret, extras={secret: 1.5}), secret, Person.of(secret, email=f"{secret}\ud800")]
    report = crm.parties.load(rows, idem="x")
    assert report.refused == 4
    assert secret not in f"{report!r} {report} {report.text()}"
    assert not any(row.message[0].isupper() for row in report.refusals)


def test_a_report_holds_a_thousand_refusals_and_counts_them_all() -> None:
    seen: list[RefusedRow] = []
    report = in_memory().parties.load(cast("Any", [None] * 1_500), idem="x", on_refused=seen.append)
    assert (report.refused, len(report.refusals), len(seen)) == (1_500, 1_000, 1_500)


# --- run again --------------------------------------------------------------------------------------------


class Troubled:
    """A store whose bulk part fails as it is told: before (q) or after (a) a chunk, or as a busy one (c)."""

    def __init__(self, below: Store, answers: str) -> None:
        self.below = below
        self.answers = list(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        answer = self.answers.pop(0) if self.answers else "r"
        if answer == "c":
            raise Contention("others were writing")
        if answer == "q":
            raise CommitUnknown("the question was lost", idem=chunk.idem)
        receipt = cast("Any", self.below).load(chunk, timeout=timeout)
        if answer == "a":
            raise CommitUnknown("the answer was lost", idem=chunk.idem)
        return cast("ChunkReceipt", receipt)


@pytest.mark.usefixtures("small_chunks")
@settings(max_examples=60)
@given(st.lists(st.sampled_from(["c", "q", "a", "r", "r", "r"]), max_size=12), st.integers(0, 23))
def test_a_load_run_until_it_ends_stores_every_row_once(answers: list[str], count: int) -> None:
    store = MemoryStore()
    crm = Crm(cast("Store", Troubled(store, "".join(answers))), **options())
    reports: list[LoadReport] = []
    for _ in range(20):
        so_far = LoadReport()
        try:
            so_far = crm.parties.load(people(count), idem="x")
        except (Contention, CommitUnknown):
            continue
        reports.append(so_far)
        break
    assert (reports[0].rows, reports[0].added + reports[0].already, reports[0].refused) == (count, count, 0)
    plain = in_memory()
    plain.parties.load(people(count), idem="x")
    assert told(Crm(store)) == told(plain)


@pytest.mark.usefixtures("small_chunks")
def test_a_load_that_was_cut_off_goes_on_where_it_stopped(crm: Crm) -> None:
    class CutOff(Exception):
        pass

    def until(stop: int) -> Iterator[Party]:
        yield from people(stop)
        raise CutOff

    with pytest.raises(CutOff):
        crm.parties.load(until(13), idem="export")
    seen: list[LoadReport] = []
    report = crm.parties.load(people(20), idem="export", on_progress=seen.append)
    assert (report.rows, report.already, report.added) == (20, 10, 10)
    assert [(one.rows, one.already, one.added) for one in seen] == [
        (5, 5, 0),
        (10, 10, 0),
        (15, 10, 5),
        (20, 10, 10),
    ]
    assert report.text() == "20 rows: 10 added, 10 there already, 0 refused"
    last = crm.parties.load(people(20), idem="export")
    assert (last.already, last.added) == (20, 0)
    other = crm.parties.load(people(20), idem="another export")
    assert (other.already, other.added, other.refused) == (0, 0, 20)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("other", "rows"),
    [
        ([*people(9), *people(1, 100)], "6 to 10"),
        (people(9), "6 to 9"),
        (people(11), "11 to 11"),
        ([], "1 to 1"),
        (people(5), "6 to 6"),
        (people(10)[::-1], "1 to 5"),
    ],
    ids=["changed", "cut", "longer", "nothing", "shorter by a chunk", "another order"],
)
def test_another_input_under_the_same_key_is_refused(crm: Crm, other: list[Party], rows: str) -> None:
    crm.parties.load(people(10), idem="export")
    before = crm.store.changes("default", "", 1000).watermark
    with pytest.raises(IdempotencyMismatch, match=f"rows {rows} .* another key"):
        crm.parties.load(other, idem="export")
    assert crm.store.changes("default", "", 1000).watermark == before


@pytest.mark.parametrize("idem", ["", "x" * 257, "a\nb"])
def test_a_key_is_a_name(crm: Crm, idem: str) -> None:
    with pytest.raises(InvalidRecord, match="idempotency key"):
        crm.parties.load(people(1), idem=idem)


# --- what it needs ----------------------------------------------------------------------------------------


class NoBulk(MemoryStore):
    """A store that does not claim to load in bulk."""

    claims: tuple[Capability, ...] = ()

    def describe(self) -> Description:
        return attrs.evolve(super().describe(), capabilities=self.claims)


@pytest.mark.parametrize("claims", [(), (Capability(name="bulk", support="unsupported", reason="no room"),)])
def test_a_store_without_bulk_loading_says_so_and_reads_nothing(claims: tuple[Capability, ...]) -> None:
    store = NoBulk()
    store.claims = claims
    drafts = iter(people(3))
    with pytest.raises(CapabilityMissing, match="add_many"):
        Crm(store).parties.load(drafts, idem="x")
    assert len(list(drafts)) == 3
    assert store.changes("default").items == ()


def test_a_batch_cannot_hold_a_load(crm: Crm) -> None:
    with pytest.raises(CapabilityMissing, match="outside"), crm.batch() as batch:
        batch.parties.load(people(1), idem="x")
    assert crm.store.changes("default").items == ()


@pytest.mark.usefixtures("small_chunks")
def test_no_more_of_the_input_is_read_than_a_chunk(crm: Crm) -> None:
    read = 0

    def counted() -> Iterator[Party]:
        nonlocal read
        for draft in people(20):
            read += 1
            yield draft

    seen: list[tuple[int, int]] = []
    crm.parties.load(counted(), idem="x", on_progress=lambda report: seen.append((report.rows, read)))
    assert [rows for rows, _ in seen] == [5, 10, 15, 20]
    assert all(taken <= rows + 1 for rows, taken in seen)


def test_memory_does_not_grow_with_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_ROWS", 100)

    def peak(count: int) -> int:
        with Crm.open(tmp_path / f"{count}.db") as crm:
            drafts = (Person.of(f"Ann Lee{n % 50}", extras={"note": f"{n}" * 200}) for n in range(count))
            tracemalloc.start()
            crm.parties.load(drafts, idem="x")
            top = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return top

    peak(100)  # fills what is remembered for all
    assert peak(2_000) < 1.5 * peak(400)


# --- killed -----------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from crmcore import Crm
from crmcore.app import loading
from tests.app.killed_load import ROWS, killed_rows
loading._ROWS = ROWS
with Crm.open(sys.argv[1]) as crm:
    print(crm.parties.load(killed_rows(), idem="x", on_progress=lambda r: print(r.rows, flush=True)).text())
"""


def test_killed_at_any_moment_a_load_is_finished_by_the_next_with_nothing_lost_or_doubled(
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *(entry for entry in sys.path if entry)])
    chance = random.Random(4711)
    store = tmp_path / "crm.db"
    kills = 0
    for attempt in range(30):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(store)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert child.stdout is not None
        for _ in range(
            min(3 * attempt + 1, 13)
        ):  # further each time: past what is there, and into what is not
            if not child.stdout.readline():
                break
        if attempt < 6:
            time.sleep(chance.random() * 0.02)
            child.send_signal(signal.SIGKILL)
        rest = child.communicate()[0]
        if child.returncode == 0:
            assert "600 rows" in rest
            break
        kills += 1
    assert kills >= 4
    calm = in_memory()
    for_calm = calm.parties.load(killed_rows(), idem="x")
    with Crm(SqliteStore(store)) as crm:
        report = crm.parties.load(killed_rows(), idem="y")
        assert (report.added, report.refused) == (0, 600)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loading, "_ROWS", ROWS)
            report = crm.parties.load(killed_rows(), idem="x")
        assert (report.already, report.added) == (for_calm.added, 0)
        assert [(row.row, row.code) for row in report.refusals] == [
            (row.row, row.code) for row in for_calm.refusals
        ]
        # The two differ in who is named as the actor, and in nothing else.
        system, clerk = '{"id": "crmcore", "kind": "system"}', '{"id": "clerk", "kind": "person"}'
        assert [line.replace(system, clerk) for line in told(crm)] == told(calm)

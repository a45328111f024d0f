"""Imports over the stores that ship, through `Crm`."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Crm
from crmcore.app import imports
from crmcore.errors import InvalidMapping, PlanStale, UnreadableFile
from crmcore.exchange.plan import PLAN, ImportPlan
from crmcore.party.contact_point import PostalPoint
from crmcore.party.party import Person
from crmcore.storage.memory import MemoryStore
from crmcore.storage.protocol import EXCLUSIVE, Batch, Description, Limits, Receipt
from crmcore.storage.validate import check_batch
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Source
from tests.exchange.files import PEOPLE, write

FILINGS = """\
Filing,Firm,First name,Last name,City,Country,Employer,Filed on,Title
F1,Oak LLP,Ann,Lee,York,GB,Rye Ltd,2003-04-29,Slit lamp
F2,Oak LLP,Bo,Ek,Oslo,NO,"Rye, Ltd.",2004-01-31,Laser beacon
F3,Elm LLP,Ann,Lee,Leeds,GB,Rye Ltd,2010-06-07,Beacon
F4,,Cy,Day,York,GB,,2011-01-18,Lamp
"""
MAPPED = {"Employer": "employer", "Filed on": "contact_date", "Title": "contact_subject"}
OPTIONS: dict[str, Any] = {"source_column": "Firm", "id_column": "Filing", "columns": MAPPED}


class Clock:
    """A clock that moves a second each time it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(params=["memory", "sqlite"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crm]:
    path = tmp_path / "crm.db" if request.param == "sqlite" else None
    with Crm.open(path, clock=Clock()) as opened:
        yield opened


def take(crm: Crm, path: Path, **options: Any) -> ImportPlan:
    """Plan and apply."""
    plan = crm.imports.plan(path, **options)
    crm.imports.apply(plan)
    return plan


def party(crm: Crm, system: str, record: str) -> Any:
    (found,) = crm.parties.find(source=Source(system, record))
    return found


def snapshot(crm: Crm) -> object:
    """Everything that was ever committed."""
    return [(event.position, event.stream, event.seq) for event in crm.events(limit=10_000).items]


# --- what is written ---


def test_rows_become_people_employers_and_dated_contacts(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    result = crm.imports.apply(plan)
    assert dict(result.counts) == dict(plan.counts) == {
        "created": 4, "updated": 0, "unchanged": 0, "skipped": 0, "rejected": 0, "conflicts": 0,
    }  # fmt: skip
    assert (result.rows_in, result.organizations, result.interactions, result.resumed) == (4, 2, 4, 0)
    ann, bo, cy = party(crm, "Oak LLP", "F1"), party(crm, "Oak LLP", "F2"), party(crm, "people", "F4")
    (job,) = crm.relationships.of(ann.id)
    assert (job.type, job.observed_at, job.source) == (
        "employment",
        date(2003, 4, 29),
        Source("Oak LLP", "F1"),
    )
    assert crm.relationships.of(bo.id)[0].to == job.to
    assert crm.parties.get(job.to).display_name == "Rye Ltd"
    assert crm.relationships.of(cy.id) == ()
    (contact,) = crm.interactions.timeline(ann.id).items
    assert (contact.kind, contact.occurred_at, contact.subject) == ("filing", date(2003, 4, 29), "Slit lamp")
    assert ann.observed_at == date(2003, 4, 29)
    assert crm.parties.history(ann.id)[0].reason == "import of people.csv"


def test_planning_writes_nothing(crm: Crm, tmp_path: Path) -> None:
    crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    assert snapshot(crm) == []


def test_planning_twice_plans_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, FILINGS)
    with Crm.open(clock=lambda: datetime(2026, 11, 22, tzinfo=UTC)) as crm:
        assert crm.imports.plan(path, **OPTIONS) == crm.imports.plan(path, **OPTIONS)


def test_a_second_import_changes_nothing(crm: Crm, tmp_path: Path) -> None:
    path = write(tmp_path, FILINGS)
    take(crm, path, **OPTIONS)
    before = snapshot(crm)
    again = take(crm, path, **OPTIONS)
    assert (again.counts["unchanged"], again.changes_nothing) == (4, True)
    assert snapshot(crm) == before


def test_a_second_import_without_ids_changes_nothing(crm: Crm, tmp_path: Path) -> None:
    path = write(tmp_path, "name,town\nAnn Lee,York\nAnn Lee,York\nBo Ek,Oslo\n")
    assert take(crm, path).counts["created"] == 3
    assert take(crm, path).counts["unchanged"] == 3


def test_a_changed_file_updates_what_changed(crm: Crm, tmp_path: Path) -> None:
    take(crm, write(tmp_path, FILINGS), **OPTIONS)
    changed = FILINGS.replace("Ann,Lee,York,GB,Rye Ltd,2003-04-29", "Ann,Hill,,,Oak AB,2003-05-01").replace(
        "F4,,", "F5,,"
    )
    plan = take(crm, write(tmp_path, changed), **OPTIONS)
    assert (plan.counts["created"], plan.counts["updated"], plan.counts["unchanged"]) == (1, 1, 2)
    ann = party(crm, "Oak LLP", "F1")
    assert (ann.display_name, ann.addresses[0].value.locality, ann.version) == ("Ann Hill", "York", 2)
    jobs = [crm.parties.get(job.to).display_name for job in crm.relationships.of(ann.id)]
    assert sorted(jobs) == ["Oak AB", "Rye Ltd"]
    times = [contact.occurred_at for contact in crm.interactions.timeline(ann.id).items]
    assert times == [date(2003, 5, 1), date(2003, 4, 29)]
    assert take(crm, write(tmp_path, changed), **OPTIONS).counts["unchanged"] == 4


def test_an_update_repeats_no_employment_and_no_contact(crm: Crm, tmp_path: Path) -> None:
    take(crm, write(tmp_path, FILINGS), **OPTIONS)
    take(crm, write(tmp_path, FILINGS.replace("Leeds", "London")), **OPTIONS)
    ann = party(crm, "Elm LLP", "F3")
    assert len(crm.relationships.of(ann.id)) == len(crm.interactions.timeline(ann.id).items) == 1


def test_what_a_person_changed_waits_for_a_person(crm: Crm, tmp_path: Path) -> None:
    take(crm, write(tmp_path, FILINGS), **OPTIONS)
    ann = party(crm, "Oak LLP", "F1")
    crm.parties.change(ann.id, lambda p: p.changed(contact_points=()).with_address("Hull").with_tag("vip"))
    assert take(crm, write(tmp_path, FILINGS), **OPTIONS).changes_nothing
    path = write(tmp_path, FILINGS.replace("Ann,Lee,York", "Ann,Lee,Bath"))
    plan = take(crm, path, **OPTIONS)
    assert (plan.counts["conflicts"], plan.counts["unchanged"]) == (1, 3)
    assert "! 1 row left to a person (edited)" in plan.text()
    ann = party(crm, "Oak LLP", "F1")
    assert [point.raw for point in ann.addresses] == ["Hull"]
    settled = PostalPoint.of(PostalAddress(locality="Bath", country="GB"))
    crm.parties.change(ann.id, lambda p: p.changed(contact_points=(settled,)))
    assert take(crm, path, **OPTIONS).counts["updated"] == 1
    assert party(crm, "Oak LLP", "F1").tags == {"vip"}


def test_what_was_taken_back_does_not_come_back_with_a_changed_row(crm: Crm, tmp_path: Path) -> None:
    take(crm, write(tmp_path, FILINGS), **OPTIONS)
    ann = party(crm, "Oak LLP", "F1")
    (job,) = crm.relationships.of(ann.id)
    crm.relationships.retract(job.id, reason="never worked there")
    (contact,) = crm.interactions.timeline(ann.id).items
    crm.interactions.retract(contact.id, reason="never filed")
    plan = take(crm, write(tmp_path, FILINGS.replace("Ann,Lee,York", "Ann,Lee,Hull")), **OPTIONS)
    assert plan.counts["updated"] == 1
    assert crm.relationships.of(ann.id) == ()
    assert crm.interactions.timeline(ann.id).items == ()


@pytest.mark.parametrize("rows", [1, 200])
def test_one_party_can_stand_for_two_records_of_a_file(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(imports, "_ROWS", rows)
    options: dict[str, Any] = {"source": "shop", "id_column": "id"}
    head = "id,full_name,email,employer,note\n"
    ann = crm.parties.add(Person.of("Ann Lee").with_source("shop", "1").with_source("shop", "2"))
    path = write(tmp_path, head + "1,Ann Lee,a@x.org,Rye,old\n2,Ann Lee,b@x.org,Rye,\n")
    plan = crm.imports.plan(path, **options)
    assert plan.counts["updated"] == 2
    crm.imports.apply(plan)
    assert [point.key for point in crm.parties.get(ann.id).emails] == ["a@x.org", "b@x.org"]
    assert len(crm.relationships.of(ann.id)) == 1
    assert crm.imports.plan(path, **options).changes_nothing
    assert crm.imports.apply(plan).resumed == 2
    path = write(tmp_path, head + "1,Ann Lee,c@x.org,Rye,new\n2,Ann Hill,b@x.org,Rye,\n")
    assert take(crm, path, **options).counts["updated"] == 2
    after: Any = crm.parties.get(ann.id)
    assert [point.key for point in after.emails] == ["c@x.org", "b@x.org"]
    assert (after.display_name, after.extras["note"]) == ("Ann Hill", "new")


def test_one_organization_can_stand_for_two_names_of_an_employer(crm: Crm, tmp_path: Path) -> None:
    path = write(tmp_path, "id,full_name,employer\n1,Ann Lee,Rye\n2,Bo Ek,Elm\n")
    take(crm, path, source="shop", id_column="id")
    (rye, elm) = (crm.relationships.of(party(crm, "shop", record).id)[0].to for record in "12")
    second = crm.parties.get(elm).sources[0]
    crm.parties.change(elm, lambda p: p.changed(sources=(Source("shop", "elm"),)))
    crm.parties.change(rye, lambda p: p.with_source(second.system, second.record))
    path = write(tmp_path, "id,full_name,employer\n3,Cy Day,Rye\n4,Di Fox,Elm\n")
    take(crm, path, source="shop", id_column="id")
    assert [crm.relationships.of(party(crm, "shop", record).id)[0].to for record in "34"] == [rye, rye]


def test_a_rejected_row_can_be_corrected_and_imported(crm: Crm, tmp_path: Path) -> None:
    plan = take(crm, write(tmp_path, PEOPLE + "4,,,,,Malmö,41\n5,Di\n"), source="shop", id_column="Id")
    assert (plan.counts["created"], plan.counts["rejected"]) == (3, 2)
    out = tmp_path / "rejected.csv"
    assert crm.imports.write_rejected(plan, out) == 2
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][5], rows[2] = "Dag", [*rows[2], "Fox", "di@x.org", "", "", ""]
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    corrected = take(crm, out, source="shop", id_column="Id")
    assert dict(corrected.counts)["created"] == 2
    assert [party(crm, "shop", record).display_name for record in "45"] == ["Dag", "Di Fox"]
    assert party(crm, "shop", "4").extras["Shoe size"] == "41"


# --- applied exactly, or not at all ---


def test_a_plan_for_a_file_that_changed_is_refused(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    write(tmp_path, FILINGS + "F9,Oak LLP,Di,Fox,,,,,\n")
    with pytest.raises(PlanStale, match="has changed since it was planned"):
        crm.imports.apply(plan)
    assert snapshot(crm) == []


def test_a_plan_for_a_store_that_changed_is_refused(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    crm.parties.add(Person.of("Somebody Else", sources=(Source("Elm LLP", "F3"),)))
    before = snapshot(crm)
    with pytest.raises(PlanStale, match="row 4 was planned as created and would now be conflict"):
        crm.imports.apply(plan)
    assert snapshot(crm) == before


def test_a_plan_that_was_stored_is_applied_as_it_was(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    assert crm.imports.apply(PLAN.load(PLAN.dump(plan))).counts["created"] == 4


def test_applying_a_plan_again_finds_everything_written(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    crm.imports.apply(plan)
    before = snapshot(crm)
    again = crm.imports.apply(plan)
    assert (again.resumed, again.chunks, again.interactions) == (4, 0, 0)
    assert snapshot(crm) == before


def test_an_import_that_stops_between_chunks_goes_on_where_it_stopped(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_ROWS", 2)
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crm.imports.apply(plan, on_progress=stop)
    assert [len(crm.parties.find(source=Source(*s))) for s in (("Oak LLP", "F2"), ("Elm LLP", "F3"))] == [
        1,
        0,
    ]
    result = crm.imports.apply(plan)
    assert (result.resumed, result.chunks, result.interactions) == (2, 1, 2)
    assert crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS).changes_nothing


PROGRAM = """
import sys
from crmcore import Crm
def told(stage, done, total):
    if stage == "import":
        print(done, flush=True)
with Crm.open(sys.argv[1]) as crm:
    plan = crm.imports.plan(sys.argv[2], source="shop", id_column="id")
    crm.imports.apply(plan, on_progress=told)
"""


def test_killed_in_the_middle_an_import_left_whole_chunks_and_is_finished_by_the_next(tmp_path: Path) -> None:
    rows = "".join(f"{n},Name{n} Family{n},n{n}@x.org,Rye {n % 7} Ltd\n" for n in range(2_000))
    path = write(tmp_path, "id,full_name,email,employer\n" + rows)
    store = tmp_path / "crm.db"
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(store), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    chunk = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert 0 < chunk < 2_000
    with Crm.open(store) as crm:
        plan = crm.imports.plan(path, source="shop", id_column="id")
        written = plan.counts["unchanged"]
        assert written % chunk == 0
        assert chunk <= written < 2_000
        assert plan.counts["created"] == 2_000 - written
        assert crm.imports.apply(plan).rows_in == 2_000
        last = crm.imports.plan(path, source="shop", id_column="id")
        assert last.counts["unchanged"] == 2_000
        assert [p.display_name for p in crm.parties.find(email="n1999@x.org")] == ["Name1999 Family1999"]


# --- what a store can take ---


class SmallStore(MemoryStore):
    """A store that takes no more than any store must."""

    def describe(self) -> Description:
        return attrs.evolve(super().describe(), limits=Limits())

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        check_batch(batch, Limits(), EXCLUSIVE)
        return super().apply(batch, timeout=timeout)


def test_chunks_fit_into_the_smallest_store(tmp_path: Path) -> None:
    rows = "".join(f"{n},Ann{n} Lee,Rye {n} Ltd,2019-10-15,{'x' * 60_000}\n" for n in range(20))
    path = write(tmp_path, "id,full_name,employer,contact date,remark about\n" + rows)
    options: dict[str, Any] = {
        "source": "shop",
        "id_column": "id",
        "columns": {"contact date": "contact_date"},
    }
    with Crm(SmallStore(), clock=Clock()) as crm:
        assert take(crm, path, **options).counts["created"] == 20
        assert crm.imports.plan(path, **options).changes_nothing


def test_rows_of_many_short_cells_fit_into_the_smallest_store(tmp_path: Path) -> None:
    head = "id,full_name," + ",".join(f"asked about no {n}" for n in range(600)) + "\n"
    options: dict[str, Any] = {"source": "shop", "id_column": "id"}
    with Crm(SmallStore(), clock=Clock()) as crm:
        for answer in "yn":
            rows = "".join(f"{n},Ann Lee" + f",{answer}" * 600 + "\n" for n in range(20))
            take(crm, write(tmp_path, head + rows), **options)
        assert party(crm, "shop", "7").extras["asked about no 9"] == "n"


def test_progress_is_told_row_by_chunk(crm: Crm, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    note: Callable[[str, int, int], None] = lambda *facts: told.append(facts)  # noqa: E731 - a name for its type
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS, on_progress=note)
    crm.imports.apply(plan, on_progress=note)
    assert told == [("plan", 4, 4), ("import", 4, 4)]


# --- bad input, as a caller meets it ---


@pytest.mark.parametrize(
    "content",
    [
        "",
        "colour\nred\n",
        "name,name\nAnn Lee,York\n".replace("name,name", "colour,colour"),
        "name,email\nÅsa,x\n".encode("cp1252"),
        ",".join(["x"] * 10_000) + "\n",
    ],
)
def test_a_file_that_cannot_be_imported_is_one_sentence_and_nothing_is_written(
    crm: Crm, tmp_path: Path, content: str | bytes
) -> None:
    with pytest.raises((UnreadableFile, InvalidMapping)) as caught:
        take(crm, write(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert snapshot(crm) == []


def test_odd_rows_cost_nothing_but_themselves(crm: Crm, tmp_path: Path) -> None:
    content = (
        "name,phone,Phone,note\n"
        "Ann Lee,1.23E+10,14155550132.0,=cmd()\n"
        f"Bo Ek,,,{'x' * 10_000_000}\n"
        "Cy\0 Day,,,\n"
        "Di Fox,+46812345678,,\n"
        ",,,\n"
    )
    plan = take(crm, write(tmp_path, content))
    assert (plan.rows_in, plan.counts["created"], plan.counts["rejected"], plan.counts["skipped"]) == (
        5,
        2,
        2,
        1,
    )
    codes = {notice.code for notice in plan.notices}
    assert {"spreadsheet_scientific", "spreadsheet_float", "cell_too_large", "nul"} <= codes
    (ann,) = crm.parties.find(phone="14155550132")
    assert [point.raw for point in ann.phones] == ["1.23E+10", "14155550132.0"]
    assert ann.extras["note"] == "=cmd()"
    assert crm.imports.write_rejected(plan, tmp_path / "rejected.csv") == 2


NAMES = st.sampled_from(["", "Ann Lee", "Bo Ek", "Cy Day"])
ROWS = st.lists(
    st.tuples(st.sampled_from(["", "1", "2", "3"]), NAMES, st.sampled_from(["", "a@x.org", "x"])), max_size=6
)


@given(ROWS, ROWS)
def test_any_import_settles(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, ...]], second: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with Crm.open(clock=Clock()) as crm:
        for rows in (first, second):
            path = write(folder, "id,full_name,email\n" + "".join(",".join(row) + "\n" for row in rows))
            plan = take(crm, path, source="shop", id_column="id")
            assert plan.rows_in == sum(plan.counts.values()) == len(rows)
            again = crm.imports.plan(path, source="shop", id_column="id")
            assert again.changes_nothing
            assert again.counts["rejected"] == plan.counts["rejected"]
            assert again.counts["conflicts"] == plan.counts["conflicts"]


def test_no_result_shows_a_person(crm: Crm, tmp_path: Path) -> None:
    plan = crm.imports.plan(write(tmp_path, FILINGS), **OPTIONS)
    result = crm.imports.apply(plan)
    assert not any(word in repr((plan, result)) for word in ("Ann", "Lee", "York", "Rye"))
    assert attrs.asdict(result)["chunks"] == 1

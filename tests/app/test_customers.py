"""Laws of `crm.customers` over every engine: one view of each customer, the same for everybody who looks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmcore import Anonymous, AsyncCrm, Crm, Household, Organization, Period, Person
from crmcore.errors import AmbiguousReference, NotFound
from crmcore.identity.survivorship import SurvivorshipPolicy
from crmcore.storage import AsyncMemoryStore, MemoryStore, run
from crmcore.values.ids import CustomerId, PartyId
from tests.app.houses import ENGINES, START, in_memory, opened, options

DAY = timedelta(days=1)
NOBODY = PartyId("01977420-dc00-7000-8000-000000000000")


def story(crm: Crm) -> dict[str, PartyId]:
    """Records of three systems about two people, two companies and a household."""
    ann = crm.parties.add(
        Person.of(
            "Ann Lee",
            email="ann@x.org",
            phone="020 7946 0018",
            region="GB",
            birth_date="1985-04",
            observed_at=date(2020, 1, 1),
            extras={"size": 42, "pets": ["cat"]},
        ).with_source("shop", "1")
    )
    hill = crm.parties.add(
        Person.of(
            "Ann Hill", email="ANN@x.org", birth_date="1985-04-12", observed_at=date(2024, 1, 1)
        ).with_source("crm", "9")
    )
    ben = crm.parties.add(Person.of("Ben Lee", address="1 High Street\nOxford"))
    acme = crm.parties.add(Organization.of("Acme Ltd").with_source("shop", "2"))
    apex = crm.parties.add(Organization.of("ACME Limited").with_source("crm", "3"))
    lees = crm.parties.add(Household.of("the Lees"))
    crm.relationships.add("employment", ann.id, acme.id, valid=Period(date(2003, 1, 1), date(2006, 1, 1)))
    crm.relationships.add("employment", hill.id, apex.id, valid=Period(date(2005, 1, 1), date(2010, 1, 1)))
    crm.relationships.add("household_member", ben.id, lees.id)
    crm.relationships.add("reports_to", ben.id, ann.id, observed_at=date(2019, 1, 1))
    for number, who in enumerate((ann, hill, ben, ann)):
        crm.interactions.record(
            "call",
            direction="inbound",
            occurred_at=START - number * DAY,
            with_=who.id,
            subject=f"call {number}",
        )
    crm.interactions.record("letter", direction="outbound", occurred_at=date(2019, 10, 15), with_=hill.id)
    crm.identity.merge(acme.id, apex.id)
    crm.identity.merge(ann.id, hill.id)
    crm.identity.mark_different(ann.id, ben.id)
    crm.parties.change(ann.id, lambda p: p.with_tag("vip"))
    return {"ann": ann.id, "hill": hill.id, "ben": ben.id, "acme": acme.id, "apex": apex.id, "lees": lees.id}


def digests(crm: Crm, ids: dict[str, PartyId]) -> dict[str, str]:
    return {name: crm.customers.view(id).digest for name, id in ids.items()}


# --- the same for everybody ----------------------------------------------------------------------------


def test_equal_facts_and_policy_give_equal_bytes_on_every_engine(tmp_path: Path) -> None:
    found = []
    for engine in ENGINES:
        with opened(engine, tmp_path) as crm:
            ids = story(crm)
            found.append(
                (ids, digests(crm, ids), {name: crm.customers.view(id).to_json() for name, id in ids.items()})
            )
    assert found[0] == found[1] == found[2]


@pytest.mark.needs("ordered_text")
def test_a_view_is_the_same_by_whatever_reference_and_however_often_it_is_read(crm: Crm) -> None:
    ids = story(crm)
    before = crm.store.changes("default").watermark
    views = [
        crm.customers.view(ref)
        for ref in (ids["ann"], ids["hill"], "ann@x.org", "shop#1", "Ann Hill", "+442079460018")
    ]
    assert len({view.digest for view in views}) == 1
    assert crm.store.changes("default").watermark == before


def test_a_file_that_is_opened_again_shows_the_same(tmp_path: Path) -> None:
    with Crm.open(tmp_path / "crm.db", **options()) as crm:
        ids = story(crm)
        before = digests(crm, ids)
    with Crm.open(tmp_path / "crm.db") as crm:
        assert digests(crm, ids) == before


def test_another_policy_is_another_view() -> None:
    store, shared = MemoryStore(), options()
    ids = story(Crm(store, **shared))
    trusting = SurvivorshipPolicy(rules={"name": "most_trusted"}, trust=("crm",), id="ours", version=2)
    view = Crm(store, **shared, survivorship=trusting).customers.view(ids["ann"])
    assert (view.name, view.policy) == ("Ann Hill", "ours/2")
    assert view.digest != Crm(store, **shared).customers.view(ids["ann"]).digest


# --- what a view says ----------------------------------------------------------------------------------


def test_the_view_of_a_merged_customer_says_where_everything_comes_from(crm: Crm) -> None:
    ids = story(crm)
    view = crm.customers.view("ann@x.org")
    assert (view.id, view.members) == (CustomerId(ids["ann"]), (ids["ann"], ids["hill"]))
    assert (view.kind, view.sources) == ("person", ("crm", "shop"))
    (born,) = view.field("birth_date")
    assert (born.text, born.party) == ("1985-04-12", ids["hill"])
    (employer,) = [line for line in view.relationships if line.type == "employment"]
    assert (employer.other, employer.since, employer.until, employer.records) == (
        CustomerId(ids["acme"]),
        date(2003, 1, 1),
        date(2010, 1, 1),
        2,
    )
    (report,) = [line for line in view.relationships if line.type == "reports_to"]
    assert (report.label, report.other_name, report.seen_last) == ("manages", "Ben Lee", date(2019, 1, 1))
    assert (view.timeline.count, view.timeline.first, view.timeline.last) == (4, date(2019, 10, 15), START)
    assert [line.subject for line in view.timeline.recent] == ["call 0", "call 1", "call 3", None]
    assert view.unknown_fields == ("address", "consent")
    assert view.conflicts == ()
    text = view.text()
    for piece in (
        "2 records, 2 sources",
        "1985-04-12",
        "2003-2010",
        "4 contacts, first 2019-10-15",
        "unknown",
    ):
        assert piece in text


def test_the_far_end_is_named_as_it_is_seen_there(crm: Crm) -> None:
    ids = story(crm)
    (employer,) = [
        line for line in crm.customers.view(ids["hill"]).relationships if line.type == "employment"
    ]
    assert employer.other_name == crm.customers.view(ids["apex"]).name
    assert crm.customers.names([ids["apex"], ids["ben"]]) == {
        ids["apex"]: employer.other_name,
        ids["ben"]: "Ben Lee",
    }
    (staff,) = crm.customers.view(ids["acme"]).relationships
    assert (staff.label, staff.other, staff.records) == ("employs", CustomerId(ids["ann"]), 2)


def test_a_profile_names_the_record_and_the_rule_of_every_value(crm: Crm) -> None:
    ids = story(crm)
    profile = crm.customers.profile("ann@x.org")
    name = profile.one("name")
    assert name is not None
    assert name.party in (ids["ann"], ids["hill"])
    assert name.rule
    assert [other.value.full for other in name.others] == [
        "Ann Lee" if name.value.full == "Ann Hill" else "Ann Hill"
    ]


def test_a_long_timeline_is_counted_as_far_as_it_says() -> None:
    crm = in_memory()
    ann = crm.parties.add(Person.of("Ann Lee"))
    with crm.batch() as batch:
        for number in range(1003):
            batch.interactions.record(
                "web", direction="inbound", occurred_at=START - number * DAY, with_=ann.id
            )
        assert batch.customers.view(ann.id).timeline.more
    timeline = crm.customers.view(ann.id).timeline
    assert (timeline.count, timeline.more, len(timeline.recent)) == (1000, True, 10)
    assert (timeline.first, timeline.last) == (START - 1002 * DAY, START)
    for number in (1002, 1001, 1000):
        page = crm.interactions.timeline(ann.id, oldest_first=True, limit=1)
        assert page.items[0].occurred_at == START - number * DAY
        crm.interactions.retract(page.items[0].id, reason="a robot")
    timeline = crm.customers.view(ann.id).timeline
    assert (timeline.count, timeline.more) == (1000, False)


def test_a_wrong_merge_that_is_taken_back_leaves_every_view_as_it_was(crm: Crm) -> None:
    ids = story(crm)
    stranger = crm.parties.add(Person.of("Ann Stranger", email="ann@x.org", phone="+44 20 7946 0018"))
    everybody = {**ids, "stranger": stranger.id}
    before = digests(crm, everybody)
    judgement = crm.identity.merge(ids["hill"], stranger.id)
    assert digests(crm, everybody) != before
    crm.identity.retract(judgement.id)
    assert digests(crm, everybody) == before


@pytest.mark.needs("ordered_text")
def test_who_is_nobody_and_who_is_several_has_no_view(crm: Crm) -> None:
    story(crm)
    for ref in (NOBODY, "nobody@x.org", "Zoe"):
        with pytest.raises(NotFound):
            crm.customers.view(ref)
    with pytest.raises(AmbiguousReference):
        crm.customers.view("Lee")


# --- pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_pages_have_every_customer_once(crm: Crm, limit: int) -> None:
    ids = story(crm)
    found: list[Any] = []
    after: str | None = None
    while True:
        page = crm.customers.page(after=after, limit=limit)
        found += page.items
        after = page.next
        if after is None:
            break
    assert {customer.id: customer.members for customer in found} == {
        ids["ann"]: (ids["ann"], ids["hill"]),
        ids["ben"]: (ids["ben"],),
        ids["acme"]: (ids["acme"], ids["apex"]),
        ids["lees"]: (ids["lees"],),
    }
    assert len(found) == 4


def test_pages_can_be_of_one_kind(crm: Crm) -> None:
    ids = story(crm)
    crm.parties.add(Anonymous.of("cookie"))
    assert {c.id for c in crm.customers.page(kind="organization").items} == {CustomerId(ids["acme"])}
    assert {c.id for c in crm.customers.page(kind="household").items} == {CustomerId(ids["lees"])}
    assert len(crm.customers.page(kind="anonymous").items) == 1


def test_a_customer_stays_listed_while_one_of_its_records_stands(crm: Crm) -> None:
    ids = story(crm)
    crm.parties.retract(ids["ann"], reason="a double")
    assert CustomerId(ids["ann"]) in {customer.id for customer in crm.customers.page().items}
    view = crm.customers.view(ids["hill"])
    assert (view.name, view.sources) == ("Ann Hill", ("crm",))
    assert "Ann Lee" not in view.text()
    crm.parties.retract(ids["hill"], reason="a double too")
    assert CustomerId(ids["ann"]) not in {customer.id for customer in crm.customers.page().items}
    crm.parties.restore(ids["hill"], reason="no double")
    assert CustomerId(ids["ann"]) in {customer.id for customer in crm.customers.page().items}


# --- the object itself ---------------------------------------------------------------------------------


def test_an_asynchronous_store_that_never_waits_serves_both_colours() -> None:
    crm = AsyncCrm(AsyncMemoryStore(), **options())
    ann = run(crm.parties.add(Person.of("Ann Lee", email="ann@x.org")))
    assert run(crm.customers.view("ann@x.org")).name == "Ann Lee"
    assert run(crm.parties.get(ann.id)) == ann


def test_consent_answers_for_somebody_and_never_for_nobody(crm: Crm) -> None:
    story(crm)
    decision = crm.consent.decide("ann@x.org", purpose="marketing", channel="email")
    assert decision.explain()
    with pytest.raises(NotFound):
        crm.consent.decide("nobody@x.org", purpose="marketing", channel="email")

"""How long customers are kept: the plan, what is done by it, and permits that are about to lapse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import (
    Evidence,
    LegalHold,
    Retained,
    RetentionPolicy,
    SecretRing,
    plan_retention,
    read_retention,
    shipped_retention,
)
from crmcore.consent.counting import Span
from crmcore.consent.facts import Facts, Relation
from crmcore.errors import InvalidPack
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, customers

DAY = timedelta(days=1)
FRENCH = frozenset({"FR"})


def policy(basis: str, period: str, **facts: object) -> RetentionPolicy:
    named: dict[str, object] = {
        "id": f"{basis}-{period}",
        "category": "thing",
        "purpose": "accounting" if basis == "obligation" else "marketing",
        "trigger": "made",
        "basis": basis,
        "text": f"{basis} of {period}",
        "source": "a law",
        **facts,
    }
    return RetentionPolicy(period=Span.parse(period), **named)  # type: ignore[arg-type]  # a test's facts, by name


def thing(made: date | None = date(2020, 1, 1)) -> Retained:
    return Retained(place="1", category="thing", triggers={} if made is None else {"made": made})


SPANS = st.integers(1, 4000)
KINDS = st.lists(st.tuples(st.sampled_from(["obligation", "permission"]), SPANS), min_size=1, max_size=5)


@given(KINDS, st.integers(0, 4500), st.booleans())
def test_the_longest_obligation_and_the_shortest_permission_decide(
    kinds: list[tuple[str, int]], age: int, held: bool
) -> None:
    made = date(2015, 6, 1)
    policies = [policy(basis, f"P{days}D") for basis, days in kinds]
    holds = [LegalHold(id="h", reason="a lawsuit")] if held else []
    (step,) = plan_retention([thing(made)], today=made + age * DAY, policies=policies, holds=holds).steps
    obliged = max((days for basis, days in kinds if basis == "obligation"), default=-1)
    allowed = min((days for basis, days in kinds if basis == "permission"), default=-1)
    if held:
        assert (step.action, step.source) == ("restrict", "a legal hold")
    elif age <= allowed:
        assert (step.action, step.until) == ("keep", made + allowed * DAY)
    elif age <= obliged:
        assert (step.action, step.until, step.purpose) == ("restrict", made + obliged * DAY, "accounting")
    else:
        assert step.action == "delete"


def test_what_cannot_be_told_is_said_and_left_alone() -> None:
    nothing = plan_retention([thing(None)], today=date(2030, 1, 1), policies=[policy("permission", "P1Y")])
    assert nothing.steps[0].action == "find_out"
    assert "made" in nothing.steps[0].reason
    unknown = plan_retention([attrs.evolve(thing(), category="other")], today=date(2030, 1, 1))
    assert unknown.text() == "find_out 1 other: no policy says how long this is kept"


def test_a_part_of_a_country_has_its_policies_and_no_other_country_has() -> None:
    rule = policy("permission", "P1Y", jurisdiction="US")
    for places, action in (({"US-CA"}, "delete"), ({"FR"}, "find_out"), (set[str](), "find_out")):
        one = attrs.evolve(thing(), jurisdictions=frozenset(places))
        assert plan_retention([one], today=date(2030, 1, 1), policies=[rule]).steps[0].action == action


def test_an_obligation_alone_ends_in_what_it_says() -> None:
    kept = policy("obligation", "P1Y", action="keep")
    (step,) = plan_retention([thing()], today=date(2030, 1, 1), policies=[kept]).steps
    assert step.action == "keep"


GOOD = (
    'id="x"\ncategory="c"\npurpose="p"\ntrigger="t"\nperiod="P1Y"\nbasis="permission"\ntext="t"\nsource="s"\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("permission", "habit"), "basis is one of"),
        (GOOD + 'counting="moons"', "counting is one of"),
        (GOOD + 'action="shred"', "action is one of"),
        (GOOD.replace('source="s"', ""), "source is missing"),
        (GOOD + 'trigers="x"', "unknown key trigers"),
    ],
)
def test_a_table_with_a_slip_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidPack, match=f"policy x: .*{said}"):
        read_retention("[[policy]]\n" + text)
    assert read_retention("[[policy]]\n" + GOOD)
    assert all(rule.source for rule in shipped_retention())


# --- over a store --------------------------------------------------------------------------------------


def prospects(clock: Clock) -> tuple[Crm, str, str]:
    """Two prospects of 2023: one who wrote again in 2025, and one who never did."""
    crm = customers(clock=clock)
    old = crm.parties.add(Person.of("Old Prospect", email="old@x.example"))
    new = crm.parties.add(Person.of("New Prospect", email="new@x.example"))
    for party, day, direction in ((old, 2023, "inbound"), (new, 2025, "inbound"), (old, 2026, "outbound")):
        crm.interactions.record(
            "email",
            direction=direction,  # type: ignore[arg-type]  # one of the words
            occurred_at=date(day, 2, 1),
            with_=[party.id],
        )
    return crm, str(old.id), str(new.id)


def test_who_was_silent_for_three_years_goes_and_what_we_sent_does_not_count() -> None:
    crm, old, new = prospects(Clock(datetime(2026, 5, 4, tzinfo=UTC)))
    page = crm.retention.customers(jurisdictions=["FR"])
    assert page.next is None
    plan = crm.retention.plan(page.items)
    assert {one.place: one.action for one in plan.steps} == {old: "delete", new: "keep"}
    assert crm.parties.find(email="old@x.example")
    done = crm.retention.apply(plan)
    assert (done.erased, done.restricted, done.left) == (1, 0, ())
    assert crm.parties.find(email="old@x.example") == ()
    assert crm.parties.find(email="new@x.example")


def test_a_plan_that_is_applied_twice_does_nothing_twice() -> None:
    crm, old, _ = prospects(Clock(datetime(2026, 5, 4, tzinfo=UTC)))
    items = crm.retention.customers(jurisdictions=["FR"]).items
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"prospect"}))
    plan = crm.retention.plan(items, holds=[hold])
    assert crm.retention.apply(plan).restricted == 2
    assert crm.retention.apply(plan).restricted == 0
    assert [act.kind for act in crm.consent.events(old)] == ["restrict"]


def test_what_is_not_ours_to_do_is_given_back() -> None:
    crm, _, _ = prospects(Clock(datetime(2026, 5, 4, tzinfo=UTC)))
    paper = Retained(
        place="folder 7", category="unconfirmed_opt_in", triggers={"requested": date(2026, 1, 1)}
    )
    plan = crm.retention.plan([paper])
    assert crm.retention.apply(plan).left == plan.steps


def test_a_permit_that_lapses_soon_says_when() -> None:
    clock = Clock(datetime(2026, 5, 4, 16, tzinfo=UTC))
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    facts = Facts(relations=(Relation(kind="purchase", on=date(2024, 6, 1)),))
    found = crm.retention.lapsing(
        ann.id,
        purpose="marketing",
        channel="email",
        within=timedelta(days=60),
        facts=facts,
        jurisdictions=["CA"],
    )
    assert found is not None
    assert found.at.date() in (date(2026, 6, 1), date(2026, 6, 2))
    assert found.rules
    soon = crm.retention.lapsing(
        ann.id,
        purpose="marketing",
        channel="email",
        within=timedelta(days=20),
        facts=facts,
        jurisdictions=["CA"],
    )
    assert soon is None


def test_a_permit_without_an_end_does_not_lapse() -> None:
    crm = customers()
    crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.consent.record(
        "give",
        "ann@x.example",
        purposes=["marketing"],
        channels=["email"],
        evidence=Evidence(kind="double_opt_in", notice="newsletter"),
    )
    found = crm.retention.lapsing(
        "ann@x.example",
        purpose="marketing",
        channel="email",
        within=timedelta(days=60),
        jurisdictions=["DE"],
    )
    assert found is None


# --- permits of many customers that lapse --------------------------------------------------------------

BOUGHT = {"ann": date(2024, 6, 1), "bo": date(2024, 7, 1), "cleo": date(2024, 6, 10), "dee": date(2026, 4, 1)}
LAW = "ca.casl.purchase_within_two_years"


def buyers(clock: Clock) -> tuple[Crm, dict[str, str], dict[str, Facts]]:
    """People who bought something; their ids by name, and what the app knows of each, by id."""
    crm = Crm(MemoryStore(), clock=clock, secrets=SecretRing({1: bytes(range(32))}))
    ids = {
        name: str(crm.parties.add(Person.of(name.title(), email=f"{name}@x.example")).id) for name in BOUGHT
    }
    known = {ids[name]: Facts(relations=(Relation(kind="purchase", on=day),)) for name, day in BOUGHT.items()}
    return crm, ids, known


def test_permits_that_lapse_by_a_day_are_listed_with_whose_they_are() -> None:
    crm, ids, known = buyers(Clock(datetime(2026, 5, 4, 16, tzinfo=UTC)))

    def listed(by: date) -> list[tuple[str | None, str, str, tuple[str, ...], date]]:
        page = crm.retention.lapsing_by(
            by,
            purpose="marketing",
            channel="email",
            facts=lambda customer: known[str(customer)],
            jurisdictions=["CA"],
        )
        assert page.next is None
        return [(one.customer, one.purpose, one.channel, one.rules, one.day) for one in page.items]

    first = (ids["ann"], "marketing", "email", (LAW,), date(2026, 6, 1))
    assert listed(date(2026, 5, 31)) == []
    assert listed(date(2026, 6, 1)) == [first]
    assert [(one[0], one[4]) for one in listed(date(2026, 7, 31))] == [
        (ids["ann"], date(2026, 6, 1)),
        (ids["cleo"], date(2026, 6, 10)),
        (ids["bo"], date(2026, 7, 1)),
    ]


def test_whoever_said_no_is_in_no_list_and_has_nothing_that_lapses() -> None:
    crm, ids, known = buyers(Clock(datetime(2026, 5, 4, 16, tzinfo=UTC)))
    crm.consent.withdraw("ann@x.example", purposes=["marketing"], channels=["email"])
    crm.suppression.add("email", "bo@x.example", reason="objection")
    asked = {"purpose": "marketing", "channel": "email", "jurisdictions": ["CA"]}
    page = crm.retention.lapsing_by(
        date(2026, 7, 31),
        facts=lambda customer: known[str(customer)],
        **asked,  # type: ignore[arg-type]  # by name
    )
    assert [one.customer for one in page.items] == [ids["cleo"]]
    assert (
        crm.retention.lapsing(
            ids["ann"],
            within=timedelta(days=60),
            facts=known[ids["ann"]],
            **asked,  # type: ignore[arg-type]  # by name
        )
        is None
    )


def test_a_customer_with_several_addresses_is_listed_once_for_each_way_in_which_permits_lapse() -> None:
    crm, ids, known = buyers(Clock(datetime(2026, 5, 4, 16, tzinfo=UTC)))
    crm.parties.change(PartyId(ids["ann"]), lambda p: p.with_email("ann@y.example"))
    pages, after = [], None
    while True:
        page = crm.retention.lapsing_by(
            date(2026, 6, 10),
            purpose="marketing",
            channel="email",
            facts=lambda customer: known[str(customer)],
            jurisdictions=["CA"],
            after=after,
            limit=2,
        )
        pages.append(page)
        if page.next is None:
            break
        after = page.next
    assert len(pages) == 2
    assert {one.customer for page in pages for one in page.items} == {ids["ann"], ids["cleo"]}
    assert sum(len(page.items) for page in pages) == 2

"""Laws of the view as a pure function: equal facts and policy give equal bytes, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import CustomerView, Interaction, Participant, Party, Person, Relationship
from crmcore.identity.survivorship import SurvivorshipPolicy, survive
from crmcore.party import Anonymous, Household, Organization
from crmcore.serde import dump, load
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, Ids, InteractionId, PartyId, RelationshipId
from crmcore.values.language import Language
from crmcore.values.period import Period
from crmcore.values.source import Source
from crmcore.view import Other, TimelineFacts, compose
from tests.party.strategies import parties

_ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
IDS = tuple(_ids.new(PartyId) for _ in range(8))
CALLS = tuple(_ids.new(InteractionId) for _ in range(4))
JOBS = tuple(_ids.new(RelationshipId) for _ in range(6))
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NOTHING = TimelineFacts(count=0, more=False, first=None, recent=())


def viewed(members: list[Party], **facts: Any) -> CustomerView:
    given = {
        "id": CustomerId(min(party.id for party in members)),
        "members": members,
        "profile": survive(members, SurvivorshipPolicy()),
        "relationships": (),
        "others": {},
        "timeline": NOTHING,
        "consent": (),
        "policy": "default/1",
        **facts,
    }
    return compose(**given)


def person(number: int, name: str = "Ann Lee", **facts: Any) -> Person:
    return Person.of(name, id=IDS[number], version=1, **facts)


def job(number: int, to: int, **facts: Any) -> Relationship:
    ends = {"from_": IDS[0], "to": IDS[to], **facts}
    return Relationship(id=JOBS[number], version=1, type=ends.pop("type", "employment"), **ends)


def other(number: int, customer: int | None = None, name: str = "Acme") -> tuple[PartyId, Other]:
    return IDS[number], Other(id=CustomerId(IDS[number if customer is None else customer]), name=name)


def call(number: int, **facts: Any) -> Interaction:
    return Interaction(
        id=CALLS[number],
        kind="call",
        direction="inbound",
        participants=(Participant(party=IDS[0]),),
        recorded_at=NOON,
        **{"occurred_at": NOON - timedelta(days=number), **facts},
    )


# --- equal bytes ---------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.lists(parties(), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 5), st.integers(5, 7)), unique_by=lambda pair: pair[0]),
    st.randoms(use_true_random=False),
)
def test_no_order_of_what_is_given_changes_the_view(
    found: list[Party], jobs: list[tuple[int, int]], random: Random
) -> None:
    members = [attrs.evolve(party, id=IDS[number]) for number, party in enumerate(found)]
    facts = {
        "relationships": [job(number, to) for number, to in jobs],
        "others": dict([other(5, 5, "X"), other(6, 5, "X"), other(7, name="X")]),
        "timeline": TimelineFacts(count=3, more=False, first=call(2), recent=[call(0), call(1), call(2)]),
        "conflicts": ["b", "a"],
    }
    view = viewed(members, **facts)
    for key in ("relationships", "conflicts"):
        random.shuffle(facts[key])  # type: ignore[arg-type]  # lists
    random.shuffle(members)
    facts["others"] = dict(reversed(list(facts["others"].items())))  # type: ignore[attr-defined]  # a dict
    again = viewed(members, **facts)
    assert again == view
    assert again.digest == view.digest


@settings(max_examples=25)
@given(st.lists(parties(), min_size=1, max_size=3))
def test_a_view_is_written_and_read_back_with_its_digest(found: list[Party]) -> None:
    view = viewed([attrs.evolve(party, id=IDS[number]) for number, party in enumerate(found)])
    assert load(CustomerView, dump(view)) == view
    assert load(CustomerView, dump(view)).digest == view.digest
    assert json.loads(json.dumps(view.to_json())) == {**dump(view), "digest": view.digest}


@pytest.mark.parametrize(
    "facts",
    [
        {"members": [person(0, "Ann Hill")]},
        {"members": [person(0, email="ann@x.org")]},
        {"members": [person(0).with_source("shop", "1")]},
        {"members": [person(0).with_tag("vip")]},
        {"members": [person(0), person(1)]},
        {"members": [person(0).changed(extras=FrozenMap({"pets": ("cat",)}))]},
        {"members": [person(0).changed(extras=FrozenMap({"pets": ("dog",)}))]},
        {"members": [person(0).changed(extras=FrozenMap({"pet": FrozenMap({"name": "Rex"})}))]},
        {"members": [person(0).changed(extras=FrozenMap({"pet": FrozenMap({"name": "Max"})}))]},
        {"relationships": [job(0, 5)], "others": dict([other(5)])},
        {"relationships": [job(0, 5)], "others": dict([other(5, name="Apex")])},
        {"relationships": [job(0, 5, valid=Period.until(date(2020, 1, 1)))], "others": dict([other(5)])},
        {"timeline": TimelineFacts(count=1, more=False, first=call(0), recent=[call(0)])},
        {"timeline": TimelineFacts(count=1, more=True, first=call(0), recent=[call(0)])},
        {"consent": ("2026-03-01 withdrew marketing",)},
        {"consent": ("2026-03-01 withdrew marketing", "2026-02-01 agreed to research")},
        {"conflicts": ["a contradiction"]},
        {"policy": "ours/2"},
        {"id": CustomerId(IDS[1])},
    ],
)
def test_whatever_a_reader_would_see_changes_the_digest(facts: dict[str, Any]) -> None:
    seen.setdefault(viewed([person(0)]).digest, {})
    digest = viewed(facts.pop("members", [person(0)]), **facts).digest
    assert seen.setdefault(digest, facts) is facts


seen: dict[str, Any] = {}
"""The digests of the cases above, which all differ."""


def test_versions_and_times_of_reading_are_not_in_a_view() -> None:
    ann = person(0, email="ann@x.org")
    assert viewed([attrs.evolve(ann, version=9)]).digest == viewed([ann]).digest


# --- what is in it -------------------------------------------------------------------------------------


def test_what_is_not_known_is_listed() -> None:
    assert viewed([person(0)]).unknown_fields == ("birth_date", "email", "phone", "address", "consent")
    whole = person(0, email="a@x.org", phone="112", address="1 High Street", birth_date="1985")
    assert viewed([whole]).unknown_fields == ("consent",)
    assert viewed([Organization.of("Acme", id=IDS[0])]).unknown_fields == (
        "email",
        "phone",
        "address",
        "consent",
    )
    assert viewed([whole], consent=["2026-03-01 withdrew marketing"]).unknown_fields == ()
    assert viewed([Household.of("the Lees", id=IDS[0])]).unknown_fields == ("address", "consent")
    assert viewed([Anonymous.of("cookie", id=IDS[0])]).unknown_fields == ("name", "email", "phone", "consent")


def test_every_value_names_the_record_and_the_rule_that_it_comes_from() -> None:
    shop = person(0, email="ann@x.org", observed_at=date(2020, 1, 1)).with_source("shop", "1")
    crm = person(1, "Ann Hill", email="ANN@x.org", observed_at=date(2021, 1, 1)).with_source("crm", "2")
    view = viewed([shop, crm, person(2, "Ann Hill")])
    (name,) = view.field("name")
    assert (name.text, name.agree, name.of, name.rule) == ("Ann Hill", 2, 3, "most frequent")
    assert (name.party, name.source) == (IDS[1], Source("crm", "2"))
    assert [(lost.text, lost.party) for lost in name.others] == [("Ann Lee", IDS[0])]
    (email,) = view.field("email")
    assert (email.rule, email.agree) == ("union", 2)
    assert view.sources == ("crm", "shop")
    assert view.members == IDS[:3]
    assert (view.kind, view.name) == ("person", "Ann Hill")


def test_somebody_anonymous_is_whoever_they_turn_out_to_be() -> None:
    cookie = Anonymous.of("cookie 1", id=IDS[0])
    assert (viewed([cookie]).kind, viewed([cookie]).name) == ("anonymous", "anonymous")
    assert (viewed([cookie, person(1)]).kind, viewed([cookie, person(1)]).name) == ("person", "Ann Lee")


def test_a_record_that_was_taken_back_says_nothing_unless_it_is_all_there_is() -> None:
    gone = person(0, "Wrong Name", email="wrong@x.org", standing="retracted").with_source("shop", "1")
    right = Anonymous.of("cookie 1", id=IDS[1])
    view = viewed([gone, right])
    assert (view.kind, view.name, view.sources, view.field("email")) == ("anonymous", "anonymous", (), ())
    assert view.members == (IDS[0], IDS[1])
    assert viewed([gone]).name == "Wrong Name"


@pytest.mark.parametrize(
    ("fact", "field", "text"),
    [
        ({"language": Language("cy")}, "language", "cy"),
        ({"zone": "Europe/Berlin"}, "zone", "Europe/Berlin"),
        ({"extras": {"size": 42}}, "extra:size", "42"),
        ({"extras": {"vip": True}}, "extra:vip", "true"),
        ({"extras": {"pets": ["cat", {"b": None}]}}, "extra:pets", '["cat", {"b": null}]'),
        ({"extras": {"note": "hello"}}, "extra:note", "hello"),
    ],
)
def test_values_are_texts_that_people_and_programs_can_read(
    fact: dict[str, Any], field: str, text: str
) -> None:
    (found,) = viewed([person(0).changed(**fact)]).field(field)
    assert found.text == text


# --- relationships -------------------------------------------------------------------------------------


def test_employments_at_records_of_one_customer_are_one_line_with_the_whole_span() -> None:
    view = viewed(
        [person(0), person(1)],
        relationships=[
            job(0, 5, valid=Period(date(2003, 1, 1), date(2006, 1, 1))),
            job(1, 6, valid=Period(date(2005, 1, 1), date(2010, 1, 1)), observed_at=date(2007, 1, 1)),
            job(2, 6, from_=IDS[1], observed_at=date(2004, 1, 1), valid=Period.until(date(2008, 1, 1))),
            job(3, 7, observed_at=date(2012, 5, 1)),
        ],
        others=dict([other(5, 5), other(6, 5), other(7, name="Apex")]),
    )
    apex, acme = view.relationships
    assert (acme.label, acme.other, acme.records) == ("works for", CustomerId(IDS[5]), 3)
    assert (acme.since, acme.until) == (date(2003, 1, 1), date(2010, 1, 1))
    assert (acme.seen_first, acme.seen_last) == (date(2004, 1, 1), date(2007, 1, 1))
    assert (apex.since, apex.until, apex.seen_last) == (None, None, date(2012, 5, 1))


def test_an_employment_that_goes_on_at_one_record_has_no_end() -> None:
    view = viewed(
        [person(0)],
        relationships=[job(0, 5, valid=Period.until(date(2006, 1, 1))), job(1, 6)],
        others=dict([other(5, 5), other(6, 5)]),
    )
    assert view.relationships[0].until is None


def test_relationships_are_labelled_from_this_side() -> None:
    acme = Organization.of("Acme", id=IDS[5])
    ann = dict([other(0, name="Ann Lee")])
    (line,) = viewed([acme], relationships=[job(0, 5)], others=ann).relationships
    assert (line.type, line.label, line.other_name) == ("employment", "employs", "Ann Lee")
    (line,) = viewed([acme], relationships=[job(0, 5, type="sponsors")], others=ann).relationships
    assert (line.type, line.label) == ("sponsors", "sponsors")


def test_records_of_one_customer_are_not_related_to_each_other() -> None:
    assert viewed([person(0), person(5)], relationships=[job(0, 5, type="reports_to")]).relationships == ()


# --- the timeline --------------------------------------------------------------------------------------


def test_a_view_has_the_timeline_in_numbers_and_the_latest_in_full() -> None:
    recent = [call(2), call(0, subject="Offer"), call(1)]
    first = call(3, occurred_at=date(2019, 10, 15))
    timeline = viewed(
        [person(0)], timeline=TimelineFacts(count=7, more=False, first=first, recent=recent)
    ).timeline
    assert (timeline.count, timeline.first, timeline.last) == (7, date(2019, 10, 15), NOON)
    assert [line.id for line in timeline.recent] == list(CALLS[:3])
    assert [line.subject for line in timeline.recent] == ["Offer", None, None]
    assert viewed([person(0)]).timeline.last is None


def test_of_a_confidential_interaction_a_view_says_no_more_than_that_it_was() -> None:
    secret = call(0, subject="canary-4711", confidential=True)
    view = viewed([person(0)], timeline=TimelineFacts(count=1, more=False, first=secret, recent=[secret]))
    (line,) = view.timeline.recent
    assert (line.confidential, line.subject, line.kind) == (True, None, "call")
    assert "canary-4711" not in json.dumps(view.to_json())


def test_a_view_shows_nothing_personal_unless_it_is_asked_to() -> None:
    view = viewed([person(0, email="canary-4711@x.org")])
    assert "canary-4711" not in f"{view!r} {view}"
    assert "Ann" not in f"{view!r} {view}"
    assert "canary-4711@x.org" in view.text()

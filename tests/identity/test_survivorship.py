"""Which value survives, from which record, by which rule; and that nothing else is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidParty, InvalidValue
from crmcore.identity.survivorship import Other, Profile, Survivor, SurvivorshipPolicy, survive
from crmcore.party.contact_point import ContactPoint, EmailPoint, PostalPoint
from crmcore.party.extra import Extra
from crmcore.party.party import Anonymous, Household, Organization, Party, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.language import Language
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.person_name import PersonName
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Source
from tests.identity.said_by import PARTIES


def _numbered(*drafts: Party) -> list[Party]:
    return [attrs.evolve(draft, id=id) for draft, id in zip(drafts, PARTIES, strict=False)]


def _reached(*points: ContactPoint, **fields: Any) -> Person:
    return Person.of("Ann", **fields).changed(contact_points=points)


def _one(field: str, *drafts: Party, policy: SurvivorshipPolicy | None = None) -> Survivor:
    survivor = survive(_numbered(*drafts), policy or SurvivorshipPolicy()).one(field)
    assert survivor is not None
    return survivor


def _year(year: int, **fields: Any) -> Person:
    return Person.of("Ann Lee", observed_at=date(year, 1, 1), **fields)


# --- rules by example --------------------------------------------------------------------------------


def test_the_most_frequent_name_survives_and_spellings_that_fold_alike_agree() -> None:
    name = _one("name", Person.of("A. Lee"), Person.of("ANN LEE"), Person.of("Ann Lée"), Person.of("Ann Lee"))
    assert (name.value.full, name.rule, name.agree, name.of) == ("Ann Lée", "most_frequent", 3, 4)
    assert name.holders == PARTIES[1:4]
    assert [(other.value.full, other.party) for other in name.others] == [("A. Lee", PARTIES[0])]


def test_of_equally_frequent_names_the_longest_survives_and_says_so() -> None:
    name = _one("name", Person.of("Ann Lee"), Person.of("Ann Bridget Lee"))
    assert (name.value.full, name.rule, name.party) == ("Ann Bridget Lee", "longest", PARTIES[1])


def test_a_tie_goes_to_the_record_that_came_first_and_says_so() -> None:
    name = _one("name", Person.of("Ann Lee"), Person.of("Ann Loe"))
    assert (name.value.full, name.rule) == ("Ann Lee", "first_recorded")


def test_the_most_recent_occupation_survives_a_date_being_before_the_instants_of_its_day() -> None:
    seen: list[Any] = [datetime(2020, 5, 5, 1, tzinfo=UTC), date(2020, 5, 5), None, date(2019, 9, 9)]
    people = [Person.of("Ann", occupation=f"job {n}", observed_at=at) for n, at in enumerate(seen)]
    job = _one("occupation", *people)
    assert (job.value, job.rule, job.observed_at) == ("job 0", "most_recent", seen[0])
    assert [other.value for other in job.others] == ["job 1", "job 3", "job 2"]


def test_a_field_may_have_been_seen_at_another_time_than_its_record() -> None:
    old = _year(2001, occupation="clerk", observed=FrozenMap({"occupation": date(2022, 1, 1)}))
    assert _one("occupation", old, _year(2020, occupation="judge")).value == "clerk"


def test_the_most_trusted_source_wins_and_unlisted_ones_come_after_and_none_last() -> None:
    policy = SurvivorshipPolicy(rules={"occupation": "most_trusted"}, trust=("erp", "crm"))
    crm = Person.of("Ann", occupation="clerk", sources=(Source("crm", "1"), Source("erp", "1")))
    web = Person.of("Ann", occupation="judge", sources=(Source("web", "2"),))
    none = Person.of("Ann", occupation="pilot")
    survivor = _one("occupation", none, web, crm, policy=policy)
    assert (survivor.value, survivor.rule, survivor.source) == ("clerk", "most_trusted", Source("erp", "1"))
    assert [other.value for other in survivor.others] == ["judge", "pilot"]


def test_a_rule_breaks_the_ties_of_the_one_before() -> None:
    policy = SurvivorshipPolicy(rules={"occupation": ("most_trusted", "longest")}, trust=("crm",))
    assert _one(
        "occupation", _year(2, occupation="cook"), _year(1, occupation="chef cook"), policy=policy
    ).rule == ("longest")


def test_a_vague_birth_date_agrees_with_the_exact_one() -> None:
    dates = ("1985", "1985", "1985-04-12", "1958-04-12")
    born = _one("birth_date", *(Person.of("Ann", birth_date=text) for text in dates))
    assert (born.value, born.agree, born.of) == (PartialDate.parse("1985-04-12"), 3, 4)
    assert [other.value.text for other in born.others] == ["1958-04-12"]


def test_e_mail_addresses_are_united_by_normal_form_with_everybody_who_has_them() -> None:
    bounced = EmailPoint.of("old@x.org", status="bouncing")
    parties = _numbered(
        Person.of("Ann", email="Ann@X.org", observed_at=date(2001, 1, 1)),
        Person.of("Ann", email="ann@x.org", observed_at=date(2002, 1, 1)),
        _reached(bounced, observed_at=date(2003, 1, 1)),
        Person.of("Ann", email="not an address", observed_at=date(2004, 1, 1)),
    )
    first, second, third = survive(parties).all("email")
    assert (first.value.raw, first.party, first.holders) == ("ann@x.org", PARTIES[1], PARTIES[:2])
    assert (first.rule, first.agree, first.of, first.others) == ("union", 2, 4, ())
    assert [second.value.raw, third.value.raw] == ["not an address", "old@x.org"]


def test_a_preferred_point_comes_first() -> None:
    ranked = _reached(EmailPoint.of("b@x.org", rank=1))
    emails = survive(_numbered(_year(2020, email="a@x.org"), ranked)).all("email")
    assert [email.value.raw for email in emails] == ["b@x.org", "a@x.org"]


def test_an_address_moves_as_one_group() -> None:
    old = PostalAddress.of(street_address="1 High St", locality="Leeds", postal_code="LS1 1AA", country="GB")
    new = PostalAddress.of(locality="York")
    address = _one("address", _year(2019, address=old), _year(2020, address=new))
    assert address.value.value == new
    assert address.value.value.street_address is None
    assert [other.value.value for other in address.others] == [old]


def test_addresses_for_different_uses_do_not_compete() -> None:
    home = PostalPoint.of("1 High St\nLeeds", uses=frozenset({"home"}))
    work = PostalPoint.of("9 Low Rd\nYork", uses=frozenset({"work"}), observed_at=date(2020, 1, 1))
    moved = PostalPoint.of("2 Mid St\nLeeds", uses=frozenset({"home"}), observed_at=date(2021, 1, 1))
    parties = _numbered(_reached(home, work), _reached(moved))
    survivors = survive(parties).all("address")
    assert [survivor.value for survivor in survivors] == [moved, work]
    assert [len(survivor.others) for survivor in survivors] == [1, 0]
    assert [survivor.of for survivor in survivors] == [2, 1]


def test_a_former_name_is_told_unless_it_is_the_name() -> None:
    renamed = Person.of("Ann Lee").renamed("Ann Hill")
    profile = survive(_numbered(renamed, Person.of("Ann Hill")))
    assert [survivor.value.full for survivor in profile.all("other_name")] == ["Ann Lee"]
    back = survive(_numbered(renamed, Person.of("Ann Lee"), Person.of("Ann Lee")))
    assert [survivor.value.full for survivor in back.all("name")] == ["Ann Lee"]
    assert back.all("other_name") == ()


def test_language_zone_tags_identifiers_and_extras_survive_each_in_its_way() -> None:
    shoes = Extra("shoe_size", int)
    one = Person.of("Ann", language=Language.parse("cy"), zone="Europe/London", tags=frozenset({"b", "a"}))
    one = one.with_identifier("lei", "5493 00").changed(extras=shoes.write(FrozenMap(), 42))
    two = _year(2020, language=Language.parse("en"), tags=frozenset({"b"})).with_identifier("lei", "549300")
    two = two.changed(extras=shoes.write(FrozenMap({"vip": True}), 41))
    profile = survive(_numbered(one, two))
    assert _said(profile, "language") == [Language.parse("en")]
    assert _said(profile, "zone") == ["Europe/London"]
    assert sorted(_said(profile, "tag")) == ["a", "b"]
    assert len(_said(profile, "identifier")) == 1
    assert _said(profile, "extra:shoe_size") == [41]
    assert _said(profile, "extra:vip") == [True]
    assert profile.one("fax") is None


def _said(profile: Profile, field: str) -> list[Any]:
    return [survivor.value for survivor in profile.all(field)]


def test_organizations_and_households_have_names_too() -> None:
    firm = Organization.of("Lee & Co").renamed("Lee Holding")
    profile = survive(_numbered(firm, Organization.of("LEE HOLDING")))
    assert (profile.kind, _said(profile, "name")) == ("organization", [OrganizationName.parse("Lee Holding")])
    assert [name.text for name in _said(profile, "other_name")] == ["Lee & Co"]
    home = survive(_numbered(Household.of("The Lees")))
    assert (home.kind, _said(home, "name")) == ("household", ["The Lees"])


def test_a_person_beats_somebody_anonymous_and_the_name_is_that_of_the_kind() -> None:
    parties = _numbered(
        Anonymous.of("cookie 1").with_email("a@x.org"), Organization.of("Lee & Co"), Person.of("Ann")
    )
    profile = survive(parties)
    assert profile.kind == "person"
    assert [name.full for name in _said(profile, "name")] == ["Ann"]
    assert [name.text for name in _said(profile, "other_name")] == ["Lee & Co"]
    assert len(profile.all("email")) == 1


def test_a_retracted_record_takes_no_part() -> None:
    gone = Person.of("Ann Bridget Lee", email="gone@x.org", standing="retracted")
    profile = survive(_numbered(Person.of("Ann Lee"), gone))
    assert [(s.field, s.agree, s.of, s.others) for s in profile.survivors] == [("name", 1, 1, ())]
    assert profile.members == PARTIES[:2]
    assert survive(_numbered(gone)).survivors == ()


def test_a_points_own_source_and_time_win_over_the_records() -> None:
    point = EmailPoint.of("a@x.org", source=Source("shop", "7"), observed_at=date(2022, 2, 2))
    party = _reached(point, sources=(Source("crm", "1"),), observed_at=date(2001, 1, 1))
    email = _one("email", party)
    assert (email.source, email.observed_at) == (Source("shop", "7"), date(2022, 2, 2))


def test_a_name_in_two_cases_says_more_than_one_in_capitals() -> None:
    shouting = Person.of("JOSE NUNEZ", observed_at=date(2024, 1, 1))
    assert _one("name", shouting, Person.of("Jose Nunez"), Person.of("José Núñez")).value.full == "José Núñez"


def test_without_records_there_is_no_profile() -> None:
    with pytest.raises(InvalidParty):
        survive([])


@pytest.mark.parametrize(
    "rules", [{"colour": "longest"}, {"name": "best"}, {"name": ()}, {"name": ("union", "longest")}]
)
def test_a_policy_refuses_rules_that_it_cannot_follow(rules: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        SurvivorshipPolicy(rules=rules)


def test_nothing_personal_shows() -> None:
    profile = survive(_numbered(Person.of("Ann Lee", email="ann@x.org"), Person.of("Anna Lee")))
    assert "ann" not in repr(profile).lower() + repr(profile.survivors[0]).lower()


# --- laws --------------------------------------------------------------------------------------------

_FULLS = ("Ann Lee", "ANN LEE", "Ann Bridget Lee", "A. Lee", "Bob Ray", "Bob  Ray")
_EMAILS = ("a@x.org", "A@x.org", "b@x.org", "broken")
_STREETS = ("1 High St\nLeeds", "1 HIGH ST, Leeds", "9 Low Rd\nYork")
_SYSTEMS = ("crm", "erp", "web")


@st.composite
def people(draw: st.DrawFn) -> list[Party]:
    """One to six records of a person, drawn from few values so that they agree and differ often."""
    drafts: list[Party] = []
    for number in range(draw(st.integers(1, 6))):
        day = draw(st.none() | st.dates(date(2019, 1, 1), date(2019, 1, 4)))
        source = draw(st.none() | st.sampled_from(_SYSTEMS))
        drafts.append(
            Person.of(
                draw(st.sampled_from(_FULLS)),
                email=draw(st.none() | st.sampled_from(_EMAILS)),
                address=draw(st.none() | st.sampled_from(_STREETS)),
                birth_date=draw(st.none() | st.sampled_from(("1985", "1985-04", "1985-04-12", "1958"))),
                occupation=draw(st.none() | st.sampled_from(("clerk", "judge"))),
                observed_at=day,
                sources=(Source(source, str(number)),) if source else (),
                standing=draw(st.sampled_from(("active", "active", "active", "retracted"))),
            )
        )
    return _numbered(*drafts)


_rules = st.lists(
    st.sampled_from(("most_recent", "most_trusted", "most_frequent", "longest")),
    min_size=1,
    max_size=3,
    unique=True,
)
policies = st.builds(
    lambda chain, union: SurvivorshipPolicy(
        rules={
            "name": chain,
            "address": chain,
            "birth_date": chain,
            "occupation": "union" if union else chain,
        },
        trust=("erp", "crm"),
    ),
    _rules,
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(people(), policies, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(
    parties: list[Party], policy: SurvivorshipPolicy, random: Random
) -> None:
    shuffled = [*parties, parties[0]]
    random.shuffle(shuffled)
    assert survive(shuffled, policy) == survive(parties, policy)


def _values(party: Party, field: str) -> list[Any]:
    """What a record holds, read by hand."""
    assert isinstance(party, Person)
    found: dict[str, list[Any]] = {
        "name": [party.name],
        "birth_date": [party.birth_date],
        "occupation": [party.occupation],
        "email": list(party.emails),
        "address": list(party.addresses),
    }
    return [value for value in found[field] if value is not None]


@settings(max_examples=80, deadline=None)
@given(people(), policies)
def test_every_value_is_held_by_the_record_that_it_names_and_nothing_is_left_out(
    parties: list[Party], policy: SurvivorshipPolicy
) -> None:
    by_id = {party.id: party for party in parties if party.standing == "active"}
    profile = survive(parties, policy)
    for survivor in profile.survivors:
        told: list[Survivor | Other] = [survivor, *survivor.others]
        for said in told:
            assert said.value in _values(by_id[said.party], survivor.field)
            assert said.party in said.holders
            assert said.observed_at == by_id[said.party].observed_at
            assert said.source == next(iter(by_id[said.party].sources), None)
        assert survivor.agree == len(survivor.holders) <= survivor.of
    for field in ("name", "birth_date", "occupation", "email", "address"):
        holders = {id for id, party in by_id.items() if _values(party, field)}
        holding = [s.holders for s in profile.all(field)] + [
            o.holders for s in profile.all(field) for o in s.others
        ]
        assert {id for ids in holding for id in ids} == holders
        assert all(survivor.of == len(holders) for survivor in profile.all(field))


def _strength(rule: str, name: str, parties: list[Party]) -> Any:
    """How good a folded name is by a rule, counted by hand over its records."""
    own = [party for party in parties if _folded(party) == name]
    if rule == "most_frequent":
        return Counter(_folded(party) for party in parties)[name]
    if rule == "longest":
        return max(len(_full(party)) for party in own)
    if rule == "most_trusted":
        trust = {"erp": 3, "crm": 2}
        return max((trust.get(source.system, 1) for party in own for source in party.sources), default=0)
    return max((party.observed_at or date.min).isoformat() for party in own)


def _full(party: Party) -> str:
    assert isinstance(party, Person)
    assert isinstance(party.name, PersonName)
    return party.name.full


def _folded(party: Party) -> str:
    return " ".join(_full(party).lower().replace(".", " ").split())


@settings(max_examples=120, deadline=None)
@given(people(), _rules)
def test_the_name_that_survives_is_the_best_by_the_rules_in_order(
    parties: list[Party], chain: list[Any]
) -> None:
    active = [party for party in parties if party.standing == "active"]
    survivor = survive(parties, SurvivorshipPolicy(rules={"name": tuple(chain)}, trust=("erp", "crm"))).one(
        "name"
    )
    if survivor is None:
        assert not active
        return
    names = {_folded(party) for party in active}
    scores = {name: tuple(_strength(rule, name, active) for rule in chain) for name in names}
    winner = " ".join(survivor.value.full.lower().replace(".", " ").split())
    assert scores[winner] == max(scores.values())
    tied = [name for name in names if scores[name] == scores[winner]]
    if len(tied) > 1:
        assert survivor.rule == "first_recorded"
        assert winner == next(_folded(party) for party in active if _folded(party) in tied)
    elif len(names) > 1:
        rival = max(scores[name] for name in names - {winner})
        assert survivor.rule == next(
            rule for rule, one, other in zip(chain, scores[winner], rival, strict=True) if one != other
        )
    else:
        assert survivor.rule == chain[0]

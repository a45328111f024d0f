"""Laws of parties: what a record must have, what it refuses, and what changing it leaves as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidParty, NaiveDatetime, NoDesignation, NotFound
from crmcore.party import (
    Anonymous,
    EmailPoint,
    Household,
    OnlinePoint,
    Organization,
    Party,
    Person,
    PhonePoint,
    PostalPoint,
)
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.identifier import Identifier
from crmcore.values.organization_name import OrganizationName
from crmcore.values.person_name import PersonName
from crmcore.values.source import Source
from tests.party.strategies import PARTIES, contact_points, parties, points
from tests.values.strategies import email_texts, phone_texts

# --- what designates a party ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Person, Organization, Household])
def test_a_party_that_nothing_designates_is_refused(kind: Any) -> None:
    with pytest.raises(NoDesignation):
        kind()
    with pytest.raises(NoDesignation):
        Anonymous(key="")


@pytest.mark.parametrize(
    "facts",
    [
        {"contact_points": (EmailPoint.of("ann@x.org"),)},
        {"contact_points": (PhonePoint.of("call the front desk"),)},
        {"identifiers": (Identifier("lei", "5493"),)},
        {"sources": (Source("shop", "1"),)},
    ],
)
@pytest.mark.parametrize("kind", [Person.of, Organization.of, Household.of])
def test_anything_that_designates_a_party_is_enough(kind: Any, facts: dict[str, Any]) -> None:
    party = kind(**facts)
    assert party.is_draft
    assert party.display_name


@pytest.mark.parametrize(
    "name", ["Sukarno", "김민준", "毛泽东 / Mao Zedong", "X Æ A-12", "O'Neill, Jr.", "Abū ʿAlī … ibn Sīnā", "Björk Örn"]
)  # fmt: skip
def test_a_full_name_alone_is_enough(name: str) -> None:
    person = Person.of(name)
    assert person.name is not None
    assert person.name.full == name == person.display_name


def test_taking_away_the_last_thing_that_designates_a_party_is_refused() -> None:
    with pytest.raises(NoDesignation):
        Person.of(email="ann@x.org").without("ann@x.org")


def test_a_draft_has_no_id_and_says_how_to_get_one() -> None:
    with pytest.raises(NotFound, match=r"crm\.parties\.add"):
        _ = Person.of("Ann Lee").id


# --- invariants ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EmailPoint.of("ann@x.org"), EmailPoint.of("ANN@X.org")),
        (PhonePoint.of("+44 20 7946 0018"), PhonePoint.of("020 7946 0018", region="GB")),
        (PostalPoint.of("1 High Street, Oxford"), PostalPoint.of("1 HIGH STREET OXFORD")),
        (OnlinePoint.of("@ann"), OnlinePoint.of("@Ann")),
        (PhonePoint.of("front desk"), PhonePoint.of("Front  Desk")),
    ],
)
def test_two_contact_points_with_one_normal_form_are_refused(one: Any, other: Any) -> None:
    with pytest.raises(InvalidParty, match="normal form"):
        Person(names=(PersonName.parse("Ann Lee"),), contact_points=(one, other))


def test_one_text_may_be_a_contact_point_of_two_kinds_or_services() -> None:
    person = Person.of("Ann Lee").with_online("@ann").with_online("@ann", service="mastodon")
    assert len(person.contact_points) == 2


def test_two_preferred_points_of_a_kind_and_use_are_refused() -> None:
    first = Person.of("Ann Lee").with_email("a@x.org", rank=1, uses={"work"})
    with pytest.raises(InvalidParty, match="rank 1"):
        first.with_email("b@x.org", rank=1, uses={"work", "home"})
    assert len(first.with_email("b@x.org", rank=1, uses={"home"}).emails) == 2
    assert len(first.with_email("b@x.org", rank=2, uses={"work"}).emails) == 2
    with pytest.raises(InvalidParty, match="rank 1"):
        Person.of("Ann Lee").with_email("a@x.org", rank=1).with_email("b@x.org", rank=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "bounced"},
        {"uses": {"private"}},
        {"uses": "work"},
        {"rank": 0},
        {"rank": "1"},
        {"observed_at": "2026-01-01"},
    ],
)
def test_what_could_not_be_read_back_is_refused_when_it_is_given(wrong: dict[str, Any]) -> None:
    with pytest.raises((InvalidParty, ValueError)):
        EmailPoint.of("ann@x.org", **wrong)


def test_a_moment_without_a_zone_is_refused_everywhere() -> None:
    naive = datetime(2026, 1, 1)
    with pytest.raises(NaiveDatetime):
        Person.of("Ann Lee", observed_at=naive)
    with pytest.raises(NaiveDatetime):
        Person.of("Ann Lee", observed={"names": naive})
    with pytest.raises(NaiveDatetime):
        EmailPoint.of("ann@x.org", verified_at=naive)


def test_a_party_is_a_value_whatever_it_was_made_from() -> None:
    extras: dict[str, Any] = {"pets": ["cat"]}
    tags = {"vip"}
    person = Person.of("Ann Lee", extras=extras, tags=tags)
    same = hash(person)
    extras["pets"].append("dog")
    tags.add("late payer")
    assert person.extras == FrozenMap({"pets": ["cat"]})
    assert person.tags == {"vip"}
    assert hash(person) == same


@settings(max_examples=25)
@given(parties())
def test_equal_parties_are_one_in_a_set(party: Party) -> None:
    assert len({party, party.changed()}) == 1


# --- contact points ------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(contact_points(), points())
def test_a_point_replaces_the_one_with_its_normal_form_and_leaves_the_others(
    before: tuple[Any, ...], new: Any
) -> None:
    person = Person.of("Ann Lee").changed(contact_points=before)
    after = person.with_point(new)
    others = [point for point in before if (point.kind, point.key) != (new.kind, new.key)]
    assert after.contact_points == (*others, new)
    assert after.with_point(new) == after


@settings(max_examples=25)
@given(email_texts())
def test_an_address_is_taken_away_in_any_spelling(text: str) -> None:
    person = Person.of("Ann Lee", email=text)
    for spelling in (text, f" {text} ", text.partition("@")[0] + "@" + text.partition("@")[2].upper()):
        assert person.without(spelling).contact_points == ()


@settings(max_examples=25)
@given(phone_texts())
def test_a_number_is_taken_away_in_any_spelling(written: tuple[str, str]) -> None:
    text, region = written
    person = Person.of("Ann Lee", phone=text, region=region)
    value = person.phones[0].value
    assert value is not None
    assert person.without(text).phones == ()
    assert person.without(text, region=region).phones == ()
    assert person.without(value.e164 + (f" ext. {value.extension}" if value.extension else "")).phones == ()


@settings(max_examples=25)
@given(points())
def test_a_point_is_taken_away_as_it_was_written(point: Any) -> None:
    person = Person.of("Ann Lee").with_point(point).with_tag("kept")
    assert person.without(point.raw) == Person.of("Ann Lee").with_tag("kept")


def test_an_online_handle_is_taken_away_in_another_case() -> None:
    person = Person.of("Ann Lee").with_online("@Ann", service="mastodon")
    assert person.without("@ann").contact_points == ()


def test_taking_away_what_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound):
        Person.of("Ann Lee", email="ann@x.org").without("ben@x.org")


@settings(max_examples=25)
@given(points())
def test_whatever_was_written_is_kept_raw(point: Any) -> None:
    assert point.raw
    assert Person.of("Ann Lee").with_point(point).contact_points[0].raw == point.raw


@pytest.mark.parametrize(
    ("point", "problem"),
    [
        (EmailPoint.of("ann at x.org"), "no_at"),
        (PhonePoint.of("989-7433"), "local_only"),
        (PhonePoint.of("1.23E+10"), "spreadsheet_scientific"),
    ],
)
def test_a_text_without_a_normal_form_is_no_error_but_says_its_problem(point: Any, problem: str) -> None:
    assert point.value is None
    assert point.problem == problem


# --- names ---------------------------------------------------------------------------------------------


def test_a_new_name_keeps_the_one_until_now_as_a_former_one() -> None:
    ann = Person.of("Ann Lee").renamed("Ann Hill")
    assert [(name.full, name.use) for name in ann.names] == [("Ann Hill", "usual"), ("Ann Lee", "former")]
    acme = Organization.of("Acme Ltd").renamed("Apex Ltd")
    assert [(name.text, name.kind) for name in acme.names] == [("Apex Ltd", "usual"), ("Acme Ltd", "former")]


def test_taking_back_a_former_name_leaves_no_double() -> None:
    ann = Person.of("Ann Lee").renamed("Ann Hill").renamed("Ann Lee")
    assert [(name.full, name.use) for name in ann.names] == [("Ann Lee", "usual"), ("Ann Hill", "former")]
    acme = Organization.of("Acme").renamed("Apex").renamed("Acme")
    assert [(name.text, name.kind) for name in acme.names] == [("Acme", "usual"), ("Apex", "former")]


def test_the_name_in_use_given_again_changes_nothing() -> None:
    ann = Person.of(PersonName.from_parts(given="Ann", family="Lee"))
    assert ann.renamed("Ann Lee") is ann
    acme = Organization.of("Acme Ltd")
    assert acme.renamed("Acme Ltd") is acme


def test_names_for_other_uses_stay() -> None:
    ann = Person(names=(PersonName.parse("Ann Lee"), PersonName(full="Annabel Lee", use="legal")))
    assert [name.use for name in ann.renamed("Ann Hill").names] == ["usual", "former", "legal"]
    acme = Organization(names=(OrganizationName("Acme Holdings plc", "legal"), OrganizationName("Acme")))
    assert acme.name is not None
    assert acme.name.text == "Acme"
    assert [name.kind for name in acme.renamed("Apex").names] == ["usual", "legal", "former"]


# --- the other changers --------------------------------------------------------------------------------


@settings(max_examples=25)
@given(parties())
def test_a_changer_changes_what_it_names_and_nothing_else(party: Party) -> None:
    tagged = party.with_tag("a", "b").with_tag("a")
    assert tagged.tags == party.tags | {"a", "b"}
    assert tagged.without_tag("a", "b").changed(tags=party.tags) == party
    sourced = party.with_source("a system", "7").with_source("a system", "7")
    assert sourced.sources == (*party.sources, Source("a system", "7"))
    assert sourced.changed(sources=party.sources) == party
    assert party.changed() == party


def test_an_identifier_in_another_spelling_replaces_the_one_before() -> None:
    acme = Organization.of("Acme").with_identifier("vat", "DE 12-34").with_identifier("vat", "de1234")
    assert [identifier.value for identifier in acme.identifiers] == ["de1234"]
    assert len(acme.with_identifier("vat", "DE1234", issuer="AT").identifiers) == 2


def test_a_changer_keeps_id_and_version() -> None:
    stored = Person.of("Ann Lee").changed(id=PARTIES[0], version=3)
    changed = stored.renamed("Ann Hill").with_email("ann@x.org").with_tag("vip")
    assert (changed.id, changed.version) == (PARTIES[0], 3)


# --- what to call somebody -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("party", "called"),
    [
        (Person.of("Ann Lee", email="ann@x.org"), "Ann Lee"),
        (Person.of(email="ann@x.org"), "ann@x.org"),
        (Person.of(identifiers=(Identifier("lei", "5493"),)), "5493"),
        (Person.of(sources=(Source("shop", "1"),)), "unnamed"),
        (Organization.of("Acme Ltd"), "Acme Ltd"),
        (Household.of("the Lees"), "the Lees"),
        (Household.of(address="1 High Street"), "1 High Street"),
        (Anonymous.of("cookie 1"), "anonymous"),
    ],
)
def test_every_party_can_be_called_something(party: Party, called: str) -> None:
    assert party.display_name == called


@given(st.sampled_from(["usual", "legal", "birth", "former"]))
def test_a_name_in_use_comes_before_any_other(use: Any) -> None:
    person = Person(names=(PersonName(full="Annabel Lee", use=use), PersonName.parse("Ann Lee")))
    assert person.display_name == ("Annabel Lee" if use == "usual" else "Ann Lee")

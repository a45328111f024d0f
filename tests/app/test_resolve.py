"""Laws of references: whatever an app has in hand leads to the one customer that it means, or says why not."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Household, Organization, Person, Source
from crmcore.errors import AmbiguousReference, CrmError, NotFound
from crmcore.values.ids import CustomerId
from tests.app.houses import in_memory
from tests.party.test_refusals import told
from tests.values.strategies import HOSTILE

ANN = (
    Person.of("Ann Björk O'Neill", email="Ann@Bücher.example", phone="020 7946 0018 ext. 7", region="GB")
    .with_source("hubspot:eu1", "A#1")
    .with_phone("989-7433")
)


SPELLINGS: list[Any] = [
    Source("hubspot:eu1", "A#1"),
    "hubspot:eu1#A#1",
    "ann@bücher.example",
    "  ANN@XN--BCHER-KVA.example ",
    "+442079460018",
    "+44 (0)20 7946 0018",
    "+44 20 7946 0018 ext. 7",
    "9897433",
    "989 7433",
    "Ann Björk O'Neill",
    "ann",
    "ANN BJORK",
    "bjork oneill",
    "o’neill",
    "O'Nei",
]


@pytest.mark.needs("ordered_text")
def test_every_spelling_of_everything_leads_to_the_customer(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    crm.parties.add(Person.of("Ben Lee", email="ben@x.org", phone="+44 20 7946 0019"))
    for ref in SPELLINGS:
        assert crm.customers.resolve(ref).members == (ann.id,), ref
        assert [found.id for found in crm.customers.search(ref)] == [CustomerId(ann.id)]
        assert crm.customers.view(ref).id == CustomerId(ann.id)
        assert crm.interactions.timeline(ref).items == ()


@pytest.mark.needs("ordered_text")
def test_a_national_number_leads_there_when_its_region_is_said(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    assert crm.customers.resolve("020 7946 0018", region="GB").id == CustomerId(ann.id)
    with pytest.raises(NotFound):
        crm.customers.resolve("020 7946 0018")
    with pytest.raises(NotFound):
        crm.customers.resolve("020 7946 0018", region="Atlantis")


def test_ids_of_parties_and_of_former_customers_lead_to_the_customer_of_now(crm: Crm) -> None:
    ids = [crm.parties.add(Person.of(f"Person {n}")).id for n in range(4)]
    formers = [crm.customers.resolve(id).id for id in ids]
    crm.identity.merge(ids[2], ids[3])
    formers.append(crm.customers.resolve(ids[3]).id)
    judgement = crm.identity.merge(ids[1], ids[2])
    for id in [*ids[1:], *formers[1:]]:
        assert crm.customers.resolve(id).members == (ids[1], ids[2], ids[3])
        assert crm.customers.resolve(id).id == CustomerId(ids[1])
    crm.identity.retract(judgement.id)
    assert crm.customers.resolve(ids[1]).members == (ids[1],)
    assert crm.customers.resolve(formers[3]).members == (ids[2], ids[3])


@pytest.mark.needs("ordered_text")
def test_organizations_and_households_have_names_too(crm: Crm) -> None:
    acme = crm.parties.add(Organization.of("Acme Holdings plc"))
    lees = crm.parties.add(Household.of("the Lees of Oxford"))
    assert crm.customers.resolve("acme hold").id == CustomerId(acme.id)
    assert crm.customers.resolve("lees").id == CustomerId(lees.id)


@pytest.mark.needs("ordered_text")
def test_what_fits_several_is_refused_with_all_of_them(crm: Crm) -> None:
    two = [crm.parties.add(Person.of(f"{name} Lee", email="lees@x.org")) for name in ("Ann", "Ben")]
    for ref in ("lees@x.org", "Lee"):
        with pytest.raises(AmbiguousReference) as raised:
            crm.customers.view(ref)
        assert raised.value.candidates == tuple(party.id for party in two)
        assert "2 customers" in str(raised.value)
        assert len(crm.customers.search(ref)) == 2
    crm.identity.merge(two[0].id, two[1].id)
    assert crm.customers.view("lees@x.org").members == tuple(party.id for party in two)
    assert crm.customers.resolve("Lee").id == CustomerId(two[0].id)


@pytest.mark.needs("ordered_text")
def test_a_name_longer_than_the_order_keeps_is_told_from_one_with_the_same_beginning(crm: Crm) -> None:
    words = "Wolfeschlegelsteinhausenbergerdorff welche vor altern waren gewissenhaft schafers "
    long = crm.parties.add(Person.of(words + "Alpha"))
    other = crm.parties.add(Person.of(words + "Omega"))
    assert crm.customers.resolve(words + "alpha").id == CustomerId(long.id)
    assert crm.customers.resolve(words + "Om").id == CustomerId(other.id)
    assert len(crm.customers.search(words)) == 2
    assert crm.customers.search(words + "beta") == ()


def test_a_name_that_fits_everybody_is_not_looked_up_to_the_end() -> None:
    crm = in_memory()
    crm.parties.add_many(Person.of(f"Ann Number{n}") for n in range(1500))
    with pytest.raises(AmbiguousReference) as raised:
        crm.customers.resolve("Ann")
    assert len(raised.value.candidates) == 1000
    assert crm.customers.resolve("Ann Number1499").id


@pytest.mark.needs("ordered_text")
def test_what_is_no_reference_finds_nobody(crm: Crm) -> None:
    crm.parties.add(ANN)
    for ref in ("", " ", "#", "x#", "#x", "@", "+", "...", "01977420-dc00-7000-8000-000000000000"):
        with pytest.raises(NotFound):
            crm.customers.resolve(ref)
        assert crm.customers.search(ref) == ()


ENORMOUS = ("x", "@", "#", "1", "a@", "\u202e", "\x00", "\ud800", "é", "()", "-", "a b ")


def test_ten_megabytes_find_nobody_at_once(crm: Crm) -> None:
    crm.parties.add(ANN)
    for piece in ENORMOUS:
        text = piece * (10_000_000 // len(piece))
        began = process_time()
        with pytest.raises(NotFound):
            crm.customers.view(text)
        assert process_time() - began < 1, repr(piece)


@settings(max_examples=200)
@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Cf"])) | st.sampled_from(HOSTILE))
def test_a_hostile_text_finds_somebody_or_nobody_and_is_never_quoted(text: str) -> None:
    crm = in_memory()
    crm.parties.add(ANN)
    refusal: CrmError | None = None
    for ref in (f"canary-4711{text}", f"{text}#canary-4711", f"{text}@canary-4711.example", text):
        try:
            crm.customers.resolve(ref)
        except (NotFound, AmbiguousReference) as error:
            refusal = error
        assert refusal is None or "canary-4711" not in told(refusal)


@pytest.mark.needs("ordered_text")
def test_a_hostile_text_is_no_trouble_to_any_engine(crm: Crm) -> None:
    crm.parties.add(ANN)
    for text in HOSTILE:
        for ref in (text, f"{text}#1", f"shop#{text}", f"{text}@x.org"):
            assert len(crm.customers.search(ref)) <= 1

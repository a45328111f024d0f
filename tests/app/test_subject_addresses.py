"""An interaction that names only an address is the person's, however the address is written there."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app.subject_addresses import Addresses, rough_forms
from crmcore.interaction import Participant
from crmcore.party.contact_point import EmailPoint, PhonePoint
from crmcore.values.ids import PartyId
from tests.app.requests import collecting, customers

SPELLINGS = (
    "ann.lee@gmail.com",
    "Ann.Lee@GMAIL.com ",
    "annlee+news@googlemail.com",
    "Ann <ann.lee@gmail.com>",
    "+44 20 7946 0018",
    "+442079460018",
    "(020) 7946 0018",
    "020-7946-0018",
)
OTHERS = (
    "anna.lee@gmail.com",
    "ann.lee@x.example",
    "020 7946 0019",
    "+1 020 794 60018",
    "ann",
    "",
    "@",
    "<@>",
)


def called(crm: Crm, *addresses: str) -> None:
    for address in addresses:
        crm.interactions.record(
            "call",
            direction="inbound",
            occurred_at=date(2026, 3, 1),
            with_=[Participant(address=address)],
            subject=f"by {address}",
        )


def ann_in(crm: Crm) -> PartyId:
    return crm.parties.add(
        Person.of("Ann Lee", email="ann.lee@gmail.com", phone="020 7946 0018", region="GB")
    ).id


def held(crm: Crm) -> int:
    return len(crm.store.scan("default", "interaction", limit=100).items)


def test_an_address_is_known_in_every_spelling() -> None:
    hers = Addresses.of([EmailPoint.of(SPELLINGS[0]), PhonePoint.of("020 7946 0018", region="GB")])
    assert [text for text in SPELLINGS if text not in hers] == []
    assert [text for text in OTHERS if text in hers] == []


def test_what_is_read_of_the_addresses_that_others_wrote_is_all_that_may_be_the_person_s() -> None:
    names = ("ann.lee", "AnnLee+news", "\uff21nn.lee", "ann..lee", "straße", "strasse")
    domains = (
        "GMAIL.com",
        "googlemail.com",
        "bücher.example",
        "xn--bcher-kva.example",
        "x.example",
        "x",
        "ya.ru",
    )
    shapes = ("{}@{}", "Ann <{}@{}>", " {}@{}.", "{}@\u200b{}", "'{}@{}'", "{} @{}")
    texts = [shape.format(name, domain) for name in names for domain in domains for shape in shapes]
    for own in texts[::7]:
        point = EmailPoint.of(own)
        hers = Addresses.of([point])
        by_name = attrs.evolve(hers, rough=rough_forms(own) | rough_forms(point.key))
        for text in texts[::2]:
            assert (text in hers) == (text in by_name), (own, text)
    info = Addresses.of([EmailPoint.of("info@x.example")])
    assert info.rough.isdisjoint(rough_forms("info@y.example"))


def test_the_extension_tells_two_desks_of_one_company_apart() -> None:
    desk = Addresses.of([PhonePoint.of("+1 907 486 4171 x101")])
    assert "+1 (907) 486-4171 ext. 101" in desk
    assert "+1 907 486 4171 x201" not in desk


def test_a_mobile_in_mexico_is_known_with_the_1_that_it_once_had_and_by_its_extension() -> None:
    spellings = (
        "+5215512345678",
        "+52 1 55 1234 5678",
        "+52 55 1234 5678",
        "0052 55 1234 5678",
        "55 1234 5678",
    )
    hers = Addresses.of([PhonePoint.of("+52 55 1234 5678")])
    assert [text for text in spellings if text not in hers] == []
    assert "+52 55 1234 5678 ext. 101" not in hers
    desk = Addresses.of([PhonePoint.of("+52 55 1234 5678 ext. 101")])
    assert "+52 (55) 1234-5678 x101" in desk
    assert [
        text for text in ("+52 55 1234 5678", "+5215512345678", "+52 55 1234 5678 x201") if text in desk
    ] == []


def test_interactions_are_given_and_erased_by_the_address_in_every_spelling() -> None:
    crm = customers()
    ann = ann_in(crm)
    called(crm, *SPELLINGS, *(text for text in OTHERS if text))
    bundle = crm.requests.bundle(collecting(crm, ann, "access").id)
    found = [item for item in bundle.items if item.category == "interaction"]
    assert (len(found), {item.origin for item in found}) == (len(SPELLINGS), {ann})
    request = collecting(crm, ann, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    assert held(crm) == len([text for text in OTHERS if text])


@pytest.mark.parametrize(
    ("own", "left"), [("annlee+news@googlemail.com", 1), ("annlee@googlemail.com", 0), ("bo@x.example", 0)]
)
def test_a_spelling_that_somebody_else_has_is_theirs(own: str, left: int) -> None:
    crm = customers()
    ann = ann_in(crm)
    crm.parties.add(Person.of("Bo Hill", email=own))
    called(crm, "annlee+news@googlemail.com")
    request = collecting(crm, ann, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    assert held(crm) == left


@pytest.mark.parametrize("other", ["+44 20 7946 0018", "+44 20 7946 0018 ext. 5"])
def test_a_number_that_both_have_is_found_in_every_spelling_alike(other: str) -> None:
    crm = customers()
    ann = ann_in(crm)
    crm.parties.add(Person.of("Bo Hill", phone=other))
    spellings = ("+44 20 7946 0018", "+442079460018", "020 7946 0018", "(020) 7946-0018")
    called(crm, *spellings)
    bundle = crm.requests.bundle(collecting(crm, ann, "access").id, reviewed="doubtful")
    assert len([item for item in bundle.items if item.category == "interaction"]) == len(spellings)


def test_of_a_talk_by_an_address_that_both_have_it_stays_that_the_other_one_took_part() -> None:
    crm = customers()
    ann = crm.parties.add(Person.of("Ann Lee", email="family@x.example"))
    bo = crm.parties.add(Person.of("Bo Lee", email="family@x.example"))
    crm.interactions.record(
        "email",
        direction="inbound",
        occurred_at=date(2026, 3, 1),
        with_=[ann.id, Participant(party=bo.id, address="family@x.example", role="cc")],
        subject="from both",
    )
    request = collecting(crm, ann.id, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    (left,) = crm.interactions.timeline(bo.id).items
    assert [(who.party, who.role, who.address) for who in left.participants] == [(bo.id, "cc", None)]
    assert left.subject is None

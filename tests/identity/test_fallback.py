"""Where nothing can be learned the rules decide, seeing no more and forbidding no less than the model would have."""

from __future__ import annotations

import attrs
import pytest

from crmcore.identity.deduplication import dedupe
from crmcore.identity.fallback import FallbackMatcher, seen_by
from crmcore.identity.features import features_of, features_of_row
from crmcore.identity.field_levels import alike
from crmcore.identity.model.columns import COLUMNS, Column
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.policy import Policy, Rule
from crmcore.identity.population import Population
from crmcore.party.party import Person
from crmcore.values.frozen_map import FrozenMap

FULL = {
    "given_name": "Ann",
    "family_name": "Lee",
    "birth_date": "1980-02-03",
    "email": "ann@x.org",
    "phone": "+44 20 7946 0018",
    "street_no": "12",
    "street": "Mill Lane",
    "unit": "flat 3",
    "postcode": "YO1 7HH",
    "city": "York",
    "region": "Yorkshire",
    "country": "GB",
    "national_id": "AB123456C",
    "occupation": "baker",
    "employer": "Acme",
}
SHOP = {"org_name": "Acme Bakery", "city": "York"}
OTHER = {
    "given name": FULL | {"given_name": "Bea"},
    "family name": FULL | {"family_name": "Hill"},
    "generation": FULL | {"family_name": "Lee Jr"},
    "birth date": FULL | {"birth_date": "1970-01-09"},
    "e-mail": FULL | {"email": "bea@y.org"},
    "phone": FULL | {"phone": "+44 20 7946 0999"},
    "street": FULL | {"street": "Oak Road", "street_no": "99", "unit": "flat 8"},
    "postcode": FULL | {"postcode": "LS1 1AA"},
    "city": FULL | {"city": "Leeds"},
    "region": FULL | {"region": "Kent"},
    "country": FULL | {"country": "FR"},
    "identifier": FULL | {"national_id": "XY987654Z"},
    "occupation": FULL | {"occupation": "smith"},
    "employer": FULL | {"employer": "Zenith"},
    "organization name": SHOP | {"org_name": "Zenith Dental"},
}


@pytest.mark.parametrize("hidden", [*OTHER])
def test_a_field_left_out_is_not_seen_by_the_rules(hidden: str) -> None:
    """Changing what is hidden changes nothing of what is seen, and changing anything else does."""
    matcher = Matcher(columns=tuple(column for column in COLUMNS if column.name != hidden))
    for column, other in OTHER.items():
        base = SHOP if "org_name" in other else FULL
        one, two = (seen_by(matcher, features_of_row(row)) for row in (base, other))
        assert (one == two) == (column == hidden), column


def test_every_column_is_tried() -> None:
    assert set(OTHER) == {column.name for column in COLUMNS}


def test_records_that_differ_in_hidden_fields_alone_are_told_apart_by_nothing() -> None:
    rows = [
        {"full_name": "Ann Lee", "national_id": "AB123456C", "city": "York"},
        {"full_name": "Ann Lee", "national_id": "AB123456C"},
        {"full_name": "Bo Hill"},
    ]
    with_it = dedupe([features_of_row(row) for row in rows])
    without = dedupe([features_of_row(row) for row in rows], Matcher.for_fields(without=["national_id"]))
    never = dedupe([features_of_row({k: v for k, v in row.items() if k != "national_id"}) for row in rows])
    assert with_it.labels == (0, 0, 1)
    assert without.labels == never.labels == (0, 1, 2)
    assert not any(reason.field == "identifier" for link in without.links for reason in link.match.reasons)


@pytest.mark.parametrize(
    ("levels", "ruling", "expected"),
    [
        ((1, 1), "different", (0, 1)),
        ((1, 1), "same", (0, 0)),
        ((1, 1), "related", (0, 1)),
        ((2, 2), "different", (0, 0)),
    ],
)
def test_the_rules_of_the_policy_hold_without_a_model(
    levels: tuple[int, int], ruling: str, expected: tuple[int, ...]
) -> None:
    rule = Rule("two numbers", ruling, FrozenMap({"identifier": levels}))  # type: ignore[arg-type]  # from a table
    rows = [
        {"full_name": "Ann Lee", "email": "ann@x.org", "birth_date": "1980-02-03", "national_id": number}
        for number in ("N1234567", "M7777777")
    ]
    found = dedupe([features_of_row(row) for row in rows], Matcher(policy=Policy(rules=(rule,))))
    assert found.matcher.startswith("rules/")
    assert found.labels == expected


def test_a_rule_is_named_among_the_reasons() -> None:
    rule = Rule("two numbers", "different", FrozenMap({"identifier": (1, 1)}))
    matcher = FallbackMatcher(Matcher(policy=Policy(rules=(rule,))))
    one, other = (features_of_row(FULL | {"national_id": number}) for number in ("N1234567", "M7777777"))
    match = matcher.compare(one, other, Population.of([one, other]))
    assert match.contradicted
    assert match.reasons[-1].level == "two numbers"


def test_an_experts_column_does_not_bring_back_what_is_left_out() -> None:
    provider = Column(
        name="provider",
        group="provider",
        labels=("different", "same"),
        agrees=2,
        usual=(0.3, 0.7),
        rarity=4,
        most=6,
        compare=alike,
        source=lambda record: [email.rpartition("@")[2] for email in record.emails],
    )
    matcher = Matcher.for_fields(without=["national_id", "email"], more=[provider])
    seen = seen_by(matcher, features_of_row(FULL))
    assert (seen.identifiers, seen.emails) == ((), ())
    rows = [FULL | {"given_name": "", "family_name": ""}] * 2 + [{"full_name": "Bo Hill"}]
    assert dedupe([features_of_row(row) for row in rows], matcher).matcher.startswith("rules/")


def test_what_is_shared_is_left_out_with_its_field() -> None:
    ann = features_of(Person.of("Ann Lee").with_email("ann@x.org", shared=True))
    assert seen_by(Matcher(), ann).shared
    assert not seen_by(Matcher.for_fields(without=["email"]), ann).shared


def test_a_rule_joins_no_person_with_an_organization() -> None:
    rule = Rule("one number, one customer", "same", FrozenMap({"phone": (3, 3)}))
    phone = "+44 20 7946 0018"
    rows = [{"full_name": "Ann Lee", "phone": phone}, {"org_name": "Acme Bakery", "phone": phone}]
    found = dedupe([features_of_row(row) for row in rows], Matcher(policy=Policy(rules=(rule,))))
    assert found.labels == (0, 1)


def test_a_rule_keeps_apart_by_way_of_third_records_too() -> None:
    rule = Rule("two numbers", "different", FrozenMap({"identifier": (1, 1)}))
    ann = features_of_row({"full_name": "Ann Lee", "email": "ann.lee@x.org", "national_id": "N1234567"})
    hart = features_of_row(
        {
            "full_name": "Ann Hart",
            "email": "hart.a@post.example",
            "phone": "+44 20 7946 0018",
            "national_id": "M7777777",
        }
    )
    both = attrs.evolve(
        ann,
        names=tuple(sorted(ann.names + hart.names)),
        emails=ann.emails + hart.emails,
        phones=hart.phones,
        identifiers=(),
    )
    records = [ann, both, hart]
    assert len(set(dedupe(records).labels)) == 1
    held = dedupe(records, Matcher(policy=Policy(rules=(*Policy().rules, rule))))
    assert held.labels[0] != held.labels[2]


def test_two_that_a_rule_calls_related_are_reported_so() -> None:
    rule = Rule("two numbers", "related", FrozenMap({"identifier": (1, 1)}))
    rows = [FULL | {"national_id": number} for number in ("N1234567", "M7777777")]
    found = dedupe([features_of_row(row) for row in rows], Matcher(policy=Policy(rules=(rule,))))
    assert (found.labels, found.related) == ((0, 1), ((0, 1),))

"""What errors cost, and what holds whatever the score says."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidModel
from crmcore.identity.deduplication import dedupe
from crmcore.identity.features import Features
from crmcore.identity.field_levels import alike
from crmcore.identity.model.columns import COLUMNS, Column
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import ColumnWeights, MatchModel
from crmcore.identity.model.policy import UNIT, Policy, Rule
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.values.frozen_map import FrozenMap
from tests.identity.model.invented import households, records
from tests.identity.model.recorded import columns
from tests.identity.rows import row


def by_hand(policy: Policy, prior: int = -6) -> MatchModel:
    """A model that knows a family name, a city and an e-mail."""
    worth = {"family name": 5, "city": 2, "e-mail": 12}
    return MatchModel(
        columns=tuple(
            ColumnWeights(
                name=column.name,
                labels=column.labels,
                same=(0, *[-2 * UNIT] * (column.top - 1), worth[column.name] * UNIT),
            )
            for column in columns(*worth)
        ),
        prior=prior * UNIT,
        policy=policy,
    )


def rule(ruling: str, column: str, level: int) -> Rule:
    return Rule("a rule", ruling, FrozenMap({column: (level, level)}))  # type: ignore[arg-type]  # given as text


ONE = row(full_name="Ann Keller", city="York", email="info@x.org")
OTHER = row(full_name="Ann Keller", city="York")
THIRD = row(full_name="Bo Keller", city="Kiel", email="info@x.org")


def verdict(policy: Policy, one: Features, other: Features) -> str:
    return LearnedMatcher(model=by_hand(policy)).compare(one, other).verdict


def test_costs_move_the_threshold() -> None:
    assert LearnedMatcher(model=by_hand(Policy())).compare(ONE, OTHER).score == 1 * UNIT
    assert verdict(Policy(), ONE, OTHER) == "same"
    assert verdict(Policy(false_merge=2), ONE, OTHER) == "same"
    assert verdict(Policy(false_merge=3), ONE, OTHER) == "unsure"
    assert verdict(Policy(false_merge=3, review=0), ONE, OTHER) == "different"
    assert verdict(Policy(false_merge=3, false_split=3), ONE, OTHER) == "same"


@given(merge=st.integers(1, 10**6), split=st.integers(1, 10**6))
def test_the_dearer_a_false_merge_the_higher_the_threshold(merge: int, split: int) -> None:
    policy = Policy(false_merge=merge, false_split=split)
    assert policy.same_at <= Policy(false_merge=merge + 1, false_split=split).same_at
    assert policy.same_at == -Policy(false_merge=split, false_split=merge).same_at
    assert policy.review_at <= policy.same_at


@given(threshold=st.integers(-99 * UNIT, 99 * UNIT), cost=st.integers(1, 99))
def test_a_threshold_replaces_what_the_costs_demand(threshold: int, cost: int) -> None:
    policy = Policy(false_merge=cost, threshold=threshold)
    assert policy.same_at == threshold
    assert policy.review_at == threshold - 4 * UNIT
    assert MatchModel.from_text(by_hand(policy).to_text()).policy == policy


def test_from_the_threshold_on_two_records_are_the_same() -> None:
    assert verdict(Policy(threshold=UNIT), ONE, OTHER) == "same"
    assert verdict(Policy(threshold=UNIT + 1), ONE, OTHER) == "unsure"
    assert by_hand(Policy()).to_text() == by_hand(Policy(threshold=None)).to_text()


@pytest.mark.parametrize("costs", [{"false_merge": 0}, {"false_split": -1}, {"review": -1}])
def test_costs_that_make_no_sense_are_refused(costs: dict[str, int]) -> None:
    with pytest.raises(InvalidModel):
        Policy(**costs)  # type: ignore[arg-type]  # none of them is the rules


def test_a_rule_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidModel):
        Rule("nowhere", "same", FrozenMap())
    with pytest.raises(InvalidModel):
        rule("perhaps", "city", 1)


def grouped(policy: Policy, *records: Features, prior: int = -6) -> tuple[int, ...]:
    return dedupe(records, by_hand(policy, prior)).labels


def test_a_rule_joins_whatever_the_score_and_the_costs() -> None:
    two = (row(full_name="Ann Keller", city="York"), row(full_name="Bo Keller", city="Kiel"))
    assert grouped(Policy(rules=()), *two) == (0, 1)
    for costs in (1, 10**6):
        assert grouped(Policy(rules=(rule("same", "family name", 5),), false_merge=costs), *two) == (0, 0)


def test_a_rule_keeps_apart_also_by_way_of_third_records() -> None:
    assert grouped(Policy(rules=()), ONE, OTHER, THIRD, prior=-4) == (0, 0, 0)
    found = grouped(Policy(rules=(rule("different", "city", 1),)), ONE, OTHER, THIRD, prior=-4)
    assert found[0] != found[2]
    assert found[1] != found[2]


def test_a_rule_says_related_at_most() -> None:
    policy = Policy(rules=(rule("related", "e-mail", 5),))
    match = LearnedMatcher(model=by_hand(policy)).compare(ONE, THIRD)
    assert match.score < 0
    assert match.verdict != "same"
    assert sum(reason.points for reason in match.reasons) == match.score


def test_the_strictest_rule_counts() -> None:
    rules = tuple(rule(ruling, "family name", 5) for ruling in ("same", "related", "different"))
    chosen = Policy(rules=rules).ruling({"family name": 5})
    assert chosen is not None
    assert chosen.ruling == "different"
    assert Policy(rules=rules).ruling({"family name": 4}) is None


def test_a_policy_is_a_part_of_the_model() -> None:
    model = by_hand(Policy())
    strict = attrs.evolve(model, policy=Policy(false_merge=9))
    assert strict.name != model.name
    assert model.diff(strict) == ("policy: other costs, review or rules",)
    assert MatchModel.from_text(strict.to_text()).policy == strict.policy
    assert Matcher(policy=strict.policy).policy.same_at == strict.policy.same_at


def test_what_a_rule_parts_no_third_record_joins() -> None:
    here, there = (row(full_name="Ann Keller", city=city, email="info@x.org") for city in ("York", "Kiel"))
    bridge = row(full_name="Ann Keller", email="info@x.org")
    assert grouped(Policy(rules=()), here, there, bridge) == (0, 0, 0)
    found = grouped(Policy(rules=(rule("different", "city", 1),)), here, there, bridge)
    assert found[0] != found[1]


def test_a_person_and_an_organization_are_not_joined_by_a_third_record() -> None:
    person = row(full_name="Ann Keller", city="York", email="info@x.org")
    works = row(org_name="Foster Works", city="York", email="info@x.org")
    mailbox = row(email="info@x.org", city="York")
    assert (person.kind, works.kind, mailbox.kind) == ("person", "organization", "anonymous")
    assert grouped(Policy(rules=()), person, mailbox) == (0, 0)
    found = grouped(Policy(rules=()), person, works, mailbox)
    assert found[0] != found[1]


ADDRESS = {"postcode": "60640", "city": "Chicago", "phone": "+13125550100"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"street": "5 Oak St"}, True),
        ({"street": "9 Elm Rd"}, False),
        ({"street": "9 Elm Rd", "email": ("info@seals.example", "info@other.example")}, False),
        ({"street": "PO Box 123"}, True),
        ({"street": "Tower House, 5 Oak St"}, True),
        ({"street": ""}, True),
        ({"street": "9 Elm Rd", "email": "info@seals.example"}, True),
        ({"street": "9 Elm Rd", "national_id": "DE123456789"}, True),
    ],
)
def test_another_place_is_another_organization_unless_somebody_says_so(
    other: dict[str, str], same: bool
) -> None:
    """It is the place that each has for itself; a number of its own or a mailbox outweighs it."""
    worth = {"organization name": 12, "phone": 12, "street": 9, "e-mail": 12, "identifier": 12}
    model = MatchModel(
        columns=tuple(
            ColumnWeights(
                name=c.name, labels=c.labels, same=(0, *[-UNIT] * (c.top - 1), worth[c.name] * UNIT)
            )
            for c in columns(*worth)
        ),
        prior=-6 * UNIT,
    )
    own = {
        name: other[name] if isinstance(other[name], tuple) else (other[name], other[name]) for name in other
    }
    first = {name: values[0] for name, values in own.items() if name != "street"}
    one = row(org_name="Easter Seals", street="5 Oak St", **ADDRESS, **first)
    two = row(org_name="Easter Seals", **ADDRESS, **{name: values[1] for name, values in own.items()})
    match = LearnedMatcher(model=model).compare(one, two)
    assert match.verdict == ("same" if same else "unsure")
    overruled = attrs.evolve(model, policy=Policy(rules=()))
    assert LearnedMatcher(model=overruled).compare(one, two).verdict == "same"


def test_an_expert_may_replace_a_column_that_the_usual_rules_speak_of() -> None:
    other = Column(
        name="street",
        group="address",
        labels=("no", "yes"),
        agrees=2,
        usual=(0.2, 0.8),
        rarity=16,
        most=18,
        compare=alike,
    )
    matcher = Matcher(columns=tuple(other if column.name == "street" else column for column in COLUMNS))
    learned = matcher.learn(records(households()))
    assert learned.model is not None
    assert not any("street" in rule.where for rule in learned.model.policy.rules)

"""What a model and its rules must not be, and what they must not be asked."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmcore.errors import InvalidModel
from crmcore.identity.deduplication import dedupe
from crmcore.identity.evaluation import evaluate
from crmcore.identity.features import features_of_row
from crmcore.identity.field_levels import birth_dates
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.freezing import words_of
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel, Together, term_key
from crmcore.identity.model.policy import UNIT, Policy, Rule
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.values.frozen_map import FrozenMap
from tests.identity.model.invented import households, people, records

ROWS = people()
LEARNED = Matcher().learn(records(ROWS)).model


def model() -> MatchModel:
    assert LEARNED is not None
    return LEARNED


def test_two_years_written_as_their_first_day_are_two_years() -> None:
    assert birth_dates("1985-01-01", "1986-01-01") == birth_dates("1985", "1986") == 1
    assert birth_dates("1985-01-01", "1985-01-01") == birth_dates("1985-01-01", "1985-07-04") == 4


@pytest.mark.parametrize("where", [{"birth_date": (1, 1)}, {"birth date": (0, 7)}, {"birth date": (3, 2)}])
def test_a_rule_on_what_there_is_not_is_refused(where: dict[str, tuple[int, int]]) -> None:
    policy = Policy(rules=(Rule("a rule", "different", FrozenMap(where)),))
    with pytest.raises(InvalidModel, match="a rule"):
        Matcher(policy=policy)
    with pytest.raises(InvalidModel, match="a rule"):
        LearnedMatcher(model=attrs.evolve(model(), policy=policy))


@pytest.mark.parametrize(
    "changed",
    [
        {"dependences": (Together(a="nope", b="city", bits=1),)},
        {"prior": 10**400},
        {"terms": FrozenMap({"00": 1 << 31})},
    ],
)
def test_a_model_that_does_not_hold_together_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel):
        attrs.evolve(model(), **changed)


def test_a_model_with_too_few_shares_is_refused() -> None:
    first, *others = model().columns
    short = attrs.evolve(first, share_same=(1,))
    with pytest.raises(InvalidModel, match="share"):
        attrs.evolve(model(), columns=(short, *others))


def test_a_few_organizations_do_not_change_what_is_learned_of_people() -> None:
    shops = [{"org_name": f"acme {name}", "city": "york", "cluster": name} for name in ("bakery", "dental")]
    rows = [*households(300), *shops]
    found = dedupe(records(rows))
    result = evaluate(found.labels, [row["cluster"] for row in rows])
    assert found.matcher.startswith("model/")
    assert result.pairs.f1 is not None
    assert result.pairs.f1 > 0.97


def test_words_that_are_worth_what_a_new_word_is_are_not_kept() -> None:
    names = ["lorem bakery", "ipsum bakery", "dolor clinic"]
    words = words_of(encode([features_of_row({"org_name": name}) for name in names]).valued)
    kept = [word for word in ("lorem", "bakery") if term_key("organization", "word", word) in words]
    assert kept == ["bakery"]


def test_a_saved_model_says_of_relations_what_the_fresh_one_said() -> None:
    rows = records(households())
    fresh = dedupe(rows, Matcher(policy=Policy(threshold=20 * UNIT)))
    assert fresh.learned is not None
    assert fresh.learned.model is not None
    again = dedupe(rows, fresh.learned.model)
    assert fresh.related
    assert (again.labels, again.related) == (fresh.labels, fresh.related)


def test_a_model_of_other_customers_is_another_one() -> None:
    other = attrs.evolve(model(), kinds=("organization", "person"))
    assert other.name != model().name
    assert model().diff(other) == ("kinds of customer: person -> organization, person",)

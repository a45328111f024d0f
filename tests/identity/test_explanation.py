"""An explanation sums to the score, shows no value unasked, and what it says would be, would be."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from random import Random
from xml.etree import ElementTree

import attrs
import pytest

from crmcore.identity.explanation import Waterfall, WhatIf, waterfall, what_if
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.matcher import Match, Reason
from crmcore.identity.model.chart import model_chart, model_text
from crmcore.identity.model.learning import Learned, Matcher
from crmcore.identity.model.match_model import ColumnWeights, MatchModel, Together
from crmcore.identity.model.policy import UNIT, Policy, Rule, Ruling
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.values.frozen_map import FrozenMap
from tests.identity.rows import ANN, compared, row
from tests.render.test_html import HOSTILE, Seen, held

GIVEN = (
    "olivia emma jacob liam noah sofia mateo ines pavel yuki amara tariq greta hugo lena oscar petra".split()
)
FAMILY = "brandt castro dvorak egede fischer garcia haddad ivanova jansen kimura lefevre moreau novak".split()
TOWNS = "kiel brno york lyon vigo".split()


@cache
def people() -> tuple[dict[str, str], ...]:
    """One or two people at one door with one phone; every third is recorded again with an error and a gap."""
    chance, rows = Random(7), list[dict[str, str]]()
    for home in range(120):
        family = chance.choice(FAMILY)
        shared = {
            "family_name": family,
            "phone": f"+4420{chance.randrange(10**7, 10**8)}",
            "street_no": str(chance.randrange(1, 90)),
            "street": f"{chance.choice(FAMILY)} street",
            "city": chance.choice(TOWNS),
        }
        for given in chance.sample(GIVEN, 1 + home % 2):
            born = f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(2, 28):02}"
            email = f"{given}.{family}{home}@mail.example"
            rows.append({"given_name": given, "birth_date": born, "email": email} | shared)
            if len(rows) % 3 == 0:
                gap = chance.choice(["email", "phone", "birth_date"])
                rows.append(
                    rows[-1] | {"family_name": family[:2] + family[3] + family[2] + family[4:], gap: ""}
                )
    return tuple(rows)


@cache
def learned() -> Learned:
    found = Matcher().learn([features_of_row(row) for row in people()])
    assert found.model is not None, found.refusal
    assert found.model.related_prior is not None, found.note
    return found


def records() -> list[Features]:
    return [features_of_row(row) for row in people()[:40]]


def test_the_steps_sum_to_the_score() -> None:
    matcher, known = learned().matcher, records()
    matches = [matcher.compare(a, b) for a in known for b in known]
    assert {match.verdict for match in matches} >= {"same", "related", "different"}
    for match in [*matches, compared(ANN, row(full_name="Bo Lee", birth_date="1985"))]:
        falls = waterfall(match)
        assert sum(step.points for step in falls.steps) == falls.score == match.score
        ends = [0, *(step.after for step in falls.steps)]
        assert [step.before for step in falls.steps] == ends[:-1]
        assert ends[-1] == match.score


@pytest.mark.parametrize("ruling", ["same", "related", "different"])
def test_what_a_rule_settles_sums_too(ruling: Ruling) -> None:
    rule = Rule("one phone", ruling, FrozenMap({"phone": (3, 3)}))
    model = attrs.evolve(matcher_model(), policy=Policy(rules=(rule,)))
    pairs = pairwise(records())
    couple = next((a, b) for a, b in pairs if a.phones == b.phones)
    falls = waterfall(LearnedMatcher(model=model).compare(*couple), model.policy)
    assert falls.steps[-1].field == "rule"
    assert falls.steps[-1].after == falls.score
    ElementTree.fromstring(falls.svg())


def matcher_model() -> MatchModel:
    model = learned().model
    assert model is not None
    return model


def test_no_value_is_shown_until_it_is_asked() -> None:
    a, b = people()[:2]
    falls = waterfall(learned().matcher.compare(features_of_row(a), features_of_row(b)), Policy())
    match = learned().matcher.compare(features_of_row(a), features_of_row(b))
    unasked = [repr(falls), str(falls), falls.text(), falls.svg(), falls._repr_html_(), match._repr_html_()]
    secret = [a[key] for key in ("given_name", "family_name", "birth_date", "email", "city")]
    assert not [value for value in secret for text in unasked if value in text.lower()]
    for asked in (falls.text(reveal=True), falls.svg(reveal=True)):
        assert all(value in asked for value in secret)


def test_thresholds_are_those_of_the_policy() -> None:
    match = learned().matcher.compare(records()[0], records()[1])
    known = waterfall(match, Policy(false_merge=8))
    assert (known.same_at, known.review_at) == (3 * UNIT, -UNIT)
    assert "same from +3.0" in known.svg()
    assert "+3.0  same from here" in known.text()
    assert "same from" not in waterfall(match).svg()


@pytest.mark.parametrize("text", HOSTILE)
def test_names_stay_text(text: str) -> None:
    reasons = (Reason(text, text, UNIT, True, (text, "x")),)

    def drawn(match: Match) -> Waterfall:
        return waterfall(match, Policy())

    seen = Seen(drawn(Match("same", UNIT, reasons)).svg(reveal=True))
    plain = Seen(drawn(Match("same", UNIT, (Reason("a", "b", UNIT, True, ("c", "d")),))).svg(reveal=True))
    assert [name for name, _ in seen.elements] == [name for name, _ in plain.elements]
    assert held(text)[:15] in seen.text
    text = text.encode("utf-8", "replace").decode()
    column = ColumnWeights(
        name=text, labels=(text,), same=(0, UNIT), related=(0, -UNIT), unseen=FrozenMap({text: UNIT})
    )
    model = MatchModel(
        columns=(column, attrs.evolve(column, name=f"{text} too")),
        prior=-UNIT,
        related_prior=-UNIT,
        dependences=(Together(a=text, b=f"{text} too", bits=UNIT),),
    )
    chart = Seen(model_chart(model))
    assert {name for name, _ in chart.elements} == {
        "svg",
        "style",
        "desc",
        "rect",
        "line",
        "text",
        "g",
        "title",
    }
    assert chart.other == []
    ElementTree.fromstring(model_chart(model))


CHANGED = {
    "birth date": ("birth_date",),
    "e-mail": ("email",),
    "phone": ("phone",),
    "city": ("city",),
    "street": ("street_no", "street"),
}


def _changed(source: dict[str, str], target: dict[str, str], field: str, level: str) -> dict[str, str]:
    return target | {key: "" if level == "missing" else source[key] for key in CHANGED[field]}


def test_what_is_said_would_be_is_so_when_the_records_are_changed() -> None:
    """One record takes the other one's value; the promise holds in one of the two directions and fails in none."""
    matcher, told = learned().matcher, 0
    for i, a in enumerate(people()[:30]):
        for b in people()[i + 1 : i + 4]:
            one, other = a | {"birth_date": ""}, b | {"email": "", "phone": b["phone"] if i % 2 else ""}
            pair = features_of_row(one), features_of_row(other)
            now = matcher.compare(*pair)
            for change in what_if(matcher, *pair):
                assert change.verdict != now.verdict
                assert change.score - change.change == now.score
                if change.field not in CHANGED:
                    continue
                outcomes: list[Match] = []
                for source, target in ((one, other), (other, one)):
                    known = all(source[key] for key in CHANGED[change.field])
                    if change.level == "missing" or known:
                        new = _changed(source, target, change.field, change.level)
                        outcomes.append(matcher.compare(features_of_row(source), features_of_row(new)))
                assert (change.verdict, change.score) in [
                    (new.verdict, new.score) for new in outcomes
                ] or not outcomes
                if change.verdict == "same":
                    assert all(new.verdict == "same" and new.score >= change.score for new in outcomes)
                told += bool(outcomes)
    assert told > 20


def test_what_changes_nothing_is_not_said() -> None:
    matcher = learned().matcher
    known = people()[0]
    gone = known | {"birth_date": "", "email": "", "phone": ""}
    said = {(change.field, change.level) for change in what_if(matcher, *map(features_of_row, (known, gone)))}
    for field in ("birth date", "e-mail", "phone"):
        changed = _changed(known, gone, field, "same")
        same = matcher.compare(features_of_row(known), features_of_row(changed)).verdict
        now = matcher.compare(features_of_row(known), features_of_row(gone)).verdict
        assert ((field, "same") in said) == (same != now)


def test_what_would_be_is_the_same_from_both_sides() -> None:
    matcher, known = learned().matcher, records()
    for a, b in pairwise(known):
        assert what_if(matcher, a, b) == what_if(matcher, b, a)


def test_two_kinds_of_customer_are_never_one() -> None:
    organization = features_of_row({"org_name": "Acme Brewing", "city": "York"})
    assert what_if(learned().matcher, records()[0], organization) == ()


def test_names_that_agree_crosswise_are_left_alone() -> None:
    a = people()[0]
    b = a | {
        "given_name": a["family_name"],
        "family_name": a["given_name"],
        "email": "",
        "phone": "",
        "birth_date": "",
    }
    found = what_if(learned().matcher, features_of_row(a), features_of_row(b))
    assert not {change.field for change in found} & {"given name", "family name"}


def test_sentences_are_for_people() -> None:
    change = WhatIf(field="street", level="same door", verdict="same", score=UNIT, change=3 * UNIT)
    assert change.sentence == 'with the street at "same door" this would be SAME: +3.0 bits, 1.0 in all'
    gone = attrs.evolve(change, level="missing", verdict="unsure", score=-UNIT, change=-2 * UNIT)
    assert gone.sentence == "without the street this would be UNSURE: -2.0 bits, -1.0 in all"


def test_a_model_is_shown_whole() -> None:
    model = matcher_model()
    table, chart = model_text(model), model_chart(model)
    assert (model.text(), model._repr_html_()) == (table, chart)
    lines = table.splitlines()
    rare = sum(len(column.unseen) for column in model.columns)
    levels = sum(len(column.labels) for column in model.columns)
    assert len(lines) == 3 + levels + rare + len(model.dependences)
    assert all(column.name in table and column.name in chart for column in model.columns)
    ElementTree.fromstring(chart)


def test_a_model_laid_down_by_hand_is_shown_without_shares() -> None:
    city = ColumnWeights(name="city", labels=("different", "same"), same=(0, -UNIT, 4 * UNIT))
    model = MatchModel(columns=(city,), prior=-8 * UNIT)
    assert "strangers" not in model.text()
    assert model.text().splitlines()[-1].split() == ["same", "+4.0"]
    assert "related" not in model_chart(model)


def test_the_same_pair_gives_the_same_text_and_drawing() -> None:
    a, b = records()[:2]
    first, second = (waterfall(learned().matcher.compare(*pair), Policy()) for pair in ((a, b), (a, b)))
    assert (first, first.text(), first.svg()) == (second, second.text(), second.svg())
    assert waterfall(learned().matcher.compare(b, a)).score == first.score

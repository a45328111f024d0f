"""What holds of a learned model, whatever it is learned from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidJudgement, InvalidModel, SchemaMismatch
from crmcore.identity.deduplication import dedupe
from crmcore.identity.evaluation import evaluate
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.field_levels import alike
from crmcore.identity.model.columns import Column
from crmcore.identity.model.learning import FIELDS, Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.policy import UNIT, Policy, Rule
from crmcore.identity.model.scoring import LearnedMatcher, Scorer
from crmcore.values.frozen_map import FrozenMap
from tests.identity.model.invented import households, people, records

ROWS = people()
RECORDS = records(ROWS)
LEARNED = Matcher().learn(RECORDS)


def model() -> MatchModel:
    assert LEARNED.model is not None, LEARNED.refusal
    return LEARNED.model


def groups(found_labels: tuple[int, ...], order: list[int]) -> set[frozenset[int]]:
    members: dict[int, set[int]] = {}
    for at, label in zip(order, found_labels, strict=True):
        members.setdefault(label, set()).add(at)
    return {frozenset(group) for group in members.values()}


def test_invented_people_are_found_again() -> None:
    found = dedupe(RECORDS)
    assert found.matcher.startswith("model/")
    truth = [row["cluster"] for row in ROWS]
    result = evaluate(found.labels, truth)
    assert result.pairs.f1 is not None
    assert result.pairs.f1 > 0.97


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.permutations(range(len(RECORDS))))
def test_the_order_of_records_changes_nothing(order: list[int]) -> None:
    found = dedupe([RECORDS[at] for at in order])
    first = dedupe(RECORDS)
    assert found.matcher == first.matcher
    assert groups(found.labels, order) == groups(first.labels, list(range(len(RECORDS))))


def test_another_process_learns_the_same_model() -> None:
    code = (
        "from tests.identity.model.invented import households, people, records\n"
        "from crmcore.identity import Matcher\n"
        "print(Matcher().learn(records(people())).model.name)"
    )
    root = Path(__file__).parents[3]
    names = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert names == {model().name}


def test_two_records_have_the_score_that_they_have_among_all() -> None:
    matcher = LearnedMatcher(model=model())
    distinct = sorted(set(RECORDS), key=lambda record: record.order)[:40]
    scorer = Scorer(model(), matcher.table(distinct))
    for i, one in enumerate(distinct):
        for j in range(i + 1, len(distinct)):
            alone = matcher.compare(one, distinct[j])
            assert alone.score == scorer.score(i, j).score
            assert alone.score == matcher.compare(distinct[j], one).score
            assert sum(reason.points for reason in alone.reasons) == alone.score


def test_weights_never_fall_while_agreement_gets_better() -> None:
    for column in model().columns:
        assert list(column.same[1:]) == sorted(column.same[1:])


def test_a_model_survives_a_file(tmp_path: Path) -> None:
    model().save(tmp_path / "model.json")
    again = MatchModel.load(tmp_path / "model.json")
    assert again == model()
    assert again.name == model().name
    assert again.diff(model()) == ()


def test_another_weight_is_another_model() -> None:
    other = attrs.evolve(model(), prior=model().prior + UNIT)
    assert other.name != model().name
    assert len(model().diff(other)) == 1


def test_a_model_holds_no_float_and_no_value_of_a_record() -> None:
    text = model().to_text()
    json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}"))
    assert "brandt" not in text
    assert "x.example" not in text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"tag": "match_model"}', '{"tag": "x", "schema": 1, "body": {}}']
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="model"):
        MatchModel.from_text(text)


def test_a_model_of_a_newer_version_is_refused() -> None:
    document = json.loads(model().to_text())
    with pytest.raises(SchemaMismatch, match="upgrade"):
        MatchModel.from_text(json.dumps(document | {"schema": 99}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1.5"])
def test_a_weight_is_a_whole_number(number: str) -> None:
    text = model().to_text()
    broken = text.replace(f'"prior":{model().prior}', f'"prior":{number}')
    assert broken != text
    with pytest.raises(InvalidModel, match="damaged"):
        MatchModel.from_text(broken)


def test_costs_move_the_threshold() -> None:
    assert Policy(false_merge=8).same_at == 3 * UNIT
    assert Policy(false_split=8).same_at == -3 * UNIT
    with pytest.raises(InvalidModel, match="costs"):
        Policy(false_merge=0)


def test_a_rule_keeps_apart_whatever_the_score() -> None:
    rule = Rule("no two of one mailbox", "different", FrozenMap({"e-mail": (5, 5)}))
    strict = attrs.evolve(model(), policy=Policy(rules=(rule,)))
    one, other = RECORDS[0], records([ROWS[0] | {"city": "york"}])[0]
    assert LearnedMatcher(model=model()).compare(one, other).verdict == "same"
    match = LearnedMatcher(model=strict).compare(one, other)
    assert (match.verdict, match.contradicted) == ("different", True)
    assert sum(reason.points for reason in match.reasons) == match.score


def test_what_people_said_is_honoured() -> None:
    found = dedupe(RECORDS, apart=[(0, 1)], together=[(0, 6)])
    assert found.labels[0] != found.labels[1]
    assert found.labels[0] == found.labels[6]


def test_excluded_records_stay_alone_and_are_reported() -> None:
    found = dedupe(RECORDS, excluded={0: "no profiling"})
    assert found.labels.count(found.labels[0]) == 1
    assert dict(found.excluded) == {0: "no profiling"}
    assert any("must not be linked" in note for note in found.notes)


def test_no_customer_has_two_records_of_one_source() -> None:
    sources = ["crm" if at % 3 != 2 else "shop" for at in range(len(RECORDS))]
    found = dedupe(RECORDS, sources=sources)
    pairs = list(zip(found.labels, sources, strict=True))
    assert len(pairs) == len(set(pairs))


def test_a_field_left_out_is_not_compared() -> None:
    learned = Matcher.for_fields(without=["email", "birth_date"]).learn(RECORDS)
    assert {column.name for column in learned.columns}.isdisjoint({"e-mail", "birth date"})
    with pytest.raises(InvalidModel, match="not compared"):
        Matcher.for_fields("shoe_size")


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_no_other_field_brings_back_what_was_left_out(field: str) -> None:
    compared = {column.name for column in Matcher.for_fields(without=[field]).columns}
    assert compared.isdisjoint(FIELDS[field])


_LONG = "é" * 10_000
BAD: dict[str, list[Features]] = {
    "nothing": [],
    "one": RECORDS[:1],
    "empty": [features_of_row({})] * 30,
    "equal": [RECORDS[0]] * 2000,
    "no duplicates": RECORDS[::3],
    "long": records([{"full_name": f"{_LONG} {n}", "email": f"{_LONG}{n}@x.example"} for n in range(20)]),
    "marks": records([{"full_name": f"a{chr(0x300 + n)}nn \u202elee{n}\u202c"} for n in range(40)]),
    "right to left": records([{"full_name": f"محمد علي {n}", "city": "القاهرة"} for n in range(40)]),
    "constant": records([{**row, "city": "york", "country": "gb"} for row in ROWS]),
    "two kinds": [
        *RECORDS,
        *records([{"org_name": f"acme {n % 20} ltd", "city": "york"} for n in range(40)]),
    ],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_answered(name: str) -> None:
    found = dedupe(BAD[name])
    assert len(found.labels) == len(BAD[name])
    assert found.decided_by
    if name in ("nothing", "one", "empty", "equal", "no duplicates"):
        assert "since" in found.decided_by


def test_records_that_are_all_equal_are_one_customer() -> None:
    assert set(dedupe(BAD["equal"]).labels) == {0}


def test_records_without_anything_stay_alone() -> None:
    assert len(set(dedupe(BAD["empty"]).labels)) == 30


def test_people_and_organizations_are_never_one() -> None:
    found = dedupe(BAD["two kinds"])
    kinds: dict[int, set[str]] = {}
    for label, record in zip(found.labels, BAD["two kinds"], strict=True):
        kinds.setdefault(label, set()).add(record.kind)
    assert all(len(kind) == 1 for kind in kinds.values())


def test_a_cost_however_large_is_a_threshold() -> None:
    assert Policy(false_merge=10**400).same_at > 1300 * UNIT


def test_an_excluded_position_is_one_of_the_records() -> None:
    with pytest.raises(InvalidJudgement, match="position"):
        dedupe(RECORDS, excluded={len(RECORDS): "no profiling"})


def test_only_people_join_an_excluded_record() -> None:
    found = dedupe(RECORDS, excluded={0: "no profiling"}, together=[(0, 1)])
    assert found.labels[0] == found.labels[1]


def column(**changed: Any) -> Column:
    given: dict[str, Any] = {
        "name": "shoe",
        "group": "shoe",
        "labels": ("different", "same"),
        "agrees": 2,
        "usual": (0.2, 0.8),
        "rarity": 3.0,
        "most": 4.0,
        "compare": alike,
        "source": lambda record: ("42",),
    }
    return Column(**(given | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": ("one",), "usual": (1.0,), "agrees": 1},
        {"labels": tuple("abcdefgh"), "usual": (0.125,) * 8},
        {"usual": (0.2, 0.2)},
        {"usual": (0.0, 1.0)},
        {"agrees": 3},
    ],
)
def test_a_column_that_makes_no_sense_is_refused(changed: dict[str, Any]) -> None:
    assert column().top == 2
    with pytest.raises(InvalidModel, match="shoe"):
        column(**changed)


@pytest.mark.parametrize(
    "columns",
    [
        (column(), column()),
        (column(), column(name="hat")),
        (column(group="address"),),
        (column(source=None),),
        (column(source=None, group="address"),),
    ],
)
def test_columns_that_do_not_go_together_are_refused(columns: tuple[Column, ...]) -> None:
    with pytest.raises(InvalidModel, match="column"):
        Matcher(columns=columns)


def test_organizations_with_a_name_only_are_found() -> None:
    """With nothing beside the name, how rare equal names are is known by nature and not learned."""
    words = [
        f"{a}{b}"
        for a in ("alder", "birch", "cedar", "maple", "walnut")
        for b in ("gate", "holm", "ford", "wick")
    ]
    kinds = ["Bakery", "Clinic", "School", "Garage"]
    names = [f"{word.title()} {kinds[at % 4]}" for at, word in enumerate(words)]
    again = [f"{name} Ltd" for name in names[:15]]
    records = [features_of_row({"org_name": name}) for name in (*names, *again)]
    found = dedupe(records)
    assert found.matcher.startswith("model/")
    assert found.labels == (*range(20), *range(15))


def pairs_f1(rows: list[dict[str, str]], *fields: str) -> float:
    records = [features_of_row({field: row[field] for field in fields}) for row in rows]
    found = dedupe(records)
    assert found.matcher.startswith("model/")
    result = evaluate(found.labels, [row["cluster"] for row in rows])
    return result.pairs.f1 or 0.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("fields", "least"),
    [
        (("given_name", "family_name", "street_no", "street"), 0.95),
        (("given_name", "family_name", "phone"), 0.77),
        (("given_name", "family_name", "email"), 0.75),
        (("email", "phone"), 0.6),
    ],
)
def test_few_columns_tell_relatives_and_strangers_apart(
    seed: int, fields: tuple[str, ...], least: float
) -> None:
    assert pairs_f1(households(400, seed), *fields) > least


@pytest.mark.parametrize(
    ("firsts", "seconds", "written"),
    [
        ("Ромашка Василек Рассвет Восток Север Заря Маяк Орион", "Строй Торг Сервис Транс", "ООО {}"),
        ("Müller Schmidt Weber Becker Koch Wolf Bauer Klein", "Bäckerei Apotheke Bau Reisen", "{} GmbH"),
    ],
)
def test_legal_forms_of_any_script_are_not_what_tells_names_apart(
    firsts: str, seconds: str, written: str
) -> None:
    names = [f"{first} {second}" for first in firsts.split() for second in seconds.split()]
    again = [written.format(name) for name in names[::2]]
    found = dedupe([features_of_row({"org_name": name}) for name in (*names, *again)])
    assert found.matcher.startswith("model/")
    assert found.labels == (*range(32), *range(0, 32, 2))


def test_a_column_that_is_the_same_everywhere_takes_nothing_away() -> None:
    rows = [{"email": f"{name}.{n}@x.example"} for n, name in enumerate(["ann", "bo", "cleo", "dan"] * 20)]
    rows += [{"email": row["email"].replace("example", "exmaple")} for row in rows[:30]]
    alone = dedupe([features_of_row(row) for row in rows])
    beside = dedupe([features_of_row(row | {"country": "US"}) for row in rows])
    assert beside.matcher.startswith("model/")
    assert beside.labels == alone.labels


def test_what_was_learned_of_records_without_names_is_used_for_those_with_names() -> None:
    rows = [{key: row[key] for key in ("email", "phone", "street_no", "street")} for row in households()]
    model = Matcher().learn([features_of_row(row) for row in rows]).model
    assert model is not None
    named = dedupe([features_of_row(row | {"family_name": "Lee"}) for row in rows], model)
    assert named.labels == dedupe([features_of_row(row) for row in rows], model).labels
    assert not named.notes

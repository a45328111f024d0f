"""The schema of a pack: what ships keeps to it, and what it refuses is refused when a pack is read."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from crmcore.consent.conditions.reading import ROOTS
from crmcore.consent.pack_reading import read_pack, shipped_packs
from crmcore.consent.schema_of_packs import first_mistake, pack_schema
from crmcore.errors import InvalidPack
from tests.cli.commands import run

FOLDER = files("crmcore.consent") / "packs"
TEXTS = {one.name: one.read_text(encoding="utf-8") for one in FOLDER.iterdir() if one.name.endswith(".toml")}
HEAD = 'id = "xx"\njurisdiction = "XX"\nname = "X"\nversion = "1"\n'
RULE = '[[rule]]\nid = "xx.a"\nstage = "permit"\neffect = "permit"\ntext = "."\ncite = "Act 1"\n'
CONDITION = HEAD + RULE + "when = "
MISTAKES = {
    "a word too many at the head": HEAD + 'licence = "MIT"\n',
    "a mistyped key of a rule": HEAD + RULE + 'chanel = "email"\n',
    "a name that is missing": HEAD.replace('name = "X"\n', ""),
    "a stage that there is not": HEAD + RULE.replace('stage = "permit"', 'stage = "permitted"'),
    "an effect that there is not": HEAD + RULE.replace('effect = "permit"', 'effect = "allow"'),
    "a channel that there is not": HEAD + RULE + 'channel = ["e-mail"]\n',
    "no citation": HEAD + RULE.replace('"Act 1"', '" "'),
    "dates written otherwise": HEAD + RULE + 'in_force = "since 2020"\n',
    "a read that is a word": HEAD + RULE + 'read = "yes"\n',
    "a fact that there is not": CONDITION + "{ 'message.promotoin' = true }\n",
    "a fact in a table that there is not": CONDITION + "{ message = { promotoin = true } }\n",
    "a text where a fact is true or false": CONDITION + "{ 'message.promotion' = 'yes' }\n",
    "a condition that there is not": CONDITION + "{ moon = 'full' }\n",
    "a period written otherwise": CONDITION
    + "{ related = { kinds = 'purchase', within = '2 years', counting = 'calendar_months' } }\n",
    "a counting that there is not": CONDITION
    + "{ related = { kinds = 'purchase', within = 'P2Y', counting = 'months' } }\n",
    "an act that there is not": CONDITION + "{ no = ['unsubscribe'] }\n",
    "an option of a condition that there is not": CONDITION + "{ listed = { on = 'tps', since = 28 } }\n",
    "an option that is missing": CONDITION + "{ asked = { within = 31 } }\n",
    "a number that is a text": CONDITION + "{ listed = { on = 'tps', fresh = '28' } }\n",
    "a number of times that is missing": CONDITION + "{ tried = { days = 30 } }\n",
    "a day of no fact": CONDITION + "{ consent = { profile = 'c', after = 'point.holder_sinse' } }\n",
    "no number of times": CONDITION + "{ tried = { times = 0, days = 30 } }\n",
    "a number of times without a time": CONDITION + "{ tried = { times = 3 } }\n",
    "a time of nothing": CONDITION + "{ tried = { times = 3, hours = 0 } }\n",
    "more days than there are": CONDITION + "{ tried = { times = 3, days = 999999999999 } }\n",
    "a register asked before there was one": CONDITION + "{ listed = { on = 'tps', fresh = 99999999 } }\n",
    "a period that no calendar has": CONDITION + "{ 'facts.refused_in_call' = { within = 'P999999999Y' } }\n",
    "an age that nobody reaches": CONDITION + "{ age = { at_least = 400 } }\n",
    "an instant where a day is meant": CONDITION
    + "{ related = { kinds = 'purchase', not_before = 2026-02-05T00:00:00Z } }\n",
    "a day that there is not": CONDITION
    + "{ related = { kinds = 'purchase', not_before = '2026-02-30' } }\n",
    "no channel": HEAD + RULE + "channel = []\n",
    "no purpose": HEAD + RULE + "purpose = []\n",
    "no value of a fact": CONDITION + "{ 'subject.kind' = [] }\n",
    "a grace for what is no No": HEAD
    + '[[grace]]\nchannel = "email"\ndays = 3\ncounting = "days"\nkinds = ["give"]\n',
    "a grace of a lifetime": HEAD + '[[grace]]\nchannel = "email"\ndays = 99999\ncounting = "days"\n',
    "a purpose of a grace that there is not": HEAD
    + '[[grace]]\nchannel = "email"\npurpose = "sport"\ndays = 3\ncounting = "days"\n',
    "a day of the week that there is not": CONDITION + "{ inside = { 'mo-fr' = '09:00-20:00' } }\n",
    "an hour that there is not": CONDITION + "{ inside = { mon = '09:00-25:00' } }\n",
    "a list where a table is meant": CONDITION + "{ not = ['email'] }\n",
    "a grace without days": HEAD + '[[grace]]\nchannel = "email"\ncounting = "days"\n',
    "an act of a grace that there is not": HEAD
    + '[[grace]]\nchannel = "email"\ndays = 3\ncounting = "days"\nkinds = ["stop"]\n',
    "a number without a citation": HEAD + '[[number]]\nname = "age"\nvalue = 14\n',
    "a number that is none": HEAD + '[[number]]\nname = "age"\nvalue = "14"\ncite = "Act 1"\n',
    "a profile that is no table": HEAD + 'profile = { consent = "double_opt_in" }\n',
    "a country in small letters": HEAD.replace('"XX"', '"xx"'),
}


def mistake(text: str) -> str | None:
    return first_mistake(tomllib.loads(text), "the pack")


@pytest.mark.parametrize("name", TEXTS)
def test_every_pack_that_ships_keeps_to_the_schema(name: str) -> None:
    assert mistake(TEXTS[name]) is None


@pytest.mark.parametrize("what", MISTAKES)
def test_the_schema_and_the_reader_refuse_the_same_mistakes(what: str) -> None:
    assert mistake(MISTAKES[what]) is not None
    with pytest.raises(InvalidPack) as refused:
        read_pack(MISTAKES[what])
    assert re.fullmatch(r"[a-z][^\n]*", str(refused.value))


def test_what_is_right_is_refused_by_neither() -> None:
    for when in (
        "{ 'subject.kind' = ['llp', 'corporate'] }",
        "{ no = 'object' }",
        "{ any = [] }",
        "{ related = { kinds = 'purchase', not_before = '2026-02-05' } }",
        "{ related = { kinds = 'purchase', not_before = 2026-02-05 } }",
        "{ tried = { times = 1, hours = 1, days = 1 } }",
        "{ inside = { mon = [], 'tue-fri' = ['00:00-08:00', '21:00-24:00'], holidays = [] } }",
    ):
        assert mistake(CONDITION + when) is None
        assert read_pack(CONDITION + when).rules


def test_without_the_schema_the_reader_would_let_some_of_them_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is asked for something."""
    monkeypatch.setattr("crmcore.consent.pack_reading.first_mistake", lambda document, name: None)
    passed = []
    for what, text in MISTAKES.items():
        try:
            read_pack(text)
        except (InvalidPack, KeyError, TypeError, AttributeError):
            continue
        passed.append(what)
    assert {"a read that is a word", "a day of no fact", "a number that is a text"} <= {*passed}


def test_the_schema_has_every_fact_and_uses_no_word_that_the_reader_does_not_know() -> None:
    schema = pack_schema()
    known = schema["$defs"]["condition"]["properties"]
    assert {*ROOTS} < {*known}
    assert {"message.one_click_unsubscribe", "facts.gpc", "evidence.kind", "consent", "inside"} < {*known}
    assert len(shipped_packs()) == len(TEXTS)
    words = {word for one in _schemas(schema) for word in one}
    asked = re.findall(
        r'"(\$?\w+)"', files("crmcore.consent").joinpath("schema_of_packs.py").read_text("utf-8")
    )
    assert words <= {*asked, "title", "$schema", "format"}


def _schemas(value: Any) -> list[dict[str, Any]]:
    """Every schema within a schema."""
    if not isinstance(value, dict):
        return []
    inner = [one for key in ("anyOf",) for one in value.get(key, ())]
    inner += [value[key] for key in ("items", "additionalProperties", "if", "then", "else") if key in value]
    for key in ("properties", "patternProperties", "$defs"):
        inner += value.get(key, {}).values()
    return [value, *(found for one in inner for found in _schemas(one))]


def test_whoever_changes_the_schema_they_got_changes_their_own() -> None:
    pack_schema()["properties"].clear()
    assert pack_schema()["properties"]


def test_the_command_prints_it() -> None:
    done = run("consent", "schema")
    assert done.code == 0
    assert json.loads(done.out) == pack_schema()

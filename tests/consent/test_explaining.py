"""Decisions in words: every fact that a pack asks of has words, and an explanation names no path where it has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given

from crmcore.consent import Facts, Request, decide, shipped_packs
from crmcore.consent.conditions.known import FactIs, Within
from crmcore.consent.conditions.listed import Asked, Listed
from crmcore.consent.conditions.reading import _READERS as CONDITIONS
from crmcore.consent.pack_reading import _PACK as KEYS_OF_PACK
from crmcore.consent.pack_reading import _RULE as KEYS_OF_RULE
from crmcore.consent.wording import REGISTERS, SO, WHAT
from tests.consent.cases import NOW, facts, jurisdictions, requests
from tests.tools import generate_pack_pages


def _parts(value: Any) -> Iterator[Any]:
    """Every condition in a pack, at any depth."""
    if isinstance(value, (tuple, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _parts(one)
    elif attrs.has(type(value)):
        yield value
        for field in attrs.fields(type(value)):
            yield from _parts(getattr(value, field.name))


PARTS = [
    part
    for pack in shipped_packs().values()
    for whole in (*pack.rules, *pack.profiles.values())
    for part in _parts(whole)
]


def test_every_fact_that_a_pack_asks_of_has_words() -> None:
    paths = {part.path for part in PARTS if isinstance(part, (FactIs, Within))}
    assert paths - SO.keys() - WHAT.keys() == set()


def test_every_register_that_a_pack_asks_has_a_name() -> None:
    assert {part.list for part in PARTS if isinstance(part, (Asked, Listed))} - REGISTERS.keys() == set()


@given(requests, facts, jurisdictions)
def test_an_explanation_has_the_answer_the_rule_and_all_that_is_missing_in_words(
    request_: Request, known: Facts, names: list[str]
) -> None:
    decision = decide(request_, known, jurisdictions=names)
    text = decision.explain()
    assert f"({decision.answer})" in text.splitlines()[0]
    assert decision.rule is None or decision.reasons[0] in text
    found = text.partition("To be found out:\n")[2].splitlines()
    assert len([line for line in found if line.startswith("  - ")]) >= len(decision.missing)
    assert not [name for name in decision.missing if name in SO and f"- {name}" in text]


def test_the_guide_names_every_condition_and_every_key_of_a_pack() -> None:
    guide = (generate_pack_pages.ROOT / "docs" / "how-to" / "write-a-pack.md").read_text(encoding="utf-8")
    missing = {word for word in {*CONDITIONS, *KEYS_OF_PACK, *KEYS_OF_RULE} if word not in guide}
    assert missing == set()


def test_the_pages_of_the_packs_are_up_to_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["generate_pack_pages.py", "--check"])
    assert generate_pack_pages.main() == 0, capsys.readouterr().out


def test_a_stale_page_of_a_pack_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate_pack_pages.py", "--check"])
    monkeypatch.setattr(generate_pack_pages, "NOTICE", "nothing")
    assert generate_pack_pages.main() == len(shipped_packs()) + 1


@pytest.mark.parametrize(
    ("place", "silent", "asked_of"),
    [
        ("US-NY", True, "United States"),
        ("BT", True, "strict baseline"),
        ("US-CA", False, ""),
        ("US", False, ""),
    ],
)
def test_it_shows_that_no_pack_speaks_of_a_place(place: str, silent: bool, asked_of: str) -> None:
    request = Request(controller="acme", channel="email", purpose="marketing", at=NOW)
    for trace in (True, False):
        found = decide(request, Facts(), jurisdictions=[place], trace=trace)
        assert found.without_pack == ((place,) if silent else ())
        told = [one for one in found.reasons if f"no pack speaks of {place}" in one and asked_of in one]
        assert bool(told) == silent
        assert not silent or told[0] in found.explain()
        if trace:
            notes = [hit for hit in found.trace if hit.effect == "note" and hit.jurisdiction == place]
            assert [hit.text for hit in notes] == told


def test_a_place_without_a_pack_is_named_beside_one_with() -> None:
    request = Request(controller="acme", channel="email", purpose="marketing", at=NOW)
    assert decide(request, Facts(), jurisdictions=["US-CA", "US-NY"]).without_pack == ("US-NY",)

"""Decisions and matrices as pages: nothing is left out, and no text becomes an element."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given

from crmcore.consent import ConsentMatrix, Decision, Facts, MatrixRow, Request, RuleHit, decide
from crmcore.consent.wording import asked
from crmcore.consent.words import STAGES
from tests.consent.cases import NOW, facts, jurisdictions, requests
from tests.render.test_html import HOSTILE, Seen, held, texts

SOON = datetime(2026, 9, 1, tzinfo=UTC)


def hit(text: str, number: int = 0, **more: Any) -> RuleHit:
    told: dict[str, Any] = {
        "stage": "permit",
        "effect": "permit",
        "status": "unknown",
        "because": (text,),
        **more,
    }
    return RuleHit(rule=f"{text} {number}", jurisdiction=text, text=text, cite=text, **told)


def decision(text: str, **more: Any) -> Decision:
    """A decision with *text* in every place that may hold one."""
    told: dict[str, Any] = {
        "answer": "need_confirmation",
        "rule": text,
        "trace": (hit(text, 1, why=text), hit(text, 2, defeated_by=text, status="defeated"), hit(text, 3)),
        "missing": (text,),
        "practice": (text,),
        "retry_at": SOON,
        "expires_at": SOON,
        "packs": (text,),
        "facts_hash": text,
        **more,
    }
    return Decision(purpose=text, channel=text, jurisdiction=text, reasons=(text, text), **told)


def shape(markup: str) -> list[tuple[str, list[str]]]:
    return [(name, sorted(attributes)) for name, attributes in Seen(markup).elements]


@given(texts)
def test_no_text_changes_the_elements_of_a_page(text: str) -> None:
    for rule in ("x", None):
        one, plain = (decision(said, rule=rule and said) for said in (text, "x"))
        assert shape(one._repr_html_()) == shape(plain._repr_html_())
        # Traces of one place make one table, so a place is named alike here.
        pages = [
            attrs.evolve(each, trace=tuple(attrs.evolve(row, jurisdiction="DE") for row in each.trace))
            for each in (one, plain)
        ]
        if text.strip():
            assert shape(pages[0].to_html()) == shape(pages[1].to_html())
        assert Seen(pages[0].to_html()).text.count(held(text)) >= 10


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_matrix_is_anything_but_text(text: str) -> None:
    def matrix(said: str) -> ConsentMatrix:
        row = MatrixRow(
            purpose="marketing",
            channel="email",
            point=said,
            answer="allow",
            jurisdiction=said,
            rule=said,
            reason=said,
            expires_at=SOON,
        )
        return ConsentMatrix(controller=said, at=NOW, rows=(row, row))

    assert shape(matrix(text).to_html()) == shape(matrix("x").to_html())
    assert Seen(matrix(text).to_html()).text.count(held(text)) >= 6
    shown = matrix(text).text()
    assert len(shown.split("\n")) == 4
    assert not set("\x1b\r\u202e\x00\x0b\x0c\x85\u2028\u2029") & set(shown)


@given(requests, facts, jurisdictions)
def test_a_page_has_all_of_the_explanation_and_every_rule(
    request_: Request, known: Facts, names: list[str]
) -> None:
    found = decide(request_, known, jurisdictions=names)
    page, card = Seen(found.to_html()), Seen(found._repr_html_())
    assert card.text in page.text
    assert found.answer in card.text
    for line in found.reasons if found.rule is not None else found.reasons[1:]:
        assert line in card.text
    for name in found.missing:
        assert asked(name) in card.text.partition("To be found out")[2]
    rows = [name for name, _ in page.elements].count("tr")
    places = {one.jurisdiction for one in found.trace}
    assert rows == len(found.trace) + len(places)
    for one in found.trace:
        assert one.text in page.text
        assert one.cite in page.text
        assert one.rule in page.text


def test_rules_stand_in_the_order_of_the_stages_and_say_what_they_came_to() -> None:
    status = {
        "fired": "permits",
        "defeated": "set aside",
        "unknown": "not known",
        "not_applicable": "does not apply",
    }
    mixed = [
        hit(f"{stage} {name}", stage=stage, status=name) for stage in reversed(STAGES) for name in status
    ]
    places = [attrs.evolve(one, jurisdiction="DE") for one in mixed]
    text = Seen(decision("x", trace=tuple(places)).to_html()).text
    order = [text.index(f"{stage} fired") for stage in STAGES]
    assert order == sorted(order)
    for stage in STAGES:
        for name, word in status.items():
            before = text[: text.index(f"{stage} {name}")]
            assert before.endswith(word), (stage, name)


def test_a_page_can_be_read_aloud_and_printed() -> None:
    page = Seen(decision("x").to_html())
    names = [name for name, _ in page.elements]
    assert ("html", {"lang": "en"}) in page.elements
    assert not {"script", "img", "iframe", "form", "details"} & set(names)
    assert names.count("h1") == 1
    levels = [int(name[1]) for name in names if name in {"h1", "h2", "h3"}]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    heads = [attributes for name, attributes in page.elements if name == "th"]
    assert heads
    assert all(attributes.get("scope") == "col" for attributes in heads)


def test_a_decision_without_a_trace_has_a_page_without_rules() -> None:
    request = Request(controller="acme", channel="email", purpose="marketing", at=NOW)
    names = [
        name
        for name, _ in Seen(decide(request, Facts(), jurisdictions=["DE"], trace=False).to_html()).elements
    ]
    assert "table" not in names

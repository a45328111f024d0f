"""The view in words: every value stands with where it comes from, and what is not known is said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import CustomerView
from crmcore.values.ids import CustomerId, InteractionId, PartyId
from crmcore.values.source import Source
from crmcore.view import OtherValue, ViewField, ViewInteraction, ViewRelationship, ViewTimeline
from crmcore.view.view_text import contacts, held, reason
from tests.values.strategies import HOSTILE

ID = "01977420-dc00-7000-8000-000000000000"


def field(**facts: Any) -> ViewField:
    return ViewField(**{"field": "city", "text": "Musashino", "rule": "union", "party": PartyId(ID), **facts})


def lost(*texts: str) -> tuple[OtherValue, ...]:
    return tuple(OtherValue(text=text, party=PartyId(ID)) for text in texts)


def relationship(**facts: Any) -> ViewRelationship:
    given = {
        "type": "employment",
        "label": "works for",
        "other": CustomerId(ID),
        "other_name": "Acme",
        **facts,
    }
    return ViewRelationship(**given)


def view(**facts: Any) -> CustomerView:
    given = {"id": CustomerId(ID), "kind": "person", "members": (PartyId(ID),), "name": "Ann Lee", **facts}
    return CustomerView(**{"policy": "default/1", **given})


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""),
        ({"source": Source("shop", "1")}, "from shop"),
        ({"agree": 3, "of": 3}, "all 3 agree"),
        ({"agree": 2, "of": 3, "rule": "most frequent"}, "2 of 3 agree, most frequent"),
        ({"agree": 2, "of": 3, "rule": "most recent", "observed_at": date(2019, 1, 1)}, "most recent (2019)"),
        ({"others": lost("Kokubunji", "Tokyo")}, "; else: Kokubunji, Tokyo"),
        ({"others": lost("a", "b", "c", "d", "e")}, "; else: a, b, c and 2 more"),
        (
            {"agree": 2, "of": 3, "others": lost("1 High St\nOxford")},
            "2 of 3 agree, union; else: 1 High St, Oxford",
        ),
    ],
)
def test_a_value_says_why_it_stands(facts: dict[str, Any], why: str) -> None:
    assert reason(field(**facts)) == why


@pytest.mark.parametrize(
    ("facts", "when"),
    [
        ({}, ""),
        ({"since": date(2010, 1, 1)}, "since 2010"),
        ({"since": date(2003, 1, 1), "until": date(2009, 1, 1)}, "2003-2009"),
        ({"until": date(2009, 1, 1)}, "until 2009"),
        ({"seen_first": date(2003, 1, 1), "seen_last": date(2003, 5, 1)}, "seen 2003"),
        ({"seen_first": date(2003, 1, 1), "seen_last": date(2005, 1, 1)}, "seen 2003-2005"),
    ],
)
def test_a_relationship_says_when_it_is_known_to_have_held(facts: dict[str, Any], when: str) -> None:
    assert held(relationship(**facts)) == when


def _line(kind: str) -> ViewInteraction:
    return ViewInteraction(id=InteractionId(ID), kind=kind, direction="inbound", occurred_at=date(2019, 1, 1))


@pytest.mark.parametrize(
    ("count", "more", "kinds", "said"),
    [
        (0, False, [], "none recorded"),
        (1, False, ["call"], "1 call, 2000-10-31"),
        (3, False, ["call", "call", "call"], "3 calls, first 2000-10-31, last 2019-10-15"),
        (3, False, ["call", "email"], "3 contacts, first 2000-10-31, last 2019-10-15"),
        (1000, True, ["call", "email"], "1000+ contacts, first 2000-10-31, last 2019-10-15"),
    ],
)
def test_contacts_are_counted_with_the_first_and_the_last(
    count: int, more: bool, kinds: list[str], said: str
) -> None:
    timeline = ViewTimeline(
        count=count,
        more=more,
        first=date(2000, 10, 31) if count else None,
        last=date(2019, 10, 15) if count else None,
        recent=tuple(map(_line, kinds)),
    )
    assert contacts(view(timeline=timeline)) == said


def test_the_text_has_a_line_for_everything() -> None:
    text = view(
        members=(PartyId(ID), PartyId(ID)),
        sources=("crm", "shop"),
        fields=(field(agree=2, of=2), field(field="extra:shoe", text="42")),
        relationships=(relationship(since=date(2010, 1, 1)),),
        consent=("2026-03-01 withdrew marketing", "2026-02-01 agreed to research"),
        conflicts=("people contradict each other",),
        unknown_fields=("phone",),
    ).text()
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "Ann Lee 2 records, 2 sources",
        "city Musashino all 2 agree",
        "employer Acme since 2010",
        "contacts none recorded",
        "consent 2026-03-01 withdrew marketing",
        "2026-02-01 agreed to research",
        "also kept shoe",
        "! people contradict each other",
        "unknown phone",
    ]


def test_a_long_list_of_relationships_is_cut_and_says_so() -> None:
    text = view(relationships=tuple(relationship(other_name=f"Company {n}") for n in range(15))).text()
    assert text.count("Company") == 12
    assert "and 3 more" in text
    text = view(consent=tuple(f"2026-03-01 withdrew {n}" for n in range(15))).text()
    assert text.count("withdrew") == 12
    assert "and 3 more" in text


@settings(max_examples=60)
@given(st.sampled_from(HOSTILE) | st.text())
def test_no_value_breaks_out_of_its_line_or_drives_a_terminal(text: str) -> None:
    hostile = f"x{text}\x1b[31m\r\n\u202ey"
    shown = view(
        name=hostile,
        fields=(field(text=hostile, others=lost(hostile)),),
        relationships=(relationship(other_name=hostile),),
        consent=(hostile,),
    ).text()
    assert len(shown.split("\n")) == 5
    assert not set("\x1b\r\u202e\x00\x0b\x0c\x85\u2028\u2029") & set(shown)

"""Whatever is told, of whatever type: it is refused in a sentence, or what is decided on it allows only by a permit."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Facts
from crmcore.consent.request import Request
from crmcore.consent.vectors import Vector, read_vectors
from crmcore.errors import CrmError

ALLOWED = [
    one
    for one in read_vectors(Path(__file__).parent / "decision_vectors.csv")
    if one.expected == "allow" and one.confidence == "high"
]
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    10**30,
    1.5,
    math.nan,
    "",
    "yes",
    "consent",
    "email",
    "a\x00b",
    "\ud800",
    b"email",
    (),
    (None,),
    ("marketing",),
    [],
    {},
    {"marketing": 1},
    frozenset(),
    frozenset({None}),
    frozenset({"marketing"}),
    date.min,
    date.max,
    datetime(2026, 1, 1),
    datetime.max.replace(tzinfo=UTC),
    time(8),
    object(),
    Facts(),
)
OTHERS = "unknown"
"""What a document of a later version says besides, which nothing here reads."""
LISTS = ("events", "relations", "listings", "checks", "attempts")


def places(facts: Facts, request: Request) -> list[tuple[Any, Callable[[Any], tuple[Request, Facts]]]]:
    """What can be told otherwise, each with what puts another one in its place."""
    found: list[tuple[Any, Callable[[Any], tuple[Request, Facts]]]] = [
        (request, lambda new: (new, facts)),
        (facts, lambda new: (request, new)),
    ]
    for name in ("message", "use"):
        part = getattr(request, name)
        found.append((part, lambda new, name=name: (attrs.evolve(request, **{name: new}), facts)))
    for name in ("subject", "point", "collection"):
        part = getattr(facts, name)
        found.append((part, lambda new, name=name: (request, attrs.evolve(facts, **{name: new}))))
    for name in LISTS:
        several = getattr(facts, name)
        for at, part in enumerate(several):

            def put(
                new: Any, name: str = name, at: int = at, several: Any = several
            ) -> tuple[Request, Facts]:
                return request, attrs.evolve(facts, **{name: (*several[:at], new, *several[at + 1 :])})

            found.append((part, put))
            if name == "events":
                found += [
                    (
                        inner,
                        lambda new, put=put, field=field, part=part: put(attrs.evolve(part, **{field: new})),
                    )
                    for field in ("scope", "evidence")
                    if (inner := getattr(part, field)) is not None
                ]
    return found


@given(st.sampled_from(ALLOWED), st.data())
def test_what_is_malformed_is_refused_or_allows_only_by_a_permit(row: Vector, data: Any) -> None:
    part, put = data.draw(st.sampled_from(places(row.facts, row.request)))
    name = data.draw(
        st.sampled_from([field.name for field in attrs.fields(type(part)) if field.name != OTHERS])
    )
    odd = data.draw(st.sampled_from(ODD))
    try:
        request, facts = put(attrs.evolve(part, **{name: odd}))
        found = decide(request, facts, jurisdictions=[row.jurisdiction], policy=row.policy)
    except CrmError:
        return
    if found.answer == "allow":
        permits = {hit.rule for hit in found.trace if hit.effect == "permit" and hit.status == "fired"}
        assert found.rule in permits, f"{type(part).__name__}.{name} = {odd!r}"

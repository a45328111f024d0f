"""Whatever is told, of whatever type: it is refused in a sentence, or what is decided on it allows only by a permit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Facts
from crmcore.consent.told import Told
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
Way = tuple[str | int, ...]


def paths(told: Any, path: Way = ()) -> Iterator[Way]:
    """The way to everything that is *told*: names of fields, and numbers in what is told several times.

    What a document of a later version says besides, which nothing here reads, is left out.
    """
    if isinstance(told, Told):
        for field in attrs.fields(type(told)):
            if field.name != "unknown":
                yield (*path, field.name)
                yield from paths(getattr(told, field.name), (*path, field.name))
    elif isinstance(told, tuple):
        for number, one in enumerate(told):
            yield from paths(one, (*path, number))


def put(told: Any, path: Way, new: Any) -> Any:
    """*told*, with *new* at the end of *path*."""
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        return (*told[:head], put(told[head], rest, new), *told[head + 1 :])
    return attrs.evolve(told, **{head: put(getattr(told, head), rest, new)})


@given(st.sampled_from(ALLOWED), st.data())
def test_what_is_malformed_is_refused_or_allows_only_by_a_permit(row: Vector, data: Any) -> None:
    told = (row.request, row.facts)
    path = data.draw(st.sampled_from(list(paths(told))))
    odd = data.draw(st.sampled_from(ODD))
    try:
        request, facts = put(told, path, odd)
        found = decide(request, facts, jurisdictions=[row.jurisdiction], policy=row.policy)
    except CrmError:
        return
    if found.answer == "allow":
        permits = {hit.rule for hit in found.trace if hit.effect == "permit" and hit.status == "fired"}
        assert found.rule in permits, f"{path} = {odd!r}"

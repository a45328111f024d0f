"""Laws of the canonical text, of digests and of cursors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidRecord
from crmcore.storage import (
    EXCLUSIVE,
    Append,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Draft,
    Key,
    Limits,
    Operation,
    Sort,
)
from crmcore.storage.cursor import Cursors
from crmcore.storage.document import MAX_INT, decode, encode, joined
from crmcore.storage.validate import check_batch, instant, microseconds
from crmcore.testing.kit import NOW, TENANT, append, delete, put, ref, rekey, uid
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import SYSTEM, Actor

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
leaves = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | texts
bodies = st.dictionaries(
    texts,
    st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_size=4,
)


@given(bodies)
def test_a_body_decodes_to_itself(body: dict[str, Any]) -> None:
    text = encode(body)
    joined([text])
    assert decode(text) == body
    assert encode(decode(text)) == text


@given(bodies)
def test_equal_bodies_have_one_text(body: dict[str, Any]) -> None:
    assert encode(dict(reversed(body.items()))) == encode(body) == encode(FrozenMap(body))


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("\\u0000")
@example("\\\\u0000")
@example("\\\0")
def test_only_a_real_nul_is_refused(text: str) -> None:
    lines = ["head", encode({"x": text})]
    if "\0" in text:
        with pytest.raises(InvalidRecord, match=r"operation 1 .* U\+0000"):
            joined(lines)
    else:
        assert joined(lines).decode() == "\n".join(lines)


@given(st.datetimes())
def test_an_instant_survives(moment: Any) -> None:
    aware = moment.replace(tzinfo=NOW.tzinfo)
    assert instant(microseconds(aware, "it")) == aware


# --- digests ------------------------------------------------------------------------------------------


def digest(batch: Batch) -> bytes:
    return check_batch(batch, Limits(), EXCLUSIVE).digest


WHOLE = Batch(
    tenant=TENANT,
    ops=(
        put(
            ref(1), 0, {"a": 1, "b": [1, 2]}, [Key("email", "x"), Key("phone", "y")], [Sort("name", "", b"a")]
        ),
        delete(ref(2), 1),
        rekey(ref(3), 1, [Key("email", "z")]),
        append("log:1", {"a": 1}),
        Check(ref=ref(4), expect=2),
        CheckStream(stream="log:1", seq=3),
        CheckKey(key=Key("source", "s"), holder=ref(5)),
    ),
    idem="b",
    actor=SYSTEM,
    reason="because",
    at=NOW,
)


def test_the_clock_of_the_library_is_no_part_of_a_batch() -> None:
    later = tuple(
        attrs.evolve(op, entry=attrs.evolve(op.entry, recorded_at=NOW + timedelta(days=1)))
        if isinstance(op, Append)
        else op
        for op in WHOLE.ops
    )
    assert digest(attrs.evolve(WHOLE, at=NOW + timedelta(days=1), ops=later)) == digest(WHOLE)


def _others() -> list[Batch]:
    """Batches that each differ from `WHOLE` in one thing."""
    changes: list[tuple[int, Operation]] = []
    for place, op in enumerate(WHOLE.ops):
        for field in attrs.fields(type(op)):
            changes += [(place, attrs.evolve(op, **{field.name: other})) for other in OTHER[field.name]]
    made = [
        attrs.evolve(WHOLE, ops=(*WHOLE.ops[:place], op, *WHOLE.ops[place + 1 :])) for place, op in changes
    ]
    made += [attrs.evolve(WHOLE, ops=WHOLE.ops[:-1]), attrs.evolve(WHOLE, ops=WHOLE.ops[::-1])]
    made += [attrs.evolve(WHOLE, reason=None), attrs.evolve(WHOLE, actor=Actor(kind="person", id="crmcore"))]
    return made


ENTRY = append("x", {"a": 1}).entry
OTHER: dict[str, list[Any]] = {
    "ref": [ref(9), ref(1, kind="note")],
    "expect": [7],
    "schema": [2],
    "body": [{"a": 1, "b": [2, 1]}, {"a": "1", "b": [1, 2]}],
    "keys": [frozenset(), frozenset({Key("email", "xy")}), frozenset({Key("email", "x"), Key("email", "y")})],
    "sorts": [frozenset({Sort("name", "", b"b")}), frozenset({Sort("name", "a", b"a")})],
    "stream": ["log:2"],
    "entry": [
        attrs.evolve(ENTRY, body={"a": 2}),
        attrs.evolve(ENTRY, occurred_at=NOW + timedelta(microseconds=1)),
        attrs.evolve(ENTRY, subjects=()),
        attrs.evolve(ENTRY, subjects=(uid(1), uid(2))),
        attrs.evolve(ENTRY, schema="other/1"),
    ],
    "expect_seq": [1],
    "seq": [4],
    "key": [Key("source", "t"), Key("member", "s")],
    "holder": [None, ref(6)],
}


def test_whatever_else_differs_makes_another_batch() -> None:
    digests = [digest(WHOLE), *map(digest, _others())]
    assert len(digests) > 25
    assert len(set(digests)) == len(digests)


def test_a_draft_has_no_field_that_the_digest_forgets() -> None:
    assert {field.name for field in attrs.fields(Draft)} == {
        "occurred_at",
        "recorded_at",
        "subjects",
        "schema",
        "body",
    }


# --- cursors ------------------------------------------------------------------------------------------

places = st.lists(texts | st.integers(0, 10**9), min_size=1, max_size=4)
scopes = st.lists(texts, min_size=1, max_size=3)


@given(scopes, places)
def test_a_cursor_opens_to_what_was_sealed(scope: list[str], place: list[Any]) -> None:
    cursors = Cursors(b"k" * 32)
    assert cursors.open(scope, cursors.seal(scope, place)) == place


@given(scopes, scopes, places, st.data())
@settings(max_examples=60)
def test_a_cursor_opens_for_nothing_else(
    scope: list[str], other: list[str], place: list[Any], data: st.DataObject
) -> None:
    cursors = Cursors(b"k" * 32)
    sealed = cursors.seal(scope, place)
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + data.draw(st.sampled_from("ABab01-_")) + sealed[at + 1 :]
    wrong = [(scope, changed)] * (changed != sealed) + [(other, sealed)] * (other != scope)
    for wrong_scope, text in wrong:
        with pytest.raises(InvalidRecord):
            cursors.open(wrong_scope, text)
    with pytest.raises(InvalidRecord):
        Cursors(b"j" * 32).open(scope, sealed)


def test_a_cursor_shows_nothing_of_its_place() -> None:
    one, other = (Cursors(b"k" * 32).seal(["scan"], [name]) for name in ("Lee, Ann", "Lee, Bob"))
    assert len(one) == len(other)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10

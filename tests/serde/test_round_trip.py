"""Laws of reading and writing documents: nothing is lost, nothing is guessed, nothing is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.app.registry import REGISTRY
from crmcore.errors import InvalidDocument
from crmcore.party import Person
from crmcore.party.party_keys import PARTY
from crmcore.serde import dump
from tests.serde.strategies import DOCUMENTS

TAGS = sorted(DOCUMENTS)
SECRET = "canary-4711"
MAPS = {"observed", "extras", "rows", "fields"}
"""Fields that hold maps of an application's keys, where no key is unknown."""


def test_the_laws_are_tried_on_every_kind_of_document() -> None:
    assert set(TAGS) == set(REGISTRY.by_tag)


@pytest.mark.parametrize("tag", TAGS)
@settings(max_examples=30)
@given(data=st.data())
def test_what_is_written_is_read_back_equal(tag: str, data: st.DataObject) -> None:
    codec = REGISTRY[tag]
    value = data.draw(DOCUMENTS[tag])
    body = codec.dump(value)
    assert codec.load(body) == value
    assert codec.load(json.loads(json.dumps(body)), codec.schema) == value


@settings(max_examples=30)
@given(data=st.data(), tag=st.sampled_from(TAGS))
def test_equal_values_have_equal_bytes(data: st.DataObject, tag: str) -> None:
    codec = REGISTRY[tag]
    body = codec.dump(data.draw(DOCUMENTS[tag]))
    assert json.dumps(codec.dump(codec.load(body))) == json.dumps(body)


@settings(max_examples=30)
@given(data=st.data(), tag=st.sampled_from(TAGS))
def test_a_value_that_was_read_is_as_good_as_the_one_that_was_written(data: st.DataObject, tag: str) -> None:
    codec = REGISTRY[tag]
    value = data.draw(DOCUMENTS[tag])
    assert hash(codec.load(codec.dump(value))) == hash(value)


def test_a_set_is_written_in_order_so_that_equal_values_have_equal_bytes() -> None:
    tags = [f"tag {number}" for number in range(20)]
    body = {"kind": "household", "label": "the Lees", "tags": list(reversed(tags))}
    assert PARTY.dump(PARTY.load(body))["tags"] == sorted(tags)


# --- unknown keys --------------------------------------------------------------------------------------


def _sprinkled(node: Any, number: Iterator[int]) -> Any:
    """A copy with a key of a newer version in every object."""
    if isinstance(node, list):
        return [_sprinkled(item, number) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: item if key in MAPS else _sprinkled(item, number) for key, item in node.items()}
    return {**copy, f"of a newer version {next(number)}": {"deep": [next(number), None, {"x": "y"}]}}


@pytest.mark.parametrize("tag", TAGS)
@settings(max_examples=15)
@given(data=st.data())
def test_unknown_keys_survive_at_any_depth(tag: str, data: st.DataObject) -> None:
    codec = REGISTRY[tag]
    body = _sprinkled(codec.dump(data.draw(DOCUMENTS[tag])), iter(range(1_000_000)))
    assert codec.dump(codec.load(body)) == body


def test_unknown_keys_survive_a_change() -> None:
    body = {
        "kind": "person",
        "names": [{"full": "Ann Lee", "voice": "ann.ogg"}],
        "contact_points": [
            {"kind": "email", "raw": "a@x.org", "value": "a@x.org", "valid": {"start": None, "end": None, "z": 1}},
        ],
        "aura": {"colour": "green"},
    }  # fmt: skip
    person = PARTY.load(body)
    assert isinstance(person, Person)
    changed = PARTY.dump(person.renamed("Ann Hill").with_email("a@y.org"))
    assert changed["aura"] == {"colour": "green"}
    assert changed["names"][1] == {"full": "Ann Lee", "voice": "ann.ogg", "use": "former"}
    assert changed["contact_points"][0] == body["contact_points"][0]  # type: ignore[index]  # a list of objects


def test_a_key_that_is_known_by_now_is_not_hidden_by_an_unknown_one() -> None:
    person = PARTY.load({"kind": "household", "label": "the Lees"})
    odd = dump(PARTY.load({**PARTY.dump(person), "zone": "UTC"}))
    assert odd["zone"] == "UTC"


# --- wrong shapes --------------------------------------------------------------------------------------


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in children:
        yield from _places(item, (*path, key))


def _replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = _replaced(node[path[0]], path[1:], value)
    return copy


WRONG = st.sampled_from(
    [None, True, 7, -1, 10**400, SECRET, [], [SECRET], {}, {SECRET: SECRET}, [[SECRET]], {"kind": SECRET}, "", [None]]
)  # fmt: skip


@settings(max_examples=250)
@given(data=st.data(), tag=st.sampled_from(TAGS), wrong=WRONG)
def test_a_document_of_another_shape_is_read_or_refused_with_a_path_and_without_values(
    data: st.DataObject, tag: str, wrong: Any
) -> None:
    codec = REGISTRY[tag]
    body = codec.dump(data.draw(DOCUMENTS[tag]))
    path = data.draw(st.sampled_from(list(_places(body))))
    refusal: InvalidDocument | None = None
    try:
        codec.load(_replaced(body, path, wrong))
    except InvalidDocument as error:
        refusal = error
    if refusal is not None:
        assert SECRET not in f"{refusal} {refusal!r} {refusal.path} {refusal.args}"
        assert refusal.path.startswith("$")
        assert refusal.__cause__ is None
        assert refusal.__context__ is None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"names": SECRET}, "$.names"),
        ({"names": {"full": SECRET}}, "$.names"),
        ({"names": [SECRET]}, "$.names[0]"),
        ({"names": [{"full": 5}]}, "$.names[0].full"),
        ({"names": [{"full": "Ann Lee", "use": SECRET}]}, "$.names[0].use"),
        ({"names": [{"full": "Ann Lee", "parts": [{"kind": SECRET, "text": "x"}]}]}, "$.names[0].parts[0].kind"),
        ({"tags": SECRET}, "$.tags"),
        ({"tags": [5]}, "$.tags"),
        ({"version": SECRET}, "$.version"),
        ({"version": True}, "$.version"),
        ({"version": 1.0}, "$.version"),
        ({"birth_date": SECRET}, "$.birth_date"),
        ({"observed_at": SECRET}, "$.observed_at"),
        ({"observed_at": "2026-01-01T00:00:00"}, "$.observed_at"),
        ({"observed": {"names": SECRET}}, "$.observed"),
        ({"language": SECRET * 9}, "$.language"),
        ({"id": SECRET}, "$.id"),
        ({"extras": [SECRET]}, "$.extras"),
        ({"contact_points": [{"kind": "email", "raw": 5}]}, "$.contact_points[0].raw"),
        ({"contact_points": [{"kind": "email", "raw": "x", "shared": "yes"}]}, "$.contact_points[0].shared"),
        ({"contact_points": [{"kind": "email", "raw": "x", "status": SECRET}]}, "$.contact_points[0].status"),
        ({"contact_points": [{"kind": "pigeon", "raw": SECRET}]}, "$.contact_points[0]"),
        ({"contact_points": [{"kind": "email", "raw": "x", "valid": SECRET}]}, "$.contact_points[0].valid"),
        ({"kind": SECRET}, "$"),
        ({"kind": None}, "$"),
        ({"sources": [{"system": "shop"}]}, "$.sources[0].record"),
    ],
)  # fmt: skip
def test_the_path_says_where_a_document_does_not_fit(wrong: dict[str, Any], path: str) -> None:
    body = {"kind": "person", "names": [{"full": "Ann Lee"}], **wrong}
    with pytest.raises(InvalidDocument) as raised:
        PARTY.load(body)
    assert raised.value.path == path
    assert SECRET not in f"{raised.value} {raised.value!r}"

"""Laws of frozen maps."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, deque
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.values.frozen_map import FrozenMap, freeze, thaw

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=3), PLAIN, max_size=5)


@given(OBJECTS, st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_equality_and_hash_do_not_depend_on_order(plain: dict[str, Any], rng: Any) -> None:
    items = list(plain.items())
    rng.shuffle(items)
    one, two = FrozenMap(plain), FrozenMap(items)
    assert one == two
    assert hash(one) == hash(two)
    assert {one: 1}[two] == 1


@given(OBJECTS, OBJECTS)
@settings(max_examples=150)
def test_maps_are_equal_when_their_dicts_are(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert (FrozenMap(one) == FrozenMap(two)) == (one == two)


@given(OBJECTS)
@settings(max_examples=150)
def test_thawing_gives_the_plain_data_back(plain: dict[str, Any]) -> None:
    assert thaw(FrozenMap(plain)) == plain
    assert list(thaw(FrozenMap(plain))) == list(plain), "the order of keys is kept"
    assert freeze(thaw(FrozenMap(plain))) == FrozenMap(plain)


@given(OBJECTS)
@settings(max_examples=100)
def test_copies_are_equal(plain: dict[str, Any]) -> None:
    map_ = FrozenMap(plain)
    hash(map_)
    for again in (pickle.loads(pickle.dumps(map_)), copy.copy(map_), copy.deepcopy(map_), FrozenMap(map_)):
        assert again == map_
        assert hash(again) == hash(map_)


def scramble(value: Any) -> None:
    """Change everything in plain data that can be changed."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            scramble(inner)
        value["scrambled"] = True
    elif isinstance(value, list):
        for inner in value:
            scramble(inner)
        value.append("scrambled")


@given(OBJECTS)
@settings(max_examples=100)
def test_what_was_given_can_change_without_changing_the_map(plain: dict[str, Any]) -> None:
    before = copy.deepcopy(plain)
    map_ = FrozenMap(plain)
    scramble(plain)
    assert thaw(map_) == before
    scramble(thaw(map_))
    assert thaw(map_) == before


@given(OBJECTS, st.text(max_size=3), PLAIN)
@settings(max_examples=100)
def test_set_and_without_are_those_of_a_dict(plain: dict[str, Any], key: str, value: Any) -> None:
    map_ = FrozenMap(plain)
    assert thaw(map_.set(key, value)) == {**plain, key: value}
    assert thaw(map_.without(key)) == {name: inner for name, inner in plain.items() if name != key}
    assert thaw(map_) == plain


def test_a_map_cannot_be_changed() -> None:
    map_: Any = FrozenMap({"a": [1]})
    with pytest.raises(AttributeError):
        map_._items = {}
    with pytest.raises(AttributeError):
        map_.b = 1
    with pytest.raises(AttributeError):
        del map_._items
    with pytest.raises(TypeError):
        map_["a"] = 1
    with pytest.raises(TypeError):
        del map_["a"]
    assert map_["a"] == (1,)


def test_every_container_becomes_immutable() -> None:
    map_ = FrozenMap(
        {
            "proxy": MappingProxyType({"a": [1]}),
            "ordered": OrderedDict(a=1),
            "set": {1, 2},
            "bytes": bytearray(b"x"),
            "pair": ([1], {"a": 1}),
            "float": 1.5,
        }
    )
    assert map_["proxy"] == FrozenMap({"a": (1,)})
    assert map_["set"] == frozenset({1, 2})
    assert map_["bytes"] == b"x"
    assert map_["pair"] == ((1,), FrozenMap({"a": 1}))
    hash(map_)


def test_what_could_change_is_refused_without_being_shown() -> None:
    with pytest.raises(TypeError) as refusal:
        FrozenMap({"a": [deque(["secret"])]})
    assert "deque" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_map_is_no_dict() -> None:
    assert FrozenMap({"a": 1}) != {"a": 1}
    assert FrozenMap() == FrozenMap({})
    assert "a" in FrozenMap({"a": 1})
    assert dict(FrozenMap({"a": 1})) == {"a": 1}


@given(OBJECTS)
@settings(max_examples=50)
def test_repr_and_str_hide_the_items(plain: dict[str, Any]) -> None:
    assert repr(FrozenMap(plain)) == str(FrozenMap(plain)) == f"FrozenMap(<{len(plain)} items>)"


@attrs.frozen
class Holder:
    """A value with a map in it."""

    extras: FrozenMap[str, Any] = attrs.field(factory=FrozenMap)
    name: str = ""


def test_a_map_survives_evolve() -> None:
    holder = Holder(FrozenMap({"a": [1]}))
    again = attrs.evolve(holder, name="x")
    assert again.extras == holder.extras
    assert hash(attrs.evolve(again, name="")) == hash(holder)

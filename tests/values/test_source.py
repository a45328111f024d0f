"""Laws of sources and actors."""

from __future__ import annotations

import pickle
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidSource
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import field_classes
from crmcore.values.source import SYSTEM, Actor, ActorKind, Source
from tests.values.strategies import HOSTILE

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=256).filter(str.strip)


@given(NAMES, NAMES)
@settings(max_examples=100)
def test_any_printable_name_is_kept_as_given(system: str, record: str) -> None:
    source = Source(system, record)
    assert (source.system, source.record) == (system, record)
    assert source == pickle.loads(pickle.dumps(source))
    assert hash(source) == hash(Source(system, record))


@given(NAMES)
@settings(max_examples=100)
def test_repr_and_str_hide_the_record(record: str) -> None:
    assert repr(Source("hubspot:eu1", record)) == "Source(system='hubspot:eu1', record=<hidden>)"
    assert str(Actor(kind="person", id=record)) == "Actor(kind='person', id=<hidden>, on_behalf_of=None)"


@pytest.mark.parametrize(
    "name",
    [
        *(text for text in HOSTILE if not text.strip() or "\x00" in text),
        "x" * 257,
        "a\nb",
        "\ud800",
        None,
        5,
        b"x",
    ],
)
def test_other_names_are_refused_without_being_shown(name: Any) -> None:
    for make in (
        lambda: Source(name, "4711"),
        lambda: Source("hubspot:eu1", name),
        lambda: Actor(kind="person", id=name),
    ):
        with pytest.raises(InvalidSource) as refusal:
            make()
        assert len(str(refusal.value)) < 100
    if name is not None:
        with pytest.raises(InvalidSource):
            Actor(kind="person", id="ann", on_behalf_of=name)


@pytest.mark.parametrize("kind", ["robot", "", None, 5, ["person"], "Person"])
def test_other_kinds_of_actors_are_refused(kind: Any) -> None:
    with pytest.raises(InvalidSource) as refusal:
        Actor(kind=kind, id="ann")
    assert str(refusal.value) == (
        "the kind of Actor must be one of 'person', 'system', 'customer', 'import', 'model'"
    )


def test_every_kind_of_actor_can_act() -> None:
    for kind in get_args(ActorKind):
        assert Actor(kind=kind, id="x", on_behalf_of="y").kind == kind
    assert SYSTEM.kind == "system"


def test_what_is_personal() -> None:
    assert field_classes(Source) == {"unknown": "personal", "system": "internal", "record": "personal"}
    assert set(field_classes(Actor).values()) == {"internal", "personal"}


def test_unknown_keys_survive_a_change() -> None:
    source = Source("hubspot:eu1", "4711", unknown=FrozenMap({"url": "x"}))
    assert attrs.evolve(source, record="4712").unknown == FrozenMap({"url": "x"})

"""Laws of fields with personal data, and of validators that must not show them."""

from __future__ import annotations

import ast
import pickle
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crmcore.errors
from crmcore.errors import InvalidSource, InvalidValue
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import Document, FieldClass, field_classes, personal
from crmcore.values.validate import instance, one_of, text, whole

SOURCE = Path(crmcore.errors.__file__).parent


@attrs.frozen
class Note(Document):
    """A value with fields of every class."""

    text: Any = personal()
    health: Any = personal(class_="special", default=None)
    card: Any = personal(class_="public", default=())
    ours: Any = personal(class_="internal", default="")
    kind: str = "note"


ANYTHING = (
    st.text(min_size=1)
    | st.integers()
    | st.binary()
    | st.dates()
    | st.floats()
    | st.lists(st.text(), min_size=1)
)


@given(ANYTHING, ANYTHING)
@settings(max_examples=150)
def test_repr_and_str_say_nothing_of_the_content(one: Any, two: Any) -> None:
    def shown(value: Any) -> set[str]:
        note = Note(text=value, health=value, card=value, ours=value)
        return {repr(note), str(note), f"{note}", f"{note!s:>3}"}

    hidden = "Note(text=<hidden>, health=<hidden>, card=<hidden>, ours=<hidden>, kind='note')"
    assert shown(one) == shown(two) == {hidden}


@given(
    st.lists(st.text()).map(tuple)
    | st.frozensets(st.text())
    | st.dictionaries(st.text(), st.text()).map(FrozenMap)
)
@settings(max_examples=100)
def test_collections_show_their_size_alone(value: Any) -> None:
    shown = "()" if value == () else f"<{len(value)} hidden>"
    assert f"text={shown}," in repr(Note(text=value))


def test_absence_is_no_secret() -> None:
    assert repr(Note(text=None)) == "Note(text=None, health=None, card=(), ours=<hidden>, kind='note')"


def test_every_field_has_a_class() -> None:
    assert field_classes(Note) == {
        "unknown": "personal",
        "text": "personal",
        "health": "special",
        "card": "public",
        "ours": "internal",
        "kind": "internal",
    }


def test_options_of_attrs_are_kept_and_repr_cannot_be_turned_on() -> None:
    @attrs.frozen
    class Holder:
        text: str = personal(default="x", metadata={"label": "Text"}, converter=str.upper)

    assert Holder("a").text == "A"
    assert attrs.fields(Holder).text.metadata["label"] == "Text"
    assert field_classes(Holder) == {"text": "personal"}
    with pytest.raises(TypeError):
        personal(repr=True)


def test_a_class_that_is_none_is_refused() -> None:
    wrong: Any = "secret"
    with pytest.raises(ValueError, match="class"):
        personal(class_=wrong)
    right: FieldClass = "special"
    personal(class_=right)


def test_unknown_keys_survive_evolve_and_pickle_and_are_never_shown() -> None:
    note = Note(text="x", unknown=FrozenMap({"secret": ["clinic"]}))
    again = pickle.loads(pickle.dumps(attrs.evolve(note, text="y")))
    assert again.unknown == FrozenMap({"secret": ("clinic",)})
    assert "secret" not in repr(note)
    assert hash(note) == hash(attrs.evolve(again, text="x"))


def test_unknown_keys_are_frozen_when_given_as_a_dict() -> None:
    plain: Any = {"more": [1]}
    note = Note(text="x", unknown=plain)
    plain["more"].append(2)
    assert note.unknown == FrozenMap({"more": (1,)})


# --- validators -----------------------------------------------------------------------------------------------


@attrs.frozen
class Checked:
    """A value whose fields refuse."""

    name: Any = attrs.field(default="x", validator=text(limit=5, error=InvalidSource))
    kind: Any = attrs.field(default="a", validator=one_of("a", "b", error=InvalidSource))
    size: Any = attrs.field(default=1, validator=whole(1, 6, error=InvalidSource))
    part: Any = attrs.field(default="", validator=instance(str, int, error=InvalidSource))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", None, "type"),
        ("name", b"x", "type"),
        ("name", "", "empty"),
        ("name", " \t", "empty"),
        ("name", "\u00a0\u2003", "empty"),
        ("name", "secret", "too_long"),
        ("name", "a\x00b", "control"),
        ("name", "a\nb", "control"),
        ("name", "a\x7fb", "control"),
        ("name", "a\x85b", "control"),
        ("name", "a\ud800b", "control"),
        ("kind", "secret", "choice"),
        ("kind", ["a"], "choice"),
        ("kind", None, "choice"),
        ("size", 0, "range"),
        ("size", 7, "range"),
        ("size", True, "type"),
        ("size", 1.0, "type"),
        ("size", "1", "type"),
        ("part", None, "type"),
        ("part", True, "type"),
        ("part", b"secret", "type"),
    ],
)
def test_validators_refuse_with_a_reason(field: str, value: Any, reason: str) -> None:
    with pytest.raises(InvalidSource) as refusal:
        Checked(**{field: value})
    assert refusal.value.reason == reason


@given(st.text(min_size=6) | st.binary(min_size=3) | st.integers(1000) | st.lists(st.text(), min_size=3))
@settings(max_examples=150)
def test_validators_never_show_the_value(value: Any) -> None:
    """The same refusal of anything else reads the same, and carries nothing."""
    for field in ("name", "kind", "size", "part"):
        known = {str(refusal) for refusal in _refusals(field, None, "", "x" * 600, "\x01", 10**9, object())}
        for refusal in _refusals(field, value):
            assert refusal.args == (str(refusal),)
            assert str(refusal) in known


def _refusals(field: str, *values: Any) -> list[InvalidValue]:
    found: list[InvalidValue] = []
    for value in values:
        try:
            Checked(**{field: value})
        except InvalidValue as refusal:
            found.append(refusal)
    return found


def test_choices_are_told_apart_by_type() -> None:
    @attrs.frozen
    class Level:
        number: Any = attrs.field(validator=one_of(1, 2))

    assert Level(1).number == 1
    with pytest.raises(InvalidValue):
        Level(True)


# --- the whole project ----------------------------------------------------------------------------------------

# `optional` and `and_` only pass on what others say; every other validator of attrs prints the value it refuses.
SILENT = {"optional", "and_"}


def loud_validators(path: Path) -> list[str]:
    """The uses of validators and converters of attrs in a file that would print a value."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in (
            "attrs.validators",
            "attr.validators",
            "validators",
        ):
            found += [node.attr] * (node.attr not in SILENT)
        if isinstance(node, ast.ImportFrom) and re.fullmatch(r"attrs?\.validators", node.module or ""):
            found += [alias.name for alias in node.names if alias.name not in SILENT]
    return found


def test_no_file_uses_a_validator_that_prints_what_it_refuses() -> None:
    uses = {str(path.relative_to(SOURCE)): loud_validators(path) for path in SOURCE.rglob("*.py")}
    assert uses, "there are files to look at"
    assert {name: found for name, found in uses.items() if found} == {}


def test_the_search_for_loud_validators_finds_them(tmp_path: Path) -> None:
    file = tmp_path / "loud.py"
    file.write_text("import attrs\nfrom attrs.validators import in_\nx = attrs.validators.instance_of(str)\n")
    assert sorted(loud_validators(file)) == ["in_", "instance_of"]

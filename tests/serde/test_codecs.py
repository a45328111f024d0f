"""Laws of the codecs: versions, tags, and what stands in a store for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.app.registry import REGISTRY
from crmcore.errors import CrmError, InvalidDocument, SchemaMismatch
from crmcore.party.party_keys import PARTY
from crmcore.serde import Codec, Codecs
from crmcore.values.personal import Document, personal

FORMS = sorted(Path(__file__).with_name("forms").glob("*.json"))
SECRET = "canary-4711"


@attrs.frozen(kw_only=True)
class Note(Document):
    text: str = personal()
    stars: int = 0


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    """From schema 1 to 2: the field was called *words*."""
    return {"text": body["words"], **{key: item for key, item in body.items() if key != "words"}}


def _counted(body: dict[str, Any]) -> dict[str, Any]:
    """From schema 2 to 3: stars were a text."""
    return {**body, "stars": int(body.get("stars", "0"))}


NOTE: Codec[Note] = Codec(tag="note", type=Note, upcasts=(_renamed, _counted))


def _unknown(value: Any) -> Iterator[str]:
    """The keys, at any depth, that this version only keeps."""
    if isinstance(value, tuple):
        for item in value:
            yield from _unknown(item)
    elif attrs.has(type(value)):
        yield from getattr(value, "unknown", ())
        for field in attrs.fields(type(value)):
            yield from _unknown(getattr(value, field.name))


# --- forms that were released --------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_released_form_is_read_and_written_unchanged_for_ever(path: Path) -> None:
    form = json.loads(path.read_text(encoding="utf-8"))
    codec = REGISTRY[form["tag"]]
    value = codec.load(form["body"], form["schema"])
    assert codec.dump(value) == form["body"]
    assert not list(_unknown(value)), "a field of the released form is not known any more"


def test_every_kind_of_document_has_a_released_form() -> None:
    forms = {json.loads(path.read_text(encoding="utf-8"))["tag"] for path in FORMS}
    assert forms == set(REGISTRY.by_tag)


def test_the_current_schema_of_every_kind_has_a_released_form() -> None:
    newest: dict[str, int] = {}
    for path in FORMS:
        form = json.loads(path.read_text(encoding="utf-8"))
        newest[form["tag"]] = max(form["schema"], newest.get(form["tag"], 0))
    assert newest == {tag: codec.schema for tag, codec in REGISTRY.by_tag.items()}


# --- versions ------------------------------------------------------------------------------------------


def test_the_schema_counts_the_upcasts() -> None:
    assert PARTY.schema == 1
    assert NOTE.schema == 3


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (1, {"words": "hello", "stars": "4"}),
        (2, {"text": "hello", "stars": "4"}),
        (3, {"text": "hello", "stars": 4}),
        (None, {"text": "hello", "stars": 4}),
    ],
)
def test_an_old_form_is_upcast_when_it_is_read(schema: int | None, body: dict[str, Any]) -> None:
    before = dict(body)
    assert NOTE.load(body, schema) == Note(text="hello", stars=4)
    assert body == before, "the upcasts changed what they were given"


def test_unknown_keys_survive_an_upcast() -> None:
    note = NOTE.load({"words": "hello", "stars": "4", "mood": {"level": [1]}}, 1)
    assert NOTE.dump(note) == {"text": "hello", "stars": 4, "mood": {"level": [1]}}


def test_a_form_of_a_newer_crmcore_is_refused_with_what_to_do() -> None:
    with pytest.raises(SchemaMismatch, match="upgrade") as raised:
        NOTE.load({"text": SECRET}, 4)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (0, {"words": SECRET}),
        (-1, {"words": SECRET}),
        (1, {"text": SECRET}),
        (2, {"text": "hello", "stars": SECRET}),
        (1, SECRET),
        (1, [SECRET]),
    ],
)
def test_an_old_form_that_does_not_fit_is_refused_without_its_values(schema: int, body: Any) -> None:
    with pytest.raises(InvalidDocument) as raised:
        NOTE.load(body, schema)
    assert SECRET not in f"{raised.value} {raised.value!r}"
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


# --- tags ----------------------------------------------------------------------------------------------


def test_two_kinds_never_share_a_tag() -> None:
    with pytest.raises(CrmError, match="unique"):
        Codecs.of((PARTY,), (NOTE, Codec(tag="party", type=Note)))


def test_a_kind_that_is_not_known_is_refused_with_what_to_do() -> None:
    with pytest.raises(SchemaMismatch, match="newer crmcore"):
        Codecs.of((PARTY,))["hologram"]

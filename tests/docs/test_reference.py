"""The reference has a page for every room, and the glossary every word of the domain."""

from __future__ import annotations

import importlib
import re

from tests.docs.blocks import PAGES, ROOT
from tests.docs.test_docstrings import ROOMS

REFERENCE = ROOT / "docs" / "reference"


def test_every_room_has_a_reference_page() -> None:
    rooms = {room.removeprefix("crmcore.") for room in ROOMS if room != "crmcore"}
    assert {page.stem for page in REFERENCE.glob("*.md")} - {"index"} == rooms
    for room in rooms:
        assert f".. automodule:: crmcore.{room}\n" in (REFERENCE / f"{room}.md").read_text(encoding="utf-8")


def test_the_glossary_has_every_word_of_the_design() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = {line.casefold() for line in re.findall(r"^(\w.*)$", text, re.MULTILINE)}
    words = "Party Source Judgement Cluster Customer CustomerView Interaction Decision Store Adapter Batch"
    assert {word.casefold() for word in (*words.split(), "Contact point", "Consent event")} <= terms


WITHIN = ("crmcore.storage.adapter", "crmcore.storage.wrappers")
"""The rooms within another one."""

_IMPORT = re.compile(
    r"^(?:>>> )?(?:from (crmcore[\w.]*) import (\([^)]*\)|[^\n]*)|import (crmcore[\w.]*))", re.MULTILINE
)


def test_pages_import_only_what_is_public() -> None:
    stability = (ROOT / "docs" / "explanation" / "stability.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(crmcore\.\w+\.[a-z_]+)`", stability)) == {*WITHIN, "crmcore.party.person"}
    seen = 0
    for page in PAGES:
        for room, names, alone in _IMPORT.findall((ROOT / page).read_text(encoding="utf-8")):
            assert (room or alone) in {*ROOMS, *WITHIN}, (
                f"{page} imports from {room or alone}, which is no room"
            )
            for name in re.findall(r"(\w+)(?: as \w+)?", names):
                public = importlib.import_module(room).__all__
                assert name in public or f"{room}.{name}" in WITHIN, f"{page}: {room} does not name {name}"
                seen += 1
    assert seen > 100


def test_every_error_is_public() -> None:
    errors = importlib.import_module("crmcore.errors")
    defined = {
        name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, BaseException)
    }
    assert set(errors.__all__) == {name for name in defined if not name.startswith("_")}

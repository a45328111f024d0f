"""The reference has a page for every room, and the glossary every word of the domain."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT
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

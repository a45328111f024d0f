"""The hostile texts are many, each once, and of every kind."""

from __future__ import annotations

import unicodedata

from crmcore.testing.hostile import hostile, keepable, nameable
from crmcore.testing.subject_of_erasure import MARKS, spellings


def test_there_are_hundreds_of_every_category() -> None:
    texts = hostile()
    assert len(texts) == len(set(texts)) >= 400
    categories = {unicodedata.category(char) for text in texts for char in text}
    assert categories >= {"Cc", "Cf", "Cn", "Co", "Cs", "Lu", "Mn", "Nd", "Pd", "Sc", "So", "Zl", "Zp", "Zs"}
    assert sum(not keepable(text) for text in texts) >= 5
    assert sum(not nameable(text) for text in texts) >= 30


def test_a_text_is_found_in_base64_wherever_it_begins() -> None:
    import base64

    for mark in MARKS:
        for before in range(7):
            coded = base64.b64encode(b"x" * before + mark.encode() + b"yz")
            assert any(text in coded for text in spellings(mark))

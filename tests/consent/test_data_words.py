"""Kinds of data: every word of a pack is one, every other word leads to one, and what is none is asked about."""

from __future__ import annotations

from crmcore.consent.data_words import ALSO, KNOWN, ORDINARY, SENSITIVE
from tests.consent.rows import asked, row, said
from tests.consent.test_explaining import PARTS


def test_packs_and_other_words_name_known_kinds_of_data() -> None:
    named = {word for part in PARTS if getattr(part, "path", "") == "use.data" for word in part.values}
    assert named
    assert named <= SENSITIVE
    assert set(ALSO.values()) <= KNOWN
    assert KNOWN.isdisjoint(ALSO)
    assert SENSITIVE.isdisjoint(ORDINARY)


def test_a_kind_of_data_that_no_law_knows_is_to_be_found_out() -> None:
    yes = said("give", "2026-02-01T09:00:00Z", "in_app", pu=["profiling"])
    for data, expected in (("shoe_size", "need_confirmation"), ("purchases", "allow"), ("race", "deny")):
        told = {"consents": [yes], "data": [data]}
        found = asked(row("EU", "in_app", "profiling", told, "2026-05-12T10:00:00+02:00"))
        assert found.answer == expected

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.exchange.decide import SeenRecords, decide
from crmcore.exchange.facts import RowFacts
from crmcore.party.party import Organization, Person
from crmcore.values.language import Language
from tests.exchange.files import facts, reads

HEADER = "id,name,email,phone,fax,town,tags,language,Colour\n"
PHONES = (("home phone", "phone"), ("work phone", "phone"))
ROW = "1,Ann Lee,ann@x.org,+46812345678,+46812345679,York,vip,en,red\n"


def row(folder: Path, text: str = ROW, **options: Any) -> RowFacts:
    (found,) = facts(folder, HEADER + text, id_column="id", **options)
    return found


def stored(found: RowFacts) -> Any:
    """The party as a store gives it back."""
    party: Any = decide(found, None).party
    return attrs.evolve(party, version=1)


def test_a_new_record_is_created_and_marked(tmp_path: Path) -> None:
    found = row(tmp_path)
    verdict = decide(found, None)
    assert verdict.outcome == "created"
    assert verdict.party is not None
    assert verdict.party.imported is not None
    assert list(verdict.party.imported.rows.values()) == [found.digest]
    assert "Lee" not in repr(verdict.party.imported)


def test_the_same_row_again_changes_nothing(tmp_path: Path) -> None:
    found = row(tmp_path)
    assert decide(found, stored(found)).outcome == "unchanged"


def test_the_same_row_changes_nothing_after_a_person_changed_the_party(tmp_path: Path) -> None:
    found = row(tmp_path)
    edited = attrs.evolve(stored(found).with_email("new@x.org"), version=2)
    assert decide(found, edited).outcome == "unchanged"


def test_a_changed_row_replaces_its_own_values(tmp_path: Path) -> None:
    before = stored(row(tmp_path))
    verdict = decide(row(tmp_path, "1,Ann Hill,hill@x.org,+46811111111,,Leeds,late,cy,blue\n"), before)
    assert verdict.outcome == "updated"
    after: Any = verdict.party
    assert after.name.full == "Ann Hill"
    assert [point.key for point in after.emails] == ["hill@x.org"]
    assert [point.key for point in after.phones] == ["+46811111111", "+46812345679"]
    assert [point.value.locality for point in after.addresses] == ["Leeds"]
    assert (after.tags, after.language.tag, dict(after.extras)) == ({"late"}, "cy", {"Colour": "blue"})
    assert (
        decide(row(tmp_path, "1,Ann Hill,hill@x.org,+46811111111,,Leeds,late,cy,blue\n"), after).outcome
        == "unchanged"
    )


def test_a_blank_cell_erases_nothing(tmp_path: Path) -> None:
    before = stored(row(tmp_path))
    verdict = decide(row(tmp_path, "1,,ann@x.org,,,,,,\n"), before)
    assert verdict.outcome == "updated"
    assert verdict.party is not None
    assert attrs.evolve(verdict.party, imported=before.imported) == before


# --- what somebody changed between two imports ---

EDITS: dict[str, tuple[Callable[[Any], Any], tuple[str, str], tuple[str, str]]] = {
    "name": (lambda p: p.renamed("Ann Fox"), ("Ann Lee", "Ann Hill"), ("Ann Lee", "Ann Fox")),
    "email": (
        lambda p: p.without("ann@x.org").with_email("fox@x.org"),
        ("ann@x.org", "hill@x.org"),
        ("ann@x.org", "fox@x.org"),
    ),
    "address": (
        lambda p: p.without("York").with_address("Hull"), ("York", "Leeds"), ("York", "Hull")
    ),
    "language": (lambda p: p.changed(language=Language.parse("cy")), (",en,", ",de,"), (",en,", ",cy,")),
    "extra": (lambda p: p.changed(extras=p.extras.set("Colour", "blue")), ("red", "green"), ("red", "blue")),
    "removed": (lambda p: p.changed(language=None), (",en,", ",de,"), (",en,", ",,")),
}  # fmt: skip


@pytest.mark.parametrize("field", EDITS)
def test_a_value_that_both_changed_is_a_conflict_until_they_agree(tmp_path: Path, field: str) -> None:
    edit, theirs, agreed = EDITS[field]
    edited = edit(stored(row(tmp_path)))
    verdict = decide(row(tmp_path, ROW.replace(*theirs)), edited)
    assert (verdict.outcome, verdict.code, verdict.party) == ("conflict", "edited", None)
    verdict = decide(row(tmp_path, ROW.replace(*agreed)), edited)
    assert (verdict.outcome, verdict.code) == ("updated", "same_values")
    after: Any = verdict.party
    assert attrs.evolve(after, imported=edited.imported) == edited
    assert decide(row(tmp_path, ROW.replace(*agreed)), after).outcome == "unchanged"


@pytest.mark.parametrize("field", EDITS)
def test_a_value_that_the_row_does_not_change_stays_as_it_was_edited(tmp_path: Path, field: str) -> None:
    edited = EDITS[field][0](stored(row(tmp_path)))
    verdict = decide(row(tmp_path, ROW.replace("12345678,", "11111111,")), edited)
    assert (verdict.outcome, verdict.code) == ("updated", "")
    after: Any = verdict.party
    assert [point.key for point in after.phones] == ["+46811111111", "+46812345679"]
    assert (after.names, after.emails, after.addresses) == (edited.names, edited.emails, edited.addresses)
    assert (after.language, after.extras) == (edited.language, edited.extras)


def test_tags_marks_and_further_points_stop_no_later_row(tmp_path: Path) -> None:
    before = stored(row(tmp_path))
    bounced = attrs.evolve(before.emails[0], status="bouncing", rank=1, label="desk")
    edited = before.with_point(bounced).with_email("more@x.org").with_tag("late")
    after: Any = decide(row(tmp_path, ROW.replace("ann@x", "Ann@X").replace("vip", "new")), edited).party
    assert [point.raw for point in after.emails] == ["Ann@X.org", "more@x.org"]
    first = after.emails[0]
    assert (first.status, first.rank, first.label) == ("bouncing", 1, "desk")
    assert after.tags == {"late", "new"}
    last: Any = decide(row(tmp_path, ROW.replace("ann@x", "hill@x").replace("vip", "new")), after).party
    assert [point.key for point in last.emails] == ["hill@x.org", "more@x.org"]


def test_a_point_that_somebody_removed_does_not_come_back(tmp_path: Path) -> None:
    edited = stored(row(tmp_path)).without("ann@x.org")
    after: Any = decide(row(tmp_path, ROW.replace("red", "blue")), edited).party
    assert after.emails == ()
    assert after.extras["Colour"] == "blue"


def test_a_value_is_still_the_rows_after_a_blank(tmp_path: Path) -> None:
    before = stored(row(tmp_path))
    blank: Any = decide(row(tmp_path, "1,Ann Lee,,,,,,,\n"), before).party
    after: Any = decide(row(tmp_path, "1,Ann Lee,hill@x.org,,,Leeds,,cy,blue\n"), blank).party
    assert [point.key for point in after.emails] == ["hill@x.org"]
    assert [point.value.locality for point in after.addresses] == ["Leeds"]
    assert (after.language.tag, after.extras["Colour"]) == ("cy", "blue")


def test_a_rank_that_the_row_would_break_is_a_conflict(tmp_path: Path) -> None:
    head, options = "id,name,home phone,work phone\n", {"id_column": "id", "columns": PHONES}
    (first,) = facts(tmp_path, head + "1,Ann Lee,+46812345678,\n", **options)
    before = stored(first)
    ranked = before.with_point(attrs.evolve(before.phones[0], rank=1)).with_phone(
        "+46812345679", uses={"work"}, rank=1
    )
    (moved,) = facts(tmp_path, head + "1,Ann Lee,,+46812345678\n", **options)
    assert decide(moved, ranked).code == "edited"
    assert decide(moved, before).outcome == "updated"


def test_a_party_that_somebody_made_for_the_record_gets_what_it_lacks(tmp_path: Path) -> None:
    found = row(tmp_path)
    made: Any = Person.of("Ann Lee", sources=(found.source,), email="more@x.org", tags={"late"})
    verdict = decide(found, made)
    assert (verdict.outcome, verdict.code) == ("updated", "")
    after: Any = verdict.party
    assert [point.key for point in after.emails] == ["more@x.org", "ann@x.org"]
    assert (after.tags, after.language.tag, after.extras["Colour"]) == ({"late", "vip"}, "en", "red")
    assert decide(found, made.renamed("Ann Hill")).code == "edited"


def test_a_party_that_stands_for_two_records_keeps_what_each_supplied(tmp_path: Path) -> None:
    one, two = row(tmp_path), row(tmp_path, "2,Ann Lee,two@x.org,,,,,,\n")
    party: Any = stored(one).with_source("people", "2")
    party = decide(two, party).party
    assert [point.key for point in party.emails] == ["ann@x.org", "two@x.org"]
    assert [decide(each, party).outcome for each in (one, two)] == ["unchanged", "unchanged"]
    party = decide(row(tmp_path, ROW.replace("ann@x", "hill@x")), party).party
    assert [point.key for point in party.emails] == ["hill@x.org", "two@x.org"]
    assert decide(two, party).outcome == "unchanged"


def test_what_another_record_says_too_is_not_replaced(tmp_path: Path) -> None:
    party: Any = stored(row(tmp_path)).with_source("people", "2")
    party = decide(row(tmp_path, "2,Ann Lee,ann@x.org,,,,vip,,\n"), party).party
    after: Any = decide(row(tmp_path, "1,Ann Lee,hill@x.org,,,,new,,\n"), party).party
    assert [point.key for point in after.emails] == ["ann@x.org", "hill@x.org"]
    assert after.tags == {"vip", "new"}


def test_what_a_row_said_long_ago_is_somebodys_if_it_was_added_since(tmp_path: Path) -> None:
    later: Any = decide(row(tmp_path, ROW.replace("ann@x", "hill@x")), stored(row(tmp_path))).party
    last: Any = decide(row(tmp_path, ROW.replace("ann@x", "fox@x")), later.with_email("ann@x.org")).party
    assert [point.key for point in last.emails] == ["fox@x.org", "ann@x.org"]


def test_a_name_agrees_however_it_was_taken_apart(tmp_path: Path) -> None:
    first, second = (
        facts(tmp_path, f"id,First name,Last name\n1,Ann,{family}\n", id_column="id")[0]
        for family in ("Lee", "Hill")
    )
    assert decide(second, stored(first).renamed("Ann Hill")).code == "same_values"


@pytest.mark.parametrize("code", ["retracted", "kind"])
def test_a_party_that_is_no_more_or_is_another_kind_is_a_conflict(tmp_path: Path, code: str) -> None:
    found = row(tmp_path)
    before = attrs.evolve(stored(found), standing="retracted" if code == "retracted" else "active")
    if code == "kind":
        before = attrs.evolve(Organization.of("Ann Lee"), version=1)
    verdict = decide(row(tmp_path, ROW.replace("red", "blue")), before)
    assert (verdict.outcome, verdict.code) == ("conflict", code)


def test_two_rows_with_one_id_are_a_duplicate_or_a_conflict(tmp_path: Path) -> None:
    found = reads(tmp_path, HEADER + ROW + ROW + ROW.replace("red", "blue") + ",,,,,,,,\n1\n", id_column="id")
    seen = SeenRecords()
    verdicts = [seen.verdict(read) for read in found]
    assert verdicts[0] is None
    assert [(v.outcome, v.code) for v in verdicts[1:] if v is not None] == [
        ("skipped", "duplicate"),
        ("conflict", "same_id"),
        ("skipped", "blank"),
        ("rejected", "too_few_cells"),
    ]

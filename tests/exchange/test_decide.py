from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.exchange.decide import SeenRecords, decide
from crmcore.exchange.facts import RowFacts
from crmcore.party.party import Organization, Party, Person
from tests.exchange.files import facts, reads

HEADER = "id,name,email,phone,fax,town,tags,language,Colour\n"
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
    assert (verdict.party.imported.digest, verdict.party.imported.version) == (found.digest, 1)


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
    assert after.imported.version == 2
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


def test_what_a_person_changed_is_never_overwritten(tmp_path: Path) -> None:
    edited = attrs.evolve(stored(row(tmp_path)).with_email("new@x.org"), version=2)
    verdict = decide(row(tmp_path, ROW.replace("red", "blue")), edited)
    assert (verdict.outcome, verdict.code, verdict.party) == ("conflict", "edited", None)


def test_a_person_and_a_file_that_say_the_same_do_not_conflict(tmp_path: Path) -> None:
    first = stored(row(tmp_path))
    edited = attrs.evolve(first, extras=first.extras.set("Colour", "blue"), version=2)
    verdict = decide(row(tmp_path, ROW.replace("red", "blue")), edited)
    assert (verdict.outcome, verdict.code) == ("updated", "same_values")
    assert verdict.party is not None
    after = attrs.evolve(verdict.party, version=3)
    assert decide(row(tmp_path, ROW.replace("red", "green")), after).outcome == "conflict", (
        "still the person's"
    )


def test_a_party_that_a_person_made_for_the_record_is_theirs(tmp_path: Path) -> None:
    found = row(tmp_path)
    made: Party = attrs.evolve(Person.of("Ann Lee", sources=(found.source,)), version=1)
    assert decide(found, made).outcome == "conflict"


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

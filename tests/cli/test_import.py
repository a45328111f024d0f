"""``crmcore import``: planned, shown, applied as shown, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmcore import Crm
from tests.cli.commands import PEOPLE, done, looked_at, refused, store_of, write

OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected", "conflicts")
MESSY = (
    PEOPLE
    + "4,,,,York\n5,Dan Moss,dan@x.org,,Leeds,extra\n,,,,\n1,Ann Lee,ann@x.org,+44 20 7946 0018,London\n"
)


def people_in(store: Path) -> int:
    with Crm.open(store) as crm:
        return len(crm.customers.page(kind="person").items)


def test_the_rows_of_a_file_add_up_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path, store = write(tmp_path, MESSY), tmp_path / "crm.db"
    words = ["import", path, "--store", store, "--id-column", "Id", "--json"]
    for counts in ((3, 0, 0, 2, 2, 0), (0, 0, 3, 2, 2, 0)):
        [document] = looked_at(*words).json
        assert document["counts"] == dict(zip(OUTCOMES, counts, strict=True))
        assert document["rows_in"] == sum(counts) == 7
        assert document["applied"]
    assert people_in(store) == 3


def test_text_and_json_tell_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, MESSY)
    words = ["import", path, "--store", tmp_path / "crm.db", "--id-column", "Id", "--dry-run"]
    text, json = looked_at(*words), looked_at(*words, "--json")
    assert "in 7 = created 3 + skipped 2 + rejected 2\n" in text.out
    assert text.code == json.code
    for notice in json.json[0]["notices"]:
        assert f"{notice['mark']} {notice['text']}\n" in text.out
    assert json.json[0]["columns"]["full_name"] == ["Name"]
    assert '"Name" full_name' in text.out


@pytest.mark.parametrize("made_before", [False, True])
def test_a_dry_run_writes_nothing(tmp_path: Path, made_before: bool) -> None:
    store = tmp_path / "crm.db"
    if made_before:
        store_of(tmp_path, "Id,Name\n1,Ann Lee\n")
    before = people_in(store) if made_before else 0
    path = write(tmp_path, MESSY)
    files = {file.name for file in tmp_path.iterdir()}
    rejected = tmp_path / "rejected.csv"
    ran = looked_at("import", path, "--store", store, "--dry-run", "--rejected", rejected)
    assert "nothing was written" in ran.out
    assert {file.name for file in tmp_path.iterdir()} == files
    assert not made_before or people_in(store) == before


def test_one_file_that_cannot_be_read_stops_all(tmp_path: Path) -> None:
    good, empty = write(tmp_path), write(tmp_path, "Name\n", "empty.csv")
    assert "empty.csv" in refused("import", good, empty, "--store", tmp_path / "crm.db")
    assert not (tmp_path / "crm.db").exists()


def test_a_file_named_twice_is_imported_once(tmp_path: Path) -> None:
    path, store = write(tmp_path), tmp_path / "crm.db"
    documents = done("import", path, path, "--store", store, "--json").json
    assert [document["counts"]["created"] for document in documents] == [3, 0]
    assert [document["counts"]["unchanged"] for document in documents] == [0, 3]
    assert people_in(store) == 3


def test_several_files_are_imported_in_their_order(tmp_path: Path) -> None:
    first, second = write(tmp_path), write(tmp_path, PEOPLE.replace("Ann", "Anna"), "later.csv")
    store = tmp_path / "crm.db"
    words = ["--store", store, "--id-column", "Id", "--source", "shop", "--json"]
    documents = done("import", first, second, *words).json
    assert [document["file"] for document in documents] == ["people.csv", "later.csv"]
    assert documents[1]["counts"]["updated"] == 1
    assert "Anna Lee" in done("show", "shop#1", "--store", store).out


def test_a_rejected_row_is_corrected_and_imported(tmp_path: Path) -> None:
    path, store, rejected = write(tmp_path, MESSY), tmp_path / "crm.db", tmp_path / "rejected.csv"
    words = ["--store", store, "--id-column", "Id", "--source", "shop"]
    ran = looked_at("import", path, *words, "--rejected", rejected)
    assert f"2 rejected rows in {rejected}" in ran.out
    text = rejected.read_text("utf-8-sig")
    header = "_row,_code,_field,_message,Id,Name,Email,Phone,Town"
    assert text.splitlines()[0] == header
    corrected = text.replace(",4,,,,York", ",4,Eve Young,,,York").replace(",extra", "")
    rejected.write_text(corrected, encoding="utf-8-sig")
    assert "created 2" in done("import", rejected, *words).out
    assert people_in(store) == 5
    assert "Eve Young" in done("show", "shop#4", "--store", store).out


@pytest.mark.parametrize("place", ["people.csv", "./people.csv", "crm.db", "crm.db-wal", "link.csv"])
def test_rejected_rows_are_never_written_over_what_is_read(tmp_path: Path, place: str) -> None:
    store = store_of(tmp_path)
    path = write(tmp_path, MESSY)
    (tmp_path / "link.csv").hardlink_to(path)
    before = path.read_bytes(), store.read_bytes()
    refused("import", path, "--store", store, "--rejected", tmp_path / place)
    assert (path.read_bytes(), store.read_bytes()) == before


@pytest.mark.parametrize("place", ["missing/rejected.csv", ".", "people.csv/below"])
def test_nothing_is_imported_where_the_rejected_rows_cannot_be_written(tmp_path: Path, place: str) -> None:
    path, store = write(tmp_path, MESSY), tmp_path / "crm.db"
    assert "cannot be written" in refused("import", path, "--store", store, "--rejected", tmp_path / place)
    assert not store.exists()


def test_without_rejected_rows_no_file_of_them_is_made(tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.csv"
    done("import", write(tmp_path), "--store", tmp_path / "crm.db", "--rejected", rejected)
    assert not rejected.exists()


def test_rows_are_told_with_the_right_number_of_words(tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.csv"
    path = write(tmp_path, PEOPLE + "4,,,,York\n")
    ran = looked_at("import", path, "--store", tmp_path / "crm.db", "--rejected", rejected)
    assert "1 rejected row in" in ran.out
    assert ran.err.startswith("crmcore: 1 row was rejected:")

"""``crmcore show``, ``merge`` and ``unmerge``: read one customer, judge, and take any judgement back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm, Person
from tests.cli.commands import customer, done, refused, run, sentence, store_of

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_of(tmp_path)


def view(store: Path, ref: str) -> dict[str, Any]:
    return dict(done("show", ref, "--store", store, "--json").json["view"])


def merged(store: Path, a: str = "Ann Lee", b: str = "Bo Hill", *words: str) -> str:
    return str(done("merge", a, b, "--store", store, "--json", *words).json["judgement"]["id"])


@pytest.mark.parametrize(
    "ref", ["ann@x.org", " ANN@X.org ", "people#1", "+44 20 7946 0018", "Ann Lee", "ann", "lee"]
)
def test_every_kind_of_reference_leads_to_the_customer(store: Path, ref: str) -> None:
    ran = done("show", ref, "--store", store)
    assert ran.out.startswith("Ann Lee ")
    assert f"  id         {customer(store, ref)}\n" in ran.out
    assert done("show", customer(store, ref), "--store", store).out == ran.out


@pytest.mark.parametrize(
    "ref",
    ["", " ", "nobody", NOBODY, "#", "people#", "people#9", "@", "%", "_", "*", "x" * 1_000_000, "\u202e"],
)
def test_a_reference_to_nobody_is_told_without_repeating_it(store: Path, ref: str) -> None:
    for words in (["show", ref], ["merge", ref, "Ann"], ["merge", "Ann", ref]):
        said = refused(*words, "--store", store)
        assert "nothing in this store answers" in said
        assert len(ref.strip()) < 3 or ref not in said


def test_a_reference_that_fits_several_lists_them_to_choose_from(store: Path) -> None:
    with Crm.open(store) as crm:
        crm.parties.add_many(Person.of("Ann Moss") for _ in range(24))
    ran = run("show", "Ann", "--store", store)
    assert ran.code == 1
    assert sentence(ran.err) == "REF fits 25 customers, the first 20 are listed: name one by its id"
    listed = [line.split("  ")[0] for line in ran.out.splitlines()]
    assert len(listed) == 20
    done("show", listed[0], "--store", store)
    asked = run("show", "Ann", "--store", store, "--json")
    assert (asked.code, asked.json["count"]) == (1, 25)
    assert [candidate["id"] for candidate in asked.json["candidates"]] == listed
    assert sentence(asked.err) == sentence(ran.err)


def test_merge_says_which_of_its_references_fits_several(store: Path) -> None:
    with Crm.open(store) as crm:
        crm.parties.add(Person.of("Ann Moss"))
    for words, what in ((["Ann", "Bo"], "A"), (["Bo", "Ann"], "B")):
        ran = run("merge", *words, "--store", store)
        assert ran.code == 1
        assert sentence(ran.err).startswith(f"{what} fits 2 customers, all are listed")
        assert len(ran.out.splitlines()) == 2


def test_what_is_merged_is_one_customer_and_unmerging_leaves_no_trace(store: Path) -> None:
    before = [view(store, ref) for ref in ("Ann Lee", "Bo Hill")]
    ran = done("merge", "Ann Lee", "Bo Hill", "--store", store, "--reason", "same desk", "--by", "ada")
    [judgement] = [line.split()[-1] for line in ran.out.splitlines() if line.startswith("merged by")]
    assert f"crmcore unmerge {judgement} --store {store}" in ran.out
    assert ", 2 records" in ran.out
    assert len(view(store, "Bo Hill")["members"]) == 2
    assert (
        f"judgement  {judgement}  same by person ada: same desk" in done("show", "Bo", "--store", store).out
    )
    ran = done("unmerge", judgement, "--store", store)
    assert ran.out.count(", 1 record\n") == 2
    assert [view(store, ref) for ref in ("Ann Lee", "Bo Hill")] == before


def test_a_former_id_still_leads_to_the_customer(store: Path) -> None:
    former = max(customer(store, "Ann"), customer(store, "Bo"))
    judgement = merged(store)
    assert len(view(store, former)["members"]) == 2
    done("unmerge", judgement, "--store", store)
    assert view(store, former)["members"] == [former]


@pytest.mark.parametrize("other", ["Ann Lee", "ann@x.org", "people#1"])
def test_a_record_is_not_merged_with_itself(store: Path, other: str) -> None:
    assert "one customer already" in refused("merge", "Ann Lee", other, "--store", store)


def test_two_that_are_one_already_are_not_merged_again(store: Path) -> None:
    merged(store)
    assert "one customer already" in refused("merge", "Ann Lee", "Bo Hill", "--store", store)


def test_a_judgement_is_taken_back_once(store: Path) -> None:
    judgement = merged(store)
    done("unmerge", judgement, "--store", store)
    assert "taken back before" in refused("unmerge", judgement, "--store", store)
    assert "taken back before" in refused("unmerge", judgement, "--store", store, "--different")
    merged(store)


@pytest.mark.parametrize("judgement", [NOBODY, "nothing", "", "x" * 1_000_000])
def test_an_id_of_no_judgement_is_refused(store: Path, judgement: str) -> None:
    said = refused("unmerge", judgement, "--store", store)
    assert "id" in said
    assert len(said) < 200


def test_the_id_of_a_party_is_no_judgement(store: Path) -> None:
    assert "no judgement" in refused("unmerge", customer(store, "Ann"), "--store", store)


def test_what_a_person_marked_as_different_stays_apart(store: Path) -> None:
    judgement = merged(store)
    words = ["unmerge", judgement, "--different", "--reason", "twins", "--store", store, "--json"]
    document = done(*words).json
    assert document["judgement"]["id"] == judgement
    assert "retracted" in document["judgement"]
    different = document["different"]["id"]
    assert len(document["customers"]) == 2
    assert f"crmcore unmerge {different}" in refused("merge", "Ann", "Bo", "--store", store)
    done("dedupe", "--store", store)
    assert len(view(store, "Ann")["members"]) == 1
    done("unmerge", different, "--store", store)
    merged(store)


def test_a_merge_document_names_the_customers_as_they_stand(store: Path) -> None:
    document = done("merge", "Ann", "Bo", "--store", store, "--json").json
    [one] = document["customers"]
    assert one["digest"] == view(store, "Ann")["digest"]
    assert document["judgement"]["actor"] == {"kind": "person", "id": "cli"}
    assert sorted(one["members"]) == [document["judgement"]["a"], document["judgement"]["b"]]

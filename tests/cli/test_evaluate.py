"""``crmcore evaluate``: what it says is what the library says, and files that do not fit are refused by their rows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.evaluation import evaluate
from tests.cli.commands import done, looked_at, refused, write

FOUND = "rec_id,cluster\na,0\nb,0\nc,0\nd,1\n"
TRUE = "rec_id,cluster\na,x\nb,x\nc,y\nd,y\n"


def files(folder: Path, found: str | bytes = FOUND, true: str | bytes = TRUE) -> tuple[Path, Path]:
    return write(folder, found, "found.csv"), write(folder, true, "true.csv")


def test_what_is_printed_is_what_the_library_says(tmp_path: Path) -> None:
    text = evaluate({"a": 0, "b": 0, "c": 0, "d": 1}, {"a": 0, "b": 0, "c": 1, "d": 1}).text()
    assert done("evaluate", *files(tmp_path)).out == text + "\n"


def test_the_document_has_every_figure(tmp_path: Path) -> None:
    document = done("evaluate", *files(tmp_path), "--json").json
    assert document["found"] == "found.csv"
    assert document["truth"] == "true.csv"
    assert (document["records"], document["left_out"], document["notes"]) == (4, 0, [])
    assert document["pairs"] == {
        "found": 3,
        "true": 2,
        "both": 1,
        "precision": 1 / 3,
        "recall": 0.5,
        "f1": 0.4,
    }
    assert document["bcubed"]["recall"] == 0.75
    assert (document["clusters"]["both"], document["clusters"]["f1"]) == (0, 0.0)
    assert [(size["size"], size["clusters"]) for size in document["by_found"]] == [("1", 1), ("3", 1)]
    assert document["by_found"][0]["pairwise"] is None
    assert document["by_true"] == [
        {
            "size": "2",
            "clusters": 2,
            "records": 4,
            "pairs": 2,
            "equal": 0,
            "shared_pairs": 1,
            "pairwise": 0.5,
            "bcubed": 0.75,
        }
    ]


LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12)


@settings(max_examples=30)
@given(LABELS, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_other_columns_matter(
    tmp_path_factory: pytest.TempPathFactory, labels: list[tuple[int, int]], chance: object
) -> None:
    folder = tmp_path_factory.mktemp("files")
    rows = list(enumerate(labels))
    found = "cluster,note,rec_id\n" + "".join(f"{one},x y,r{at}\n" for at, (one, _) in rows)
    chance.shuffle(rows)  # type: ignore[attr-defined]  # Hypothesis does not say that it is a Random
    true = "rec_id;cluster\n" + "".join(f"r{at};{other}\n" for at, (_, other) in rows)
    document = done("evaluate", *files(folder, found, true), "--json").json
    wanted = evaluate([one for one, _ in labels], [other for _, other in labels])
    assert document["pairs"]["both"] == wanted.pairs.both
    assert document["bcubed"]["f1"] == wanted.bcubed.f1


def test_what_dedupe_writes_is_compared_with_the_file_that_it_read(tmp_path: Path) -> None:
    people = "rec_id,given_name,family_name,email,cluster\n1,Ann,Lee,ann@x.org,7\n2,Bo,Hill,b@x.org,8\n"
    path = write(tmp_path, people + "3,Ann,Lee,ANN@x.org,7\n")
    done("dedupe", path, "--out", tmp_path / "c.csv")
    assert done("evaluate", tmp_path / "c.csv", path, "--json").json["clusters"]["f1"] == 1.0


def test_rows_without_ids_are_known_by_their_numbers_as_dedupe_knows_them(tmp_path: Path) -> None:
    path = write(tmp_path, "name,cluster\nAnn Lee,7\n\nBo Hill,8\nAnn Lee,7\n")
    done("dedupe", path, "--out", tmp_path / "c.csv")
    lines = (tmp_path / "c.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["2", "4", "5"]
    done("evaluate", tmp_path / "c.csv", path)
    other = write(tmp_path, "rec_id,cluster\na,0\nb,1\nc,0\n", "other.csv")
    assert "rows of people.csv are known by their numbers" in refused("evaluate", other, path)


def test_the_truth_may_have_columns_of_its_own(tmp_path: Path) -> None:
    found, true = files(tmp_path, true="No;Wer;rec_id\na;x;1\nb;x;1\nc;y;1\nd;y;1\n")
    words = ["--id-column", "no", "--cluster-column", "Wer"]
    assert done("evaluate", found, true, *words).out == done("evaluate", *files(tmp_path)).out


def test_one_file_may_hold_both_in_two_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "rec_id,cluster,truth\na,0,x\nb,0,x\nc,0,y\nd,1,y\n")
    assert (
        done("evaluate", path, path, "--cluster-column", "truth").out
        == done("evaluate", *files(tmp_path)).out
    )
    assert "one column of one file" in refused("evaluate", path, path)
    (tmp_path / "link.csv").symlink_to(path)
    assert "one column of one file" in refused("evaluate", path, tmp_path / "link.csv")


def test_encoding_and_delimiter_are_those_of_the_truth(tmp_path: Path) -> None:
    found, true = files(tmp_path, true="rec_id|clüster\na|x\nb|x\nc|y\nd|y\n".encode("cp1252"))
    assert "--encoding cp1252" in refused("evaluate", found, true)
    words = ["--encoding", "cp1252", "--delimiter", "pipe", "--cluster-column", "clüster"]
    done("evaluate", found, true, *words)
    marked = FOUND.encode("utf-16")
    done("evaluate", *files(tmp_path, marked, TRUE))


def test_a_copy_is_compared_and_told(tmp_path: Path) -> None:
    ran = done("evaluate", *files(tmp_path, FOUND, FOUND))
    assert ran.out.startswith("! both files hold the same")
    assert "wrongly" not in ran.out


def test_errors_are_written_as_pairs(tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    ran = done("evaluate", *files(tmp_path), "--errors", errors)
    assert ran.out.endswith(f"2 pairs in {errors}\n")
    assert errors.read_bytes().decode() == (
        "kind,rec_id_a,rec_id_b,size,size_a,size_b\nfalse_merge,a,c,3,2,2\nfalse_split,c,d,2,3,1\n"
    )


def test_errors_are_at_most_a_thousand_of_each_kind(tmp_path: Path) -> None:
    found = "rec_id,cluster\n" + "".join(f"r{at},{at // 2}\n" for at in range(3000))
    true = "rec_id,cluster\n" + "".join(f"r{at},{(at + 1) // 2}\n" for at in range(3000))
    errors = tmp_path / "errors.csv"
    done("evaluate", *files(tmp_path, found, true), "--errors", errors)
    with errors.open(newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert (kinds.count("false_merge"), kinds.count("false_split")) == (1000, 1000)


@pytest.mark.parametrize("place", ["found.csv", "true.csv", "missing/x", "."])
def test_errors_are_never_written_over_what_is_read(tmp_path: Path, place: str) -> None:
    found, true = files(tmp_path)
    assert "name another file" in refused("evaluate", found, true, "--errors", tmp_path / place)
    assert (found.read_text(), true.read_text()) == (FOUND, TRUE)


SECRET = "zebulon"
UNFIT: dict[str, tuple[str, str, str]] = {
    "no cluster column": ("rec_id,group\na,1\n", TRUE, "found.csv: there is no column 'cluster'"),
    "no id column": ("cluster\n1\n", TRUE, "found.csv: there is no column 'rec_id'"),
    "no cluster in the truth": (FOUND, "rec_id,group\na,1\n", "name it with --cluster-column"),
    "no rows": ("rec_id,cluster\n", TRUE, "found.csv has a header and no rows"),
    "empty": (FOUND, "", "true.csv is empty"),
    "repeated ids": (
        "rec_id,cluster\na,1\nzebulon,2\nzebulon,2\nc,3\na,1\n",
        TRUE,
        "2 rows of found.csv with an id that stands further up (rows 4, 6)",
    ),
    "ids of one file": (
        FOUND + "zebulon,5\n",
        TRUE + "e,1\nf,1\ng,1\nh,1\n",
        "1 record of found.csv is not in true.csv (row 6); "
        "4 records of true.csv are not in found.csv (rows 6, 7, 8, ...): correct the files, or compare",
    ),
    "a blank id": (FOUND + " ,zebulon\n", TRUE, "1 row of found.csv without an id (row 6)"),
    "a blank cluster": (FOUND, TRUE + "zebulon, \n", "1 row of true.csv without a cluster (row 6)"),
    "a row that cannot be read": (FOUND, TRUE + "zebulon\n", "cannot be read (too_few_cells) (row 6)"),
    "nothing in common": (FOUND, "rec_id,cluster\nzebulon,1\n", "no record of found.csv is in true.csv"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_files_that_do_not_fit_are_refused_in_one_sentence_without_values(tmp_path: Path, name: str) -> None:
    found, true, says = UNFIT[name]
    errors = tmp_path / "errors.csv"
    said = refused("evaluate", *files(tmp_path, found, true), "--errors", errors)
    assert says in said
    assert SECRET not in said
    assert not errors.exists()
    assert refused("evaluate", *files(tmp_path, found, true), "--json") == said


@pytest.mark.parametrize(
    "name", ["no cluster column", "no rows", "empty", "repeated ids", "nothing in common"]
)
def test_what_cannot_be_compared_is_refused_with_common_too(tmp_path: Path, name: str) -> None:
    found, true, says = UNFIT[name]
    assert says in refused("evaluate", *files(tmp_path, found, true), "--common")


@pytest.mark.parametrize("name", ["ids of one file", "a blank id", "a blank cluster"])
def test_with_common_the_others_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    found, true, says = UNFIT[name]
    paths = files(tmp_path, found, true)
    ran = done("evaluate", *paths, "--common")
    told = [line for line in ran.out.splitlines() if line.startswith("! ")]
    assert says.split(";")[0].split(":")[0] in told[0]
    assert SECRET not in ran.out
    rest = [line for line in ran.out.splitlines() if not line.startswith("! ")]
    assert rest == done("evaluate", *files(tmp_path)).out.splitlines()
    document = done("evaluate", *files(tmp_path, found, true), "--common", "--json").json
    assert document["left_out"] == (5 if name == "ids of one file" else 1)
    assert [f"! {note}" for note in document["notes"]] == told


def test_rows_that_cannot_be_read_are_left_out_with_common_and_somebody_has_to_look(tmp_path: Path) -> None:
    found, true, _ = UNFIT["a row that cannot be read"]
    ran = looked_at("evaluate", *files(tmp_path, found, true), "--common")
    assert "1 row could not be read" in ran.err
    assert "too_few_cells" in ran.out
    assert "look for a missing delimiter" in ran.out
    assert looked_at("evaluate", *files(tmp_path, found, true), "--common", "--json").json["left_out"] == 1


def test_a_column_that_occurs_twice_is_told(tmp_path: Path) -> None:
    true = "rec_id,cluster,cluster\na,x,1\nb,x,1\nc,y,1\nd,y,1\n"
    ran = looked_at("evaluate", *files(tmp_path, FOUND, true))
    assert "occurs twice" in ran.err
    assert "the first one was read" in ran.out
    unused = "rec_id,cluster,note,note\na,x,1,1\nb,x,1,1\nc,y,1,1\nd,y,1,1\n"
    done("evaluate", *files(tmp_path, FOUND, unused))


def test_ids_and_clusters_are_not_one_column(tmp_path: Path) -> None:
    assert "one column" in refused("evaluate", *files(tmp_path), "--cluster-column", "rec_id")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found, true = files(tmp_path)
    refused("evaluate", found, tmp_path / "missing.csv")
    refused("evaluate", tmp_path / "missing.csv", true)
    refused("evaluate", found, code=2)


def test_many_reasons_are_one_sentence(tmp_path: Path) -> None:
    broken = 'x\n"x"y,1\n,1\nz,\nz,1,2\n' + "q\0,1\n"
    said = refused("evaluate", *files(tmp_path, FOUND + broken, TRUE + broken))
    assert "and more" in said

"""``crmcore review`` and ``crmcore dedupe FILE --review``: what waits goes out and comes back as decisions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm
from crmcore.identity.review_decisions import MOST_BYTES
from tests.cli.commands import done, looked_at, refused, run, sentence, write
from tests.cli.reviewing import DOUBTFUL, doubtful_store, page_of, people, saved


def judged(store: Path) -> list[tuple[str, str, str | None]]:
    """What people said, by whom and why."""
    with Crm.open(store) as crm:
        parties = [m for customer in crm.customers.page().items for m in customer.members]
        found = {j.id: j for party in parties for j in crm.identity.judgements(party) if j.human}
        return sorted((j.verdict, j.actor.id, j.reason) for j in found.values())


def clusters(path: Path) -> dict[str, str]:
    return dict(line.split(",") for line in path.read_text().splitlines()[1:])


# --- a store -----------------------------------------------------------------------------------------------


def test_what_was_decided_on_the_page_of_a_store_is_taken_over_and_never_asked_again(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    ran = done("review", "page", "--store", store, "--out", page)
    assert ran.out.startswith("3 pairs and 0 joined customers to review\n")
    decisions = saved(
        page_of(page), tmp_path / "decisions.json", "same", "different", "skip", by="ada", note="seen"
    )
    ran = done("review", "apply", decisions, "--store", store)
    assert ran.out == "2 taken over, 1 skipped\n"
    assert judged(store) == [("different", "ada", "seen"), ("same", "ada", "seen")]
    for _ in range(2):
        done("dedupe", "--store", store)
        assert done("review", "page", "--store", store, "--out", page, "--json").json["pairs"] == 1
    assert done("review", "apply", decisions, "--store", store).out == (
        "0 taken over, 2 known before, 1 skipped\n"
    )


def test_a_page_holds_as_many_as_were_asked_for(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    done("review", "page", "--store", store, "--out", page, "--limit", 2)
    assert len(page_of(page)["items"]) == 2
    for words in (["0"], ["-1"], ["many"], ["1.5"]):
        refused("review", "page", "--store", store, "--out", page, "--limit", *words, code=2)


def test_who_decided_is_asked_for_where_the_file_does_not_say(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    done("review", "page", "--store", store, "--out", page)
    decisions = saved(page_of(page), tmp_path / "decisions.json", "same", "different")
    assert "--by" in refused("review", "apply", decisions, "--store", store)
    assert judged(store) == []
    done("review", "apply", decisions, "--store", store, "--by", "bob")
    assert {actor for _, actor, _ in judged(store)} == {"bob"}


def test_what_somebody_says_otherwise_is_told_and_not_written(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    done("review", "page", "--store", store, "--out", page)
    data = page_of(page)
    done("merge", *(data["records"][at][0] for at in data["items"][0][2]), "--store", store, "--by", "bob")
    decisions = saved(data, tmp_path / "decisions.json", "different", "different", by="ada")
    ran = looked_at("review", "apply", decisions, "--store", store)
    assert re.fullmatch(r"1 taken over, 1 not taken over\n! \S+ and \S+: decided otherwise by \S+\n", ran.out)
    assert [(verdict, who) for verdict, who, _ in judged(store)] == [("different", "ada"), ("same", "bob")]
    document = looked_at("review", "apply", decisions, "--store", store, "--json").json
    assert (document["written"], document["known"], len(document["refused"])) == (0, 1, 1)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"Ann Lee,yes",
    "deep": b"[" * 200_000,
    "cut off": b'{"format": "crmcore.decisions/1", "decisions": [{"item": "',
    "of nothing": b'{"format": "crmcore.decisions/1", "page": {}, "decisions": []}',
    "huge": b" " * (MOST_BYTES + 1),
    "a store": b"SQLite format 3\x00",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_file_of_decisions_is_refused_in_one_sentence_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    store = doubtful_store(tmp_path)
    bad = write(tmp_path, HOSTILE[name], "decisions.json")
    said = refused("review", "apply", bad, "--store", store, "--by", "ada")
    assert said.startswith("decisions.json")
    assert judged(store) == []


def test_one_wrong_decision_among_good_ones_writes_none(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    done("review", "page", "--store", store, "--out", page)
    decisions = saved(page_of(page), tmp_path / "decisions.json", "same", "same", "same", by="ada")
    data = json.loads(decisions.read_text())
    data["decisions"][2]["verdict"] = "perhaps"
    decisions.write_text(json.dumps(data))
    assert "decision 3" in refused("review", "apply", decisions, "--store", store)
    assert judged(store) == []


def test_decisions_on_another_store_or_on_a_file_are_refused(tmp_path: Path) -> None:
    store, page = doubtful_store(tmp_path), tmp_path / "review.html"
    done("review", "page", "--store", store, "--out", page)
    decisions = saved(page_of(page), tmp_path / "decisions.json", "same", by="ada")
    (tmp_path / "other").mkdir()
    other = doubtful_store(tmp_path / "other")
    assert "none of the records" in refused("review", "apply", decisions, "--store", other)
    file = write(tmp_path, DOUBTFUL)
    assert "review apply" in refused("dedupe", file, "--out", tmp_path / "c.csv", "--decisions", decisions)
    done("dedupe", file, "--out", tmp_path / "c.csv", "--review", page)
    decisions = saved(page_of(page), tmp_path / "decisions.json", "same", by="ada")
    assert "--decisions" in refused("review", "apply", decisions, "--store", store)


def test_a_page_is_not_written_over_the_store_nor_decisions_read_from_nowhere(tmp_path: Path) -> None:
    store = doubtful_store(tmp_path)
    assert "would be lost" in refused("review", "page", "--store", store, "--out", store)
    refused("review", "page", "--store", tmp_path / "none.db", "--out", tmp_path / "p.html")
    refused("review", "apply", tmp_path / "none.json", "--store", store, "--by", "ada")
    refused("review", "apply", tmp_path, "--store", store, "--by", "ada")
    assert sentence(run("review").err)


# --- a file ------------------------------------------------------------------------------------------------


def deduped(folder: Path, file: Path, *words: object) -> dict[str, Any]:
    """The page of a file, after a run with these words; its clusters are in ``c.csv``."""
    page = folder / "review.html"
    done("dedupe", file, "--out", folder / "c.csv", "--review", page, *words)
    return page_of(page)


def test_what_was_decided_on_the_page_of_a_file_holds_in_the_next_run(tmp_path: Path) -> None:
    file = write(tmp_path, DOUBTFUL)
    page = deduped(tmp_path, file)
    assert [item[0] for item in page["items"]] == ["0a\x1f0b", "1a\x1f1b", "2a\x1f2b"]
    one = saved(page, tmp_path / "one.json", "same", "different")
    page = deduped(tmp_path, file, "--decisions", one)
    found = clusters(tmp_path / "c.csv")
    assert found["0a"] == found["0b"]
    assert found["1a"] != found["1b"]
    assert [item[0] for item in page["items"]] == ["2a\x1f2b"]
    two = saved(page, tmp_path / "two.json", "same")
    assert deduped(tmp_path, file, "--decisions", one, "--decisions", two)["items"] == []


def test_customers_that_a_model_hardly_joined_are_confirmed_or_split_for_good(tmp_path: Path) -> None:
    file = write(tmp_path, people())
    page = deduped(tmp_path, file)
    verdicts = [
        "skip" if not item[1] else ("same", "different")[at % 2] for at, item in enumerate(page["items"])
    ]
    assert {"same", "different"} <= set(verdicts)
    decisions = saved(page, tmp_path / "decisions.json", *verdicts)
    decided = {item[0] for item, verdict in zip(page["items"], verdicts, strict=True) if verdict != "skip"}
    again = deduped(tmp_path, file, "--decisions", decisions)
    assert decided.isdisjoint(item[0] for item in again["items"])
    found = clusters(tmp_path / "c.csv")
    for item, verdict in zip(page["items"], verdicts, strict=True):
        ids = [page["records"][at][0] for at in item[2]]
        if verdict != "skip":
            assert (found[ids[0]] == found[ids[1]]) == (verdict == "same")


def test_a_page_shows_what_is_compared_and_nothing_else(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        DOUBTFUL.replace("phone", "phone,secret,city")
        .replace("\n", ",zq7,York\n")
        .replace("city,zq7,York", "city"),
    )
    page = deduped(tmp_path, file, "--without", "city")
    text = (tmp_path / "review.html").read_text()
    assert "zq7" not in text
    assert "York" not in text
    assert {page["labels"][label] for record in page["records"] for label, _ in record[2]} == {
        "full name",
        "phone",
    }


def test_rows_without_an_id_of_their_own_are_not_asked_about(tmp_path: Path) -> None:
    file = write(tmp_path, DOUBTFUL.replace("1b,", "1a,").replace("2b,", ","))
    ran = done("dedupe", file, "--out", tmp_path / "c.csv", "--review", tmp_path / "review.html")
    assert "2 pairs are not on the page" in ran.out
    assert len(page_of(tmp_path / "review.html")["items"]) == 1


def test_decisions_by_the_numbers_of_rows_hold_for_that_very_file(tmp_path: Path) -> None:
    file = write(tmp_path, re.sub("^[^,]*,", "", DOUBTFUL, flags=re.MULTILINE))
    decisions = saved(deduped(tmp_path, file), tmp_path / "decisions.json", "same")
    deduped(tmp_path, file, "--decisions", decisions)
    file.write_text(file.read_text() + "Eve Fox,\n")
    said = refused("dedupe", file, "--out", tmp_path / "c.csv", "--decisions", decisions)
    assert "changed since" in said


def test_decisions_that_contradict_each_other_or_labels_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, DOUBTFUL)
    page = deduped(tmp_path, file)
    yes = saved(page, tmp_path / "yes.json", "same")
    no = saved(page, tmp_path / "no.json", "different")
    labels = write(tmp_path, "rec_id_a,rec_id_b,same\n0a,0b,no\n", "labels.csv")
    out = ("--out", tmp_path / "c.csv")
    assert "contradicts" in refused("dedupe", file, *out, "--decisions", yes, "--decisions", no)
    assert "opposite" in refused("dedupe", file, *out, "--decisions", yes, "--labels", labels)
    done("dedupe", file, *out, "--decisions", no, "--labels", labels)


def test_decisions_on_rows_that_are_gone_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    file = write(tmp_path, DOUBTFUL)
    decisions = saved(deduped(tmp_path, file), tmp_path / "decisions.json", "same", "same")
    file.write_text(DOUBTFUL.replace("0b,", "9b,"))
    ran = done("dedupe", file, "--out", tmp_path / "c.csv", "--decisions", decisions)
    assert "! 1 decision of decisions.json not used" in ran.out
    file.write_text(re.sub("^[012]", "9", DOUBTFUL, flags=re.MULTILINE))
    refused("dedupe", file, "--out", tmp_path / "c.csv", "--decisions", decisions)


def test_a_page_goes_with_a_file_and_never_over_what_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, DOUBTFUL)
    store = doubtful_store(tmp_path)
    assert "goes with a CSV file" in refused(
        "dedupe", "--store", store, "--review", tmp_path / "r.html", code=2
    )
    refused("dedupe", file, "--out", tmp_path / "c.csv", "--review", file)
    decisions = write(tmp_path, "{}", "decisions.json")
    words = ("--decisions", decisions, "--review", decisions)
    assert "would be lost" in refused("dedupe", file, "--out", tmp_path / "c.csv", *words)

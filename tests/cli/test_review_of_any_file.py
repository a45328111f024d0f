"""Whatever ids the rows of a file have: what its page saves is read, and taken over."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore.cli import review_file
from crmcore.identity import Decisions
from crmcore.identity.review_decisions import LONGEST_ID, MOST_RECORDS
from tests.cli.commands import done, write
from tests.cli.reviewing import DOUBTFUL, page_of, people, saved

ROWS = (
    ("Ann Lee", "", "+44 20 7946 0018"),
    ("Jane Lee", "", "+44 20 7946 0018"),
    ("Bo Hill", "bo@x.org", ""),
    ("Bo Hill", "bo@x.org", "+44 20 7946 0019"),
    ("Cy Moss", "cy@x.org", ""),
    ("Cy Moss", "cy@x.org", ""),
    ("Cy Moss", "cy@x.org", "+44 20 7946 0020"),
    ("Di Moss", "", "+44 20 7946 0020"),
)
"""Households and people who are there twice: pairs to settle, and customers that hang together by little."""

VERDICTS = st.lists(st.sampled_from(["same", "different", "skip"]), min_size=len(ROWS), max_size=len(ROWS))


def table(ids: list[str]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("rec_id", "full_name", "email", "phone"))
    writer.writerows((id, *row) for id, row in zip(ids, ROWS, strict=True))
    return out.getvalue()


_ids = st.sampled_from(
    [
        "",
        " ",
        "a",
        "b",
        "a\x1fb",
        "\x1f",
        "a\x00",
        "two\nlines",
        '"',
        "x" * 255,
        "x" * 256,
        "x" * 512,
        "x" * 513,
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
EVERYTHING = 1 << 40
"""So many points beyond the threshold, every customer is hardly joined."""

NUMBERS = [str(number) for number in range(len(ROWS))]


@settings(max_examples=60)
@given(st.lists(_ids, min_size=len(ROWS), max_size=len(ROWS)), VERDICTS)
@example(["x" * 300 + id for id in NUMBERS], ["same"] * len(ROWS))
@example(["x" * 600 + id for id in NUMBERS], ["same"] * len(ROWS))
@example(["0", "1", "2", "3", "4", "twice", "twice", "5"], ["same"] * len(ROWS))
@example(["0", "1", "2", "3", "4", "", "6", "7"], ["different"] * len(ROWS))
@example(["a\x1fb", "c", "a", "b\x1fc", "4", "5", "6", "7"], ["same"] * len(ROWS))
def test_whatever_a_page_saves_is_read_and_taken_over(ids: list[str], verdicts: list[str]) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(review_file, "NEAR", EVERYTHING)
        folder = Path(name)
        file, page, out = write(folder, table(ids)), folder / "review.html", folder / "c.csv"
        run("dedupe", file, "--out", out, "--review", page)
        items = page_of(page)["items"]
        assert len({item[0] for item in items}) == len(items)
        if not items:
            return
        decisions = saved(page_of(page), folder / "decisions.json", *verdicts)
        assert len(Decisions.parse(decisions.read_bytes()).decisions) == len(items)
        run("dedupe", file, "--out", out, "--decisions", decisions, "--review", page)
        settled = {item[0] for item, verdict in zip(items, verdicts, strict=False) if verdict != "skip"}
        assert settled.isdisjoint(item[0] for item in page_of(page)["items"])


def run(*words: object) -> None:
    """Run a command that may have something to say about the rows."""
    from tests.cli.commands import run

    assert run(*words).code in (0, 3)


@pytest.mark.parametrize(
    "added", [["dup", "dup"], [""], ["x" * (LONGEST_ID + 1)]], ids=["twice", "blank", "long"]
)
def test_a_customer_with_a_row_that_cannot_be_named_is_not_asked_about_and_that_is_said(
    tmp_path: Path, added: list[str]
) -> None:
    file, model = write(tmp_path, people()), tmp_path / "model.json"
    page, words = tmp_path / "review.html", ("--out", tmp_path / "c.csv")
    done("dedupe", file, *words, "--save-model", model, "--review", page)
    before = page_of(page)
    asked = next(item for item in before["items"] if item[1])
    known = before["records"][asked[2][0]][0]
    row = next(line for line in file.read_text().splitlines() if line.startswith(f"{known},"))
    file.write_text(file.read_text() + "".join(id + row.removeprefix(known) + "\n" for id in added))
    ran = done("dedupe", file, *words, "--model", model, "--review", page)
    assert "1 joined customer is not on the page" in ran.out
    after = page_of(page)
    assert {item[0] for item in before["items"]} - {item[0] for item in after["items"]} == {asked[0]}
    decisions = saved(after, tmp_path / "decisions.json", *["same"] * len(after["items"]))
    done("dedupe", file, *words, "--model", model, "--decisions", decisions, "--review", page)
    assert {item[0] for item in after["items"]}.isdisjoint(item[0] for item in page_of(page)["items"])


def test_a_customer_of_more_rows_than_a_decision_takes_is_not_asked_about_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_file, "NEAR", EVERYTHING)
    rows = "".join(f"{n},Ann Lee,ann@x.org\n" for n in range(MOST_RECORDS + 1))
    file, page = write(tmp_path, f"rec_id,full_name,email\n{rows}"), tmp_path / "review.html"
    ran = done("dedupe", file, "--out", tmp_path / "c.csv", "--review", page)
    assert "1 joined customer is not on the page: more than 1,000 rows" in ran.out
    assert page_of(page)["items"] == []


def test_an_item_has_the_same_id_whichever_row_comes_first(tmp_path: Path) -> None:
    page, found = tmp_path / "review.html", []
    lines = [f"{'x' * 400}{line}" for line in DOUBTFUL.splitlines()[1:]]
    for rows in (lines, lines[::-1]):
        file = write(tmp_path, "\n".join(["rec_id,full_name,phone", *rows]))
        done("dedupe", file, "--out", tmp_path / "c.csv", "--review", page)
        found.append({item[0] for item in page_of(page)["items"]})
    assert found[0] == found[1]
    assert {len(id) <= LONGEST_ID for id in found[0]} == {True}

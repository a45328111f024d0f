"""The words of a command: what is wrong with them is said in one sentence, which repeats none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import PEOPLE, done, refused, run, store_of, write

COMMANDS = ("import", "dedupe", "evaluate", "review page", "review apply", "show", "merge", "unmerge")
SECRET = "Zebulon"


def test_a_command_is_needed() -> None:
    assert "COMMAND" in refused(code=2)


@pytest.mark.parametrize("words", [["--help"], *([*name.split(), "--help"] for name in COMMANDS)])
def test_help_names_every_option_and_every_exit_code(words: list[str]) -> None:
    ran = done(*words)
    for code in ("  0  ", "  1  ", "  2  ", "  3  ", "  70 ", "  130"):
        assert f"\n{code}" in ran.out
    assert "--json" in ran.out or words == ["--help"]


@pytest.mark.parametrize(
    "words",
    [
        [SECRET],
        ["show", "Ann", SECRET, "--store", "crm.db"],
        ["show", "Ann", "--store", "crm.db", f"--name={SECRET}"],
        ["show", "Ann", "--store", "crm.db", "--name", SECRET],
        ["show", f"{SECRET}\0", "--store", "crm.db"],
        ["show", f"{SECRET}\udcff", "--store", "crm.db"],
        ["show", SECRET, "--store", "crm.db", "--region", SECRET],
        ["show", SECRET],
        ["show", SECRET, "--store", ""],
        ["show", SECRET, "--store", f"{SECRET}\0"],
        ["merge", SECRET, "--store", "crm.db"],
        ["merge", SECRET, "b", "--store", "crm.db", "--by", " "],
        ["merge", SECRET, "b", "--store", "crm.db", "--by", SECRET * 100],
        ["merge", SECRET, "b", "--store", "crm.db", "--reason", f"{SECRET}\udcff"],
        ["unmerge", "--store", "crm.db"],
        ["import", SECRET],
        ["import", "--store", "crm.db"],
        ["import", SECRET, "--store", "crm.db", "--map", SECRET],
        ["import", SECRET, "--store", "crm.db", "--map", f"{SECRET}="],
        ["import", SECRET, "--store", "crm.db", "--source", "  "],
        ["import", SECRET, "--store", "crm.db", "--source", SECRET * 100],
        ["import", SECRET, "--store", "crm.db", "--kind", SECRET],
        ["import", SECRET, "--store", "crm.db", "--date-order", SECRET],
        ["import", SECRET, SECRET, "--store", "crm.db", "--rejected", "r.csv"],
        ["dedupe"],
        ["dedupe", SECRET],
        ["dedupe", SECRET, "--store", "crm.db"],
        ["dedupe", SECRET, "--out", "c.csv", "--report", "r.html"],
        ["dedupe", "--store", "crm.db", "--out", "c.csv"],
        ["dedupe", "--store", "crm.db", "--summary", "s.json"],
        ["dedupe", "--store", "crm.db", "--map", f"{SECRET}=email"],
        ["dedupe", "--store", "crm.db", "--id-column", SECRET],
        ["evaluate", SECRET],
        ["evaluate", SECRET, SECRET, SECRET],
        ["evaluate", SECRET, SECRET, "--errors", ""],
        ["evaluate", SECRET, SECRET, "--id-column", f"{SECRET}\0"],
    ],
)
def test_wrong_words_end_in_one_sentence_that_repeats_none_of_them(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert SECRET not in refused(*words, code=2)
    assert not list(tmp_path.iterdir())


def test_an_option_cannot_be_abbreviated(tmp_path: Path) -> None:
    assert "--js" in refused("show", "Ann", "--store", tmp_path / "crm.db", "--js", code=2)


def test_a_reference_of_two_words_without_quotes_is_explained() -> None:
    assert "quotes" in refused("show", "Ann", "Lee", "--store", "crm.db", code=2)


@pytest.mark.parametrize("region", ["gb", "GB", "United Kingdom"])
def test_a_country_may_be_named_as_people_name_it(tmp_path: Path, region: str) -> None:
    store = store_of(tmp_path, "Id,Name,Phone\n1,Ann Lee,020 7946 0018\n", "--region", region)
    assert "Ann Lee" in done("show", "(020) 7946 0018", "--region", region, "--store", store).out


@pytest.mark.parametrize("delimiter", ["tab", r"\t", "\t", "TAB"])
def test_a_tab_can_be_typed(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, PEOPLE.replace(",", "\t"))
    ran = done("import", path, "--store", tmp_path / "crm.db", "--delimiter", delimiter, "--dry-run")
    assert "utf-8, tab, 3 rows" in ran.out


@pytest.mark.parametrize("word", ["-", "ignore"])
def test_a_column_can_be_left_out(tmp_path: Path, word: str) -> None:
    path = write(tmp_path)
    ran = done("import", path, "--store", tmp_path / "x", "--dry-run", "--map", f"Town={word}", "--json")
    assert ran.json[0]["kept"] == ["Id", "Town"]


def test_what_a_command_settles_is_settled_for_itself_alone(tmp_path: Path) -> None:
    import gc

    before = gc.get_threshold()
    run("show", "Ann", "--store", store_of(tmp_path))
    assert gc.get_threshold() == before

"""The examples run as a reader runs them, and what they print holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from crmcore import Crm
from tests.cli.commands import done
from tests.cli.test_dedupe_store import assert_harmless

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDS = 3_895


def run_example(name: str, folder: Path, arguments: Sequence[str] = ()) -> str:
    """Run ``run.py`` of a copy of an example, from the folder that holds the copy; what it prints."""
    ignore = shutil.ignore_patterns("build", "__pycache__")
    shutil.copytree(EXAMPLES / name, folder / name, ignore=ignore)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    ran = subprocess.run(
        [sys.executable, str(Path(name) / "run.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def of_children() -> float:
    """The seconds that processes which this one started, and saw end, have computed."""
    spent = os.times()
    return spent.children_user + spent.children_system


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What the large example prints; it is run once, within a minute of processor time."""
    started = of_children()
    text = run_example("one_customer_view", folder)
    assert of_children() - started < 60
    return text


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, f"no {pattern} in:\n{text}"
    return int(found[1].replace(",", ""))


def test_every_row_is_accounted_for(printed: str) -> None:
    assert f"inventors.csv   utf-8, comma, {RECORDS:,} rows, " in printed
    assert '"True Id" not used' in printed
    [(rows, parts)] = re.findall(r"^in ([\d,]+) = (.+)$", printed, re.MULTILINE)
    counts = [int(count.replace(",", "")) for count in re.findall(r"[a-z]+ ([\d,]+)", parts)]
    assert sum(counts) == int(rows.replace(",", "")) == RECORDS
    assert "rejected 0" in parts


def test_records_become_fewer_customers(printed: str) -> None:
    people = number(r"-> ([\d,]+) people", printed)
    organizations = number(r"people, ([\d,]+) organizations", printed)
    # A human's disambiguation knows 401 inventors.
    assert 380 <= people <= 425
    assert 0 < organizations < RECORDS
    assert number(r"\(([\d,]+) pairs? to review\)", printed) > 0


def test_one_customer_is_shown_with_where_every_value_comes_from(printed: str) -> None:
    assert re.search(r"^Hiroyuki Mizuno +25 records, \d+ sources$", printed, re.MULTILINE)
    for label in ("name", "employer", "contacts", "unknown"):
        assert re.search(rf"^  {label} +\S", printed, re.MULTILINE), label
    assert re.search(r"^  employer +Renesas", printed, re.MULTILINE)
    assert re.search(r"^  contacts +25 ", printed, re.MULTILINE)
    assert re.search(r"^  unknown +.*phone.*consent", printed, re.MULTILINE)


def test_a_wrong_merge_is_undone_without_a_trace(printed: str) -> None:
    [made] = re.findall(r"^merged by you: (\S+),", printed, re.MULTILINE)
    [(undone, said)] = re.findall(r"^unmerged (\S+): (.*)$", printed, re.MULTILINE)
    assert made == undone
    assert said == "digests identical to before"


def test_the_report_is_self_contained_and_escaped(printed: str, folder: Path) -> None:
    report = folder / "one_customer_view" / "build" / "report.html"
    assert f"open {report.relative_to(folder)}" in printed
    page = report.read_text(encoding="utf-8")
    assert_harmless(page)
    assert "Hiroyuki Mizuno" in page
    assert "Pairs to review" in page
    assert page.count("<svg") >= 1
    assert "&amp;" in page, "law firms have an ampersand in their names"
    assert not re.search(r"&(?!#?\w+;)", page)


def test_the_store_that_it_leaves_goes_on(printed: str, folder: Path) -> None:
    store = folder / "one_customer_view" / "build" / "crm.db"
    assert f"crmcore show 'Mizuno' --store {store.relative_to(folder)}" in printed
    assert done("show", "Mizuno", "--store", store).out.startswith("Hiroyuki Mizuno ")
    again = done("dedupe", "--store", store, "--json").json
    assert (again["merged"], again["written"]) == (0, 0)
    with Crm.open(store) as crm:
        filings = sum(
            len(crm.interactions.timeline(view.id, limit=1000).items)
            for view in [crm.customers.view("Hiroyuki Mizuno")]
        )
    assert filings == 25


def test_the_small_example_tells_its_story(tmp_path: Path) -> None:
    text = run_example("shared_mailbox", tmp_path)
    assert re.search(r"^4 records -> \d people, 1 organizations?", text, re.MULTILINE)
    assert "Jane Okafor" in text
    assert "2 records, 1 source" in text
    assert re.search(r"^  employer +Okafor & Daughters Ltd", text, re.MULTILINE)
    assert text.rstrip().endswith("2 customers share okafor@mail.example")
    source = (EXAMPLES / "shared_mailbox" / "run.py").read_text(encoding="utf-8")
    assert len([line for line in source.splitlines() if line.strip()]) <= 25

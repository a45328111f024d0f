"""``crmcore dedupe --store``: clusters in a store, and a report that anybody can open."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.commands import done, refused, store_of, write

HOSTILE = "<script>alert(1)</script>"
TWINS = f"""\
Id,Name,Email,Town,Employer,Seen
1,Ann Lee,ann@x.org,Leeds,{HOSTILE} Ltd,2020-01-01
2,Ann Lee,ann@x.org,Leeds,"O""><img src=http://x.org/i onerror=alert(1)> Ltd",2021-01-01
3,{HOSTILE} Hill,bo@x.org,York,,2022-01-01
4,{HOSTILE} Hill,bo@x.org,York,,2023-01-01
5,Bo Moss,,Hull,,
6,Bo Moss,,,,
"""
MAPPED = ["--map", "Employer=employer", "--map", "Seen=contact_date"]


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_harmless(page: str) -> None:
    """Nothing is fetched, nothing runs, and it fits a phone and a dark room."""
    elements = Elements()
    elements.feed(page)
    assert not [
        tag for tag, _ in elements.found if tag in ("script", "img", "link", "iframe", "object", "base")
    ]
    for _, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_of(tmp_path, TWINS, *MAPPED)


def test_equal_records_become_one_customer_and_a_second_run_writes_nothing(store: Path) -> None:
    ran = done("dedupe", "--store", store)
    assert ran.out.startswith("8 records -> ")
    assert len(done("show", "ann@x.org", "--store", store, "--json").json["view"]["members"]) == 2
    again = done("dedupe", "--store", store, "--json").json
    assert (again["records"], again["merged"], again["written"]) == (8, 0, 0)
    assert sum(again["customers"].values()) < 8


def test_a_report_is_self_contained_and_escaped(store: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    ran = done("dedupe", "--store", store, "--report", report)
    assert f"open {report}" in ran.out
    page = report.read_text(encoding="utf-8")
    assert_harmless(page)
    assert page.startswith("<!doctype html>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Hill" in page
    assert "Ann Lee" in page
    assert "Bo Moss" in page, "a doubtful pair waits for a person"
    assert re.search(r"crmcore merge \S{36} \S{36} --store crm\.db\b", page)


@pytest.mark.parametrize("place", ["crm.db", "crm.db-wal", "missing/report.html", ".", "people.csv/x"])
def test_a_report_is_never_written_over_the_store_nor_where_it_cannot_be(
    store: Path, tmp_path: Path, place: str
) -> None:
    before = store.read_bytes()
    assert "name another file" in refused("dedupe", "--store", store, "--report", tmp_path / place)
    assert store.read_bytes() == before
    done("show", "people#1", "--store", store)


def test_a_store_without_records_has_a_report_too(tmp_path: Path) -> None:
    store, report = tmp_path / "crm.db", tmp_path / "report.html"
    from crmcore import Crm

    Crm.open(store).close()
    assert "no records yet" in done("dedupe", "--store", store, "--report", report).out
    assert_harmless(report.read_text(encoding="utf-8"))
    assert done("dedupe", "--store", store, "--json").json["records"] == 0


def test_rows_of_a_file_and_records_of_a_store_are_judged_alike(tmp_path: Path) -> None:
    people = (
        "given_name,family_name,email,city\nAnn,Lee,ann@x.org,Leeds\nBo,Hill,,York\nAnn,Lee,ann@x.org,Leeds\n"
    )
    path = write(tmp_path, people)
    done("import", path, "--store", tmp_path / "crm.db")
    in_store = done("dedupe", "--store", tmp_path / "crm.db", "--json").json
    in_file = done("dedupe", path, "--json").json
    assert sum(in_store["customers"].values()) == in_file["clusters"] == 2

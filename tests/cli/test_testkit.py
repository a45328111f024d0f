"""`crmcore testkit` says what the kit found, in words, in JSON and by its exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

import crmcore.testing.running as running
import crmcore.testing.selftest as selftest
import crmcore.testing.verdicts as verdicts
from crmcore.storage import Key, MemoryStore
from crmcore.testing import Harness
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import REGISTRY, Guarantee
from crmcore.testing.promises import PROMISES
from crmcore.testing.shipped import memory
from crmcore.testing.zoo import MUTANTS
from crmcore.testing.zoo.mutant import Mutant
from tests.cli.commands import run

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
STORES = """
from crmcore.storage import MemoryStore
from crmcore.testing import conformance


def good(place):
    return MemoryStore()


class Bad(MemoryStore):
    def __init__(self, place):
        super().__init__()

    def fanout(self, tenant, keys, *, cap):
        return super().fanout(tenant, keys, cap=cap + 1)


def late(place):
    import helper_of_stores

    return helper_of_stores.made()


def torn(place):
    return {}["no such word"]


def takes_nothing():
    return MemoryStore()


def ends(place):
    raise SystemExit(0)


test_store = conformance(make=late, level="L2")
number = 7
"""


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with stores in the present folder."""
    name = f"stores_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(STORES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("crmcore.testing.machine.running.SECONDS", {"quick": 1.0})
    return name


def keys_of(document: Any) -> set[str]:
    nested = [*document.get("guarantees", ())[:1], *document.get("verdicts", ())[:1]]
    return {*document, *(key for part in nested for key in part)}


def ask_only(few: list[Guarantee], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no more than *few* checks: enough for a store that fails."""
    monkeypatch.setitem(running.run_kit.__kwdefaults__ or {}, "guarantees", few)


def test_a_good_store_passes_and_its_report_is_written(stores: str, tmp_path: Path) -> None:
    """What its module imports while the checks run is found in the present folder, in which nothing is left behind."""
    (tmp_path / "helper_of_stores.py").write_text("from crmcore.storage import MemoryStore as made\n")
    before = list(sys.path)
    done = run("testkit", "run", f"{stores}:test_store", "--report", "r.json", "--seed", "3")
    sys.modules.pop("helper_of_stores")
    assert (done.code, sys.path) == (0, before), done.out
    left = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert left == {f"{stores}.py", "helper_of_stores.py", "r.json"}
    assert "not asked: a_cancelled_batch_is_there_whole_or_not_at_all: no call of it ever waits" in done.out
    assert "G15 migration       NOT CLAIMED (what is only in memory" in done.out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["passed"], report["level"], report["seed"], report["engine"]) == (True, "L2", 3, "memory")
    assert [one["id"] for one in report["guarantees"]] == list(PROMISES)
    assert report["checks"] == len(report["verdicts"]) == len(REGISTRY)
    assert [key for key in sorted(keys_of(report)) if f"`{key}`" not in PAGE] == []


def test_a_bad_store_fails_with_the_check_and_exit_code_1(
    stores: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_only([one for one in GUARANTEES if one.id == "G5"], monkeypatch)
    done = run("testkit", "run", f"{stores}:Bad", "--level", "L4", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    (indexes,) = [one for one in report["guarantees"] if one["id"] == "G5"]
    assert indexes["status"] == "FAIL"
    assert indexes["messages"][0].startswith("fanout_counts_to_its_cap: ")
    assert any("L4 asks for durable" in one for one in report["problems"])
    assert "does not keep what it promises" in done.err


@pytest.mark.parametrize("target", ["no_such_module:x", "{}:nothing", "{}:number", "{}"])
def test_a_name_that_makes_no_store_is_a_wrong_word(stores: str, target: str) -> None:
    done = run("testkit", "run", target.format(stores))
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    ("name", "place"), [("torn", "{}.py:"), ("takes_nothing", "subjects.py:"), ("ends", "{}.py:")]
)
def test_what_the_authors_function_raises_is_told_as_theirs(stores: str, name: str, place: str) -> None:
    done = run("testkit", "run", f"{stores}:{name}")
    assert (done.code, done.out) == (2, "")
    assert f"{stores}:{name} raised " in done.err
    assert place.format(stores) in done.err
    assert "crmcore itself" not in done.err


@pytest.mark.parametrize("line", ["1 / 0", "def (", "undefined", "os.sys.exit()", "raise SystemExit(0)"])
def test_what_the_authors_module_raises_is_told_as_theirs(stores: str, tmp_path: Path, line: str) -> None:
    name = f"broken_{abs(hash((str(tmp_path), line)))}"
    (tmp_path / f"{name}.py").write_text(f"import os\n{line}\n")
    done = run("testkit", "run", f"{name}:make")
    assert (done.code, done.out) == (2, "")
    assert f"{name}.py:2" in done.err


def test_a_store_that_holds_something_is_told_so(stores: str, tmp_path: Path) -> None:
    (tmp_path / f"used_{stores}.py").write_text(
        "from crmcore.storage import MemoryStore\n\n\ndef make(place):\n    return MemoryStore(exclusive=())\n"
    )
    done = run("testkit", "run", f"used_{stores}:make")
    assert done.code == 2
    assert "exclusive" in done.err


def test_a_mutant_that_survives_fails_the_selftest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Good(Mutant):
        caught_by = "a_batch_is_applied_as_a_whole"

    few = [one for one in MUTANTS if one.__name__ in ("LostUpdate", "FoldsCase")]
    monkeypatch.setattr(selftest, "MUTANTS", (*few, Good))
    monkeypatch.setattr(selftest, "REFERENCES", {})
    done = run("testkit", "selftest", "--json")
    found = json.loads(done.out)
    assert (done.code, found["survived"], found["killed"]) == (1, ["Good"], ["FoldsCase", "LostUpdate"])
    assert [key for key in sorted(keys_of(found)) if f"`{key}`" not in PAGE] == []
    assert "! Good survived" in run("testkit", "selftest").out


class CountsTooMany(MemoryStore):
    def __init__(self, place: Path) -> None:
        super().__init__()

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return super().fanout(tenant, keys, cap=cap + 1)


@pytest.mark.parametrize(
    ("reference", "ended"),
    [
        (Harness(make=memory), "passed"),
        (Harness(make=memory, level="L3"), "failed"),
        (Harness(make=CountsTooMany), "failed"),
    ],
)
def test_a_good_store_that_fails_fails_the_selftest(
    reference: Harness, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a kit that has one check and is whole otherwise, so that nothing but the store decides."""
    check = REGISTRY["fanout_counts_to_its_cap"]
    ask_only([check], monkeypatch)
    monkeypatch.setattr(verdicts, "MANIFEST", {check.name: check.id})
    monkeypatch.setattr(verdicts, "PROMISES", {check.id: PROMISES[check.id]})
    monkeypatch.setattr(selftest, "REGISTRY", {check.name: check})
    about = [one for one in MUTANTS if one.caught_by == check.name]
    monkeypatch.setattr(selftest, "MUTANTS", about)
    monkeypatch.setattr(selftest, "REFERENCES", {"memory": reference})
    done = run("testkit", "selftest")
    assert done.code == (0 if ended == "passed" else 1), done.out
    assert f"memory    {ended}" in done.out
    assert f"{len(about)} of {len(about)} mutant" in done.out


def test_a_module_alone_is_asked_for_what_makes_the_store() -> None:
    done = run("testkit", "run", "crmcore.testing.shipped")
    assert done.code == 2
    assert "module:name" in done.err

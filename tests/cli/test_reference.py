"""The reference of the command line leaves nothing out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crmcore.cli.terminal import EXIT_CODES
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.fields import FIELDS
from tests.cli.backups import damage, erase_everything
from tests.cli.commands import PEOPLE, done, looked_at, store_of, write
from tests.cli.reviewing import doubtful_store, page_of, saved

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
COMMANDS = (
    *("import", "dedupe", "link", "evaluate", "review page", "review apply", "show", "merge", "unmerge"),
    *("backup", "restore", "verify", "erasures", "consent check"),
    *("consent audience", "consent diff", "consent explain", "consent lint", "consent schema"),
    *("testkit run", "testkit selftest"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_explained(command: str) -> None:
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", done(*command.split(), "--help").out)) - {"--help"}
    assert "--json" in options
    usages = "".join(re.findall(rf"crmcore {command} [^`]*?```", PAGE))
    assert {option for option in options if option not in usages} == set()


def test_every_exit_code_is_explained_as_help_does() -> None:
    codes = dict(re.findall(r"^  (\d+) +(.*)$", EXIT_CODES, re.MULTILINE))
    assert codes == dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE))


def test_every_field_and_every_code_of_a_rejected_row_is_there() -> None:
    assert [name for name in (*FIELDS, *MESSAGES) if f"`{name}`" not in PAGE] == []


def reviewed(folder: Path) -> Any:
    """What applying decisions prints that somebody has decided otherwise meanwhile."""
    (folder / "doubtful").mkdir()
    store, page = doubtful_store(folder / "doubtful"), folder / "review.html"
    done("review", "page", "--store", store, "--out", page)
    data = page_of(page)
    done("merge", *(data["records"][at][0] for at in data["items"][0][2]), "--store", store)
    decisions = saved(data, folder / "decisions.json", "different", "same", by="ada")
    return looked_at("review", "apply", decisions, "--store", store, "--json").json


def test_every_key_of_a_file_of_decisions_is_there(tmp_path: Path) -> None:
    reviewed(tmp_path)
    document = json.loads((tmp_path / "decisions.json").read_text())
    keys = {*document, *document["page"], *document["decisions"][0], "apart", "note", "at"}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def kept(folder: Path, store: Path) -> list[Any]:
    """What the commands print that keep a store, with an erasure and a damage in it."""
    file, second, third = folder / "crm.backup", folder / "second.db", folder / "third.db"
    documents = [done("backup", store, file, "--json").json]
    erase_everything(store)
    documents += [
        done("restore", file, second, "--erasures-of", store, "--json").json,
        *done("erasures", store, "--json").json,
        done("verify", file, "--json").json,
    ]
    done("restore", file, third)
    damage(third)
    documents.append(looked_at("verify", third, "--json").json)
    assert documents[-1]["problems"]
    parts = [
        document[key]
        for document in documents
        for key in ("manifest", "restored", "store")
        if key in document
    ]
    return [*documents, *parts, *documents[-1]["problems"]]


def test_every_key_of_what_is_said_of_packs_is_there(tmp_path: Path) -> None:
    cases = write(
        tmp_path,
        "id,jurisdiction,channel,purpose,facts,at,expected,deciding_rule,citation,confidence\n"
        "1,DE,email,marketing,{},2026-05-12T10:00:00+02:00,allow,,,medium\n",
        "cases.csv",
    )
    checked = done("consent", "check", cases, "--json").json
    linted = done("consent", "lint", "--json").json
    keys = {*checked, *checked["disagreements"][0], *linted, *linted["findings"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []
    assert linted["errors"] == 0


def test_every_key_of_an_explanation_and_of_a_matrix_is_there(tmp_path: Path) -> None:
    asked = ("consent", "explain", "Ann", "--store", store_of(tmp_path), "--json")
    told = done(*asked, "--purpose", "marketing", "--channel", "email").json
    matrix = done(*asked, "--matrix").json
    keys = {*told, *told["trace"][0], *matrix, *matrix["rows"][0]}
    section = PAGE[PAGE.index("## consent explain") : PAGE.index("## consent lint")]
    assert [key for key in sorted(keys) if f"`{key}`" not in section] == []


def test_every_key_of_every_document_is_there(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    bad = write(tmp_path, PEOPLE + "4,,,,Leeds\n", "bad.csv")
    merged = done("merge", "Ann", "Bo", "--store", store, "--json").json
    clusters = write(tmp_path, "rec_id,cluster\n1,0\n2,0\n", "clusters.csv")
    truth = write(tmp_path, "rec_id,cluster\n1,0\n2,1\n", "truth.csv")
    write(tmp_path, PEOPLE, "others.csv")
    labels = write(tmp_path, "rec_id_a,rec_id_b,same\n2,3,no\n", "labels.csv")
    documents: list[Any] = [
        looked_at("import", bad, "--store", store, "--json").json,
        done("dedupe", "--store", store, "--json").json,
        done("dedupe", tmp_path / "people.csv", "--labels", labels, "--json").json,
        done("link", tmp_path / "people.csv", tmp_path / "others.csv", "--json").json,
        done("evaluate", clusters, truth, "--json").json,
        done("show", "Ann", "--store", store, "--json").json,
        merged,
        done("review", "page", "--store", store, "--out", tmp_path / "review.html", "--json").json,
        reviewed(tmp_path),
        done("unmerge", merged["judgement"]["id"], "--different", "--store", store, "--json").json,
        *kept(tmp_path, store),
    ]
    keys: set[str] = set()
    for document in documents:
        for part in document if isinstance(document, list) else [document]:
            keys |= {*part, *part.get("counts", ()), *part.get("view", ()), *part.get("bcubed", ())}
            keys |= {key for size in part.get("by_found", ()) for key in size}
            keys |= {key for file in part.get("files", ()) for key in file} | {*(part.get("labels") or ())}
            keys |= {key for refusal in part.get("refused", ()) for key in refusal}
            keys |= {key for notice in part.get("notices", ()) for key in notice}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []

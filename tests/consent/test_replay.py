"""``crmcore consent check``: the table of what laws answer agrees, and a wrong row, file or key is said."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crmcore.consent.replay import replay
from crmcore.consent.vectors import read_vectors
from crmcore.errors import InvalidConsent
from tests.cli.commands import done, run

TABLE = Path(__file__).parent / "decision_vectors.csv"
COLUMNS = "id jurisdiction channel purpose facts at expected deciding_rule citation confidence".split()


def table(folder: Path, **changes: str) -> Path:
    row = dict.fromkeys(COLUMNS, "x") | {
        "jurisdiction": "EU",
        "channel": "email",
        "purpose": "marketing",
        "facts": "{}",
        "at": "2026-05-12T10:00:00+02:00",
        "expected": "deny",
        "confidence": "high",
    }
    path = folder / "vectors.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerow(row | changes)
    return path


def test_every_row_of_the_table_agrees() -> None:
    document = done("consent", "check", TABLE, "--json").json
    assert (document["total"], document["agree"], document["disagreements"]) == (240, 240, [])


def test_a_row_that_the_packs_answer_otherwise_is_shown_with_its_reasons(tmp_path: Path) -> None:
    wrong = table(tmp_path, expected="allow")
    document = run("consent", "check", wrong, "--json").json
    assert run("consent", "check", wrong).code == 1
    assert document["disagreements"] == [
        {"id": "x", "confidence": "high", "expected": "allow", "got": "deny", "rule": None}
    ]
    assert "nobody said yes" in run("consent", "check", wrong).out


def test_a_doubtful_row_is_shown_and_does_not_fail(tmp_path: Path) -> None:
    doubtful = table(tmp_path, expected="allow", confidence="medium")
    assert "the table says allow" in done("consent", "check", doubtful).out


@pytest.mark.parametrize(
    ("name", "told"),
    [("US-ZZ", "the law of US"), ("BT", "the strict baseline"), ("EU", ""), ("US-CA", ""), ("*", "")],
)
def test_a_jurisdiction_of_which_no_pack_speaks_is_named(name: str, told: str, tmp_path: Path) -> None:
    cases = table(tmp_path, jurisdiction=name, channel="voice")
    assert run("consent", "check", cases, "--json").json["without_pack"] == ([name] if told else [])
    named = f"no pack speaks of {name}: its cases were judged by {told} alone"
    assert (named in run("consent", "check", cases).out) is bool(told)


@pytest.mark.parametrize(
    "changes",
    [
        {"facts": "{"},
        {"facts": '{"no_such_key": 1}'},
        {"facts": '{"rel": {"no_such_key": 1}}'},
        {"facts": '{"consents": [{"act": "give", "t": "yesterday"}]}'},
        {"facts": '{"tz": "Mars/Olympus"}'},
        {"channel": "telepathy"},
        {"purpose": "fun"},
        {"at": "noon"},
        {"expected": "perhaps"},
        {"confidence": "hihg"},
        {"confidence": ""},
        {"jurisdiction": "UK"},
        {"facts": '{"sender_kind": "pirate"}'},
        {"facts": "[]"},
    ],
)
def test_a_row_that_cannot_be_read_is_named(changes: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InvalidConsent, match="row x"):
        list(replay(read_vectors(table(tmp_path, **changes))))


def test_a_table_needs_no_more_columns_than_it_is_told_by_and_may_come_from_a_spreadsheet(
    tmp_path: Path,
) -> None:
    path = tmp_path / "few.csv"
    text = table(tmp_path, confidence=" HIGH", expected="allow").read_text(encoding="utf-8")
    few = [
        ",".join(
            field for name, field in zip(COLUMNS, line.split(","), strict=True) if name not in COLUMNS[7:9]
        )
        for line in text.splitlines()
    ]
    path.write_text("\ufeff" + "\n".join(few), encoding="utf-8")
    (vector,) = read_vectors(path)
    assert (vector.id, vector.confidence, vector.rule, vector.citation) == ("x", "high", "", "")
    assert run("consent", "check", path).code == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{header}\nx,EU", "as many fields"),
        ("{header}\nx,EU,email,marketing,{{}},2026-05-12T10:00:00Z,deny,r,c,high,more", "as many fields"),
        ("id,facts\nx,{{}}", "no column jurisdiction, channel"),
        ("{header}\nx,EU,email,marketing," + "x" * 200_000, "the table cannot be read"),
        ("{header}\nx\x00\xff", "no UTF-8"),
    ],
)
def test_a_file_that_is_no_table_ends_in_a_sentence(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "no.csv"
    path.write_bytes(text.format(header=",".join(COLUMNS)).encode("latin-1"))
    failed = run("consent", "check", path)
    assert failed.code == 1
    assert says in failed.err

"""``crmcore consent audience`` and ``diff``: they count what the library decides, and bad words end in a sentence."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.cli import audience_commands
from crmcore.cli.terminal import INTERRUPTED
from crmcore.consent import AudienceCount, AudienceMember, Evidence, Facts, Message, Wished
from crmcore.consent.audience import reason_of
from crmcore.serde import dump
from tests.app.houses import Clock
from tests.cli.commands import done, refused, run
from tests.consent.asking import PRACTICE

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WHEN = ("--at", NOON.isoformat(), "--jurisdiction", "de")
DRAFT = """
id = "de_draft"
jurisdiction = "DE"
name = "Germany, as drafted"
version = "draft"
includes = ["de"]

[[rule]]
id = "de_draft.none"
stage = "stop"
effect = "deny"
purpose = "marketing"
when = { "request.channel" = "email" }
text = "Nobody is written to."
cite = "a draft"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann, who agreed; Bo, who took it back; Cy, whose address a spreadsheet would run; and Di, who has none."""
    path = tmp_path_factory.mktemp("audience") / "crm.db"
    with Crm.open(path, practice=PRACTICE, clock=Clock(datetime(2026, 5, 1, tzinfo=UTC))) as crm:
        for name, address in (("Ann Lee", "ann@x.org"), ("Bo Ek", "bo@x.org"), ("Cy Orr", "=cmd@x.org")):
            crm.parties.add(Person.of(name, email=address))
        crm.parties.add(Person.of("Di Rae"))
        yes: Any = {"purposes": ["marketing"], "channels": ["email"]}
        shown = Evidence.double_opt_in(notice="newsletter", version="3", given_by="self")
        for address in ("ann@x.org", "bo@x.org"):
            crm.consent.record("give", address, evidence=shown, **yes)
        crm.consent.withdraw("bo@x.org", **yes)
    return path


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    path = tmp_path / "practice.json"
    path.write_text(json.dumps({**dump(PRACTICE), "offered_to_children": False}))
    return path


def test_it_counts_what_the_library_decides(store: Path, practice: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    ran = done(
        "consent", "audience", "--store", store, *WHEN, "--practice", practice, "--out", rows, "--json"
    )
    ours = attrs.evolve(PRACTICE, offered_to_children=False)
    with Crm.open(store, practice=ours) as crm:
        audience = list(
            crm.consent.audience(
                purpose="marketing",
                channel="email",
                message=Message.marketing(),
                jurisdictions=["DE"],
                at=NOON,
                facts=Facts(),
            )
        )
    assert ran.json == json.loads(json.dumps(attrs.asdict(AudienceCount.of(audience))))
    assert (ran.json["total"], ran.json["allowed"]) == (4, 1)
    with rows.open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [(row["point"], row["answer"]) for row in told] == [
        ("ann@x.org", "allow"),
        ("bo@x.org", "deny"),
        ("'=cmd@x.org", "deny"),
        ("", "unreachable"),
    ]
    assert [row["customer"] for row in told] == [str(one.customer) for one in audience]


def test_it_says_the_count_in_words(store: Path, practice: Path) -> None:
    out = done("consent", "audience", "--store", store, *WHEN, "--practice", practice).out
    assert out.splitlines()[0] == "1 of 4 may be contacted"
    assert "no contact point for this channel" in out


def test_wishes_are_heard_if_asked_for(store: Path, practice: Path) -> None:
    with Crm.open(store, practice=PRACTICE) as crm:
        crm.preferences.record("ann@x.org", Wished(channels={"post"}), said_at=NOON - timedelta(days=1))
    words = ("consent", "audience", "--store", store, *WHEN, "--practice", practice, "--json")
    assert [done(*words, *more).json["allowed"] for more in ((), ("--wishes",))] == [1, 0]


def test_packs_are_compared_over_every_customer(store: Path, practice: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text(DRAFT)
    words = ("--store", store, *WHEN, "--practice", practice)
    found = done("consent", "diff", "de", draft, *words, "--json").json
    assert (found["total"], found["same"], found["gained"], found["lost"]) == (4, 3, 0, 1)
    assert [(one["count"], one["before"], one["after"], one["rule_after"]) for one in found["moved"]] == [
        (1, "allow", "deny", "de_draft.none")
    ]
    back = done("consent", "diff", draft, "de", *words, "--json").json
    assert (back["gained"], back["lost"]) == (1, 0)
    assert "no answer changes" in done("consent", "diff", "de", "de", *words).out
    elsewhere = done("consent", "diff", "de", "strict", *words, "--json").json
    assert elsewhere["moved"], "the second pack stands for the jurisdiction of the first"
    draft.write_text(DRAFT.replace('version = "draft"', 'version = "\\u001b[31mred"'))
    assert "\x1b" not in done("consent", "diff", "de", draft, *words).out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("diff", "de", "nowhere.toml"), "there is no such pack"),
        (("diff", "de", "broken.toml"), "is no TOML"),
        (("diff", "latin.toml", "de"), "is no UTF-8"),
        (("diff", "de", "folder"), "there is no such pack"),
        (("audience", "--facts", "broken.toml"), "broken.toml"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    (tmp_path / "broken.toml").write_text("id = ")
    (tmp_path / "latin.toml").write_bytes(b"id = '\xe4'")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert says in refused("consent", *words, "--store", store)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refused("consent", "audience", "--store", tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_rows_are_not_written_over_the_store(store: Path) -> None:
    before = store.read_bytes()
    refused("consent", "audience", "--store", store, "--out", store)
    assert store.read_bytes() == before


def test_rows_are_there_when_all_are(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("what was there before")
    asked = 0

    def interrupted(one: AudienceMember) -> str:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise KeyboardInterrupt
        return reason_of(one)

    monkeypatch.setattr(audience_commands, "reason_of", interrupted)
    assert run("consent", "audience", "--store", store, "--out", rows).code == INTERRUPTED
    assert rows.read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    monkeypatch.undo()
    done("consent", "audience", "--store", store, "--out", rows)
    assert len(rows.read_text().splitlines()) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]

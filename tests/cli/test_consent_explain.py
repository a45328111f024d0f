"""``crmcore consent explain``: what it prints is what the library decides, and bad words end in a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import Evidence, Facts, Message, Practice, Subject
from crmcore.serde import dump
from tests.app.houses import Clock
from tests.cli.commands import Ran, done, refused, run, sentence
from tests.consent.asking import PRACTICE

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EMAIL = ("--purpose", "marketing", "--channel", "email")
WHEN = ("--at", NOON.isoformat(), "--jurisdiction", "de")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann, who agreed on the first of May and took it back on the third; and two others who share a name."""
    path = tmp_path_factory.mktemp("explained") / "crm.db"
    clock = Clock(datetime(2026, 5, 1, tzinfo=UTC))
    with Crm.open(path, practice=PRACTICE, clock=clock) as crm:
        for draft in (
            Person.of("Ann Lee", email="ann@x.org").with_email("lee@x.org"),
            Person.of("Bo Hill", email="bo@x.org"),
            Person.of("Bo Hill", email="hill@x.org"),
        ):
            crm.parties.add(draft)
        yes: Any = {"purposes": ["marketing"], "channels": ["email"]}
        shown = Evidence.double_opt_in(notice="newsletter", version="3", given_by="self")
        crm.consent.record("give", "ann@x.org", evidence=shown, **yes)
        crm.consent.record("give", "bo@x.org", evidence=shown, topics=["news"], brand="A", **yes)
        clock.now = datetime(2026, 5, 3, tzinfo=UTC)
        crm.consent.withdraw("ann@x.org", **yes)
    return path


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    path = tmp_path / "practice.json"
    path.write_text(json.dumps({**dump(PRACTICE), "offered_to_children": False}))
    return path


def explained(store: Path, *words: object) -> Ran:
    return done("consent", "explain", words[0], "--store", store, *words[1:])


def test_it_prints_what_the_library_decides(store: Path, practice: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    words = ("ann@x.org", *EMAIL, *WHEN, "--practice", practice, "--html", page)
    with Crm.open(store, practice=PRACTICE) as crm:
        found = crm.consent.decide(
            "ann@x.org",
            purpose="marketing",
            channel="email",
            jurisdictions=["DE"],
            message=Message.marketing(),
            at=NOON,
            offered_to_children=False,
        )
    assert explained(store, *words).out == found.explain() + "\n"
    assert found.answer == "deny"
    document = explained(store, *words, "--json").json
    assert document["explanation"] == found.explain().splitlines()
    assert (document["answer"], document["rule"], document["missing"]) == (found.answer, found.rule, [])
    assert len(document["trace"]) == len(found.trace)
    assert "<h1>" in page.read_text(encoding="utf-8")


def test_it_is_asked_as_it_was_known_and_of_the_point_that_is_named(store: Path, practice: Path) -> None:
    ours = (*EMAIL, *WHEN, "--practice", practice)
    early = ("--at", "2026-05-02T00:00+00:00", "--jurisdiction", "DE", "--practice", practice)
    assert explained(store, "ann@x.org", *EMAIL, *early).out.startswith("Yes (allow)")
    assert explained(store, "Ann Lee", "--point", "ann@x.org", *EMAIL, *early).out.startswith("Yes (allow)")
    assert explained(store, "Ann Lee", "--point", "lee@x.org", *EMAIL, *early).out.startswith("No (deny)")
    before = ("--known-at", "2026-04-30T00:00Z")
    assert "withdrawn" in explained(store, "ann@x.org", *ours).out
    assert "nobody said yes" in explained(store, "ann@x.org", *ours, *before).out
    assert "Nothing permits" in explained(store, "ann@x.org", *EMAIL, *early[:4]).out
    named = ("--controller", "northwind")
    assert "To be found out" in explained(store, "ann@x.org", *EMAIL, *early[:4], *named).out


def test_a_brand_and_a_topic_are_asked_about(store: Path, practice: Path) -> None:
    words = ("bo@x.org", *EMAIL, *WHEN, "--practice", practice)
    about = ("--brand", "A", "--topic", "news")
    assert explained(store, *words, *about).out.startswith("Yes (allow)")
    for part in ((), about[:2], about[2:], ("--brand", "A", "--topic", "sale")):
        assert explained(store, *words, *part).out.startswith("No (deny)")


def test_facts_that_are_told_change_the_answer(store: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(dump(Facts(subject=Subject(deceased=True)))))
    words = ("ann@x.org", "--purpose", "service", "--channel", "email", *WHEN, "--kind", "reminder", "--json")
    assert explained(store, *words).json["answer"] == "allow"
    told = explained(store, *words, "--facts", facts).json
    assert (told["answer"], told["rule"]) == ("deny", "eu.deceased")


def test_the_matrix_has_a_row_for_each_purpose_channel_and_point(
    store: Path, practice: Path, tmp_path: Path
) -> None:
    page = tmp_path / "matrix.html"
    words = ("Ann Lee", "--matrix", *WHEN, "--practice", practice, "--kind", "receipt", "--html", page)
    rows = explained(store, *words, "--json").json["rows"]
    points = ("ann@x.org", "lee@x.org")
    assert [(row["purpose"], row["point"]) for row in rows] == [
        (purpose, point) for purpose in ("marketing", "service", "transactional") for point in points
    ]
    assert [row["answer"] for row in rows] == ["deny"] * 2 + ["allow"] * 4
    text = explained(store, *words).out
    assert text.count("ann@x.org") == page.read_text(encoding="utf-8").count("ann@x.org") == 3
    one = explained(
        store, *words, "--purpose", "research", "--channel", "email", "--channel", "push", "--json"
    )
    assert [(row["purpose"], row["channel"]) for row in one.json["rows"]] == [
        *(("research", "email"),) * 2,
        ("research", "push"),
    ]


def test_a_reference_that_fits_several_lists_them(store: Path) -> None:
    ran = run("consent", "explain", "Bo Hill", "--store", store, *EMAIL)
    assert ran.code == 1
    assert ran.out.count("Bo Hill, 1 record") == 2
    assert "fits 2 customers" in sentence(ran.err)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--purpose is needed"),
        (["--purpose", "marketing"], 2, "--channel is needed"),
        ([*EMAIL, "--purpose", "service"], 2, "--purpose is needed, once"),
        (["--purpose", "ads", "--channel", "email"], 2, "--purpose is none of"),
        (["--purpose", "marketing", "--channel", "pigeon"], 2, "--channel is none of"),
        ([*EMAIL, "--at", "yesterday"], 2, "--at takes an instant"),
        ([*EMAIL, "--at", "2026-05-04T10:00"], 2, "--at takes an instant"),
        ([*EMAIL, "--at", "0001-01-01T00:00+14:00"], 2, "--at takes an instant"),
        ([*EMAIL, "--known-at", "9999-12-31T23:59-14:00"], 2, "--known-at takes an instant"),
        ([*EMAIL, "--jurisdiction", "Germany"], 2, "--jurisdiction takes"),
        ([*EMAIL, "--point", "ann@x.org", "--jurisdiction", "uk"], 1, "write 'GB'"),
        ([*EMAIL, "--point", "nobody@x.org"], 1, "no record of this customer"),
        (EMAIL, 1, "has 2 contact points for email: name the point that is meant"),
        ([*EMAIL, "--point", "ann@x.org", "--kind", "Gross & <b>"], 1, "small letters"),
        (["--matrix", "--html", "{store}"], 1, "would be lost"),
        (["--matrix", "--html", "{folder}/none/x.html"], 1, "no such folder"),
        (["--matrix", "--practice", "{folder}/none.json"], 1, "none.json cannot be read"),
    ],
)
def test_what_makes_no_sense_ends_in_a_sentence(
    store: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    filled = [word.format(store=store, folder=tmp_path) for word in words]
    assert said in refused("consent", "explain", "Ann Lee", "--store", store, *filled, code=code)


def test_nobody_and_no_store_are_refused(store: Path, tmp_path: Path) -> None:
    refused("consent", "explain", "nobody", "--store", store, "--matrix")
    refused("consent", "explain", "Ann Lee", "--store", tmp_path / "none.db", "--matrix")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("\udcff", "no JSON"),
        ("[]", "does not fit its type at $"),
        ('{"controller_kind": "secret shop"}', "$.controller_kind"),
        ('{"marketing": {"promotion": "secret"}}', "$.marketing.promotion"),
        ('{"markting": {}}', "it has a key"),
        ('{"marketing": {"secret": true}}', "marketing has a key"),
        ('{"forms": [{"notice": "n", "secret": true}]}', "forms has a key"),
        ('{"forms": [{"notice": "n"}, {"notice": "n"}]}', "does not fit its type at $"),
        ('{"marketing": {"kind": "Secret Kind"}}', "$.marketing"),
    ],
)
def test_a_file_that_holds_no_practice_is_refused_without_its_values(
    store: Path, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "practice.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    told = refused("consent", "explain", "Ann Lee", "--store", store, "--matrix", "--practice", file)
    assert said in told
    assert "ecret" not in told
    assert "practice.json holds no Practice" in told
    assert Practice.__name__ in told

"""What looking a pack over finds: each kind of mistake, and none in the packs that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmcore.consent.linting import Linted, lint
from crmcore.consent.pack_reading import read_pack, shipped_laws, shipped_packs
from tests.cli.commands import run

HEAD = 'id = "xx"\njurisdiction = "XX"\nname = "X"\nversion = "1"\nincludes = ["eu"]\n'
PERMIT = 'stage = "permit"\neffect = "permit"\ntext = "."\ncite = "Act 1"\n'
DENY = 'effect = "deny"\ntext = "."\ncite = "Act 1"\n'
MAIL = 'channel = "email"\npurpose = "marketing"\n'


def rule(name: str, *lines: str) -> str:
    return f'[[rule]]\nid = "xx.{name}"\n' + "".join(lines)


def number(value: int, dates: str, cite: str = "Act 1") -> str:
    return f'[[number]]\nname = "age"\nvalue = {value}\nin_force = "{dates}"\ncite = "{cite}"\n'


def looked_over(text: str) -> Linted:
    pack = read_pack(HEAD + text)
    return lint([pack], {**shipped_packs(), pack.id: pack})


GRACE = '[[grace]]\nchannel = "email"\ndays = 3\ncounting = "days"\ncite = "Act 1"\n'
AFTER_NO = rule("a", PERMIT, MAIL, "when = { no = 'withdraw' }\n")
MISTAKES = [
    ("defeated_by", rule("a", PERMIT, MAIL, 'defeated_by = ["xx.none"]\n')),
    ("without", 'without = ["eu.none"]\n'),
    ("includes", "[profile.a]\nconsent = 'b'\n[profile.b]\nconsent = 'a'\n"),
    ("profile", 'lifts = "none"\n'),
    ("profile", rule("a", PERMIT, MAIL, "when = { consent = 'none' }\n")),
    (
        "profile",
        rule("a", DENY, "stage = 'no'\n", "when = { no = { kinds = 'object', lifts = 'none' } }\n"),
    ),
    ("number", rule("a", PERMIT, MAIL, "when = { age = { at_least = 'none' } }\n")),
    ("twice", rule("a", PERMIT, MAIL) + rule("a", DENY, "stage = 'stop'\n")),
    ("twice", rule("a", PERMIT, MAIL).replace("xx.a", "eu.consent")),
    ("never_in_force", rule("a", PERMIT, MAIL, 'in_force = "2020-01-02/2020-01-01"\n')),
    ("never_in_force", number(14, "2020-01-02/2020-01-01")),
    (
        "contradiction",
        rule(
            "a",
            PERMIT,
            MAIL,
            "when = { all = [{ 'subject.kind' = 'consumer' }, { 'subject.kind' = 'corporate' }] }\n",
        ),
    ),
    (
        "contradiction",
        rule(
            "a",
            PERMIT,
            MAIL,
            "when = { 'subject.kind' = 'llp', not = { 'subject.kind' = ['llp', 'corporate'] } }\n",
        ),
    ),
    ("contradiction", rule("a", PERMIT, MAIL, "when = { 'request.channel' = 'sms' }\n")),
    (
        "contradiction",
        rule("a", PERMIT, MAIL, "when = { related = 'purchase', not = { related = 'purchase' } }\n"),
    ),
    ("contradiction", rule("a", PERMIT, MAIL, "when = { any = [] }\n")),
    ("no_such_value", rule("a", PERMIT, MAIL, "when = { 'subject.kind' = 'person' }\n")),
    ("no_such_value", "[profile.p]\n'evidence.kind' = 'nod'\n"),
    (
        "becomes",
        rule("a", "stage = 'classify'\neffect = 'classify'\ntext = '.'\ncite = 'Act 1'\nbecomes = 'sport'\n"),
    ),
    (
        "never_decides",
        'without = ["eu.consent", "eu.processor"]\n'
        + rule("a", DENY, "stage = 'time'\nchannel = 'voice'\npurpose = 'third_party_sharing'\n"),
    ),
    ("stage", rule("a", PERMIT, MAIL).replace('"permit"', '"form"', 1)),
    ("polarity", AFTER_NO),
    ("polarity", rule("a", PERMIT, MAIL, "when = { listed = 'tps' }\n")),
    ("polarity", rule("a", PERMIT, MAIL, "when = { tried = { times = 3, days = 1 } }\n")),
    ("polarity", rule("a", DENY, "stage = 'stop'\n", "unless = { no = 'object' }\n")),
    ("polarity", rule("a", DENY, "stage = 'stop'\n", "when = { not = { listed = 'tps' } }\n")),
    (
        "polarity",
        rule("a", DENY, "stage = 'stop'\n", 'defeated_by = ["xx.b"]\n')
        + rule("b", DENY, "stage = 'no'\n", "when = { no = 'object' }\n"),
    ),
    ("identical", rule("a", PERMIT, MAIL) + rule("b", PERMIT, MAIL)),
    ("implied", rule("a", PERMIT, MAIL) + rule("b", PERMIT, MAIL, "when = { related = 'purchase' }\n")),
    ("overlap", number(14, "/2020-12-31") + number(15, "2020-12-31/")),
    ("gap", number(14, "/2020-12-30") + number(15, "2021-01-01/")),
    ("citation", number(14, "/", cite=" ")),
    ("counting", '[[grace]]\nchannel = "email"\ndays = 3\ncounting = "civil_months"\ncite = "Act 1"\n'),
    ("never_in_force", GRACE + 'in_force = "2026-05-05/2020-01-01"\n'),
    ("right", GRACE + 'right = "limit_everything"\n'),
    ("overlap", GRACE + GRACE.replace("days = 3", "days = 30")),
    ("overlap", GRACE + GRACE + 'purpose = "marketing"\nin_force = "2026-01-01/"\n'),
    (
        "counting",
        rule(
            "a",
            PERMIT,
            MAIL,
            "when = { related = { kinds = 'purchase', within = 'P1Y', counting = 'days' } }\n",
        ),
    ),
    ("unread", rule("a", PERMIT, MAIL)),
]
NOTES = {"implied", "unread"}


@pytest.mark.parametrize(("code", "text"), MISTAKES, ids=lambda value: value.partition("\n")[0][:20])
def test_a_mistake_is_found(code: str, text: str) -> None:
    found = {one.code: one.level for one in looked_over(text).findings}
    assert found.get(code) == ("note" if code in NOTES else "error")
    assert {one for one, level in found.items() if level == "error"} <= {code}


SOUND = [
    GRACE + 'purpose = "marketing"\n' + GRACE + 'purpose = "political"\n',
    GRACE + 'in_force = "/2025-12-31"\n' + GRACE + 'in_force = "2026-01-01/"\n',
    GRACE + 'kinds = "object"\n' + GRACE + 'kinds = "withdraw"\n',
    number(14, "/2020-12-31") + number(15, "2021-01-01/"),
    rule("a", PERMIT, MAIL, "when = { not = { listed = 'tps' } }\n"),
    rule("a", PERMIT, MAIL, "unless = { no = 'withdraw' }\n"),
    rule("a", DENY, "stage = 'stop'\n", "when = { no = 'object' }\n"),
    rule("a", PERMIT, MAIL, "when = { 'message.kind' = 'optout_confirmation', no = 'withdraw' }\n"),
    rule(
        "a", PERMIT, MAIL, "when = { any = [{ 'subject.kind' = 'llp' }, { 'subject.kind' = 'consumer' }] }\n"
    ),
]


@pytest.mark.parametrize("text", SOUND, ids=range(len(SOUND)))
def test_what_can_be_meant_is_no_error(text: str) -> None:
    assert [one for one in looked_over(text).findings if one.level == "error"] == []


def test_the_packs_that_ship_have_no_error() -> None:
    found = lint(shipped_packs().values(), shipped_packs())
    assert [one for one in found.findings if one.level == "error"] == []
    assert (found.packs, found.unread < found.citations) == (len(shipped_packs()), True)


def test_two_packs_of_a_jurisdiction_and_a_pack_that_is_not_there_are_errors() -> None:
    twin = read_pack(HEAD.replace('"XX"', '"DE"'))
    assert "jurisdiction" in {one.code for one in lint([twin], {**shipped_packs(), "xx": twin}).findings}
    lost = read_pack(HEAD.replace('"eu"', '"none"'))
    assert [one.code for one in lint([lost], {"xx": lost}).findings] == ["includes"]


def test_the_command_ends_with_one_only_where_there_is_an_error(tmp_path: Path) -> None:
    pack = tmp_path / "xx.toml"
    for text, code, errors in ((rule("a", PERMIT, MAIL), 0, 0), (AFTER_NO, 1, 1), ("[[rul]]", 1, 1)):
        pack.write_text(HEAD + text, encoding="utf-8")
        ran = run("consent", "lint", pack, "--json")
        assert (ran.code, ran.json["errors"], ran.err) == (code, errors, "")
        assert run("consent", "lint", pack).code == code
    assert run("consent", "lint", tmp_path / "none.toml").code == 1


def test_switzerland_is_in_no_union_whose_acts_it_could_cite() -> None:
    cites = [rule.cite for rule in shipped_laws().of("CH").rules]
    assert [cite for cite in cites if "GDPR" in cite or "Directive" in cite or "Regulation" in cite] == []

"""What a record keeps of a No about an address that it gave up: it holds on, and holds no more than it takes."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import consent_ledgers, consent_reading
from crmcore.consent import Offer, known
from crmcore.consent.known import outlasting
from crmcore.consent.ledger import party_stream, point_of, point_stream
from crmcore.storage import MemoryStore
from tests.app.houses import Clock, options
from tests.app.test_change_of_address import HOUR, SAID, alike, ann_of, answer, moves
from tests.app.test_person_erasure import everything
from tests.consent.asking import PRACTICE, YES, company

MAIL: Any = {"purpose": "marketing", "channel": "email"}


def before_kinds_were_kept(no: Any, kind: object) -> Any:
    return no


def test_a_no_that_was_kept_before_its_kind_was_is_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, crm, ann = ann_of("a@x.org", "k@x.org")
    crm.consent.record("object", "a@x.org")
    clock.now += HOUR
    with monkeypatch.context() as older:
        older.setattr(known, "gone_along", before_kinds_were_kept)
        moves(clock, crm, ann, "a@x.org", "n@x.org")
    crm.parties.change(ann, lambda p: p.with_phone("+1 212 555 0100"))
    text: Any = {"channel": "sms", "point": "+12125550100", "purpose": "service"}
    for short in (50, 1):
        monkeypatch.setattr(consent_reading, "SHORT", short)
        for ref in ("n@x.org", "k@x.org"):
            assert answer(crm, ref) == "deny"
            alike(crm, ref, **MAIL)
    assert answer(crm, ann, **text) != "deny"
    monkeypatch.setattr(consent_ledgers, "point_of", lambda stream: None)  # nothing tells what it was
    assert (answer(crm, ann, **text), answer(crm, "n@x.org")) == ("deny", "deny")
    crm.consent.record("give", ann, point="n@x.org", **SAID, evidence=YES)
    assert answer(crm, "n@x.org") == "allow"


def test_only_the_ledger_of_a_contact_point_is_one() -> None:
    streams = (point_stream("7"), party_stream("7"), f"old:{point_stream('7')}", point_stream(""), None)
    assert [point_of(stream) for stream in streams] == ["7", None, None, "", None]


def test_an_address_that_comes_back_takes_no_no_from_those_that_came_for_it() -> None:
    clock, crm, ann = ann_of("a@x.org", "b@x.org")
    other = crm.parties.add(Person.of("Ann Lee", email="k@x.org")).id
    crm.consent.record("object", "a@x.org")
    before = clock.now
    clock.now += HOUR
    moves(clock, crm, ann, "a@x.org", "n@x.org")
    crm.identity.merge(ann, other)
    clock.now += HOUR
    for back in (None, ann, other):
        if back is not None:
            crm.parties.change(back, lambda p: p.with_email("a@x.org"))
            clock.now += HOUR
        for ref in ("n@x.org", "b@x.org", "k@x.org"):
            assert answer(crm, ref) == "deny"
            alike(crm, ref, **MAIL)
        crm.consent.record("give", ann, point="b@x.org", **SAID, evidence=YES)
        clock.now += HOUR
        assert (answer(crm, "b@x.org"), answer(crm, "n@x.org")) == ("allow", "deny")
        crm.consent.record("withdraw", ann, point="b@x.org", **SAID)
        clock.now += HOUR
    assert answer(crm, ann, point="b@x.org", known_at=before) == "allow"
    assert answer(crm, ann, point="a@x.org", known_at=before) == "deny"


def test_a_line_of_the_centre_goes_by_what_counts_for_each_owner_of_its_address() -> None:
    for mover in (0, 1):
        clock, crm, ann = ann_of("a@x.org", "d@x.org")
        twin = crm.parties.add(Person.of("Ann Lee").with_email("a@x.org").with_email("e@x.org")).id
        crm.identity.merge(ann, twin)
        clock.now += HOUR
        for who, point in ((ann, "d@x.org"), (twin, "e@x.org")):
            crm.consent.record("give", who, point=point, **SAID, evidence=YES)
            clock.now += HOUR
        crm.consent.record("withdraw", ann, point="a@x.org", **SAID)
        clock.now += HOUR
        for expected in (["off", "on", "on"], ["off", "off", "off"]):
            points = ("a@x.org", "d@x.org", "e@x.org")
            assert [_state(crm, ann, point) for point in points] == expected
            answers = [answer(crm, ann, "DE", point=point) for point in points]
            assert answers == ["allow" if state == "on" else "deny" for state in expected]
            if expected[1] == "on":
                moves(clock, crm, (ann, twin)[mover], "a@x.org")


def test_what_one_owner_of_an_address_agreed_to_as_a_person_is_no_yes_of_another() -> None:
    clock, crm, ann = ann_of("a@x.org")
    crm.consent.record("give", ann, **SAID, evidence=YES)
    clock.now += HOUR
    twin = crm.parties.add(Person.of("Ann Lee", email="a@x.org")).id
    assert (_state(crm, ann, "a@x.org"), answer(crm, ann, "DE")) == ("on", "allow")
    crm.identity.merge(ann, twin)
    clock.now += HOUR
    assert (_state(crm, ann, "a@x.org"), answer(crm, ann, "DE")) == ("unsaid", "deny")


def _state(crm: Crm, ref: str, point: str) -> str:
    lines = (Offer(purpose="marketing", channel="email"),)
    return crm.preferences.centre(ref, lines, points={"email": point}).choices[0].state


def test_a_record_keeps_no_words_of_others() -> None:
    store, clock = MemoryStore(), Clock()
    crm = Crm(store, **options(clock=clock, practice=PRACTICE))
    ann = crm.parties.add(Person.of("Ann Lee", email="s@x.org")).id
    bo = crm.parties.add(Person.of("Bo Kim", email="s@x.org")).id
    twin = crm.parties.add(Person.of("Bo Kim", email="s@x.org")).id
    crm.identity.merge(bo, twin)
    shown = attrs.evolve(YES, document="confided")
    for who, words in ((ann, "confided"), (bo, "mine"), (twin, "ours")):
        for kind in ("withdraw", "give", "request"):
            more: Any = {"evidence": shown} if kind == "give" and who == ann else {}
            record: Any = crm.consent.record
            record(kind, who, point="s@x.org", **SAID, words=words, **more)
            clock.now += HOUR
    crm.parties.change(bo, lambda p: p.without("s@x.org").with_email("b@x.org"))
    kept = [row for row in everything(store) if party_stream(str(bo)) in row]
    assert not any("confided" in row for row in kept)
    assert [sum(words in row for row in kept) for words in ('"mine"', '"ours"')] == [3, 3]


def test_of_what_others_asked_for_a_record_keeps_that_on_which_a_yes_leans() -> None:
    clock = Clock()
    crm = company(clock)
    ann, bo = (crm.parties.add(Person.of(name, email="s@x.org")).id for name in ("Ann Lee", "Bo Kim"))
    acts = [crm.consent.withdraw(ann, point="s@x.org", **SAID)]
    acts.append(crm.consent.record("request", ann, point="s@x.org", **SAID))
    own = {str(bo)}
    assert [act.kind for act in outlasting(acts, "email", own)] == ["withdraw"]
    clock.now += HOUR
    acts.append(crm.consent.record("confirm", ann, point="s@x.org", evidence=YES))
    kept = list(outlasting(acts, "email", own))
    assert [act.kind for act in kept] == ["withdraw", "request", "confirm"]
    assert {act.actor for act in kept} == {None}
    assert answer(crm, bo) == "allow"
    moves(clock, crm, bo, "s@x.org", "b@x.org")
    assert answer(crm, bo) == "allow"


def test_a_no_of_others_that_came_along_is_taken_back_there_also_when_its_address_is_back() -> None:
    clock = Clock()
    crm = company(clock)
    ann, bo = (crm.parties.add(Person.of(name, email="s@x.org")).id for name in ("Ann Lee", "Bo Kim"))
    crm.consent.withdraw(ann, point="s@x.org", **SAID)
    clock.now += HOUR
    moves(clock, crm, bo, "s@x.org", "b@x.org")
    crm.parties.change(bo, lambda p: p.with_email("s@x.org").with_email("c@x.org"))
    points = ("s@x.org", "b@x.org", "c@x.org")
    for expected in (["deny", "deny", "deny"], ["deny", "allow", "deny"]):
        assert [answer(crm, bo, point=point) for point in points] == expected
        clock.now += HOUR
        crm.consent.record("give", bo, point="b@x.org", **SAID, evidence=YES)
        clock.now += HOUR

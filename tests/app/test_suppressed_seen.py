"""Whoever creates, changes, imports or merges records is told that addresses of theirs are suppressed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from crmcore import Crm, Person
from crmcore.consent import Evidence, Message, Practice, SecretRing
from crmcore.consent.suppression import CODECS, SuppressionMet
from crmcore.errors import InvalidConsent
from crmcore.storage import MemoryStore
from tests.app.requests import Clock
from tests.app.reviews import file_of

SECRETS = SecretRing({1: bytes(range(32))})
NEWER = SecretRing({1: bytes(range(32)), 2: bytes(range(1, 33))})
SEEN = next(codec for codec in CODECS if codec.tag == "suppression.met")
OURS = Practice(controller="acme", marketing=Message.marketing(sender_identified=True, unsubscribe=True))
SPELLED = "Ann.Lee+deals@GoogleMail.com"


def known(secrets: SecretRing | None = SECRETS, store: MemoryStore | None = None) -> Crm:
    """Customers of whom an address and a number were suppressed, the address by what was the secret then."""
    store = store or MemoryStore()
    before = Crm(store, secrets=SECRETS, clock=Clock())
    before.suppression.add("email", "annlee@gmail.com", reason="erasure")
    before.suppression.add("phone", "+44 20 7946 0018", reason="objection", controller="acme")
    before.suppression.add("email", "bo@x.example", reason="objection", controller="somebody else")
    before.suppression.add("email", "cleo@x.example", reason="other")
    clock = Clock()
    clock.now += timedelta(minutes=1)
    crm = Crm(store, secrets=secrets, clock=clock, practice=OURS)
    if secrets is not None:
        crm.suppression.lift("email", "cleo@x.example")
    return crm


def told(crm: Crm) -> list[tuple[str, tuple[str, ...], int, int]]:
    """What the feed says was seen: the occasion, the records, how many addresses, how many entries."""
    events = [one.event for one in crm.events().items if isinstance(one.event, SuppressionMet)]
    return [(one.occasion, tuple(sorted(one.records)), one.points, len(one.entries)) for one in events]


def test_a_record_that_is_created_with_suppressed_addresses_is_told_of() -> None:
    crm = known()
    ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED, phone="020 7946 0018", region="GB"))
    crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    crm.parties.add(Person.of("Cleo", email="cleo@x.example"))
    assert told(crm) == [("created", (ann.id,), 2, 2)]
    (met,) = crm.suppression.met(ann.id)
    assert (met.record, met.points) == (ann.id, 2)
    assert {entry.reason for entry in met.entries} == {"erasure", "objection"}
    assert {*crm.suppression.of(*ann.contact_points)} == {*met.entries}


def test_entries_are_found_under_every_secret_that_there_was() -> None:
    crm = known(NEWER)
    ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED))
    assert told(crm) == [("created", (ann.id,), 1, 1)]


def test_without_secrets_nothing_is_looked_for_and_nothing_is_said() -> None:
    crm = known(None)
    ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED))
    assert told(crm) == []
    with pytest.raises(InvalidConsent, match="secrets"):
        crm.suppression.met(ann.id)


def test_of_many_that_are_added_each_is_told_of() -> None:
    crm = known()
    ann, _, too = crm.parties.add_many(
        [Person.of("Ann Lee", email=SPELLED), Person.of("Bo Hill"), Person.of("A. Lee", email=SPELLED)]
    )
    assert told(crm) == [("created", (ann.id,), 1, 1), ("created", (too.id,), 1, 1)]


def test_a_change_is_told_of_if_it_brings_an_address_that_is_suppressed() -> None:
    crm = known()
    ann = crm.parties.add(Person.of("Ann Lee"))
    crm.parties.change(ann.id, lambda p: p.with_email(SPELLED))
    crm.parties.change(ann.id, lambda p: p.with_tag("vip"))
    assert told(crm) == [("changed", (ann.id,), 1, 1)]


def test_a_merge_is_told_of_with_all_records_that_have_such_addresses() -> None:
    crm = known()
    ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED))
    too = crm.parties.add(Person.of("Ann Lee", phone="+44 20 7946 0018"))
    bare = crm.parties.add(Person.of("Ann Lee", email="ann@y.example"))
    crm.identity.merge(ann.id, too.id, reason="one person")
    crm.identity.merge(ann.id, bare.id, reason="one person")
    both = tuple(sorted((ann.id, too.id)))
    assert told(crm)[2:] == [("merged", both, 2, 2)] * 2
    crm.identity.merge(
        crm.parties.add(Person.of("Bo")).id, crm.parties.add(Person.of("Bo")).id, reason="one person"
    )
    assert len(told(crm)) == 4
    assert {one.record for one in crm.suppression.met(bare.id)} == set(both)


def test_what_is_merged_on_a_review_page_is_told_of_and_what_is_kept_apart_is_not() -> None:
    for verdict in ("same", "different"):
        crm = known()
        ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED, phone="+44 20 7946 0018"))
        bo = crm.parties.add(Person.of("Ann Leigh", phone="+44 20 7946 0018", birth_date="1980-02-29"))
        item = {
            "item": "019000a1-b2c3-7009-8000-0000000000aa",
            "kind": "pair",
            "records": [ann.id, bo.id],
            "links": [[0, 1]],
            "verdict": verdict,
        }
        before = len(told(crm))
        assert crm.identity.apply_review(file_of(crm.identity.review(), item)).written == 1
        merged = [("merged", tuple(sorted((ann.id, bo.id))), 3, 2)]
        assert told(crm)[before:] == (merged if verdict == "same" else [])


FILE = f"""id,full_name,email,phone
1,Ann Lee,{SPELLED},
2,Bo Hill,bo@x.example,
3,Cleo Hill,cleo@x.example,+442079460018
"""


def test_an_import_counts_them_before_and_after(tmp_path: Path) -> None:
    crm = known()
    path = tmp_path / "people.csv"
    path.write_text(FILE, "utf-8")
    plan = crm.imports.plan(path, source="shop", id_column="id")
    (notice,) = [one for one in plan.notices if one.code == "suppressed"]
    assert notice.count == 2
    assert "! 2 rows bring an address that is suppressed" in plan.text()
    assert told(crm) == []
    done = crm.imports.apply(plan)
    assert [crm.parties.get(one).display_name for one in done.suppressed] == ["Ann Lee", "Cleo Hill"]
    assert [one[:2] for one in told(crm)] == [("created", (one,)) for one in done.suppressed]
    assert crm.imports.apply(plan).suppressed == ()
    path.write_text(FILE.replace("Bo Hill,bo@x.example", f"Bo Hill,{SPELLED}"), "utf-8")
    again = crm.imports.plan(path, source="shop", id_column="id")
    assert [one.count for one in again.notices if one.code == "suppressed"] == [1]
    (bo,) = crm.imports.apply(again).suppressed
    assert told(crm)[2:] == [("changed", (bo,), 1, 1)]


def test_a_load_counts_them() -> None:
    crm = known()
    rows = [Person.of("Bo Hill"), Person.of("Ann Lee", email=SPELLED), Person.of("A", email=SPELLED)]
    report = crm.parties.load(iter(rows), idem="export")
    assert (report.suppressed, report.suppressed_rows) == (2, (2, 3))
    assert report.text().endswith("with an address that is suppressed: 2")
    assert known().parties.load(iter(rows[:1]), idem="export").suppressed == 0


def test_nothing_loosens_and_nothing_is_named(tmp_path: Path) -> None:
    store = MemoryStore()
    crm = known(store=store)
    asked = {
        "purpose": "marketing",
        "channel": "email",
        "jurisdictions": ["EU"],
        "offered_to_children": False,
    }
    ann = crm.parties.add(Person.of("Ann Lee", email=SPELLED))
    crm.consent.record(
        "assert_import",
        ann.id,
        purposes=["marketing"],
        channels=["email"],
        evidence=Evidence.imported(document="a list"),
    )
    bo = crm.parties.add(Person.of("Ann Lee", email="ann@y.example"))

    def answer() -> tuple[str, str | None]:
        found = crm.consent.decide(ann.id, point=SPELLED, **asked)  # type: ignore[arg-type]  # by name
        return str(found.answer), found.rule

    assert answer() == ("deny", "eu.suppressed")
    entries = crm.suppression.of(*ann.contact_points)
    crm.identity.merge(ann.id, bo.id, reason="one person")
    assert answer() == ("deny", "eu.suppressed")
    assert crm.suppression.of(*ann.contact_points) == entries
    seen = [one.event for one in crm.events().items if isinstance(one.event, SuppressionMet)]
    assert [one.occasion for one in seen] == ["created", "merged"]
    assert "lee" not in str([SEEN.dump(one) for one in seen]).lower()

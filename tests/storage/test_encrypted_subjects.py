"""Whom each record of the library concerns: all who are named in it, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crmcore import Crm, Organization, Person
from crmcore.errors import InvalidRecord
from crmcore.storage import EXCLUSIVE, MemoryStore, Ref, lift, lower
from crmcore.storage.document import write
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.storage.wrappers.subjects import NOBODYS, CrmSubjects

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class Watched:
    """`CrmSubjects` that remembers what it was asked, and what it said."""

    def __init__(self) -> None:
        self.within = CrmSubjects()
        self.themselves = self.within.themselves
        self.records: list[tuple[Ref, Any, tuple[str, ...]]] = []
        self.entries: list[tuple[str, Any, tuple[str, ...]]] = []

    def record(self, ref: Ref, body: Any) -> Collection[str]:
        said = self.within.record(ref, body)
        if body is not None:
            self.records.append((ref, body, said))
        return said

    def entry(self, stream: str, named: Collection[str], body: Any) -> Collection[str]:
        said = self.within.entry(stream, named, body)
        self.entries.append((stream, body, said))
        return said


def _script(crm: Crm, folder: Path) -> None:
    """Everything that the library writes."""
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org", phone="+41791234567"))
    lee = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    bob = crm.parties.add(Person.of("Bob Roe", email="bob@x.org"))
    firm = crm.parties.add(Organization.of("Roe and Sons"))
    wide = Person.of("Many Mails")
    for number in range(60):
        wide = wide.with_email(f"many{number}@x.org")
    many = crm.parties.add(wide)
    crm.parties.change(many.id, lambda party: party.with_email("one.more@x.org"))
    crm.parties.change(bob.id, lambda party: party.with_email("roe@x.org"))
    crm.relationships.add("employment", bob.id, firm.id)
    judged = crm.identity.merge(ann.id, bob.id)
    crm.identity.retract(judged.id, reason="not the same")
    crm.identity.mark_different(bob.id, many.id)
    told = crm.interactions.record(
        "call",
        direction="inbound",
        occurred_at=date(2026, 3, 1),
        with_=[ann.id, bob.id],
        subject="an address",
    )
    crm.interactions.correct(told.id, reason="a typing error", subject="the address")
    crm.identity.dedupe()
    with crm.batch(idem="again") as batch:
        one = batch.parties.add(Person.of("Zoe Fox", email="zoe@x.org"))
        batch.identity.merge(one.id, lee.id)
    table = folder / "in.csv"
    table.write_text("id,name,email\n" + "".join(f"{n},Person {n},p{n}@x.org\n" for n in range(30)))
    crm.imports.apply(crm.imports.plan(table, source="list"))


def test_who_is_named_in_a_record_is_whom_it_concerns(tmp_path: Path) -> None:
    watched = Watched()
    encrypted = Encrypted(lift(MemoryStore(exclusive=EXCLUSIVE)), MemoryKeyStore(), subjects=watched)
    crm = Crm(lower(encrypted))
    _script(crm, tmp_path)
    parties = {ref.id for ref, _, _ in watched.records if ref.kind == "party"}
    kinds: set[str] = set()
    for ref, body, said in watched.records:
        kinds.add(ref.kind)
        named = parties & {*ID.findall(write(body)), ref.id}
        if ref.kind in NOBODYS:
            assert (named, said) == (set(), ()), ref.kind
        else:
            assert set(said) == named, ref.kind
    expected = {
        "party",
        "party.more",
        "features",
        "relationship",
        "interaction",
        "judgement",
        "cluster",
        "batch",
    }
    assert expected <= kinds
    assert kinds <= expected | set(NOBODYS)
    for stream, body, said in watched.entries:
        assert parties & set(ID.findall(write(body))) <= set(said), stream.partition(":")[0]
    assert {stream.partition(":")[0] for stream, _, _ in watched.entries} >= {
        "party",
        "customer",
        "interaction",
    }


@pytest.mark.parametrize("kind", ["relationship", "interaction", "judgement", "cluster", "party.more"])
def test_a_record_of_the_library_that_concerns_nobody_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRecord, match="names nobody"):
        CrmSubjects().record(Ref("acme", kind, "1"), {"parties": ["ann"]})


@pytest.mark.parametrize("given", ["ann", 7, [7], [""]])
def test_a_rule_that_gives_no_ids_is_refused(given: Any) -> None:
    subjects = CrmSubjects(more={"note": lambda ref, body: given})
    with pytest.raises(InvalidRecord, match="the rule"):
        subjects.record(Ref("acme", "note", "1"), {})

"""Whatever crmcore writes about somebody is given to them and goes with them, or it is said why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.app.registry import REGISTRY
from crmcore.app.subject_kinds import SUBJECT_KINDS
from crmcore.consent import SecretRing, Wished
from crmcore.interaction import Participant
from crmcore.storage import MemoryStore
from crmcore.storage.stored import StoredEntry, StoredRecord
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting
from tests.app.test_person_erasure import NOTHING_KEPT

SECRETS = SecretRing({1: bytes(range(32))})
CANARIES = ("zacharias", "zz@", "79460018", "confided")
DERIVED = {"features", "cluster", "party.more", "interaction.more"}
ERASED = "crmcore.erased/1"


class Life:
    """Zed, Zed's second record, and Bo, whom Zed deals with; and what may happen to them."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.store, self.folder = Clock(), MemoryStore(), folder
        self.crm = Crm(self.store, secrets=SECRETS, clock=self.clock)
        self.zed = self.add(email="zz@x.example", phone="+44 20 7946 0018")
        self.too = self.add(email="zz@y.example")
        self.merged = self.crm.identity.merge(self.zed, self.too, reason="confided").id
        self.bo = self.crm.parties.add(Person.of("Bo Hill", email="bo@x.example")).id
        self.number = 0

    def add(self, **facts: Any) -> PartyId:
        return self.crm.parties.add(Person.of("Zacharias", **facts)).id

    def do(self, name: str) -> None:
        self.clock.move(minutes=1)
        self.number += 1
        getattr(self, f"_{name}")()

    def _moves(self) -> None:
        """Zed gives up an address, about which something was said."""
        self.crm.consent.record("give", self.zed, purposes=["marketing"], channels=["email"])
        person: Any = self.crm.parties.get(self.zed)
        if person.emails:
            raw = person.emails[-1].raw
            self.crm.consent.record("give", self.zed, point=raw, purposes=["marketing"], channels=["email"])
            self.crm.parties.change(
                self.zed, lambda p: p.without(raw).with_email(f"zz@{self.number}.example")
            )

    def _writes(self) -> None:
        """A message from an address that nobody had yet, which is corrected."""
        address = f"zz@{self.number}.later.example"
        found = self.crm.interactions.record(
            "email",
            direction="inbound",
            occurred_at=date(2026, 3, 1),
            with_=[Participant(address=address)],
            subject="confided",
        )
        self.crm.interactions.correct(found.id, reason="confided", body="confided")
        self.crm.parties.change(self.too, lambda p: p.with_email(address))

    def _talks(self) -> None:
        found = self.crm.interactions.record(
            "call",
            direction="inbound",
            occurred_at=date(2026, 3, 1),
            with_=[self.zed, self.bo],
            body="confided",
        )
        if self.number % 2:
            self.crm.interactions.retract(found.id, reason="confided")

    def _knows(self) -> None:
        kind = "reports_to"
        link = self.crm.relationships.add(kind, self.bo, self.too, note="confided")
        self.crm.relationships.retract(link.id, reason="confided")

    def _objects(self) -> None:
        self.crm.consent.record("object", self.too, purposes=["profiling"], words="confided")

    def _wishes(self) -> None:
        self.crm.preferences.record(self.too, Wished(no_topics=frozenset({"confided"})))

    def _leaves(self) -> None:
        raw = self.crm.parties.get(self.too).contact_points[0].raw
        self.crm.unsubscribe.act(self.crm.unsubscribe.token(self.too, point=raw))

    def _asks(self) -> None:
        request = collecting(self.crm, self.too, "restriction")
        self.crm.requests.carry_out(request.id)

    def _is_suppressed(self) -> None:
        self.crm.suppression.add_customer(self.zed, reason="objection")
        self.crm.parties.change(self.too, lambda p: p.with_email("zz@x.example"))

    def _parts(self) -> None:
        """The records are split and joined again, and a third is judged."""
        self.crm.identity.retract(self.merged, reason="confided")
        self.merged = self.crm.identity.merge(self.zed, self.too, reason="confided").id
        self.crm.identity.mark_different(self.bo, self.too, reason="confided")

    def _is_matched(self) -> None:
        self.crm.identity.dedupe()

    def _comes_in_a_batch(self) -> None:
        with self.crm.batch(idem=f"form {self.number}") as batch:
            batch.consent.record("refuse", self.zed, purposes=["research"], words="confided")

    def _comes_in_a_file(self) -> None:
        path = self.folder / "people.csv"
        path.write_text(f"id,full_name,email\n1,Zacharias,zz@{self.number}.file.example\n", "utf-8")
        self.crm.imports.apply(self.crm.imports.plan(path, source="shop", id_column="id"))
        for found in self.crm.parties.find(email=f"zz@{self.number}.file.example"):
            if found.id not in self.crm.customers.resolve(self.zed).members:
                self.crm.identity.merge(self.zed, found.id, reason="confided")

    def rows(self) -> list[Any]:
        with closing(self.store.export()) as rows:
            return list(rows.read(100_000))

    def about(self, members: set[str]) -> Iterator[tuple[str, str]]:
        """The kind and place of every row that names the person, or quotes them."""
        needles = (*CANARIES, *members)
        for row in self.rows():
            text = " ".join(map(str, row)).lower()  # a body hides itself in repr
            if not any(needle in text for needle in needles):
                continue
            if isinstance(row, StoredRecord) and row.body is not None:
                yield row.kind, f"{row.kind} {row.id}"
            elif isinstance(row, StoredEntry) and row.schema != ERASED:
                yield row.schema.partition("/")[0], f"{row.stream} {row.seq}"


WAYS = tuple(
    name.removeprefix("_") for name in vars(Life) if name.startswith("_") and not name.startswith("__")
)


def check(life: Life) -> None:
    members = set(map(str, life.crm.customers.resolve(life.zed).members))
    access = life.crm.requests.bundle(collecting(life.crm, life.zed, "access").id, reviewed="doubtful")
    request = collecting(life.crm, life.zed, "erasure")
    plan = life.crm.requests.erasure_plan(request.id, reviewed="doubtful")
    given_ = {item.id.replace("/", " ") for item in access.items}
    planned = {one.place for one in plan.disposals}
    for kind, place in life.about(members):
        treated = SUBJECT_KINDS[kind]
        if treated.not_given is None and not place.endswith(str(request.id)):  # which came after the bundle
            assert {place.replace("/", " "), place.partition(" ")[2]} & given_, place
        if treated.not_erased is None:
            assert place in planned, place
    again = life.crm.requests.erasure_plan(request.id, facts=NOTHING_KEPT, reviewed="doubtful")
    life.crm.requests.erase(request.id, plan_sha256=again.digest, facts=NOTHING_KEPT, reviewed="doubtful")
    for kind, place in life.about(members):
        assert SUBJECT_KINDS[kind].not_erased is not None, place


def done(name: str) -> Callable[[Life], None]:
    return lambda life: life.do(name)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_written_about_somebody_is_given_and_goes_or_it_is_said_why_not(
    way: str, tmp_path: Path
) -> None:
    life = Life(tmp_path)
    life.do(way)
    check(life)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(WAYS), min_size=2, max_size=6))
def test_so_it_is_whatever_happened_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, ways: list[str]
) -> None:
    life = Life(tmp_path_factory.mktemp("life"))
    for way in ways:
        life.do(way)
    check(life)


def test_the_entries_about_their_addresses_are_given_to_whoever_asks(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.do("moves")  # gives up the address, which is suppressed then
    life.crm.suppression.add("email", "zz@x.example", reason="objection")
    life.crm.suppression.add("email", "bo@x.example", reason="objection")
    access = life.crm.requests.bundle(collecting(life.crm, life.zed, "access").id)
    (entry,) = [item for item in access.items if item.category == "suppression"]
    assert entry.data["reason"] == "objection"
    portable = life.crm.requests.bundle(collecting(life.crm, life.zed, "portability").id)
    assert not {"request", "suppression"} & {item.category for item in portable.items}


@pytest.mark.parametrize("taken", [False, True])
def test_what_came_from_a_former_address_is_theirs_unless_somebody_has_it_now(
    tmp_path: Path, taken: bool
) -> None:
    life = Life(tmp_path)
    life.crm.interactions.record(
        "email",
        direction="inbound",
        occurred_at=date(2026, 3, 1),
        with_=[Participant(address="zz@x.example")],
        subject="confided",
    )
    life.crm.parties.change(life.zed, lambda p: p.without("zz@x.example"))
    if taken:
        life.crm.parties.change(life.bo, lambda p: p.with_email("ZZ@x.example"))
    access = life.crm.requests.bundle(collecting(life.crm, life.zed, "access").id)
    assert ("interaction" in {item.category for item in access.items}) is not taken


def test_every_kind_that_is_written_stands_in_the_list_with_reasons_that_say_something() -> None:
    assert set(SUBJECT_KINDS) == set(REGISTRY.by_tag) | DERIVED
    for kind in SUBJECT_KINDS.values():
        for reason in (kind.not_given, kind.not_erased):
            assert reason is None or len(reason.split()) > 4

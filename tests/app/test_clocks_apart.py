"""Clocks of several machines differ a little: no No is lost by that, whichever of them has dated it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import Offer, SecretRing
from crmcore.errors import IdempotencyMismatch, InvalidConsent, NaiveDatetime
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Store
from tests.app.requests import NOW, Clock
from tests.app.troubled import interrupted
from tests.consent.asking import PRACTICE, YES, asked

SAID: Any = {"purposes": ["marketing"], "channels": ["email"]}
SECRETS = SecretRing({1: b"1" * 32})
BEHIND = timedelta(seconds=2)


class Servers:
    """Two over one store, the clock of the second behind that of the first; Ann said yes at both, last at the first."""

    def __init__(self, yes: str = "id") -> None:
        self.store, self.clock = MemoryStore(), Clock(NOW - timedelta(days=1))
        self.first, self.second = self.open(self.store), self.open(self.store, BEHIND)
        self.ann = self.first.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
        self.yes = self.ann if yes == "id" else "ann@x.org"
        self.first.consent.record("confirm", self.yes, evidence=YES, **SAID)
        self.clock.move(days=1)
        self.again()
        assert self.answers(self.second) == {"allow"}

    def open(self, store: Store, behind: timedelta = timedelta()) -> Crm:
        return Crm(store, clock=lambda: self.clock.now - behind, practice=PRACTICE, secrets=SECRETS)

    def again(self) -> None:
        self.first.consent.record("confirm", self.yes, evidence=YES, **SAID)

    @cached_property
    def token(self) -> str:
        return self.first.unsubscribe.token(self.ann)

    def answers(self, crm: Crm) -> set[str]:
        told: Any = {"purpose": "marketing", "channel": "email", "jurisdictions": ["DE"]}
        members = crm.consent.audience(offered_to_children=False, **told)
        return {
            str(asked(crm, self.ann).answer),
            *(str(one.decision.answer) for one in members if one.decision is not None),
        }

    def centre(self, crm: Crm) -> None:
        """What the page shows as off is off, also where the Yes of a moment ago is not shown yet."""
        lines = [Offer(purpose="marketing", channel="email")]
        before = crm.preferences.centre(self.ann, lines, points={"email": "ann@x.org"})
        after = before.choose("marketing", "email", on=False)
        crm.preferences.change(self.ann, before, after, evidence=YES)

    def request(self, crm: Crm, right: Any) -> None:
        told: Any = {"law": "gdpr", "channel": "email", "zone": "Europe/Berlin"}
        crm.requests.carry_out(crm.requests.receive(self.ann, right=right, **told).id)


NOES: dict[str, Callable[[Servers, Crm], object]] = {
    "of the person": lambda servers, crm: crm.consent.withdraw(servers.ann, **SAID),
    "of the address": lambda servers, crm: crm.consent.withdraw("ann@x.org", **SAID),
    "told by the clock of the first": lambda servers, crm: crm.consent.withdraw(
        servers.ann, occurred_at=servers.clock.now, **SAID
    ),
    "link": lambda servers, crm: crm.unsubscribe.act(servers.token),
    "centre": Servers.centre,
    "objection": lambda servers, crm: servers.request(crm, "objection"),
    "restriction": lambda servers, crm: servers.request(crm, "restriction"),
}


@pytest.mark.parametrize("no", NOES)
def test_a_no_stands_against_the_yes_before_it_though_the_clock_that_dates_it_is_behind(no: str) -> None:
    for yes in ("id", "address"):
        servers = Servers(yes)
        NOES[no](servers, servers.second)
        assert servers.answers(servers.second) == {"deny"}, "it is heard at once where it was said"
        assert servers.answers(servers.first) == {"deny"}
        servers.clock.move(days=1)
        assert servers.answers(servers.first) == {"deny"}
        servers.again()
        assert servers.answers(servers.first) == {"allow"}


def test_a_line_that_is_shown_as_off_is_off_and_a_link_is_taken_again_after_a_yes_of_a_clock_ahead() -> None:
    for press in (NOES["centre"], NOES["link"]):
        servers = Servers()
        servers.clock.move(hours=1)
        press(servers, servers.second)
        servers.clock.move(hours=1)
        servers.again()
        press(servers, servers.second)
        servers.clock.move(hours=1)
        assert servers.answers(servers.first) == {"deny"}


def test_a_no_is_heard_until_the_clock_that_recorded_it_has_reached_its_time() -> None:
    """Of a clock behind the Yes comes first only when it is reached: from then on too the No is the later one."""
    servers = Servers()
    servers.clock.move(seconds=1)
    servers.again()
    no = servers.second.consent.withdraw(servers.ann, **SAID)
    assert (no.occurred_at, no.recorded_at) == (NOW + timedelta(seconds=1), NOW - timedelta(seconds=1))
    for _ in range(8):
        assert servers.answers(servers.second) == {"deny"}
        servers.clock.move(seconds=0.5)


def test_an_answer_expires_where_a_no_is_heard_early() -> None:
    servers = Servers()
    no = servers.second.consent.withdraw(servers.ann, **SAID)
    then = asked(servers.first, servers.ann, at=NOW - BEHIND - timedelta(seconds=1))
    assert (then.answer, then.expires_at) == ("allow", no.recorded_at)


def test_a_no_that_a_yes_crosses_is_planned_again_and_is_not_before_it() -> None:
    """The Yes of the clock ahead is committed after the No was planned: in a ledger that is there, or a new one."""
    for no, at in [(no, at) for no in NOES for at in (0, 1)]:
        if no == "told by the clock of the first":
            continue  # of the time of the Yes itself
        for yes in ("id", "address"):
            servers = Servers("id")
            servers.clock.move(hours=1)
            servers.yes = servers.ann if yes == "id" else "ann@x.org"
            quiet: list[Callable[[], object]] = [lambda: None] * at
            NOES[no](servers, servers.open(interrupted(servers.store, *quiet, servers.again), BEHIND))
            servers.clock.move(hours=1)
            assert servers.answers(servers.first) == {"deny"}, (no, at, yes)


def test_the_yes_is_found_behind_what_was_recorded_since() -> None:
    servers = Servers()
    for _ in range(45):
        long_ago: Any = {"occurred_at": NOW - timedelta(days=9), "topics": ["news"]}
        servers.first.consent.record("confirm", servers.ann, evidence=YES, **SAID, **long_ago)
    no = servers.second.consent.withdraw(servers.ann, **SAID)
    assert (no.occurred_at, no.recorded_at) == (NOW, NOW - BEHIND)


def test_an_address_is_suppressed_again_after_a_lift_of_a_clock_ahead() -> None:
    servers, ours = Servers(), PRACTICE.controller
    token = servers.token
    (point,) = servers.first.parties.get(servers.ann).contact_points
    ways: tuple[tuple[str | None, Callable[[], object]], ...] = (
        (None, lambda: servers.second.suppression.add("email", "ann@x.org", reason="objection")),
        (ours, lambda: servers.second.unsubscribe.act(token)),
    )
    servers.first.parties.change(servers.ann, lambda party: party.without("ann@x.org"))
    for controller, suppress in ways:
        for _ in range(2):
            servers.clock.move(seconds=1)
            suppress()
            assert sum(one.until is None for one in servers.first.suppression.of(point)) == 1
            servers.clock.move(hours=1)
            servers.first.suppression.lift("email", "ann@x.org", controller=controller)


def test_only_a_no_may_be_a_little_ahead_of_our_clock() -> None:
    servers, soon, later = Servers(), NOW + BEHIND, NOW + timedelta(minutes=6)
    assert servers.first.consent.withdraw(servers.ann, occurred_at=soon, **SAID).occurred_at == NOW
    refused: tuple[tuple[Any, Any], ...] = (("withdraw", later), ("confirm", soon))
    for kind, at in refused:
        with pytest.raises(InvalidConsent, match="future"):
            servers.first.consent.record(kind, servers.ann, occurred_at=at, evidence=YES, **SAID)


@pytest.mark.parametrize("told", [timedelta(minutes=-4), timedelta(), timedelta(seconds=1)])
def test_a_no_of_a_time_that_may_be_now_is_before_nothing_that_was_recorded_already(told: timedelta) -> None:
    """An app passes now, and a provider whose clock is behind the time at which its link was pressed."""
    servers = Servers()
    servers.clock.move(seconds=1)
    at = servers.clock.now - BEHIND + told
    no = servers.second.consent.withdraw(servers.ann, occurred_at=at, **SAID)
    assert (no.occurred_at, no.recorded_at) == (NOW, servers.clock.now - BEHIND)
    for hours in (0, 24):
        servers.clock.move(hours=hours)
        assert servers.answers(servers.first) == servers.answers(servers.second) == {"deny"}


@pytest.mark.parametrize("secrets", [SECRETS, None])
def test_a_batch_with_such_a_no_is_known_again(secrets: SecretRing | None) -> None:
    servers = Servers()
    crm = Crm(servers.store, clock=lambda: NOW - BEHIND, practice=PRACTICE, secrets=secrets)
    for _ in range(2):
        with crm.batch(idem="no") as batch:
            no = batch.consent.withdraw(servers.ann, occurred_at=NOW - BEHIND, **SAID)
        assert no.occurred_at == NOW
    assert [one.kind for one in crm.consent.events(servers.ann)].count("withdraw") == 1


@pytest.mark.parametrize("secrets", [SECRETS, None])
def test_another_no_under_a_key_that_was_used_is_refused(secrets: SecretRing | None) -> None:
    clock = Clock(NOW)
    crm = Crm(MemoryStore(), clock=clock, practice=PRACTICE, secrets=secrets)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id

    def no(minutes: int) -> None:
        with crm.batch(idem="a page for leaving") as batch:
            batch.consent.withdraw(ann, occurred_at=NOW + timedelta(minutes=minutes), **SAID)

    no(-30)
    no(-30)
    clock.move(hours=2)
    for minutes in (-31, -1, 110, 120):
        with pytest.raises(IdempotencyMismatch):
            no(minutes)
    told: Any = {"occurred_at": "yesterday"}
    with pytest.raises((IdempotencyMismatch, NaiveDatetime)), crm.batch(idem="a page for leaving") as batch:
        batch.consent.withdraw(ann, **told, **SAID)
    assert len(crm.consent.events(ann)) == 1


def test_without_secrets_a_no_of_about_now_is_known_again_by_about_that_time() -> None:
    clock = Clock(NOW)
    crm = Crm(MemoryStore(), clock=clock, practice=PRACTICE)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id

    def no(minutes: int) -> None:
        with crm.batch(idem="a page for leaving") as batch:
            batch.consent.withdraw(ann, occurred_at=NOW + timedelta(minutes=minutes), **SAID)

    no(-1)
    clock.move(hours=2)
    no(-1)
    for minutes in (-6, 6, 120):
        with pytest.raises(IdempotencyMismatch):
            no(minutes)


@pytest.mark.parametrize("ref", ["id", "address"])
@pytest.mark.parametrize("batch", [False, True])
def test_a_no_that_is_told_again_comes_not_after_what_was_said_since(ref: str, batch: bool) -> None:
    servers = Servers(ref)
    servers.clock.move(hours=1)
    crm, told = servers.first, {"occurred_at": servers.clock.now, **SAID}

    def tell(**said: Any) -> None:
        if not batch:
            crm.consent.withdraw(servers.yes, **said)
            return
        with crm.batch() as gathered:
            for _ in range(2):
                gathered.consent.withdraw(servers.yes, **said)

    tell(**told)
    servers.clock.move(minutes=1)
    servers.again()
    servers.clock.move(minutes=1)
    tell(**told)
    assert servers.answers(crm) == {"allow"}
    tell(**told, topics=["shoes"])
    yes_at = servers.clock.now - timedelta(minutes=1)
    assert crm.consent.events(servers.ann)[-1].occurred_at == yes_at, "another one is none that is told again"
    tell(**{**told, "occurred_at": servers.clock.now - timedelta(minutes=1, seconds=1)})
    assert servers.answers(crm) == {"deny"}


def test_of_one_batch_what_was_said_before_such_a_no_is_recorded_already_too() -> None:
    servers = Servers()
    servers.clock.move(hours=1)
    with servers.first.batch() as batch:
        batch.consent.record("give", servers.ann, evidence=YES, **SAID)
        at = servers.clock.now - timedelta(seconds=3)
        assert batch.consent.withdraw(servers.ann, occurred_at=at, **SAID).occurred_at == servers.clock.now
    assert servers.answers(servers.first) == {"deny"}


def test_the_time_that_was_told_stays_where_nothing_was_recorded_since_and_where_it_is_long_ago() -> None:
    servers = Servers()
    servers.clock.move(hours=1)
    at = servers.clock.now - timedelta(minutes=4)
    assert servers.first.consent.withdraw(servers.ann, occurred_at=at, **SAID).occurred_at == at
    servers.clock.move(hours=1)
    servers.again()
    before = servers.clock.now - timedelta(minutes=6)
    assert servers.first.consent.withdraw(servers.ann, occurred_at=before, **SAID).occurred_at == before
    assert servers.answers(servers.first) == {"allow"}
    yes = servers.clock.now - timedelta(minutes=1)
    told: Any = {"evidence": YES, "occurred_at": yes, **SAID}
    assert servers.first.consent.record("give", servers.ann, **told).occurred_at == yes


def test_what_is_known_then_is_what_was_recorded_then() -> None:
    servers = Servers()
    servers.second.consent.withdraw(servers.ann, **SAID)
    then = NOW - BEHIND
    assert asked(servers.first, servers.ann, at=then, known_at=then).answer == "deny"
    before = then - timedelta(seconds=1)
    assert asked(servers.first, servers.ann, at=before).answer == "allow"

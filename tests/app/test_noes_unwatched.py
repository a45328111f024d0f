"""A No is never refused for what only moves its date: others who keep writing there, or a batch that holds no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import Offer
from crmcore.consent.clocks import SKEW
from crmcore.errors import BatchTooLarge
from crmcore.testing.ceilings import CeilingsStore
from crmcore.values.ids import PartyId
from tests.app.requests import NOW, Clock
from tests.app.test_clocks_apart import BEHIND, NOES, SAID, SECRETS, Servers
from tests.app.troubled import interrupted
from tests.consent.asking import PRACTICE, YES, asked

LINES = [Offer(purpose="marketing", channel="email")]


@pytest.mark.parametrize("no", NOES)
def test_sign_ups_at_an_address_keep_nobody_from_a_no(no: str) -> None:
    servers = Servers()
    other = servers.first.parties.add(Person.of("Bo Lee", email="ann@x.org")).id
    about: Any = {"point": "ann@x.org", "evidence": YES, **SAID}
    servers.token  # noqa: B018 - made before others write

    def sign_up() -> None:
        servers.first.consent.record("request", other, **about)
        servers.again()

    busy = interrupted(servers.store, *[sign_up] * 30)
    NOES[no](servers, servers.open(busy, BEHIND))
    assert [asked(crm, servers.ann).answer for crm in (servers.second, servers.first)] == ["deny"] * 2
    servers.clock.move(days=1)
    assert asked(servers.first, servers.ann).answer == "deny", "the Yes of the clock ahead was said before"
    servers.again()
    if no != "of the address":  # it is one of the other as well, which the Yes takes not back
        assert asked(servers.first, servers.ann).answer == "allow"
    assert len(getattr(busy, "batches")) < 8  # noqa: B009 - of the wrapper, no store has it


def test_a_no_that_others_keep_crossing_is_later_than_any_clock_shows() -> None:
    servers = Servers()
    busy = servers.open(interrupted(servers.store, *[servers.again] * 30))
    assert busy.consent.withdraw(servers.ann, **SAID).occurred_at == NOW + SKEW


def house(records: int, points: int, shared: str | None = None) -> tuple[Clock, Crm, list[str]]:
    """A customer of so many records with so many addresses each, and a Yes at each, over a store of small batches."""
    clock = Clock(NOW)
    crm = Crm(CeilingsStore(), clock=clock, practice=PRACTICE, secrets=SECRETS)
    ids = []
    for number in range(records):
        person = Person.of("Ann Lee") if shared is None else Person.of("Ann Lee", email=shared)
        for one in range(points):
            person = person.with_email(f"a{number}_{one}@x.org")
        ids.append(crm.parties.add(person).id)
        for one in range(points):
            crm.consent.record("give", ids[-1], point=f"a{number}_{one}@x.org", evidence=YES, **SAID)
        clock.move(hours=1)
    for id in ids[1:]:
        crm.identity.merge(ids[0], id)
    clock.move(hours=1)
    return clock, crm, list(map(str, ids))


def page(crm: Crm, ref: str) -> None:
    before = crm.preferences.centre(ref, LINES)
    crm.preferences.change(ref, before, before.choose("marketing", "email", on=False), evidence=None)


SMALL: dict[str, tuple[int, int, Callable[[Crm, str], object]]] = {
    "of the person": (20, 3, lambda crm, ref: crm.consent.withdraw(ref, **SAID)),
    "of many records": (34, 1, lambda crm, ref: crm.consent.withdraw(ref, **SAID)),
    "centre": (20, 3, page),
    "restriction": (20, 3, lambda crm, ref: crm.consent.record("restrict", ref)),
}


@pytest.mark.parametrize("no", SMALL)
def test_a_no_needs_no_room_for_what_it_watches(no: str) -> None:
    records, points, say = SMALL[no]
    clock, crm, ids = house(records, points)
    assert asked(crm, ids[0], point="a0_0@x.org").answer == "allow"
    say(crm, ids[0])
    for _ in range(2):
        assert asked(crm, ids[0], point="a0_0@x.org").answer == "deny"
        clock.move(hours=1)


@pytest.mark.parametrize(("records", "points"), [(8, 10), (20, 2), (30, 1)])
def test_a_link_needs_no_room_either(records: int, points: int) -> None:
    clock, crm, ids = house(records, points, shared="h@x.org")
    token = crm.unsubscribe.token(ids[0], point="h@x.org")
    clock.move(hours=1)
    for id in ids:
        crm.parties.change(PartyId(id), lambda party: party.without("h@x.org"))
    clock.move(hours=1)
    crm.unsubscribe.act(token)
    for id in ids:
        assert [one.kind for one in crm.consent.events(id) if one.record == id].count("withdraw") == 1


def test_a_no_by_an_address_of_very_many_with_addresses_of_their_own_fits_into_a_small_batch() -> None:
    crm = Crm(CeilingsStore(), clock=Clock(NOW), practice=PRACTICE)
    ids = []
    for number in range(30):
        person = Person.of("Ann Lee", email="h@x.org").with_email(f"o{number}@x.org")
        ids.append(crm.parties.add(person.with_email(f"q{number}@x.org")).id)
        for name in ("o", "q"):
            crm.consent.record("give", ids[-1], point=f"{name}{number}@x.org", evidence=YES, **SAID)
    for channels in (["email"], ["email", "sms"], ["email", "in_app"]):
        crm.consent.withdraw("h@x.org", purposes=["marketing"], channels=channels)
    assert {asked(crm, id, point="h@x.org").answer for id in ids} == {"deny"}


def test_noes_of_a_batch_leave_each_other_room() -> None:
    clock, crm, ids = house(1, 1)
    others = []
    for number in range(30):
        person = Person.of("Bo Lee", email=f"b{number}@x.org").with_email(f"c{number}@x.org")
        others.append(crm.parties.add(person).id)
    clock.move(hours=1)
    with crm.batch() as batch:
        for id in (*ids, *others):
            batch.consent.withdraw(id, **SAID)
    clock.move(minutes=6)
    assert asked(crm, ids[0], point="a0_0@x.org").answer == "deny"
    assert all(crm.consent.events(id)[-1].kind == "withdraw" for id in others)


def test_a_batch_that_holds_too_much_anyway_is_refused_still() -> None:
    _, crm, ids = house(1, 1)

    def say_all() -> None:
        with crm.batch() as batch:
            for _ in range(101):
                batch.consent.withdraw(ids[0], **SAID)

    with pytest.raises(BatchTooLarge):
        say_all()


@pytest.mark.parametrize("no", [one for one in NOES if one not in ("objection", "restriction")])
def test_sign_ups_at_an_address_keep_no_batch_from_a_no(no: str) -> None:
    servers = Servers()
    other = servers.first.parties.add(Person.of("Bo Lee", email="ann@x.org")).id
    about: Any = {"point": "ann@x.org", "evidence": YES, **SAID}
    servers.token  # noqa: B018 - made before the batch begins
    crm: Any = servers.open(servers.store, BEHIND)
    with crm.batch() as batch:
        NOES[no](servers, batch)
        servers.first.consent.record("request", other, **about)
    assert [asked(one, servers.ann).answer for one in (servers.second, servers.first)] == ["deny"] * 2
    servers.clock.move(days=1)
    assert asked(servers.first, servers.ann).answer == "deny", (
        "what was recorded when it was said there was said before"
    )


def test_a_no_of_a_batch_has_the_time_of_now() -> None:
    servers = Servers()
    servers.clock.move(hours=1)
    with servers.first.batch() as batch:
        no = batch.consent.withdraw(servers.ann, **SAID)
    assert no.occurred_at == NOW + timedelta(hours=1)

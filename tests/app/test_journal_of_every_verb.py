"""What every verb leaves in the journal of a batch, and that each is known again by all that it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

import crmcore
from crmcore import Crm, Organization, Person, Source
from crmcore.app.asked import Asked
from crmcore.app.journal import Journal
from crmcore.app.unit import Unit
from crmcore.consent import Evidence, Offer, SecretRing, Wished
from crmcore.consent.rights_request import Requester
from crmcore.errors import IdempotencyMismatch
from crmcore.storage import MemoryStore
from crmcore.values.language import Language
from tests.app.houses import START, options
from tests.app.requests import Clock

SECRETS = SecretRing({1: b"1" * 32})
DAY = timedelta(days=1)
WORK = {"identity.dedupe", "identity.dedupe.index", "identity.dedupe.order", "identity.dedupe.ordered"} | {
    "identity.dedupe.state",
    "identity.reindex",
    "identity.apply_review",
}
"""What is asked about pages of records or judgements, by their ids."""
SECRET = {
    "suppression.add",
    "suppression.add_customer",
    "suppression.lift",
    "unsubscribe.token",
    "unsubscribe.act",
}
"""What nobody is asked without secrets."""


def opened(secrets: SecretRing | None) -> Crm:
    return Crm(MemoryStore(), secrets=secrets, **options(clock=Clock(START)))


def people(crm: Crm, word: str) -> Any:
    ann = crm.parties.add(Person.of(f"Ann {word}", email=f"ann@{word}.example"))
    return ann, crm.parties.add(Person.of(f"Bo {word}", email=f"bo@{word}.example"))


def many_verbs(b: Any, word: str, ann: Any, bo: Any) -> Iterator[Any]:
    """Every verb that takes names, addresses or texts: all that are given begin with, or hold, this *word*."""
    text = f"{word} text"
    cleo = b.parties.add(Person.of(f"Cleo {word}", email=f"cleo@{word}.example").with_source("shop", word))
    yield cleo.id
    yield [one.id for one in b.parties.add_many([Person.of(f"Dan {word}"), Organization.of(f"{word} Inc")])]
    yield b.parties.change(cleo.id, lambda party: party.with_email(f"c@{word}.example")).id
    acme = b.parties.add(Organization.of(f"Acme {word}"))
    job = b.relationships.add("employment", cleo.id, acme.id, title=text)
    yield b.relationships.end(job.id, on=date(2026, 1, 1)).id
    call = b.interactions.record(
        "call", direction="inbound", occurred_at=START - DAY, with_=cleo.id, subject=text, body=text
    )
    right = b.interactions.correct(call.id, reason=text, subject=f"{word} subject")
    right = b.interactions.reassign(right.id, from_=cleo.id, to=ann.id, reason=text)
    right = b.interactions.attach_source(right.id, Source("mail", word))
    yield [call.id, right.id, b.interactions.retract(right.id, reason=text).id]
    yield b.identity.merge(f"ann@{word}.example", f"c@{word}.example", reason=text).id
    apart = b.identity.mark_different(f"bo@{word}.example", ann.id, reason=text)
    yield b.identity.retract(apart.id).id
    evidence = Evidence.imported(document=text)
    for point in (None, f"bo@{word}.example"):
        yield b.consent.record(
            "give",
            bo.id,
            purposes=["marketing"],
            channels=["email"],
            point=point,
            evidence=evidence,
            words=text,
        )
    yield b.consent.record("withdraw", f"Bo {word}", purposes=["research"])
    yield b.preferences.record(
        f"bo@{word}.example", Wished(no_topics=frozenset({word}), language=Language("de"))
    )


def change_of(crm: Crm, word: str, bo: Any) -> tuple[Any, Any]:
    before = crm.preferences.centre(
        bo.id, [Offer(purpose="marketing", channel="email")], points={"email": f"bo@{word}.example"}
    )
    return before, before.choose("marketing", "email", on=True).wish(no_topics=frozenset({word}))


def requests_of(b: Any, word: str, bo: Any) -> Iterator[Any]:
    text = f"{word} text"
    agent = Requester(kind="agent", name=text, authority=text)
    asked: Any = {
        "law": "gdpr",
        "channel": "email",
        "zone": "Europe/Berlin",
        "requester": agent,
        "scope": text,
    }
    one = b.requests.receive(f"bo@{word}.example", right="restriction", **asked)
    other = b.requests.receive(bo.id, right="rectification", **asked)
    yield b.requests.confirm_receipt(one.id).id
    yield b.requests.stop_clock(one.id, "identity").id
    yield b.requests.resume_clock(one.id).id
    for each in (one, other):
        yield b.requests.identify(each.id, "passport", document=text).id
        yield b.requests.move(each.id, "accept").id
        yield b.requests.move(each.id, "collect").id
    yield b.requests.extend(one.id, reason=text).id
    yield b.requests.decide(one.id, "party", "withhold", reason=text).id
    yield b.requests.notify(one.id, "Mailer", "restrict").id
    yield b.requests.answered(one.id, "Mailer", "restrict", "refused", reason=text).id
    yield b.requests.notify(one.id, "Printer", "restrict").id
    yield b.requests.excuse(one.id, "Printer", "restrict", reason=text).id
    yield b.requests.carry_out(one.id)
    yield b.requests.announce_lifting(one.id, reason=text).id
    changed = b.requests.rectify(other.id, lambda party: party.renamed(f"Bob {word}"))
    yield [party.id for party in changed]


def lived(crm: Crm, word: str, ann: Any, bo: Any, change: Any) -> list[Any]:
    """All of it, each in a batch with a key."""
    with crm.batch(idem="one") as b:
        done = list(many_verbs(b, word, ann, bo))
    with crm.batch(idem="two") as b:
        done.append(
            b.preferences.change(f"bo@{word}.example", *change, evidence=Evidence.imported(document=word))
        )
        done += requests_of(b, word, bo)
    return done


def asked_in_the_source() -> set[str]:
    """Every verb that is asked anywhere."""
    sources = (Path(crmcore.__file__).parent / "app").glob("*.py")
    return {verb for path in sources for verb in re.findall(r'Asked\(\s*"([\w.]+)"', path.read_text("utf-8"))}


def test_without_secrets_a_journal_says_the_same_whatever_people_are_called_and_whatever_they_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verbs: set[str] = set()
    note = Journal.note

    def noted(self: Journal, unit: Unit, asked: Asked, result: Any) -> Any:
        verbs.add(asked.verb)
        return note(self, unit, asked, result)

    monkeypatch.setattr(Journal, "note", noted)
    left = []
    for word in ("zebra", "quagga"):
        crm = opened(None)
        ann, bo = people(crm, word)
        lived(crm, word, ann, bo, change_of(crm, word, bo))
        journals = crm.store.scan("default", "batch").items
        assert word not in str([dict(one.body) for one in journals]).lower()
        left.append([[call["digest"] for call in one.body["calls"]] for one in journals])
    assert left[0] == left[1]
    assert verbs == asked_in_the_source() - WORK - SECRET - {"requests.lift"}


@pytest.mark.parametrize("secrets", [None, SECRETS])
def test_every_verb_runs_again_and_writes_nothing(secrets: SecretRing | None) -> None:
    crm = opened(secrets)
    ann, bo = people(crm, "zebra")
    change = change_of(crm, "zebra", bo)
    done = lived(crm, "zebra", ann, bo, change)
    later = Person.of("Bo Hill", email="b@y.example")
    crm.parties.change(
        bo.id, lambda party: party.changed(names=later.names, contact_points=later.contact_points)
    )
    crm.relationships.change(done[3], lambda job: attrs.evolve(job, title="Boss"))
    before = crm.store.changes("default").watermark
    assert lived(crm, "zebra", ann, bo, change) == done
    assert crm.store.changes("default").watermark == before


@pytest.mark.parametrize("secrets", [None, SECRETS])
def test_no_call_is_taken_for_one_that_was_given_something_else(secrets: SecretRing | None) -> None:
    crm = opened(secrets)
    ann, bo = people(crm, "zebra")
    done = lived(crm, "zebra", ann, bo, change_of(crm, "zebra", bo))
    drafts: list[Any] = [Person.of("Dan zebra"), Organization.of("zebra Inc")]
    calls: tuple[Callable[[], Any], ...]
    with crm.batch(idem="one") as b:
        calls = (
            lambda: b.parties.add(
                Person.of("Cleo zebra", email="cleo@quagga.example").with_source("shop", "zebra")
            ),
            lambda: b.parties.add_many(drafts[::-1]),
            lambda: b.parties.add_many(drafts[:1]),
            lambda: b.interactions.correct(done[4][0], reason="zebra text", ended_at=START - 9 * DAY),
            lambda: b.identity.merge("ann@zebra.example", "bo@zebra.example"),
            lambda: b.identity.mark_different(bo.id, ann.id),
            lambda: b.consent.record("give", bo.id, purposes=["marketing"], channels=["email"]),
            lambda: b.consent.record("withdraw", "Bo zebra", purposes=["profiling"]),
            lambda: b.consent.record("withdraw", "Ann zebra", purposes=["research"]),
            lambda: b.consent.record("withdraw", bo.id, purposes=["research"]),
            lambda: b.preferences.record("bo@zebra.example", Wished(no_topics=frozenset({"quagga"}))),
            lambda: b.preferences.record("ann@zebra.example", Wished(no_topics=frozenset({"zebra"}))),
        )
        for call in calls:
            with pytest.raises(IdempotencyMismatch):
                call()
    request = crm.requests.of(bo.id)[0].id
    asked: Any = {"right": "restriction", "law": "gdpr", "channel": "email", "zone": "Europe/Berlin"}
    before, after = change_of(crm, "zebra", bo)
    with crm.batch(idem="two") as b:
        calls = (
            lambda: b.requests.receive("bo@zebra.example", **asked),
            lambda: b.requests.identify(request, "letter", document="zebra text"),
            lambda: b.requests.identify(request, "passport", document="quagga"),
            lambda: b.requests.extend(request, reason="quagga"),
            lambda: b.requests.move(request, "respond"),
            lambda: b.requests.decide(request, "party", "grant", reason="zebra text"),
            lambda: b.requests.notify(request, "Mailer", "erase"),
            lambda: b.requests.answered(request, "Mailer", "restrict", "done", proof_sha256="0" * 64),
            lambda: b.requests.carry_out(request, purposes=["marketing"]),
            lambda: b.requests.announce_lifting(request, reason="quagga"),
            lambda: b.preferences.change("bo@zebra.example", before, before, evidence=None),
            lambda: b.preferences.change("bo@zebra.example", before, after, evidence=None),
        )
        for call in calls:
            with pytest.raises(IdempotencyMismatch):
                call()


@pytest.mark.parametrize("secrets", [None, SECRETS])
def test_a_line_of_another_point_or_controller_and_another_source_are_something_else(
    secrets: SecretRing | None,
) -> None:
    crm = opened(secrets)
    ann = crm.parties.add(Person.of("Ann Lee", email="a@x.example").with_email("b@x.example"))
    call = crm.interactions.record("call", direction="inbound", occurred_at=START - DAY, with_=ann.id)
    offers = [Offer(purpose="marketing", channel="email")]

    shown = {
        (point, whose): crm.preferences.centre(
            ann.id, offers, points={"email": f"{point}@x.example"}, controller=whose
        )
        for point, whose in ("a1", "a2", "b1")
    }

    def changed(idem: str, *said: tuple[str, str]) -> list[Any]:
        with crm.batch(idem=idem) as b:
            return [
                b.preferences.change(
                    ann.id, shown[one], shown[one].choose("marketing", "email", on=False), evidence=None
                )
                for one in said
            ]

    def attached(record: str) -> Any:
        with crm.batch(idem="source") as b:
            return b.interactions.attach_source(call.id, Source("mail", record))

    changed("one", ("a", "1"))
    for other in (("b", "1"), ("a", "2")):
        with pytest.raises(IdempotencyMismatch):
            changed("one", other)
    done = changed("both", ("a", "1"), ("b", "1"))
    assert changed("both", ("b", "1"), ("a", "1")) == done[::-1]
    done = attached("1")
    with pytest.raises(IdempotencyMismatch):
        attached("2")
    assert attached("1") == done

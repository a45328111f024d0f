"""An older backup is restored and erasures are carried over: nobody is permitted more than where they were erased."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts, PastErasures
from crmcore.consent import LegalHold, Message, SecretRing
from crmcore.consent.certificate import BEGUN, CertificateLine, ErasureBegun
from crmcore.consent.disposition import HELD
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.errors import CrmError, InvalidConsent, InvalidRightsRequest, WrongKey
from crmcore.storage import Erasure, MemoryStore, Ref, backup, restore
from crmcore.storage.erasure import ERASED
from crmcore.storage.stored import StoredEntry
from crmcore.storage.wrappers import Encrypted, FileKeyStore, LocalWrapping, wrapped
from crmcore.values.ids import PartyId
from crmcore.values.source import SYSTEM
from tests.app.requests import Clock, collecting
from tests.app.test_erased_noes import OURS, SECRETS, SHOWN, answer, back, erased
from tests.app.test_erasures_cut_off import Cut
from tests.app.test_person_erasure import NOTHING_KEPT, everything, rows_of

LETTER = Message.marketing(sender_identified=True, unsubscribe=True, postal_address=True)


class Restored:
    """A store with Ann, Bo and Cy, a backup of it, and the same store later, and restored with its erasures."""

    def __init__(self, folder: Path, secrets: SecretRing | None) -> None:
        self.secrets, self.clock = secrets, Clock(datetime(2022, 5, 4, 9, tzinfo=UTC))
        self.store, self.restored, self.file = MemoryStore(), MemoryStore(), folder / "old.backup"
        self.live = self.opened(self.store)
        add = self.live.parties.add
        self.ann = add(Person.of("Ann Lee", email="ann@x.example").with_email("lees@x.example")).id
        self.bo, self.cy = (add(Person.of(name, email="lees@x.example")).id for name in ("Bo Lee", "Cy Lee"))
        for who in (self.ann, self.bo):
            self.yes(self.live, who, "lees@x.example")
        self.yes(self.live, self.ann, "ann@x.example")
        self.clock.move(hours=1)
        self.live.consent.withdraw(self.ann, point="lees@x.example", words="Ann wants none")
        self.live.interactions.record(
            "call", direction="inbound", occurred_at=date(2022, 5, 1), with_=[self.ann, self.bo, self.cy]
        )

    def opened(self, store: MemoryStore) -> Crm:
        return Crm(store, clock=self.clock, practice=OURS, secrets=self.secrets)

    def yes(self, crm: Crm, who: PartyId, point: str) -> None:
        crm.consent.record(
            "give", who, point=point, purposes=["marketing"], channels=["email"], evidence=SHOWN
        )

    def saved(self, *, years: int = 0) -> None:
        self.clock.move(days=365 * years + 1)
        backup(self.store, self.file, at=self.clock.now)
        self.clock.move(days=1)

    def again(self) -> Crm:
        past = json.loads(json.dumps(self.live.requests.erasures().to_json()))
        return self.carried(PastErasures.of_json(past))

    def carried(self, past: PastErasures | Iterable[Erasure], *, times: int = 2) -> Crm:
        self.restored = MemoryStore()
        restore(self.restored, self.file)
        crm = self.opened(self.restored)
        if self.secrets is None and not isinstance(past, PastErasures):
            past = PastErasures(tenant="default", erasures=tuple(past), suppressed=False)
        for _ in range(times):  # also where it is done twice
            crm.requests.erase_again(past)
        return crm

    def retained(
        self, *holds: LegalHold, purposes: Mapping[str, frozenset[str]] | None = None
    ) -> RetentionPlan:
        """A plan by which the time of Ann and of Bo is over."""
        steps = tuple(
            RetentionStep(
                place=str(one),
                category="prospect",
                action="delete",
                reason="over",
                source="",
                members=(str(one),),
            )
            for one in (self.ann, self.bo)
        )
        return RetentionPlan(steps=steps, holds=holds, purposes=dict(purposes or {}))


def in_a_store_to_cut(folder: Path, *names: str) -> tuple[Restored, Cut, list[PartyId]]:
    """People of these *names*, alone in a store that breaks off as soon as nothing is *left*."""
    one, store = Restored(folder, None), Cut()
    one.store, store.left = store, 10**9
    one.live = one.opened(store)
    return one, store, [one.live.parties.add(Person.of(name)).id for name in names]


def noted(store: MemoryStore) -> list[ErasureBegun]:
    found = store.scan("default", BEGUN.tag, limit=9).items
    return [BEGUN.load(record.body, record.schema) for record in found]


@pytest.mark.parametrize("secrets", [None, SECRETS])
@pytest.mark.parametrize("years", [0, 4])
def test_what_was_written_beside_an_erasure_is_carried_over_with_it(
    tmp_path: Path, secrets: SecretRing | None, years: int
) -> None:
    one = Restored(tmp_path, secrets)
    one.saved(years=years)
    for _ in range(2):  # what comes after the backup takes numbers of ledgers
        one.live.consent.withdraw(one.ann, point="lees@x.example", words="Ann wants none")
    erased(one.live, one.ann, NOTHING_KEPT if years else None)
    erased(one.live, one.cy)
    restored = one.again()
    for crm in (one.live, restored):
        assert [party.display_name for party in crm.parties.find(email="lees@x.example")] == ["Bo Lee"]
        assert answer(crm, one.bo) == "deny"
        acts = [act for act in crm.consent.events(one.bo) if act.kind == "withdraw"]
        noes = [act for act in acts if act.occurred_at.date() == date(2022, 5, 4)]
        assert noes
        assert {act.words for act in noes} == {None} or years == 0
        (talk,) = crm.interactions.timeline(one.bo).items
        assert talk.parties == (one.bo,)
        if secrets is not None:
            assert back(crm, one.clock, "ann@x.example") == "deny"
    entries = [row for row in rows_of(one.restored) if isinstance(row, StoredEntry)]
    assert {row.schema for row in entries if one.cy in row.subjects} <= {ERASED}
    if years == 0:
        assert len(noted(one.restored)) == 1  # of Cy nothing is kept: what Ann's erasure took was Cy's, too
        one.clock.move(days=4 * 365)
        assert len(restored.retention.kept_too_long().steps) == 1
        restored.retention.apply(restored.retention.kept_too_long())
        assert restored.retention.kept_too_long().steps == ()
        assert not [row for row in everything(one.restored) if "Ann wants" in row]


def test_addresses_are_suppressed_where_erasures_are_carried_over_or_nothing_is_done(tmp_path: Path) -> None:
    one = Restored(tmp_path, SECRETS)
    one.saved()
    one.live.consent.record(
        "object", one.ann, purposes=["direct_marketing"]
    )  # the backup does not know of it
    erased(one.live, one.ann)
    past = one.live.requests.erasures()
    restore(one.restored, one.file)
    without = Crm(one.restored, clock=one.clock, practice=OURS)
    before = list(everything(one.restored))
    only_begun = attrs.evolve(past, erasures=())
    for told in (past, PastErasures.of_json(past.to_json()), past.erasures, only_begun):
        with pytest.raises(InvalidConsent, match=r"open the crm with the same secrets"):
            without.requests.erase_again(told)
        assert list(everything(one.restored)) == before
    crm = one.opened(one.restored)
    crm.requests.erase_again(past)
    assert back(crm, one.clock, "ann@x.example") == "deny"
    found = crm.consent.decide(
        "ann@x.example", purpose="marketing", channel="email", jurisdictions=["US"], message=LETTER
    )
    assert found.rule == "us.internal_list"


def lines_of(store: MemoryStore) -> list[tuple[tuple[str, ...], tuple[CertificateLine, ...]]]:
    return sorted(((note.members, note.lines) for note in noted(store)), key=repr)


@pytest.mark.parametrize("kinds", [frozenset({"party", "party.added"}), frozenset[str]()])
@pytest.mark.parametrize("asked", [True, False])
def test_whoever_was_kept_by_a_hold_is_kept_and_restricted_there_too(
    tmp_path: Path, kinds: frozenset[str], asked: bool
) -> None:
    one = Restored(tmp_path, None)
    other = one.live.parties.add(Person.of("Ann Lee-Hill", email="hill@x.example")).id
    one.live.identity.merge(one.ann, other, reason="the same")
    one.saved(years=4 if kinds else 0)
    hold = LegalHold(id="7", reason="a lawsuit", kinds=kinds)
    if asked:
        erased(one.live, one.ann, ErasureFacts(holds=(hold,)))
    else:
        plan = one.retained(hold)
        (first, second) = plan.steps
        both = attrs.evolve(first, members=(str(one.ann), str(other)))
        one.live.retention.apply(attrs.evolve(plan, steps=(both, second)))
    restored = one.again()
    for crm in (one.live, restored):
        (told,) = [act for act in crm.consent.events(one.ann) if act.kind == "restrict"]
        assert set(told.members) == {one.ann, other}
        found = crm.consent.decide(
            one.ann, point="ann@x.example", purpose="marketing", channel="email", jurisdictions=["DE"]
        )
        assert found.answer == "deny"
        if kinds and asked:
            assert {act.words for act in crm.consent.events(one.bo) if act.kind == "withdraw"} == {None}
            assert answer(crm, one.bo) == "deny"
    people = [[note for note in lines_of(store) if any(note)] for store in (one.restored, one.store)]
    assert people[0] == people[1]
    if not kinds:
        return
    # The erasures alone tell as much of whoever lost something.
    alone = one.carried(one.store.erasures("default").items)
    (told,) = [act for act in alone.consent.events(one.ann) if act.kind == "restrict"]
    assert set(told.members) == {one.ann, other}
    assert {line.cite for note in noted(one.restored) for line in note.lines if line.kind == "party"} == {
        HELD
    }


def test_who_was_restricted_and_asked_later_is_noted_with_both(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    one.live.retention.apply(one.retained(LegalHold(id="7", reason="x", kinds=frozenset({"party"}))))
    erased(one.live, one.ann)
    past = one.live.requests.erasures()
    for notes in (past.notes, past.notes[::-1]):
        restored = one.carried(attrs.evolve(past, notes=notes), times=1)
        (mine,) = [note for note in noted(one.restored) if note.members == (one.ann,)]
        assert {line.action for line in mine.lines if line.kind == "party"} == {"delete"}
        assert {"consent.event", "interaction"} <= {line.kind for line in mine.lines}
        steps = restored.retention.kept_too_long(on=date(2050, 1, 1), holds=[]).steps
        assert [step.members for step in steps].count((str(one.ann),)) == 1


def test_what_the_backup_knows_of_is_not_noted_again(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    other = one.live.parties.add(Person.of("Ann Lee-Hill", email="hill@x.example")).id
    one.live.identity.merge(one.ann, other, reason="the same")
    plan = one.retained(LegalHold(id="7", reason="x", kinds=frozenset({"party"})))
    both = attrs.evolve(plan.steps[0], place=str(other), members=(str(one.ann), str(other)))
    one.live.retention.apply(attrs.evolve(plan, steps=(both,)))
    one.saved()
    for past in (one.live.requests.erasures(), one.store.erasures("default").items):
        one.carried(past)
        assert lines_of(one.restored) == lines_of(one.store)


@pytest.mark.parametrize("asked_before", [True, False])
def test_erasures_alone_tell_whose_they_were_by_what_they_took(tmp_path: Path, asked_before: bool) -> None:
    one = Restored(tmp_path, None)
    if not asked_before:
        one.saved()
    request = collecting(one.live, one.cy, "erasure").id
    kinds = {"party", "party.added"} if asked_before else {"party"}
    if asked_before:
        one.saved()
    facts = ErasureFacts(holds=(LegalHold(id="7", reason="x", kinds=frozenset(kinds)),))
    digest = one.live.requests.erasure_plan(request, facts=facts).digest
    one.live.requests.erase(request, plan_sha256=digest, facts=facts)
    alone = one.carried(one.store.erasures("default").items)
    for crm in (one.live, alone):
        assert [act.kind for act in crm.consent.events(one.cy)].count("restrict") == 1


def test_what_was_kept_is_kept_as_long_as_where_it_was_erased(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    talks = {"interaction": frozenset({"accounting"})}
    one.live.retention.apply(
        one.retained(LegalHold(id="7", reason="x", kinds=frozenset({"consent.event"})), purposes=talks)
    )
    erased(one.live, one.cy, ErasureFacts(purposes=talks))
    restored = one.again()
    other = LegalHold(id="8", reason="a category", kinds=frozenset({"prospect"}))

    def left(crm: Crm, years: int, holds: list[LegalHold] | None) -> list[tuple[str, tuple[str, ...]]]:
        on = date(2022 + years, 6, 1)
        steps = crm.retention.kept_too_long(on=on, holds=holds, purposes=talks).steps
        return sorted((step.action, step.members) for step in steps if str(one.cy) not in step.members)

    for years, holds in ((1, None), (1, []), (5, None), (5, []), (1, [other]), (20, [other])):
        assert left(restored, years, holds) == left(one.live, years, holds)
    assert [action for action, _ in left(restored, 5, None)] == ["find_out"] * 2
    # Cy's request is not there: what was kept of Cy is found by retention.
    assert [step.members for step in restored.retention.kept_too_long(on=date(2050, 1, 1)).steps].count(
        (str(one.cy),)
    ) == 1
    # The erasures alone do not tell what kept it: all of it counts as held.
    alone = one.carried(one.store.erasures("default").items)
    assert [action for action, _ in left(alone, 5, None)] == ["find_out"] * 2
    assert sorted(note.members for note in noted(one.restored)) == sorted(
        (str(who),) for who in (one.ann, one.bo, one.cy)
    )


def test_a_request_of_before_is_gone_on_with_by_what_was_noted_of_it(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    erased(one.live, one.cy)
    request = collecting(one.live, one.ann, "erasure").id
    one.saved()
    one.live.requests.erase(request, plan_sha256=one.live.requests.erasure_plan(request).digest)
    told = one.live.requests.certificate(request)
    restored = one.again()
    made = restored.requests.erase(request, plan_sha256=restored.requests.erasure_plan(request).digest)
    counts = [
        {(line.kind, line.action, line.until): line.count for line in each.lines} for each in (told, made)
    ]
    assert counts[0] == counts[1]
    alone = one.carried(one.store.erasures("default").items)
    made = alone.requests.erase(request, plan_sha256=alone.requests.erasure_plan(request).digest)
    assert made.count("delete", "anonymise") == told.count("delete", "anonymise")
    assert made.count("restrict") == told.count("restrict")


def test_all_erasures_are_carried_over_however_many_there_are() -> None:
    clock = Clock(datetime(2022, 5, 4, 9, tzinfo=UTC))
    store = MemoryStore()
    for number in range(501):
        store.erase(Erasure(tenant="default", idem=f"request {number}", actor=SYSTEM, at=clock.now))
    past = Crm(store, clock=clock).requests.erasures()
    assert (len(past.erasures), past.notes, past.suppressed) == (501, (), False)
    document = past.to_json()
    assert PastErasures.of_json(document) == past
    for name in ("notes", "erasures", "suppressed"):
        with pytest.raises(CrmError):
            PastErasures.of_json({**document, name: [1]})
    for wrong in ({}, {**document, "other": 1}):
        with pytest.raises(CrmError):
            PastErasures.of_json(wrong)


def test_nothing_is_carried_over_where_keys_are_gone_of_what_is_to_go(tmp_path: Path) -> None:
    def keys(name: str) -> FileKeyStore:
        return FileKeyStore(str(tmp_path / name), wrapping=LocalWrapping(bytes(range(32))))

    one = Restored(tmp_path, SECRETS)
    below, now = MemoryStore(), keys("now")
    live = Crm(wrapped(below, lambda inner: Encrypted(inner, now)), clock=one.clock, secrets=SECRETS)
    ann, bo = (live.parties.add(Person.of(name, email="lees@x.example")).id for name in ("Ann Lee", "Bo Lee"))
    live.consent.withdraw(ann, point="lees@x.example")
    live.interactions.record("call", direction="inbound", occurred_at=date(2022, 5, 1), with_=[ann, bo])
    backup(below, one.file, at=one.clock.now)
    with sqlite3.connect(tmp_path / "now") as here, sqlite3.connect(tmp_path / "then") as there:
        here.backup(there)
    one.clock.move(days=1)
    erased(live, ann)
    past = live.requests.erasures()

    def restored(ring: FileKeyStore) -> Crm:
        store = MemoryStore()
        restore(store, one.file)
        return Crm(wrapped(store, lambda inner: Encrypted(inner, ring)), clock=one.clock, secrets=SECRETS)

    with pytest.raises(WrongKey, match="the keys of the time of the backup"):
        restored(now).requests.erase_again(past)
    crm = restored(keys("then"))
    for _ in range(2):
        crm.requests.erase_again(past)
    assert crm.parties.get(bo).display_name == "Bo Lee"
    assert len(crm.interactions.timeline(bo).items) == 1
    assert [act.kind for act in crm.consent.events(bo)] == ["withdraw"]


def test_what_an_app_erased_itself_has_nothing_beside_it(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    wanted = Erasure(
        tenant="default",
        refs=frozenset({Ref("default", "party", one.ann)}),
        idem="request 17",
        actor=SYSTEM,
        at=one.clock.now,
    )
    one.store.erase(wanted)
    one.store.erase(attrs.evolve(wanted, tenant="other", refs=frozenset()))
    restore(one.restored, one.file)
    crm = one.opened(one.restored)
    found = [*one.store.erasures("default").items, *one.store.erasures("other").items]
    assert (len(found), crm.requests.erase_again(found).erasures) == (2, 1)
    assert crm.parties.find(email="ann@x.example") == ()
    assert crm.retention.kept_too_long(on=date(2040, 1, 1)).steps == ()
    with pytest.raises(InvalidRightsRequest, match="no part of a batch"), crm.batch() as batch:
        batch.requests.erase_again(found)

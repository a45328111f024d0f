"""Somebody asks to be erased: what goes, what stays and why, and what is told to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import Disposition, LegalHold, RightsRequest, read_dispositions, shipped_dispositions
from crmcore.errors import InvalidPack, InvalidRightsRequest, StoreClosed
from crmcore.storage import MemoryStore, SqliteStore, backup, restore
from crmcore.storage.erasure import ERASED, Erasure, ErasureReport
from crmcore.storage.protocol import Description, Store
from crmcore.storage.stored import Stored, StoredEntry
from crmcore.values.ids import PartyId
from tests.app.requests import NOW, Clock, collecting, customers

NOTHING_KEPT = ErasureFacts(
    table=tuple(
        line for line in shipped_dispositions() if line.kind in ("*", "interaction") and not line.until
    )
)
CANARIES = (
    b"Zacharias",
    b"zz@x.example",
    b"zz@y.example",
    b"7946 0018",
    b"442079460018",
    b"confided",
    b"vip-tag",
)


def lived(store: Store | None = None, clock: Clock | None = None) -> tuple[Crm, PartyId, PartyId]:
    """Somebody whom two systems know, who was in touch with Bo and gave consent; their id and Bo's."""
    crm = customers(store, clock)
    zed = crm.parties.add(
        Person.of("Zacharias", email="zz@x.example", phone="+44 20 7946 0018").with_tag("vip-tag")
    )
    too = crm.parties.add(Person.of("Zacharias", email="zz@y.example").with_source("shop", "17"))
    crm.identity.merge(zed.id, too.id, reason="Zacharias said so")
    bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    crm.relationships.add("reports_to", zed.id, bo.id, note="Zacharias was hired by Bo")
    slip = crm.relationships.add("reports_to", too.id, bo.id, note="confided")
    crm.relationships.retract(slip.id, reason="confided")
    crm.identity.mark_different(zed.id, bo.id, reason="Zacharias is not Bo")
    talk = crm.interactions.record(
        "call", direction="inbound", occurred_at=date(2026, 3, 1), with_=[zed.id, bo.id], subject="confided"
    )
    crm.interactions.correct(talk.id, reason="confided", body="Zacharias confided more")
    wrong = crm.interactions.record(
        "note", direction="internal", occurred_at=date(2026, 3, 2), with_=[too.id], body="confided"
    )
    crm.interactions.retract(wrong.id, reason="confided")
    crm.consent.record("give", "zz@x.example", purposes=["marketing"], channels=["email"])
    crm.consent.record("object", zed.id, purposes=["profiling"], words="confided")
    return crm, zed.id, bo.id


def erased(crm: Crm, ref: str, facts: ErasureFacts | None = None) -> RightsRequest:
    request = collecting(crm, ref, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    return request


def everything(store: MemoryStore | SqliteStore) -> Iterator[str]:
    """Every row of a store, as text."""
    return (" ".join(map(str, row)) for row in rows_of(store))  # a body hides itself in repr


def rows_of(store: MemoryStore | SqliteStore) -> list[Stored]:
    with closing(store.export()) as rows:
        return list(rows.read(10_000))


def test_a_plan_writes_nothing_and_says_why() -> None:
    store = MemoryStore()
    crm, zed, _ = lived(store)
    request = collecting(crm, zed, "erasure")
    before = crm.store.changes("default").next
    plan = crm.requests.erasure_plan(request.id)
    assert crm.store.changes("default", before).items == ()
    assert all(one.reason and one.cite for one in plan.disposals)
    kinds = {(one.kind, one.action) for one in plan.disposals}
    assert {("party", "delete"), ("interaction", "anonymise"), ("interaction", "delete")} <= kinds
    assert {one.action for one in plan.disposals if one.kind == "consent.event"} == {"restrict"}
    assert not re.search("Zacharias|zz@|Bo", plan.text())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_nothing_of_the_person_is_left_where_nothing_keeps_it(tmp_path: Path, kind: str) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "crm.db")
    crm, zed, bo = lived(store)
    assert any("Zacharias" in row for row in everything(store))
    erased(crm, zed, NOTHING_KEPT)
    for row in everything(store):
        assert not [canary for canary in CANARIES if canary.decode() in row]
    assert not [row for row in rows_of(store) if isinstance(row, StoredEntry) and zed in row.subjects]
    assert crm.parties.get(bo).display_name == "Bo Hill"
    if kind == "sqlite":
        files = [file.read_bytes() for file in tmp_path.glob("crm.db*")]
        assert not [canary for canary in CANARIES if any(canary in content for content in files)]
    crm.close()


def test_of_a_talk_with_somebody_else_only_that_remains_that_there_was_one() -> None:
    crm, zed, bo = lived()
    before = crm.interactions.timeline(bo).items
    erased(crm, zed)
    (after,) = crm.interactions.timeline(bo).items
    assert (after.kind, after.occurred_at, after.parties) == (before[0].kind, before[0].occurred_at, (bo,))
    assert (after.subject, after.body, after.reason, after.sources) == (None, None, None, ())


def test_kept_consent_is_evidence_and_no_permission() -> None:
    crm, zed, _ = lived()
    erased(crm, zed)
    again = crm.parties.add(Person.of("Zacharias", email="zz@x.example"))
    decision = crm.consent.decide(again.id, purpose="marketing", channel="email", jurisdictions=["DE"])
    assert decision.answer == "deny"
    assert not [act for act in crm.consent.events(again.id) if act.kind == "give"]


@pytest.mark.parametrize("kinds", [frozenset[str](), frozenset({"*"}), frozenset({"party", "*"})])
def test_a_legal_hold_beats_erasure_and_restricts(kinds: frozenset[str]) -> None:
    crm, zed, _ = lived()
    hold = LegalHold(id="case 7", reason="a lawsuit is pending", kinds=kinds)
    request = collecting(crm, zed, "erasure")
    facts = ErasureFacts(holds=(hold,))
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    assert {one.action for one in plan.disposals} == {"restrict"}
    assert {one.hold for one in plan.disposals} == {"case 7"}
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    assert certificate.count("delete", "anonymise") == 0
    assert crm.parties.get(zed).display_name == "Zacharias"
    assert [act.kind for act in crm.consent.events(zed)].count("restrict") == 1
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    assert [act.kind for act in crm.consent.events(zed)].count("restrict") == 1
    over = attrs.evolve(hold, until=date(2026, 5, 3))
    later = crm.requests.erasure_plan(request.id, facts=ErasureFacts(holds=(over,)))
    assert later.of("delete")


def test_what_a_purpose_needs_is_kept_until_its_day() -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    facts = ErasureFacts(purposes={"interaction": frozenset({"accounting", "legal_claims"})})
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    kept = [one for one in plan.disposals if one.kind == "interaction"]
    assert {(one.action, one.until) for one in kept} == {("keep", date(2036, 12, 31))}


def test_a_plan_stays_the_same_from_day_to_day_and_counts_from_the_last_use() -> None:
    clock = Clock()
    crm, zed, _ = lived(clock=clock)
    clock.move(days=4 * 365)
    request = collecting(crm, zed, "erasure")
    facts = ErasureFacts(purposes={"party": frozenset({"legal_claims"})})
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    assert {one.until for one in plan.disposals if one.kind in ("consent.event", "party")} == {
        date(2033, 5, 3),
        None,
    }
    clock.move(days=9)
    assert crm.requests.erasure_plan(request.id, facts=facts).digest == plan.digest
    crm.interactions.record("email", direction="outbound", occurred_at=date(2030, 5, 7), with_=[zed])
    again = crm.requests.erasure_plan(request.id, facts=facts)
    assert {one.until for one in again.disposals if one.kind == "consent.event"} == {date(2033, 5, 7), None}


def test_a_purpose_that_the_table_does_not_know_is_refused() -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    for kind, purpose, said in (
        ("interaction", "acounting", "acounting"),
        ("suppression", "acounting", "acounting"),
        ("interactions", "accounting", "interactions"),
    ):
        with pytest.raises(InvalidRightsRequest, match=said):
            crm.requests.erasure_plan(request.id, facts=ErasureFacts(purposes={kind: frozenset({purpose})}))


def test_what_was_refused_is_not_erased() -> None:
    crm, zed, _ = lived()
    note = crm.interactions.record("note", direction="internal", occurred_at=date(2026, 3, 3), with_=[zed])
    request = collecting(crm, zed, "erasure")
    crm.requests.decide(request.id, "party", "refuse", reason="Zacharias owes us")
    crm.requests.decide(request.id, str(note.id), "withhold", reason="Bo wrote it")
    crm.requests.decide(request.id, "judgement", "grant")
    plan = crm.requests.erasure_plan(request.id)
    kept = {one.place for one in plan.of("keep") if one.kind in ("party", "interaction", "judgement")}
    assert kept == {*(f"party {one}" for one in request.members), f"interaction {note.id}"}
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert crm.parties.get(zed).display_name == "Zacharias"
    assert "Zacharias" not in str(certificate.to_json())
    with pytest.raises(InvalidRightsRequest, match="refuse it partly"):
        crm.requests.move(request.id, "refuse", reason="no")
    crm.requests.move(request.id, "review")
    assert (
        crm.requests.move(request.id, "refuse_partly", reason="owed", sha256=certificate.sha256).state
        == "partially_refused"
    )


def test_what_was_refused_is_named_by_its_place_too_and_a_number_names_no_entry() -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    before = crm.requests.erasure_plan(request.id)
    note = next(one for one in before.disposals if one.kind == "interaction" and one.action == "delete")
    entry = next(one for one in before.disposals if one.kind == "party.added")
    for place in (note.place, note.place.replace(" ", "/"), entry.place, entry.place.replace(" ", "/")):
        crm.requests.decide(request.id, place, "refuse", reason="a lawsuit")
        kept = crm.requests.erasure_plan(request.id).of("keep")
        assert {one.place for one in kept} - {one.place for one in before.of("keep")} >= {
            entry.place if "party:" in place else note.place
        }
        crm.requests.decide(request.id, place, "grant")
    assert crm.requests.erasure_plan(request.id).digest == before.digest


@pytest.mark.parametrize(
    "item", ["interactions", "the call of March", "record", "*", "1", "features", "contact_point"]
)
def test_a_refusal_that_fits_nothing_that_is_held_is_said_before_anything_goes(item: str) -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    crm.requests.decide(request.id, item, "refuse", reason="a lawsuit")
    with pytest.raises(InvalidRightsRequest, match="1 of the items that were refused"):
        crm.requests.erasure_plan(request.id)
    with pytest.raises(InvalidRightsRequest, match="1 of the items that were refused"):
        crm.requests.erase(request.id, plan_sha256=plan.digest)
    crm.requests.decide(request.id, item, "grant")
    assert crm.requests.erasure_plan(request.id).digest == plan.digest


def test_a_certificate_holds_no_value_and_no_id() -> None:
    crm, zed, bo = lived()
    request = erased(crm, zed)
    certificate = crm.requests.certificate(request.id)
    text = str(certificate.to_json()) + certificate.to_html()
    for secret in (*(canary.decode() for canary in CANARIES), zed, bo, "Bo Hill"):
        assert secret not in text
    assert certificate.count("delete", "anonymise") > 10
    assert any(line.until and line.cite for line in certificate.lines if line.action == "restrict")


def test_what_has_changed_since_the_plan_is_not_erased_by_it() -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    crm.parties.change(zed, lambda p: p.with_email("zz@new.example"))
    with pytest.raises(InvalidRightsRequest, match="has changed"):
        crm.requests.erase(request.id, plan_sha256=plan.digest)


def test_no_record_is_erased_that_only_a_model_took_for_the_person() -> None:
    crm = customers()
    for number in range(2):
        crm.parties.add(
            Person.of(
                "Ann Lee",
                email=f"ann@{'xy'[number]}.example",
                phone="+44 20 7946 0018",
                birth_date="1980-02-29",
                address="1 High Street, Leeds LS1 1AA",
            )
        )
    crm.identity.dedupe()
    request = collecting(crm, "ann@x.example", "erasure")
    with pytest.raises(InvalidRightsRequest, match="another person's"):
        crm.requests.erasure_plan(request.id)
    assert crm.requests.erasure_plan(request.id, reviewed="doubtful").of("delete")


def test_the_requests_of_somebody_who_was_erased_are_still_there() -> None:
    crm, zed, _ = lived()
    request = erased(crm, zed)
    (found,) = crm.requests.of(zed)
    assert found.id == request.id
    assert [step.kind for step in crm.requests.steps(request.id)][:2] == ["receive", "identify"]


class Cut(MemoryStore):
    """A store that breaks off when it has done so many erasures."""

    left = 10**9

    def describe(self) -> Description:
        """One that takes little at a time, so that one person takes several erasures."""
        found = super().describe()
        return attrs.evolve(found, limits=attrs.evolve(found.limits, max_ops=4))

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        if not self.left:
            raise StoreClosed("cut off")
        self.left -= 1
        return super().erase(erasure, timeout=timeout)


@pytest.mark.parametrize("done", [0, 1, 2, 5, 7, 8])
def test_an_erasure_that_was_cut_off_goes_on_where_it_was(done: int) -> None:
    store = Cut()
    crm, zed, bo = lived(store)
    for number in range(3):
        crm.interactions.record(
            "note", direction="internal", occurred_at=date(2026, 3, 3), with_=[zed], body=f"confided {number}"
        )
    crm.parties.change(zed, lambda p: p.without("zz@x.example"))
    request = collecting(crm, zed, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=NOTHING_KEPT)
    store.left = done
    with pytest.raises(StoreClosed):
        crm.requests.erase(request.id, plan_sha256=plan.digest, facts=NOTHING_KEPT)
    store.left = 10**9
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest, facts=NOTHING_KEPT)
    assert certificate.count("delete", "anonymise") == len(plan.of("delete", "anonymise"))
    assert len(crm.interactions.timeline(bo).items) == 1
    for row in everything(store):
        assert not [canary for canary in CANARIES if canary.decode() in row]


def test_who_was_erased_after_a_backup_is_erased_from_what_is_restored(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    crm, zed, bo = lived(store)
    backup(store, tmp_path / "old.backup", at=NOW)
    erased(crm, zed, NOTHING_KEPT)
    again = SqliteStore(tmp_path / "again.db")
    restore(again, tmp_path / "old.backup", erasures=store.erasures("default").items)
    for row in everything(again):
        assert not [canary for canary in CANARIES if canary.decode() in row]
    assert Crm(again).parties.get(bo).display_name == "Bo Hill"
    again.close()
    crm.close()


def test_the_acts_that_are_kept_are_all_that_still_names_the_person() -> None:
    store = MemoryStore()
    crm, zed, _ = lived(store)
    erased(crm, zed)
    entries = [row for row in rows_of(store) if isinstance(row, StoredEntry)]
    assert {row.schema for row in entries if zed in row.subjects} == {"consent.event/1", ERASED}


def test_what_must_be_told_to_whom_by_when_is_kept_with_its_proof() -> None:
    clock = Clock()
    crm, zed, _ = lived(clock=clock)
    request = erased(crm, zed)
    crm.requests.notify(request.id, "mailer", "erase the address")
    crm.requests.notify(request.id, "search index", "erase", due=date(2026, 5, 6))
    assert [notice.due for notice in crm.requests.get(request.id).notices] == [
        date(2026, 6, 4),
        date(2026, 5, 6),
    ]
    certificate = crm.requests.certificate(request.id)
    crm.requests.move(request.id, "review")
    crm.requests.move(request.id, "respond", sha256=certificate.sha256)
    crm.requests.answered(request.id, "mailer", "erase the address", "done", proof_sha256="0" * 64)
    with pytest.raises(InvalidRightsRequest, match="1 who were told have not answered"):
        crm.requests.move(request.id, "close")
    crm.requests.answered(request.id, "search index", "erase", "nothing_held")
    assert crm.requests.move(request.id, "close").state == "closed"


GOOD = 'kind="*"\naction="delete"\ntext="t"\ncite="c"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("delete", "shred"), "action is one of"),
        (GOOD.replace('cite="c"', ""), "cite is missing"),
        (GOOD + 'klass="special"', "unknown key klass"),
        (GOOD + 'class="secret"', "class is one of"),
        (GOOD + 'until="P3Y"', "no until"),
        (GOOD.replace("delete", "keep") + 'until="P3Y"\ncounting="moons"', "counting is one of"),
        (GOOD.replace("delete", "keep") + 'until="P3Y"\ntrigger="birth"', "trigger is one of"),
        (GOOD.replace("delete", "keep") + 'trigger="made"', "beside an until"),
    ],
)
def test_a_table_with_a_slip_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidPack, match=f"disposition 1: .*{said}"):
        read_dispositions("[[disposition]]\n" + text)


def test_a_table_that_is_silent_of_a_kind_erases_nothing() -> None:
    crm, zed, _ = lived()
    request = collecting(crm, zed, "erasure")
    silent = ErasureFacts(table=(Disposition(kind="party", action="delete", text="t", cite="c"),))
    with pytest.raises(InvalidPack, match="says nothing of"):
        crm.requests.erasure_plan(request.id, facts=silent)

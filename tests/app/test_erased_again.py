"""An older backup is restored and erasures are carried over: nobody is permitted more than where they were erased."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold, SecretRing
from crmcore.consent.certificate import BEGUN, ErasureBegun
from crmcore.errors import InvalidRightsRequest
from crmcore.storage import Erasure, MemoryStore, Ref, backup, restore
from crmcore.storage.erasure import ERASED
from crmcore.storage.stored import StoredEntry
from crmcore.values.ids import PartyId
from crmcore.values.source import SYSTEM
from tests.app.requests import Clock
from tests.app.test_erased_noes import OURS, SECRETS, SHOWN, answer, back, erased
from tests.app.test_person_erasure import NOTHING_KEPT, everything, rows_of


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
        restore(self.restored, self.file)
        crm = self.opened(self.restored)
        for _ in range(2):  # also where it is done twice
            crm.requests.erase_again(self.store.erasures("default").items)
        return crm


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


def test_whoever_was_kept_by_a_hold_is_restricted_there_too_and_the_noes_of_others_stay(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    hold = LegalHold(id="7", reason="a lawsuit", kinds=frozenset({"party"}))
    erased(one.live, one.ann, ErasureFacts(holds=(hold,)))
    for crm in (one.live, one.again()):
        assert [act.kind for act in crm.consent.events(one.ann)].count("restrict") == 1
        assert {act.words for act in crm.consent.events(one.bo) if act.kind == "withdraw"} == {None}
        assert answer(crm, one.bo) == "deny"
    (note,) = noted(one.restored)
    assert {line.cite for line in note.lines if line.kind == "party"} == {"a legal hold"}


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

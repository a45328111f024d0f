"""One record against a store with a frozen model: who is found, what is decided, and what it costs."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

import crmcore.app.deduplicating as deduplicating
import crmcore.app.near_matches as near_matches
from crmcore import AsyncCrm, Crm, Person
from crmcore.errors import InvalidParty
from crmcore.identity.features import features_of
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.storage import AsyncSqliteStore, MemoryStore, SqliteStore
from crmcore.storage.nearness import Breadth
from crmcore.values.ids import PartyId
from tests.app.frozen_store import MODEL, Row, everyone, flow_of, frozen
from tests.app.houses import options
from tests.identity.model.invented import households

EMMA = Row(
    "emma",
    "brandt",
    "1985-04-12",
    "emma.brandt@mail.example",
    "+44 20 7946 0001",
    "12 harbour street",
    "kiel",
)


def draft(row: dict[str, str]) -> Person:
    """A person of an invented row."""
    return Person.of(
        f"{row['given_name']} {row['family_name']}",
        email=row["email"] or None,
        phone=row["phone"] or None,
        birth_date=row["birth_date"] or None,
        address=f"{row['street_no']} {row['street']}, {row['city']}",
    )


def filled(store: Any, rows: list[dict[str, str]], **more: Any) -> Crm:
    """A store with people in which a model was learned and frozen."""
    crm = Crm(store, **options(**more))
    crm.parties.add_many([draft(row) for row in rows])
    crm.identity.dedupe()
    return crm


def test_who_is_stored_is_found_before_and_after_saving_with_one_candidate_for_each_customer() -> None:
    rows = households(120)
    crm = filled(MemoryStore(), rows[:-20])
    found = 0
    for row in rows[-20:]:
        before = crm.identity.matches(draft(row))
        stored = crm.parties.add(draft(row))
        after = crm.identity.matches(stored.id)
        assert [(c.party.id, c.match, c.decision) for c in before] == [
            (c.party.id, c.match, c.decision) for c in after
        ]
        assert len({c.customer for c in after}) == len(after)
        found += any(c.decision == "same" for c in before)
        crm.identity.dedupe()
        assert not any(c.decision == "same" for c in crm.identity.matches(stored.id))
    assert found >= 19


@pytest.mark.parametrize("of", [None, 5, object(), b"id", ["Ann Lee"]], ids=lambda of: type(of).__name__)
def test_what_is_no_party_is_refused_in_a_sentence(of: Any) -> None:
    with pytest.raises(InvalidParty, match="give its id"):
        Crm(MemoryStore(), **options()).identity.matches(of)


def test_looking_writes_nothing() -> None:
    store = MemoryStore()
    crm = filled(store, households(40))
    before = store.changes("default", "", 1).watermark
    crm.identity.matches(EMMA.draft())
    assert store.changes("default", "", 1).watermark == before


def test_the_match_is_what_the_model_says_of_the_two_records() -> None:
    crm = frozen(MemoryStore(), 50, **options())
    crm.parties.add(attrs.evolve(EMMA, family="brantd").draft())
    (candidate,) = crm.identity.matches(EMMA.draft())
    said = LearnedMatcher(model=MODEL).compare(features_of(EMMA.draft()), features_of(candidate.party))
    assert candidate.match == said
    assert (candidate.decision, candidate.match.verdict) == ("same", "same")


def test_the_decision_is_on_the_customer_not_on_its_record_that_fits_best() -> None:
    crm = frozen(MemoryStore(), 50, **options())
    stranger = Row(
        "jacob", "castro", "1951-11-23", "jc@post.example", "+44 20 7946 0777", "3 mill lane", "vigo"
    )
    name_and_mail = Row("emma", "brandt", "", "emma.brandt@mail.example")
    first, other = (crm.parties.add(row.draft()).id for row in (name_and_mail, stranger))
    alone = crm.identity.matches(attrs.evolve(EMMA, phone="", street="", city="").draft())
    assert [c.decision for c in alone] == ["same"]
    for number in range(4):
        more = crm.parties.add(attrs.evolve(stranger, phone=f"+44 20 7946 078{number}").draft()).id
        crm.identity.merge(other, more)
    crm.identity.merge(first, other)
    (joined,) = crm.identity.matches(attrs.evolve(EMMA, phone="", street="", city="").draft())
    assert (joined.party.id, joined.match.verdict, joined.decision) == (first, "same", "unsure")


def test_of_whom_a_person_has_judged_is_left_out() -> None:
    crm = frozen(MemoryStore(), 50, **options())
    a, b = (crm.parties.add(EMMA.draft()).id for _ in "ab")
    assert [c.party.id for c in crm.identity.matches(a)] == [b]
    crm.identity.mark_different(a, b)
    assert crm.identity.matches(a) == ()


def test_who_was_taken_back_is_not_found_until_restored() -> None:
    crm = frozen(MemoryStore(), 50, **options())
    a = crm.parties.add(EMMA.draft()).id
    crm.parties.retract(a, reason="by mistake")
    assert crm.identity.matches(EMMA.draft()) == ()
    crm.parties.restore(a, reason="after all")
    assert [c.party.id for c in crm.identity.matches(EMMA.draft())] == [a]


def test_a_batch_sees_whom_it_is_about_to_write(tmp_path: Path) -> None:
    for store in (MemoryStore(), SqliteStore(tmp_path / "crm.db")):
        crm = frozen(store, 50, **options())
        with crm.batch() as batch:
            stored = batch.parties.add(EMMA.draft())
            assert [c.party.id for c in batch.identity.matches(EMMA.draft())] == [stored.id]
        store.close()


def test_one_call_and_three_find_the_same(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        rows = households(120)
        crm = filled(store, rows[:-30])
        other = Crm(_OnlyThree(store), **options())  # type: ignore[arg-type]  # passes everything else on
        for row in rows[-30:]:
            one, three = crm.identity.matches(draft(row)), other.identity.matches(draft(row))
            assert [(c.party.id, c.match) for c in one] == [(c.party.id, c.match) for c in three]
            assert (one.passed_over, one.left_out) == (three.passed_over, three.left_out)


def test_an_asynchronous_app_finds_the_same(tmp_path: Path) -> None:
    rows = households(120)
    with SqliteStore(tmp_path / "crm.db") as store:
        found = filled(store, rows[:-10]).identity.matches(draft(rows[-1]))

    async def look() -> list[tuple[Any, ...]]:
        async with AsyncCrm(AsyncSqliteStore.open(tmp_path / "crm.db"), **options()) as crm:
            return [(c.party.id, c.match, c.decision) for c in await crm.identity.matches(draft(rows[-1]))]

    assert asyncio.run(look()) == [(c.party.id, c.match, c.decision) for c in found]
    assert found


class _OnlyThree:
    """A store without the optional call."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        for name in "describe get find fanout range scan ledger changes apply outcome close".split():
            setattr(self, name, getattr(store, name))


def test_no_party_is_read_but_those_that_come_out() -> None:
    store = MemoryStore()
    rows = households(120)
    filled(store, rows)
    read: list[str] = []

    class Watched(_OnlyThree):
        def __init__(self) -> None:
            super().__init__(store)  # type: ignore[arg-type]  # it has the same calls
            self.get = self._watched

        def _watched(self, refs: Any) -> Any:
            read.extend(ref.id for ref in refs if ref.kind == "party")
            return store.get(refs)

    crm = Crm(Watched(), **options())  # type: ignore[arg-type]  # passes everything else on
    found = crm.identity.matches(draft(rows[0]))
    assert found
    assert sorted(read) == sorted(c.party.id for c in found)


def test_a_key_that_too_many_share_is_passed_over_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_matches, "BREADTH", Breadth(largest=5, enough=400, most=16))
    crm = frozen(MemoryStore(), 5, **options())
    for number in range(10):
        crm.parties.add(
            Row(f"person{number}", f"name{number}", f"19{number + 60}-04-12", "", EMMA.phone, "", "").draft()
        )
    emma = crm.parties.add(EMMA.draft()).id
    found = crm.identity.matches(EMMA.draft())
    assert [c.party.id for c in found] == [emma]
    assert found.passed_over == 1
    assert crm.identity.matches(Row("zoe", "zander", "", "", EMMA.phone).draft()).passed_over == 1


def test_a_model_is_not_used_by_an_app_that_compares_something_else() -> None:
    store = MemoryStore()
    crm = filled(store, households(60))
    same = [c.match for c in crm.identity.matches(draft(households(60)[0]))]
    assert any(reason.field == "any two records" for match in same for reason in match.reasons)
    other = Crm(store, **options(matcher=Matcher.for_fields(without=["phone"])))
    for candidate in other.identity.matches(draft(households(60)[0])):
        assert not any(reason.field in ("any two records", "phone") for reason in candidate.match.reasons)


def test_a_stored_model_that_cannot_be_used_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    filled(store, households(40))
    times = 0

    async def unreadable(*_: object) -> None:
        nonlocal times
        times += 1

    monkeypatch.setattr(deduplicating, "load_model", unreadable)
    crm = Crm(store, **options())
    first = crm.identity.matches(EMMA.draft())
    assert crm.identity.matches(EMMA.draft()) == first
    assert times == 1


def test_another_process_decides_by_the_model_that_the_store_keeps(tmp_path: Path) -> None:
    rows = households(120)
    with SqliteStore(tmp_path / "crm.db") as store:
        crm = filled(store, rows)
        before = [(c.party.id, c.match) for c in crm.identity.matches(draft(rows[-1]))]
    with SqliteStore(tmp_path / "crm.db") as store:
        again = Crm(store, **options())
        assert [(c.party.id, c.match) for c in again.identity.matches(draft(rows[-1]))] == before


def test_a_store_without_an_index_goes_by_the_rules_until_it_is_written_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    crm = filled(store, households(60))
    row = households(60)[0]
    before = [(c.party.id, c.match) for c in crm.identity.matches(draft(row))]
    for module in ("near_index", "deduplicating"):
        monkeypatch.setattr(f"crmcore.app.{module}.PROJECTED", "features/2")
    by_rules = crm.identity.matches(draft(row))
    assert by_rules
    assert all(reason.field != "any two records" for c in by_rules for reason in c.match.reasons)
    crm.identity.reindex()
    assert [(c.party.id, c.match) for c in crm.identity.matches(draft(row))] == before


def _fives(text: str) -> list[list[str]]:
    words = text.split()
    return [words[start : start + 5] for start in range(0, len(words), 5)]


# In order, so that the keys of the last ones do not fit.
NAMES = [
    " ".join(words)
    for words in _fives("""
        balo bemi keta dusa lomar   fano fimu gore golit mosak  goza peku nilo hara vumit   kulo limi lora metos nadir
        nulo remi soba tiko pelun   pabo rilu dova zemo rasik   riko mavu fesa loni tadel   tavo sinu belo kuro sotem
    """)
]


def with_many_values() -> Person:
    """Somebody who has more keys than a record carries: of eight names, mailboxes, telephones and addresses."""
    parts = [
        Person.of(
            name,
            email=f"m{n}@mail{n}.example",
            phone=f"+44 20 7946 00{n + 10}",
            address=f"{n + 2} mill lane, kiel",
        )
        for n, name in enumerate(NAMES)
    ]
    return attrs.evolve(
        parts[0],
        names=tuple(part.names[0] for part in parts),
        contact_points=tuple(point for part in parts for point in part.contact_points),
    )


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("engine", ["memory", "sqlite"])
def test_who_has_more_values_than_a_record_carries_keys_is_found_by_each_of_them(
    engine: str, loaded: bool, tmp_path: Path
) -> None:
    with closing(MemoryStore() if engine == "memory" else SqliteStore(tmp_path / "crm.db")) as store:
        crm = frozen(store, 20, **options())
        if loaded:
            crm.parties.load([with_many_values()], idem="one")
        else:
            crm.parties.add(with_many_values())
        crm.identity.dedupe()
        (id,) = (party.id for party in everyone(crm))
        for name in NAMES:
            assert [c.party.id for c in crm.identity.matches(Person.of(name))] == [id], name
        late = crm.parties.add(Person.of(NAMES[-1])).id
        crm.identity.dedupe()
        assert crm.customers.resolve(late).members == (id, late)
        rename(crm, id, NAMES[:1])
        assert crm.identity.matches(Person.of(NAMES[-2])) == ()
        crm.identity.settle()
        assert crm.customers.resolve(late).members == (late,)
        rename(crm, id, NAMES)
        assert [c.party.id for c in crm.identity.matches(Person.of(NAMES[-2]))] == [id]


def rename(crm: Crm, id: PartyId, names: list[str]) -> None:
    def renamed(party: Any) -> Any:
        return attrs.evolve(party, names=tuple(Person.of(name).names[0] for name in names))

    crm.parties.change(id, renamed)


def test_thousands_who_hold_the_same_end_in_time() -> None:
    crm = frozen(MemoryStore(), 8, **options())
    crm.parties.add_many([EMMA.draft() for _ in range(1500)])
    began = time.process_time()
    found = crm.identity.matches(EMMA.draft())
    assert time.process_time() - began < 1
    assert found.passed_over > 0
    assert {c.decision for c in found} == {"same"}
    assert flow_of(crm).kept.get(MODEL.name) is not None

"""Looking only at what changed gives in the end what comparing everything gives, in whatever order and portions."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crmcore import Crm, Organization
from crmcore.errors import PositionExpired, RuleViolation
from crmcore.storage import MemoryStore, SqliteStore
from crmcore.values.ids import PartyId
from tests.app.frozen_store import MODEL, Row, everyone, expected, frozen
from tests.app.houses import options
from tests.app.judging import judged, seen
from tests.app.test_near_matches import draft
from tests.app.troubled import interrupted
from tests.identity.model.invented import households

ROWS = st.builds(
    Row,
    given=st.sampled_from(["emma", "olivia", "jacob", "olvia"]),
    family=st.sampled_from(["brandt", "castro", "brantd"]),
    born=st.sampled_from(["", "", "1985-04-12", "1985-04-13", "1990-07-01"]),
    email=st.sampled_from(["", "", "emma.brandt@mail.example", "olivia7@mail.example", "jc@mail.example"]),
    phone=st.sampled_from(["", "+44 20 7946 0001", "+44 20 7946 0002"]),
    street=st.sampled_from(["", "12 harbour street", "9 mill lane"]),
    city=st.sampled_from(["", "kiel", "vigo"]),
)
NUMBERS = st.integers(0, 30)
ACTS = st.one_of(
    st.tuples(st.just("add"), ROWS),
    st.tuples(st.just("add"), ROWS),
    st.tuples(st.just("change"), NUMBERS, ROWS),
    st.tuples(st.just("take_back"), NUMBERS),
    st.tuples(st.just("merge"), NUMBERS, NUMBERS),
    st.tuples(st.just("mark_different"), NUMBERS, NUMBERS),
    st.tuples(st.just("retract"), NUMBERS),
    st.tuples(st.just("dedupe")),
)


def act(crm: Crm, ids: list[PartyId], said: tuple[Any, ...]) -> None:
    """Do one thing, unless nothing is there to do it to."""
    word, *rest = said
    if word == "add":
        ids.append(crm.parties.add(rest[0].draft()).id)
    elif word == "dedupe":
        crm.identity.dedupe()
    elif not ids:
        return
    elif word == "change":
        new = rest[1].draft()

        def become(party: Any) -> Any:
            return attrs.evolve(
                party, names=new.names, birth_date=new.birth_date, contact_points=new.contact_points
            )

        crm.parties.change(ids[rest[0] % len(ids)], become)
    elif word == "take_back":
        id = ids[rest[0] % len(ids)]
        if crm.parties.get(id).standing == "active":
            crm.parties.retract(id, reason="by mistake")
        else:
            crm.parties.restore(id, reason="after all")
    elif word == "retract":
        live = sorted(id for id, one in judged(crm, ids).items() if one.live)
        if live:
            crm.identity.retract(live[rest[0] % len(live)])
    else:
        judge(crm, word, ids[rest[0] % len(ids)], ids[rest[1] % len(ids)])


def judge(crm: Crm, word: str, a: PartyId, b: PartyId) -> None:
    """Judge, but do not contradict what people said before: contradictions wait for a person."""
    if a == b:
        return
    said = [j for j in judged(crm, [party.id for party in everyone(crm)]).values() if j.live and j.human]
    together = {a}
    while (
        more := {e for j in said if j.verdict == "same" and together & set(j.pair) for e in j.pair} - together
    ):
        together |= more
    if word == "mark_different":
        if b not in together:
            crm.identity.mark_different(a, b)
        return
    try:
        crm.identity.merge(a, b)
    except RuleViolation:
        return


# Not shrunk: each example deduplicates several times, and shrinking one took five minutes.
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(2, 4), st.lists(ACTS, min_size=6, max_size=26))
def test_what_changed_in_any_order_and_portions_ends_in_the_customers_of_comparing_everything(
    cap: int, acts: list[tuple[Any, ...]]
) -> None:
    crm = frozen(MemoryStore(), cap, **options())
    ids: list[PartyId] = []
    for said in acts:
        act(crm, ids, said)
    crm.identity.settle()
    assert seen(crm, ids) == expected(crm, cap)
    assert crm.identity.dedupe().written == 0


EMMA = Row("emma", "brandt", "1985-04-12", "emma.brandt@mail.example", "+44 20 7946 0001")


def alike(number: int) -> Row:
    """Somebody who has nothing but a mailbox in common with the others of these."""
    return Row(
        "emma", f"brandt{'abcdefgh'[number]}", "", "emma.brandt@mail.example", f"+44 20 7946 00{number + 10}"
    )


def test_who_crosses_the_cap_upwards_or_downwards_reopens_those_who_were_there() -> None:
    crm = frozen(MemoryStore(), 2, **options())
    a, b = (
        crm.parties.add(Row("emma", family, "", "eb@mail.example").draft()).id
        for family in ("brandt", "brantd")
    )
    crm.identity.dedupe()
    assert seen(crm, [a, b]) == expected(crm, 2) == {frozenset({a, b})}
    more = [
        crm.parties.add(Row(given, family, "", "eb@mail.example").draft()).id
        for given, family in (("jacob", "castro"), ("emma", "castro"))
    ]
    crm.identity.dedupe()
    assert seen(crm, [a, b, *more]) == expected(crm, 2)
    assert crm.customers.resolve(a).id != crm.customers.resolve(b).id
    for id in more:
        crm.parties.retract(id, reason="by mistake")
    crm.identity.dedupe()
    assert seen(crm, [a, b, *more]) == expected(crm, 2)
    assert str(crm.customers.resolve(b).id) == a, "the customer is the one that it was"


def test_of_whom_people_spoke_stands_alone_though_others_hold_the_same() -> None:
    blank = Row("emma", "brandt")
    mailed = attrs.evolve(blank, given="olivia", family="brantd", born="1985-04-12", email=EMMA.email)
    crm = frozen(MemoryStore(), 3, **options())
    ids = [crm.parties.add(blank.draft()).id for _ in range(4)]
    ids += [crm.parties.add(mailed.draft()).id for _ in range(2)]
    ids.append(
        crm.parties.add(attrs.evolve(mailed, family="brandt", born="", phone="+44 20 7946 0002").draft()).id
    )
    ids.append(crm.parties.add(blank.draft()).id)
    ids.append(crm.parties.add(attrs.evolve(blank, email=EMMA.email, phone="+44 20 7946 0001").draft()).id)
    crm.identity.mark_different(ids[0], ids[4])
    crm.identity.settle()
    assert seen(crm, ids) == expected(crm, 3)


def filled(crm: Crm, count: int) -> list[PartyId]:
    return [party.id for party in crm.parties.add_many([draft(row) for row in households(count)])]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60))
def test_a_run_that_is_cut_off_anywhere_is_simply_run_again(after: int) -> None:
    store = MemoryStore()
    crm = frozen(store, 40, **options())
    ids = filled(crm, 25)

    def nothing() -> None:
        return None

    def cut() -> None:
        raise _Cut

    troubled = frozen_again(interrupted(store, *[nothing] * after, cut))
    with suppress(_Cut):
        troubled.identity.dedupe()
    crm.identity.settle()
    assert seen(crm, ids) == expected(crm, 40)
    pairs = [j.pair for j in judged(crm, ids).values() if j.live]
    assert len(pairs) == len(set(pairs)), "said twice"


class _Cut(Exception):
    """The process is no more."""


def frozen_again(store: Any) -> Crm:
    """Another process over a store in which a model is frozen."""
    return Crm(store, matcher=MODEL, **options())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_two_who_deduplicate_one_store_end_as_one_would(turns: list[int]) -> None:
    """Whenever one is about to write, the other may run, or somebody is added."""
    store = MemoryStore()
    crm = frozen(store, 3, **options())
    ids = filled(crm, 12)
    before = len(ids)
    other = frozen_again(store)
    late = [draft(row) for row in households(30)[-12:]]

    def add() -> None:
        if late:
            ids.append(crm.parties.add(late.pop()).id)

    steps: list[Callable[[], object]] = [lambda: None, other.identity.dedupe, add]
    frozen_again(interrupted(store, *(steps[turn] for turn in turns))).identity.dedupe()
    if len(ids) > before:
        # Of the two the one looks at who came late, and at nobody else; nobody repairs what they did.
        other.identity.dedupe()
    assert seen(crm, ids) == expected(crm, 3)
    pairs = [j.pair for j in judged(crm, ids).values() if j.live]
    assert len(pairs) == len(set(pairs)), "said twice"


def test_a_process_that_is_killed_loses_nothing_and_two_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        crm = frozen(store, 40, **options())
        ids = filled(crm, 40)
    command = [sys.executable, "-c", RUN, str(path)]
    killed = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    time.sleep(1.5)
    killed.kill()
    killed.wait()
    both = [
        subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        for _ in range(2)
    ]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    with SqliteStore(path) as store:
        crm = frozen_again(store)
        crm.identity.settle()
        assert seen(crm, ids) == expected(crm, 40)
        pairs = [j.pair for j in judged(crm, ids).values() if j.live]
        assert len(pairs) == len(set(pairs)), "said twice"


RUN = """
import sys
from crmcore.storage import SqliteStore
from tests.app.test_incremental_dedupe import frozen_again
with SqliteStore(sys.argv[1]) as store:
    frozen_again(store).identity.dedupe()
"""


def test_only_what_changed_is_looked_at_and_running_again_writes_nothing() -> None:
    store = MemoryStore()
    crm = Crm(store, **options())
    rows = households(150)
    crm.parties.add_many([draft(row) for row in rows[:-10]])
    first = crm.identity.dedupe()
    assert first.looked_at is None
    assert first.model is not None
    assert crm.identity.dedupe().looked_at == 0
    customers = {id: crm.customers.resolve(id).id for id in (party.id for party in everyone(crm))}
    crm.parties.add_many([draft(row) for row in rows[-10:]])
    report = crm.identity.dedupe()
    assert report.records == 10
    assert report.looked_at is not None
    assert 10 <= report.looked_at < 60
    assert report.merged >= 9
    assert all(crm.customers.resolve(id).id == customer for id, customer in customers.items())
    end = store.changes("default", "", 1).watermark
    assert crm.identity.dedupe().written == 0
    assert store.changes("default", "", 1).watermark == end
    assert crm.identity.dedupe(relearn=True).looked_at is None


def test_organizations_that_changed_are_compared_with_all_of_them() -> None:
    crm = Crm(MemoryStore(), **options())
    crm.parties.add_many([draft(row) for row in households(150)])
    door: dict[str, Any] = {"phone": "+44 20 7946 0018", "address": "12 Harbour Street, York YO1 7HH"}
    crm.parties.add(Organization.of("Acme Bakery Ltd", **door))
    crm.identity.dedupe()
    crm.parties.add(Organization.of("Acme Bakery Ltd", **door))
    report = crm.identity.dedupe()
    assert (report.records, report.merged) == (0, 1)
    assert crm.identity.dedupe().written == 0


class _Expired:
    """A store whose feed has dropped the past."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        for name in "describe get find fanout range scan ledger apply outcome close".split():
            setattr(self, name, getattr(store, name))

    def changes(self, tenant: str, after: str = "", limit: int = 500) -> Any:
        if after:
            raise PositionExpired("the past was dropped")
        return self._store.changes(tenant, after, limit)


def test_where_the_feed_has_dropped_the_past_everything_is_compared_by_the_same_model_and_that_is_said() -> (
    None
):
    store = MemoryStore()
    crm = Crm(store, **options())
    crm.parties.add_many([draft(row) for row in households(150)])
    first = crm.identity.dedupe()
    report = Crm(_Expired(store), **options()).identity.dedupe()  # type: ignore[arg-type]  # passes the rest on
    assert report.looked_at is None
    assert report.matchers[0] == first.matchers[0]
    assert "feed no longer reaches back" in report.notes[0]


def test_thousands_who_hold_the_same_are_deduplicated_in_time() -> None:
    crm = frozen(MemoryStore(), 8, **options())
    crm.parties.add_many([EMMA.draft() for _ in range(1200)])
    began = time.process_time()
    crm.identity.dedupe()
    assert time.process_time() - began < 60
    assert len(crm.customers.resolve(everyone(crm)[0].id).members) == 1000

"""Laws of `crm.interactions` over every engine: nothing is rewritten, nothing is shown twice, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Interaction, Participant, Person, Source
from crmcore.errors import (
    FutureInteraction,
    InvalidInteraction,
    NaiveDatetime,
    NotFound,
    TimelineChanged,
)
from crmcore.interaction import InteractionCorrected, InteractionRecorded, InteractionRetracted
from crmcore.storage import MemoryStore
from crmcore.values.ids import InteractionId, PartyId
from tests.app.houses import CLERK, START, in_memory, options
from tests.app.troubled import interrupted

NOBODY = "01977420-dc00-7000-8000-000000000000"
DAY = timedelta(days=1)


def people(crm: Crm, count: int) -> list[PartyId]:
    return [party.id for party in crm.parties.add_many([Person.of(f"Person {n}") for n in range(count)])]


def call(crm: Crm, *who: PartyId, **facts: Any) -> Interaction:
    facts = {"direction": "inbound", "occurred_at": START - DAY, **facts}
    return crm.interactions.record("call", with_=who, **facts)


def walked(crm: Crm, ref: Any, limit: int = 50, **how: Any) -> list[Interaction]:
    """The whole timeline, page by page."""
    return list(_pages(crm, ref, limit, **how))


def _pages(crm: Crm, ref: Any, limit: int, **how: Any) -> Iterator[Interaction]:
    after: str | None = None
    while True:
        page = crm.interactions.timeline(ref, after=after, limit=limit, **how)
        yield from page.items
        after = page.next
        if after is None:
            return


# --- recording -----------------------------------------------------------------------------------------


def test_what_is_recorded_is_read_back(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    found = crm.interactions.record(
        "email",
        direction="outbound",
        occurred_at=START,
        with_=[Participant(party=ann, role="to"), Participant(address="boss@x.org", role="cc")],
        subject="Offer",
        thread="t-1",
        sources=(Source("imap", "1"),),
    )
    assert crm.interactions.get(found.id) == found
    assert found.parties == (ann,)
    assert found.recorded_at is not None
    assert found.recorded_at > START
    assert crm.interactions.timeline(ann).items == (found,)


def test_somebody_alone_takes_part_as_the_subject(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    found = crm.interactions.record("note", direction="internal", occurred_at=START, with_=ann)
    assert found.participants == (Participant(party=ann, role="subject"),)


def test_somebody_who_is_no_party_yet_can_take_part_alone(crm: Crm) -> None:
    found = crm.interactions.record(
        "email", direction="inbound", occurred_at=START, with_=[Participant(address="who@x.org", role="from")]
    )
    assert crm.interactions.get(found.id) == found


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"occurred_at": datetime(2026, 1, 1)}, NaiveDatetime),
        ({"occurred_at": START + timedelta(hours=1)}, FutureInteraction),
        ({"occurred_at": date(2026, 3, 16)}, FutureInteraction),
        ({"kind": "telepathy"}, InvalidInteraction),
        ({"direction": "sideways"}, InvalidInteraction),
        ({"with_": []}, InvalidInteraction),
        ({"with_": NOBODY}, NotFound),
        ({"with_": "nonsense"}, InvalidInteraction),
        ({"corrects": InteractionId(NOBODY)}, InvalidInteraction),
        ({"retracts": InteractionId(NOBODY)}, InvalidInteraction),
        ({"root": InteractionId(NOBODY)}, InvalidInteraction),
        ({"recorded_at": START}, InvalidInteraction),
    ],
)
def test_what_cannot_have_happened_is_refused_and_nothing_is_written(
    crm: Crm, facts: dict[str, Any], error: type[Exception]
) -> None:
    (ann,) = people(crm, 1)
    before = crm.store.changes("default").watermark
    asked = {"kind": "call", "direction": "inbound", "occurred_at": START, "with_": ann, **facts}
    with pytest.raises(error):
        crm.interactions.record(**asked)
    assert crm.store.changes("default").watermark == before
    assert crm.interactions.timeline(ann).items == ()


def test_a_date_stays_a_date(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    found = call(crm, ann, occurred_at=date(2019, 10, 15))
    again = crm.interactions.get(found.id)
    assert type(again.occurred_at) is date
    assert again == found


# --- one thing reported by several systems -------------------------------------------------------------


def test_one_message_reported_by_two_systems_is_one_interaction_with_both_sources(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    imap, crm_sync = Source("imap", "1"), Source("hubspot", "9")
    first = call(crm, ann, dedupe_key="<1@x.org>", sources=(imap,))
    both = call(crm, ann, dedupe_key="<1@x.org>", sources=(crm_sync,))
    again = call(crm, ann, dedupe_key="<1@x.org>", sources=(crm_sync,))
    assert both == again
    assert both.sources == (imap, crm_sync)
    assert walked(crm, ann) == [both]
    assert crm.interactions.get(first.id) == first
    assert both.root == first.id


@pytest.mark.parametrize("dedupe_key", ["x", "x" * 2000, "ä" * 300, "<a b@x.org>"])
def test_any_text_can_be_a_deduplication_key(crm: Crm, dedupe_key: str) -> None:
    (ann,) = people(crm, 1)
    assert call(crm, ann, dedupe_key=dedupe_key) == call(crm, ann, dedupe_key=dedupe_key)
    assert len(walked(crm, ann)) == 1


def test_a_correction_keeps_the_deduplication_key(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    first = call(crm, ann, dedupe_key="m-1")
    right = crm.interactions.correct(first.id, reason="typo", subject="Offer")
    assert call(crm, ann, dedupe_key="m-1") == right


def test_what_was_taken_back_stays_taken_back_when_it_is_reported_again(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    first = call(crm, ann, dedupe_key="m-1", sources=(Source("imap", "1"),))
    gone = crm.interactions.retract(first.id, reason="a test")
    assert call(crm, ann, dedupe_key="m-1", sources=(Source("hubspot", "9"),)) == gone
    assert walked(crm, ann) == []
    again = call(crm, ann, dedupe_key="m-2")
    assert walked(crm, ann) == [again]


def test_a_timeline_whose_customer_was_joined_meanwhile_is_begun_again(crm: Crm) -> None:
    ann, ben = people(crm, 2)
    for number in range(3):
        call(crm, ann, ben, occurred_at=START - number * DAY)
    after = crm.interactions.timeline(ann, limit=1).next
    crm.identity.merge(ann, ben)
    with pytest.raises(TimelineChanged):
        crm.interactions.timeline(ann, limit=1, after=after)


def test_two_who_record_one_message_at_a_time_make_one_interaction() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    (ann,) = people(other, 1)
    imap, sync = Source("imap", "1"), Source("hubspot", "9")
    meanwhile = lambda: call(other, ann, dedupe_key="m-1", sources=(sync,))  # noqa: E731  # said once
    crm = Crm(interrupted(store, meanwhile), **shared)
    found = call(crm, ann, dedupe_key="m-1", sources=(imap,))
    assert found.sources == (sync, imap)
    assert walked(other, ann) == [found]


def test_a_further_source_can_be_attached(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    first = call(crm, ann, sources=(Source("imap", "1"),))
    both = crm.interactions.attach_source(first.id, Source("hubspot", "9"))
    assert both.sources == (Source("imap", "1"), Source("hubspot", "9"))
    assert crm.interactions.attach_source(first.id, Source("hubspot", "9")) == both
    assert walked(crm, ann) == [both]


# --- corrections, retractions, reassignments -----------------------------------------------------------


def test_a_chain_of_corrections_is_readable_and_the_last_one_stands(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    chain = [call(crm, ann, subject="0")]
    for number in range(1, 5):
        # The id of any version will do.
        chain.append(
            crm.interactions.correct(chain[number // 2].id, reason=f"r{number}", subject=str(number))
        )
    assert [crm.interactions.get(found.id) for found in chain] == chain
    assert [found.corrects for found in chain] == [None, *(found.id for found in chain[:-1])]
    assert {found.root for found in chain[1:]} == {chain[0].id}
    assert walked(crm, ann) == [chain[-1]]


def test_a_correction_moves_in_time(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    early = call(crm, ann, occurred_at=START - 3 * DAY)
    late = call(crm, ann, occurred_at=START - 2 * DAY)
    moved = crm.interactions.correct(early.id, reason="wrong day", occurred_at=START - DAY)
    assert walked(crm, ann) == [moved, late]
    with pytest.raises(FutureInteraction):
        crm.interactions.correct(late.id, reason="wrong day", occurred_at=START + DAY)
    assert walked(crm, ann) == [moved, late]


def test_what_was_taken_back_leaves_the_timeline_and_stays_readable(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    first = call(crm, ann)
    second = crm.interactions.correct(first.id, reason="typo", subject="x")
    gone = crm.interactions.retract(first.id, reason="wrong number")
    assert (gone.retracts, gone.root) == (second.id, first.id)
    assert walked(crm, ann) == []
    assert crm.interactions.get(second.id) == second
    refused: list[Callable[[], object]] = [
        lambda: crm.interactions.retract(first.id, reason="x"),
        lambda: crm.interactions.correct(second.id, reason="x", subject="y"),
        lambda: crm.interactions.attach_source(first.id, Source("a", "1")),
        lambda: crm.interactions.reassign(first.id, from_=ann, to=ann, reason="x"),
    ]
    for again in refused:
        with pytest.raises(InvalidInteraction, match="retracted"):
            again()


def test_taking_back_does_not_ask_when_it_happened() -> None:
    behind = options()
    store = MemoryStore()
    crm = Crm(store, **behind)
    (ann,) = people(crm, 1)
    found = call(crm, ann, occurred_at=START)
    behind["clock"].now = START - DAY
    crm.interactions.retract(found.id, reason="the clock was wrong")
    assert walked(crm, ann) == []


def test_reassigning_moves_an_interaction_from_one_timeline_to_another(crm: Crm) -> None:
    ann, ben, cleo = people(crm, 3)
    found = call(crm, ann, cleo)
    moved = crm.interactions.reassign(found.id, from_=ann, to=ben, reason="the other one called")
    assert walked(crm, ann) == []
    assert walked(crm, ben) == walked(crm, cleo) == [moved]
    with pytest.raises(InvalidInteraction, match="no part"):
        crm.interactions.reassign(found.id, from_=ann, to=ben, reason="again")
    with pytest.raises(NotFound):
        crm.interactions.reassign(found.id, from_=ben, to=PartyId(NOBODY), reason="x")
    assert walked(crm, ben) == [moved]


def test_two_corrections_at_a_time_are_made_one_after_the_other() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    (ann,) = people(other, 1)
    found = call(other, ann, subject="0", outcome="0")
    crm = Crm(
        interrupted(store, lambda: other.interactions.correct(found.id, reason="a", subject="1")), **shared
    )
    both = crm.interactions.correct(found.id, reason="b", outcome="1")
    assert (both.subject, both.outcome) == ("1", "1")
    assert walked(other, ann) == [both]


@pytest.mark.parametrize("id", [InteractionId(NOBODY), InteractionId("nonsense")])
def test_an_interaction_that_is_not_there_is_not_found(crm: Crm, id: InteractionId) -> None:
    verbs: list[Callable[[], object]] = [
        lambda: crm.interactions.get(id),
        lambda: crm.interactions.correct(id, reason="x"),
        lambda: crm.interactions.retract(id, reason="x"),
        lambda: crm.interactions.attach_source(id, Source("a", "1")),
    ]
    for verb in verbs:
        with pytest.raises(NotFound):
            verb()


def test_every_verb_leaves_its_event_with_actor_and_reason(crm: Crm) -> None:
    (ann, ben) = people(crm, 2)
    first = call(crm, ann)
    second = crm.interactions.correct(first.id, reason="typo", subject="x")
    third = crm.interactions.reassign(first.id, from_=ann, to=ben, reason="the other one")
    gone = crm.interactions.retract(first.id, reason="nobody called")
    events = [happened.event for happened in crm.events().items][2:]
    facts: Any = {"actor": CLERK}
    assert events == [
        InteractionRecorded(interaction=first.id, parties=(ann,), **facts),
        InteractionCorrected(
            interaction=second.id, corrects=first.id, parties=(ann,), reason="typo", **facts
        ),
        InteractionCorrected(
            interaction=third.id, corrects=second.id, parties=(ann, ben), reason="the other one", **facts
        ),
        InteractionRetracted(
            interaction=gone.id, retracts=third.id, parties=(ben,), reason="nobody called", **facts
        ),
    ]


# --- timelines -----------------------------------------------------------------------------------------


def test_a_timeline_is_in_order_in_both_directions_and_bounded_by_time(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    found = [call(crm, ann, occurred_at=START - number * DAY) for number in range(6)]
    assert walked(crm, ann) == found
    assert walked(crm, ann, oldest_first=True) == found[::-1]
    assert walked(crm, ann, since=START - 3 * DAY) == found[:4]
    assert walked(crm, ann, until=START - 3 * DAY) == found[4:]
    assert walked(crm, ann, since=START - 4 * DAY, until=START - 2 * DAY, oldest_first=True) == [
        found[4],
        found[3],
    ]
    with pytest.raises(NaiveDatetime):
        crm.interactions.timeline(ann, since=datetime(2026, 1, 1))


def test_a_day_stands_before_the_instants_of_the_day(crm: Crm) -> None:
    (ann,) = people(crm, 1)
    noon = call(crm, ann, occurred_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    day = call(crm, ann, occurred_at=date(2026, 1, 5))
    before = call(crm, ann, occurred_at=datetime(2026, 1, 4, 12, tzinfo=UTC))
    assert walked(crm, ann) == [noon, day, before]
    assert walked(crm, ann, since=date(2026, 1, 5)) == [noon, day]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_a_merged_customer_has_one_timeline_in_which_each_interaction_stands_once(
    crm: Crm, limit: int
) -> None:
    ann, anna, ben = people(crm, 3)
    moment = START - DAY
    found = [
        call(crm, *who, occurred_at=moment)
        for who in ([ann, anna], [anna], [ann, ben, anna], [ann], [anna, ann])
    ]
    found += [call(crm, anna, ann, occurred_at=START - number * DAY) for number in range(2, 5)]
    crm.identity.merge(ann, anna)
    shown = walked(crm, anna, limit)
    assert sorted(shown, key=lambda i: i.id) == sorted(found, key=lambda i: i.id)
    assert shown == walked(crm, ann, 50) == walked(crm, ann, limit, oldest_first=True)[::-1]
    view = crm.customers.view(ann)
    assert view.timeline.count == len(found)
    assert [line.id for line in view.timeline.recent] == [i.id for i in shown[:10]]
    assert view.timeline.first == START - 4 * DAY


@pytest.mark.needs("large_batches")
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_a_crowd_takes_part_once_each(crm: Crm, limit: int) -> None:
    crowd = people(crm, 90)
    at = START - DAY
    meeting = call(crm, *crowd, occurred_at=at)
    other = [call(crm, crowd[0], occurred_at=at), call(crm, crowd[-1], occurred_at=at)]
    assert walked(crm, crowd[45]) == [meeting]
    crm.identity.merge(crowd[0], crowd[-1])
    shown = walked(crm, crowd[0], limit)
    assert sorted(i.id for i in shown) == sorted(i.id for i in [meeting, *other])
    assert crm.customers.view(crowd[0]).timeline.count == 3
    crm.interactions.retract(meeting.id, reason="cancelled")
    assert walked(crm, crowd[45]) == []
    assert len(walked(crm, crowd[0], limit)) == 2


def test_who_reads_on_sees_each_once_while_others_record(crm: Crm) -> None:
    ann, anna = people(crm, 2)
    crm.identity.merge(ann, anna)
    before = [call(crm, (ann, anna)[n % 2], occurred_at=START - n * DAY) for n in range(12)]
    shown: list[Interaction] = []
    after: str | None = None
    for number in range(100):
        page = crm.interactions.timeline(ann, limit=3, after=after)
        shown += page.items
        # Somebody records the newest, the oldest and something in between; something is corrected.
        call(crm, anna, occurred_at=START)
        call(crm, ann, occurred_at=START - timedelta(days=400 + number))
        call(crm, ann, occurred_at=START - number * DAY - timedelta(hours=1))
        after = page.next
        if after is None or number > 20:
            break
    assert len({found.id for found in shown}) == len(shown)
    assert [found for found in shown if found in before] == before


def test_a_cursor_is_of_one_timeline_and_one_direction(crm: Crm) -> None:
    ann, ben = people(crm, 2)
    for number in range(3):
        call(crm, ann, ben, occurred_at=START - number * DAY)
    after = crm.interactions.timeline(ann, limit=1).next
    for wrong in ({"ref": ben}, {"ref": ann, "oldest_first": True}, {"ref": ann, "since": START}):
        with pytest.raises(TimelineChanged):
            crm.interactions.timeline(**{"after": after, **wrong})  # type: ignore[arg-type]  # as it comes


@settings(max_examples=30)
@given(st.data())
def test_a_timeline_is_what_was_recorded_and_still_stands(data: st.DataObject) -> None:
    crm = in_memory()
    ids = people(crm, 3)
    standing: dict[InteractionId, Interaction] = {}
    for _ in range(data.draw(st.integers(1, 10))):
        verb = data.draw(st.sampled_from(["record", "correct", "retract", "reassign"]))
        if verb == "record" or not standing:
            who = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
            found = call(crm, *who, occurred_at=START - data.draw(st.integers(0, 3)) * DAY)
            standing[found.id] = found
            continue
        root = data.draw(st.sampled_from(sorted(standing)))
        if verb == "retract":
            crm.interactions.retract(root, reason="x")
            del standing[root]
        elif verb == "correct":
            moment = START - data.draw(st.integers(0, 3)) * DAY
            standing[root] = crm.interactions.correct(root, reason="x", occurred_at=moment)
        else:
            from_ = data.draw(st.sampled_from(standing[root].parties))
            standing[root] = crm.interactions.reassign(root, from_=from_, to=ids[0], reason="x")
    limit = data.draw(st.integers(1, 4))
    for id in ids:
        expected = {i.id for i in standing.values() if id in i.parties}
        assert sorted(i.id for i in walked(crm, id, limit)) == sorted(expected)
    crm.identity.merge(ids[0], ids[1])
    everybodys = {i.id for i in standing.values() if set(i.parties) & set(ids[:2])}
    assert sorted(i.id for i in walked(crm, ids[1], limit)) == sorted(everybodys)
    moments = [i.occurred_at for i in walked(crm, ids[1], limit)]
    assert moments == sorted(moments, reverse=True)

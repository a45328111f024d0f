"""The checkers of histories: each anomaly, made by hand, is found by its name, and what has an order is clean."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.testing.history import (
    Anomaly,
    Attempt,
    FeedHistory,
    FeedPageSeen,
    History,
    Look,
    Observed,
    Seen,
    Wrote,
    anomalies,
    feed_anomalies,
)

ALWAYS = (0, 100)


def sent(
    idem: str, reads: str = "", writes: str = "", at: tuple[int, int] = ALWAYS, fate: Any = "applied"
) -> Attempt:
    """A batch. *reads* and *writes* are words such as ``x=1,2``: object and tokens."""
    seen = tuple(Observed(*one) for one in parts(reads))
    return Attempt(0, *at, idem, seen, tuple(Wrote(*one) for one in parts(writes)), fate)


def look(reads: str) -> Look:
    return Look(9, *ALWAYS, tuple(Observed(*one) for one in parts(reads)))


def parts(words: str) -> list[tuple[str, tuple[str, ...]]]:
    pairs = [word.split("=") for word in words.split()]
    return [(name, tuple(filter(None, tokens.split(",")))) for name, tokens in pairs]


def names(*attempts: Attempt, looks: tuple[Look, ...] = (), final: str = "") -> set[str]:
    history = History(attempts, looks, tuple(Observed(*one) for one in parts(final)))
    return {one.name for one in anomalies(history)}


HISTORIES = {
    "G0": lambda: names(sent("A", "", "x=1 y=2"), sent("B", "", "x=3 y=4"), final="x=1,3 y=4,2"),
    "G1a": lambda: names(sent("A", "", "x=1", fate="refused"), looks=(look("x=1"),)),
    "G1b": lambda: names(sent("A", "", "x=1,2"), looks=(look("x=1"),), final="x=1,2"),
    "G1c": lambda: names(sent("A", "y=2", "x=1"), sent("B", "x=1", "y=2"), final="x=1 y=2"),
    "G-single": lambda: names(
        sent("A", "", "x=1 y=2"), looks=(look("x=1 y="),), final="x=1 y=2"
    ),
    "G2": lambda: names(sent("A", "x= y=", "x=1"), sent("B", "x= y=", "y=2"), final="x=1 y=2"),
    "G-single-realtime": lambda: names(
        sent("A", "", "x=1", at=(0, 1)), sent("B", "x=", "", at=(2, 3)), final="x=1"
    ),
    "G0-realtime": lambda: names(
        sent("A", "", "x=1", at=(0, 1)), sent("B", "", "x=2", at=(2, 3)), final="x=2,1"
    ),
    "LostUpdate": lambda: names(sent("A", "x=", "x=1"), sent("B", "x=", "x=2"), final="x=1,2"),
    "LostWrite": lambda: names(sent("A", "", "x=1"), final="x="),
    "Torn": lambda: names(sent("A", "", "x=1 y=2", fate="unknown"), final="x=1 y="),
    "Doubled": lambda: names(sent("A", "", "x=1"), final="x=1,1"),
    "Unwritten": lambda: names(final="x=7"),
    "Reordered": lambda: names(
        sent("A", "", "x=1"), sent("B", "", "x=2"), looks=(look("x=1"),), final="x=2,1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_each_anomaly_is_called_by_its_name(name: str) -> None:
    assert name in HISTORIES[name]()


def test_what_does_not_know_of_time_is_no_anomaly_of_time() -> None:
    at_once = sent("A", "", "x=1", at=(0, 2)), sent("B", "x=", "", at=(1, 3))
    assert names(*at_once, final="x=1") == set()
    unsure = sent("A", "", "x=1", at=(0, 1), fate="unknown"), sent("B", "x=", "", at=(2, 3))
    assert names(*unsure, final="x=1") == set()
    assert names(sent("A", "", "x=1", fate="unknown"), final="x=") == set()


def test_a_circle_is_told_in_words() -> None:
    attempts = sent("A", "x= y=", "x=1"), sent("B", "x= y=", "y=2")
    (found,) = anomalies(History(attempts, final=(Observed("x", ("1",)), Observed("y", ("2",)))))
    assert found == Anomaly("G2", "A -rw(y)-> B -rw(x)-> A")


# --- laws ---------------------------------------------------------------------------------------------

OBJECTS = ("record:p", "record:q", "ledger:s", "ledger:t")


class Serial:
    """Batches carried out one after another on plain lists."""

    def __init__(self, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        self.lists: dict[str, list[str]] = {name: [] for name in OBJECTS}
        self.attempts: list[Attempt] = []
        self.looks: list[Look] = []
        self.feed: list[Seen] = []
        for step in range(steps):
            self.step(chance, step)

    def step(self, chance: random.Random, step: int) -> None:
        chosen = chance.sample(OBJECTS, chance.randint(1, 3))
        reads = tuple(Observed(name, tuple(self.lists[name])) for name in chosen if chance.random() < 0.7)
        written = [name for name in chosen if chance.random() < 0.6]
        wrote = tuple(Wrote(name, self.tokens(chance, step, name)) for name in written)
        fate: Any = chance.choice(("applied", "applied", "applied", "refused", "unknown"))
        applied = fate == "applied" or (fate == "unknown" and chance.random() < 0.5)
        if applied:
            for name, tokens in wrote:
                self.write(f"b{step}", name, tokens)
        self.attempts.append(Attempt(step % 3, 10 * step, 10 * step + 25, f"b{step}", reads, wrote, fate))
        if chance.random() < 0.5:
            seen = chance.sample(OBJECTS, 2)
            self.looks.append(Look(4, 0, 1, tuple(Observed(name, tuple(self.lists[name])) for name in seen)))

    def tokens(self, chance: random.Random, step: int, name: str) -> tuple[str, ...]:
        several = name.startswith("ledger:") and chance.random() < 0.4
        return tuple(f"{step}/{name}/{part}" for part in range(1 + several))

    def write(self, idem: str, name: str, tokens: tuple[str, ...]) -> None:
        for token in tokens:
            self.lists[name].append(token)
            number = len(self.lists[name])
            self.feed.append(Seen(str(len(self.feed) + 1), idem, name, number))

    def history(self) -> History:
        final = tuple(Observed(name, tuple(tokens)) for name, tokens in self.lists.items())
        return History(tuple(self.attempts), tuple(self.looks), final)

    def feed_history(self, chance: random.Random) -> FeedHistory:
        """Two readers in pages; a page is read when all that is on it had been sent."""
        begun = {attempt.idem: attempt.begun for attempt in self.attempts}
        readers = []
        for _ in range(2):
            pages, at = [], 0
            while at < len(self.feed):
                items = tuple(self.feed[at : at + chance.randint(1, 5)])
                at += len(items)
                now = begun[items[-1].idem]
                pages.append(FeedPageSeen(now, now, items, items[-1].position))
            readers.append(tuple(pages))
        behind = {seen.position: number for number, seen in enumerate(self.feed, 1)}
        return FeedHistory(tuple(self.attempts), tuple(readers), tuple(self.feed), {"": 0, **behind})


seeds = st.integers(0, 2**32)


@given(seeds, st.integers(0, 60))
def test_what_happened_one_after_another_is_clean(seed: int, steps: int) -> None:
    serial = Serial(seed, steps)
    assert anomalies(serial.history()) == ()
    assert feed_anomalies(serial.feed_history(random.Random(seed))) == ()


def skew(serial: Serial) -> History:
    """Two batches more, each of which read what the other wrote, before it did."""
    p, q = (tuple(serial.lists[name]) for name in OBJECTS[:2])
    reads = (Observed(OBJECTS[0], p), Observed(OBJECTS[1], q))
    serial.attempts += [
        Attempt(0, 9000, 9009, "skew-1", reads, (Wrote(OBJECTS[0], ("skew-1",)),), "applied"),
        Attempt(1, 9000, 9009, "skew-2", reads, (Wrote(OBJECTS[1], ("skew-2",)),), "applied"),
    ]
    serial.write("skew-1", OBJECTS[0], ("skew-1",))
    serial.write("skew-2", OBJECTS[1], ("skew-2",))
    return serial.history()


def lost(serial: Serial) -> History:
    """Two batches more, both written over the same reading, of which one is gone."""
    reads = (Observed(OBJECTS[0], tuple(serial.lists[OBJECTS[0]])),)
    serial.attempts += [
        Attempt(0, 9000, 9009, "lost-1", reads, (Wrote(OBJECTS[0], ("lost-1",)),), "applied"),
        Attempt(1, 9000, 9009, "lost-2", reads, (Wrote(OBJECTS[0], ("lost-2",)),), "applied"),
    ]
    serial.write("lost-2", OBJECTS[0], ("lost-2",))
    return serial.history()


def dirty(serial: Serial) -> History:
    seen = (*serial.lists[OBJECTS[2]], "dirty")
    serial.attempts.append(Attempt(0, 9000, 9009, "dirty", (), (Wrote(OBJECTS[2], ("dirty",)),), "refused"))
    serial.looks.append(Look(1, 9001, 9002, (Observed(OBJECTS[2], seen),)))
    return serial.history()


def half(serial: Serial) -> History:
    """Of a batch on two objects, a reader sees the one and not yet the other."""
    before = tuple(serial.lists[OBJECTS[1]])
    wrote = (Wrote(OBJECTS[0], ("half-1",)), Wrote(OBJECTS[1], ("half-2",)))
    serial.attempts.append(Attempt(0, 9000, 9009, "half", (), wrote, "applied"))
    for name, tokens in wrote:
        serial.write("half", name, tokens)
    reads = Observed(OBJECTS[0], tuple(serial.lists[OBJECTS[0]])), Observed(OBJECTS[1], before)
    serial.looks.append(Look(1, 9001, 9002, reads))
    return serial.history()


@pytest.mark.parametrize(
    ("inject", "wanted"),
    [(skew, {"G2"}), (lost, {"LostUpdate", "LostWrite"}), (dirty, {"G1a"}), (half, {"G-single"})],
)
@given(seed=seeds, steps=st.integers(0, 40))
def test_what_is_injected_is_found(inject: Any, wanted: set[str], seed: int, steps: int) -> None:
    found = {one.name for one in anomalies(inject(Serial(seed, steps)))}
    assert wanted <= found
    assert found <= wanted | {"Reordered"}


def feed_names(change: Any, steps: int, seed: int) -> set[str]:
    serial = Serial(seed, steps)
    history = serial.feed_history(random.Random(seed))
    items = [seen for page in history.readers[0] for seen in page.items]
    first = (FeedPageSeen(0, 0, tuple(change(items)), ""),)
    return {one.name for one in feed_anomalies(history._replace(readers=(first, history.readers[1])))}


@given(seeds, st.data())
def test_a_reader_that_was_given_the_feed_otherwise_is_found(seed: int, data: Any) -> None:
    count = len(Serial(seed, 40).feed)
    at = data.draw(st.integers(0, count - 2))
    without = feed_names(lambda items: items[:at] + items[at + 1 :], 40, seed)
    doubled = feed_names(lambda items: [*items[:at], items[at], *items[at:]], 40, seed)
    swapped = feed_names(lambda items: [*items[:at], items[at + 1], items[at], *items[at + 2 :]], 40, seed)
    assert "FeedLost" in without
    assert "FeedDoubled" in doubled
    assert "FeedInverted" in swapped


FEEDS = {
    "FeedLost": [Seen("1", "A", "record:x", 1)],
    "FeedGap": [Seen("1", "A", "record:x", 1), Seen("2", "A", "ledger:y", 2)],
    "FeedSplit": [Seen("1", "A", "record:x", 1), Seen("2", "B", "ledger:z", 1), Seen("3", "A", "ledger:y", 1)],
    "FeedUnwritten": [Seen("1", "C", "record:x", 1)],
    "FeedTorn": [Seen("1", "D", "record:x", 1)],
    "FeedDoubled": [Seen(str(number), "A", "ledger:y", number) for number in (1, 2)],
}  # fmt: skip


@pytest.mark.parametrize("name", FEEDS)
def test_what_is_wrong_with_a_feed_is_called_by_its_name(name: str) -> None:
    attempts = (
        sent("A", "", "record:x=1 ledger:y=2") if name != "FeedDoubled" else sent("A", "", "ledger:y=2"),
        sent("B", "", "ledger:z=3"),
        sent("C", "", "record:x=4", fate="refused"),
        sent("D", "", "record:x=5 ledger:y=6", fate="unknown"),
    )
    history = FeedHistory(attempts, (), tuple(FEEDS[name]), {})
    assert name in {one.name for one in feed_anomalies(history)}


def test_a_watermark_that_went_too_far_is_found() -> None:
    attempts = sent("A", "", "record:x=1", at=(0, 1)), sent("B", "", "record:y=2", at=(5, 6))
    whole = Seen("1", "A", "record:x", 1), Seen("2", "B", "record:y", 1)
    behind = {"": 0, "1": 1, "2": 2}
    for mark, wrong in (("1", False), ("2", True)):
        pages = (FeedPageSeen(2, 3, whole[:1], mark), FeedPageSeen(7, 8, whole[1:], "2"))
        found = {one.name for one in feed_anomalies(FeedHistory(attempts, (pages,), whole, behind))}
        assert found == ({"WatermarkBroken"} if wrong else set())

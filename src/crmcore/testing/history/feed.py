"""What readers of the feed must have seen, given what was written: a pure function.

Invariant: every change of every acknowledged batch is seen by every reader exactly once, in one order for all, with
the changes of a batch together, the versions of a record and the places of a ledger ascending by one, and nothing
that was begun after a page at or before the watermark of that page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from crmcore.testing.history.events import Anomaly, FeedHistory, Seen

FEED_ANOMALIES = frozenset(
    "FeedLost FeedDoubled FeedInverted FeedSplit FeedGap FeedUnwritten FeedTorn WatermarkBroken".split()
)
"""The names of what can be wrong with a feed."""

_Place = tuple[str, int]


def feed_anomalies(history: FeedHistory) -> tuple[Anomaly, ...]:
    """What is wrong with the feed: ``FeedLost``, ``FeedDoubled``, ``FeedInverted``, ``FeedSplit`` (a batch in two
    pieces), ``FeedGap``, ``FeedUnwritten`` (of a batch that was refused), ``FeedTorn``, ``WatermarkBroken``.
    """
    found = [*_stream("the whole feed", history.whole), *_batches(history), *_watermarks(history)]
    whole = [_place(seen) for seen in history.whole]
    for number, pages in enumerate(history.readers):
        name = f"reader {number}"
        items = [seen for page in pages for seen in page.items]
        found += _stream(name, items)
        found += _against(name, [_place(seen) for seen in items], whole)
    return tuple(dict.fromkeys(found))


def _place(seen: Seen) -> _Place:
    return seen.object, seen.number


def _stream(name: str, items: Sequence[Seen]) -> Iterator[Anomaly]:
    """What can be seen of one reading by itself."""
    reached: dict[str, int] = {}
    ended: set[str] = set()
    before = ""
    for seen in items:
        expected = reached.get(seen.object, 0) + 1
        if seen.number < expected:
            yield Anomaly("FeedInverted", f"{name}: {seen.object} came to {seen.number} after {expected - 1}")
        elif seen.number > expected:
            yield Anomaly("FeedGap", f"{name}: {seen.object} went from {expected - 1} to {seen.number}")
        reached[seen.object] = max(seen.number, expected - 1)
        if seen.idem != before:
            if seen.idem in ended:
                yield Anomaly("FeedSplit", f"{name}: the changes of {seen.idem} are not together")
            ended.add(before)
            before = seen.idem


def _against(name: str, items: Sequence[_Place], whole: Sequence[_Place]) -> Iterator[Anomaly]:
    """What a reader missed, saw twice or saw in another order than the feed has in the end."""
    times = Counter(items)
    for place in whole:
        if place not in times:
            yield Anomaly("FeedLost", f"{name} was never given {place[0]} number {place[1]}")
    for place, count in times.items():
        if count > 1:
            yield Anomaly("FeedDoubled", f"{name} was given {place[0]} number {place[1]} {count} times")
    rank = {place: number for number, place in enumerate(whole)}
    order = [rank[place] for place in items if place in rank]
    if order != sorted(order):
        yield Anomaly("FeedInverted", f"{name} was given changes in another order than the feed has now")


def _batches(history: FeedHistory) -> Iterator[Anomaly]:
    """Each batch that was applied is in the feed with all its changes, and no other is."""
    there = Counter((seen.idem, seen.object) for seen in history.whole)
    for attempt in history.attempts:
        due = {
            wrote.object: 1 if wrote.object.startswith("record:") else len(wrote.tokens)
            for wrote in attempt.writes
        }
        got = {object_: there[attempt.idem, object_] for object_ in due}
        if attempt.fate == "refused" and any(got.values()):
            yield Anomaly("FeedUnwritten", f"changes of {attempt.idem} are there, which was refused")
        elif got != due and attempt.fate == "applied":
            name = "FeedDoubled" if sum(got.values()) > sum(due.values()) else "FeedLost"
            yield Anomaly(
                name, f"{attempt.idem} was acknowledged; its changes in the feed are {got}, not {due}"
            )
        elif got != due and any(got.values()):
            yield Anomaly("FeedTorn", f"of {attempt.idem} the feed has {got}, not {due}")


def _watermarks(history: FeedHistory) -> Iterator[Anomaly]:
    """A batch that was begun when a page had been read is not at or before the page's watermark."""
    first: dict[str, int] = {}
    for number, seen in enumerate(history.whole):
        first.setdefault(seen.idem, number)
    begun = sorted((one.begun, first[one.idem], one.idem) for one in history.attempts if one.idem in first)
    lowest: list[
        tuple[int, str]
    ] = []  # of all that began at this one or later, the earliest place in the feed
    for _, place, idem in reversed(begun):
        lowest.append(min((place, idem), lowest[-1]) if lowest else (place, idem))
    lowest.reverse()
    for pages in history.readers:
        at = 0
        for page in pages:
            while at < len(begun) and begun[at][0] <= page.ended:
                at += 1
            if at < len(begun) and lowest[at][0] < history.behind.get(page.watermark, 0):
                yield Anomaly(
                    "WatermarkBroken",
                    f"{lowest[at][1]} was begun after a page, and lies at or before its watermark",
                )

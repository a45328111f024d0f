"""What is read in pages while others write: what was given so far, held against what is there.

Invariant: a page shows only what is there; what was there from the first page on is shown once, and in its order.
"""

from __future__ import annotations

from typing import Any

from crmcore.testing.kit import holds, same
from crmcore.testing.machine.play import Play, Reading


def whole_of(play: Play, name: Any) -> list[Any]:
    """What a reading would give now, if it were one page."""
    tenant, call, *asked = name
    model = play.model
    if call == "find":
        return model.found(tenant, asked[0])
    if call == "scan":
        kind, shards = asked
        low, high = shards or (0, 4096)
        return [one for one in model.of_kind(tenant, kind) if low <= int(one.id[15:18], 16) < high]
    namespace, parts, lo, hi, reverse = asked
    ordered = model.ordered(tenant, namespace, parts)[:: -1 if reverse else 1]
    return [
        item for item in ordered if (lo is None or item[0].value >= lo) and (hi is None or item[0].value < hi)
    ]


def place(item: Any) -> Any:
    """What the order of a range, or of those who carry a key, is promised by."""
    return (item[0].value, item[1].id) if isinstance(item, tuple) else (item.kind, item.id)


def who_stays(play: Play) -> None:
    """Of what was there when a reading began, forget what is gone now: it may be back before the next page."""
    for name, reading in play.open.items():
        reading.stayed &= set(whole_of(play, name))


def judge_page(play: Play, name: Any, items: list[Any], cursor: str | None, limit: int) -> None:
    """Judge a page of a reading, which may have begun some steps ago."""
    what = f"{name[1]} in pages of {limit}"
    whole = whole_of(play, name)
    first = name not in play.open
    reading = play.open.pop(name, None) or Reading([], set(whole))
    before, got = set(reading.seen), set(items)
    holds(len(items) <= limit, f"{what}: more than asked for")
    holds(items or cursor is None, f"{what}: nothing on a page with a next one")
    same((len(got), got & before & reading.stayed), (len(items), set()), f"{what}: what is shown twice")
    holds(got <= set(whole), f"{what}: what is not there is shown")
    owed = reading.stayed - got - before
    if name[1] != "scan":
        _in_order([*reading.seen[-1:], *items], whole, owed, what, reverse=name[-1] is True, first=first)
    if cursor is None:
        same(owed, set(), f"{what}: what was there all the time and was not shown")
    else:
        play.open[name] = Reading([*reading.seen, *items], reading.stayed, cursor)
    play.counts["pages read"] += 1


def _in_order(
    items: list[Any], whole: list[Any], owed: set[Any], what: str, *, reverse: bool, first: bool
) -> None:
    """The last item of the page before and those of this one ascend, and nothing that they owe was passed over."""
    places = list(map(place, items))
    same(places, sorted(places, reverse=reverse), f"{what}: the order")
    if first:
        same(places, list(map(place, whole))[: len(places)], f"{what}: the first page")
    passed = [
        one for one in owed if places and place(one) != places[-1] and (place(one) < places[-1]) != reverse
    ]
    same(passed, [], f"{what}: what was passed over")

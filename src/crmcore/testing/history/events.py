"""What happened while many wrote and read at once, in plain values.

Invariant: a history says only what a client of a store could see: when it asked, what it was told, what it read.
Nothing in it comes from the inside of a store.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Fate = Literal["applied", "refused", "unknown"]


class Observed(NamedTuple):
    """An object as it was read: a record or a ledger, each a list of the tokens that were appended to it."""

    object: str
    tokens: tuple[str, ...]


class Wrote(NamedTuple):
    """The tokens that a batch appended to an object, in their order."""

    object: str
    tokens: tuple[str, ...]


class Attempt(NamedTuple):
    """A batch that was sent. *reads* are those that it declared (`Check`, `CheckStream` and what a write expects).

    *begun* and *ended* are nanoseconds of one clock for all processes.
    """

    process: int
    begun: int
    ended: int
    idem: str
    reads: tuple[Observed, ...]
    writes: tuple[Wrote, ...]
    fate: Fate


class Look(NamedTuple):
    """One call that read some objects, and so saw one moment."""

    process: int
    begun: int
    ended: int
    reads: tuple[Observed, ...]


class History(NamedTuple):
    """*final* is what was read when all was over; an object that is not in it is not asked for what it lost."""

    attempts: tuple[Attempt, ...]
    looks: tuple[Look, ...] = ()
    final: tuple[Observed, ...] = ()


class Seen(NamedTuple):
    """A change of the feed: *number* is the version of a record, or the place in a ledger."""

    position: str
    idem: str
    object: str
    number: int


class FeedPageSeen(NamedTuple):
    """A page of the feed as a reader got it."""

    begun: int
    ended: int
    items: tuple[Seen, ...]
    watermark: str


class FeedHistory(NamedTuple):
    """The feed as *readers* followed it during the writing, and the *whole* of it, read when all was over.

    *behind* says of each watermark how many changes of the whole lie at or before it.
    """

    attempts: tuple[Attempt, ...]
    readers: tuple[tuple[FeedPageSeen, ...], ...]
    whole: tuple[Seen, ...]
    behind: dict[str, int]


class Anomaly(NamedTuple):
    """Something that no order of the batches, one after another, explains. *name* is as Adya and Elle have it."""

    name: str
    detail: str

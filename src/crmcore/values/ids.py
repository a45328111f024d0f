"""Typed identifiers: UUIDv7 (RFC 9562) with the shard in it.

Invariant: ids made by one factory never repeat and, within a shard, sort in the order they were made, also
when the clock stands still or steps back. The 12 bits of rand_a carry the shard; rand_b is a counter that
starts at a random point in each millisecond and goes on by random steps, so that copies of a factory in forked
processes part ways. An id is opaque and final once issued.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import ClassVar, TypeVar

from crmcore.errors import InvalidId

SHARDS = 4096
_COUNTER_MAX = (1 << 62) - 1
_MILLIS_MAX = (1 << 48) - 1
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Id(str):
    """The root of typed ids: the canonical text of a UUIDv7. Use a subclass; `parse` checks, the constructor trusts."""

    __slots__ = ()
    kind: ClassVar[str] = ""

    @classmethod
    def parse(cls: type[AnyId], text: str) -> AnyId:
        """Read an id.

        Raises:
            InvalidId: if *text* is no UUIDv7 in its canonical form.

        >>> PartyId.parse("01890a5d-ac96-7000-8000-000000000000").shard
        0
        """
        if not has_id_form(text):
            raise InvalidId(
                f"not a {cls.kind or 'record'} id: ids are lower-case UUIDv7 texts of 36 characters"
            )
        return cls(text)

    @property
    def shard(self) -> int:
        """The shard, 0 to 4095, that this id lives on."""
        return int(self[15:18], 16)

    @property
    def milliseconds(self) -> int:
        """When the id was made: milliseconds since 1970-01-01 UTC."""
        return int(self[:8] + self[9:13], 16)


AnyId = TypeVar("AnyId", bound=Id)


def has_id_form(text: object) -> bool:
    """Whether *text* has the form of an id.

    >>> has_id_form("01890a5d-ac96-7000-8000-000000000000"), has_id_form("ann@x.org")
    (True, False)
    """
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


class PartyId(Id):
    """The id of a party."""

    __slots__ = ()
    kind = "party"


class CustomerId(Id):
    """The id of a customer: that of the party recorded first among its members."""

    __slots__ = ()
    kind = "customer"


class RelationshipId(Id):
    """The id of a relationship."""

    __slots__ = ()
    kind = "relationship"


class InteractionId(Id):
    """The id of an interaction."""

    __slots__ = ()
    kind = "interaction"


class JudgementId(Id):
    """The id of a judgement, by which it is taken back."""

    __slots__ = ()
    kind = "judgement"


class Ids:
    """Makes ids from a clock and a source of random bits, both injected.

    *clock* gives milliseconds since the epoch, *randbits* n random bits (by default the system's secure ones).
    One factory may serve many threads.

    >>> ids = Ids(clock=lambda: 1_700_000_000_000, randbits=lambda n: 0)
    >>> ids.new(PartyId)
    '018bcfe5-6800-7000-8000-000000000000'
    """

    def __init__(self, clock: Callable[[], int], randbits: Callable[[int], int] | None = None) -> None:
        if randbits is None:
            # Not at the top: a tenth of the time that importing crmcore may take.
            from secrets import randbits as secure

            randbits = secure
        self._clock = clock
        self._randbits = randbits
        self._lock = threading.Lock()
        self._millis = -1
        self._counter = 0

    def new(self, type_: type[AnyId], *, near: Id | None = None) -> AnyId:
        """A new id, on the shard of *near*, or on a random one.

        Raises:
            InvalidId: if the clock gives something else than milliseconds of the years 1970 to 10889.

        >>> ids = Ids(clock=lambda: 1_700_000_000_000)
        >>> ann = ids.new(PartyId)
        >>> ids.new(InteractionId, near=ann).shard == ann.shard
        True
        """
        with self._lock:
            shard = near.shard if near is not None else self._randbits(12)
            millis, counter = self._tick(self._clock())
        number = (millis << 80) | (7 << 76) | (shard << 64) | (2 << 62) | counter
        text = f"{number:032x}"
        return type_(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")

    def _tick(self, now: int) -> tuple[int, int]:
        """The next pair of millisecond and counter, greater than all before it."""
        if now > self._millis:
            # One spare top bit: with steps of 2**31 on average, a millisecond holds a thousand million ids.
            millis, counter = now, self._randbits(61)
        else:
            millis, counter = self._millis, self._counter + 1 + self._randbits(32)
            if counter > _COUNTER_MAX:
                millis, counter = millis + 1, self._randbits(61)
        if not isinstance(now, int) or not 0 <= now <= millis <= _MILLIS_MAX:
            raise InvalidId("the clock of ids gives whole milliseconds since 1970", reason="clock")
        self._millis, self._counter = millis, counter
        return millis, counter
